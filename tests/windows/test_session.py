"""A whole session on Windows: daemon, application and frontends over named pipes."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import psutil
import pytest

if sys.platform != "win32":
    pytest.skip("tests/daemon says the same of this system", allow_module_level=True)

from apps.drive import VARIABLE, Host, Session, is_gone
from apps.fixtures import gate, host
from apps.gates import Gate

from . import security

__all__ = ["gate", "host"]

APPS = Path(__file__).parent / "apps"


@pytest.fixture(params=[False, True], ids=["by file", "by variable"])
def session(host: Host, request: pytest.FixtureRequest) -> Session:
    """A session of the counting adaptor; not started yet."""
    host.env["PYTHONPATH"] = os.pathsep.join([str(APPS), host.env["PYTHONPATH"]])
    return Session(host, ("-m", "counting"), by_variable=request.param)


def begin_task(session: Session, **run_data: object):  # type: ignore[no-untyped-def]
    """Starts ``daemon run``."""
    return session.begin("run", "--run-data", json.dumps(run_data))


def applications(session: Session) -> list[psutil.Process]:
    """The processes that run the client."""
    return [p for p in session.host.processes() if any("client.py" in a for a in p.cmdline())]


def test_start_run_run_stop(session: Session) -> None:
    """One daemon and one application serve all tasks, over pipes that are the user's alone; the
    stop returns when all is gone."""
    started = session.start()
    if session.by_variable:
        address = session.variables[VARIABLE]
    else:
        assert security.of(str(session.file)) == security.owner_only()
        address = json.loads(session.file.read_text())["socket"]
        assert f"openjd_env: {VARIABLE}={address}" in started.lines
    assert re.fullmatch(r"\\\\\.\\pipe\\openjd-[0-9a-f]{16}-[0-9a-f]{32}", address)
    daemon = session.daemon()
    (application,) = applications(session)
    for to in (2, 3):
        ended = begin_task(session, to=to).end()
        assert (ended.status, ended.err) == (0, "")
        says = f"says {application.pid}"
        assert [line for line in ended.lines if says in line] == [
            f"ADAPTOR_OUTPUT: STDOUT: {number}, {says}" for number in range(1, to + 1)
        ]
        assert "openjd_progress: 100" in ended.lines
    stopped = session.stop()
    assert (stopped.status, stopped.err) == (0, "")
    assert "ADAPTOR_OUTPUT: STDOUT: closed" in stopped.lines
    assert is_gone(daemon)
    assert is_gone(application)
    assert session.host.processes() == []
    assert not session.file.exists()
    assert session.host.files() == []


def test_break_cancels_the_task(session: Session, gate: Gate) -> None:
    """CTRL_BREAK to the frontend cancels the task: the application, which waits for its next
    action, gets CTRL_BREAK and ends in good order; the session can be stopped."""
    session.start()
    daemon = session.daemon()
    (application,) = applications(session)
    task = begin_task(session, to=1, gate=gate.port)
    gate.wait()
    task.cancel()
    ended = task.end()
    assert ended.status == 1
    assert "Traceback" not in ended.text
    assert "INFO: Interruption signal received" in ended.lines
    assert "ADAPTOR_OUTPUT: STDOUT: shut down" in ended.lines
    assert "INFO: Canceled" in ended.lines
    application.wait(30)
    assert not is_gone(daemon)
    assert session.stop().status == 0
    assert is_gone(daemon)
    assert session.host.files() == []


def test_the_application_dies_with_its_daemon(session: Session) -> None:
    """Kill the daemon, and the application goes with it; the stop cleans up."""
    session.start()
    (application,) = applications(session)
    daemon = session.daemon()
    daemon.kill()
    daemon.wait(30)
    application.wait(30)
    ended = session.stop()
    assert (ended.status, ended.err) == (0, "")
    assert "not running" in ended.out
    assert not session.file.exists()


def test_everything_dies_with_its_daemon(host: Host, gate: Gate) -> None:
    """Kill the daemon, and what its adaptor has started goes with it: applications with their
    children, and processes that were started past all of the runtime, detached from it."""
    session = Session(host)
    session.start(
        start=f"a = application('dynasty', {gate.port}, 2)\n"
        f"b = subprocess.Popen(child_command('defy', {gate.port}), "
        "creationflags=subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS, "
        "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)"
    )
    visitors = [gate.wait() for _ in range(3)]
    daemon = session.daemon()
    assert len({visitor.pid for visitor in visitors} | {daemon.pid}) == 4
    daemon.kill()
    for visitor in visitors:
        visitor.gone()
    ended = session.stop()
    assert (ended.status, ended.err) == (0, "")
    assert session.host.processes() == []
    assert session.host.files() == []


def test_foreground(session: Session) -> None:
    """The same adaptor in one process."""
    ended = session.host.run("-m", "counting", "run", "--run-data", json.dumps({"to": 2}))
    assert (ended.status, ended.err) == (0, "")
    assert "STDOUT: closed" in ended.lines
    assert session.host.processes() == []
    assert session.host.files() == []


def test_break_in_the_foreground(session: Session, gate: Gate) -> None:
    """CTRL_BREAK to the command that runs all in one process ends it and the application."""
    data = json.dumps({"to": 1, "gate": gate.port})
    command = session.host.begin("-m", "counting", "run", "--run-data", data)
    gate.wait()
    command.cancel()
    ended = command.end()
    assert ended.status == 1
    assert "Traceback" not in ended.text
    assert "STDOUT: shut down" in ended.lines
    assert session.host.processes() == []
