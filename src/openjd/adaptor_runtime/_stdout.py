"""Whole lines to the standard output of a command, from any of its threads."""

from __future__ import annotations

import _thread
import os

from ._platform import takes_bytes_now

TYPE_CHECKING = False  # typing itself costs a frontend more than all of this module
if TYPE_CHECKING:
    from ._screen import Screen

# Longer writes than a pipe takes at once are torn apart by those of other threads.
_lock = _thread.allocate_lock()
# How long the end of a command waits for what is being written to a terminal (seconds).
_LOCK_LIMIT = 2.0
# What takes the lines while a terminal shows the progress of a task.
_screen: Screen | None = None


class Progress:
    """While this is entered, a terminal at `fd` shows a task's progress below what is written.

    Anything else at `fd` gets what is written, byte by byte.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def __enter__(self) -> None:
        global _screen
        if os.isatty(self._fd):
            # Nobody waits for a command at a terminal as a scheduler does.
            from ._screen import open_screen

            _screen = open_screen(self._fd)

    def __exit__(self, *exception: object) -> None:
        end_progress()


def end_progress() -> None:
    """Takes the bar away, if there is one."""
    global _screen
    if _screen is None or not _lock.acquire(True, _LOCK_LIMIT):
        return  # A terminal that was told to stop (Ctrl-S) does not keep a command.
    try:
        screen, _screen = _screen, None
        if screen is not None:
            screen.close()
    finally:
        _lock.release()


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
    if _screen is not None:
        _screen.show(data)
        return
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
