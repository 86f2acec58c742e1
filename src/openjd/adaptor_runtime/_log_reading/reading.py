"""Opens a log and finds out what it is."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from itertools import chain, islice
from typing import BinaryIO

from . import journal, printed, stamps
from .model import Log
from .texts import NotText, Text

#: Lines that say what kind of log it is.
_HEAD = 60
_STDIN = "-"


class LogError(Exception):
    """A log cannot be read; the message says which, why, and what to do."""


def read(path: str) -> Log:
    """Reads a log.

    Args:
        path: of a file; ``-`` is what comes in by stdin.

    Raises:
        LogError: it cannot be read, or is no log.
    """
    name = "stdin" if path == _STDIN else path
    try:
        if path == _STDIN:
            return _read(sys.stdin.buffer, name)
        if os.path.isdir(path):
            raise LogError(f"{path} is a folder; name a log in it")
        with open(path, "rb") as file:
            return _read(file, path)
    except NotText as e:
        raise LogError(f"the log {name} {e}") from e
    except (OSError, ValueError) as e:
        # A path with a null character is a ValueError.
        reason = getattr(e, "strerror", None) or e
        raise LogError(f"the log {name} cannot be read: {reason}") from e


def _read(stream: BinaryIO, name: str) -> Log:
    log = Log(name)
    text = Text(stream)
    lines = iter(text)
    head = list(islice(lines, _HEAD))
    if not head:
        raise NotText("is empty")
    written = [line for line in head if line.strip()]
    if not written:
        if next((line for line in lines if line.strip()), None) is None:
            raise NotText("has no line with anything in it")
        raise NotText(f"begins with more than {_HEAD} empty lines")
    everything: Iterator[str] = chain(head, lines)
    if journal.is_record(written[0]) or (
        len(written) > 1 and written[0].startswith("{") and journal.is_record(written[1])
    ):
        journal.read(everything, log)
    else:
        printed.read(everything, log, stamps.form_of(head))
    if text.cut:
        log.notes.append(f"{text.cut:,} lines are too long, and were cut")
    return log
