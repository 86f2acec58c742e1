"""Daemons that die: one line says so, with what is known, and nothing is left of them."""

from __future__ import annotations

import sys

import pytest
from apps.drive import Session, await_end, is_gone
from apps.gates import Gate

posix = pytest.mark.skipif(sys.platform == "win32", reason="crashes by signals of POSIX")

ABORT = "os.abort()"
SEGFAULT = "import ctypes; ctypes.string_at(0)"


def test_a_killed_daemon_during_a_task(session: Session, gate: Gate) -> None:
    """The task's frontend says so in one line; files are removed; a stop goes well."""
    session.start()
    task = session.begin_run(f"print('busy'); knock = gates.Knock({gate.port}); knock.wait()")
    gate.wait()
    daemon = session.daemon()
    task.until("busy")
    daemon.kill()
    ended = task.end()
    says = ended.fails()
    assert "ended unexpectedly" in says
    assert str(daemon.pid) in says
    assert len(ended.lines) == 2
    assert not session.file.exists()
    assert session.host.files() == []
    stopped = session.stop()
    assert (stopped.status, stopped.err) == (0, "")
    assert stopped.out.startswith("INFO: Nothing to stop: ")


@pytest.mark.parametrize("step", ["run", "stop"])
def test_a_killed_daemon_between_tasks(session: Session, step: str) -> None:
    """The next command finds nobody: a run fails in one line, a stop has nothing to do."""
    session.start()
    daemon = session.daemon()
    daemon.kill()
    await_end(daemon)
    ended = session.begin(step).end()
    if step == "run":
        assert "not running" in ended.fails()
    else:
        assert (ended.status, ended.err) == (0, "")
    assert len(ended.lines) == 1
    assert not session.file.exists()
    assert session.host.files() == []


def test_a_killed_daemon_found_by_the_variable(session: Session) -> None:
    """Without a connection file, too, nothing of it is left after the stop."""
    session.by_variable = True
    session.start()
    daemon = session.daemon()
    daemon.kill()
    await_end(daemon)
    assert "not running" in session.run().fails()
    assert session.stop().status == 0
    assert session.host.files() == []


def test_a_daemon_killed_in_start(session: Session, gate: Gate) -> None:
    """The frontend of start says so, with the exit status."""
    command = session.begin_start(start=f"knock = gates.Knock({gate.port}); knock.wait()")
    gate.wait()
    session.daemon().kill()
    assert "ended unexpectedly with exit status" in command.end().fails()
    assert not session.file.exists()


def test_a_daemon_killed_in_stop(session: Session, gate: Gate) -> None:
    """The frontend of stop says so and fails; the next stop finds nothing."""
    session.start(stop=f"knock = gates.Knock({gate.port}); knock.wait()")
    daemon = session.daemon()
    command = session.begin("stop")
    gate.wait()
    daemon.kill()
    assert "ended unexpectedly" in command.end().fails()
    assert not session.file.exists()
    assert session.stop().status == 0


@posix
@pytest.mark.parametrize(("crash", "error"), [(ABORT, "Aborted"), (SEGFAULT, "Segmentation")])
def test_a_crash_shows_what_the_threads_did(session: Session, crash: str, error: str) -> None:
    """The interpreter is brought down in on_run: the dump of its threads is shown."""
    session.start()
    daemon = session.daemon()
    ended = session.run(f"def render():\n  {crash}\nprint('last output')\nrender()\n")
    assert "ended unexpectedly" in ended.fails()
    assert is_gone(daemon)
    assert ended.lines[0] == "last output"
    assert f"ADAPTOR_OUTPUT: Fatal Python error: {error}" in ended.out
    assert "line 2 in render" in ended.out
    assert "in on_run" in ended.out
    assert ended.lines[-1].startswith("openjd_fail: ")
    assert not session.file.exists()
    assert session.host.files() == []
    assert session.stop().status == 0


@posix
def test_a_crash_in_start(session: Session) -> None:
    """The same in on_start, with the exit status (a negative signal number)."""
    ended = session.begin_start(start=ABORT).end()
    assert "exit status -6" in ended.fails()
    assert "Fatal Python error: Aborted" in ended.out
    assert session.stop().status == 0


def test_an_adaptor_that_ends_the_process(session: Session) -> None:
    """os._exit in on_run: no dump, but the same line; whoever ends like that was not well."""
    session.start()
    ended = session.run("print('last output'); os._exit(0)")
    assert ended.lines[0] == "last output"
    assert "ended unexpectedly" in ended.fails()
    assert not session.file.exists()
