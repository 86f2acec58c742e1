"""Notices on Linux and macOS that a path may be gone. The contract is in ``_platform/__init__``."""

from __future__ import annotations

import ctypes
import errno
import os
import select
import struct
import sys
import threading

TYPE_CHECKING = False  # as in the other modules of this folder
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

assert sys.platform != "win32"

if sys.platform == "darwin":
    _O_EVTONLY = 0x8000

    class PathWatch:
        def __init__(self, paths: Sequence[str], on_change: Callable[[], None]) -> None:
            self._on_change = on_change
            self._queue = select.kqueue()
            self._fds: list[int] = []
            self._wake, self._waker = os.pipe()
            try:
                for path in paths:
                    self._fds.append(os.open(path, _O_EVTONLY | os.O_CLOEXEC))
                    self._add(
                        self._fds[-1],
                        select.KQ_FILTER_VNODE,
                        select.KQ_NOTE_DELETE | select.KQ_NOTE_RENAME | select.KQ_NOTE_REVOKE,
                    )
                self._add(self._wake, select.KQ_FILTER_READ, 0)
            except OSError:
                self._let_go()
                raise
            self._thread = threading.Thread(target=self._watch, name="paths", daemon=True)
            self._thread.start()

        def _add(self, fd: int, kind: int, notes: int) -> None:
            flags = select.KQ_EV_ADD | select.KQ_EV_CLEAR
            self._queue.control([select.kevent(fd, kind, flags, notes)], 0)

        def _watch(self) -> None:
            while True:
                events = self._queue.control(None, 8, None)
                if any(event.ident == self._wake for event in events):
                    return
                self._on_change()

        def close(self) -> None:
            os.close(self._waker)
            if self._thread is not threading.current_thread():
                self._thread.join()
            self._waker = -1
            self._let_go()

        def _let_go(self) -> None:
            self._queue.close()
            for fd in (*self._fds, self._wake, self._waker):
                if fd >= 0:
                    os.close(fd)

else:
    _IN_ATTRIB, _IN_MOVED_FROM, _IN_DELETE = 0x4, 0x40, 0x200
    _IN_DELETE_SELF, _IN_MOVE_SELF = 0x400, 0x800
    # A file that is open goes on after its removal; its count of links tells.
    _ITSELF = _IN_DELETE_SELF | _IN_MOVE_SELF | _IN_ATTRIB
    # A folder that is somebody's working directory does so without telling; its parent tells.
    _FROM_PARENT = _IN_DELETE | _IN_MOVED_FROM
    _EVENT = struct.Struct("iIII")

    class PathWatch:
        def __init__(self, paths: Sequence[str], on_change: Callable[[], None]) -> None:
            self._on_change = on_change
            self._libc = ctypes.CDLL(None, use_errno=True)
            self._fd = self._libc.inotify_init1(os.O_CLOEXEC)
            if self._fd < 0:
                raise _error("inotify")
            #: Watched parent -> the names in it that matter.
            self._names: dict[int, set[bytes]] = {}
            try:
                for path in paths:
                    self._add(path, _ITSELF)
                    if os.path.isdir(path):
                        parent, name = os.path.split(os.path.realpath(path))
                        try:
                            watched = self._add(parent, _FROM_PARENT)
                        except OSError as e:
                            if e.errno != errno.EACCES:
                                raise
                        else:
                            self._names.setdefault(watched, set()).add(os.fsencode(name))
                self._wake, self._waker = os.pipe()
            except OSError:
                os.close(self._fd)
                raise
            self._thread = threading.Thread(target=self._watch, name="paths", daemon=True)
            self._thread.start()

        def _add(self, path: str, mask: int) -> int:
            watched: int = self._libc.inotify_add_watch(self._fd, os.fsencode(path), mask)
            if watched < 0:
                raise _error(path)
            return watched

        def _watch(self) -> None:
            poll = select.poll()
            poll.register(self._fd, select.POLLIN)
            poll.register(self._wake, select.POLLIN)
            while True:
                ready = [fd for fd, _ in poll.poll()]
                if self._wake in ready:
                    return
                if self._matters(os.read(self._fd, 65536)):
                    self._on_change()

        def _matters(self, data: bytes) -> bool:
            place = 0
            while place < len(data):
                watched, mask, _, length = _EVENT.unpack_from(data, place)
                place += _EVENT.size + length
                name = data[place - length : place].rstrip(b"\0")
                # Other things in the same folder come and go.
                if not mask & _FROM_PARENT or name in self._names.get(watched, ()):
                    return True
            return False

        def close(self) -> None:
            os.close(self._waker)
            if self._thread is not threading.current_thread():
                self._thread.join()
            os.close(self._wake)
            os.close(self._fd)

    def _error(path: str) -> OSError:
        number = ctypes.get_errno()
        return OSError(number, os.strerror(number), path)
