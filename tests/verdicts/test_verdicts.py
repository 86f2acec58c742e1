"""Each row of the table, played with real processes in a session of this one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .play import judge, play
from .table import ROWS, Row

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="signals, shells and groups of POSIX"
)


@pytest.mark.parametrize("row", [pytest.param(row, id=row.id) for row in ROWS])
def test_a_row(row: Row, private_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Verdict, words and what is left are as the table says; the session's next task goes well."""
    judge(row, play(row, private_place, monkeypatch))
