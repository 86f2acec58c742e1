"""What differs between operating systems, and nothing else.

This module declares; ``posix`` and ``windows`` do. No other place outside this folder and
the client's ``wire`` asks which system it runs on. Standard library only (and psutil where it
serves); heavy imports happen in the functions that need them, since frontends load this too.
"""

from __future__ import annotations

import sys

#: The most that the pipe of an application's output holds (bytes): as much as any user may have.
PIPE_SIZE = 1024 * 1024

if sys.platform == "win32":
    from .windows import (
        ProcessHandle,
        ProcessTree,
        belongs_to_us,
        detached_options,
        enlarge_pipe,
        folder_of,
        make_private_folder,
        on_cancel_signals,
        own_group_options,
        private_opener,
        system_config_folder,
        takes_bytes_now,
    )
else:
    from .posix import (
        ProcessHandle,
        ProcessTree,
        belongs_to_us,
        detached_options,
        enlarge_pipe,
        folder_of,
        make_private_folder,
        on_cancel_signals,
        own_group_options,
        private_opener,
        system_config_folder,
        takes_bytes_now,
    )

#: The daemon's private folder, in which what else needs one has it; None in the foreground.
session_folder: str | None = None

__all__ = [
    "PIPE_SIZE",
    "ProcessHandle",
    "ProcessTree",
    "belongs_to_us",
    "detached_options",
    "enlarge_pipe",
    "folder_of",
    "make_private_folder",
    "on_cancel_signals",
    "own_group_options",
    "private_opener",
    "system_config_folder",
    "takes_bytes_now",
]

TYPE_CHECKING = False  # typing itself costs a frontend more than all of this module
if TYPE_CHECKING:
    # The contract, which mypy holds each system's module against, at the end.
    import subprocess
    from collections.abc import Callable
    from typing import Any, Protocol

    class _ProcessTree(Protocol):
        """An application and everything that it started, however deep."""

        def __init__(self, process: subprocess.Popen[bytes]) -> None:
            """Takes charge of `process`, started a moment ago with ``own_group_options()``."""

        def notify(self) -> None:
            """Asks the tree to end: SIGTERM to its process group; CTRL_BREAK on Windows."""

        def kill(self) -> None:
            """Ends every process of the tree that still lives, at once. May be called twice.

            Also those that left the process group, and those whose parents are gone as far as
            the system lets us find them. Process ids are never trusted without a start time.
            """

        def is_gone(self) -> bool:
            """Whether no process of the tree lives, as far as the system can tell."""

        def close(self) -> None:
            """Lets go of what the system keeps for the tree; on Windows that kills the rest."""

    class _ProcessHandle(Protocol):
        """Another process, held so that its end can be waited for and never mistaken."""

        def __init__(self, pid: int) -> None:
            """Holds the process `pid`; to be called while it is known to live.

            Raises:
                ProcessLookupError: there is no such process (any more).
            """

        def wait(self, timeout: float | None) -> bool:
            """Blocks until the process has ended; False after `timeout` seconds."""

        def close(self) -> None:
            """Lets go of the process."""

    class _System(Protocol):
        def detached_options(self) -> dict[str, Any]:
            """Arguments for Popen that start a process in a session of its own.

            It survives the action's process group and terminal, and inherits no handle of this
            process but the standard streams that the caller gives it.
            """

        def own_group_options(self) -> dict[str, Any]:
            """Arguments for Popen that give a process a process group of its own."""

        def enlarge_pipe(self, fd: int) -> None:
            """Lets the pipe `fd` hold more where the system can: fewer turns for the same bytes."""

        def on_cancel_signals(self, callback: Callable[[], None]) -> None:
            """Calls `callback` for every SIGINT and SIGTERM (CTRL_C, CTRL_BREAK on Windows).

            To be called in the main thread. `callback` may run between any two instructions of
            the main thread, or in another: it must only do what is safe there, such as
            ``SimpleQueue.put``.
            """

        def make_private_folder(self, parent: str | None = None) -> str:
            """Makes a folder that only this user can enter and returns its path.

            `parent` is a private folder to make it in; the temporary folder if None.

            Its name cannot be predicted, it is private from the moment it exists, and a socket
            in it stays within the system's limit for the path of a socket (104 bytes).

            Raises:
                OSError: the temporary folder does not exist or cannot be written.
            """

        def folder_of(self, address: str) -> str:
            """The private folder of the daemon that listens, or listened, at `address`."""

        def private_opener(self, path: str, flags: int) -> int:
            """An ``opener`` for ``open()``: what it creates is private from the beginning."""

        def belongs_to_us(self, path: str) -> bool:
            """Whether the file `path` has this user as its owner.

            Raises:
                OSError: the file cannot be looked at.
            """

        def system_config_folder(self) -> str:
            """The folder of ``openjd`` below which a site configures adaptors."""

        def takes_bytes_now(self, fd: int) -> bool:
            """Whether a short line can surely be written to `fd` without waiting."""

    if sys.platform == "win32":
        from . import windows as _system
    else:
        from . import posix as _system

    _functions: _System = _system
    _tree: type[_ProcessTree] = ProcessTree
    _handle: type[_ProcessHandle] = ProcessHandle
