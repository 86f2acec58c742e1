"""RegexCallback and RegexHandler: which callbacks run for a line, in which order."""

from __future__ import annotations

import logging
import re
import threading

import pytest
from bounded import Task

from openjd.adaptor_runtime.app_handlers import RegexCallback, RegexHandler


class Calls:
    """Makes callbacks that note their name and what they got."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.matches: list[re.Match[str]] = []

    def callback(self, name: str, *patterns: str, **options: bool) -> RegexCallback:
        """A callback of that name for those patterns."""

        def call(match: re.Match[str]) -> None:
            self.names.append(name)
            self.matches.append(match)

        return RegexCallback([re.compile(pattern) for pattern in patterns], call, **options)


@pytest.fixture
def calls() -> Calls:
    """What was called."""
    return Calls()


def feed(handler: RegexHandler, *lines: str) -> None:
    """Gives lines to the handler as records."""
    for line in lines:
        record = logging.LogRecord(
            "application", logging.ERROR + 1, __file__, 0, "%s", (line,), None
        )
        handler.handle(record)


def test_callbacks_in_order(calls: Calls) -> None:
    """Every callback with a matching pattern runs, in the order of the list."""
    handler = RegexHandler(
        [calls.callback("a", "x"), calls.callback("b", "y"), calls.callback("c", "x")]
    )
    feed(handler, "x", "y", "z", "xy")
    assert calls.names == ["a", "c", "b", "a", "b", "c"]


def test_the_first_matching_pattern(calls: Calls) -> None:
    """Of a callback's patterns the first that is found counts, and it runs once."""
    handler = RegexHandler([calls.callback("a", "(f)oo", "fo(o)", "foo")])
    feed(handler, "foo")
    assert [match.group(1) for match in calls.matches] == ["f"]
    feed(handler, "nothing")
    assert len(calls.matches) == 1


def test_searched_anywhere_in_the_line(calls: Calls) -> None:
    """A pattern is searched, not matched at the beginning; groups and line are in the match."""
    handler = RegexHandler([calls.callback("a", r"frame (?P<frame>\d+)")])
    feed(handler, "[12:00] Rendering frame 17 of 20")
    [match] = calls.matches
    assert match.group("frame") == "17"
    assert match.string == "[12:00] Rendering frame 17 of 20"


def test_flags_and_lookaround(calls: Calls) -> None:
    """Patterns are Python's, flags and all: alternatives, case, lookaround, back references."""
    flagged = RegexCallback(
        [re.compile("error", re.IGNORECASE)], lambda match: calls.names.append("flag")
    )
    handler = RegexHandler(
        [
            flagged,
            calls.callback("alternative", "^(warning|error): ", "never"),
            calls.callback("behind", r"(?<!no )error"),
            calls.callback("back", r"(\w+) \1"),
            calls.callback("empty", ""),
            calls.callback("end", r"x$"),
        ]
    )
    feed(handler, "ERROR")
    assert calls.names == ["flag", "empty"]
    calls.names.clear()
    feed(handler, "error: no error")
    assert calls.names == ["flag", "alternative", "behind", "empty"]
    calls.names.clear()
    feed(handler, "no no x")
    assert calls.names == ["back", "empty", "end"]


def test_exit_if_matched(calls: Calls) -> None:
    """Behind a callback that exits no other sees the line that it matched; the next line is new."""
    handler = RegexHandler(
        [
            calls.callback("a", "x"),
            calls.callback("b", "y", exit_if_matched=True),
            calls.callback("c", "x|y"),
        ]
    )
    feed(handler, "x")
    assert calls.names == ["a", "c"]
    calls.names.clear()
    feed(handler, "xy")
    assert calls.names == ["a", "b"]
    calls.names.clear()
    feed(handler, "x")
    assert calls.names == ["a", "c"]


def test_only_run_if_first_matched(calls: Calls) -> None:
    """Such a callback runs only where no earlier one of the handler matched the line."""
    handler = RegexHandler(
        [
            calls.callback("a", "x"),
            calls.callback("b", "x|y", only_run_if_first_matched=True),
            calls.callback("c", "x|y|z"),
            calls.callback("d", "x|y|z|w", only_run_if_first_matched=True),
        ]
    )
    for line, names in (("x", "ac"), ("y", "bc"), ("z", "c"), ("w", "d")):
        feed(handler, line)
        assert "".join(calls.names) == names
        calls.names.clear()


def test_a_callback_that_was_skipped_has_not_matched(calls: Calls) -> None:
    """A callback that did not run, though its pattern is there, neither exits nor counts."""
    handler = RegexHandler(
        [
            calls.callback("a", "x"),
            calls.callback("b", "x", only_run_if_first_matched=True, exit_if_matched=True),
            calls.callback("c", "x"),
        ]
    )
    feed(handler, "x")
    assert calls.names == ["a", "c"]


def test_first_and_exit_together(calls: Calls) -> None:
    """Both options together: run where first, and then no other."""
    handler = RegexHandler(
        [
            calls.callback("a", "x", only_run_if_first_matched=True, exit_if_matched=True),
            calls.callback("b", "x"),
        ]
    )
    feed(handler, "x")
    assert calls.names == ["a"]


def test_a_callback_that_raises(calls: Calls) -> None:
    """What a callback raises comes out; callbacks behind it do not see that line."""

    def fail(match: re.Match[str]) -> None:
        raise RuntimeError("render error")

    handler = RegexHandler(
        [
            calls.callback("a", "x"),
            RegexCallback([re.compile("x")], fail),
            calls.callback("c", "x|y"),
        ]
    )
    with pytest.raises(RuntimeError, match="render error"):
        feed(handler, "x")
    assert calls.names == ["a"]
    feed(handler, "y")
    assert calls.names == ["a", "c"]


def test_callbacks_that_change_while_it_runs(calls: Calls) -> None:
    """Adaptors change a callback's patterns and the handler's list; the next line sees it."""
    changing = calls.callback("a", "x")
    handler = RegexHandler([changing])
    feed(handler, "x")
    changing.regex_list = [re.compile("y")]
    feed(handler, "x", "y")
    assert calls.names == ["a", "a"]
    handler.regex_callbacks = [*handler.regex_callbacks, calls.callback("b", "x")]
    feed(handler, "x")
    assert calls.names == ["a", "a", "b"]


def test_callbacks_added_to_the_list(calls: Calls) -> None:
    """The same where the list itself, or a callback's list of patterns, is added to."""
    patterns = [re.compile("x")]
    callbacks = [RegexCallback(patterns, lambda match: calls.names.append(match.string))]
    handler = RegexHandler(callbacks)
    feed(handler, "x", "y")
    patterns.append(re.compile("y"))
    callbacks.append(calls.callback("b", "z"))
    feed(handler, "y", "z")
    assert calls.names == ["x", "y", "b"]


def test_attributes() -> None:
    """A callback shows what it was made with; both options are off by default."""
    pattern = re.compile("x")
    made = RegexCallback([pattern], print)
    assert made.regex_list == [pattern]
    assert made.callback is print
    assert made.exit_if_matched is False
    assert made.only_run_if_first_matched is False
    match = made.get_match("axb")
    assert match is not None
    assert match.span() == (1, 2)
    assert made.get_match("y") is None


def test_is_a_logging_handler(calls: Calls) -> None:
    """It can be added to any logger, has a level, and its filters are asked."""
    handler = RegexHandler([calls.callback("a", "x")], level=logging.WARNING)
    assert isinstance(handler, logging.Handler)
    logger = logging.Logger("test", logging.DEBUG)
    logger.addHandler(handler)
    logger.info("x")
    assert calls.names == []
    logger.warning("%s", "x")
    assert calls.names == ["a"]
    handler.addFilter(lambda record: False)
    logger.warning("x")
    assert calls.names == ["a"]


def test_one_line_at_a_time() -> None:
    """Two threads that feed one handler never run its callbacks at the same time."""
    busy = threading.Lock()
    count = []

    def call(match: re.Match[str]) -> None:
        assert busy.acquire(blocking=False)
        count.append(match.string)
        busy.release()

    handler = RegexHandler([RegexCallback([re.compile("x")], call)])
    feeding = [Task(feed, handler, *["x"] * 500) for _ in range(4)]
    for task in feeding:
        task.result()
    assert len(count) == 2000


def test_no_callbacks() -> None:
    """A handler without callbacks, and a callback without patterns, do nothing."""
    feed(RegexHandler([]), "x")
    feed(RegexHandler([RegexCallback([], pytest.fail)]), "x")
