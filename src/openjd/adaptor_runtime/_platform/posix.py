"""The platform on Linux and macOS. The contract is in ``_platform/__init__``."""

from __future__ import annotations

import _thread
import errno
import os
import signal
import stat
import sys

TYPE_CHECKING = False  # typing itself costs a frontend more than all of this module
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

assert sys.platform != "win32"

if TYPE_CHECKING:
    from ._processes import Process

from . import PIPE_SIZE  # noqa: E402

# sockaddr_un holds 104 bytes on macOS and 108 on Linux, with the closing zero; "/socket" and
# the folders' own names must fit behind the base.
_LONGEST_BASE = 103 - len("/socket") - len("/openjd-0123456789abcdef/a-0123")

#: Whether a daemon has a guardian, which ends what it leaves behind.
HAS_GUARDIAN = True

# fcntl names the operation from Python 3.10 on.
_F_SETPIPE_SZ = 1031


def detached_options() -> dict[str, Any]:
    return {"start_new_session": True, "close_fds": True}


def shows_colors(fd: int) -> bool:
    return True


def own_group_options() -> dict[str, Any]:
    # A session rather than a group: children of the application that make groups of their own
    # stay in it, and no terminal can stop it.
    return {"start_new_session": True, "close_fds": True}


def enlarge_pipe(fd: int) -> None:
    if sys.platform == "linux":
        import fcntl

        try:
            fcntl.fcntl(fd, _F_SETPIPE_SZ, PIPE_SIZE)
        except OSError:
            pass  # This user has as many large pipes as one may have.


def has_bytes(fd: int) -> bool:
    import select

    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))


def on_cancel_signals(callback: Callable[[], None]) -> None:
    # A handler in Python runs when the main thread comes to its next instruction, and a signal
    # that arrives just before the main thread begins to wait does not end that wait. A byte in
    # a pipe, which the interpreter writes in the signal itself, is never missed.
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, _ignore)
    _thread.start_new_thread(_watch_signals, (reader, callback))


def end_cancel_signals() -> None:
    for signum in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(signum) is _ignore:
            signal.signal(signum, signal.SIG_IGN)


def _ignore(signum: int, frame: FrameType | None) -> None:
    pass


def _watch_signals(reader: int, callback: Callable[[], None]) -> None:
    while True:
        for signum in os.read(reader, 16):
            if signum in (signal.SIGINT, signal.SIGTERM):
                callback()


def temporary_folders() -> list[str]:
    chosen = os.environ.get("TMPDIR")
    path = os.path.abspath(chosen or "")
    # One line: it stands in an openjd_env message.
    if chosen and len(os.fsencode(path)) <= _LONGEST_BASE and len(path.splitlines()) == 1:
        return [path]
    # A temporary folder with a path too long for a socket is no error of the user's.
    return ["/tmp", "/var/tmp"]


def make_private_folder(parent: str | None = None, name: str | None = None) -> str:
    if parent is not None:
        path = os.path.join(parent, "a-" + os.urandom(2).hex())
        os.mkdir(path, 0o700)
        return path
    name = name or "openjd-" + os.urandom(8).hex()
    bases = temporary_folders()
    error: OSError | None = None
    for base in bases:
        path = os.path.join(base, name)
        try:
            # mkdir fails on anything that exists, a link included: nobody can be there first.
            os.mkdir(path, 0o700)
        except OSError as e:
            error = error or e
        else:
            return path
    assert error is not None
    raise OSError(
        f"the temporary folder {bases[0]} cannot be used ({error.strerror}); "
        "set TMPDIR to a folder you can write"
    ) from error


def folder_of(address: str) -> str:
    return os.path.dirname(address)


def private_opener(path: str, flags: int) -> int:
    flags |= os.O_CLOEXEC | os.O_NOFOLLOW if flags & os.O_CREAT else os.O_CLOEXEC
    fd = os.open(path, flags, 0o600)
    if flags & os.O_CREAT and stat.S_IMODE(os.fstat(fd).st_mode) & 0o077:
        # It was there before, with wider rights.
        os.fchmod(fd, 0o600)
    return fd


def open_to_append(path: str) -> int:
    # A pipe that nobody reads is refused by O_NONBLOCK, and any other below.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    fd = os.open(path, flags, mode=0o600)
    try:
        found = os.fstat(fd)
        regular = stat.S_ISREG(found.st_mode) and found.st_nlink == 1
        if found.st_uid != os.geteuid() or not regular:
            raise PermissionError(errno.EACCES, "it is no file of this user's alone", path)
        if stat.S_IMODE(found.st_mode) & 0o077:
            # It was there before, with wider rights.
            os.chmod(fd, 0o600)
    except OSError:
        os.close(fd)
        raise
    return fd


def own_opener(path: str, flags: int) -> int:
    # Looked at when it is open: it cannot be exchanged any more. A pipe must not be waited for.
    fd = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK)
    found = os.fstat(fd)
    if found.st_uid != os.geteuid() or not stat.S_ISREG(found.st_mode):
        os.close(fd)
        raise PermissionError(errno.EACCES, "it is no file of this user's", path)
    return fd


def belongs_to_us(path: str) -> bool:
    return os.lstat(path).st_uid == os.geteuid()


def system_config_folder() -> str:
    return "/etc/openjd"


def takes_bytes_now(fd: int) -> bool:
    import select

    # A pipe counts as writable when it has room for PIPE_BUF bytes: 512 or more.
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return bool(poll.poll(0))


def kill_detached(process: subprocess.Popen[bytes]) -> None:
    # The guardian is the first of a group of its own, and the daemon is in it.
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def contain_descendants() -> None:
    pass  # The guardian sees to that.


def start_time(pid: int) -> str:
    from ._processes import start_time

    return start_time(pid)


def await_process(pid: int, started: str, timeout: float) -> bool:
    from ._processes import await_end

    return await_end(pid, started, timeout)


def end_process(pid: int, started: str) -> bool:
    from ._processes import end_process

    return end_process(pid, started)


def end_marked(mark: str) -> None:
    from ._processes import end_trees

    end_trees([], mark)


class ProcessTree:
    def __init__(self, process: subprocess.Popen[bytes], mark: str = "") -> None:
        from ._processes import Process, look

        self._process = process
        self._mark = mark
        # Nobody else waits for it: until Popen has, its number is its own.
        self._root = look(process.pid) or Process(process.pid, 0, process.pid, "")
        #: Descendants that were seen, also those that have left the session since.
        self._strays: dict[int, Process] = {}

    def notify(self) -> None:
        from ._processes import descendants, signal_process

        # Once a parent is dead its children are init's, and cannot be found from it any more.
        below = descendants(self._root.pid) if self._root.lives() else []
        self._strays.update((process.pid, process) for process in below)
        self._signal_group(signal.SIGTERM)
        for process in self._strays.values():
            if process.session != self._root.pid:
                signal_process(process, signal.SIGTERM)

    def kill(self) -> None:
        from ._processes import end_trees

        # By the group first: it takes a moment, and leaves nobody time to start others.
        self._signal_group(signal.SIGKILL)
        end_trees([self._root, *self._strays.values()], self._mark)

    def is_gone(self) -> bool:
        return not self._signal_group(0) and not any(s.lives() for s in self._strays.values())

    def close(self) -> None:
        pass

    def _signal_group(self, signum: int) -> bool:
        # While the leader is not reaped the group's id is nobody else's. After that it may be,
        # unless a member lives: then only a question is safe.
        if signum and self._process.returncode is not None:
            return False
        try:
            os.killpg(self._root.pid, signum)
        except (ProcessLookupError, PermissionError):
            return False
        return True


class ProcessHandle:
    def __init__(self, pid: int) -> None:
        self._closed = False
        if sys.platform == "darwin":
            import select

            self._queue = select.kqueue()
            event = select.kevent(
                pid,
                filter=select.KQ_FILTER_PROC,
                flags=select.KQ_EV_ADD | select.KQ_EV_ONESHOT,
                fflags=select.KQ_NOTE_EXIT,
            )
            try:
                self._queue.control([event], 0)
            except OSError:
                self._queue.close()
                raise
        else:
            self._fd = _pidfd_open(pid)

    def wait(self, timeout: float | None) -> bool:
        if sys.platform == "darwin":
            return bool(self._queue.control(None, 1, timeout))
        import select

        poller = select.poll()
        poller.register(self._fd, select.POLLIN)
        return bool(poller.poll(None if timeout is None else timeout * 1000))

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if sys.platform == "darwin":
            self._queue.close()
        else:
            os.close(self._fd)


if sys.platform != "darwin":

    def _pidfd_open(pid: int) -> int:
        if not hasattr(os, "pidfd_open"):
            # An interpreter built on a system that was too old for it.
            raise OSError(errno.ENOSYS, "there are no handles on processes here")
        return os.pidfd_open(pid)
