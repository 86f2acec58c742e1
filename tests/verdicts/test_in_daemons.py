"""A few rows of each kind, by the commands that a scheduler runs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from apps.drive import Command, Host, Session

from openjd.adaptor_runtime._session import Outcome

from .play import Scene, judge, prepare, row_tasks
from .table import GOOD, ROWS, Row

_TESTS = str(Path(__file__).parents[1])
_MODULES = {"Fake": "verdicts.by_application", "FakeCommand": "verdicts.by_command"}


@pytest.mark.parametrize("row", [pytest.param(row, id=row.id) for row in ROWS if row.daemon])
def test_a_row(row: Row, host: Host) -> None:
    """Exit statuses and lines are what the table says; the host is left as it was."""
    out = prepare(row, host.folder)
    host.env.pop("PYTHONUNBUFFERED", None)
    search = os.pathsep.join([_TESTS, host.env["PYTHONPATH"]])
    session = Session(host, ("-m", _MODULES[row.adaptor]), PYTHONPATH=search)
    init_data = json.dumps({"row": row.id, "out": str(out), **row.init_data})
    scenes = [_end(row, "start", session.begin("start", "--init-data", init_data))]
    if scenes[0].outcome.ok:
        tasks = row_tasks(row)
        for index, run_data in enumerate(tasks):
            at = row.at == "run" and index == len(tasks) - 1
            scenes.append(_run(row if at else None, session, run_data))
        if row.at == "run" and row.then:
            scenes.append(_run(None, session, {"task": GOOD}))
        scenes.append(_end(row if row.at == "stop" else None, "stop", session.begin("stop")))
    judge(row, scenes)


def _run(row: Row | None, session: Session, run_data: dict[str, Any]) -> Scene:
    return _end(row, "run", session.begin("run", "--run-data", json.dumps(run_data)))


def _end(row: Row | None, name: str, command: Command) -> Scene:
    if row is not None and row.cancel and row.at == name:
        command.until("READY")
        command.cancel()
        if row.cancel == "hurry":
            command.until("Asking process")
            command.cancel()
    ended = command.end()
    assert ended.err == "", ended.err
    lines = [line for line in ended.lines if "openjd_env: OPENJD_ADAPTOR_SOCKET" not in line]
    return Scene(
        name, Outcome(ended.status == 0, "INFO: Canceled" in lines), "\n".join([*lines, ""])
    )
