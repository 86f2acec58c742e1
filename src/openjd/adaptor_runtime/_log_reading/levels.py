"""What stands in front of a line, and says where it comes from."""

from __future__ import annotations

import re

_LEVEL = re.compile(r"(DEBUG|INFO|WARNING|ERROR|CRITICAL|STDOUT|STDERR): ?")
_MESSAGE = re.compile(r"openjd_(?:progress|status|fail): ")
_DAEMON = "ADAPTOR_OUTPUT: "


def split_level(line: str) -> tuple[str, str]:
    """The level of a line, and what it says.

    ``message`` is the level of what is for the scheduler, "" that of what has none.
    """
    if line.startswith(_DAEMON):
        line = line[len(_DAEMON) :]
        if line.startswith("openjd_"):
            # Behind a prefix it is no message.
            return "", line
    if line.startswith("openjd_"):
        return ("message" if _MESSAGE.match(line) else ""), line
    match = _LEVEL.match(line)
    if match is None:
        return "", line
    return match[1], line[match.end() :]
