"""Patterns that would search for ever: known beforehand, and tried where that does no harm."""

from __future__ import annotations

import logging
import math
import re
import sys
import threading

import pytest
from apps.drive import Session
from apps.gates import Gate
from bounded import LIMIT
from hypothesis import given, settings
from hypothesis import strategies as st

from app_handlers.test_blocks import patterns
from openjd.adaptor_runtime.app_handlers import RegexCallback, RegexHandler, RunawayPattern
from openjd.adaptor_runtime.app_handlers import _guard as module
from openjd.adaptor_runtime.app_handlers._effort import STEPS, longest_line
from openjd.adaptor_runtime.app_handlers._guard import Guard
from openjd.adaptor_runtime.process import LoggingSubprocess

#: A pattern, and a line that it does not match but would think about until the end of the world.
PATTERN, LINE = "(a+)+$", "a" * 60 + "b"


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a*)*b",
        "(a|aa)+$",
        "(a|a?)+$",
        r"(\w+\s*)+:",
        r"(.*,)*x",
        "(x+x+)+y",
        "(?:a{1,9}){1,99}b",
        "a?" * 30 + "a" * 30,
        r"(a(?:\b)?|a)+c",
        "((a+)?b?)*c",
        r"(\d+|[0-9])+x",
        "(?=(a+)+b)",
        "(?:(?:a+)+b)?c",
    ],
)
def test_what_may_never_end_is_known(pattern: str) -> None:
    """Only for a few characters can these be searched for without precaution."""
    assert longest_line(re.compile(pattern)) <= 11


@pytest.mark.parametrize(
    ("pattern", "flags", "degree"),
    [
        (r"^Frame 12$", 0, 0),
        (r"\AFrame \d\d? ", 0, 0),
        ("ERROR:", 0, 1),
        (r"^\d+ of \d+", 0, 1),
        (r"Progress: (\d+)%", 0, 2),
        (r"\[(\d+)\s*/\s*(\d+)\]", 0, 2),
        (r"(\d+) of (\d+)", re.IGNORECASE, 2),
        (r"error: .*", re.IGNORECASE, 2),
        (r"(?:[a-z ]+,){3}x", 0, 2),
        (r".*Frame (\d+)", 0, 3),
        (r".*A licen[cs]e for .* was not found.*", re.IGNORECASE, 3),
        (r"(?=.*a)b", 0, 2),
        (r"a*(?=.*a)b", 0, 3),
        (r"(.)\1+", 0, 3),
    ],
)
def test_usual_patterns_are_searched_at_once(pattern: str, flags: int, degree: int) -> None:
    """The work of patterns as adaptors have them is bounded, so that usual lines need no care."""
    longest = longest_line(re.compile(pattern, flags))
    if degree == 0:
        assert longest == math.inf
    else:
        assert longest >= math.floor((STEPS / 4) ** (1 / degree))
        assert longest <= STEPS ** (1 / degree)


@settings(max_examples=60, deadline=None)
@given(patterns, st.lists(st.text("abkK\u212a\u00e4 1\ud800", max_size=5), max_size=4))
def test_the_same_match_with_a_detour(pattern: re.Pattern[str], lines: list[str]) -> None:
    """What the other process says of a line is what a search here would have found."""
    guard = Guard(pattern)
    guard.longest = -1
    if len(lines) % 2:
        guard.screen(lines)
    for line in lines:
        found, expected = guard.search(line), pattern.search(line)
        assert (found and found.span()) == (expected and expected.span())


def test_one_line_too_many() -> None:
    """The line is named, its other callbacks run, and so does all that follows; nothing is lost."""
    seen: list[str] = []
    log: list[str] = []
    handler = RegexHandler(
        [
            RegexCallback([re.compile(PATTERN)], lambda match: seen.append(match.group())),
            RegexCallback([re.compile("b")], lambda match: seen.append("b")),
        ]
    )
    with pytest.raises(RunawayPattern, match=r"the pattern '\(a\+\)\+\$' takes too long .* 61 ch"):
        handler.feed_block(f"aa\n{LINE}\nxaaa\n", log.append)
    assert seen == ["aa", "b", "aaa"]
    assert "".join(log) == f"aa\n{LINE}\nxaaa\n"


def test_line_by_line() -> None:
    """The same where a record comes for each line."""
    seen: list[str] = []
    handler = RegexHandler(
        [
            RegexCallback([re.compile(PATTERN)], lambda match: seen.append("a")),
            RegexCallback([re.compile("b")], lambda match: seen.append("b")),
        ]
    )
    record = logging.LogRecord("x", 41, __file__, 0, LINE, (), None)
    with pytest.raises(RunawayPattern):
        handler.handle(record)
    assert seen == ["b"]


def test_a_pattern_that_never_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    """After some lines it is not tried any more: output must not wait for it line by line."""
    monkeypatch.setattr(module, "_MOST_FAILURES", 1)
    guard = Guard(re.compile(PATTERN))
    lines = [LINE + str(n) for n in range(100)]
    guard.screen(["a" * 20, *lines])
    assert guard.search("a" * 20) is not None
    for line in lines:
        with pytest.raises(RunawayPattern):
            guard.search(line)


def test_the_other_process_is_gone() -> None:
    """That it was killed while it had nothing to do says nothing of the next line."""
    guard = Guard(re.compile(PATTERN))
    assert guard.search("a" * 20) is not None
    for searcher in module._idle:
        searcher._process.kill()
        searcher._process.wait()
    assert guard.search("a" * 20) is not None
    assert guard.search("a" * 18 + "b") is None


def test_without_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none can be started, a search is done here."""
    monkeypatch.setattr(module, "_idle", [])
    monkeypatch.setattr(module.sys, "executable", "/no/such/python")
    guard = Guard(re.compile(PATTERN))
    assert guard.search("a" * 20) is not None
    assert guard.search("a" * 18 + "b") is None


def test_the_other_stream_goes_on() -> None:
    """While one stream's pattern runs away, lines of the other reach their callback."""
    code = (
        "import sys, threading\n"
        f"print({LINE!r}, flush=True)\n"
        "for n in range(10): print('line', n, file=sys.stderr, flush=True)\n"
    )
    lines: list[str] = []
    ten = threading.Event()
    ran_away = threading.Event()

    def count(match: re.Match[str]) -> None:
        lines.append(match.string)
        if len(lines) == 10:
            ten.set()

    class Slow(Guard):
        """The real one, held until the other stream was seen: so that this proves something."""

        def search(self, line: str) -> re.Match[str] | None:
            assert ten.wait(LIMIT)
            try:
                return super().search(line)
            except RunawayPattern:
                ran_away.set()
                raise

    callback = RegexCallback([re.compile(PATTERN)], print)
    callback._guard = Slow  # type: ignore[method-assign, assignment]
    process = LoggingSubprocess(
        args=[sys.executable, "-c", code],
        stdout_handler=RegexHandler([callback]),
        stderr_handler=RegexHandler([RegexCallback([re.compile("^line")], count)]),
    )
    process.wait()
    assert ran_away.is_set()
    assert lines == [f"line {n}" for n in range(10)]


def test_a_task_says_so_and_fails(session: Session) -> None:
    """One openjd_fail line names the pattern; the daemon goes on with the next task."""
    session.start()
    ended = session.run(
        "import re\n"
        "from openjd.adaptor_runtime.app_handlers import RegexCallback, RegexHandler\n"
        "from openjd.adaptor_runtime.process import LoggingSubprocess\n"
        f"handler = RegexHandler([RegexCallback([re.compile({PATTERN!r})], print)])\n"
        f"args = [sys.executable, '-c', {f'print({LINE!r})'!r}]\n"
        "LoggingSubprocess(args=args, stdout_handler=handler).wait()\n"
    )
    assert ended.status == 1
    assert "the pattern '(a+)+$' takes too long" in ended.fails()
    assert f"ADAPTOR_OUTPUT: STDOUT: {LINE}" in ended.lines
    assert session.run("print('next')").status == 0
    assert session.stop().status == 0


def test_a_cancel_meanwhile(session: Session, gate: Gate) -> None:
    """A cancel is answered while a pattern runs away line after line."""
    session.start(cancel="process.kill()")
    child = f"import threading; print({LINE!r}, flush=True); threading.Event().wait()"
    code = (
        "import re\n"
        "from openjd.adaptor_runtime.app_handlers import RegexCallback, RegexHandler\n"
        "from openjd.adaptor_runtime.process import LoggingSubprocess\n"
        "callbacks = [RegexCallback([re.compile(p)], print) for p in ['(a+)+$', '(a*)*$']]\n"
        f"code = {child!r}\n"
        "process = LoggingSubprocess(args=[sys.executable, '-c', code],\n"
        "                            stdout_handler=RegexHandler(callbacks))\n"
        f"gates.Knock({gate.port})\n"
        "process.wait()\n"
    )
    task = session.begin_run(code)
    gate.wait()
    task.cancel()
    ended = task.end()
    assert ended.status == 1
    assert ended.lines[-1] == "INFO: Canceled"
    assert session.stop().status == 0
