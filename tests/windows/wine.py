"""What Wine itself cannot do: the tests that fail there for that reason alone, one by one."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterable
from typing import Any

import pytest

#: Node id from this folder's parent on, of a test or of one set of its parameters -> the reason.
CANNOT = {
    "windows/test_pipes.py::test_a_name_that_is_taken": (
        "Wine takes FILE_FLAG_FIRST_PIPE_INSTANCE and does nothing about it"
    ),
    "windows/test_platform.py::test_links_are_not_followed": (
        "Wine shows a symbolic link to a file as a file that is not there"
    ),
    "verdicts/test_verdicts.py::test_a_row[command-dangling-link]": (
        "Wine shows a symbolic link to nowhere as a file that is not there"
    ),
    "newcomer/test_new.py::test_nothing_is_overwritten[broken link]": (
        "Wine shows a symbolic link to nowhere as a file that is not there"
    ),
    "windows/test_platform.py::test_detached_process_leaves_the_job_where_it_may[lenient]": (
        "Wine does not tell a process what its job allows"
    ),
}


def is_here() -> bool:
    """Whether this is Wine."""
    return sys.platform == "win32" and hasattr(ctypes.WinDLL("ntdll"), "wine_get_version")


def mend_import_system() -> None:
    """Makes the interpreter and the standard library that are put together for Wine one.

    Those of 3.11.9 and 3.11.7, say, do not agree about whose method this is.
    """
    from importlib.metadata import MetadataPathFinder

    if not hasattr(MetadataPathFinder.invalidate_caches, "__self__"):
        whole: Any = MetadataPathFinder
        whole.invalidate_caches = classmethod(MetadataPathFinder.invalidate_caches)


def entry(nodeid: str) -> str | None:
    """The node id in CANNOT that stands for this one; None if none does."""
    name = nodeid.partition("tests/")[2]
    for known in (name, name.partition("[")[0]):
        if known in CANNOT:
            return known
    return None


def skip(items: Iterable[pytest.Item]) -> None:
    """Marks those of `items` that Wine cannot do."""
    for item in items:
        known = entry(item.nodeid)
        if known is not None:
            item.add_marker(pytest.mark.skip(reason=CANNOT[known]))
