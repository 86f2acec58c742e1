"""Writes a script's data as TOML, which the standard library can only read."""

from __future__ import annotations

import json
import re
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def dumps(whole: dict[str, Any]) -> str:
    """The data as TOML: its lists of tables are written as such, with a line for each step.

    Raises:
        ValueError: there is a null in it, or half of a surrogate pair.
    """
    lines = [f"{_key(k)} = {_value(v)}" for k, v in whole.items() if not _tables(v)]
    for name, value in whole.items():
        for table in value if _tables(value) else ():
            lines += ["", f"[[{_key(name)}]]"]
            for key, item in table.items():
                if _tables(item):
                    lines.append(f"{_key(key)} = [")
                    lines += [f"    {_step(one)}," for one in item]
                    lines.append("]")
                else:
                    lines.append(f"{_key(key)} = {_value(item)}")
    return "\n".join(lines) + "\n"


def _step(step: dict[str, Any]) -> str:
    """A step on one line; the lines of a text on one each."""
    pairs = []
    for key, value in step.items():
        text = _value(value)
        if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
            text = "\n".join(["[", *(f"        {_text(one)}," for one in value), "    ]"])
        pairs.append(f"{_key(key)} = {text}")
    return f"{{ {', '.join(pairs)} }}"


def _tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(str(k))} = {_value(v)}" for k, v in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if value is None:
        raise ValueError("there is a null in it")
    if type(value) is int and not -(1 << 63) <= value < 1 << 63:
        raise ValueError(f"{value} is beyond its integers")
    # Booleans and numbers look the same in JSON.
    return json.dumps(value, allow_nan=False)


def _text(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("there is half of a surrogate pair in it") from None
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
