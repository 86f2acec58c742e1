"""A session's private folder: what lies in it, and the record of what the session has started.

The record says, for each process, its id and when it was started. Whoever comes after a session
that could not end its processes itself (the guardian, the next ``daemon stop`` or ``start``) ends
them by it, and never a process that has only the number of one of them.
"""

from __future__ import annotations

import _thread
import os

from . import _platform

TYPE_CHECKING = False  # typing itself costs a frontend more than all of this module
if TYPE_CHECKING:
    from collections.abc import Callable

#: Where the interpreter writes when it is brought down.
CRASH_FILE = "crash"
RECORD_FILE = "processes"
#: What a session keeps in its folder: where the daemon listens (not on Windows), the crash dump,
#: output that waits for a frontend, and the record.
FILES = ("socket", CRASH_FILE, "output", RECORD_FILE)
PREFIX = "openjd-"
#: The environment variable of applications, which what they start inherits: by its value a
#: process is found that has left its parents and its session.
TREE_VARIABLE = "OPENJD_ADAPTOR_TREE"

GUARDIAN, DAEMON, APPLICATION = "guardian", "daemon", "application"

# A line of the record is written in one piece, and in place.
_LINE = 64
# A record of more than so many processes is none of ours (bytes).
_MOST = 4 * 1024 * 1024
# How long the guardian may take to end the rest, after a daemon that ends (seconds).
_GUARDIAN_LIMIT = 30.0


class SessionFolder:
    """The private folder of a session, from its making to its removal.

    Args:
        path: the folder, made by ``_platform.make_private_folder``.

    Raises:
        OSError: nothing can be written into it.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = _thread.allocate_lock()
        self._free: list[int] = []
        self._lines = 0
        self._trees = 0
        self._closed = False
        self._record = _platform.private_opener(
            os.path.join(path, RECORD_FILE), os.O_WRONLY | os.O_CREAT | os.O_EXCL
        )

    def new_tree(self) -> str:
        """The value of TREE_VARIABLE for an application."""
        with self._lock:
            self._trees += 1
            return f"{os.path.basename(self.path)}.{self._trees}"

    def enter(self, kind: str, pid: int) -> int | None:
        """Records a process; returns what ``leave`` takes.

        None where that cannot be done: it has ended, or the disk is full. What is not recorded
        is still found by its mark.
        """
        try:
            started = _platform.start_time(pid)
        except OSError:
            return None
        line = f"{kind} {pid} {started}".encode()
        with self._lock:
            if self._closed:
                return None
            place = self._free.pop() if self._free else self._lines
            if not self._write(place, line):
                self._free.append(place)
                return None
            self._lines = max(self._lines, place + 1)
        return place

    def leave(self, place: int | None) -> None:
        """Takes a process out of the record: it has ended, with everything that it started."""
        with self._lock:
            if place is not None and not self._closed and self._write(place, b""):
                self._free.append(place)

    def _write(self, place: int, line: bytes) -> bool:
        try:
            os.lseek(self._record, place * _LINE, os.SEEK_SET)
            return os.write(self._record, line.ljust(_LINE - 1) + b"\n") == _LINE
        except OSError:
            return False

    def remove(self) -> None:
        """Removes the folder with what the session kept there. May be called twice."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            os.close(self._record)
        if self._trees:
            # What has left its parents and its session still has its mark.
            _platform.end_marked(f"{TREE_VARIABLE}={os.path.basename(self.path)}.")
        remove(self.path)


#: The folder of this process's session. A daemon has one from its beginning.
current: SessionFolder | None = None
# Makes the folder of a session in the foreground, when something first needs one.
_maker: Callable[[], SessionFolder] | None = None
_making = _thread.allocate_lock()


def get() -> SessionFolder | None:
    """The folder of this process's session, made where it has none yet; None outside of one.

    Raises:
        OSError: the temporary folder cannot be used.
    """
    global current, _maker
    with _making:
        if current is None and _maker is not None:
            maker, _maker = _maker, None
            current = maker()
        return current


def make_with(maker: Callable[[], SessionFolder]) -> None:
    """From now on ``get`` makes the folder so."""
    global _maker
    _maker = maker


def close() -> None:
    """The session of this process is over: removes its folder, if it has one."""
    global current, _maker
    folder, current, _maker = current, None, None
    if folder is not None:
        folder.remove()


def read(path: str) -> list[tuple[str, int, str]]:
    """What the record in the folder `path` says: kind, process id and start time.

    Empty where there is no record, or none of ours.
    """
    file = os.path.join(path, RECORD_FILE)
    try:
        if not is_ours(path):
            return []
        with open(file, "rb", opener=_platform.own_opener) as stream:
            lines = stream.read(_MOST).split(b"\n")
    except OSError:
        return []
    found = []
    for line in lines:
        fields = line.decode("utf-8", "replace").split()
        if len(fields) == 3 and fields[1].isascii() and fields[1].isdigit() and len(fields[1]) < 10:
            found.append((fields[0], int(fields[1]), fields[2]))
    return found


def bury(path: str) -> None:
    """Ends whatever lives of the session whose folder is `path`, and returns when it has ended.

    To be called when its daemon has ended, or cannot be reached any more. Its guardian, which
    knows better what there is, goes first.
    """
    record = read(path)
    for kind, pid, started in record:
        if kind == GUARDIAN and pid != os.getpid():
            _platform.await_process(pid, started, _GUARDIAN_LIMIT)
    for _, pid, started in record:
        if pid != os.getpid():
            _platform.end_process(pid, started)
    if record:
        _platform.end_marked(f"{TREE_VARIABLE}={os.path.basename(path)}.")


def is_ours(path: str) -> bool:
    """Whether the folder may be one of ours, whatever a file says.

    Another user may have made one where ours was, with links in it to what is ours.
    """
    try:
        return os.path.basename(path).startswith(PREFIX) and _platform.belongs_to_us(path)
    except OSError:
        return False


def remove(path: str, keep_crash: bool = False) -> None:
    """Removes a session's folder with what sessions keep there, and nothing else.

    Args:
        path: the folder; one whose name is not of the form of ours is left alone.
        keep_crash: leaves a crash dump, and the folder for it, to whoever asks how it ended.
    """
    if not is_ours(path):
        return
    try:
        # The folders of application servers that a killed daemon could not remove.
        inner = [os.path.join(path, name) for name in os.listdir(path) if name[:2] == "a-"]
        inner = [place for place in inner if _platform.belongs_to_us(place)]
    except OSError:
        return
    for place in (*inner, path):
        for name in FILES:
            file = os.path.join(place, name)
            try:
                if not (keep_crash and name == CRASH_FILE and os.path.getsize(file)):
                    os.unlink(file)
            except OSError:
                pass
        try:
            os.rmdir(place)
        except OSError:
            pass
