"""Data in fields, each an argument of its own: texts that need no quoting, whatever is in them.

A job template fills values in as text. In JSON or YAML a quote, a backslash or a line break of a
value would be read as a part of the notation; as an argument it is what it is.
"""

from __future__ import annotations

import json
import re

from ._data import DataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

#: NAME, then how the text is meant, then ``=``. What the template's author wrote comes first, so
#: nothing in a value is ever taken for a mark.
_FIELD = re.compile(r"([^=]*?)(\?)?(:|\[\])?=(.*)", re.DOTALL)
# What people and engines write for numbers, and JSON does not know: +5, 007, .5, 2.
_NUMBER = re.compile(r"([+-]?)(?=\.?\d)0*(\d*)(?:\.(\d*))?((?:[eE][+-]?\d+)?)", re.ASCII)


def read_fields(fields: Iterable[str], option: str) -> dict[str, Any]:
    """The data that fields make.

    Args:
        fields: each ``NAME=TEXT``, a text as it is; ``NAME:=JSON``, or a number as people write
            it; ``NAME[]=LINES``, a list with a text for each line. With a ``?`` behind its name
            (``NAME?=TEXT``, ``NAME?:=JSON``, ``NAME?[]=LINES``) a field whose value is empty is
            left out.
        option: where they come from, for instance ``--init-field``.

    Raises:
        DataError: one of them is no field, is not JSON, or is there twice.
    """
    data: dict[str, Any] = {}
    for field in fields:
        match = _FIELD.fullmatch(field)
        if match is None or not match[1]:
            raise DataError(f"{option} {_shown(field)}: expected NAME=TEXT or NAME:=JSON")
        name, optional, kind, text = match.groups()
        if name in data:
            raise DataError(f"{option} {_shown(name)}: there are two of this name")
        if optional and not text:
            continue
        if kind is None:
            data[name] = text
        elif kind == ":":
            data[name] = _value(text, name, option)
        else:
            data[name] = re.split(r"\r\n|\r|\n", text) if text else []
    return data


def with_fields(text: tuple[str, str], fields: Iterable[str], option: str) -> tuple[str, str]:
    """The text of data in which fields take the place of those of the same names.

    Args:
        text: JSON or YAML, and what to call it in messages.
        fields: see ``read_fields``.
        option: see ``read_fields``.

    Raises:
        DataError: see ``read_fields``; or the text cannot be read.
    """
    data = read_fields(fields, option)
    if text[0] != "{}":
        from ._data import parse

        data = {**parse(*text), **data}
    return json.dumps(data), text[1]


def _value(text: str, name: str, option: str) -> Any:
    number = _NUMBER.fullmatch(text.strip())
    if number is not None:
        sign, whole, fraction, exponent = number.groups()
        point = f".{fraction}" if fraction else ""
        text = f"{sign.replace('+', '')}{whole or '0'}{point}{exponent}"
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as e:
        reason = "it is nested too deeply" if isinstance(e, RecursionError) else str(e)
        raise DataError(f"{option} {_shown(name)}: {_shown(text)} is no JSON: {reason}") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number that JSON knows")


def _shown(text: str) -> str:
    from ._text import one_line

    return repr(one_line(text, 100))
