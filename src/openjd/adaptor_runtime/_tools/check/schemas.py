"""The schemas of init data and run data, and what the adaptor reads of the data."""

from __future__ import annotations

import ast
import difflib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...adaptors.data_paths import SchemaPaths
from .findings import Findings
from .source import Source, calls, dotted, functions, text_of

_PATH_NAME = re.compile(
    r"(^|[_-])(paths?|files?|filepaths?|dirs?|directory|directories|folders?)$", re.IGNORECASE
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_IN_MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_IN_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_ALONE = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")
_WORDS = frozenset(
    {
        *(*_IN_MAPS, *_IN_LISTS, *_ALONE),
        *("$schema", "$id", "$ref", "$anchor", "$comment", "$dynamicRef", "$dynamicAnchor"),
        *("$vocabulary", "type", "enum", "const", "title", "description", "default", "examples"),
        *("deprecated", "readOnly", "writeOnly", "format", "pattern", "minLength", "maxLength"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minItems", "maxItems", "uniqueItems", "minContains", "maxContains", "required"),
        *("minProperties", "maxProperties", "dependentRequired", "dependencies", "id"),
        *("unevaluatedItems", "unevaluatedProperties", "additionalItems", "contentEncoding"),
        *("contentMediaType", "contentSchema"),
    }
)


def check_schema_folder(
    findings: Findings, folder: str, mapped: bool, file: str | None, line: int | None
) -> dict[str, Any]:
    """Looks at the two schemas in a folder.

    Args:
        mapped: whether the runtime reads them itself, and maps the paths that they mark.
        file: the module that names the folder, and where.

    Returns:
        The schemas that can be used, by "init_data" and "run_data".
    """
    usable = {}
    for name in ("init_data", "run_data"):
        path = Path(folder) / f"{name}.schema.json"
        if not path.is_file():
            if mapped:
                findings.add("S301", f"there is no {path}", file, line)
            continue
        schema = _read(findings, path)
        if schema is not None and check_schema(findings, schema, name, str(path), mapped):
            usable[name] = schema
    return usable


def _read(findings: Findings, path: Path) -> Any:
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as e:
        findings.add("S302", f"{path.name} is no JSON: {e.msg}", path, e.lineno)
        return None
    except (OSError, ValueError, RecursionError) as e:
        findings.add("S302", f"{path.name} cannot be read: {e}", path)
        return None
    if not isinstance(schema, dict):
        findings.add("S302", f"{path.name} holds no JSON object", path)
        return None
    return schema


def check_schema(
    findings: Findings, schema: dict[str, Any], what: str, file: str, mapped: bool
) -> bool:
    """Looks at one schema; returns whether it is one."""
    from jsonschema import SchemaError
    from jsonschema.validators import validator_for

    validator_class = validator_for(schema)
    try:
        validator_class.check_schema(schema)
        SchemaPaths(schema)
    except SchemaError as e:
        place = "/" + "/".join(str(step) for step in e.absolute_path)
        findings.add("S303", f"{place}: {e.message}", file, _line(file, e.absolute_path))
        return False
    except ValueError as e:
        findings.add("S303", str(e), file)
        return False
    if mapped and schema.get("type") == "object" and "additionalProperties" not in schema:
        undecided = not any(key in schema for key in ("unevaluatedProperties", "$ref", "allOf"))
        if undecided:
            text = f"{what}: a field that is not described is accepted silently"
            findings.add("S308", text, file)
    for where, one in _within(schema, []):
        _check_words(findings, one, where, file)
        _check_required(findings, one, where, file)
        _check_paths(findings, one, where, file, mapped)
        _check_values(findings, one, where, file, validator_class)
    return True


def _within(schema: Any, place: list[Any]) -> Iterator[tuple[list[Any], dict[str, Any]]]:
    """A schema and all schemas in it, each with its place."""
    if not isinstance(schema, dict):
        return
    yield place, schema
    for key in _IN_MAPS:
        below = schema.get(key)
        for name, one in below.items() if isinstance(below, dict) else ():
            yield from _within(one, [*place, key, name])
    for key in _IN_LISTS:
        below = schema.get(key)
        for index, one in enumerate(below) if isinstance(below, list) else ():
            yield from _within(one, [*place, key, index])
    for key in _ALONE:
        yield from _within(schema.get(key), [*place, key])


def _shown(place: list[Any]) -> str:
    return "/" + "/".join(str(step) for step in place)


def _check_words(findings: Findings, schema: dict[str, Any], place: list[Any], file: str) -> None:
    for word in schema:
        close = difflib.get_close_matches(word, _WORDS, 1, cutoff=0.8)
        if word not in _WORDS and close:
            findings.add(
                "S304",
                f"{_shown(place)}: {word!r} means nothing; did you mean {close[0]!r}?",
                file,
                _line(file, [*place, word]),
            )


def _check_required(
    findings: Findings, schema: dict[str, Any], place: list[Any], file: str
) -> None:
    properties = schema.get("properties")
    required = schema.get("required")
    if schema.get("additionalProperties") is not False or schema.get("patternProperties"):
        return
    if not isinstance(properties, dict) or not isinstance(required, list):
        return
    for name in required:
        if name not in properties:
            close = difflib.get_close_matches(name, properties, 1)
            findings.add(
                "S305",
                f"{_shown(place)}: the field {name!r} is required, and refused as an additional "
                "one" + (f"; did you mean {close[0]!r}?" if close else ""),
                file,
                _line(file, [*place, "required"]),
            )


def _types(schema: dict[str, Any]) -> list[str]:
    given = schema.get("type", [])
    return [given] if isinstance(given, str) else list(given)


def _check_paths(
    findings: Findings, schema: dict[str, Any], place: list[Any], file: str, mapped: bool
) -> None:
    types = _types(schema)
    if schema.get("format") == "path" and types and "string" not in types:
        findings.add(
            "S306",
            f"{_shown(place)}: it is marked as a path, and is of type {' or '.join(types)}",
            file,
            _line(file, [*place, "format"]),
        )
    if not mapped or len(place) < 2 or place[-2] != "properties":
        return
    name = _CAMEL.sub("_", str(place[-1]))
    text = schema
    if "array" in types and isinstance(schema.get("items"), dict):
        text = schema["items"]
    if _types(text) != ["string"] or not _PATH_NAME.search(name):
        return
    if not any(key in text for key in ("format", "enum", "const", "$ref")):
        findings.add(
            "S307", f"{_shown(place)} is not marked as a path, and no rule maps it", file,
            _line(file, place),
        )  # fmt: skip


def _check_values(
    findings: Findings, schema: dict[str, Any], place: list[Any], file: str, validator_class: Any
) -> None:
    values = [("default", schema["default"])] if "default" in schema else []
    examples = schema.get("examples")
    values += [("example", one) for one in examples] if isinstance(examples, list) else []
    if not values or any("$ref" in one for _, one in _within(schema, [])):
        return
    for what, value in values:
        error = next(validator_class(schema).iter_errors(value), None)
        if error is not None:
            findings.add(
                "S309",
                f"{_shown(place)}: the {what} does not fit: {error.message}",
                file,
                _line(file, [*place, "default" if what == "default" else "examples"]),
            )


def _line(file: str, place: Any) -> int | None:
    """The line of a place in a JSON file."""
    if not file.endswith(".json"):
        return None
    from ...adaptors.configuration.configuration import _line_of

    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    found = re.search(r"\d+", _line_of(text, list(place)))
    return int(found[0]) if found else None


# What the adaptor reads.


def check_reads(
    findings: Findings, source: Source, class_name: str, schemas: dict[str, Any]
) -> None:
    """Holds the fields of the data that a class reads against the schemas."""
    node = source.classes().get(class_name)
    if node is None:
        return
    for method in functions(node).values():
        names = {"self.init_data": "init_data"}
        arguments = [a.arg for a in method.args.args[1:]]
        if method.name in ("on_run", "outputs", "commands", "get_managed_process") and arguments:
            names[arguments[0]] = "run_data"
        for name, what in names.items():
            schema = schemas.get(what)
            if schema is not None:
                _check_reads_of(findings, source, method, name, what, schema)


def _check_reads_of(
    findings: Findings, source: Source, method: ast.AST, name: str, what: str, schema: Any
) -> None:
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return
    composed = ("allOf", "anyOf", "oneOf", "$ref", "if", "patternProperties", "dependentSchemas")
    closed = schema.get("additionalProperties") is False and not any(k in schema for k in composed)
    asked = {
        text_of(node.left)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.In, ast.NotIn))
    }
    # Who has asked with .get() knows that it may not be there.
    asked |= {key for key, _, needed in _reads(source.tree, name) if not needed}
    for key, line, needed in _reads(method, name):
        if key not in properties:
            if closed:
                close = difflib.get_close_matches(key, properties, 1)
                findings.add(
                    "S310",
                    f"{name} has no field {key!r} by {what}.schema.json"
                    + (f"; did you mean {close[0]!r}?" if close else ""),
                    source.path,
                    line,
                )
        elif (
            needed
            and key not in schema.get("required", [])
            and key not in asked
            and not any(k in schema for k in composed)
        ):
            findings.add(
                "S311",
                f"{name}[{key!r}] fails where the data has no {key}, which "
                f"{what}.schema.json does not require",
                source.path,
                line,
            )


def _reads(node: ast.AST, name: str) -> Iterator[tuple[str, int, bool]]:
    """The keys that are read of a mapping; and whether they must be there."""
    for one in ast.walk(node):
        if isinstance(one, ast.Subscript) and dotted(one.value) == name:
            index: Any = one.slice
            key = text_of(index)
            if key is not None and isinstance(one.ctx, ast.Load):
                yield key, one.lineno, True
    for call in calls(node):
        if dotted(call.func) == f"{name}.get" and call.args:
            key = text_of(call.args[0])
            if key is not None:
                yield key, call.lineno, False
