"""Finds the cause whose words a message has."""

from __future__ import annotations

import re
from functools import lru_cache

from .causes import ADAPTOR_ERROR, ADAPTOR_EXIT, OWN_MESSAGE, TABLE, Cause

_ENCOUNTERED = re.compile(
    r"Error encountered while (starting|running|stopping|cleaning up|canceling the) adaptor: (.*)",
    re.DOTALL,
)
_PLACEHOLDER = re.compile(r"…|\{(\w+)\}")
# Words are looked for in the beginning and the end of a long message.
_HEAD, _TAIL = 700, 300


def cause_of(message: str) -> tuple[Cause, dict[str, str]]:
    """The cause that a message tells of, and the texts for its placeholders.

    Args:
        message: what stands behind ``openjd_fail: ``.
    """
    met = _ENCOUNTERED.fullmatch(message)
    words = (met[2] if met is not None else message).strip()
    if len(words) > _HEAD + _TAIL:
        words = f"{words[:_HEAD]} […] {words[-_TAIL:]}"
    for regex, cause in _patterns():
        match = regex.fullmatch(words)
        if match is not None:
            return cause, match.groupdict()
    if met is None:
        return OWN_MESSAGE, {"message": words}
    if words == "SystemExit" or words.startswith("SystemExit:"):
        return ADAPTOR_EXIT, {}
    return ADAPTOR_ERROR, {"message": words}


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[re.Pattern[str], Cause]]:
    return [(_pattern(words), cause) for cause in TABLE for words in cause.words]


def _pattern(words: str) -> re.Pattern[str]:
    pieces, end = [], 0
    for match in _PLACEHOLDER.finditer(words):
        pieces.append(re.escape(words[end : match.start()]))
        pieces.append(f"(?P<{match[1]}>.+?)" if match[1] else ".*?")
        end = match.end()
    return re.compile("".join(pieces) + re.escape(words[end:]), re.DOTALL)


def filled(text: str, values: dict[str, str]) -> str:
    """The text of a cause, with what the message says in its placeholders."""
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], "…"), text)
