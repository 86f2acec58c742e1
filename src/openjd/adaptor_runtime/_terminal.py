"""What is printed for people: with colours or without, and in whatever encoding there is."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing itself costs a frontend more than this module
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

_RED, _PLAIN = "\x1b[1;31m", "\x1b[0m"


def wants_color(stream: TextIO | None, variables: Mapping[str, str] = os.environ) -> bool:
    """Whether what is written to `stream` may have colours. Whatever colours, asks this.

    In the order of Python's own help and tracebacks: PYTHON_COLORS is 1 or 0; NO_COLOR says no
    (https://no-color.org), FORCE_COLOR yes, TERM=dumb no; else a terminal has colours, and
    nothing else has. A variable that is empty counts as not set.
    """
    own = variables.get("PYTHON_COLORS")
    if own in ("0", "1"):
        return own == "1"
    if variables.get("NO_COLOR"):
        return False
    if variables.get("FORCE_COLOR"):
        return True
    if variables.get("TERM") == "dumb" or stream is None:
        return False
    try:
        fd = stream.fileno()
        if not os.isatty(fd):
            return False
    except (OSError, ValueError, AttributeError):
        return False
    from ._platform import shows_colors

    return shows_colors(fd)


def forgive() -> None:
    """From now on no text is too odd for stdout and stderr: what they lack becomes an escape.

    To be called by every command that prints. Consoles have code pages of 256 characters, and
    ``LC_ALL=C`` has 128; a character that they lack would end the command with a traceback.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        except (AttributeError, ValueError, OSError):
            pass  # Closed, or somebody's own.


def say_error(text: str) -> None:
    """Prints "ERROR: ..." to stderr; it does not matter whether anybody is there to read.

    Args:
        text: what is wrong, on one line.
    """
    word = "ERROR:"
    if wants_color(sys.stderr):
        word = f"{_RED}{word}{_PLAIN}"
    forgive()
    try:
        print(f"{word} {text}", file=sys.stderr, flush=True)
    except (OSError, ValueError, AttributeError):
        pass
