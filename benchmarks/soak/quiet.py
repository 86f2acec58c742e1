"""Nothing to do: for some seconds by the real clock, and for a day by a faster one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ..model import BenchmarkError, percentile
from ..workspace import Workspace
from .clock import Clock
from .reading import Activity, activity
from .session import ROLES, Sample, Session, Task
from .soak import Check, described

DAY_S = 86_400
HOUR_S = 3_600
# By then requests renew nothing any more, and limits have their real length again.
_LAST_S = 20.0
_TASKS = 60
# What may come by chance: a page here and there (bytes), and the machine's moods.
_LEAST_GROWTH = 64 * 1024
_SLOWER = 1.5


@dataclass(frozen=True)
class Idle:
    """What processes did while nobody asked anything of them."""

    seconds: float
    before: Sample
    after: Sample
    done: Mapping[str, tuple[int, int]]

    def checks(self) -> Iterator[Check]:
        """What must hold: nothing at all was done."""
        for role, (switches, cpu_ns) in self.done.items():
            yield Check(
                not switches and not cpu_ns,
                f"{role}, idle for {self.seconds:.0f} s: {switches} context switches of all its"
                f" threads, {cpu_ns:,} ns of CPU",
            )
        yield from _unchanged("idle", self.before, self.after)


def rest(session: Session, seconds: float) -> Idle:
    """Leaves a session alone."""
    before = session.sample()
    pids = session.pids()
    first = {role: activity(pid) for role, pid in pids.items()}
    time.sleep(seconds)
    last = {role: activity(pid) for role, pid in pids.items()}
    done = {role: _difference(first[role], last[role]) for role in pids}
    return Idle(seconds, before, session.sample(), done)


def _difference(first: Activity, last: Activity) -> tuple[int, int]:
    # A thread that is not there any more, or was not, is work as well.
    other = len(first.threads ^ last.threads)
    return last.switches - first.switches + other, last.cpu_ns - first.cpu_ns


@dataclass
class Day:
    """A day by the faster clock."""

    factor: int
    before: Sample
    after: Sample
    # Before the day, and after it; likewise the seconds of a bare interpreter.
    tasks: tuple[list[Task], list[Task]]
    floors: tuple[list[float], list[float]]
    statuses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    #: The end by the lease: seconds after the last request, by the clock of the daemon.
    lease: float = 0.0
    faults: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def medians(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Milliseconds of a task and of a bare interpreter, before and after the day."""
        before, after = (
            (
                1000 * percentile([task.seconds for task in tasks], 0.5),
                1000 * percentile(floors, 0.5),
            )
            for tasks, floors in zip(self.tasks, self.floors)
        )
        return before, after

    def checks(self) -> Iterator[Check]:
        """What must hold."""
        yield Check(
            self.seconds >= DAY_S,
            f"a day of {self.seconds:,.0f} s by the daemon's clock, {self.factor:,} times as fast"
            f" as the real one; {len(self.statuses)} status requests",
        )
        yield from _unchanged("the day", self.before, self.after)
        bad = [task for tasks in self.tasks for task in tasks if task.faults]
        (before, floor_before), (after, floor_after) = self.medians()
        yield Check(
            not bad and after / floor_after < _SLOWER * before / floor_before,
            f"a task took {before:.0f} ms before the day (median; a bare interpreter"
            f" {floor_before:.0f} ms), {after:.0f} ms after it ({floor_after:.0f} ms)"
            + (f"; some failed: {bad[:3]}" if bad else ""),
        )
        yield Check(
            DAY_S <= self.lease < DAY_S + HOUR_S and not self.faults,
            "; ".join(self.faults)
            or f"another daemon, of which nobody asked anything, ended after {self.lease:,.0f} s"
            " by its clock (its lease is a day)",
        )
        yield Check(
            not self.left, "nothing was left behind" + (f", but: {self.left}" if self.left else "")
        )


def _unchanged(what: str, before: Sample, after: Sample) -> Iterator[Check]:
    for role in ROLES:
        if role not in before.readings:
            continue
        first, last = before.readings[role], after.readings[role]
        grown = max(last.uss - first.uss, last.rss - first.rss)
        yield Check(
            first.counts == last.counts and grown < _LEAST_GROWTH,
            f"{role}, {what}: {described(last)}, as before; memory {grown:+,} bytes"
            if first.counts == last.counts
            else f"{role}, {what}: {described(last)}; before {described(first)}",
        )
    same = (before.folder, before.temporary) == (after.folder, after.temporary)
    if not same:
        yield Check(False, f"{what}: files: {before.folder} before, {after.folder} after")


def live_through_a_day(
    workspace: Workspace, sources: str, clock: Clock, seconds: float, say: Callable[[str], None]
) -> Day:
    """A day of a daemon with a longer lease, and the end of one with the lease of a day.

    Between the requests the clock runs fast, during them as the real one does: what a request may
    take is no matter of days.

    Args:
        seconds: how long the day takes by the real clock.
    """
    factor = max(round(DAY_S / seconds), 2)
    clock.check(workspace, factor)
    say(f"the faster clock: {factor} times, every wait follows it")
    config = workspace.new_path("runtime").with_suffix(".json")
    config.write_text(json.dumps({"lease_seconds": 2 * DAY_S}), encoding="utf-8")
    session = Session(workspace, sources, {"RUNTIME_CONFIG_PATH": str(config)})
    session.start(clock.variables)
    # The first answer loads what looks at the memory of processes, for as long as the daemon lives.
    session.status()
    first, first_floors = _tasks(session)
    before = session.sample()
    began = clock.now()
    statuses = []
    for hour in range(1, 25):
        _wait(clock, began + hour * HOUR_S, factor)
        statuses.append(session.status()[0])
        if hour % 6 == 0:
            say(f"the day: {hour} hours")
    lasted = clock.now() - began
    after = session.sample()
    last, last_floors = _tasks(session)
    session.stop()
    day = Day(factor, before, after, (first, last), (first_floors, last_floors), statuses, lasted)
    day.left += session.left()
    session = Session(workspace, sources)
    session.start(clock.variables)
    session.run()
    asked = clock.now()
    # By the real clock in the end: what a stop may take is no matter of days, either.
    _wait(clock, asked + DAY_S - _LAST_S, factor)
    try:
        session.await_end(_LAST_S + 30)
        day.lease = clock.now() - asked
        day.left += session.left()
    except BenchmarkError as e:
        day.faults.append(f"the lease of a day: {e}")
        session.stop()
    say("the lease of a day: done")
    return day


def _tasks(session: Session) -> tuple[list[Task], list[float]]:
    """Runs some tasks, and a bare interpreter after each."""
    both = [(session.run(), session.floor()) for _ in range(_TASKS)]
    return [task for task, _ in both], [floor for _, floor in both]


def _wait(clock: Clock, until: float, factor: int) -> None:
    """Returns when the clock shows `until`; it runs fast up to then."""
    left = until - clock.now()
    if left > 0:
        clock.run(factor)
        time.sleep(left / factor)
        clock.run(1)
