"""The fields that a schema describes, each with all that it says of them in one place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ...adaptors import AdaptorDataValidator
from ...adaptors.data_paths import SchemaPaths

#: Where a schema says what JSON Schema has no word for; see docs/job-templates.md.
HINTS = "x-openjd"
_SCALARS = frozenset({"string", "integer", "number", "boolean", "null"})
ALL_TYPES = _SCALARS | {"array", "object"}
# Followed no deeper: a schema may refer to itself.
_DEEPEST = 20


class Field(NamedTuple):
    """A field of init data or run data."""

    name: str
    #: What is said of it, references followed and ``allOf`` merged. ``types`` are its types.
    schema: dict[str, Any]
    types: frozenset[str]
    required: bool
    #: Whether it has a ``default``, and one that fits; it is in ``schema`` then.
    has_default: bool

    @property
    def hints(self) -> dict[str, Any]:
        """What ``x-openjd`` says."""
        hints = self.schema.get(HINTS, {})
        return hints if isinstance(hints, dict) else {}


def fields(validator: AdaptorDataValidator) -> list[Field]:
    """The fields of the mapping that a schema describes, in its order."""
    reader = _Reader(validator)
    whole = reader.merged(validator._schema)
    required = whole.get("required")
    required = required if isinstance(required, list) else []
    return [reader.field(name, schema, name in required) for name, schema in _members(whole)]


def _members(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    properties = schema.get("properties")
    if isinstance(properties, dict):
        yield from properties.items()


class _Reader:
    def __init__(self, validator: AdaptorDataValidator) -> None:
        self._paths: SchemaPaths = validator._schema_paths()
        self._validator: Any = validator._compiled()

    def field(self, name: str, schema: Any, required: bool) -> Field:
        merged = self.merged(schema)
        has_default = "default" in merged and self._paths._fits(schema, merged["default"])
        return Field(name, merged, _types(merged), required, has_default)

    def merged(self, schema: Any, depth: int = 0) -> dict[str, Any]:
        """What a schema and those that it refers to say of a value."""
        if not isinstance(schema, dict) or depth > _DEEPEST:
            return {}
        said = dict(schema)
        parts = []
        base = self._paths._bases.get(id(schema), "")
        for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
            ref = self._paths._get(schema, keyword)
            if isinstance(ref, str):
                if self._paths._draft < 2019:
                    # A reference is all that counts of its schema; titles and hints do no harm.
                    said = {k: v for k, v in said.items() if k in _NOTES}
                parts.append(self.merged(self._paths._resolve(ref, base), depth + 1))
        for each in _list(said.pop("allOf", None)):
            parts.append(self.merged(each, depth + 1))
        for keyword in ("anyOf", "oneOf"):
            branches = [self.merged(each, depth + 1) for each in _list(said.pop(keyword, None))]
            if branches:
                parts.append(_either(branches))
        for part in parts:
            said = _both(said, part)
        if isinstance(said.get("items"), dict):
            said["items"] = self.merged(said["items"], depth + 1)
        return said


_NOTES = frozenset({"title", "description", "default", HINTS})
_LOWER = {"minimum", "minLength", "exclusiveMinimum"}
_UPPER = {"maximum", "maxLength", "exclusiveMaximum"}


def _both(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What two schemas say of a value that fits both."""
    made = {**other, **one}
    for key in one.keys() & other.keys():
        a, b = one[key], other[key]
        if key == "type":
            kept = _types(one) & _types(other)
            made[key] = sorted(kept)
        elif key == "properties" and isinstance(a, dict) and isinstance(b, dict):
            made[key] = {
                **a,
                **{name: {"allOf": [a[name], s]} if name in a else s for name, s in b.items()},
            }
        elif key == "required":
            made[key] = [*_list(a), *_list(b)]
        elif key == "enum":
            made[key] = [value for value in _list(a) if value in _list(b)]
        elif key == HINTS and isinstance(a, dict) and isinstance(b, dict):
            made[key] = {**b, **a}
        elif key in _LOWER | _UPPER and is_number(a) and is_number(b):
            made[key] = max(a, b) if key in _LOWER else min(a, b)
    return made


def _either(branches: list[dict[str, Any]]) -> dict[str, Any]:
    """What is known of a value that fits one of these: no more than all of them say."""
    made: dict[str, Any] = {"type": sorted(frozenset().union(*map(_types, branches)))}
    values: list[Any] = []
    for branch in branches:
        if "const" in branch:
            values.append(branch["const"])
        elif isinstance(branch.get("enum"), list):
            values += branch["enum"]
        elif _types(branch) == {"null"}:
            values.append(None)
        else:
            break
    else:
        made["enum"] = values
    # A field that may be null, or a list, beside what it is: its other words count as well.
    spoken = [branch for branch in branches if _types(branch) != {"null"}]
    if len(spoken) == 1:
        made = {**spoken[0], **made}
    elif all(branch.get("format") == "path" for branch in spoken):
        made["format"] = "path"
    members: dict[str, Any] = {}
    for branch in spoken:
        for name, schema in _members(branch):
            members.setdefault(name, schema)
    if members:
        made["properties"] = members
    if len(spoken) > 1:
        made.pop("required", None)
    return made


def _types(schema: dict[str, Any]) -> frozenset[str]:
    given = schema.get("type")
    if isinstance(given, str):
        return frozenset({given}) & ALL_TYPES
    if isinstance(given, list):
        return frozenset(t for t in given if isinstance(t, str)) & ALL_TYPES
    return ALL_TYPES


def is_number(value: Any) -> bool:
    """Whether JSON says that it is a number, of a size that counts."""
    return (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and (isinstance(value, int) or value - value == 0)
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
