"""The processes of this system, on Linux and macOS: who they are, whose children, and their end.

A process id alone is nobody's name: it is given away again. Here it stands with the time at which
its process was started, and nothing is killed that does not have both.
"""

from __future__ import annotations

import errno
import os
import signal
import sys

TYPE_CHECKING = False  # typing itself costs a frontend more than all of this module
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

assert sys.platform != "win32"

# A process may start others while its tree is being killed; those that do so for ever are left
# to whoever looks after the whole session (rounds).
_MOST_ROUNDS = 20
# How long a process that was killed may take to end (seconds): no time, unless the system itself
# waits for something on its behalf.
_END_LIMIT = 10.0


class Process:
    """A process as it was when it was looked at."""

    __slots__ = ("ended", "parent", "pid", "session", "started")

    def __init__(
        self, pid: int, parent: int, session: int, started: str, ended: bool = False
    ) -> None:
        self.pid = pid
        #: The process id of its parent.
        self.parent = parent
        #: Its session (its process group on macOS).
        self.session = session
        #: When it was started, as an opaque text.
        self.started = started
        #: Whether it has ended already, and holds nothing but its number for its parent.
        self.ended = ended

    def lives(self) -> bool:
        """Whether it is still there, and is still itself."""
        now = look(self.pid)
        return now is not None and now.started == self.started and not now.ended


def start_time(pid: int) -> str:
    process = look(pid)
    if process is None or process.ended:
        raise ProcessLookupError(f"there is no process {pid}")
    return process.started


def end_process(pid: int, started: str, mark: str = "") -> bool:
    process = look(pid)
    was_there = process is not None and process.started == started and not process.ended
    end_trees([process] if process is not None and was_there else [], mark)
    if was_there:
        await_end(pid, started, _END_LIMIT)
    return was_there


def end_trees(roots: Iterable[Process], mark: str = "") -> None:
    """Kills these processes, those of their sessions, their descendants, and those with `mark`.

    A mark is the beginning of an entry in a process's environment. It finds those whose parents
    are gone, and that have left their sessions.
    """
    wanted = {root.pid: root for root in roots}
    killed: set[tuple[int, str]] = set()
    own = os.getpid()
    for _ in range(_MOST_ROUNDS):
        processes = {process.pid: process for process in everybody()}
        if mark:
            for process in marked(mark, processes.values()):
                wanted[process.pid] = process
        # What was killed in an earlier round may be gone by now, but not given its number away
        # to a leader or a parent of others in the meantime.
        sure = {
            pid
            for pid, process in wanted.items()
            if (pid in processes and processes[pid].started == process.started)
            or (pid not in processes and (pid, process.started) in killed)
        }
        for process in processes.values():
            if process.session in sure:
                wanted[process.pid] = process
                sure.add(process.pid)
        for process in _below(sure, processes):
            wanted[process.pid] = process
        new = [p for p in wanted.values() if (p.pid, p.started) not in killed and p.pid != own]
        if not new:
            return
        for process in new:
            signal_process(process, signal.SIGKILL)
            killed.add((process.pid, process.started))


def _below(roots: Iterable[int], processes: dict[int, Process]) -> list[Process]:
    """Their descendants."""
    children: dict[int, list[Process]] = {}
    for process in processes.values():
        children.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    seen = set(roots)
    queue = list(seen)
    while queue:
        for child in children.get(queue.pop(), ()):
            if child.pid not in seen:
                seen.add(child.pid)
                queue.append(child.pid)
                found.append(child)
    return found


def descendants(pid: int) -> list[Process]:
    """The processes below `pid` that have not ended."""
    processes = {process.pid: process for process in everybody()}
    return [process for process in _below([pid], processes) if not process.ended]


def signal_process(process: Process, signum: int) -> None:
    """Sends a signal to exactly this process, if it still lives."""
    if sys.platform == "linux" and hasattr(os, "pidfd_open"):
        try:
            fd = os.pidfd_open(process.pid)
        except OSError as e:
            if e.errno == errno.ESRCH:
                return
        else:
            try:
                # What the descriptor holds cannot change any more.
                if process.lives():
                    signal.pidfd_send_signal(fd, signum)
            except OSError:
                pass  # It has ended, or is not ours.
            finally:
                os.close(fd)
            return
    if process.lives():
        try:
            os.kill(process.pid, signum)
        except OSError:
            pass


def await_end(pid: int, started: str, timeout: float) -> bool:
    """Blocks until this process has ended; False after `timeout` seconds."""
    from .posix import ProcessHandle

    process = Process(pid, 0, 0, started)
    if not process.lives():
        return True
    try:
        handle = ProcessHandle(pid)
    except OSError:
        return not process.lives()
    try:
        return not process.lives() or handle.wait(timeout)
    finally:
        handle.close()


if sys.platform == "darwin":
    import ctypes

    _PROC_PIDTBSDINFO = 3
    _SZOMB = 5
    _CTL_KERN, _KERN_PROCARGS2 = 1, 49
    _libc: Any = ctypes.CDLL(None)

    class _BsdInfo(ctypes.Structure):
        """struct proc_bsdinfo of libproc."""

        _fields_ = [
            ("flags", ctypes.c_uint32),
            ("status", ctypes.c_uint32),
            ("exit_status", ctypes.c_uint32),
            ("pid", ctypes.c_uint32),
            ("parent", ctypes.c_uint32),
            ("users", ctypes.c_uint32 * 6),
            ("reserved", ctypes.c_uint32),
            ("names", ctypes.c_char * 48),
            ("files", ctypes.c_uint32),
            ("group", ctypes.c_uint32),
            ("job_control", ctypes.c_uint32),
            ("terminal", ctypes.c_uint32 * 2),
            ("nice", ctypes.c_int32),
            ("started", ctypes.c_uint64),
            ("started_microseconds", ctypes.c_uint64),
        ]

    def look(pid: int) -> Process | None:
        """The process `pid`; None if there is none (any more)."""
        info = _BsdInfo()
        size = ctypes.sizeof(info)
        if _libc.proc_pidinfo(pid, _PROC_PIDTBSDINFO, 0, ctypes.byref(info), size) != size:
            return None
        started = f"{info.started}.{info.started_microseconds:06}"
        return Process(pid, info.parent, info.group, started, info.status == _SZOMB)

    def everybody() -> Iterator[Process]:
        """All processes that can be seen."""
        count = _libc.proc_listallpids(None, 0)
        # Some are started meanwhile.
        pids = (ctypes.c_int * (count + 256))()
        count = _libc.proc_listallpids(pids, ctypes.sizeof(pids))
        for pid in pids[: max(count, 0)]:
            process = look(pid)
            if process is not None:
                yield process

    def _environment(pid: int) -> bytes:
        """Its arguments and environment, each entry after a zero; empty if not ours to see."""
        name = (ctypes.c_int * 3)(_CTL_KERN, _KERN_PROCARGS2, pid)
        size = ctypes.c_size_t(0)
        if _libc.sysctl(name, 3, None, ctypes.byref(size), None, 0) != 0:
            return b""
        buffer = ctypes.create_string_buffer(size.value)
        if _libc.sysctl(name, 3, buffer, ctypes.byref(size), None, 0) != 0:
            return b""
        return buffer.raw[: size.value]

else:
    _boot: list[str] = []

    def _boot_id() -> str:
        # Times of start count from the system's, and files outlive it.
        if not _boot:
            try:
                with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
                    _boot.append(file.read(8))
            except OSError:
                _boot.append("")
        return _boot[0]

    def look(pid: int) -> Process | None:
        """The process `pid`; None if there is none (any more)."""
        try:
            with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
                stat = file.read(4096)
        except OSError:
            return None
        # The second field, in brackets, is the program's name, which may hold anything.
        fields = stat[stat.rfind(b")") + 2 :].split()
        if len(fields) < 20:
            return None
        # A first thread that has ended looks like this too, while others go on.
        ended = fields[0] in (b"Z", b"X") and int(fields[17]) <= 1
        started = f"{fields[19].decode()}-{_boot_id()}"
        return Process(pid, int(fields[1]), int(fields[3]), started, ended)

    def everybody() -> Iterator[Process]:
        """All processes that can be seen."""
        for name in os.listdir("/proc"):
            if name.isdigit():
                process = look(int(name))
                if process is not None:
                    yield process

    def _environment(pid: int) -> bytes:
        """Its environment, each entry after a zero; empty if it is not ours to see."""
        try:
            with open(f"/proc/{pid}/environ", "rb", buffering=0) as file:
                chunks = [b"\0"]
                while chunk := file.read(1 << 20):
                    chunks.append(chunk)
        except OSError:
            return b""
        return b"".join(chunks)


def marked(mark: str, processes: Iterable[Process]) -> list[Process]:
    """Those of `processes` with an entry in their environment that begins with `mark`."""
    wanted = b"\0" + os.fsencode(mark)
    return [process for process in processes if wanted in _environment(process.pid)]
