# ruff: noqa: RUF001 -- signs as people write them
"""The figures of a report: durations, what a kept session has saved, how to say them."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from ..._log_reading import Log, Session, Step
from ..._log_reading.model import FAILED

_ENCOUNTERED = re.compile(r"^Error encountered while [a-z ]+ adaptor: ")


class Saved(NamedTuple):
    """What it has saved to start once (seconds).

    Attributes:
        start, tasks, stop: what the sessions took; waiting between the tasks is left out.
        apart: what the same tasks take where each has a start and a stop of its own.
        number: how many tasks.
    """

    start: float
    tasks: float
    stop: float
    apart: float
    number: int

    @property
    def together(self) -> float:
        """What the sessions took."""
        return self.start + self.tasks + self.stop

    @property
    def seconds(self) -> float:
        """What was saved."""
        return self.apart - self.together


class Figures(NamedTuple):
    """What is said of all sessions together; None where the logs do not say it."""

    sessions: int
    tasks: int
    failed: int
    canceled: int
    unknown: int
    seconds: float | None
    median: float | None
    slowest: Step | None
    start: float | None
    memory: float | None
    saved: Saved | None
    warnings: int


def figures(logs: Sequence[Log]) -> Figures:
    """The figures of these logs."""
    sessions = [session for log in logs for session in log.sessions]
    tasks = [task for session in sessions for task in session.tasks]
    timed = [task for task in tasks if task.seconds is not None]
    times = [task.seconds or 0.0 for task in timed]
    starts = [total for s in sessions if (total := part(s, "start")) is not None]
    lengths = [length for s in sessions if (length := s.seconds) is not None]
    more = sum(session.more_steps for session in sessions)
    verdicts = [task.verdict for task in tasks]
    return Figures(
        sessions=len(sessions),
        tasks=len(tasks) + more,
        failed=verdicts.count(FAILED) + sum(session.more_failed for session in sessions),
        canceled=verdicts.count("canceled"),
        unknown=verdicts.count(None),
        seconds=sum(lengths) if lengths else None,
        median=statistics.median(times) if times else None,
        slowest=max(timed, key=lambda task: task.seconds or 0.0) if timed else None,
        start=statistics.median(starts) if starts else None,
        memory=max((s.memory.highest for s in sessions if len(s.memory)), default=None),
        saved=_saved(sessions),
        warnings=sum(
            step.warnings.count for s in sessions for step in (*s.steps, s.outside)
        ),
    )  # fmt: skip


def part(session: Session, kind: str) -> float | None:
    """The seconds that the steps of a kind took in a session; None if there is none with times."""
    times = [step.seconds for step in session.steps if step.kind == kind]
    known = [time for time in times if time is not None]
    return sum(known) if known else None


def _saved(sessions: Sequence[Session]) -> Saved | None:
    start = tasks = stop = apart = 0.0
    count = 0
    for session in sessions:
        its_start, its_tasks = part(session, "start"), part(session, "run")
        done = sum(task.seconds is not None for task in session.tasks)
        started = any(step.kind == "start" and step.verdict != FAILED for step in session.steps)
        if its_start is None or its_tasks is None or not started:
            continue
        its_stop = (part(session, "stop") or 0.0) + (part(session, "cleanup") or 0.0)
        start, tasks, stop = start + its_start, tasks + its_tasks, stop + its_stop
        apart += its_tasks + done * (its_start + its_stop)
        count += done
    return Saved(start, tasks, stop, apart, count) if count else None


# How to say them.


def brief(error: str) -> str:
    """A failure without what all of them begin with."""
    return _ENCOUNTERED.sub("", error, count=1)


def duration(seconds: float | None) -> str:
    """Such as 340 ms, 2.60 s, 14.5 s, 3 min 05 s, 2 h 03 min."""
    if seconds is None:
        return "–"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    whole = round(seconds / 60)
    if whole < 24 * 60:
        return f"{whole // 60} h {whole % 60:02} min"
    return f"{whole // 1440} d {whole % 1440 // 60} h"


def size(number: float | None) -> str:
    """Bytes, such as 812 MiB or 2.4 GiB."""
    if number is None:
        return "–"
    if not number:
        return "0"
    for unit, one in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if number >= one:
            value = number / one
            return f"{value:.1f} {unit}" if value < 10 else f"{value:,.0f} {unit}"
    return f"{number:.0f} bytes"


def many(number: int, one: str, more: str | None = None) -> str:
    """Such as "1 task" and "12 tasks"."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def moment(time: float | None, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """A date in the zone of this machine."""
    if time is None:
        return "–"
    try:
        return datetime.fromtimestamp(time).astimezone().strftime(form)
    except (ValueError, OverflowError, OSError):
        return "–"


_STEPS = (
    *(m * 10.0**e for e in range(-3, 1) for m in (1, 2, 5)),
    10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400,
)  # fmt: skip


def time_ticks(total: float, most: int = 6) -> list[tuple[float, str]]:
    """Ticks of an axis from 0 to `total` seconds, with what to write there."""
    if total <= 0:
        return [(0.0, "0 s")]
    fitting = (step for step in _STEPS if total / step <= most)
    step = next(fitting, 0.0) or 86400.0 * math.ceil(total / 86400 / most)
    unit, name = next(
        (u, n) for u, n in ((86400, "d"), (3600, "h"), (60, "min"), (0, "s")) if step >= u
    )
    unit = unit or 1
    digits = max(0, -math.floor(math.log10(step))) if step < 1 else 0
    form = f"{{:.{digits}f}}" if unit == 1 else "{:g}"
    return [
        (n * step, f"{form.format(n * step / unit) if n else 0} {name}")
        for n in range(int(total / step * (1 + 1e-9)) + 1)
    ]


def value_ticks(highest: float) -> list[float]:
    """Three or four round values from 0 up to `highest`, a number of bytes."""
    unit = next((u for u in (1 << 30, 1 << 20, 1 << 10) if highest >= 2 * u), 1)
    most = max(highest / unit, 1e-9)
    power = 10.0 ** math.floor(math.log10(most))
    step = next(m * power for m in (0.25, 0.5, 1, 2, 5) if most / (m * power) <= 4)
    return [n * step * unit for n in range(int(most / step) + 1)]
