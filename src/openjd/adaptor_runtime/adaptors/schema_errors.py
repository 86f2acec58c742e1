"""The errors of JSON Schema in words, with what was probably meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .._suggestions import closest, suggestion

if TYPE_CHECKING:
    from jsonschema import ValidationError


def in_words(error: ValidationError) -> str:
    """The message of `error`, and for a name or value that is nearly right what it should be."""
    return error.message + _meant(error)


def _meant(error: Any) -> str:
    schema, given = error.schema, error.instance
    if error.validator == "enum" and isinstance(given, str):
        texts = [value for value in error.validator_value if isinstance(value, str)]
        meant = closest(given, texts)
        return f"; did you mean {meant!r}?" if meant is not None else ""
    if not isinstance(schema, dict) or not isinstance(given, dict):
        return ""
    if error.validator in ("additionalProperties", "unevaluatedProperties"):
        return _for_unexpected(schema, given)
    if error.validator == "required":
        for name in error.validator_value:
            if name not in given and error.message.startswith(repr(name)):
                meant = closest(name, _unexpected(schema, given))
                return f"; is {meant!r} meant to be it?" if meant is not None else ""
    return ""


def _for_unexpected(schema: dict[str, Any], given: dict[str, Any]) -> str:
    free = [name for name in schema.get("properties", {}) if name not in given]
    unexpected = _unexpected(schema, given)
    if len(unexpected) == 1:
        return suggestion(unexpected[0], free) if free else ""
    for name in unexpected:
        meant = closest(name, free)
        if meant is not None:
            return f"; did you mean {meant!r} by {name!r}?"
    return ""


def _unexpected(schema: dict[str, Any], given: dict[str, Any]) -> list[str]:
    """The properties that the schema says nothing of."""
    named = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    return [
        name
        for name in given
        if name not in named and not any(re.search(pattern, name) for pattern in patterns)
    ]
