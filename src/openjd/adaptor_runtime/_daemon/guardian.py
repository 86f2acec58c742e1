"""The guardian: a small process that ends what a session's own process could not end itself.

A daemon's guardian is its parent. Where the system lets it, it becomes the parent of everything
that the daemon starts and that loses its own, so that nothing can leave the session. When the
daemon has ended, however it did, nothing of the session lives on. A daemon whose guardian is gone
ends the session itself: there is a pipe between the two, of which each sees the other's end.

The command ``run`` starts one beside itself, for the case that it is killed.

This file is also what the guardian runs: a Python without site-packages, which knows nothing of
the adaptor.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing itself costs more than all of this module
if TYPE_CHECKING:
    from openjd.adaptor_runtime._session_folder import SessionFolder

#: Tells the daemon the name for its private folder, and the descriptor of the pipe. Not by an
#: argument: these are for all to see.
VARIABLE = "OPENJD_ADAPTOR_GUARDIAN"
_WATCH = "--watch"


def guarded(command: list[str]) -> list[str]:
    """The command that starts `command` below a guardian, where there is one to be had."""
    from openjd.adaptor_runtime import _platform

    if not _platform.HAS_GUARDIAN or not sys.executable or not os.path.isfile(__file__):
        return command
    return [sys.executable, "-sS", __file__, *command]


def join() -> tuple[str | None, int | None]:
    """In the daemon: the name for its folder, and the pipe that ends with its guardian.

    None where it has no guardian.
    """
    name, _, fd = os.environ.pop(VARIABLE, "").partition(" ")
    if not fd:
        return None, None
    os.set_inheritable(int(fd), False)
    return name, int(fd)


def folder_in_foreground() -> SessionFolder:
    """A private folder for this process's session, and a guardian for the time after its end.

    Raises:
        OSError: the temporary folder cannot be used.
    """
    import subprocess

    from openjd.adaptor_runtime import _platform, _session_folder

    class Folder(_session_folder.SessionFolder):
        """Its removal is the end of the guardian, too."""

        def remove(self) -> None:
            super().remove()
            if guardian is not None:
                assert guardian.stdin is not None
                guardian.stdin.close()
                guardian.wait()

    guardian: subprocess.Popen[bytes] | None = None
    folder = Folder(_platform.make_private_folder())
    command = guarded([_WATCH, folder.path])
    if command[0] != _WATCH:
        try:
            guardian = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                **_platform.detached_options(),
            )
        except OSError:
            pass  # The session can do without, unless it is killed.
        else:
            folder.enter(_session_folder.GUARDIAN, guardian.pid)
    folder.enter(_session_folder.DAEMON, os.getpid())
    return folder


def watch(path: str) -> int:
    """Waits for the end of the process at the other end of stdin, and ends what it left."""
    from openjd.adaptor_runtime import _session_folder

    while os.read(0, 4096):
        pass
    _session_folder.bury(path)
    _session_folder.remove(path)
    return 0


def guard(command: list[str]) -> int:
    """Starts a daemon with `command`, waits for its end, and sees that nothing else lives on.

    Returns:
        The daemon's exit status. Does not return where a signal has ended it.
    """
    from openjd.adaptor_runtime import _platform, _session_folder

    name = _session_folder.PREFIX + os.urandom(8).hex()
    try:
        status = _platform.run_below(command, VARIABLE, name)
    except OSError as e:
        print(f"the daemon cannot be started with {command[0]}: {e.strerror}", flush=True)
        return 1
    for path in [os.path.join(base, name) for base in _platform.temporary_folders()]:
        if os.path.lexists(path):
            _session_folder.bury(path)
            # Whoever sees that the daemon is gone shows what it wrote when it was brought down.
            _session_folder.remove(path, keep_crash=True)
    _platform.end_descendants()
    return _platform.end_as(status)


def main(arguments: list[str]) -> int:
    """What the guardian's process does."""
    if arguments[0] == _WATCH:
        return watch(arguments[1])
    return guard(arguments)


if __name__ == "__main__":
    # Of all that can be imported, the folder of this package is all that is needed.
    sys.path[0] = os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 3))
    sys.exit(main(sys.argv[1:]))
