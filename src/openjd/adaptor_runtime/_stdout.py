"""Whole lines to the standard output of a command, from any of its threads."""

from __future__ import annotations

import _thread
import os

from ._platform import takes_bytes_now

# Longer writes than a pipe takes at once are torn apart by those of other threads.
_lock = _thread.allocate_lock()


def write(fd: int, data: bytes) -> None:
    """Writes all of `data`; blocks while nobody reads.

    Raises:
        OSError: nobody will.
    """
    with _lock:
        _write(fd, data)


def write_unless_blocked(fd: int, data: bytes) -> bool:
    """Writes a short line if that needs no waiting, and says whether it did.

    Raises:
        OSError: nobody reads any more.
    """
    if not _lock.acquire(False):
        return False
    try:
        if not takes_bytes_now(fd):
            return False
        _write(fd, data)
        return True
    finally:
        _lock.release()


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
