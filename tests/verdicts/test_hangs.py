"""A hang: when it is reported, what the report says, and when everything of it is gone."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from openjd.adaptor_runtime._session import RUN, START, STOP
from openjd.adaptor_runtime.application.supervised import GIVE_UP_GRACE

from .play import FAIL, Stage, marked, marking, prepare, shown, shown_command
from .table import BY_ID

#: The application's stacks, where they can be had.
OF_APPLICATION = () if sys.platform == "win32" else ('File "<application>"', "in hang")
#: What the report ends with.
LAST = "in result" if sys.platform == "win32" else "<application>"


class _Control:
    """A thread that waits as long as the limit is, and sees how late this machine lets it go on."""

    def __init__(self, seconds: float) -> None:
        self.late = 0.0
        self._seconds = seconds
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._wait)
        self._thread.start()

    def _wait(self) -> None:
        threading.Event().wait(self._seconds)
        self.late = time.monotonic() - self._began - self._seconds

    def end(self) -> float:
        """How late it was (seconds)."""
        self._thread.join()
        return self.late


@pytest.mark.parametrize("name", ["hang-run", "hang-family"])
def test_a_hang_is_reported_and_gone(
    name: str, private_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within the limit plus a second the report is whole; after the grace time nothing lives.

    Time is the subject here: what the machine itself is late by is measured, and allowed for.
    """
    row = BY_ID[name]
    mark = marking(monkeypatch)
    limit = row.limits["run"]
    with shown() as (text, output):
        stage = Stage(row, prepare(row, private_place), text, output)
        try:
            assert stage.step(START).outcome.ok
            control = _Control(limit)
            began = time.monotonic()
            scene = stage.step(RUN, {"task": 0})
            ended = time.monotonic()
            alive = [shown_command(process) for process in marked(mark)]
            assert stage.step(STOP).outcome.ok
        finally:
            stage.leave()
    assert not scene.outcome.ok
    slack = 4 * control.end() + 0.5  # and for this process's share of two cores
    reported, whole = text.when(FAIL), text.when(LAST)
    assert limit - 0.05 <= reported - began <= limit + 1 + slack
    assert whole - began <= limit + 1 + slack
    assert ended - reported <= GIVE_UP_GRACE + 1 + slack
    assert alive == []
    (line,) = scene.fails
    for words in ("while running adaptor", "while performing do()", f"limit run: {limit:g}"):
        assert words in line
    for words in (
        "The last lines of Fake:",
        "Thread adaptor:",  # ours, in the call
        "in result",
        *OF_APPLICATION,
    ):
        assert words in scene.text, words
