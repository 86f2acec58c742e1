"""RegexHandler.feed_block: many lines at once must do what each line by itself would."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from openjd.adaptor_runtime.app_handlers import RegexCallback, RegexHandler
from openjd.adaptor_runtime.app_handlers._literals import needles

# Few letters, so that patterns and lines meet; with those whose case is not one letter for one:
# the Kelvin sign and the long s are k and s to IGNORECASE, as the dotted I is to lower().
LETTERS = "abksABKSi\u212a\u017f\u0130\u00df\u00e4\u00c4 1"

literal = st.text(st.sampled_from(LETTERS), min_size=1, max_size=3).map(re.escape)
atom = literal | st.sampled_from(
    [".", r"\w", r"\d", "[ab]", "[^a]", "^", "$", r"\b", r"\s*", "", r"\t", "(?!a)", "(?<!a)b"]
)


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Patterns made of other patterns."""
    return st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map("|".join),
        inner.map("({})".format),
        inner.map("(?:{})".format),
        inner.map("(?i:{})".format),
        inner.map("(?={})".format),
        inner.map("(?!{})".format),
        inner.map("(?:{})?".format),
        inner.map("(?:{})*?".format),
        inner.map("(?:{})+".format),
        inner.map("(?:{}){{2}}".format),
        inner.map("(?:{}){{0,1}}".format),
        inner.map("({})\\1".format),
        inner.map("({})?(?(1)a|b)".format),
    )


def compiled(text: str, flags: int) -> re.Pattern[str] | None:
    """The pattern, or None where it is none (a group's number, mostly)."""
    try:
        return re.compile(text, flags)
    except re.error:
        return None


patterns = st.builds(
    compiled,
    st.recursive(atom, combined, max_leaves=5),
    st.sampled_from([0, re.IGNORECASE, re.MULTILINE, re.VERBOSE, re.ASCII | re.IGNORECASE]),
).filter(lambda pattern: pattern is not None)
lines = st.lists(st.text(st.sampled_from(LETTERS + "\t\x0b\u2028\0"), max_size=6), max_size=8)
Event = tuple  # ("log", line) or ("call", number, line, span, groups)


def handler_of(
    written: list[tuple[list[re.Pattern[str]], bool, bool]], events: list[Event]
) -> RegexHandler:
    """A handler whose callbacks note what they are called with."""
    callbacks = []
    for number, (regexes, leaves, only_first) in enumerate(written):

        def call(match: re.Match[str], number: int = number) -> None:
            events.append(("call", number, match.string, match.span(), match.groups()))

        callbacks.append(RegexCallback(regexes, call, leaves, only_first))
    return RegexHandler(callbacks)


def one_by_one(handler: RegexHandler, text: list[str], events: list[Event]) -> None:
    """Logs and handles each line by itself."""
    for line in text:
        events.append(("log", line))
        handler.handle(logging.LogRecord("x", 41, __file__, 0, "%s", (line,), None))


def as_block(handler: RegexHandler, text: list[str], events: list[Event]) -> None:
    """The same lines as a block."""

    def log(part: str) -> None:
        assert part[-1] == "\n"
        events.extend(("log", line) for line in part[:-1].split("\n"))

    if text:
        handler.feed_block("".join(line + "\n" for line in text), log)


def order_of_calls(events: list[Event]) -> list[Event]:
    """Without the lines: what was called."""
    return [event for event in events if event[0] == "call"]


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.lists(patterns, max_size=2), st.booleans(), st.booleans()), max_size=3),
    lines,
)
@example([([re.compile("k", re.I)], False, False)], ["\u212a"])
@example([([re.compile("s", re.I)], False, False), ([re.compile("a")], True, True)], ["\u017fa"])
@example([([re.compile("(?i)ab")], False, False)], ["AB"])
@example([([re.compile("(a)|b|")], False, False)], ["", "x"])
def test_like_one_line_after_the_other(
    written: list[tuple[list[re.Pattern[str]], bool, bool]], text: list[str]
) -> None:
    """Whatever the patterns and lines, the same callbacks run, in the same order, for the same."""
    singly: list[Event] = []
    one_by_one(handler_of(written, singly), text, singly)
    together: list[Event] = []
    as_block(handler_of(written, together), text, together)
    assert order_of_calls(together) == order_of_calls(singly)
    assert [e[1] for e in together if e[0] == "log"] == text
    logged = 0
    for event in together:
        if event[0] == "log":
            logged += 1
        else:
            # A line is logged when its callbacks run, and nothing behind it.
            assert text[logged - 1] == event[2]


@settings(max_examples=100)
@given(patterns, lines)
def test_what_a_pattern_needs(pattern: re.Pattern[str], text: list[str]) -> None:
    """What is said that a match must contain is in every line that matches."""
    found = needles(pattern)
    if found is None:
        return
    for line in text:
        if pattern.search(line) and (line.isascii() or not found.fold_case):
            seen = line.lower() if found.fold_case else line
            assert any(word in seen for word in found.texts)


@pytest.mark.parametrize(
    ("pattern", "flags", "words"),
    [
        ("Error: (.*)", 0, {"Error: "}),
        ("^.*Progress ([0-9]+)%", 0, {"Progress "}),
        ("error|warning", re.IGNORECASE, {"error", "warning"}),
        ("ALF_PROGRESS ([0-9]+)%", 0, {"ALF_PROGRESS "}),
        ("fr(am)e", 0, {"frame"}),
        ("(?:Fra: )+x", 0, {"Fra: "}),
    ],
)
def test_usual_patterns_need_something(pattern: str, flags: int, words: set[str]) -> None:
    """For patterns as adaptors have them, most lines are passed over quickly."""
    found = needles(re.compile(pattern, flags))
    assert found is not None
    assert found.texts == words


@pytest.mark.parametrize(
    "pattern", ["", ".*", "[0-9]+", "a?", "a*", "a|", "(?!a)", "(?i:a)", "a\nb", r"\s"]
)
def test_patterns_that_need_nothing_certain(pattern: str) -> None:
    """Where nothing is certain every line is looked at."""
    assert needles(re.compile(pattern)) is None


def search(pattern: str, callback: Callable[[re.Match[str]], object]) -> RegexCallback:
    """A callback for one pattern."""
    return RegexCallback([re.compile(pattern)], callback)


def test_between_blocks_everything_may_change() -> None:
    """Patterns, callbacks, options and the list may change; the next block sees it."""
    called: list[str] = []
    one = search("a", lambda match: called.append("a"))
    two = search("b", lambda match: called.append("b"))
    handler = RegexHandler([one, two])
    changes: list[tuple[Callable[[], object], str]] = [
        (lambda: None, "ab"),
        (lambda: setattr(one, "exit_if_matched", True), "a"),
        (lambda: setattr(one, "exit_if_matched", False), "ab"),
        (lambda: setattr(two, "only_run_if_first_matched", True), "a"),
        (lambda: setattr(one, "regex_list", [re.compile("c")]), "b"),
        (lambda: setattr(two, "callback", lambda match: called.append("B")), "B"),
        (lambda: setattr(handler, "regex_callbacks", [two, two]), "B"),
        (lambda: handler.regex_callbacks.reverse(), "B"),
        (lambda: setattr(two, "only_run_if_first_matched", False), "BB"),
        (lambda: two.regex_list.clear(), ""),
    ]
    for number, (change, wanted) in enumerate(changes):
        change()
        called.clear()
        handler.feed_block("ab\n", lambda part: None)
        assert "".join(called) == wanted, number


def test_a_change_within_a_block() -> None:
    """A callback that changes what is looked for has changed it for the next line."""
    called: list[str] = []
    second = search("nothing", lambda match: called.append(match.string))

    def first(match: re.Match[str]) -> None:
        second.regex_list = [re.compile("frame")]

    handler = RegexHandler([search("begin", first), second])
    text = ["frame 0", "begin", "frame 1", "frame 2"]
    events: list[Event] = []
    as_block(handler, text, events)
    assert called == ["frame 1", "frame 2"]


def test_a_callback_that_raises() -> None:
    """All lines are handled though a callback raises; the first exception comes out."""
    called: list[str] = []
    events: list[Event] = []

    def fail(match: re.Match[str]) -> None:
        raise ValueError(match.string)

    handler = RegexHandler(
        [search("a", fail), search(".", lambda match: called.append(match.string))]
    )
    with pytest.raises(ValueError, match="a1"):
        as_block(handler, ["b0", "a1", "a2", "b3"], events)
    assert called == ["b0", "b3"]
    assert [line for _, line in events] == ["b0", "a1", "a2", "b3"]


def test_takes_blocks_only_where_that_is_the_same() -> None:
    """A handler that was changed in a way that blocks would not show is given single lines."""
    plain = RegexHandler([search("a", print)], level=30)
    assert plain.takes_blocks(41)
    assert not plain.takes_blocks(20)
    plain.addFilter(lambda record: True)
    assert not plain.takes_blocks(41)

    class OwnEmit(RegexHandler):
        def emit(self, record: logging.LogRecord) -> None:
            super().emit(record)

    class OwnHandle(RegexHandler):
        def handle(self, record: logging.LogRecord) -> bool:
            return bool(super().handle(record))

    class OwnMatch(RegexCallback):
        def get_match(self, msg: str) -> re.Match[str] | None:
            return None

    assert not OwnEmit([]).takes_blocks(41)
    assert not OwnHandle([]).takes_blocks(41)
    assert not RegexHandler([OwnMatch([], print)]).takes_blocks(41)
