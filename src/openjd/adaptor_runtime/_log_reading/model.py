"""What a log says: sessions, their steps, and what happened in them.

Everything in here is bounded, however long the log: of what there can be much of, some is kept
and the rest is counted. Times are in seconds; of a log with dates since the Unix epoch, of others
since its beginning; None where the log has no times.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

#: Characters of a line that are kept.
LONGEST_TEXT = 2000
_MOST_POINTS = 2000
_MOST_LINES = 50
_MOST_AROUND = 60
_MOST_SPANS = 200
_MOST_OUTPUTS = 200
# What begins so soon after something else (seconds) is the same, under another name.
_AT_ONCE = 0.02
#: Steps of a session that are kept, and beyond these: steps that have failed.
MOST_STEPS = 5000
MOST_FAILED = 500

OK, FAILED, CANCELED = "ok", "failed", "canceled"


@dataclass(frozen=True)
class Line:
    """A line of the log.

    Attributes:
        number: its number in the file, from 1.
        time: when it was written.
        level: ``STDOUT``, ``STDERR``, ``INFO``, ``WARNING``, ``ERROR``…; ``message`` for what is
            for the scheduler; ``engine`` for what the scheduler says; "" for anything else.
        text: what it says behind times and prefixes.
    """

    number: int
    time: float | None
    level: str
    text: str

    def shown(self) -> str:
        """The line as people know it."""
        return f"{self.level}: {self.text}" if self.level.isupper() else self.text


class Series:
    """Values over time; where there are many, every second one is forgotten, again and again."""

    def __init__(self) -> None:
        self.points: list[tuple[float, float]] = []
        self.highest = 0.0
        #: As it came last, whether or not there was a time with it.
        self.last: float | None = None
        self._every = 1
        self._skipped = 0

    def add(self, time: float | None, value: float) -> None:
        """Takes a value; one without a time is no point, but counts as the last."""
        self.last = value
        self.highest = max(self.highest, value)
        if time is None:
            return
        self._skipped += 1
        if self._skipped < self._every:
            return
        self._skipped = 0
        self.points.append((time, value))
        if len(self.points) > _MOST_POINTS:
            del self.points[1::2]
            self._every *= 2

    def __len__(self) -> int:
        return len(self.points)


class Lines:
    """The first lines of a kind, and how many there were."""

    def __init__(self, most: int = _MOST_LINES) -> None:
        self.kept: list[Line] = []
        self.count = 0
        self._most = most

    def add(self, line: Line) -> None:
        """Takes a line."""
        self.count += 1
        if len(self.kept) < self._most:
            self.kept.append(line)

    def __iter__(self) -> Iterator[Line]:
        return iter(self.kept)

    def __len__(self) -> int:
        return self.count


@dataclass
class Span:
    """A part of a step: the application's start, a call, what a status says is done."""

    name: str
    begin: float
    end: float | None = None


@dataclass
class Step:
    """A step of a session.

    Attributes:
        kind: ``start``, ``run``, ``stop`` or ``cleanup``.
        number: of a task, its number in the session, from 1; else 0.
        name: the task's parameters, or the environment's name, where the log has them.
        verdict: ``ok``, ``failed``, ``canceled``, or None where the log does not say.
        error: why it has failed.
        exit_status: of the command that the scheduler ran.
        fails: what was told to the scheduler.
        first: the step's first line.
        before: the lines before the first failure; after: those that came then.
    """

    kind: str
    number: int = 0
    name: str = ""
    begin: float | None = None
    end: float | None = None
    verdict: str | None = None
    error: str = ""
    exit_status: int | None = None
    first: int = 0
    progress: Series = field(default_factory=Series)
    status: str = ""
    fails: Lines = field(default_factory=Lines)
    warnings: Lines = field(default_factory=Lines)
    engine: Lines = field(default_factory=Lines)
    spans: list[Span] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    lines: int = 0
    before: list[Line] = field(default_factory=list)
    after: list[Line] = field(default_factory=list)
    tail: deque[Line] = field(default_factory=lambda: deque(maxlen=_MOST_AROUND))
    interrupted: Line | None = None
    timed_out: Line | None = None

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        if self.begin is None or self.end is None:
            return None
        return max(self.end - self.begin, 0.0)

    def take(self, line: Line) -> None:
        """A line that was written during the step."""
        self.lines += 1
        self.first = self.first or line.number
        if self.fails.count and len(self.after) < _MOST_AROUND:
            self.after.append(line)
        self.tail.append(line)

    def fail(self, line: Line) -> None:
        """A failure was told to the scheduler; the line has been taken."""
        if not self.fails.count:
            told = f"openjd_fail: {line.text}"
            self.before = [one for one in self.tail if (one.level, one.text) != ("message", told)]
            self.error = self.error or line.text
        self.fails.add(line)

    def open_span(self, name: str, time: float | None) -> None:
        """Something begins, and what was under way is over; no name: that alone."""
        if time is None:
            return
        last = self.spans[-1] if self.spans else None
        if name and last is not None and last.end is None and 0 <= time - last.begin < _AT_ONCE:
            # A status, and the call that it is about.
            last.name = f"{last.name} ({name})"[:300]
            return
        self.close_span(time)
        if name and len(self.spans) < _MOST_SPANS:
            self.spans.append(Span(name, time))

    def close_span(self, time: float | None) -> None:
        """What is under way is over."""
        if self.spans and self.spans[-1].end is None:
            self.spans[-1].end = time

    def add_output(self, path: str) -> None:
        """A file that the task has written."""
        if len(self.outputs) < _MOST_OUTPUTS and path not in self.outputs:
            self.outputs.append(path)

    def slim(self) -> None:
        """The step is over and went well: what led to its end will not be asked for."""
        if self.verdict == OK and not self.fails.count:
            self.tail.clear()


@dataclass
class Application:
    """A start of an application."""

    time: float | None
    pid: int
    command: str
    end: float | None = None
    status: int | None = None


@dataclass
class Session:
    """A session.

    Attributes:
        source: ``journal``, ``openjd run`` or ``output``.
        adaptor: the adaptor's name; job: what the scheduler calls the job and its step.
        ended: whether the log has the session's end.
        outside: lines that belong to no step.
        more_steps: steps that are not in ``steps``, for there are too many.
    """

    path: str
    source: str
    adaptor: str = ""
    job: str = ""
    version: str = ""
    pid: int = 0
    mode: str = ""
    begin: float | None = None
    end: float | None = None
    ended: bool = False
    steps: list[Step] = field(default_factory=list)
    more_steps: int = 0
    more_failed: int = 0
    memory: Series = field(default_factory=Series)
    applications: list[Application] = field(default_factory=list)
    application_starts: int = 0
    outside: Step = field(default_factory=lambda: Step("outside"))
    engine_result: Line | None = None

    def reach(self, time: float | None) -> None:
        """Something of it was at that time, so it did not end before."""
        if time is not None:
            self.end = time if self.end is None else max(self.end, time)

    @property
    def tasks(self) -> list[Step]:
        """Its tasks."""
        return [step for step in self.steps if step.kind == "run"]

    @property
    def verdict(self) -> str | None:
        """The worst of its steps; None where nothing says how it went."""
        verdicts = {step.verdict for step in self.steps}
        if FAILED in verdicts or self.outside.fails.count or self.more_failed:
            return FAILED
        if CANCELED in verdicts:
            return CANCELED
        return OK if OK in verdicts else None

    @property
    def seconds(self) -> float | None:
        """From its beginning to its end, or to the last line."""
        if self.begin is None or self.end is None:
            return None
        return max(self.end - self.begin, 0.0)


@dataclass
class Log:
    """A log.

    Attributes:
        dated: whether times are since the Unix epoch.
        notes: what whoever reads it should know of how it was read.
    """

    path: str
    sessions: list[Session] = field(default_factory=list)
    lines: int = 0
    dated: bool = False
    notes: list[str] = field(default_factory=list)
