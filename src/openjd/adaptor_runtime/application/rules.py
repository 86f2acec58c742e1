"""Output rules, declared: what the lines that an application prints mean for a task.

A rule looks at one line at a time, wherever in the line its pattern is found (``search``); all
rules that match a line apply to it. Patterns are compiled when a session begins (``RuleBook``):
whoever only imports an adaptor does not pay for them.
"""

from __future__ import annotations

import math
import re
import string
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, NoReturn, Protocol, Union

from .._text import one_line

if TYPE_CHECKING:
    from ..app_handlers import RegexCallback, RegexHandler

PHASES = ("start", "run", "stop")
SEVERITIES = ("ignore", "status", "warn", "fail", "stop")
#: So many characters of a line are shown in a message.
SHOWN = 500
#: So many lines of one rule are told in one step; the rest is counted.
TOLD = 20

_Pattern = Union[str, "re.Pattern[str]"]
_Words = Callable[["re.Match[str]"], str]


class Rule:
    """What lines of an application's output mean; one of its subclasses is used.

    A rule never changes: one object serves any number of sessions.

    Args:
        pattern: a regular expression, as text or compiled.
        id: names the rule in messages and in a site's configuration; by default the kind and the
            number of the rule among those of its kind: ``fail-1``.
        unless: a regular expression; lines in which it is found as well are exempt.
        flags: of ``re``, for `pattern` and `unless` where these are text.
        during: the phases in which the rule holds: "start", "run", "stop"; or one of them.

    Raises:
        TypeError: a pattern is no text (bytes, say), or another argument not what it must be.
        ValueError: there is no such phase; flags for a compiled pattern.
    """

    #: What a line of it does: one of SEVERITIES, or "progress"; "" for what is no rule by itself.
    severity: str = ""
    #: The severities that a site can give to it.
    severities: ClassVar[tuple[str, ...]] = SEVERITIES
    #: Whether ``continue_on_error`` makes a warning of it.
    forgivable: ClassVar[bool] = False

    pattern: _Pattern
    id: str | None
    unless: _Pattern | None
    flags: int
    during: tuple[str, ...]

    def __init__(
        self,
        pattern: _Pattern,
        *,
        id: str | None = None,
        unless: _Pattern | None = None,
        flags: int = 0,
        during: str | Iterable[str] = PHASES,
    ) -> None:
        kind = type(self).__name__
        if not self.severity:
            raise TypeError(
                f"{kind} is no rule by itself: use Progress, Status, Warn, Fail, License"
            )
        for name, one in (("pattern", pattern), ("unless", unless)):
            if not _is_text(one) and (one is not None or name == "pattern"):
                raise TypeError(
                    f"{kind}: {name} must be text, or a compiled pattern for text, not "
                    f"{one_line(repr(one))}"
                )
            if flags and isinstance(one, re.Pattern):
                raise ValueError(f"{kind}: flags are given, but {name} is compiled already: {one}")
        if id is not None and (
            # It stands in messages, of which each is a line.
            not isinstance(id, str) or not id.strip() or not id.isprintable() or len(id) > 200
        ):
            raise TypeError(f"{kind}: id must be a name, not {one_line(repr(id), 300)}")
        phases = (during,) if isinstance(during, str) else tuple(during)
        if not phases or not set(phases) <= set(PHASES):
            raise ValueError(f"{kind}: during must name phases ({_listed(PHASES)}), not {during!r}")
        self._set(pattern=pattern, id=id, unless=unless, flags=flags, during=phases)

    def _set(self, **values: Any) -> None:
        vars(self).update(values)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{self!r} serves every session and cannot be changed; make another")

    def __delattr__(self, name: str) -> NoReturn:
        self.__setattr__(name, None)

    def __repr__(self) -> str:
        pattern = getattr(self.pattern, "pattern", self.pattern)
        return f"{type(self).__name__}({pattern!r}{f', id={self.id!r}' if self.id else ''})"

    def _words(self, regex: re.Pattern[str]) -> _Words:
        """What makes the words about a line that `regex` matched."""
        return _shown_line

    def _percent(self, regex: re.Pattern[str]) -> Callable[[re.Match[str]], float | None]:
        """What makes a percentage of a line that `regex` matched."""
        raise NotImplementedError


class Progress(Rule):
    """How far the task is.

    The groups of the pattern say it: one group is the percentage, two are what is done and the
    total; or groups named ``percent``, or ``done`` and ``total``. A line in which they are no
    finite numbers, or the total is not above 0, says nothing. A site can only ignore the rule.

    Args:
        pattern: a regular expression, looked for anywhere in a line.
        total: the total, where lines only say what is done (one group, or ``done``).
        id: the rule's name, in messages and in a site's configuration; its kind and number
            (``progress-1``) unless given.
        unless: a regular expression; lines in which it is found as well are exempt.
        flags: of ``re``, for `pattern` and `unless` where these are text.
        during: the phases in which it holds: "start", "run", "stop", or several; all unless given.

    Raises:
        TypeError: an argument is not what it must be.
        ValueError: there is no such phase; the total is not above 0.
    """

    severity = "progress"
    severities = ("ignore",)
    total: float | None

    def __init__(
        self,
        pattern: _Pattern,
        total: float | None = None,
        *,
        id: str | None = None,
        unless: _Pattern | None = None,
        flags: int = 0,
        during: str | Iterable[str] = PHASES,
    ) -> None:
        super().__init__(pattern, id=id, unless=unless, flags=flags, during=during)
        if total is not None and (
            isinstance(total, bool)
            or not isinstance(total, (int, float))
            or not math.isfinite(total)
            or total <= 0
        ):
            raise ValueError(f"Progress: total must be a number above 0, not {total!r}")
        self._set(total=total)

    def _percent(self, regex: re.Pattern[str]) -> Callable[[re.Match[str]], float | None]:
        names = set(regex.groupindex) & {"percent", "done", "total"}
        done: str | int
        total: str | int | float
        if self.total is not None and (names == {"done"} or (not names and regex.groups == 1)):
            done, total = "done" if names else 1, float(self.total)
        elif self.total is not None:
            raise ValueError(
                "with total=, its pattern needs one group, or one named done, for what is done"
            )
        elif names == {"done", "total"}:
            done, total = "done", "total"
        elif names == {"percent"}:
            done, total = "percent", 100.0
        elif not names and regex.groups in (1, 2):
            done, total = 1, (2 if regex.groups == 2 else 100.0)
        else:
            raise ValueError(
                f"its pattern has {regex.groups} groups; it needs one for the percentage, or two "
                "for done and total, or groups with the names percent, or done and total"
            )

        def percent(match: re.Match[str]) -> float | None:
            whole = total if isinstance(total, float) else _number(match[total])
            part = _number(match[done])
            if whole is None or part is None or whole <= 0:
                return None
            share = part * 100 / whole
            return min(max(share, 0.0), 100.0) if math.isfinite(share) else None

        return percent


class _Worded(Rule):
    """A rule that may have words of its own."""

    text: str | None

    def __init__(
        self,
        pattern: _Pattern,
        text: str | None = None,
        *,
        id: str | None = None,
        unless: _Pattern | None = None,
        flags: int = 0,
        during: str | Iterable[str] = PHASES,
    ) -> None:
        super().__init__(pattern, id=id, unless=unless, flags=flags, during=during)
        if text is not None and not isinstance(text, str):
            raise TypeError(f"{type(self).__name__}: text must be text, not {text!r}")
        self._set(text=text)

    def _words(self, regex: re.Pattern[str]) -> _Words:
        return _shown_line if self.text is None else _filled(self.text, regex)


class Status(_Worded):
    """What the application does: shown as the task's status.

    Args:
        pattern: a regular expression, looked for anywhere in a line.
        text: what to say instead of the line: ``{0}`` stands for what was matched, ``{1}`` and
            ``{name}`` for the pattern's groups, ``{{`` and ``}}`` for braces.
        id: the rule's name, in messages and in a site's configuration; its kind and number
            (``status-1``) unless given.
        unless: a regular expression; lines in which it is found as well are exempt.
        flags: of ``re``, for `pattern` and `unless` where these are text.
        during: the phases in which it holds: "start", "run", "stop", or several; all unless given.

    Raises:
        TypeError: an argument is not what it must be.
        ValueError: there is no such phase.
    """

    severity = "status"


class Warn(_Worded):
    """Something is not as it should be: a warning in the log, and the task goes on.

    Args:
        pattern: a regular expression, looked for anywhere in a line.
        text: as for Status.
        id: the rule's name, in messages and in a site's configuration; its kind and number
            (``warn-1``) unless given.
        unless: a regular expression; lines in which it is found as well are exempt.
        flags: of ``re``, for `pattern` and `unless` where these are text.
        during: the phases in which it holds: "start", "run", "stop", or several; all unless given.

    Raises:
        TypeError: an argument is not what it must be.
        ValueError: there is no such phase.
    """

    severity = "warn"


class Fail(_Worded):
    """The task has failed, whatever the application says and whatever its exit code is.

    Args:
        pattern: a regular expression, looked for anywhere in a line.
        text: as for Status.
        stop: what is under way ends at once; otherwise the task fails at its end.
        id: the rule's name, in messages and in a site's configuration; its kind and number
            (``fail-1``) unless given.
        unless: a regular expression; lines in which it is found as well are exempt.
        flags: of ``re``, for `pattern` and `unless` where these are text.
        during: the phases in which it holds: "start", "run", "stop", or several; all unless given.

    Raises:
        TypeError: an argument is not what it must be.
        ValueError: there is no such phase.
    """

    severity = "fail"
    forgivable = True
    stop: bool

    def __init__(
        self,
        pattern: _Pattern,
        text: str | None = None,
        stop: bool = False,
        *,
        id: str | None = None,
        unless: _Pattern | None = None,
        flags: int = 0,
        during: str | Iterable[str] = PHASES,
    ) -> None:
        super().__init__(pattern, text, id=id, unless=unless, flags=flags, during=during)
        self._set(stop=bool(stop), severity="stop" if stop else "fail")


class License(Rule):
    """There is no licence, or only one that leaves a watermark: the task fails at once.

    Its message is ``licence: <line>: <remedy>``.

    Args:
        pattern: a regular expression, looked for anywhere in a line.
        remedy: what whoever reads the message should do.
        id: the rule's name, in messages and in a site's configuration; its kind and number
            (``license-1``) unless given.
        unless: a regular expression; lines in which it is found as well are exempt.
        flags: of ``re``, for `pattern` and `unless` where these are text.
        during: the phases in which it holds: "start", "run", "stop", or several; all unless given.

    Raises:
        TypeError: an argument is not what it must be.
        ValueError: there is no such phase.
    """

    severity = "stop"
    remedy: str

    def __init__(
        self,
        pattern: _Pattern,
        remedy: str,
        *,
        id: str | None = None,
        unless: _Pattern | None = None,
        flags: int = 0,
        during: str | Iterable[str] = PHASES,
    ) -> None:
        super().__init__(pattern, id=id, unless=unless, flags=flags, during=during)
        if not isinstance(remedy, str) or not remedy.strip():
            raise TypeError(f"License: remedy must say what to do, not {remedy!r}")
        self._set(remedy=remedy.strip())

    def _words(self, regex: re.Pattern[str]) -> _Words:
        return lambda match: f"licence: {_shown_line(match)}: {_shown(self.remedy)}"


class RuleListener(Protocol):
    """Is told what the rules say, on the threads that read the application's output.

    One method runs at a time. None may wait for output, nor for a thread that calls ``begin``.
    An exception in one fails the task.
    """

    def on_progress(self, percent: float) -> None:
        """`percent` is in 0..100; it may be less than the last time."""

    def on_status(self, text: str) -> None:
        """`text` is one line."""

    def on_warning(self, rule_id: str, line: str) -> None:
        """`line` is the application's line, shortened, or the rule's words about it."""

    def on_failure(self, message: str, stop: bool) -> None:
        """The step has failed; `stop` says that what is under way shall end at once.

        Called once in a step, and once more where ``stop`` comes after a failure without it.
        """


class _Active(NamedTuple):
    """A rule, ready for lines."""

    id: str
    severity: str
    during: tuple[str, ...]
    unless: RegexCallback | None
    words: _Words
    percent: Callable[[re.Match[str]], float | None] | None


class RuleBook:
    """Applies rules to the lines of an application, step by step.

    A line that is no exception by ``unless`` is counted, and does what its rule's severity says:

    - "status": tells its words as the status;
    - "warn": tells a warning;
    - "fail", "stop": the step has failed; further such lines are warnings;
    - "ignore": the rule is left out.

    What a site says about a rule by its id goes before `continue_on_error`, and that before the
    rule itself. In one step 20 lines of a rule are told as warnings, the others only counted.

    Args:
        rules: applied in this order; every rule that matches a line applies to it.
        listener: told what they say.
        severities: rule's id -> severity, by the site's configuration.
        continue_on_error: rules that are Fail warn instead; License still stops.

    Raises:
        TypeError: something in `rules` is no rule.
        ValueError: an id stands for two rules; a pattern or a text template is not valid;
            `severities` names a rule or a severity that is not there.
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        listener: RuleListener,
        severities: Mapping[str, str] | None = None,
        continue_on_error: bool = False,
    ) -> None:
        # Not for those who only import an adaptor, with its rules.
        from ..app_handlers import RegexCallback, RegexHandler

        self._listener = listener
        named = _named(rules)
        severities = severities or {}
        for id, severity in severities.items():
            _check_severity(id, severity, named)
        self._active: list[_Active] = []
        callbacks = []
        for number, (id, rule) in enumerate(named.items(), start=1):
            regex, unless, words, percent = _compiled(rule, f"rule {id} (number {number})")
            severity = rule.severity
            if continue_on_error and rule.forgivable:
                severity = "warn"
            severity = severities.get(id, severity)
            if severity == "ignore":
                continue
            # As a callback, since that is safe from patterns that take for ever.
            exempt = RegexCallback([unless], _nothing) if unless is not None else None
            active = _Active(id, severity, rule.during, exempt, words, percent)
            self._active.append(active)
            callbacks.append(RegexCallback([regex], partial(self._matched, active)))
        self._handler = RegexHandler(callbacks)
        # Guards what is below; never held while the listener is called, who may look at it.
        self._lock = threading.Lock()
        self._phase = PHASES[0]
        self._counts: dict[str, int] = {}
        self._failure: str | None = None
        self._stopped = False

    @property
    def handler(self) -> RegexHandler:
        """Takes the lines: of one stream or several, from any number of threads."""
        return self._handler

    def begin(self, phase: str) -> None:
        """Begins a step: what was counted and what has failed before is forgotten.

        Waits for the listener, if one of its methods is running. A new book is in "start".

        Args:
            phase: "start", "run" or "stop".
        """
        if phase not in PHASES:
            raise ValueError(f"there is no phase {phase!r}; there are {_listed(PHASES)}")
        # It is held while a line is dealt with, which thus belongs to one step or the other.
        self._handler.acquire()
        try:
            with self._lock:
                self._phase = phase
                self._counts = {}
                self._failure = None
                self._stopped = False
        finally:
            self._handler.release()

    @property
    def failure(self) -> str | None:
        """Why the step has failed, in one line; None if no rule says so.

        The first failure, or the first one that stops.
        """
        with self._lock:
            return self._failure

    @property
    def counts(self) -> dict[str, int]:
        """Rule's id -> lines in this step, in the order of the rules; none with 0 lines."""
        with self._lock:
            return {one.id: self._counts[one.id] for one in self._active if one.id in self._counts}

    def summary(self) -> str:
        """One line on how often warnings and failures were seen; "" if there were none.

        Such as ``rules: fail-1 3 times, textures 12 times``.
        """
        counts = self.counts
        seen = [
            f"{one.id} {counts[one.id]:,} time{'s' if counts[one.id] > 1 else ''}"
            for one in self._active
            if one.id in counts and one.severity in ("warn", "fail", "stop")
        ]
        return f"rules: {', '.join(seen)}" if seen else ""

    def _matched(self, rule: _Active, match: re.Match[str]) -> None:
        # The handler lets in one thread at a time.
        if self._phase not in rule.during:
            return
        if rule.unless is not None and rule.unless.get_match(match.string) is not None:
            return
        with self._lock:
            count = self._counts.get(rule.id, 0) + 1
            self._counts[rule.id] = count
        if rule.percent is not None:
            percent = rule.percent(match)
            if percent is not None:
                self._listener.on_progress(percent)
        elif rule.severity == "status":
            self._listener.on_status(rule.words(match))
        elif rule.severity != "warn" and self._fails(rule, match):
            pass
        elif count <= TOLD:
            self._listener.on_warning(rule.id, rule.words(match))
        elif count == TOLD + 1:
            self._listener.on_warning(
                rule.id, f"more than {TOLD} lines; further ones are only counted"
            )

    def _fails(self, rule: _Active, match: re.Match[str]) -> bool:
        """Fails the step, unless it has failed as badly already."""
        stop = rule.severity == "stop"
        if self._failure is not None and (self._stopped or not stop):
            return False
        message = f"{rule.words(match)} (rule {rule.id})"
        with self._lock:
            self._failure = message
            self._stopped = stop
        self._listener.on_failure(message, stop)
        return True


def _named(rules: Iterable[Rule]) -> dict[str, Rule]:
    """The rules by their ids."""
    named: dict[str, Rule] = {}
    kinds: dict[str, int] = {}
    if isinstance(rules, Rule):
        raise TypeError(f"rules must be a list of rules, not the rule {rules!r} alone")
    for number, rule in enumerate(rules, start=1):
        if not isinstance(rule, Rule):
            raise TypeError(
                f"number {number} of the rules is {rule!r}, which is none: use Progress(...), "
                "Status(...), Warn(...), Fail(...) or License(...)"
            )
        kind = type(rule).__name__.lower()
        kinds[kind] = kinds.get(kind, 0) + 1
        id = f"{kind}-{kinds[kind]}" if rule.id is None else rule.id
        if id in named:
            raise ValueError(
                one_line(
                    f"two rules have the id {id!r}: {named[id]!r}, and number {number}, {rule!r}"
                )
            )
        named[id] = rule
    return named


def _check_severity(id: object, severity: object, rules: Mapping[str, Rule]) -> None:
    rule = rules.get(id) if isinstance(id, str) else None
    if rule is None:
        raise ValueError(
            f"the configuration's rules name {one_line(repr(id), 200)}, but the adaptor has no "
            f"such rule; it has {one_line(_listed(rules), 800) or 'none'}{_meant(id, rules)}"
        )
    if severity not in rule.severities:
        raise ValueError(
            f"the configuration's rules give {id!r} the severity "
            f"{one_line(repr(severity), 200)}; a {type(rule).__name__} rule can have "
            f"{_listed(rule.severities)}{_meant(severity, rule.severities)}"
        )


def _meant(name: object, known: Iterable[str]) -> str:
    from .._suggestions import closest

    meant = closest(name, known) if isinstance(name, str) else None
    return f"; did you mean {meant!r}?" if meant is not None else ""


def _compiled(
    rule: Rule, name: str
) -> tuple[
    re.Pattern[str],
    re.Pattern[str] | None,
    _Words,
    Callable[[re.Match[str]], float | None] | None,
]:
    """The rule's pattern and `unless`, and what makes its words and its percentage.

    Raises:
        ValueError: one of them cannot be made; the message begins with `name`.
    """
    compiled = []
    for what, one in (("pattern", rule.pattern), ("unless", rule.unless)):
        try:
            compiled.append(re.compile(one, rule.flags) if isinstance(one, str) else one)
        except (re.error, ValueError, RecursionError, OverflowError) as e:
            raise ValueError(one_line(f"{name}: its {what} {one!r} cannot be compiled: {e}")) from e
    regex, unless = compiled
    assert regex is not None
    try:
        words = rule._words(regex)
        percent = rule._percent(regex) if rule.severity == "progress" else None
    except ValueError as e:
        raise ValueError(one_line(f"{name}: {e}")) from None
    return regex, unless, words, percent


def _filled(text: str, regex: re.Pattern[str]) -> _Words:
    """What fills the template with the groups of a match of `regex`.

    Raises:
        ValueError: it is not written as it must be, or names a group that is not there.
    """
    pieces: list[tuple[str, str | int | None]] = []
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError as e:
        raise ValueError(f"its text {text!r} is not valid: {e}; write {{{{ for a brace") from None
    for literal, field, spec, conversion in parsed:
        group: str | int | None = field
        if field is not None:
            if field.isascii() and field.isdecimal() and int(field) <= regex.groups:
                group = int(field)
            if group not in (*range(regex.groups + 1), *regex.groupindex) or spec or conversion:
                there = [*map(str, range(regex.groups + 1)), *regex.groupindex]
                raise ValueError(
                    f"its text {text!r} is not valid: in braces there must be a group of the "
                    f"pattern, and nothing else; there are {_listed(there)}"
                )
        pieces.append((literal, group))

    def words(match: re.Match[str]) -> str:
        return _shown(
            "".join(
                literal + ((match[group] or "") if group is not None else "")
                for literal, group in pieces
            )
        )

    return words


def _shown_line(match: re.Match[str]) -> str:
    """The line of the match, shortened to where the match is."""
    line = match.string
    if match.end() >= SHOWN and len(line.strip()) > SHOWN:
        start = min(max(match.start() - 50, 0), len(line) - SHOWN + 1)
        return _shown(("…" if start else "") + line[start:])
    return _shown(line)


def _shown(text: str) -> str:
    """One line without control characters, of at most SHOWN characters."""
    text = " ".join(text.strip()[: 2 * SHOWN].splitlines())
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text).strip()
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _number(text: str | None) -> float | None:
    """The finite number that `text` is, or None."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _is_text(pattern: object) -> bool:
    return isinstance(getattr(pattern, "pattern", None) if isinstance(pattern, re.Pattern)
                      else pattern, str)  # fmt: skip


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _nothing(match: re.Match[str]) -> None:
    pass
