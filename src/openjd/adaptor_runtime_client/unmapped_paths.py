"""Paths that no rule matched although they should have been: a warning for each, if wanted.

Loaded only where the configuration of the runtime asks for it (``warn_unmapped_paths``).
"""

from __future__ import annotations

import sys
import threading

from .path_mapping import PathMapper, PathMappingRule

TYPE_CHECKING = False  # typing itself is not loaded inside the application
if TYPE_CHECKING:
    from typing import Callable, Iterable, Set

#: How many distinct paths are remembered, and so warned of at most.
LIMIT = 4000


def is_foreign(path: str, windows: bool = sys.platform == "win32") -> bool:
    """Whether `path` is absolute in the format of another system, and not of this one.

    Args:
        path: any text.
        windows: whether this system is Windows.
    """
    if windows:
        return path[:1] == "/" and path[1:2] != "/"
    if path[:2] == "\\\\":
        server, separator, share = path[2:].replace("/", "\\").partition("\\")
        return bool(server and separator and share)
    return path[1:2] == ":" and path[2:3] in ("\\", "/") and path[0].isalpha() and path[0].isascii()


class WarningPathMapper(PathMapper):
    """A PathMapper that tells, once for each, of foreign absolute paths that no rule matches.

    Args:
        rules: the rules.
        warn: called with one line of text, by any thread that maps.
    """

    def __init__(self, rules: Iterable[PathMappingRule], warn: Callable[[str], None]) -> None:
        super().__init__(rules)
        self._warn = warn
        self._lock = threading.Lock()
        self._told: Set[str] = set()

    def map(self, path: str) -> str:
        """`path` as the rules map it; `path` itself when none applies."""
        found = self.match(path)
        if found is not None:
            return found[1]
        if is_foreign(path) and path not in self._told:
            self._tell(path)
        return path

    def _tell(self, path: str) -> None:
        with self._lock:
            if path in self._told or len(self._told) >= LIMIT:
                return
            self._told.add(path)
            last = len(self._told) == LIMIT
        # A line break would let a path say what it likes at the start of a line.
        shown = " ".join(path.splitlines())
        self._warn("no path mapping rule matches {}, a path of another system".format(shown))
        if last:
            self._warn("{} paths matched no rule; further ones are not reported".format(LIMIT))
