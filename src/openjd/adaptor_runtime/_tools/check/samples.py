"""Data made from a schema: defaults and examples, or the least that fits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_DEEPEST = 12
_TEXTS = ("x", "1", "0", "a", "#", "1-3", "1.0", "true", "name_####.png", "x.png", "A1", "a/b")


class NoSample(Exception):
    """No data could be made; the message says of which place."""


class Sampler:
    """Makes data from a schema.

    Args:
        schema: the schema; references within it are followed.
        folder: an empty folder for the files and folders that paths name.
    """

    def __init__(self, schema: dict[str, Any], folder: Path) -> None:
        self._schema = schema
        self._folder = folder

    def make(self) -> dict[str, Any]:
        """A mapping that fits the schema.

        Raises:
            NoSample: none was found.
        """
        from jsonschema.validators import validator_for

        made = self._of(self._schema, "data", 0)
        if made is None:
            made = {}
        error = next(validator_for(self._schema)(self._schema).iter_errors(made), None)
        if error is not None or not isinstance(made, dict):
            why = error.message if error is not None else "it is no mapping"
            raise NoSample(f"what was tried does not fit: {why}")
        return made

    def _of(self, schema: Any, name: str, depth: int) -> Any:
        if schema is True or schema == {}:
            return name
        if not isinstance(schema, dict) or depth > _DEEPEST:
            raise NoSample(f"of {name}: the schema goes too deep, or allows nothing")
        for key in ("$ref",):
            if key in schema:
                return self._of(self._referred(str(schema[key]), name), name, depth + 1)
        for key, first in (("default", False), ("examples", True), ("const", False),
                           ("enum", True)):  # fmt: skip
            if key in schema and not (first and not schema[key]):
                value = schema[key][0] if first else schema[key]
                if schema.get("format") != "path" or not isinstance(value, str):
                    return value
                return self._path(schema, Path(value).name or name)
        merged = dict(schema)
        for one in schema.get("allOf", []):
            merged = _merged(merged, one)
        for key in ("oneOf", "anyOf"):
            if schema.get(key):
                merged = _merged(merged, schema[key][0])
        return self._by_type(merged, name, depth)

    def _by_type(self, schema: dict[str, Any], name: str, depth: int) -> Any:
        given = schema.get("type", "object" if "properties" in schema else "string")
        kind = given if isinstance(given, str) else given[0]
        if kind == "object":
            properties = schema.get("properties", {})
            return {
                key: self._of(properties.get(key, True), key, depth + 1)
                for key in schema.get("required", [])
            }
        if kind == "array":
            least = schema.get("minItems", 0)
            return [self._of(schema.get("items", True), name, depth + 1) for _ in range(least)]
        if kind == "string":
            return self._path(schema, name) if schema.get("format") == "path" else _text(schema)
        if kind in ("integer", "number"):
            return _number(schema, kind)
        return {"boolean": True, "null": None}.get(kind, name)

    def _path(self, schema: dict[str, Any], name: str) -> str:
        """A path; of a file that is there, unless its name says that it is for output."""
        lower = name.lower()
        path = self._folder / name
        if any(word in lower for word in ("dir", "folder")) and "out" not in lower:
            path.mkdir(exist_ok=True)
        for ending in ("", "_####.png", ".png", "_%04d.png", "_1"):
            text = f"{path}{ending}"
            if _fits(schema, text):
                if "out" not in lower and not path.exists() and not ending.startswith("_"):
                    Path(text).touch()
                return text
        raise NoSample(f"of {name}: no path fits {schema}")

    def _referred(self, reference: str, name: str) -> Any:
        found: Any = self._schema
        if not reference.startswith("#"):
            raise NoSample(f"of {name}: {reference} is elsewhere")
        for step in reference.lstrip("#").strip("/").split("/"):
            step = step.replace("~1", "/").replace("~0", "~")
            found = found.get(step) if isinstance(found, dict) and step else found
        return found


def _merged(one: dict[str, Any], other: Any) -> dict[str, Any]:
    if not isinstance(other, dict):
        return one
    merged = {**one, **other}
    if "properties" in one and "properties" in other:
        merged["properties"] = {**one["properties"], **other["properties"]}
    if "required" in one and "required" in other:
        merged["required"] = [*one["required"], *other["required"]]
    return merged


def _fits(schema: dict[str, Any], value: Any) -> bool:
    from jsonschema.validators import validator_for

    keys = ("type", "pattern", "minLength", "maxLength", "enum", "not")
    judged = {key: schema[key] for key in keys if key in schema}
    return bool(validator_for(schema)(judged).is_valid(value))


def _text(schema: dict[str, Any]) -> str:
    least = schema.get("minLength", 0)
    for text in (*_TEXTS, "x" * least):
        if _fits(schema, text):
            return text
    raise NoSample(f"no text fits {schema}; give it a default or examples")


def _number(schema: dict[str, Any], kind: str) -> float:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    step = schema.get("multipleOf", 1)
    value = 1 if low is None else low
    if low is not None and value == schema.get("exclusiveMinimum"):
        value += step
    if high is not None and value > high:
        value = high
    return int(value) if kind == "integer" and float(value).is_integer() else value
