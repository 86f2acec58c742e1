"""An ``on_cancel`` that ends the application itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import table
from .play import judge, play
from .table import CANCELED, app


def test_the_next_task_has_an_application(
    private_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that was cancelled ends with its application, however long its exit functions take.

    It answers that it is about to end before it does: the next task must not meet it.
    """
    row = app(
        "cancel-ends-application",
        "A cancel, and on_cancel ends the application.",
        CANCELED,
        adaptor="FakeThatHandlesCancel",
        before="import atexit\nfor _ in range(5):\n"
        "    atexit.register(subprocess.run, [sys.executable, '-c', 'pass'])",
        start="class Ending:\n"
        "    def set(self): os.kill(adaptor.app.pid, signal.SIGTERM)\n"
        "self.names.update(adaptor=self, canceled=Ending())",
        app="ready()",
        cancel="ask",
    )
    monkeypatch.setitem(table.BY_ID, row.id, row)
    judge(row, play(row, private_place, monkeypatch))
