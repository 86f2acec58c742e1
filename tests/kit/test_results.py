"""Results: each assertion holds where it must, and fails where it must, with the log's end."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from openjd.adaptor_runtime.testing import Result

TEXT = """\
ADAPTOR_OUTPUT: INFO: Running command: render 1
ADAPTOR_OUTPUT: STDOUT: Fra:1
openjd_progress: 50.0
openjd_status: Rendering 1
ADAPTOR_OUTPUT: STDERR: careful
openjd_status: Rendering 2
openjd_progress: 100.0
"""
FAIL = "openjd_fail: Error encountered while running adaptor: no paint\n"


def good(text: str = TEXT) -> Result:
    return Result("run", "ok", text, 0)


def failed(text: str = TEXT + FAIL) -> Result:
    return Result("run", "failed", text, 1)


def canceled(text: str = TEXT) -> Result:
    return Result("run", "canceled", text, 1)


def progress(*percent: float) -> Result:
    return good("".join(f"openjd_progress: {one}\n" for one in percent))


def test_what_it_knows() -> None:
    """Lines without the daemon's prefix, and what the messages among them say."""
    result = failed()
    assert result.lines[:2] == ["INFO: Running command: render 1", "STDOUT: Fra:1"]
    assert result.progress == [50, 100]
    assert result.statuses == ["Rendering 1", "Rendering 2"]
    assert result.fails == ["Error encountered while running adaptor: no paint"]
    assert (result.reason, result.ok, result.exit_status) == ("no paint", False, 1)
    assert repr(result) == "<Result of run: failed: no paint>"
    assert (good().reason, good().ok, repr(good())) == (None, True, "<Result of run: ok>")
    assert failed("openjd_fail: own words: x\n").reason == "own words: x"
    assert failed("openjd_progress: much\n").progress == []


@pytest.mark.parametrize(
    "holds",
    [
        lambda: good().assert_ok(),
        lambda: failed().assert_failed(),
        lambda: failed().assert_failed("no paint"),
        lambda: failed().assert_failed(re.compile("no p.int$")),
        lambda: canceled().assert_canceled(),
        lambda: good().assert_progress(),
        lambda: good().assert_progress([50, 100]),
        lambda: progress(0, 0, 10).assert_progress([0, 0, 10], complete=False),
        lambda: progress().assert_no_progress(),
        lambda: good().assert_status("Rendering 1", re.compile("2$")),
        lambda: good().assert_status("Rendering 2"),
        lambda: good().assert_line("Fra:1"),
        lambda: good().assert_line(re.compile("^STDERR: "), count=1),
        lambda: good().assert_line("nothing", count=0),
        lambda: good().assert_lines("Fra:1", re.compile("^STDERR: ")),
        lambda: good().assert_no_line("Fra:2"),
    ],
)
def test_what_holds(holds: Callable[[], Result]) -> None:
    """It returns the result, for the next assertion."""
    assert isinstance(holds(), Result)


@pytest.mark.parametrize(
    ("fails", "words"),
    [
        (lambda: failed().assert_ok(), "the run was to go well, but failed: no paint"),
        (lambda: failed("").assert_ok(), "but failed: no openjd_fail line says why"),
        (lambda: canceled().assert_ok(), "was to go well, but was canceled"),
        (lambda: good(FAIL).assert_ok(), "went well, but has told of a failure: Error enc"),
        (lambda: good().assert_failed(), "the run was to fail, but went well"),
        (lambda: canceled().assert_failed(), "the run was to fail, but was canceled"),
        (lambda: failed("").assert_failed(), "one openjd_fail line was to say so, not []"),
        (lambda: failed(2 * FAIL).assert_failed(), "one openjd_fail line was to say so, not ['"),
        (lambda: failed().assert_failed("ink"), "to fail for 'ink', but failed for 'no paint'"),
        (lambda: failed().assert_failed(re.compile("^n")), "for the pattern '^n', but failed"),
        (lambda: good().assert_canceled(), "was to be cancelled, but went well"),
        (lambda: failed().assert_canceled(), "was to be cancelled, but failed: no paint"),
        (lambda: canceled(FAIL).assert_canceled(), "was cancelled, but told of a failure: "),
        (lambda: good().assert_progress([100]), "was to be [100], but was [50.0, 100.0]"),
        (lambda: progress().assert_progress(), "was to tell of progress, but told of none"),
        (lambda: progress(50, 40, 100).assert_progress(), "but went from 50.0 to 40.0"),
        (lambda: progress(50, 101).assert_progress(), "progress is 0 to 100, but was [50.0, 101"),
        (lambda: progress(-1, 100).assert_progress(), "progress is 0 to 100, but was [-1.0"),
        (lambda: progress(50).assert_progress(), "was to end with 100, told once, but was [50.0]"),
        (lambda: progress(100, 100).assert_progress(), "was to end with 100, told once, but was"),
        (lambda: good().assert_no_progress(), "no progress was to be told, but it was [50.0"),
        (lambda: good().assert_status("Sleeping"), "a status 'Sleeping' was to be told, but the"),
        (
            lambda: good().assert_status("Rendering 2", "Rendering 1"),
            "a status 'Rendering 1', behind 'Rendering 2', was to be told, but",
        ),
        (lambda: good().assert_line("Fra:2"), "a line with 'Fra:2', but there is none"),
        (lambda: good().assert_line("Fra", count=2), "2 lines with 'Fra', not 1"),
        (lambda: good().assert_line("Fra", count=0), "0 lines with 'Fra', not 1"),
        (lambda: good().assert_lines("careful", "Fra:1"), "with 'Fra:1', behind 'careful', but"),
        (lambda: good().assert_no_line("Fra"), "no line with 'Fra', but there is: STDOUT: Fra:1"),
    ],
)
def test_what_does_not_hold(fails: Callable[[], Result], words: str) -> None:
    """It says what was expected and what there was, and shows the end of the log."""
    with pytest.raises(AssertionError) as caught:
        fails()
    first, second, *shown = str(caught.value).splitlines()
    assert words in first
    assert second == "--- all that the run showed ---"
    assert shown


def test_a_long_log() -> None:
    """The end of it is shown."""
    text = "".join(f"line {number}\n" for number in range(1000))
    with pytest.raises(AssertionError) as caught:
        good(text).assert_line("x")
    lines = str(caught.value).splitlines()
    assert lines[1] == "--- the last 40 lines of 1000 the run showed ---"
    assert (lines[2], lines[-1], len(lines)) == ("  line 960", "  line 999", 42)
