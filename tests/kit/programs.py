"""Whether programs can be made here that are found by their name."""

from __future__ import annotations

import sys
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
