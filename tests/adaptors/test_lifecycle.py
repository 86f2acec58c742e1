"""AdaptorRunner: states, and what is said when one fails."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from bounded import LIMIT, Task

from openjd.adaptor_runtime.adaptors import (
    Adaptor,
    AdaptorRunner,
    AdaptorState,
    SemanticVersion,
)
from openjd.adaptor_runtime.adaptors.lifecycle import LifecycleError

S = AdaptorState
STEPS: dict[AdaptorState, Callable[[AdaptorRunner], None]] = {
    S.START: lambda runner: runner._start(),
    S.RUN: lambda runner: runner._run({"frame": 1}),
    S.STOP: lambda runner: runner._stop(),
    S.CLEANUP: lambda runner: runner._cleanup(),
    S.CANCELED: lambda runner: runner._cancel(),
}
# Written down a second time: what may follow what.
ALLOWED = {
    S.NOT_STARTED: {S.START, S.CLEANUP, S.CANCELED},
    S.START: {S.RUN, S.STOP, S.CLEANUP, S.CANCELED},
    S.RUN: {S.RUN, S.STOP, S.CLEANUP, S.CANCELED},
    S.CANCELED: {S.RUN, S.STOP, S.CLEANUP, S.CANCELED},
    S.STOP: {S.CLEANUP, S.CANCELED},
    S.CLEANUP: set(),
}
DOING = {
    S.START: "starting",
    S.RUN: "running",
    S.STOP: "stopping",
    S.CLEANUP: "cleaning up",
    S.CANCELED: "canceling the",
}


class Noting(Adaptor[Any]):
    """Notes what it is asked to do; raises ``error`` where there is one."""

    def __init__(self, error: BaseException | None = None) -> None:
        super().__init__({})
        self.calls: list[str] = []
        self.error = error

    @property
    def integration_data_interface_version(self) -> SemanticVersion:
        return SemanticVersion(0, 1)

    def note(self, what: str) -> None:
        """Notes it, or fails."""
        self.calls.append(what)
        if self.error is not None:
            raise self.error

    def on_start(self) -> None:
        self.note("start")

    def on_run(self, run_data: dict[str, Any]) -> None:
        self.note(f"run {run_data['frame']}")

    def on_stop(self) -> None:
        self.note("stop")

    def on_cleanup(self) -> None:
        self.note("cleanup")

    def on_cancel(self) -> None:
        self.note("cancel")


def in_state(state: AdaptorState, adaptor: Noting) -> AdaptorRunner:
    """A runner in that state."""
    runner = AdaptorRunner(adaptor=adaptor)
    runner.state = state
    return runner


def test_names_of_states() -> None:
    """The states have the values of 0.9."""
    assert [state.value for state in AdaptorState] == [
        "not_started",
        "start",
        "run",
        "stop",
        "cleanup",
        "canceled",
    ]


def test_a_whole_life(capsys: pytest.CaptureFixture[str]) -> None:
    """Each state calls what belongs to it, in order, and says nothing where all is well."""
    adaptor = Noting()
    runner = AdaptorRunner(adaptor=adaptor)
    assert runner.state is S.NOT_STARTED
    for state, step in (*list(STEPS.items())[:2], *list(STEPS.items())[1:4]):
        step(runner)
        assert runner.state is state
    assert adaptor.calls == ["start", "run 1", "run 1", "stop", "cleanup"]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("state", AdaptorState)
@pytest.mark.parametrize("next_state", STEPS)
def test_what_may_follow_what(state: AdaptorState, next_state: AdaptorState) -> None:
    """A state that may not follow is refused by name, before the adaptor is asked anything."""
    adaptor = Noting()
    runner = in_state(state, adaptor)
    if next_state in ALLOWED[state]:
        STEPS[next_state](runner)
        assert runner.state is next_state
        assert len(adaptor.calls) == 1
    else:
        with pytest.raises(LifecycleError) as caught:
            STEPS[next_state](runner)
        assert runner.state is state
        assert adaptor.calls == []
        assert f"state {state.value} cannot enter state {next_state.value}" in str(caught.value)


BEFORE = {
    S.START: S.NOT_STARTED,
    S.RUN: S.START,
    S.STOP: S.RUN,
    S.CLEANUP: S.STOP,
    S.CANCELED: S.RUN,
}


@pytest.mark.parametrize("state", STEPS)
def test_failure(state: AdaptorState, capsys: pytest.CaptureFixture[str]) -> None:
    """An exception is told to the scheduler in one line and goes on to the caller."""
    error = RuntimeError("no licence")
    runner = in_state(BEFORE[state], Noting(error))
    with pytest.raises(RuntimeError) as caught:
        STEPS[state](runner)
    assert caught.value is error
    assert runner.state is state
    assert capsys.readouterr().out == (
        f"openjd_fail: Error encountered while {DOING[state]} adaptor: no licence\n"
    )


def invalid() -> jsonschema.ValidationError:
    """An error whose text is a page long."""
    with pytest.raises(jsonschema.ValidationError) as caught:
        jsonschema.validate({"a": "x" * 1000}, {"properties": {"a": {"enum": ["y"]}}})
    caught.value.message = "/a: not allowed"
    return caught.value


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RuntimeError("one\ntwo\r\nthree"), "one two three"),
        (ValueError("a\nopenjd_env: A=b"), "a openjd_env: A=b"),
        (KeyError("frame"), "KeyError: 'frame'"),
        (RuntimeError(), "RuntimeError"),
        (FileNotFoundError(2, "No such file", "/s.nk"), "[Errno 2] No such file: '/s.nk'"),
        (TypeError("unsupported operand"), "TypeError: unsupported operand"),
        (invalid(), "/a: not allowed"),
        (RuntimeError("\u00fc\u20ac"), "\u00fc\u20ac"),
    ],
)
def test_message(error: Exception, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The message is one line that somebody understands who does not know the code."""
    runner = in_state(S.START, Noting(error))
    with pytest.raises(type(error)):
        runner._run({"frame": 1})
    out = capsys.readouterr().out
    assert out == f"openjd_fail: Error encountered while running adaptor: {message}\n"


def test_cleanup_after_a_failure() -> None:
    """Whatever failed, cleaning up is possible."""
    for state, before in BEFORE.items():
        if state is S.CLEANUP:
            continue
        adaptor = Noting(RuntimeError("x"))
        runner = in_state(before, adaptor)
        with pytest.raises(RuntimeError):
            STEPS[state](runner)
        adaptor.error = None
        runner._cleanup()
        assert runner.state is S.CLEANUP


def test_cancel_while_it_runs() -> None:
    """A cancel does not wait for the task that it cancels."""
    running, canceled = threading.Event(), threading.Event()

    class Busy(Noting):
        def on_run(self, run_data: dict[str, Any]) -> None:
            running.set()
            assert canceled.wait(LIMIT)

        def on_cancel(self) -> None:
            canceled.set()

    runner = in_state(S.START, Busy())
    task = Task(runner._run, {})
    assert running.wait(LIMIT)
    Task(runner._cancel).result()
    task.result()
    assert runner.state is S.CANCELED
