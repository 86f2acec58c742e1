"""The place where two users meet. Windows has its own tests of what other users can do there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from apps.fixtures import host, session

if TYPE_CHECKING:
    from .stage import World

__all__ = ["host", "session", "world"]

collect_ignore = ["test_second_user.py"] if sys.platform == "win32" else []


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """Two users, and what both can reach."""
    from .stage import World, why_not

    reason = why_not()
    if reason:
        pytest.skip(reason)
    with World() as world:
        yield world
