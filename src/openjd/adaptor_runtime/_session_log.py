"""The session log: the records of a session, appended to a file as JSON lines.

docs/watching-a-session.md shows the kinds of records. The file holds what an application printed,
so it is private to its owner; what goes wrong with it is told once and never fails a task.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from json.encoder import encode_basestring_ascii
from typing import Any

from . import _platform

#: The environment variable that names the file; it goes before the setting ``session_log``.
VARIABLE = "OPENJD_ADAPTOR_SESSION_LOG"

_encode = json.JSONEncoder(separators=(",", ":")).encode
# What waits for the disk (bytes), and for how long the end of a session does (seconds).
_MOST_WAITING = 32 * 1024 * 1024
_CLOSE_LIMIT = 5.0
# It stands in no JSON text as itself.
_PLACEHOLDER = "\0"


class SessionLog:
    """A file that records are appended to, by a thread: no disk holds up a session.

    Args:
        path: the file; or a folder, in which a file with a name of its own is made.
        name: of the adaptor, for that.
        warn: called, once, with one line that says why nothing (more) is written.
    """

    #: The time for a record of its own.
    clock: Callable[[], float] = staticmethod(time.time)

    def __init__(self, path: str, name: str, warn: Callable[[str], object]) -> None:
        self._warn = warn
        self._changed = threading.Condition()
        self._waiting: deque[bytes | Callable[[], bytes]] = deque()
        self._waiting_size = 0
        self._dropped = 0
        self._closed = False
        self._ended = False
        self.path = os.path.abspath(os.path.expanduser(path))
        try:
            if os.path.isdir(self.path):
                stamp = time.strftime("%Y%m%d-%H%M%S")
                self.path = os.path.join(self.path, f"{name}-{stamp}-{os.getpid()}.jsonl")
            self._fd = _platform.open_to_append(self.path)
            threading.Thread(target=self._work, name="session log", daemon=True).start()
        except (OSError, ValueError, RuntimeError, MemoryError) as e:
            self._give_up(e)

    @property
    def is_open(self) -> bool:
        """Whether what is put here goes into the file."""
        return not self._closed

    def put(self, data: bytes | Callable[[], bytes]) -> None:
        """Has whole lines appended, or those that a function returns; never waits."""
        size = len(data) if isinstance(data, bytes) else 0
        with self._changed:
            if self._closed:
                return
            if self._waiting_size + size > _MOST_WAITING:
                # The disk does not keep up, or does not answer at all.
                self._dropped += size
                return
            self._waiting.append(data)
            self._waiting_size += size
            self._changed.notify_all()

    def close(self, limit: float = _CLOSE_LIMIT) -> None:
        """Closes the file once all is written. May be called twice.

        Args:
            limit: after so many seconds a disk that does not answer is waited for no longer.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._ended, limit)

    def _work(self) -> None:
        try:
            while (taken := self._take()) is not None:
                for data in taken:
                    view = memoryview(data if isinstance(data, bytes) else data())
                    while view:
                        view = view[os.write(self._fd, view) :]
            os.close(self._fd)
        except (OSError, MemoryError) as e:
            self._give_up(e)
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _take(self) -> list[bytes | Callable[[], bytes]] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if not self._waiting:
                return None
            taken = list(self._waiting)
            if self._dropped:
                taken.append(record(self.clock(), "dropped", {"bytes": self._dropped}))
            self._waiting.clear()
            self._waiting_size = self._dropped = 0
        return taken

    def _give_up(self, error: Exception) -> None:
        with self._changed:
            self._closed = self._ended = True
            self._waiting.clear()
            self._changed.notify_all()
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        self._warn(
            f"the session log {' '.join(self.path.split())} cannot be written ({reason}); "
            "the session goes on without it"
        )


def wanted_path(setting: str) -> str:
    """Where the session log is to be; "" for none.

    Args:
        setting: the runtime's setting ``session_log``.
    """
    return os.environ.get(VARIABLE) or setting


def record(t: float, kind: str, fields: Mapping[str, Any]) -> bytes:
    """A record as a line of the file."""
    return (_encode({"t": round(t, 4), "kind": kind, **fields}) + "\n").encode("ascii")


def lines(t: float, block: str, prefix: str) -> bytes:
    r"""The records of whole lines, each ending in ``\n``, without `prefix` where they have it."""
    # The block is quoted as a whole and cut afterwards: nothing here is done line by line.
    begin = f'{{"t":{round(t, 4)},"kind":"line","text":"'
    between = f'"}}\n{begin}'
    text = encode_basestring_ascii(block[:-1])[1:-1]
    # A backslash of the text's own is two by now; "\n" behind one would look like a line's end.
    escaped = "\\" in block
    if escaped:
        text = text.replace("\\\\", _PLACEHOLDER)
    if prefix:
        text = text[len(prefix) :] if text.startswith(prefix) else text
        text = text.replace("\\n" + prefix, between)
    if text.count("\n") < block.count("\n") - 1:
        # Messages, or what the adaptor printed.
        text = text.replace("\\n", between)
    if escaped:
        text = text.replace(_PLACEHOLDER, "\\\\")
    return f'{begin}{text}"}}\n'.encode("ascii")
