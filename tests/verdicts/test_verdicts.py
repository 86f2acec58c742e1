"""Each row of the table, played with real processes in a session of this one."""

from __future__ import annotations

from pathlib import Path

import pytest

from .explained import explained
from .on_windows import marks
from .play import judge, play
from .table import ROWS, Row


@pytest.mark.parametrize("row", [pytest.param(row, id=row.id, marks=marks(row)) for row in ROWS])
def test_a_row(row: Row, private_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Verdict, words and what is left are as the table says; the session's next task goes well."""
    scenes = play(row, private_place, monkeypatch)
    judge(row, scenes)
    explained(row, scenes, private_place)
