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

    import psutil

assert sys.platform != "win32"

from . import PIPE_SIZE  # noqa: E402

# sockaddr_un holds 104 bytes on macOS and 108 on Linux, with the closing zero; "/socket" and
# the folders' own names must fit behind the base.
_LONGEST_BASE = 103 - len("/socket") - len("/openjd-0123456789abcdef/a-0123")

# fcntl names the operation from Python 3.10 on.
_F_SETPIPE_SZ = 1031


def detached_options() -> dict[str, Any]:
    return {"start_new_session": True, "close_fds": True}


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


def _ignore(signum: int, frame: FrameType | None) -> None:
    pass


def _watch_signals(reader: int, callback: Callable[[], None]) -> None:
    while True:
        for signum in os.read(reader, 16):
            if signum in (signal.SIGINT, signal.SIGTERM):
                callback()


def make_private_folder(parent: str | None = None) -> str:
    if parent is not None:
        path = os.path.join(parent, "a-" + os.urandom(2).hex())
        os.mkdir(path, 0o700)
        return path
    name = "openjd-" + os.urandom(8).hex()
    chosen = os.environ.get("TMPDIR")
    if chosen and len(os.fsencode(os.path.abspath(chosen))) <= _LONGEST_BASE:
        bases = [os.path.abspath(chosen)]
    else:
        # A temporary folder with a path too long for a socket is no error of the user's.
        bases = ["/tmp", "/var/tmp"]
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


def belongs_to_us(path: str) -> bool:
    return os.stat(path).st_uid == os.geteuid()


def system_config_folder() -> str:
    return "/etc/openjd"


def takes_bytes_now(fd: int) -> bool:
    import select

    # A pipe counts as writable when it has room for PIPE_BUF bytes: 512 or more.
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return bool(poll.poll(0))


class ProcessTree:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._group = process.pid
        #: Descendants that were seen, also those that have left the group since.
        self._strays: set[psutil.Process] = set()

    def notify(self) -> None:
        # Once a parent is dead its children are init's, and cannot be found from it any more.
        self._strays |= self._descendants()
        self._signal_group(signal.SIGTERM)

    def kill(self) -> None:
        self._strays |= self._descendants()
        self._signal_group(signal.SIGKILL)
        if self._strays:
            import psutil
        for stray in self._strays:
            try:
                # psutil compares the start time, so this cannot hit a reused process id.
                stray.kill()
            except psutil.Error:
                pass

    def is_gone(self) -> bool:
        return not self._signal_group(0) and not any(s.is_running() for s in self._strays)

    def _descendants(self) -> set[psutil.Process]:
        import psutil

        try:
            return set(psutil.Process(self._process.pid).children(recursive=True))
        except psutil.Error:
            return set()

    def close(self) -> None:
        pass

    def _signal_group(self, signum: int) -> bool:
        # The group's id is safe to use while the leader is not reaped or any member lives: the
        # system does not give it away before.
        try:
            os.killpg(self._group, signum)
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
