"""The adaptor's side of calls."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .calling import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Calls, and a server that carries them."""
    made = Site(tmp_path)
    yield made
    made.stop()
