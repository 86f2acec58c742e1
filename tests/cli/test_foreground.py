"""The command `run`: start, run, stop and cleanup, in one process."""

from __future__ import annotations

import json
import sys

import pytest
from apps import signals
from apps.drive import Command, Host
from apps.gates import Gate

SAY = {step: f"print('on_{step}', os.getpid())" for step in ("start", "stop", "cleanup", "cancel")}


def begin(host: Host, do: str = "", **code: str) -> Command:
    """Starts ``run``; each step that `code` does not have says its name."""
    return host.begin(
        *("-m", "obedient", "run", "--init-data", json.dumps({**SAY, **code})),
        *("--run-data", json.dumps({"do": do})),
    )


def steps(lines: list[str]) -> list[str]:
    """The names of the steps in the output."""
    return [line.split()[0] for line in lines if line.startswith("on_")]


def test_the_order_of_states(host: Host) -> None:
    """Each state once and in order, in the command's own process; exit status 0."""
    command = begin(host, "print('on_run', os.getpid())")
    ended = command.end()
    assert (ended.status, ended.err) == (0, "")
    assert ended.lines == [
        f"on_{step} {command.pid}" for step in ("start", "run", "stop", "cleanup")
    ]
    assert list((host.folder / "home").iterdir()) == []


@pytest.mark.parametrize(
    ("step", "doing", "done"),
    [
        ("start", "starting", ["on_cleanup"]),
        ("run", "running", ["on_start", "on_cleanup"]),
        ("stop", "stopping", ["on_start", "on_cleanup"]),
        ("cleanup", "cleaning up", ["on_start", "on_stop"]),
    ],
)
def test_an_error(host: Host, step: str, doing: str, done: list[str]) -> None:
    """One openjd_fail line, exit status 1, and cleanup runs whatever failed."""
    error = "raise RuntimeError('no\\nluck')"
    ended = (begin(host, error) if step == "run" else begin(host, **{step: error})).end()
    assert ended.status == 1
    assert ended.fails() == f"Error encountered while {doing} adaptor: no luck"
    assert steps(ended.lines) == done


def test_the_first_error_stays_the_first(host: Host) -> None:
    """A cleanup that fails after a run that failed is shown, and changes nothing."""
    ended = begin(
        host, "raise RuntimeError('the first')", cleanup="raise RuntimeError('the second')"
    ).end()
    assert ended.status == 1
    assert "Traceback" not in ended.text
    fails = [line for line in ended.lines if line.startswith("openjd_fail: ")]
    assert fails[0] == "openjd_fail: Error encountered while running adaptor: the first"
    assert "the second" in ended.out
    assert ended.out.index("the first") < ended.out.index("the second")


@pytest.mark.parametrize("code", ["sys.exit(0)", "sys.exit('enough')", "raise KeyboardInterrupt"])
def test_an_adaptor_that_exits(host: Host, code: str) -> None:
    """An exit from within on_run fails the task; cleanup runs."""
    ended = begin(host, code).end()
    assert ended.status == 1
    ended.fails()
    assert steps(ended.lines) == ["on_start", "on_cleanup"]


def test_an_application_that_fails(host: Host) -> None:
    """A line openjd_fail of the application's fails the run, though on_run returns."""
    ended = begin(host, "application('say', 'openjd_fail: no licence').wait()").end()
    assert ended.fails() == "no licence"
    assert steps(ended.lines) == ["on_start", "on_cleanup"]


@pytest.mark.parametrize("signal_name", signals.CANCEL_SIGNALS)
def test_a_signal_cancels(host: Host, gate: Gate, signal_name: str) -> None:
    """on_cancel is called in another thread while on_run is busy; stop and cleanup follow."""
    command = begin(
        host,
        f"thread = threading.get_ident(); gates.Knock({gate.port}); canceled.wait()\n"
        "print('on_run ends')",
        start="canceled = threading.Event()",
        cancel="print('on_cancel', threading.get_ident() != thread); canceled.set()",
    )
    gate.wait()
    command.cancel(signal_name)
    ended = command.end()
    assert (ended.status, ended.err) == (1, "")
    assert "INFO: Interruption signal received" in ended.lines
    assert "on_cancel True" in ended.lines
    assert steps(ended.lines) == ["on_cancel", "on_run", "on_stop", "on_cleanup"]
    assert ended.lines[-1] == "INFO: Canceled"
    assert "openjd_fail" not in ended.out


def test_a_cancel_in_start(host: Host, gate: Gate) -> None:
    """No task is run any more; cleanup runs."""
    command = begin(
        host,
        "print('on_run')",
        init="canceled = threading.Event()",
        start=f"gates.Knock({gate.port}); canceled.wait()",
        cancel="canceled.set()",
    )
    gate.wait()
    command.cancel()
    ended = command.end()
    assert (ended.status, ended.err) == (1, "")
    assert steps(ended.lines) == ["on_cleanup"]
    assert ended.lines[-1] == "INFO: Canceled"


def test_a_second_signal_kills_the_application(host: Host, gate: Gate) -> None:
    """Adaptor and application ignore the first signal; the second ends the application."""
    command = begin(
        host, f"application('defy', {gate.port}).wait(); print('on_run ends')", cancel="pass"
    )
    defiant = gate.wait()
    command.cancel()
    command.until("Canceling")
    command.cancel()
    defiant.gone()
    ended = command.end()
    assert ended.status == 1
    assert "INFO: Interruption signal received, hurrying" in ended.lines
    assert steps(ended.lines) == ["on_start", "on_run", "on_stop", "on_cleanup"]


def test_a_cancel_without_on_cancel(host: Host, gate: Gate) -> None:
    """The runtime ends the applications of an adaptor that knows nothing of cancels."""
    command = host.begin("-m", "plain", "run", "--run-data", f"do: hold {gate.port}")
    application = gate.wait()
    command.cancel()
    application.gone()
    ended = command.end()
    assert ended.status == 1
    assert ended.lines[-1] == "INFO: Canceled"


def test_applications_end_with_the_command(host: Host, gate: Gate) -> None:
    """What the adaptor forgets to end does not outlive the command."""
    command = begin(host, f"application('defy', {gate.port})\ngates.pass_through({gate.port})")
    visitors = [gate.wait(), gate.wait()]
    (on_run,) = (v for v in visitors if v.pid == command.pid)
    (application,) = (v for v in visitors if v.pid != command.pid)
    on_run.let_go()
    assert command.end().status == 0
    application.gone()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no prompt for this")
def test_applications_read_the_null_device(host: Host) -> None:
    """A prompt of an application's does not wait for ever, whatever the command's stdin is."""
    code = "a = LoggingSubprocess(args=['sh', '-c', 'read x; echo got $?'])\na.wait()"
    command = host.begin(
        *("-m", "obedient", "run", "--run-data"),
        json.dumps({"do": "from openjd.adaptor_runtime.process import LoggingSubprocess\n" + code}),
        stdin=-1,
    )
    ended = command.end()
    assert ended.status == 0
    assert ended.lines[-1] == "STDOUT: got 1"
    assert command.process.stdin is not None
    command.process.stdin.close()
