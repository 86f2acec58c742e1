"""What ``daemon status`` says, in a pipe and at a terminal."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import pytest
from apps.drive import Host, Session
from apps.gates import Gate

at_terminal = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")

BUSY = """
print('openjd_progress: 25')
print('openjd_status: Rendering')
print('a line')
child = application('hold', {port})
child.wait()
"""


def test_a_task(session: Session, gate: Gate) -> None:
    """While a task runs: what it does, how far it is, its applications, its last lines."""
    session.start()
    idle = session.status()
    assert (idle["phase"], idle["task"], idle["progress"], idle["applications"]) == (
        ("idle", None, None, [])
    )
    assert idle["memory_bytes"] is None
    task = session.begin_run(BUSY.format(port=gate.port))
    holding = gate.wait()
    status = session.status()
    assert status["adaptor"] == "Obedient"
    assert (status["state"], status["busy"], status["phase"]) == ("run", "run", "run")
    assert (status["task"], status["tasks_done"]) == (1, 0)
    assert (status["progress"], status["status_message"]) == (25.0, "Rendering")
    assert 0 <= status["phase_seconds"] <= status["session_seconds"]
    # A quarter is done.
    assert status["seconds_left"] == pytest.approx(3 * status["phase_seconds"], rel=0.2, abs=0.5)
    (application,) = status["applications"]
    assert application["pid"] == holding.pid
    assert "children.py hold" in application["command"]
    assert status["memory_bytes"] > 1_000_000
    lines = status["last_lines"]
    assert lines[:3] == ["openjd_progress: 25", "openjd_status: Rendering", "a line"]
    holding.let_go()
    assert task.end().status == 0
    after = session.status()
    assert (after["phase"], after["applications"], after["tasks_done"]) == ("idle", [], 1)
    last = after["last_step"]
    assert (last["step"], last["task"], last["verdict"], last["error"]) == ("run", 1, "ok", None)
    assert session.run("raise RuntimeError('no luck')").status == 1
    last = session.status()["last_step"]
    assert (last["task"], last["verdict"], last["error"]) == (2, "failed", "no luck")
    assert session.stop().status == 0


def test_the_next_task_begins_anew(session: Session, gate: Gate) -> None:
    """Progress and status of a task are not those of the next."""
    session.start()
    assert session.run("print('openjd_progress: 90'); print('openjd_status: old')").status == 0
    task = session.begin_run(f"gates.pass_through({gate.port})")
    running = gate.wait()
    status = session.status()
    assert (status["task"], status["progress"], status["status_message"]) == (2, None, None)
    running.let_go()
    assert task.end().status == 0
    assert session.stop().status == 0


def test_json(session: Session) -> None:
    """With --json it is JSON, in one line."""
    session.start()
    ended = session.begin("status", "--json").end()
    assert (ended.status, ended.err, ended.out.count("\n")) == (0, "", 1)
    assert json.loads(ended.out)["busy"] is None
    assert session.stop().status == 0


def test_no_daemon(session: Session) -> None:
    """One line that says so; also when a daemon has died."""
    assert "no daemon was started with it" in session.begin("status").end().only_fails()
    session.start()
    daemon = session.daemon()
    daemon.kill()
    daemon.wait()
    assert "is not running" in session.begin("status").end().only_fails()
    assert session.stop().status == 0


def test_nobody_looks(session: Session) -> None:
    """The device that takes everything is a terminal, says Windows; it has no size."""
    session.start()
    with open(os.devnull, "wb") as nowhere:
        ended = session.begin("status", stdout=nowhere).end()
    assert (ended.status, ended.err) == (0, "")
    assert session.stop().status == 0


@at_terminal
def test_the_table(host: Host, session: Session, gate: Gate) -> None:
    """At a terminal it is a table; with --json it is JSON there, too."""
    pytest.importorskip("pyte")
    from apps.terminal import WIDTH, terminal

    session.start()
    task = session.begin_run(BUSY.format(port=gate.port) + "print('\\x1b[2J')")
    holding = gate.wait()
    command = ["-m", "obedient", "daemon", "status", "--connection-file", str(session.file)]
    with terminal(host, *command) as seen:
        assert seen.end() == 0
        rows = table(seen.lines)
    assert rows["Adaptor"] == f"Obedient, daemon process {session.daemon().pid}"
    assert rows["State"].startswith("running task 1 for ")
    assert rows["Progress"].startswith("[########.......")
    assert "] 25.0 %, about " in rows["Progress"]
    assert rows["Status"] == "Rendering"
    assert rows["Application"].startswith(f"process {holding.pid} for ")
    assert rows["Memory"].endswith(" MiB, with all that it started")
    assert rows["  a"] == "line"
    with terminal(host, *command, "--json") as seen:
        assert seen.end() == 0
        assert json.loads(seen.raw)["progress"] == 25.0
    holding.let_go()
    assert task.end().status == 0
    with terminal(host, *command) as seen:
        assert seen.end() == 0
        rows = table(seen.lines)
        # What an application prints does not command the terminal of whoever asks.
        assert b"\x1b" not in seen.raw
    assert rows["State"].startswith("idle for ")
    assert rows["Last"].startswith("task 1 ok after ")
    assert all(len(line) <= WIDTH for line in rows.values())
    assert session.stop().status == 0


def table(lines: list[str]) -> dict[str, Any]:
    """The rows of a table by their names."""
    return {line[:12].rstrip() if line[:2] != "  " else line[:3]: line[12:] for line in lines} | {
        line[:3]: line[4:] for line in lines if line.startswith("  ")
    }
