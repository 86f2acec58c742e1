"""What is installed here: launchers for programs that are found by their name, and our plugin."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from importlib.util import find_spec

import pytest


def _has_launchers() -> bool:
    if sys.platform != "win32":
        return True
    try:
        return any(find_spec(name) for name in ("distlib", "pip._vendor.distlib"))
    except ImportError:
        return False


needs_programs = pytest.mark.skipif(
    not _has_launchers(), reason="there is no launcher for programs: pip install distlib"
)


def plugin_is_installed() -> bool:
    """Whether every pytest finds our plugin by itself: not where only the sources are."""
    plugins = (
        entry_points(group="pytest11")
        if sys.version_info >= (3, 10)
        else entry_points().get("pytest11", [])
    )
    return any(one.name == "openjd_adaptor" for one in plugins)
