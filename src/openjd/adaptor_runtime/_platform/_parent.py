"""A guardian's part of being a parent, on Linux and macOS."""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False  # as in the other modules of this folder
if TYPE_CHECKING:
    from types import FrameType

assert sys.platform != "win32"

_PR_SET_CHILD_SUBREAPER = 36


def run_below(command: list[str], variable: str, value: str) -> int:
    _adopt_orphans()
    # Waited for, not handled: a handler in Python whose signal comes just before a wait runs when
    # that wait ends.
    waited_for = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, waited_for)
    # Some systems drop a blocked signal, too, if it is to be ignored, as this one is by default.
    signal.signal(signal.SIGCHLD, _ignore)
    # Its other end stays open in this process alone.
    reader, _ = os.pipe()
    os.set_inheritable(reader, True)
    environment = dict(os.environ, **{variable: f"{value} {reader}"})
    child = os.posix_spawnp(command[0], command, environment, setsigmask=before)
    os.close(reader)
    # The end of these is the child's to show.
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    while True:
        signum = signal.sigwait(waited_for)
        if signum != signal.SIGCHLD:
            # Its number is its own until this process has asked how it ended.
            os.kill(child, signum)
            continue
        pid = -1
        while pid:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == child:
                return status


def _ignore(signum: int, frame: FrameType | None) -> None:
    pass


def end_as(status: int) -> int:
    if os.WIFEXITED(status):
        return os.WEXITSTATUS(status)
    import resource

    # One dump is enough.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signum = os.WTERMSIG(status)
    if signum != signal.SIGKILL:
        signal.signal(signum, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signum})
    os.kill(os.getpid(), signum)
    return 128 + signum


def _adopt_orphans() -> None:
    if sys.platform == "linux":
        import ctypes

        try:
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        except (OSError, AttributeError):
            pass  # Their marks will have to do.


def end_descendants() -> None:
    from ._processes import descendants, signal_process

    while True:
        for process in descendants(os.getpid()):
            signal_process(process, signal.SIGKILL)
        try:
            # Whose parents are gone becomes a child of this process: there is one to wait for
            # until there is none at all.
            os.waitpid(-1, 0)
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
