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
        HAS_GUARDIAN,
        ProcessHandle,
        ProcessTree,
        await_process,
        belongs_to_us,
        contain_descendants,
        detached_options,
        end_cancel_signals,
        end_marked,
        end_process,
        enlarge_pipe,
        folder_of,
        has_bytes,
        kill_detached,
        make_private_folder,
        on_cancel_signals,
        open_to_append,
        own_group_options,
        own_opener,
        private_opener,
        shows_colors,
        start_time,
        system_config_folder,
        takes_bytes_now,
        temporary_folders,
    )
else:
    from .posix import (
        HAS_GUARDIAN,
        ProcessHandle,
        ProcessTree,
        await_process,
        belongs_to_us,
        contain_descendants,
        detached_options,
        end_cancel_signals,
        end_marked,
        end_process,
        enlarge_pipe,
        folder_of,
        has_bytes,
        kill_detached,
        make_private_folder,
        on_cancel_signals,
        open_to_append,
        own_group_options,
        own_opener,
        private_opener,
        shows_colors,
        start_time,
        system_config_folder,
        takes_bytes_now,
        temporary_folders,
    )

__all__ = [
    "HAS_GUARDIAN",
    "PIPE_SIZE",
    "ProcessHandle",
    "ProcessTree",
    "await_process",
    "belongs_to_us",
    "contain_descendants",
    "detached_options",
    "end_as",
    "end_cancel_signals",
    "end_descendants",
    "end_marked",
    "end_process",
    "enlarge_pipe",
    "folder_of",
    "has_bytes",
    "kill_detached",
    "make_private_folder",
    "make_program",
    "on_cancel_signals",
    "open_to_append",
    "own_group_options",
    "own_opener",
    "path_watch",
    "private_opener",
    "resident_bytes",
    "run_below",
    "shell_word",
    "shell_words",
    "shows_colors",
    "start_time",
    "system_config_folder",
    "takes_bytes_now",
    "temporary_folders",
]

TYPE_CHECKING = False  # typing itself costs a frontend more than all of this module
if TYPE_CHECKING:
    # The contract, which mypy holds each system's module against, at the end.
    import subprocess
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, Protocol

    class _ProcessTree(Protocol):
        """An application and everything that it started, however deep."""

        def __init__(self, process: subprocess.Popen[bytes], mark: str = "") -> None:
            """Takes charge of `process`, started a moment ago with ``own_group_options()``.

            `mark` stands in its environment (``NAME=value``), and in that of no other.
            """

        def notify(self) -> None:
            """Asks the tree to end: SIGTERM to all of it; CTRL_BREAK to its group on Windows."""

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

    class _PathWatch(Protocol):
        """Notices when one of several paths may be gone."""

        def __init__(self, paths: Sequence[str], on_change: Callable[[], None]) -> None:
            """Begins to watch `paths`, which exist.

            `on_change` is called, in a thread of its own, whenever one of them may have been
            removed, renamed or replaced; it has to look for itself.

            Raises:
                OSError: they cannot be watched.
            """

        def close(self) -> None:
            """Stops to watch."""

    class _System(Protocol):
        @property
        def HAS_GUARDIAN(self) -> bool:
            """Whether a daemon has a guardian, which ends what it leaves behind."""

        def detached_options(self) -> dict[str, Any]:
            """Arguments for Popen that start a process in a session of its own.

            It survives the action's process group and terminal, and inherits no handle of this
            process but the standard streams that the caller gives it.
            """

        def own_group_options(self) -> dict[str, Any]:
            """Arguments for Popen that give a process a process group of its own."""

        def kill_detached(self, process: subprocess.Popen[bytes]) -> None:
            """Kills a daemon that was started a moment ago, with its guardian."""

        def contain_descendants(self) -> None:
            """Has all that this process starts from now on end with it, however it ends.

            On Windows, by a job; elsewhere that is the guardian's work.
            """

        def start_time(self, pid: int) -> str:
            """When the process `pid` was started: an opaque text without spaces.

            With the process id it names that process, and no other that had or will have the id.

            Raises:
                ProcessLookupError: there is no such process, or it has ended.
            """

        def await_process(self, pid: int, started: str, timeout: float) -> bool:
            """Blocks until that process has ended, or says False after `timeout` seconds."""

        def end_process(self, pid: int, started: str) -> bool:
            """Kills exactly that process, with all that it started; whether it still lived.

            Returns when it has ended, or after ten seconds in which the system did not end it.
            """

        def end_marked(self, mark: str) -> None:
            """Kills the processes whose environment has an entry that begins with `mark`.

            With all that they started. Does nothing on Windows, where jobs hold them.
            """

        def enlarge_pipe(self, fd: int) -> None:
            """Lets the pipe `fd` hold more where the system can: fewer turns for the same bytes."""

        def has_bytes(self, fd: int) -> bool:
            """Whether a read of the pipe `fd` would return at once, with bytes or at its end.

            To be asked by the thread that reads.
            """

        def on_cancel_signals(self, callback: Callable[[], None]) -> None:
            """Calls `callback` for every SIGINT and SIGTERM (CTRL_C, CTRL_BREAK on Windows).

            To be called in the main thread. `callback` may run between any two instructions of
            the main thread, or in another: it must only do what is safe there, such as
            ``SimpleQueue.put``.
            """

        def end_cancel_signals(self) -> None:
            """From now on these signals do nothing: the verdict is out.

            To be called in the main thread at the end of a command. The interpreter gives its
            handlers back some time before the process ends, and a signal would kill it then.
            """

        def temporary_folders(self) -> list[str]:
            """Where private folders are made: the first of these that can be used."""

        def make_private_folder(self, parent: str | None = None, name: str | None = None) -> str:
            """Makes a folder that only this user can enter and returns its path.

            `parent` is a private folder to make it in; the temporary folder if None. `name` is
            for one in the temporary folder.

            Its name cannot be predicted (nor may a `name`), it is private from the moment it
            exists, and a socket in it stays within the system's limit for the path of a socket
            (104 bytes).

            Raises:
                OSError: the temporary folder does not exist or cannot be written.
            """

        def folder_of(self, address: str) -> str:
            """The private folder of the daemon that listens, or listened, at `address`."""

        def private_opener(self, path: str, flags: int) -> int:
            """An ``opener`` for ``open()``: what it creates is private from the beginning."""

        def open_to_append(self, path: str) -> int:
            """Opens a regular file of this user's to append to; made, and private, if need be.

            A link there is not followed, a pipe not waited for.

            Raises:
                OSError: it cannot be opened, or is none.
            """

        def own_opener(self, path: str, flags: int) -> int:
            """An ``opener`` for ``open()`` that opens nothing but this user's own files.

            Raises:
                PermissionError: it is another user's, or no regular file.
            """

        def belongs_to_us(self, path: str) -> bool:
            """Whether the file or folder `path`, or the link there, has this user as its owner.

            Raises:
                OSError: the file cannot be looked at.
            """

        def system_config_folder(self) -> str:
            """The folder of ``openjd`` below which a site configures adaptors."""

        def takes_bytes_now(self, fd: int) -> bool:
            """Whether a short line can surely be written to `fd` without waiting."""

        def shows_colors(self, fd: int) -> bool:
            """Whether the terminal `fd` takes escape sequences; asks it to, where that helps."""

    if sys.platform == "win32":
        from . import windows as _system
        from .windows import PathWatch
    else:
        from . import posix as _system
        from ._path_watch import PathWatch

    _functions: _System = _system
    _tree: type[_ProcessTree] = ProcessTree
    _handle: type[_ProcessHandle] = ProcessHandle
    _watch: type[_PathWatch] = PathWatch


def path_watch(paths: Sequence[str], on_change: Callable[[], None]) -> _PathWatch:
    """A ``_PathWatch``; loaded when it is needed, since frontends never do."""
    if sys.platform == "win32":
        from .windows import PathWatch
    else:
        from ._path_watch import PathWatch
    return PathWatch(paths, on_change)


def make_program(folder: str, name: str, script: str, *arguments: str) -> str:
    """Makes a program that runs a file of Python code; it is found by its name, without a shell.

    Args:
        folder: where it is put.
        name: what it is called; on Windows ``.exe`` comes behind it.
        script: the file, for this Python.
        arguments: for the script, before those of the program.

    Returns:
        The program's path.

    Raises:
        OSError: it cannot be made.
    """
    from . import _program

    return _program.make_program(folder, name, script, *arguments)


def shell_word(word: str) -> str:
    """A word as somebody types it into a shell: quoted, if it must be."""
    from . import _program

    return _program.shell_word(word)


def shell_words(text: str) -> list[str]:
    """The words of a command line, as somebody types it; a backslash is one of a path on Windows.

    Raises:
        ValueError: a quotation does not end.
    """
    from . import _program

    return _program.shell_words(text)


def resident_bytes(pids: Iterable[int]) -> int:
    """The resident memory of these processes and all that they started."""
    import psutil

    seen: dict[int, int] = {}
    for pid in pids:
        try:
            root = psutil.Process(pid)
            for process in [root, *root.children(recursive=True)]:
                try:
                    seen[process.pid] = process.memory_info().rss
                except psutil.Error:
                    pass  # Gone by now.
        except psutil.Error:
            pass
    return sum(seen.values())


# What a guardian does, where there are such (HAS_GUARDIAN).


def run_below(command: list[str], variable: str, value: str) -> int:
    """Runs `command` as a child that has this process's standard streams, and awaits its end.

    This process lets go of the streams, passes SIGTERM and SIGINT on, and becomes the parent of
    descendants that lose theirs (Linux alone).

    Args:
        command: program and arguments.
        variable: an environment variable for it.
        value: what it holds first. After a space follows the descriptor of a pipe that ends when
            this process does.

    Returns:
        How it ended, for ``end_as``.

    Raises:
        OSError: it cannot be started.
    """
    if sys.platform == "win32":
        raise NotImplementedError("there are no guardians here")
    from . import _parent

    return _parent.run_below(command, variable, value)


def end_as(status: int) -> int:
    """Ends as a process did whose end was `status`; returns the exit status, if it had one."""
    if sys.platform == "win32":
        raise NotImplementedError("there are no guardians here")
    from . import _parent

    return _parent.end_as(status)


def end_descendants() -> None:
    """Kills whatever lives below this process, until there is nothing."""
    if sys.platform == "win32":
        raise NotImplementedError("there are no guardians here")
    from . import _parent

    _parent.end_descendants()
