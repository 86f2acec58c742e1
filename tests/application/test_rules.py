"""Rules: what lines of an application's output mean for a task."""

from __future__ import annotations

import copy
import logging
import pickle
import re
import threading
import tracemalloc
from typing import Any, Callable

import pytest
from bounded import LIMIT, Child, Task
from hypothesis import given, settings
from hypothesis import strategies as st

from openjd.adaptor_runtime.app_handlers import RunawayPattern
from openjd.adaptor_runtime.application import Fail, License, Progress, Status, Warn
from openjd.adaptor_runtime.application.rules import Rule, RuleBook

Event = tuple  # ("progress", percent), ("status", text), ("warning", id, line), ("failure", …)


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def on_progress(self, percent: float) -> None:
        self.events.append(("progress", percent))

    def on_status(self, text: str) -> None:
        self.events.append(("status", text))

    def on_warning(self, rule_id: str, line: str) -> None:
        self.events.append(("warning", rule_id, line))

    def on_failure(self, message: str, stop: bool) -> None:
        self.events.append(("failure", message, stop))


def feed(book: RuleBook, *lines: str) -> None:
    """The lines as the pump hands them on."""
    if lines:
        book.handler.feed_block("".join(line + "\n" for line in lines), lambda part: None)


def book_of(*rules: Rule, **options: Any) -> tuple[RuleBook, list[Event]]:
    """A book of these rules, in a task, and what its listener will be told."""
    listener = Listener()
    book = RuleBook(rules, listener, **options)
    book.begin("run")
    return book, listener.events


def told(rule: Rule, *lines: str, **options: Any) -> list[Event]:
    """What a listener is told of the lines."""
    book, events = book_of(rule, **options)
    feed(book, *lines)
    return events


class TestProgress:
    @pytest.mark.parametrize(
        ("rule", "line", "expected"),
        [
            (Progress(r"(\d+)%"), "Rendering: 42%", 42.0),
            (Progress(r"([\d.]+)%"), "12.5%", 12.5),
            (Progress(r"at (\S+)"), "at 1e1", 10.0),
            (Progress(r"Sample (\d+)/(\d+)"), "Sample 16/64", 25.0),
            (Progress(r"of (?P<total>\d+): (?P<done>\d+)"), "of 200: 50", 25.0),
            (Progress(r"(\w+) (?P<percent>\d+)"), "pass 7", 7.0),
            (Progress(r"frame= *(\d+)", total=240), "frame=   60 fps=9", 25.0),
            (Progress(r"(\w+) (?P<done>\d+)", 50), "frame 10", 20.0),
            (Progress(r"(-?\d+)%"), "140%", 100.0),
            (Progress(r"(-?\d+)%"), "-3%", 0.0),
            (Progress(r"(\d+)/(\d+)"), "70/60", 100.0),
            (Progress(r"(\d+)/(\d+)"), "3/0", None),
            (Progress(r"(\S+)/(\S+)"), "3/-4", None),
            (Progress(r"(\S+)/(\S+)"), "1e308/1e-300", None),
            (Progress(r"(\S+)%"), "nan%", None),
            (Progress(r"(\S+)%"), "inf%", None),
            (Progress(r"(\S+)%"), "1e999%", None),
            (Progress(r"(\S+)%"), "many%", None),
            (Progress(r"(\d+)?%"), "100 x%", None),
            (Progress(r"(\d+)%"), "no progress", None),
        ],
    )
    def test_table(self, rule: Rule, line: str, expected: float | None) -> None:
        """Groups, by number or name, make a percentage in 0..100; what is no number makes none."""
        assert told(rule, line) == ([] if expected is None else [("progress", expected)])

    @pytest.mark.parametrize(
        ("rule", "words"),
        [
            (Progress("done"), "its pattern has 0 groups; it needs one for the percentage"),
            (Progress(r"(\d)(\d)(\d)"), "its pattern has 3 groups; it needs one"),
            (Progress(r"(?P<done>\d)"), "groups with the names percent, or done and total"),
            (Progress(r"(?P<total>\d)"), "groups with the names percent, or done and total"),
            (Progress(r"(\d)/(\d)", total=5), "with total=, its pattern needs one group"),
            (Progress(r"done", total=5), "with total=, its pattern needs one group"),
        ],
    )
    def test_groups_that_say_nothing(self, rule: Rule, words: str) -> None:
        """A pattern whose groups leave open what the progress is, is refused by the book."""
        with pytest.raises(ValueError, match=r"^rule progress-1 \(number 1\): ") as caught:
            RuleBook([rule], Listener())
        assert words in str(caught.value)

    @pytest.mark.parametrize("total", [0, -1, float("nan"), float("inf"), "5", True])
    def test_bad_total(self, total: Any) -> None:
        """A total that is no number above 0 is refused at once."""
        with pytest.raises(ValueError, match="total must be a number above 0, not"):
            Progress(r"(\d+)", total)


class TestSeverities:
    @pytest.mark.parametrize(
        ("rule", "line", "expected"),
        [
            (Status("^Saving"), "Saving a.png", ("status", "Saving a.png")),
            (Status("Saving"), "\t  Saving a.png  ", ("status", "Saving a.png")),
            (Status(r"Fra:(\d+)", "frame {1}"), "Fra:7 Mem:1", ("status", "frame 7")),
            (Status(r"(?P<n>\d+)", "{{{n}}} {0}"), "at 7", ("status", "{7} 7")),
            (Status(r"a(b)?", "[{1}]"), "a", ("status", "[]")),
            (Warn("slow"), "slow disk", ("warning", "warn-1", "slow disk")),
            (Warn("slow (.*)", "{1}?"), "slow disk", ("warning", "warn-1", "disk?")),
            (Fail("^Error"), "Error: x", ("failure", "Error: x (rule fail-1)", False)),
            (Fail("^Error: (.*)", "{1}!"), "Error: x", ("failure", "x! (rule fail-1)", False)),
            (Fail("^E", stop=True), "E5", ("failure", "E5 (rule fail-1)", True)),
            (Fail("^E", id="e"), "E5", ("failure", "E5 (rule e)", False)),
            (
                License("No licen[cs]e", "ask the farm"),
                "No license, 3 of 3 used",
                (
                    "failure",
                    "licence: No license, 3 of 3 used: ask the farm (rule license-1)",
                    True,
                ),
            ),
        ],
    )
    def test_what_rules_tell(self, rule: Rule, line: str, expected: Event) -> None:
        """Each kind of rule tells its own kind of thing, with the line or the rule's words."""
        assert told(rule, line) == [expected]

    @pytest.mark.parametrize("rule", [Status("x"), Warn("x"), Fail("x"), Fail("x", stop=True)])
    @pytest.mark.parametrize(
        ("severity", "expected"),
        [
            ("ignore", []),
            ("status", [("status", "x")]),
            ("warn", [("warning", "r", "x")]),
            ("fail", [("failure", "x (rule r)", False)]),
            ("stop", [("failure", "x (rule r)", True)]),
        ],
    )
    @pytest.mark.parametrize("continue_on_error", [False, True])
    def test_a_site_decides(
        self, rule: Rule, severity: str, expected: list[Event], continue_on_error: bool
    ) -> None:
        """Any rule but Progress does what the site says of its id, also on continue_on_error."""
        named = copy.copy(rule)
        vars(named)["id"] = "r"
        options: dict[str, Any] = {"severities": {"r": severity}}
        assert told(named, "x", continue_on_error=continue_on_error, **options) == expected

    def test_license_that_only_warns(self) -> None:
        """A licence rule that a site makes a warning still says what to do."""
        said = told(License("mark", "buy it"), "watermark", severities={"license-1": "warn"})
        assert said == [("warning", "license-1", "licence: watermark: buy it")]

    def test_progress_ignored(self) -> None:
        """Progress can be ignored."""
        assert told(Progress("(.*)%"), "5%", severities={"progress-1": "ignore"}) == []

    def test_continue_on_error(self) -> None:
        """Fail warns, with stop and without; a missing licence, and a warning, are as before."""
        book, events = book_of(
            Fail("a"), Fail("b", stop=True), License("c", "buy"), Warn("d"), continue_on_error=True
        )
        feed(book, "a", "b", "d")
        assert book.failure is None
        feed(book, "c")
        assert book.failure == "licence: c: buy (rule license-1)"
        assert [event[0] for event in events] == ["warning"] * 3 + ["failure"]

    @pytest.mark.parametrize(
        ("severities", "words"),
        [
            (
                {"fail-9": "warn"},
                "name 'fail-9', but the adaptor has no such rule; it has progress-1, fail-1, e",
            ),
            (
                {"fail-1": "error"},
                "give 'fail-1' the severity 'error'; a Fail rule can have ignore, status, warn, "
                "fail, stop",
            ),
            ({"fail-1": None}, "give 'fail-1' the severity None"),
            ({"fail-1": ["warn"]}, "give 'fail-1' the severity ['warn']"),
            (
                {"progress-1": "fail"},
                "give 'progress-1' the severity 'fail'; a Progress rule can have ignore",
            ),
        ],
    )
    def test_bad_configuration(self, severities: Any, words: str) -> None:
        """A site's mistake is one line that names rule and severity, and what there is."""
        with pytest.raises(ValueError, match=r"^the configuration's rules") as caught:
            book_of(Progress("(.*)%"), Fail("x"), Warn("y", id="e"), severities=severities)
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)


class TestWhichLines:
    def test_unless(self) -> None:
        """A line that is exempt is neither told nor counted."""
        book, events = book_of(Fail("Error", unless=r"0 Errors|Error_map\.png", flags=re.I))
        feed(book, "0 errors", "reading error_map.png")
        assert (book.failure, book.counts, events) == (None, {}, [])
        feed(book, "Error: reading lamp.png")
        assert book.failure == "Error: reading lamp.png (rule fail-1)"

    @pytest.mark.parametrize(
        ("during", "phases"),
        [
            (("start", "run", "stop"), ["start", "run", "stop"]),
            ("run", ["run"]),
            (["start", "stop"], ["start", "stop"]),
        ],
    )
    def test_during(self, during: Any, phases: list[str]) -> None:
        """A rule holds in the phases that it names."""
        book, events = book_of(Status("x", during=during))
        for phase in ("start", "run", "stop"):
            book.begin(phase)
            feed(book, "x", "x " + phase)
        assert events == [("status", text) for phase in phases for text in ("x", "x " + phase)]

    def test_a_new_book_is_in_start(self) -> None:
        """Rules hold before the first step is begun, as in the start."""
        listener = Listener()
        book = RuleBook([Status("x", during="start"), Warn("x", during="run")], listener)
        feed(book, "x")
        assert listener.events == [("status", "x")]

    def test_every_rule_that_matches(self) -> None:
        """All rules see a line, in their order."""
        book, events = book_of(Warn("b"), Status("a"), Fail("c"))
        feed(book, "abc")
        assert [event[0] for event in events] == ["warning", "status", "failure"]
        assert book.counts == {"warn-1": 1, "status-1": 1, "fail-1": 1}

    def test_steps(self) -> None:
        """A new step knows nothing of what failed or was counted before it."""
        book, events = book_of(Fail("x"), Warn("y"))
        feed(book, "x", "y", "y")
        assert book.failure == "x (rule fail-1)"
        assert book.counts == {"fail-1": 1, "warn-1": 2}
        book.begin("run")
        assert (book.failure, book.counts, book.summary()) == (None, {}, "")
        feed(book, "x2")
        assert events[-1] == ("failure", "x2 (rule fail-1)", False)

    def test_unknown_phase(self) -> None:
        """A phase that is none is refused, with those that there are."""
        book, _ = book_of()
        with pytest.raises(ValueError, match="no phase 'idle'; there are start, run, stop"):
            book.begin("idle")

    def test_bad_patterns_fail_and_do_not_hang(self) -> None:
        """A pattern, or an exception, that takes for ever is reported by its text."""
        line = "a" * 60 + "!"
        for rule in (Fail("(a+)+$"), Fail("^a", unless="(a+)+$")):
            book, _ = book_of(rule)
            with pytest.raises(RunawayPattern, match=re.escape("'(a+)+$' takes too long")):
                feed(book, line)


class TestFailures:
    def test_the_first_is_kept(self) -> None:
        """The first failure is the step's; those that follow are warnings."""
        book, events = book_of(Fail("E"), Fail("F"))
        feed(book, "E1", "E2", "F1")
        assert book.failure == "E1 (rule fail-1)"
        assert events == [
            ("failure", "E1 (rule fail-1)", False),
            ("warning", "fail-1", "E2"),
            ("warning", "fail-2", "F1"),
        ]

    def test_one_that_stops_goes_first(self) -> None:
        """What ends the step is its reason, even after a failure that did not; the first such."""
        book, events = book_of(Fail("E"), License("L", "buy"), Fail("S", stop=True))
        feed(book, "E", "L", "S", "E")
        assert book.failure == "licence: L: buy (rule license-1)"
        assert [event for event in events if event[0] == "failure"] == [
            ("failure", "E (rule fail-1)", False),
            ("failure", "licence: L: buy (rule license-1)", True),
        ]

    @pytest.mark.parametrize("rule", [Warn("^E", id="r"), Fail("^E", id="r")])
    def test_a_flood(self, rule: Rule) -> None:
        """A line printed 20,000 times is told 20 times, counted, and costs no memory."""
        book, events = book_of(rule)
        block = "".join(f"E {n}\n" for n in range(1000))
        book.handler.feed_block(block, lambda part: None)
        tracemalloc.start()
        try:
            for _ in range(19):
                book.handler.feed_block(block, lambda part: None)
            assert tracemalloc.get_traced_memory()[0] < 100_000
        finally:
            tracemalloc.stop()
        assert [event[-1] for event in events[1:20]] == [f"E {n}" for n in range(1, 20)]
        assert events[20:] == [
            ("warning", "r", "more than 20 lines; further ones are only counted")
        ]  # fmt: skip
        assert book.counts == {"r": 20_000}
        assert book.summary() == "rules: r 20,000 times"
        book.begin("run")
        feed(book, "E again")
        assert events[-1][1] in ("r", "E again (rule r)")

    def test_summary(self) -> None:
        """The summary names rules that warn or fail, in their order, and how often they did."""
        book, _ = book_of(
            Status("s"), Warn("w", id="textures"), Fail("f"), Progress(r"(\d+)%"), Warn("never")
        )
        feed(book, "s", "w", "w", "f", "5%")
        assert list(book.counts.items()) == [
            ("status-1", 1),
            ("textures", 2),
            ("fail-1", 1),
            ("progress-1", 1),
        ]
        assert book.summary() == "rules: textures 2 times, fail-1 1 time"

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("x" * 500, "x" * 500),
            ("x" * 501, "x" * 499 + "…"),
            (" " * 5000 + "x", "x"),
            ("x\ty\x1b[0m\x00z\u2028y", "x y [0m z y"),
        ],
    )
    def test_shown_lines(self, line: str, expected: str) -> None:
        """What is shown of a line is one line of at most 500 characters that can be printed."""
        assert told(Warn("x"), line) == [("warning", "warn-1", expected)]
        assert told(Status("(?s)^.*$", "{0}"), line) == [("status", expected)]

    def test_long_line_is_shown_where_it_matches(self) -> None:
        """Of a long line, the part that matched is in the message."""
        [(_, message, _)] = told(Fail("Error: [a-z ]+"), "-" * 9000 + "Error: no room" + "+" * 9000)
        assert "Error: no room" in message
        shown = message[: -len(" (rule fail-1)")]
        assert len(shown) == 500
        assert shown[0] == shown[-1] == "…"
        [(_, message, _)] = told(Fail("Error: [a-z ]+"), "-" * 9000 + "Error: no room")
        assert message.endswith("Error: no room (rule fail-1)")


class TestDeclarations:
    def test_ids(self) -> None:
        """Ids count the rules of a kind, named ones too; a kind of one's own has its own."""

        class Watermark(Fail):
            """A rule of an author's own."""

        listener = Listener()
        feed(
            RuleBook(
                [Fail("x"), Fail("x", id="b"), Warn("x"), Fail("x"), Watermark("x")], listener
            ),
            "x",
        )
        assert [event[1] for event in listener.events] == [
            "x (rule fail-1)", "b", "warn-1", "fail-3", "watermark-1",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("rules", "words"),
        [
            ([Fail("x", id="a"), Warn("y", id="a")], "two rules have the id 'a': Fail('x', id='a'),"
             " and number 2, Warn('y', id='a')"),
            ([Fail("x", id="fail-2"), Fail("y")], "two rules have the id 'fail-2'"),
            ([Warn("x"), Fail("("), Fail("y")],
             "rule fail-1 (number 2): its pattern '(' cannot be compiled: missing )"),
            ([Fail("y", unless="*", id="e")],
             "rule e (number 1): its unless '*' cannot be compiled: nothing to repeat"),
            ([Fail("y", flags=re.L)], "rule fail-1 (number 1): its pattern 'y' cannot be compiled"),
            ([Fail("y", "{1}")], "rule fail-1 (number 1): its text '{1}' is not valid: in braces "
             "there must be a group of the pattern, and nothing else; there are 0"),
            ([Warn("(?P<a>y)", "{b}")], "its text '{b}' is not valid: in braces there must be a "
             "group of the pattern, and nothing else; there are 0, 1, a"),
            ([Warn("y", "{}")], "its text '{}' is not valid"),
            ([Warn("(?P<a>y)", "{a.__class__}")], "its text '{a.__class__}' is not valid"),
            ([Warn("(?P<a>y)", "{a!r}")], "its text '{a!r}' is not valid"),
            ([Warn("y", "{0:>9}")], "its text '{0:>9}' is not valid"),
            ([Warn("y", "{00000000000000000001}")], "is not valid"),
            ([Warn("y", "50 }")], "its text '50 }' is not valid"),
        ],
    )  # fmt: skip
    def test_bad_lists(self, rules: list[Rule], words: str) -> None:
        """What is wrong with the rules of an adaptor is one line that names the rule."""
        with pytest.raises(ValueError, match=re.escape(words)) as caught:
            RuleBook(rules, Listener())
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        ("rules", "words"),
        [
            (["Error"], "number 1 of the rules is 'Error', which is none: use Progress(...)"),
            ([Warn("x"), Fail], "number 2 of the rules is <class"),
            (Fail("x"), "rules must be a list of rules, not the rule Fail('x') alone"),
        ],
    )
    def test_no_rules(self, rules: Any, words: str) -> None:
        """What is no rule is refused, with what to use."""
        with pytest.raises(TypeError, match=re.escape(words)):
            RuleBook(rules, Listener())

    @pytest.mark.parametrize(
        ("make", "words"),
        [
            (lambda: Fail(b"x"), "Fail: pattern must be text, or a compiled pattern for text, not"),
            (lambda: Fail(re.compile(b"x")), "Fail: pattern must be text, or a compiled pattern"),
            (lambda: Fail(None), "Fail: pattern must be text"),
            (lambda: Warn("x", unless=b"x"), "Warn: unless must be text"),
            (lambda: Warn("x", unless=""), None),
            (lambda: Warn("x", 5), "Warn: text must be text, not 5"),
            (lambda: Warn("x", id=5), "Warn: id must be a name, not 5"),
            (lambda: Warn("x", id=" "), "Warn: id must be a name, not ' '"),
            (lambda: License("x", ""), "License: remedy must say what to do, not ''"),
            (lambda: Rule("x"), "Rule is no rule by itself"),
            (lambda: Warn("x", during="later"), "Warn: during must name phases (start, run, stop), "
             "not 'later'"),
            (lambda: Warn("x", during=[]), "Warn: during must name phases"),
            (lambda: Warn(re.compile("x"), flags=re.I), "flags are given, but pattern is compiled"),
        ],
    )  # fmt: skip
    def test_bad_arguments(self, make: Callable[[], Rule], words: str | None) -> None:
        """A wrong argument is refused where it stands, not when a line comes."""
        if words is None:
            make()
            return
        with pytest.raises((TypeError, ValueError), match=re.escape(words)) as caught:
            make()
        assert "\n" not in str(caught.value)

    def test_compiled_patterns(self) -> None:
        """A compiled pattern keeps its flags."""
        book, events = book_of(Status(re.compile("x", re.I), unless=re.compile("Y", re.I)))
        feed(book, "X", "xy")
        assert events == [("status", "X")]

    def test_rules_do_not_change(self) -> None:
        """Nothing about a rule can be set; it can be copied and pickled."""
        rule = Fail("x", id="a", stop=True)
        for change in (
            lambda: setattr(rule, "pattern", "y"),
            lambda: setattr(rule, "severity", "warn"),
            lambda: setattr(rule, "new", 1),
            lambda: delattr(rule, "pattern"),
        ):
            with pytest.raises(AttributeError, match=r"Fail\('x', id='a'\) serves every session"):
                change()
        for other in (copy.deepcopy(rule), pickle.loads(pickle.dumps(rule))):
            assert vars(other) == vars(rule)

    def test_importing_them_is_cheap(self) -> None:
        """Declared rules load nothing of what a book needs, nor compile their patterns."""
        code = """
            import re, sys
            from openjd.adaptor_runtime.application import Fail, License, Progress, Status
            re.compile = None
            rules = [Fail("x", unless="y"), License("x", "y"), Progress("(x)"), Status("x")]
            print("openjd.adaptor_runtime.app_handlers" in sys.modules, "json" in sys.modules)
        """
        with Child(code) as child:
            assert child.end() == (0, "False False", "")

    def test_sessions_do_not_share(self) -> None:
        """The same rules serve two books, with ids and severities of their own."""
        rules = [Fail("x"), Warn("x")]
        first, events = book_of(*rules)
        second, others = book_of(rules[1], rules[0], severities={"fail-1": "ignore"})
        feed(first, "x")
        assert (first.failure, second.failure, others) == ("x (rule fail-1)", None, [])
        feed(second, "x2")
        assert others == [("warning", "warn-1", "x2")]
        assert len(events) == 2


class TestThreads:
    def test_two_streams(self) -> None:
        """One handler serves both streams: every line is counted, and one failure told."""
        book, events = book_of(Fail("E"), Warn("w", unless="never"), Progress(r"(\d+)%"))
        together = threading.Barrier(2)

        def stream() -> None:
            together.wait()
            for _ in range(100):
                feed(book, *["E w 5%"] * 50)

        for task in [Task(stream), Task(stream)]:
            task.result()
        assert book.counts == {"fail-1": 10_000, "warn-1": 10_000, "progress-1": 10_000}
        assert sum(event[0] == "failure" for event in events) == 1
        assert sum(event[0] == "warning" for event in events) == 20 + 21
        assert sum(event[0] == "progress" for event in events) == 10_000

    def test_a_step_waits_for_the_line_before_it(self) -> None:
        """What a line does is all in one step; meanwhile the verdict can be looked at."""
        order: list[str] = []
        entered, trying, go_on = (threading.Event() for _ in range(3))

        class Slow(Listener):
            """In the middle of on_failure until it may go on."""

            def on_failure(self, message: str, stop: bool) -> None:
                entered.set()
                assert go_on.wait(LIMIT)
                order.append("told")

        book = RuleBook([Fail("x")], Slow())
        reader = Task(feed, book, "x")
        assert entered.wait(LIMIT)

        def begin() -> None:
            trying.set()
            book.begin("run")
            order.append("begun")

        beginner = Task(begin)
        assert trying.wait(LIMIT)
        assert book.failure == "x (rule fail-1)"
        assert book.counts == {"fail-1": 1}
        go_on.set()
        reader.result()
        beginner.result()
        assert order == ["told", "begun"]
        assert book.failure is None

    def test_what_a_listener_raises(self) -> None:
        """An exception in the listener comes out of the handler; other lines are dealt with."""

        class Raises(Listener):
            """Cannot take a status."""

            def on_status(self, text: str) -> None:
                raise RuntimeError(text)

        listener = Raises()
        book = RuleBook([Status("s"), Warn("w")], listener)
        with pytest.raises(RuntimeError, match=r"^s1$"):
            feed(book, "s1", "w", "s2")
        assert listener.events == [("warning", "warn-1", "w")]
        assert book.counts == {"status-1": 2, "warn-1": 1}


rules_drawn = st.lists(
    st.one_of(
        st.sampled_from(["a", "^b", "a|c", "", "(?i)E", "[ab]c"]).flatmap(
            lambda pattern: st.builds(
                lambda kind, unless, during: kind(pattern, unless=unless, during=during),
                st.sampled_from([Status, Warn, Fail]),
                st.sampled_from([None, "c", "^E"]),
                st.sampled_from(["run", ("start", "stop"), ("start", "run")]),
            )
        ),
        st.sampled_from(
            [Progress(r"(\d+)%"), Progress(r"(\d)/(\d)"), License("e", "buy"), Fail("1", stop=True)]
        ),
    ),
    max_size=5,
)
lines_drawn = st.lists(st.text("abcEe123%/ \u2028", max_size=6), max_size=30)


@settings(max_examples=200)
@given(rules_drawn, lines_drawn, lines_drawn, st.booleans())
def test_blocks_as_lines(
    rules: list[Rule], first: list[str], second: list[str], continue_on_error: bool
) -> None:
    """Blocks of lines, in two steps, mean what their lines mean one by one."""
    seen = []
    for as_block in (True, False):
        book, events = book_of(*rules, continue_on_error=continue_on_error)
        assert book.handler.takes_blocks(logging.ERROR + 1)
        steps = []
        for phase, lines in (("start", first), ("run", second)):
            book.begin(phase)
            if as_block:
                feed(book, *lines)
            else:
                for line in lines:
                    record = logging.LogRecord("x", 41, __file__, 0, "%s", (line,), None)
                    book.handler.handle(record)
            failures = [event for event in events if event[0] == "failure"]
            assert book.failure is None or book.failure == failures[-1][1]
            steps.append((book.failure, book.counts, book.summary()))
        seen.append((events, steps))
    assert seen[0] == seen[1]
