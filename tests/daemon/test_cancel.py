"""Cancels: by signals to a frontend or the daemon, by a stop, by a frontend that vanishes."""

from __future__ import annotations

import re
import sys

import pytest
from apps import signals
from apps.drive import Host, Session, await_end, is_gone
from apps.gates import Gate

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and groups of POSIX")

each_signal = pytest.mark.parametrize("signal_name", signals.CANCEL_SIGNALS)

#: on_cancel for tasks that wait on `canceled`.
SET = "print('on_cancel'); canceled.set()"
CREATE = "canceled = threading.Event()"
WAIT = "knock = gates.Knock({port}); canceled.wait(); print('on_run ends')"


@each_signal
def test_a_signal_cancels_the_task(session: Session, gate: Gate, signal_name: str) -> None:
    """on_cancel is called in another thread while on_run is busy; the daemon lives on."""
    session.start(
        start=CREATE,
        cancel="print('in another thread:', threading.get_ident() != ident); canceled.set()",
        stop="print('on_stop')",
    )
    task = session.begin_run("ident = threading.get_ident()\n" + WAIT.format(port=gate.port))
    gate.wait()
    task.cancel(signal_name)
    ended = task.end()
    assert (ended.status, ended.err) == (1, "")
    assert [line for line in ended.lines if not line.startswith("ADAPTOR_OUTPUT: INFO: ")] == [
        "INFO: Interruption signal received",
        "in another thread: True",
        "on_run ends",
        "INFO: Canceled",
    ]
    assert session.run("print('next')") == (0, "next\n", "")
    assert session.stop() == (0, "on_stop\n", "")


def test_a_task_that_raises_because_it_was_canceled(session: Session, gate: Gate) -> None:
    """The exception with which on_run answers the cancel does not hide that it was one."""
    session.start(start=CREATE, cancel="canceled.set()")
    code = WAIT.format(port=gate.port) + "; raise RuntimeError('interrupted')"
    task = session.begin_run(code)
    gate.wait()
    task.cancel()
    ended = task.end()
    assert ended.status == 1
    assert ended.lines[-1] == "INFO: Canceled"
    assert session.stop().status == 0


def test_an_on_cancel_that_fails(session: Session, gate: Gate) -> None:
    """Shown in one line with its place; the task is cancelled all the same."""
    session.start(cancel="print('on_cancel'); application.kill(); raise OSError('no such button')")
    code = f"application = application('hold', {gate.port}); application.wait()"
    task = session.begin_run(code)
    held = gate.wait()
    task.cancel()
    held.gone()
    ended = task.end()
    assert ended.status == 1
    assert "Traceback" not in ended.text
    assert "no such button" in ended.out
    assert ended.lines[-1] == "INFO: Canceled"
    assert session.stop().status == 0


@pytest.mark.parametrize("child", ["hold", "parent"])
def test_applications_are_ended_where_the_adaptor_has_no_on_cancel(
    host: Host, gate: Gate, child: str
) -> None:
    """The runtime ends the application and its children, also those that left its group."""
    session = Session(host, ("-m", "plain"))
    assert session.begin("start").end().status == 0
    task = session.begin_run(f"{child} {gate.port}")
    held = [gate.wait() for _ in range(2 if child == "parent" else 1)]
    task.cancel()
    for visitor in held:
        visitor.gone()
    ended = task.end()
    assert ended.status == 1
    assert ended.lines[-1] == "INFO: Canceled"
    assert session.stop().status == 0


def test_a_second_signal_kills_what_ignores_the_first(session: Session, gate: Gate) -> None:
    """Neither adaptor nor application react: the second signal ends the application at once."""
    session.start(cancel="print('on_cancel does nothing')")
    task = session.begin_run(f"application('defy', {gate.port}).wait(); print('on_run ends')")
    defiant = gate.wait()
    task.cancel()
    task.until("on_cancel does nothing")
    assert task.process.poll() is None
    task.cancel()
    defiant.gone()
    ended = task.end()
    assert ended.status == 1
    assert "INFO: Interruption signal received, hurrying" in ended.lines
    assert ended.lines[-2:] == ["on_run ends", "INFO: Canceled"]
    assert session.run("print('next')") == (0, "next\n", "")
    assert session.stop().status == 0


def test_grandchildren_do_not_survive_a_hurried_cancel(session: Session, gate: Gate) -> None:
    """A grandchild with a session of its own that is deaf to SIGTERM is killed too."""
    session.start(cancel="pass")
    task = session.begin_run(f"application('parent', {gate.port}).wait()")
    family = [gate.wait(), gate.wait()]
    task.cancel()
    task.until("Canceling")
    task.cancel()
    for visitor in family:
        visitor.gone()
    assert task.end().status == 1
    assert session.stop().status == 0


@posix
def test_what_an_ended_application_left_in_its_group_does_not_survive(
    session: Session, gate: Gate
) -> None:
    """A child whose parent has ended is found by its process group."""
    session.start(cancel="for_ever.set()", start="for_ever = threading.Event()")
    task = session.begin_run(f"application('forsake', {gate.port}).wait(); for_ever.wait()")
    forsaken = gate.wait()
    task.until("forsaken")
    task.cancel()
    assert task.end().status == 1
    session.stop()
    forsaken.gone()


def test_a_killed_frontend_cancels_the_task(session: Session, gate: Gate) -> None:
    """Nobody waits for the task any more; the daemon lives, and a stop goes well."""
    session.start(
        start=CREATE, cancel=f"canceled.set(); gates.pass_through({gate.port})", stop="print('bye')"
    )
    task = session.begin_run(WAIT.format(port=gate.port))
    gate.wait()
    task.kill()
    canceling = gate.wait()
    assert session.daemon().pid == canceling.pid
    canceling.let_go()
    stopped = session.stop()
    assert (stopped.status, stopped.err) == (0, "")
    # What the task said after its frontend was gone has found a reader.
    assert stopped.lines[-2:] == ["on_run ends", "bye"]


def test_the_next_task_after_a_killed_frontend(session: Session, gate: Gate) -> None:
    """Once the cancelled task has ended, the daemon takes another."""
    session.start(start=CREATE, cancel="canceled.set()")
    task = session.begin_run(
        f"knock = gates.Knock({gate.port}); canceled.wait(); print('late'); knock.close()"
    )
    running = gate.wait()
    task.kill()
    running.gone()
    ended = session.run("print('next')")
    if "busy" in ended.out:
        # It has left on_run, but its end has not been noted down yet.
        ended = session.run("print('next')")
    assert ended.status == 0
    assert ended.lines[-1] == "next"
    assert session.stop().status == 0


def test_a_frontend_whose_reader_is_gone_cancels(session: Session, gate: Gate) -> None:
    """When nobody reads a frontend's stdout any more, it ends, and so does the task."""
    session.start(start=CREATE, cancel="canceled.set()")
    code = (
        f"gates.pass_through({gate.port}); print('to nobody')\n"
        f"knock = gates.Knock({gate.port}); canceled.wait(); knock.close()"
    )
    task = session.begin_run(code, held_back=True)
    running = gate.wait()
    assert task.process.stdout is not None
    task.process.stdout.close()
    running.let_go()
    gate.wait().gone()
    assert task.process.wait(30) != 0
    assert task.process.stderr is not None
    assert b"Traceback" not in task.process.stderr.read()
    assert session.stop().status == 0


def test_stop_cancels_the_task_first(session: Session, gate: Gate) -> None:
    """The task's frontend sees that it was cancelled; the stop goes through all states."""
    session.start(start=CREATE, cancel=SET, stop="print('on_stop')", cleanup="print('on_cleanup')")
    daemon = session.daemon()
    task = session.begin_run(WAIT.format(port=gate.port))
    gate.wait()
    stopped = session.stop()
    assert is_gone(daemon)
    assert stopped == (0, "on_stop\non_cleanup\n", "")
    ended = task.end()
    assert (ended.status, ended.err) == (1, "")
    assert ended.lines[-3:] == ["on_cancel", "on_run ends", "INFO: Canceled"]


def test_stop_during_a_task_with_an_application(host: Host, gate: Gate) -> None:
    """The application is ended, and nothing of the session is left."""
    session = Session(host, ("-m", "plain"))
    assert session.begin("start").end().status == 0
    task = session.begin_run(f"parent {gate.port}")
    family = [gate.wait(), gate.wait()]
    assert session.stop().status == 0
    for visitor in family:
        visitor.gone()
    assert task.end().status == 1


def test_stop_ends_applications_that_live_through_it(session: Session, gate: Gate) -> None:
    """An application that the adaptor forgets to end does not outlive its daemon."""
    session.start(start=f"application('parent', {gate.port})")
    family = [gate.wait(), gate.wait()]
    assert session.stop().status == 0
    for visitor in family:
        visitor.gone()


def test_a_signal_to_stop(session: Session, gate: Gate) -> None:
    """A stop that is cancelled asks the adaptor to hurry; the daemon is gone all the same."""
    session.start(
        start=CREATE,
        stop=WAIT.format(port=gate.port).replace("on_run", "on_stop"),
        cancel="canceled.set()",
        cleanup="print('on_cleanup')",
    )
    daemon = session.daemon()
    stop = session.begin("stop")
    gate.wait()
    stop.cancel()
    ended = stop.end()
    assert is_gone(daemon)
    assert ended.err == ""
    assert [line for line in ended.lines if line.startswith("on_")] == [
        "on_stop ends",
        "on_cleanup",
    ]
    assert not session.file.exists()


def test_a_killed_stop_goes_on(session: Session, gate: Gate) -> None:
    """Whoever wanted the daemon to stop need not live to see it."""
    session.start(stop=f"knock = gates.Knock({gate.port}); knock.wait()")
    daemon = session.daemon()
    stop = session.begin("stop")
    stopping = gate.wait()
    stop.kill()
    stopping.let_go()
    stopping.gone()
    assert session.stop().status == 0
    assert is_gone(daemon)
    assert not session.file.exists()


def test_cancel_in_start(session: Session, gate: Gate) -> None:
    """A signal while on_start runs: it is cancelled and cleaned up, and the daemon ends."""
    command = session.begin_start(
        init=CREATE,
        start=WAIT.format(port=gate.port).replace("on_run", "on_start"),
        cancel=SET,
        cleanup="print('on_cleanup')",
        stop="print('on_stop must not be called')",
    )
    starting = gate.wait()
    command.cancel()
    ended = command.end()
    starting.gone()
    assert (ended.status, ended.err) == (1, "")
    assert ended.lines[-4:] == ["on_cancel", "on_start ends", "on_cleanup", "INFO: Canceled"]
    assert not session.file.exists()
    assert session.stop().status == 0


def test_cancel_while_the_daemon_is_not_ready(host: Host, gate: Gate) -> None:
    """A signal while the daemon still imports: it is ended, and nothing is left."""
    session = Session(host, ("-m", "dies_early"), DIES_EARLY=str(gate.port))
    command = session.begin("start")
    importing = gate.wait()
    command.cancel()
    importing.gone()
    ended = command.end()
    assert (ended.status, ended.err) == (1, "")
    assert "INFO: Interruption signal received" in ended.lines
    assert not session.file.exists()


def test_a_killed_start_leaves_nothing_that_a_stop_does_not_end(
    session: Session, gate: Gate
) -> None:
    """The frontend of start is killed in on_start: that cancels, and the daemon ends."""
    command = session.begin_start(init=CREATE, start=WAIT.format(port=gate.port), cancel=SET)
    starting = gate.wait()
    command.kill()
    starting.gone()
    stopped = session.stop()
    assert (stopped.status, stopped.err) == (0, "")
    assert not session.file.exists()


@posix
@each_signal
def test_a_signal_to_the_idle_daemon_stops_it(session: Session, signal_name: str) -> None:
    """The daemon ends in good order: on_stop, on_cleanup, no files left."""
    witness = session.host.folder / "witness"
    session.start(
        stop=f"open({str(witness)!r}, 'a').write('on_stop ')",
        cleanup=f"open({str(witness)!r}, 'a').write('on_cleanup')",
    )
    daemon = session.daemon()
    daemon.send_signal(getattr(signals.signal, signal_name))
    await_end(daemon)
    assert witness.read_text() == "on_stop on_cleanup"
    assert not session.file.exists()
    assert session.host.files() == []
    assert "not running" in session.run().fails() or "does not exist" in session.run().fails()
    assert session.stop().status == 0


@posix
def test_a_signal_to_the_busy_daemon_cancels_its_task_and_stops_it(
    session: Session, gate: Gate
) -> None:
    """As a stop would do; the task's frontend sees that it was cancelled."""
    session.start(start=CREATE, cancel=SET)
    daemon = session.daemon()
    task = session.begin_run(WAIT.format(port=gate.port))
    gate.wait()
    daemon.terminate()
    ended = task.end()
    assert (ended.status, ended.err) == (1, "")
    assert ended.lines[-1] == "INFO: Canceled"
    await_end(daemon)
    assert not session.file.exists()


def test_cancels_say_that_they_are_one(session: Session, gate: Gate) -> None:
    """The log says once that the adaptor is asked to end, at most once per line of ours."""
    session.start(start=CREATE, cancel="canceled.set()")
    task = session.begin_run(WAIT.format(port=gate.port))
    gate.wait()
    task.cancel()
    ended = task.end()
    assert len(re.findall("^ADAPTOR_OUTPUT: INFO: Canceling", ended.out, re.MULTILINE)) == 1
    assert "openjd_fail" not in ended.out
    assert session.stop().status == 0
