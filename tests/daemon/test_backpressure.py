"""A frontend that reads slowly, or that is not there, holds up nothing and loses nothing."""

from __future__ import annotations

import json

import pytest
from apps.drive import Session
from apps.gates import Gate

#: Lines of 100 bytes: 20 MB, more than the daemon keeps in memory.
COUNT = 200_000
SHOWN = "ADAPTOR_OUTPUT: STDOUT: "


def numbered(count: int = COUNT) -> list[str]:
    """What the child `flood` prints, as it is shown."""
    return [f"{SHOWN}line {n:07d} {'x' * 86}" for n in range(count)]


def test_a_frontend_that_is_not_read(session: Session, gate: Gate) -> None:
    """The application prints 20 MB to the end and status is answered; then all is there."""
    session.start()
    task = session.begin_run(
        f"application('flood', {COUNT}, {gate.port}).wait(); gates.pass_through({gate.port})",
        held_back=True,
    )
    gate.wait()  # The application has got rid of all its output.
    in_task = gate.wait()
    assert session.status()["busy"] == "run"
    assert sum(p.stat().st_size for p in session.host.temporary.rglob("output")) > 10_000_000
    in_task.let_go()
    ended = task.end()
    assert (ended.status, ended.err) == (0, "")
    assert ended.lines[1:] == numbered()
    assert session.run("print('next')") == (0, "next\n", "")
    assert session.stop().status == 0


def test_a_cancel_of_a_frontend_that_is_not_read(session: Session, gate: Gate) -> None:
    """It reaches the task although the pipe is full."""
    session.start(cancel="canceled.set()", start="canceled = threading.Event()")
    task = session.begin_run(
        f"application('flood', 20_000, {gate.port}).wait()\n"
        f"knock = gates.Knock({gate.port}); canceled.wait(); knock.close()",
        held_back=True,
    )
    gate.wait()
    in_task = gate.wait()
    task.kill()
    in_task.gone()
    stopped = session.stop()
    assert stopped.status == 0
    # Nobody has read what the killed frontend had taken, and nothing after it is lost.
    rest = [line for line in stopped.lines if line.startswith(f"{SHOWN}line ")]
    assert rest == numbered(20_000)[-len(rest) :]


def test_output_while_nobody_is_there(session: Session, gate: Gate) -> None:
    """What an application prints between two tasks is kept, in order, for the next frontend."""
    session.start()
    first = session.run(
        "def later():\n"
        f"    gates.pass_through({gate.port})\n"
        f"    application('flood', {COUNT}, {gate.port}).wait()\n"
        "thread = threading.Thread(target=later); thread.start()\n"
        "print('begun')\n"
    )
    assert first == (0, "begun\n", "")
    gate.wait().let_go()
    gate.wait()  # All of it has been printed.
    second = session.run("thread.join(); print('next')")
    assert (second.status, second.err) == (0, "")
    assert second.lines[0].startswith("ADAPTOR_OUTPUT: INFO: Running command: ")
    assert second.lines[1:-1] == numbered()
    assert second.lines[-1] == "next"
    assert session.host.files() != []
    assert session.stop().status == 0


def test_a_stop_takes_what_was_not_read(session: Session) -> None:
    """Output between the last task and the stop is shown by the stop."""
    session.start(stop="go.set(); thread.join()")
    session.run(
        "go = threading.Event()\n"
        "thread = threading.Thread(target=lambda: (go.wait(), print('said by a thread')))\n"
        "thread.start()\n"
    )
    assert session.stop() == (0, "said by a thread\n", "")


@pytest.mark.parametrize("step", ["start", "run", "stop"])
def test_a_failure_behind_much_output(session: Session, gate: Gate, step: str) -> None:
    """The line that says why stands alone at its line's start, however late it is read."""
    fails = (
        "for n in range(30_000): print('x' * 99)\n"
        f"gates.pass_through({gate.port})\n"
        "raise RuntimeError('the reason')\n"
    )
    if step == "start":
        data = json.dumps({"start": fails})
        command = session.begin("start", "--init-data", data, held_back=True)
    elif step == "run":
        session.start()
        command = session.begin_run(fails, held_back=True)
    else:
        session.start(stop=fails)
        command = session.begin("stop", held_back=True)
    gate.wait().let_go()
    ended = command.end()
    assert ended.fails().endswith("the reason")
    assert ended.lines.count("x" * 99) == 30_000
    if step == "run":
        assert session.stop().status == 0


@pytest.mark.parametrize("count", [1, 600_000], ids=["little", "much"])
def test_messages_while_nobody_is_there(session: Session, gate: Gate, count: int) -> None:
    """They are of no task: shown to the next frontend, and not taken for messages of its task."""
    session.start()
    first = session.run(
        "def later():\n"
        f"    gates.pass_through({gate.port})\n"
        "    print('openjd_fail: too late\\nopenjd_progress: 99')\n"
        f"    print('openjd_env: A=10\\n' * {count}, end='')\n"
        f"    gates.pass_through({gate.port})\n"
        "thread = threading.Thread(target=later); thread.start()\n"
    )
    assert first == (0, "", "")
    gate.wait().let_go()
    printed = gate.wait()
    second = session.run("print('openjd_status: mine')")
    assert (second.status, second.err) == (0, "")
    assert {line for line in second.lines if line.startswith("openjd_")} == {"openjd_status: mine"}
    assert second.out.count("openjd_env: A=10\n") == count
    assert "openjd_fail: too late" in second.out
    printed.let_go()
    assert session.stop().status == 0


def test_messages_of_a_task_whose_frontend_was_killed(session: Session, gate: Gate) -> None:
    """What it could not take any more is shown later, and is not taken for the next task's."""
    session.start()
    task = session.begin_run(
        "for n in range(200): print('openjd_env: A=10\\n' * 1000, end='')\n"
        f"gates.pass_through({gate.port})",
        held_back=True,
    )
    printed = gate.wait()
    task.kill()
    printed.let_go()
    printed.gone()
    ended = session.stop()
    assert (ended.status, ended.err) == (0, "")
    assert not any(line.startswith("openjd_") for line in ended.lines)
    assert "openjd_env: A=10" in ended.out
