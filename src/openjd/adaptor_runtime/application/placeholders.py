"""Texts and argument lists with ``{placeholders}``, checked when read, filled for each task.

No more of a template language than this: a name, and a format specification for it. What is
filled in is never looked at again, so no value can become two arguments, or an option of a shell.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .._suggestions import suggestion
from .._text import one_line

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
# A value of each type of JSON that can have a format specification.
_SAMPLES: dict[str, Any] = {"string": "", "integer": 0, "number": 0.5}
# Of the width and the precision of a format: more would be memory, not digits.
_WIDEST = 999
_ALL_TYPES = frozenset({*_SAMPLES, "boolean", "array", "object", "null"})


class Field(NamedTuple):
    """What is known beforehand of a value."""

    #: The types of JSON Schema that it can have.
    types: frozenset[str] = _ALL_TYPES
    #: Whether it may be left out, or be null.
    optional: bool = False


class Text:
    """A text with placeholders: ``{name}`` or ``{name:04d}``; ``{{`` and ``}}`` stand for braces.

    Args:
        text: the text.
        fields: the names that it may use.
        place: where it stands, for messages.

    Raises:
        ValueError: a placeholder is not written as it must be, or there is no such field, or its
            format does not suit it.
    """

    def __init__(self, text: str, fields: Mapping[str, Field], place: str) -> None:
        self.place = place
        # Literal texts, and names with their format specifications.
        self._parts: list[str | tuple[str, str]] = []
        at = 0
        for token in _TOKEN.finditer(text):
            self._parts.append(text[at : token.start()])
            at = token.end()
            if token[0] in ("{{", "}}"):
                self._parts.append(token[0][0])
            elif token[1] is None:
                raise _error(
                    f"{place}: in {text!r} a brace stands alone; write {token[0] * 2} for a "
                    f"{token[0]}, and {{name}} for the value of a field"
                )
            else:
                self._parts.append(_placeholder(token[1], fields, f"{place}: in {text!r}, "))
        self._parts = [part for part in [*self._parts, text[at:]] if part]
        self.names = [part[0] for part in self._parts if isinstance(part, tuple)]
        #: Whether it is nothing but one placeholder, whose value may be a list then.
        self._alone = len(self._parts) == 1 and self.names != [] and self._parts[0][1] == ""
        for name in self.names:
            types = fields[name].types
            usable = {*_SAMPLES, "boolean", *(["array"] if self._alone else [])}
            if not types & usable:
                raise _error(
                    f"{place}: in {text!r}, the field {name} is of type {_listed(types)}, which "
                    + ("is no text" if "array" not in types else "can only stand alone")
                )

    def fill(self, values: Mapping[str, Any]) -> str | None:
        """The text with the values in the places of their names; None where one has no value.

        Raises:
            ValueError: a value cannot be shown as text.
        """
        if any(values.get(name) is None for name in self.names):
            return None
        return self._usable(
            "".join(
                part if isinstance(part, str) else self._shown(values[part[0]], *part)
                for part in self._parts
            )
        )

    def words(self, values: Mapping[str, Any]) -> list[str] | None:
        """The arguments that it makes: one, or those of a list that stands alone.

        Raises:
            ValueError: a value cannot be shown as text.
        """
        value = values.get(self.names[0]) if self._alone else None
        if not isinstance(value, list):
            text = self.fill(values)
            return None if text is None else [text]
        return [self._usable(self._shown(one, self.names[0], "")) for one in value]

    @property
    def root(self) -> tuple[str, bool] | None:
        """As a path: the field that is all of it, or (True) the folder that it begins with."""
        if self._alone:
            return self.names[0], False
        first, second = self._parts[:2] if len(self._parts) > 1 else ("", "")
        if isinstance(first, tuple) and isinstance(second, str) and second[0] in "/\\":
            return first[0], True
        return None

    def _shown(self, value: Any, name: str, specification: str) -> str:
        if isinstance(value, bool) and not specification:
            return "true" if value else "false"
        if isinstance(value, float) and not math.isfinite(value):
            raise _error(f"{self.place}: the field {name} is {value}, which is no number")
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            kind = "null" if value is None else json_type(value)
            raise _error(f"{self.place}: the field {name} is {kind}, which cannot be put there")
        if not specification:
            return value if isinstance(value, str) else json.dumps(value)
        if isinstance(value, float) and value.is_integer() and specification[-1] in "bcdoxX":
            value = int(value)  # To JSON Schema 3.0 is an integer.
        try:
            return format(value, specification)
        except (ValueError, OverflowError) as e:
            raise _error(
                f"{self.place}: the field {name} is {value!r}, which the format "
                f"{specification!r} does not suit: {e}"
            ) from None

    def _usable(self, text: str) -> str:
        # What the system would refuse with words that do not say which value it means.
        try:
            if "\0" not in os.fsdecode(os.fsencode(text)):
                return text
        except UnicodeEncodeError:
            pass
        raise _error(f"{self.place}: {text!r} has a character that no argument can have")


class Arguments:
    """A list of arguments: texts with placeholders, and lists that may be left out.

    - ``"{name}"`` alone becomes several arguments if the value is a list.
    - A list within the list is left out as a whole if a placeholder in it has no value.
    - ``{"if": "name", "args": [...]}`` is such a list, and left out also unless the field is true.

    Args:
        elements: as they were read.
        fields: the names that may be used.
        place: where it stands, for messages.

    Raises:
        ValueError: an element is not valid.
    """

    def __init__(
        self,
        elements: Any,
        fields: Mapping[str, Field],
        place: str,
        *,
        condition: str | None = None,
        optional: bool = False,
    ) -> None:
        if not isinstance(elements, list):
            raise _error(f"{place}: a list is expected, not {json_type(elements)}")
        self._condition = condition
        self._optional = optional
        self._elements: list[Text | Arguments] = []
        for number, element in enumerate(elements, start=1):
            self._elements.append(self._read(element, fields, f"{place}, element {number}"))

    def _read(self, element: Any, fields: Mapping[str, Field], place: str) -> Text | Arguments:
        if isinstance(element, list):
            return Arguments(element, fields, place, optional=True)
        if isinstance(element, dict):
            check_keys(element, {"if", "args"}, place, needed=("if", "args"))
            name = element["if"]
            if not isinstance(name, str):
                raise _error(f"{place}, if: the name of a field is expected")
            _check_name(name, fields, f"{place}, if: ")
            if "boolean" not in fields[name].types:
                raise _error(
                    f"{place}, if: the field {name} is of type {_listed(fields[name].types)}, "
                    'which is never true; it must have type = "boolean"'
                )
            return Arguments(element["args"], fields, place, condition=name, optional=True)
        if not isinstance(element, str):
            raise _error(
                f"{place}: a text is expected, or a list, not {json_type(element)}; "
                "write numbers as texts"
            )
        text = Text(element, fields, place)
        left_out = [name for name in text.names if fields[name].optional]
        if left_out and not self._optional:
            raise _error(
                f"{place}: the field {left_out[0]} may have no value; put this into a list of its "
                f"own, which is left out then: [{json.dumps(element)}]"
            )
        return text

    @property
    def roots(self) -> dict[str, bool]:
        """As paths: the fields that they begin with, and whether as a folder."""
        found: dict[str, bool] = {}
        for element in self._elements:
            roots = element.roots if isinstance(element, Arguments) else {}
            if isinstance(element, Text) and element.root is not None:
                roots = {element.root[0]: element.root[1]}
            found = {**roots, **found}
        return found

    def expand(self, values: Mapping[str, Any]) -> list[str]:
        """The arguments.

        Raises:
            ValueError: a value cannot be an argument.
        """
        if self._condition is not None and values.get(self._condition) is not True:
            return []
        expanded: list[str] = []
        for element in self._elements:
            if isinstance(element, Arguments):
                expanded += element.expand(values)
                continue
            words = element.words(values)
            if words is None:
                if self._optional:
                    return []
                missing = next(name for name in element.names if values.get(name) is None)
                raise _error(f"{element.place}: the field {missing} has no value")
            expanded += words
        return expanded


def check_keys(
    table: Mapping[str, Any], known: Iterable[str], place: str, needed: Iterable[str] = ()
) -> None:
    """Whether a table has known keys alone, and those that it needs.

    Raises:
        ValueError: it does not.
    """
    known = sorted(known)
    at = f"{place}: " if place else ""
    for key in table:
        if key not in known:
            raise _error(f"{at}there is no key {key!r}{suggestion(key, known)}")
    for key in needed:
        if key not in table:
            raise _error(f"{at}the key {key!r} is missing")


def json_type(value: Any) -> str:
    """What a value is, in words."""
    if isinstance(value, bool):
        return "true or false"
    words = {str: "a text", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return words.get(type(value), f"a {type(value).__name__}")


def _placeholder(content: str, fields: Mapping[str, Field], at: str) -> tuple[str, str]:
    """Its name and format specification."""
    name, _, specification = content.partition(":")
    for sign, what in ((".", "attributes"), ("[", "indexes"), ("!", "conversions")):
        if sign in name:
            raise _error(
                f"{at}the placeholder {{{content}}} is not valid: there are no {what}, only "
                "{name} and {name:format}"
            )
    _check_name(name, fields, at)
    if specification:
        if any(len(size) > 20 or int(size) > _WIDEST for size in re.findall(r"\d+", specification)):
            raise _error(
                f"{at}the format {specification!r} has a width or precision above {_WIDEST}"
            )
        suited = fields[name].types & set(_SAMPLES)
        if not any(_suits(specification, _SAMPLES[kind]) for kind in suited):
            raise _error(
                f"{at}the format {specification!r} does not suit the field {name} of type "
                f"{_listed(fields[name].types)}"
            )
    return name, specification


def _error(message: str) -> ValueError:
    return ValueError(one_line(message))


def _check_name(name: str, fields: Mapping[str, Field], at: str) -> None:
    if name not in fields:
        raise _error(f"{at}there is no field {name!r}{suggestion(name, fields)}")


def _suits(specification: str, sample: Any) -> bool:
    try:
        format(sample, specification)
    except (ValueError, OverflowError):
        return False
    return True


def _listed(types: Iterable[str]) -> str:
    return " or ".join(sorted(types)) or "nothing"
