"""Texts as Open Job Description allows them: names, labels, descriptions, values."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection
from typing import Any

# Template Schemas 2023-09: what each kind of text may have, and how much of it.
LONGEST_VALUE = 1024
LONGEST_NAME = 64
_LONGEST_LABEL = 64
_LONGEST_DESCRIPTION = 2048
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_CONTROL_BUT_BREAKS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]+")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def words(name: str) -> list[str]:
    """The words of a name, in lower case: ``output_dir``, ``outputDir`` are output and dir."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return [word.lower() for word in _WORD.findall(ascii_name)]


def identifier(name: str, taken: Collection[str]) -> str:
    """A name that Open Job Description allows, like this one, and not yet taken.

    Args:
        name: any text.
        taken: names that there are.
    """
    made = "".join(word[:1].upper() + word[1:] for word in words(name))[:LONGEST_NAME]
    if not made or made[0].isdigit():
        made = f"Field{made}"[:LONGEST_NAME]
    lower = {each.lower() for each in taken}
    candidate, number = made, 2
    while candidate.lower() in lower:
        suffix = str(number)
        candidate = made[: LONGEST_NAME - len(suffix)] + suffix
        number += 1
    return candidate


def label(text: Any) -> str | None:
    """`text` as the label of a control; None if nothing of it is left."""
    if not isinstance(text, str):
        return None
    return _cut(_CONTROL.sub(" ", _valid(text)).strip(), _LONGEST_LABEL) or None


def description(*texts: Any) -> str | None:
    """The texts one after the other, as a description; None if nothing of them is left."""
    said = [text.strip() for text in texts if isinstance(text, str) and text.strip()]
    said = [text if text[-1] in ".!?:;" else f"{text}." for text in said[:-1]] + said[-1:]
    return _cut(_CONTROL_BUT_BREAKS.sub("", _valid(" ".join(said))), _LONGEST_DESCRIPTION) or None


def is_value(text: str) -> bool:
    """Whether a parameter's value can be this: of a length that is allowed, and an argument."""
    return len(text) <= LONGEST_VALUE and "\0" not in text and not _SURROGATES.search(text)


def json_text(value: Any) -> str | None:
    """`value` as JSON for people; None if it is none."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError):
        return None


def json_argument(value: Any) -> str | None:
    """`value` as JSON in which no two braces stand together, as they would mean an expression."""
    try:
        text = json.dumps(value, allow_nan=False)
    except (ValueError, TypeError):
        return None

    def apart(match: re.Match[str]) -> str:
        token = match[0]
        if len(token) == 1:
            return f" {token} "
        escaped = token.replace("{", "\\u007b").replace("}", "\\u007d")
        return escaped.replace("\x7f", "\\u007f")

    return re.sub(r'"(?:[^"\\]|\\.)*"|[{}]', apart, text).strip()


def is_argument(text: str) -> bool:
    """Whether it can stand in an argument of a template as it is."""
    return not (_CONTROL.search(text) or _SURROGATES.search(text) or "{{" in text or "}}" in text)


def _valid(text: str) -> str:
    return _SURROGATES.sub("\ufffd", text)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"
