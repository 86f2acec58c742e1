"""OutputCheck: whether a task has written what it should have."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator
from typing import NamedTuple

#: Of more files that a task has written nobody wants to be told one by one.
MOST_FOUND = 1000


class _State(NamedTuple):
    """What tells a file from the one that was there before.

    A file that is written again may have its old size, and on a coarse clock its old time of
    modification; one that is moved into place may have an old time as well.
    """

    mtime_ns: int
    ctime_ns: int
    size: int
    device: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> _State:
        return cls(found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_dev, found.st_ino)


class OutputCheck:
    """Made before a task, it remembers what is there; ``verify`` says what the task did not write.

    Each path must be there in the end, written by the task, and not empty:

    - a file: there was none before, or another one, or it has changed;
    - a folder: a file in it, at any depth, was written and is not empty;
    - a glob (``*``, ``?``, ``[…]``, and ``**`` for folders at any depth): at least one of the files
      or folders that match it was written, and no file that was is empty. Names that begin with a
      dot match only a pattern that does.

    A path, or its first folders, that exists just as it is written is no glob: ``shot[1].exr``.
    Links are followed to what they name. Who wrote a file is not known: one that another program
    writes meanwhile counts as well, and so may a change of a file's rights.

    Folders are gone through with all that they hold, before the task and after it: name files or
    globs where folders are large.

    Args:
        paths: relative ones are meant from the folder that is current now. One alone may be given
            as it is. ``~`` and variables are not expanded.

    Raises:
        TypeError: a path is no text.
        ValueError: a path is empty, or cannot be one (a null character).
    """

    def __init__(self, paths: Iterable[str]) -> None:
        if isinstance(paths, (str, bytes, os.PathLike)):
            paths = [paths]
        #: As they were given, each once.
        self.paths: list[str] = list(dict.fromkeys(map(_path, paths)))
        here = os.getcwd()
        self._full = [os.path.join(here, path) for path in self.paths]
        #: What ``verify`` has found of this task's, at most MOST_FOUND files.
        self.found: list[str] = []
        self._before: dict[str, _State] = {}
        gone_through: set[str] = set()
        for path in self._full:
            for match in _matches(path):
                if match not in gone_through:
                    gone_through.add(match)
                    for file, state in _files(match, gone_through):
                        self._before[file] = state

    def verify(self) -> list[str]:
        """What is wrong with the task's outputs, a line for each; empty if all is well.

        The lines begin with ``missing: ``, ``no file matches ``, ``not written by this task: ``,
        ``empty: ``, ``neither a file nor a folder: `` or ``cannot be looked at: ``.
        """
        problems: list[str] = []
        self.found = []
        for path, full in zip(self.paths, self._full):
            if _pattern(full):
                problems += self._wrong_with_glob(path, full)
            else:
                problems += self._wrong_with_path(path, full)
        return problems

    def _wrong_with_path(self, path: str, full: str) -> list[str]:
        try:
            found = os.stat(full)
        except (FileNotFoundError, NotADirectoryError):
            if os.path.islink(full):
                target = _shown(os.readlink(full))
                return [f"missing: {_shown(path)} (a link to {target}, which is not there)"]
            return [f"missing: {_shown(path)}"]
        except OSError as e:
            return [f"cannot be looked at: {_shown(path)}: {e.strerror}"]
        if stat.S_ISDIR(found.st_mode):
            return self._wrong_with_folder(path, full)
        if not stat.S_ISREG(found.st_mode):
            return [f"neither a file nor a folder: {_shown(path)}"]
        if self._before.get(full) == _State.of(found):
            return [f"not written by this task: {_shown(path)}"]
        if not found.st_size:
            return [f"empty: {_shown(path)}"]
        self._add(full)
        return []

    def _wrong_with_folder(self, path: str, full: str) -> list[str]:
        try:
            os.scandir(full).close()
        except OSError as e:
            return [f"cannot be looked at: {_shown(path)}: {e.strerror}"]
        files = written = 0
        for file, state in _files(full):
            files += 1
            if self._before.get(file) != state:
                if state.size:
                    self._add(file)
                    return []
                written += 1
        if not files:
            return [f"empty: {_shown(path)} (no file is in the folder)"]
        if not written:
            return [f"not written by this task: {_shown(path)} (no file in the folder is new)"]
        return [f"empty: {_shown(path)} (so is every new file in the folder)"]

    def _wrong_with_glob(self, path: str, full: str) -> list[str]:
        matches = list(_matches(full))
        if not matches:
            return [f"no file matches {_shown(path)}{_why_nothing_matches(full)}"]
        folders, empty, written = [], [], False
        for match in matches:
            state = _state(match)
            if state is None:
                folders.append(match)
            elif self._before.get(match) != state:
                written = True
                if state.size:
                    self._add(match)
                else:
                    empty.append(f"empty: {_shown(match)}")
        if written:
            return empty
        if any(not self._wrong_with_path(folder, folder) for folder in folders):
            return []
        if len(folders) == 1 == len(matches):
            return self._wrong_with_path(folders[0], folders[0])
        return [f"not written by this task: {_shown(path)} ({len(matches):,} found, none is new)"]

    def _add(self, file: str) -> None:
        if len(self.found) < MOST_FOUND:
            self.found.append(file)


def _path(path: object) -> str:
    text = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(text, str):
        raise TypeError(f"the path of an output must be text, not {path!r}")
    if not text:
        raise ValueError("the path of an output is empty")
    try:
        usable = "\0" not in text and bool(os.fsencode(text))
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise ValueError(f"the path of an output has a character that no path can have: {text!r}")
    return text


def _pattern(full: str) -> str | None:
    """What to give to ``glob``; None for a path that is no pattern."""
    # Folders that exist as they are written are no part of the pattern: /jobs/[a]/out_*.png
    exists = full
    rest: list[str] = []
    while glob.has_magic(full) and not os.path.lexists(exists):
        head, tail = os.path.split(exists)
        if head == exists:
            break
        exists = head
        rest.insert(0, tail)
    if not any(map(glob.has_magic, rest)):
        return None
    return os.path.join(glob.escape(exists), *rest)


def _matches(full: str) -> Iterator[str]:
    """What is there of a glob; a path that is none stands for itself."""
    pattern = _pattern(full)
    return iter([full]) if pattern is None else glob.iglob(pattern, recursive=True)


def _why_nothing_matches(full: str) -> str:
    """What is wrong with the folder in which a glob begins, if something is."""
    folder = full
    while glob.has_magic(folder) and not os.path.lexists(folder):
        head = os.path.dirname(folder)
        if head == folder:
            break
        folder = head
    try:
        os.scandir(folder).close()
    except FileNotFoundError:
        return f": there is no folder {_shown(folder)}"
    except OSError as e:
        return f": {_shown(folder)}: {e.strerror}"
    return ""


def _files(path: str, gone_through: set[str] | None = None) -> Iterator[tuple[str, _State]]:
    """The regular files at `path` or below it, each with its state.

    Folders in `gone_through` are left out, and added to it.
    """
    state = _state(path)
    if state is not None:
        yield path, state
        return
    for folder, folders, names in os.walk(path):
        for name in names:
            file = os.path.join(folder, name)
            state = _state(file)
            if state is not None:
                yield file, state
        if gone_through is not None:
            # A link is not gone into.
            below = {name: os.path.join(folder, name) for name in folders}
            below = {name: full for name, full in below.items() if not os.path.islink(full)}
            folders[:] = [name for name, full in below.items() if full not in gone_through]
            gone_through.update(below.values())


def _state(path: str) -> _State | None:
    """The state of a regular file; None where there is none that can be looked at."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return _State.of(found) if stat.S_ISREG(found.st_mode) else None


def _shown(path: str) -> str:
    """The path as it may stand in a message of one line."""
    return path if path.isprintable() else repr(path)
