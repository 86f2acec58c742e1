"""What is printed for people: with colours or without, and in whatever encoding there is."""

from __future__ import annotations

import os
import re
import sys

TYPE_CHECKING = False  # typing itself costs a frontend more than this module
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

_FORGIVING = "openjd-forgiving"
_RED, _PLAIN = "\x1b[1;31m", "\x1b[0m"
# What would not be seen, or would change what is seen around it.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
#: Colours and cursor movements of terminals.
_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")


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


def visible(text: str) -> str:
    """Text of others as it may be shown: nothing in it hides, or commands a terminal.

    Line ends and tabs stay.
    """
    if "\x1b" in text:
        text = _SEQUENCE.sub("", text)
    return _UNSEEN.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 256:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def forgive() -> None:
    """From now on no text is too odd for stdout and stderr: what they lack becomes an escape.

    To be called by every command that prints. Consoles have code pages of 256 characters, and
    ``LC_ALL=C`` has 128; a character that they lack would end the command with a traceback.
    File names that the locale could not decode come out as they are on disk.
    """
    import codecs

    codecs.register_error(_FORGIVING, _as_it_is_or_escaped)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.reconfigure(errors=_FORGIVING)  # type: ignore[union-attr]
        except (AttributeError, ValueError, OSError):
            pass  # Closed, or somebody's own.


def _as_it_is_or_escaped(error: UnicodeError) -> tuple[bytes, int]:
    """An error handler for ``codecs``."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    pieces = []
    from_disk = sys.getfilesystemencodeerrors() == "surrogateescape"
    for character in error.object[error.start : error.end]:
        code = ord(character)
        if from_disk and 0xDC80 <= code <= 0xDCFF:
            pieces.append(bytes([code - 0xDC00]))
        else:
            pieces.append(character.encode("ascii", "backslashreplace"))
    return b"".join(pieces), error.end


def say(text: str, end: str = "\n") -> None:
    """Prints what a command was asked for; it does not matter whether somebody reads to the end.

    Raises:
        OSError: it cannot be written: the disk is full, say.
    """
    try:
        print(text, end=end, flush=True)
    except BrokenPipeError:
        # Such as `| head`. Nor shall the interpreter complain at its end.
        sys.stdout = None


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
