"""The progress of a task at a terminal; and that nothing changes where there is none."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

import pytest
from apps.drive import Host, Session
from apps.gates import Gate

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)
pytest.importorskip("pyte")

from apps import signals
from apps.terminal import Terminal, terminal

#: Says how far it is, waits, prints a line, waits.
TASK = """
print('openjd_status: Rendering \\x1b[31mframe 7')
print('openjd_progress: 25')
print('first line')
gates.pass_through({port})
print('second line')
print('openjd_progress: 50.5')
gates.pass_through({port})
"""


#: What the adaptor does in its other steps.
CODE = {"start": "canceled = threading.Event()", "cancel": "canceled.set()"}


def command(kind: str, session: Session, code: str) -> list[str]:
    """The arguments of ``run`` or ``daemon run`` of a task that executes `code`."""
    data = ["--run-data", json.dumps({"do": code})]
    if kind == "run":
        return ["-m", "obedient", "run", "--init-data", json.dumps(CODE), *data]
    return ["-m", "obedient", "daemon", "run", "--connection-file", str(session.file), *data]


def bar(lines: list[str]) -> str:
    """The last line, if it is a bar; else nothing."""
    return lines[-1] if lines and ("━" in lines[-1] or "╸" in lines[-1]) else ""


@pytest.fixture(params=["run", "daemon run"])
def kind(request: pytest.FixtureRequest, session: Session) -> str:
    """Both commands that run a task; the daemon is there."""
    if request.param == "daemon run":
        session.start(**CODE)
    return str(request.param)


@pytest.fixture(autouse=True)
def stopped(session: Session) -> object:
    """Stops the daemon in the end, if one was started."""
    yield
    assert session.stop().status == 0


def test_the_bar(kind: str, host: Host, session: Session, gate: Gate) -> None:
    """It shows status, percent and time; lines come above it; in the end it is gone."""
    with terminal(host, *command(kind, session, TASK.format(port=gate.port))) as seen:
        first = gate.wait()
        lines = seen.until(lambda lines: "25.0 %" in bar(lines))
        assert "first line" in lines[:-1]
        # What could move the cursor does not come through.
        assert "Rendering  [31mframe 7" in bar(lines)
        first.let_go()
        second = gate.wait()
        lines = seen.until(lambda lines: "50.5 %" in bar(lines))
        assert "left" in bar(lines)
        assert [line for line in lines if line.endswith(" line")] == ["first line", "second line"]
        second.let_go()
        assert seen.end() == 0
        assert not bar(seen.lines)
        assert [line for line in seen.lines if line] == ["first line", "second line"]
        assert seen.cursor_is_visible
        # What tells of progress is what the bar shows; it stands nowhere else.
        assert b"openjd_" not in seen.raw


def test_a_failure(kind: str, host: Host, session: Session) -> None:
    """The bar is gone, and the message stands at the beginning of a line of its own."""
    code = "print('openjd_progress: 10'); raise RuntimeError('no luck')"
    with terminal(host, *command(kind, session, code)) as seen:
        assert seen.end() == 1
        assert not bar(seen.lines)
        fails = [line for line in seen.lines if "openjd_fail" in line]
        assert fails == ["openjd_fail: Error encountered while running adaptor: no luck"]


def test_a_cancel(kind: str, host: Host, session: Session, gate: Gate) -> None:
    """After Ctrl-C the bar is gone, and the cursor is there."""
    code = f"print('openjd_progress: 10'); gates.Knock({gate.port}); canceled.wait()"
    with terminal(host, *command(kind, session, code)) as seen:
        gate.wait()
        seen.until(lambda lines: "10.0 %" in bar(lines))
        signals.send(seen.process, "SIGINT")
        assert seen.end() == 1
        assert not bar(seen.lines)
        assert seen.lines[-1] == "INFO: Canceled"
        assert seen.cursor_is_visible


def test_much_output(kind: str, host: Host, session: Session) -> None:
    """Every line comes, in order and whole, also a long one, and one with odd characters."""
    code = (
        "print('openjd_progress: 10')\n"
        "for n in range(300): print(f'line {n}')\n"
        "print('x' * 250)\n"
        "print('[red]Käse 𝄞')"
    )
    with terminal(host, *command(kind, session, code)) as seen:
        assert seen.end() == 0
        lines = [line for line in seen.lines if line]
        assert lines[:300] == [f"line {n}" for n in range(300)]
        assert "".join(lines[300:303]) == "x" * 250
        assert lines[303].replace("\x00", "").replace(" ", "")[:9] == "[red]Käse"


def plain(seen: Terminal) -> bytes:
    """What a command printed, with the line ends that a terminal makes taken back."""
    return seen.raw.replace(b"\r\n", b"\n")


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"PYTHONPATH_FIRST": "no rich"}])
def test_without_a_bar(
    kind: str, host: Host, session: Session, variables: Mapping[str, str]
) -> None:
    """At a dumb terminal, and without rich, everything is as in a pipe."""
    if "PYTHONPATH_FIRST" in variables:
        place = host.folder / "without"
        place.mkdir()
        (place / "rich.py").write_text("raise ImportError('not installed')")
        variables = {"PYTHONPATH": f"{place}:{host.env['PYTHONPATH']}"}
    code = "print('openjd_progress: 10'); print('openjd_status: going'); print('a line')"
    piped = host.run(*command(kind, session, code))
    with terminal(host, *command(kind, session, code), variables=variables) as seen:
        assert seen.end() == 0
        assert plain(seen) == piped.out.encode()
    assert piped.out == "openjd_progress: 10\nopenjd_status: going\na line\n"


def test_no_color(host: Host, session: Session, gate: Gate) -> None:
    """With NO_COLOR nothing has a colour; the bar is there all the same."""
    code = f"print('openjd_progress: 10'); gates.pass_through({gate.port})"
    arguments = command("run", session, code)
    colours = []
    for variables in ({}, {"NO_COLOR": "1"}):
        with terminal(host, *arguments, variables=variables) as seen:
            running = gate.wait()
            seen.until(lambda lines: "10.0 %" in bar(lines))
            running.let_go()
            assert seen.end() == 0
            colours.append(b"38;" in seen.raw or b"[3" in seen.raw)
    assert colours == [True, False]
