"""Cancels with a notice of the engine's: everything is over before it would kill.

Time is the subject here: NotifyEnd is a deadline of the specification.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import shutil
import signal
import sys
import threading
import time
from queue import SimpleQueue
from typing import Any

import pytest
from apps.drive import Command, Host, Session, is_gone
from apps.gates import LIMIT, Gate, Visitor
from bounded import Task

from openjd.adaptor_runtime import _session
from openjd.adaptor_runtime._output import Output
from openjd.adaptor_runtime.adaptors import SemanticVersion
from openjd.adaptor_runtime.application import Limits
from openjd.adaptor_runtime.application.supervised import SupervisedAdaptor

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and groups of POSIX")

RECEIVED = "INFO: Interruption signal received"
FOR_EVER = "threading.Event().wait()"
#: Three generations that are deaf to every request to end, each in a session of its own.
DYNASTY = "application('dynasty', {port}).wait()"


class Engine:
    """Writes cancel_info.json into the session's working directory, as an engine does."""

    def __init__(self, host: Host) -> None:
        self._file = host.folder / "cancel_info.json"
        host.env["OPENJD_SESSION_WORKING_DIR"] = str(host.folder)
        #: NotifyEnd, a time of ``time.time``.
        self.end = 0.0

    def write(self, seconds: float) -> None:
        """Writes the file, for an end in so many seconds (engines know whole ones)."""
        self.end = math.ceil(time.time() + seconds)
        text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.end))
        self._file.write_text(json.dumps({"NotifyEnd": text}))

    def notify(self, command: Command, seconds: float) -> None:
        """Notifies a command."""
        self.write(seconds)
        command.cancel()

    def in_time(self, *gone: Visitor) -> bool:
        """Waits until these have ended, and says whether the engine would have had to kill."""
        for visitor in gone:
            visitor.gone()
        return time.time() < self.end


@pytest.fixture
def engine(host: Host) -> Engine:
    """The engine on the host."""
    return Engine(host)


def notices(lines: list[str]) -> list[str]:
    """What was said of signals."""
    return [line[len(RECEIVED) :] for line in lines if line.startswith(RECEIVED)]


@pytest.mark.parametrize("on_cancel", [True, False])
def test_a_deaf_family(host: Host, engine: Engine, gate: Gate, on_cancel: bool) -> None:
    """A whole tree that is deaf is gone, and the command over, before NotifyEnd."""
    session = Session(host) if on_cancel else Session(host, ("-m", "plain"))
    if on_cancel:
        session.start(cancel="print('on_cancel does nothing')")
        task = session.begin_run(DYNASTY.format(port=gate.port))
    else:
        assert session.begin("start").end().status == 0
        task = session.begin_run(f"dynasty {gate.port}")
    family = [gate.wait() for _ in range(3)]
    engine.notify(task, 5)
    ended = task.end()
    assert engine.in_time(*family)
    assert (ended.status, ended.err) == (1, "")
    assert ended.lines[-1] == "INFO: Canceled"
    (notice,) = notices(ended.lines)
    assert notice in (", 5 seconds left", ", 6 seconds left")
    assert session.stop().status == 0


@posix
def test_applications_are_asked_before_they_are_killed(
    session: Session, engine: Engine, gate: Gate
) -> None:
    """Where on_cancel does nothing, every process of the tree gets SIGTERM while there is time.

    One that ends at that is all that on_run waits for: nothing is killed.
    """
    session.start(cancel="print('on_cancel does nothing')")
    code = f"a = application('parent', {gate.port}); a.wait(); print('ended with', a.returncode)"
    task = session.begin_run(code)
    family = [gate.wait(), gate.wait()]
    engine.notify(task, 5)
    ended = task.end()
    assert engine.in_time(*family)
    assert f"ended with {-signal.SIGTERM}" in ended.lines
    assert session.stop().status == 0


def test_code_that_nothing_ends(session: Session, engine: Engine, gate: Gate) -> None:
    """An adaptor that does not react at all: told, and given up, before NotifyEnd."""
    session.start(cancel="pass")
    daemon = session.daemon()
    task = session.begin_run(f"gates.Knock({gate.port}); {FOR_EVER}")
    gate.wait()
    engine.notify(task, 4)
    ended = task.end()
    assert engine.in_time()
    assert "did not react to the cancel while its run step" in ended.fails()
    assert "Thread adaptor:" in ended.out
    assert session.stop().status == 0
    assert is_gone(daemon)


def test_an_earlier_end(session: Session, engine: Engine, gate: Gate) -> None:
    """A second notice with an earlier NotifyEnd holds for what is under way."""
    session.start(cancel="pass")
    task = session.begin_run(DYNASTY.format(port=gate.port))
    family = [gate.wait() for _ in range(3)]
    engine.notify(task, 300)
    task.until("Canceling")
    engine.notify(task, 4)
    ended = task.end()
    assert engine.in_time(*family)
    assert ended.lines[-1] == "INFO: Canceled"
    assert len(notices(ended.lines)) == 2
    assert "hurrying" not in ended.out
    assert session.stop().status == 0


@posix
def test_the_same_notice_again(session: Session, engine: Engine, gate: Gate) -> None:
    """Engines notify the process and its group: that is one notice, and hurries nothing."""
    session.start(
        start="canceled = threading.Event()",
        cancel=f"gates.pass_through({gate.port}); canceled.set()",
    )
    task = session.begin_run(
        f"a = application('hold', {gate.port}); canceled.wait()\n"
        "print('alive', a.is_running); a.kill()"
    )
    held = gate.wait()
    engine.notify(task, 300)
    in_cancel = gate.wait()
    task.cancel("SIGINT")
    engine.notify(task, 200)
    # Whichever of the two came with the earlier end: the other says nothing.
    task.until(f"{RECEIVED}, 20")
    in_cancel.let_go()
    ended = task.end()
    held.gone()
    assert len(notices(ended.lines)) == 2
    assert "hurrying" not in ended.out
    assert "alive True" in ended.lines
    assert session.stop().status == 0


def test_a_file_from_before(session: Session, engine: Engine, gate: Gate) -> None:
    """What an earlier action of the session was told does not count: the second signal hurries."""
    session.start(cancel="pass")
    engine.write(600)
    path = session.host.folder / "cancel_info.json"
    earlier = time.time() - 60
    os.utime(path, (earlier, earlier))
    task = session.begin_run(f"application('defy', {gate.port}).wait()")
    defiant = gate.wait()
    task.cancel()
    task.until("Canceling")
    task.cancel()
    defiant.gone()
    ended = task.end()
    assert notices(ended.lines) == ["", ", hurrying"]
    assert session.stop().status == 0


def test_a_file_of_garbage(session: Session, engine: Engine, gate: Gate) -> None:
    """Is as good as none."""
    session.start(cancel="canceled.set()", start="canceled = threading.Event()")
    (session.host.folder / "cancel_info.json").write_bytes(b'{"NotifyEnd": \xff' * 1000)
    task = session.begin_run(f"gates.Knock({gate.port}); canceled.wait()")
    gate.wait()
    task.cancel()
    ended = task.end()
    assert (ended.status, ended.err) == (1, "")
    assert notices(ended.lines) == [""]
    assert session.stop().status == 0


def test_start(session: Session, engine: Engine, gate: Gate) -> None:
    """A start that is cancelled has cleaned up, and its daemon is gone, before NotifyEnd."""
    command = session.begin_start(
        start=DYNASTY.format(port=gate.port), cancel="pass", cleanup="print('on_cleanup')"
    )
    family = [gate.wait() for _ in range(3)]
    daemon = session.daemon()
    engine.notify(command, 5)
    ended = command.end()
    assert engine.in_time(*family)
    assert is_gone(daemon)
    assert (ended.status, ended.err) == (1, "")
    assert ended.lines[-2:] == ["on_cleanup", "INFO: Canceled"]
    assert not session.file.exists()


@posix
def test_a_daemon_that_is_not_ready(host: Host, engine: Engine, gate: Gate) -> None:
    """A daemon that hangs in an import, deaf to the signal, is killed before NotifyEnd."""
    session = Session(host, ("-m", "deaf_import"), DEAF_IMPORT=str(gate.port))
    command = session.begin("start")
    importing = gate.wait()
    engine.notify(command, 3)
    ended = command.end()
    assert engine.in_time(importing)
    assert (ended.status, ended.err) == (1, "")
    assert ended.lines[-1] == "INFO: Canceled"


def test_stop(session: Session, engine: Engine, gate: Gate) -> None:
    """What on_stop waits for is killed in time for the rest of the stop."""
    session.start(stop=DYNASTY.format(port=gate.port), cancel="pass", cleanup="print('on_cleanup')")
    daemon = session.daemon()
    stop = session.begin("stop")
    family = [gate.wait() for _ in range(3)]
    engine.notify(stop, 5)
    ended = stop.end()
    assert engine.in_time(*family)
    assert is_gone(daemon)
    assert (ended.status, ended.err) == (0, "")
    assert ended.lines[-1] == "on_cleanup"
    assert not session.file.exists()


def test_stop_that_waits_for_a_task(session: Session, engine: Engine, gate: Gate) -> None:
    """The task has a part of the time only; on_stop and on_cleanup come after it."""
    session.start(cancel="pass", stop="print('on_stop')", cleanup="print('on_cleanup')")
    daemon = session.daemon()
    task = session.begin_run(DYNASTY.format(port=gate.port))
    family = [gate.wait() for _ in range(3)]
    stop = session.begin("stop")
    task.until("Canceling")
    engine.notify(stop, 6)
    ended = stop.end()
    assert engine.in_time(*family)
    assert is_gone(daemon)
    assert (ended.status, ended.err) == (0, "")
    assert ended.lines[-2:] == ["on_stop", "on_cleanup"]
    assert task.end().lines[-1] == "INFO: Canceled"


def test_stop_after_a_task_that_nobody_reads(session: Session, engine: Engine, gate: Gate) -> None:
    """A frontend that does not read its task's output has no more of the time than its share."""
    session.start(
        cancel=f"gates.Knock({gate.port}); canceled.set()", start="canceled = threading.Event()"
    )
    task = session.begin_run(
        f"gates.Knock({gate.port}); canceled.wait(); print('x' * 4_000_000)", held_back=True
    )
    gate.wait()
    stop = session.begin("stop")
    gate.wait()
    engine.notify(stop, 4)
    ended = stop.end()
    assert engine.in_time()
    assert (ended.status, ended.err) == (0, "")
    assert task.end().status == 1


def test_stop_of_code_that_nothing_ends(session: Session, engine: Engine, gate: Gate) -> None:
    """An on_stop that never returns: the daemon is gone before NotifyEnd, and says why."""
    session.start(stop=f"gates.Knock({gate.port}); {FOR_EVER}", cancel="pass")
    daemon = session.daemon()
    stop = session.begin("stop")
    gate.wait()
    engine.notify(stop, 4)
    ended = stop.end()
    assert engine.in_time()
    assert is_gone(daemon)
    assert "did not react to the cancel while its stop step" in ended.fails()
    assert not session.file.exists()


def foreground(host: Host, do: str, **code: str) -> Command:
    """Starts the command ``run``."""
    return host.begin(
        *("-m", "obedient", "run", "--init-data", json.dumps(code)),
        *("--run-data", json.dumps({"do": do})),
    )


def test_foreground(host: Host, engine: Engine, gate: Gate) -> None:
    """The command ``run`` has its applications killed, stops and cleans up before NotifyEnd."""
    command = foreground(
        host,
        DYNASTY.format(port=gate.port),
        cancel="pass",
        stop="print('on_stop')",
        cleanup="print('on_cleanup')",
    )
    family = [gate.wait() for _ in range(3)]
    engine.notify(command, 6)
    ended = command.end()
    assert engine.in_time(*family)
    assert (ended.status, ended.err) == (1, "")
    assert ended.lines[-3:] == ["on_stop", "on_cleanup", "INFO: Canceled"]


def test_foreground_with_an_on_stop_that_hangs(host: Host, engine: Engine, gate: Gate) -> None:
    """What follows the task that was cancelled has only what is left of the time."""
    command = foreground(
        host,
        f"gates.Knock({gate.port}); canceled.wait()",
        start="canceled = threading.Event()",
        cancel="canceled.set()",
        stop=DYNASTY.format(port=gate.port),
        cleanup="print('on_cleanup')",
    )
    gate.wait()
    # In that time three processes start, one after the other.
    engine.notify(command, 20 if sys.platform == "win32" else 5)
    family = [gate.wait() for _ in range(3)]
    ended = command.end()
    assert engine.in_time(*family)
    assert ended.status == 1
    assert ended.lines[-2:] == ["on_cleanup", "INFO: Canceled"]


@pytest.mark.parametrize("where", ["task", "exit"])
def test_foreground_that_nothing_ends(host: Host, engine: Engine, gate: Gate, where: str) -> None:
    """Code that goes on, and a thread of the adaptor's at the exit, end with the process."""
    if where == "task":
        command = foreground(host, f"gates.Knock({gate.port}); {FOR_EVER}", cancel="pass")
    else:
        command = foreground(
            host,
            "threading.Thread(target=threading.Event().wait, daemon=False).start()\n"
            f"gates.Knock({gate.port}); canceled.wait()",
            start="canceled = threading.Event()",
            cancel="canceled.set()",
        )
    gate.wait()
    engine.notify(command, 4)
    ended = command.end()
    assert engine.in_time()
    assert (ended.status, ended.err) == (1, "")
    if where == "task":
        assert "did not react to the cancel" in ended.fails()


@posix
def test_a_frozen_daemon(session: Session, engine: Engine, gate: Gate) -> None:
    """A task is given up in time with a clear line; the daemon is left for the stop."""
    session.start(cancel="pass")
    daemon = session.daemon()
    task = session.begin_run(f"application('hold', {gate.port}).wait()")
    held = gate.wait()
    daemon.suspend()
    engine.notify(task, 2)
    ended = task.end()
    assert engine.in_time()
    says = ended.fails()
    assert f"daemon (process {daemon.pid}) did not answer the cancel in time" in says
    daemon.resume()
    assert session.stop().status == 0
    held.gone()
    assert is_gone(daemon)


@posix
@pytest.mark.parametrize("by_variable", [False, True])
def test_a_daemon_that_freezes_in_stop(
    host: Host, engine: Engine, gate: Gate, by_variable: bool
) -> None:
    """The stop ends it in time with all that it started, and cleans up after it."""
    session = Session(host, by_variable=by_variable)
    session.start(
        start=f"application('dynasty', {gate.port})", stop=f"gates.Knock({gate.port}).wait()"
    )
    family = [gate.wait() for _ in range(3)]
    daemon = session.daemon()
    stop = session.begin("stop")
    stopping = gate.wait()
    daemon.suspend()
    engine.notify(stop, 6)
    ended = stop.end()
    assert engine.in_time(stopping, *family)
    assert f"daemon (process {daemon.pid}) did not answer the cancel in time" in ended.fails()
    assert is_gone(daemon)
    assert not session.file.exists()


@posix
def test_a_daemon_that_freezes_in_start(session: Session, engine: Engine, gate: Gate) -> None:
    """A start that is cancelled ends the daemon, whatever it does."""
    command = session.begin_start(start=f"gates.Knock({gate.port}); {FOR_EVER}")
    starting = gate.wait()
    daemon = session.daemon()
    daemon.suspend()
    engine.notify(command, 6)
    ended = command.end()
    assert engine.in_time(starting)
    assert "did not answer the cancel in time" in ended.fails()
    assert is_gone(daemon)
    assert not session.file.exists()


class Waiting(SupervisedAdaptor):
    """Waits in its task for something else than its application."""

    integration_data_interface_version = SemanticVersion(0, 1)
    limits = Limits(run=0.05)
    release = threading.Event()

    def on_run(self, run_data: dict[str, Any]) -> None:
        with self._step("run"):
            self.release.wait()


def test_a_step_that_was_given_up_and_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The session is given up with it, once; it does not wait for the scheduler's timeout."""
    monkeypatch.setattr(_session, "GIVEN_UP_GRACE", 0.2)
    stuck: SimpleQueue[_session.Step] = SimpleQueue()
    done: SimpleQueue[_session.Outcome] = SimpleQueue()
    session = _session.Session(lambda: Waiting({}), Output(lambda block: None), stuck.put)
    session.submit(_session.Step(_session.START, done.put))
    assert done.get(timeout=LIMIT).ok
    step = _session.Step(_session.RUN, done.put)
    session.submit(step)
    assert stuck.get(timeout=LIMIT) is step
    assert step.given_up
    assert "did not end within 0.2 seconds although its application was ended" in step.stuck_because
    Waiting.release.set()
    assert not done.get(timeout=LIMIT).ok
    session.submit(_session.Step(_session.STOP, done.put))
    assert done.get(timeout=LIMIT).ok
    assert stuck.empty()
    session.close()
    for thread in threading.enumerate():
        if thread.name == "adaptor":
            Task(thread.join).result()


@posix
@pytest.mark.skipif(
    importlib.util.find_spec("openjd.cli") is None, reason="openjd-cli is not installed"
)
def test_under_an_engine(host: Host, gate: Gate) -> None:
    """The engine's own notice is understood, and it never comes to kill."""

    def action(*arguments: str) -> dict[str, Any]:
        where = ("--connection-file", "{{Session.WorkingDirectory}}/session.json")
        return {
            "command": sys.executable,
            "args": ["-m", "obedient", "daemon", *arguments[:1], *where, *arguments[1:]],
            "cancelation": {"mode": "NOTIFY_THEN_TERMINATE", "notifyPeriodInSeconds": 7},
        }

    do = json.dumps({"do": DYNASTY.format(port=gate.port)})
    init = json.dumps({"cancel": "pass", "stop": "print('on_stop')"})
    template = {
        "specificationVersion": "jobtemplate-2023-09",
        "name": "Test",
        "steps": [
            {
                "name": "Render",
                "stepEnvironments": [
                    {
                        "name": "Adaptor",
                        "script": {
                            "actions": {
                                "onEnter": action("start", "--init-data", init),
                                "onExit": action("stop"),
                            }
                        },
                    }
                ],
                "script": {"actions": {"onRun": action("run", "--run-data", do)}},
            }
        ],
    }
    path = host.folder / "template.json"
    path.write_text(json.dumps(template))
    engine = host.begin("-m", "openjd", "run", str(path), "--step", "Render")
    family = [gate.wait() for _ in range(3)]
    engine.process.send_signal(signal.SIGINT)
    for visitor in family:
        visitor.gone()
    ended = engine.end()
    assert ended.status != 0
    assert "Interruption signal received, " in ended.out
    assert "INFO: Canceled" in ended.out
    assert "on_stop" in ended.out
    assert "Notify period ended" not in ended.out
    # The folder in which the engine makes those of its sessions is its own.
    shutil.rmtree(host.temporary / "OpenJD")
