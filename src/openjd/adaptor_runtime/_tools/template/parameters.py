"""Job parameters from the fields of a schema, and how their values become the fields' again."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple

from ..._suggestions import suggestion
from ..errors import ToolError
from . import texts
from .schema import ALL_TYPES, HINTS, Field, is_number

#: What ``x-openjd`` may say of a field.
_HINTS = {
    "objectType": str,
    "dataFlow": str,
    "control": str,
    "label": str,
    "groupLabel": str,
    "fileFilters": list,
    "fileFilterDefault": dict,
    "decimals": int,
    "singleStepDelta": (int, float),
    "name": str,
    "parameter": bool,
    "taskParameter": bool,
    "chunks": (str, bool),
}
_FILE_CONTROLS = ("CHOOSE_INPUT_FILE", "CHOOSE_OUTPUT_FILE")
_WRITTEN = {"out", "output", "outputs", "dest", "destination", "target", "result", "results"} | {
    *("export", "save", "write", "log")
}
_PATHS = {"file", "path", "dir", "directory", "folder"}
_FOLDERS = {"dir", "dirs", "directory", "folder", "root"}
# Engines keep integers in 64 bits.
_INT_BOUND = 2**63
_TEXTS = frozenset({"string", "integer", "number", "boolean", "null"})


class Parameter(NamedTuple):
    """A job parameter, and the field that its value is for."""

    #: As it stands in the template.
    definition: dict[str, Any]
    #: The field with its mark, as ``--init-field`` and ``--run-field`` take it: ``NAME?:``.
    field: str

    @property
    def name(self) -> str:
        """The parameter's name."""
        name: str = self.definition["name"]
        return name


class _Shape(NamedTuple):
    """How the value of a field is entered."""

    #: STRING, PATH, INT or FLOAT.
    type: str
    #: Of the field: none for a text, ``:`` for JSON, ``[]`` for a list of texts.
    mark: str
    control: str
    #: Keys of the definition that limit the value.
    limits: dict[str, Any]
    #: The default as the parameter has it; None if there is none, or it cannot be one.
    default: Any
    #: What a user must know.
    note: str = ""


def check_hints(field: Field, place: str) -> None:
    """Whether the field's ``x-openjd`` is such.

    Raises:
        ToolError: it is not; the message names the field.
    """
    given = field.schema.get(HINTS, {})
    at = f"{place}, field {field.name!r}: {HINTS}"
    if not isinstance(given, dict):
        raise ToolError(f"{at}: a table (or object) is expected, such as {{dataFlow: OUT}}")
    for key, value in given.items():
        if key not in _HINTS:
            raise ToolError(f"{at}: there is no key {key!r}{suggestion(key, _HINTS)}")
        kinds: Any = _HINTS[key]
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds in (int, str)):
            raise ToolError(f"{at}: {value!r} is no value for {key}")


def parameter(
    field: Field, taken: Collection[str], *, mapped: bool, roots: dict[str, bool]
) -> Parameter:
    """The job parameter for a field.

    Args:
        field: the field.
        taken: names of parameters that there are.
        mapped: whether the runtime maps the paths in the data, so that its schema marks them.
        roots: fields that paths of outputs begin with, and whether as a folder.
    """
    if not mapped and _sounds_like_path(field):
        field = field._replace(schema={**field.schema, "format": "path"})
    shape = _shape(field)
    optional = not field.required and shape.default is None
    if optional:
        shape = _with_nothing(shape)
    hints = field.hints
    definition: dict[str, Any] = {
        "name": texts.identifier(hints.get("name", field.name), taken),
        "type": shape.type,
    }
    control = hints.get("control", shape.control)
    interface: dict[str, Any] = {"control": control}
    if shape.type == "PATH":
        definition["objectType"], definition["dataFlow"] = _path_facts(field, roots)
        if "allowedValues" not in shape.limits and "control" not in hints:
            interface["control"] = _path_control(*definition.values())
    label = texts.label(hints.get("label", field.schema.get("title")))
    if label:
        interface["label"] = label
    group = texts.label(hints.get("groupLabel"))
    if group:
        interface["groupLabel"] = group
    interface.update(_extras(hints, shape, interface["control"], field))
    definition["userInterface"] = interface
    empty = "Left out if empty." if optional else ""
    said = texts.description(field.schema.get("description"), shape.note, empty)
    if said:
        definition["description"] = said
    definition.update(shape.limits)
    if shape.default is not None or optional:
        definition["default"] = "" if optional else shape.default
    return Parameter(definition, f"{field.name}{'?' if optional else ''}{shape.mark}")


def _with_nothing(shape: _Shape) -> _Shape:
    """The same, where nothing may be entered: only texts can be empty."""
    limits = {k: v for k, v in shape.limits.items() if k in ("allowedValues", "maxLength")}
    if shape.type in ("INT", "FLOAT"):
        limits = {k: [str(one) for one in v] for k, v in limits.items() if k == "allowedValues"}
        note = _between(shape.limits) if "allowedValues" not in limits else ""
        shape = shape._replace(type="STRING", control="LINE_EDIT", note=note)
    if "allowedValues" in limits:
        allowed = [one for one in limits["allowedValues"] if one != ""]
        limits, shape = {"allowedValues": ["", *allowed]}, shape._replace(control="DROPDOWN_LIST")
    return shape._replace(limits=limits)


def _between(limits: dict[str, Any]) -> str:
    low, high = limits.get("minValue"), limits.get("maxValue")
    if low is not None and high is not None:
        return f"From {low} to {high}."
    if low is not None:
        return f"At least {low}."
    return f"At most {high}." if high is not None else "A number."


def _shape(field: Field) -> _Shape:
    schema, types = field.schema, field.types - {"null"}
    default = schema.get("default") if field.has_default else None
    values = _values(field)
    if values is not None:
        return _choice(values, default, "path" if _is_path(field) else "")
    # null cannot be entered but as JSON; where it can be left out nobody needs it.
    nullable = field.required and "null" in field.types
    if "string" in types and field.types <= _TEXTS:
        return _text(field, default)
    if types == {"boolean"} and not nullable:
        return _choice([True, False], default, "")
    if types in ({"integer"}, {"number"}, {"integer", "number"}) and not nullable:
        return _number(schema, types == {"integer"}, default)
    items = schema.get("items")
    texts_only = isinstance(items, dict) and items.get("type") == "string"
    if types == {"array"} and texts_only and not nullable:
        lines = _lines(default)
        if default is None or lines is not None:
            return _Shape("STRING", "[]", "MULTILINE_EDIT", {}, lines, "One in each line.")
    text = texts.json_text(default) if field.has_default else None
    if text is not None and not texts.is_value(text):
        text = None
    control = "MULTILINE_EDIT" if types & {"array", "object"} else "LINE_EDIT"
    return _Shape("STRING", ":", control, {}, text, "As JSON.")


def _values(field: Field) -> list[Any] | None:
    """The values that it can have, if they are listed and can be entered."""
    listed = field.schema.get("enum")
    if not isinstance(listed, list):
        return None
    kept: list[Any] = []
    for value in listed:
        fits = _type(value) & field.types
        seen = any(value == one and type(value) is type(one) for one in kept)
        if fits and not seen and (value is not None or field.required):
            kept.append(value)
    texts_of = [one if isinstance(one, str) else texts.json_text(one) for one in kept]
    if not kept or not all(text is not None and texts.is_value(text) for text in texts_of):
        return None
    return kept


def _type(value: Any) -> frozenset[str]:
    if isinstance(value, bool):
        return frozenset({"boolean"})
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return frozenset({"integer", "number"})
    names = {str: "string", float: "number", list: "array", dict: "object", type(None): "null"}
    return frozenset({names.get(type(value), "")}) & ALL_TYPES


def _choice(values: list[Any], default: Any, kind: str) -> _Shape:
    """One of these values."""
    if all(isinstance(one, str) for one in values):
        type_, mark, shown = "PATH" if kind else "STRING", "", values
    elif all(type(one) is int and abs(one) < _INT_BOUND for one in values):
        type_, mark, shown = "INT", ":", values
    elif all(is_number(one) for one in values):
        type_, mark, shown = "FLOAT", ":", values
    else:
        type_, mark, shown = "STRING", ":", [texts.json_text(one) for one in values]
    chosen = None
    for value, text in zip(values, shown):
        if default is not None and value == default and type(value) is type(default):
            chosen = text
    if type_ == "PATH" and chosen is not None and not _is_default_path(chosen):
        chosen = None
    boolean = sorted(map(str, shown)) == ["false", "true"] and mark == ":"
    control = "CHECK_BOX" if boolean else "DROPDOWN_LIST"
    note = "" if boolean or type_ != "STRING" or not mark else "As JSON."
    return _Shape(type_, mark, control, {"allowedValues": shown}, chosen, note)


def _text(field: Field, default: Any) -> _Shape:
    is_path = _is_path(field)
    limits: dict[str, Any] = {}
    if field.types - {"null"} == {"string"}:
        low, high = (_whole(field.schema.get(key)) for key in ("minLength", "maxLength"))
        if low is not None and low > 0:
            limits["minLength"] = low
        if high is not None and high > 0 and high >= (low or 0):
            limits["maxLength"] = high
    if default is not None and not isinstance(default, str):
        default = texts.json_text(default)
    if default is not None and not texts.is_value(default):
        default = None
    if is_path:
        if default is not None and not _is_default_path(default):
            default = None
        return _Shape("PATH", "", "", limits, default)
    control = "MULTILINE_EDIT" if default and re.search(r"[\r\n]", default) else "LINE_EDIT"
    return _Shape("STRING", "", control, limits, default)


def _number(schema: dict[str, Any], whole: bool, default: Any) -> _Shape:
    low, high = schema.get("minimum"), schema.get("maximum")
    below, above = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    # Draft 4: whether the limit itself is excluded.
    open_low, open_high = below is True, above is True
    low, high, below, above = (x if is_number(x) else None for x in (low, high, below, above))
    if below is not None and (low is None or below >= low):
        low, open_low = below, True
    if above is not None and (high is None or above <= high):
        high, open_high = above, True
    if whole:
        if low is not None:
            low = math.floor(low) + 1 if open_low else math.ceil(low)
        if high is not None:
            high = math.ceil(high) - 1 if open_high else math.floor(high)
        low, high = (x if x is not None and abs(x) < _INT_BOUND else None for x in (low, high))
        if default is not None:
            default = int(default) if abs(default) < _INT_BOUND else None
    elif default is not None and not is_number(default):
        default = None
    limits = {}
    if low is None or high is None or low <= high:
        pairs = (("minValue", low), ("maxValue", high))
        limits = {key: value for key, value in pairs if value is not None}
    return _Shape("INT" if whole else "FLOAT", ":", "SPIN_BOX", limits, default)


def _whole(value: Any) -> int | None:
    if not is_number(value) or value != int(value) or abs(value) >= _INT_BOUND:
        return None
    return int(value)


def _lines(default: Any) -> str | None:
    """A list of texts as lines; None if it is no such list, or lines cannot say it."""
    if not isinstance(default, list) or default == [""]:
        return None
    if not all(isinstance(one, str) and not re.search(r"[\r\n]", one) for one in default):
        return None
    text = "\n".join(default)
    return text if texts.is_value(text) else None


def _is_path(field: Field) -> bool:
    return field.schema.get("format") == "path" and "string" in field.types


def _sounds_like_path(field: Field) -> bool:
    """Whether it is likely one, in a schema of version 0.9, where none is marked as such."""
    words = texts.words(field.name)
    return bool(words) and words[-1] in _PATHS and field.types - {"null"} == {"string"}


def _is_default_path(path: str) -> bool:
    """Whether engines take it as the default of a PATH: below the template's folder."""
    for flavour in (PurePosixPath, PureWindowsPath):
        pure = flavour(path)
        if pure.is_absolute() or pure.anchor or ".." in pure.parts:
            return False
    return "://" not in path


def _path_facts(field: Field, roots: dict[str, bool]) -> tuple[str, str]:
    """The type of the object, and which way the data flow: as the schema says, or likely."""
    words = texts.words(field.name)
    ends = "".join(words)
    folder = bool(_FOLDERS & set(words)) or ends.endswith(("dir", "directory", "folder"))
    folder = folder or roots.get(field.name, False)
    written = bool(_WRITTEN & set(words)) or field.name in roots
    hints = field.hints
    object_type = hints.get("objectType")
    if object_type is None:
        object_type = (
            "DIRECTORY" if folder or hints.get("control") == "CHOOSE_DIRECTORY" else "FILE"
        )
    return object_type, hints.get("dataFlow", "OUT" if written else "IN")


def _path_control(_name: str, _type: str, object_type: str, data_flow: str) -> str:
    if object_type == "DIRECTORY":
        return "CHOOSE_DIRECTORY"
    return "CHOOSE_OUTPUT_FILE" if data_flow == "OUT" else "CHOOSE_INPUT_FILE"


def _extras(hints: dict[str, Any], shape: _Shape, control: str, field: Field) -> dict[str, Any]:
    """What belongs to one kind of control."""
    made: dict[str, Any] = {}
    if control in _FILE_CONTROLS:
        made = {key: hints[key] for key in ("fileFilters", "fileFilterDefault") if key in hints}
    elif control == "SPIN_BOX":
        # Of a FLOAT it means something else than multipleOf: a fraction, unless there are decimals.
        said = field.schema.get("multipleOf") if shape.type == "INT" else None
        step: Any = hints.get("singleStepDelta", said)
        if is_number(step) and 0 < step < _INT_BOUND and (shape.type == "FLOAT" or step % 1 == 0):
            made["singleStepDelta"] = int(step) if shape.type == "INT" else step
        if shape.type == "FLOAT" and "decimals" in hints:
            made["decimals"] = hints["decimals"]
    return made
