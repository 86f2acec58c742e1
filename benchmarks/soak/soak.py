"""The tasks: thousands of them through one daemon, and what they leave in it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ..model import percentile
from .reading import Reading
from .session import APPLICATION, ROLES, Sample, Session, Task
from .tasks import PLAIN, kind_of
from .trend import Trend, trend

WARM_UP = 200
EVERY = 50
SHOWN_EVERY = 250
_FLOOR_EVERY = 10
# An application lives for so many tasks; see tasks.py.
_LIFE = 500
# Growth over the second half that counts: less is a page here and there (bytes).
_LEAST_GROWTH = 64 * 1024
# Growth of a command's time over all tasks that counts, as a part of it.
_LEAST_SLOWER = 0.05


@dataclass(frozen=True)
class Check:
    """A statement about what was measured, and whether it holds."""

    holds: bool
    text: str

    def __str__(self) -> str:
        return f"{'OK' if self.holds else 'FAILED'} {self.text}"


@dataclass
class Soak:
    """What was measured of one daemon's tasks."""

    samples: list[Sample] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    # (number of the task before, seconds of a bare interpreter)
    floors: list[tuple[int, float]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def moments(self) -> tuple[Sample, Sample, Sample]:
        """Start, middle and end."""
        return self.samples[0], self.samples[len(self.samples) // 2], self.samples[-1]

    def windows(self) -> Iterator[tuple[list[Task], list[float]]]:
        """The tasks, and the seconds of a bare interpreter, of the first, middle and last tenth."""
        first, last = self.samples[0].number, self.samples[-1].number
        width = max((last - first) // 10, EVERY)
        for begin in (first, (first + last - width) // 2, last - width):
            span = range(begin + 1, begin + width + 1)
            tasks = [task for task in self.tasks if task.number in span]
            yield tasks, [seconds for number, seconds in self.floors if number in span]

    def memory_trend(self, role: str, field_name: str) -> Trend | None:
        """How the memory of a process goes over the second half, in bytes per task.

        An application is a new process every 500 tasks: those are taken together, each with a
        level of its own, without its first hundred tasks.
        """
        half = self.samples[len(self.samples) // 2 :]
        groups: dict[int, list[tuple[float, float]]] = {}
        for sample in half if role != APPLICATION else self.samples:
            if role not in sample.readings:
                continue
            life, age = divmod(sample.number + 25, _LIFE)
            if role == APPLICATION and age < 100:
                continue
            key = life if role == APPLICATION else 0
            value = float(getattr(sample.readings[role], field_name))
            groups.setdefault(key, []).append((sample.number, value))
        return trend(groups.values())

    def latency_trend(self) -> Trend | None:
        """How the time of plain tasks goes, as a multiple of a bare interpreter's, per task."""
        points = []
        for sample in self.samples[1:]:
            span = range(sample.number - EVERY + 1, sample.number + 1)
            times = [task.seconds for task in plain(self.tasks) if task.number in span]
            floors = [seconds for number, seconds in self.floors if number in span]
            if times and floors:
                ratio = statistics.median(times) / statistics.median(floors)
                points.append((float(sample.number), ratio))
        return trend([points])

    def checks(self) -> Iterator[Check]:
        """What must hold."""
        bad = [task for task in self.tasks if task.faults]
        text = f"{len(self.tasks):,} tasks ended as they must, with all of their output"
        if bad:
            told = "; ".join(f"{task.number}: {', '.join(task.faults)}" for task in bad[:5])
            text = f"{len(bad):,} of {len(self.tasks):,} tasks ended as they must not: {told}"
        yield Check(not bad, text)
        for role in ROLES:
            yield from self._checks_of(role)
        folders = {(sample.folder, sample.temporary) for sample in self.samples}
        count, size = self.samples[0].folder
        text = f"the private folder had {count} files of {size:,} bytes at each of the samples"
        if len(folders) > 1:
            text = f"files were not the same at all samples (files, bytes): {sorted(folders)[:5]}"
        yield Check(len(folders) == 1, text)
        slower = self.latency_trend()
        if slower is not None:
            level = statistics.median(task.seconds for task in plain(self.tasks))
            floor = statistics.median(seconds for _, seconds in self.floors)
            growth, error = (
                100 * part * slower.span * floor / level for part in (slower.slope, slower.error)
            )
            yield Check(
                not slower.beyond_noise(_LEAST_SLOWER * level / floor),
                "the time of a plain task, as a multiple of a bare interpreter's, has changed by"
                f" {growth:+.1f} % ± {error:.1f} over all tasks",
            )
        yield Check(
            not self.left, "nothing was left behind" + (f", but: {self.left}" if self.left else "")
        )

    def _checks_of(self, role: str) -> Iterator[Check]:
        readings = [sample.readings[role] for sample in self.samples if role in sample.readings]
        if not readings:
            return
        counts = {reading.counts for reading in readings}
        text = f"{role}: {described(readings[-1])} at each of {len(readings)} samples"
        if len(counts) > 1:
            text = f"{role}: descriptors, threads, processes below were {sorted(counts)}"
        yield Check(len(counts) == 1, text)
        for name, words in (("uss", "its own memory"), ("rss", "resident memory")):
            line = self.memory_trend(role, name)
            if line is None:
                yield Check(True, f"{role}, {words}: too few samples for a statement")
                continue
            spans = f"the lives of {role}s" if role == APPLICATION else "the second half"
            yield Check(
                not line.beyond_noise(_LEAST_GROWTH),
                f"{role}, {words}: {line.slope:+.2f} ± {line.error:.2f} bytes a task over {spans}:"
                f" {line.growth / 1024:+,.1f} KiB, at most {line.most / 1024:+,.1f} KiB"
                f" (noise {line.noise / 1024:.1f} KiB)",
            )


def described(reading: Reading) -> str:
    """The counts of a reading, in words."""
    return (
        f"{reading.descriptors} descriptors, {reading.threads} threads,"
        f" {reading.processes} processes below"
    )


def plain(tasks: Sequence[Task]) -> list[Task]:
    """The plain ones of them."""
    return [task for task in tasks if kind_of(task.number).name == PLAIN]


def run(session: Session, tasks: int, say: Callable[[str], None]) -> Soak:
    """Runs the tasks of a session that was started; the session goes on."""
    soak = Soak()
    for _ in range(WARM_UP):
        session.run()
    soak.samples.append(session.sample())
    for count in range(1, tasks + 1):
        task = session.run()
        soak.tasks.append(task)
        if task.faults:
            say(f"task {task.number}: {', '.join(task.faults)}")
        if task.number % _FLOOR_EVERY == 0:
            soak.floors.append((task.number, session.floor()))
        if count % EVERY == 0:
            soak.samples.append(session.sample())
        if count % SHOWN_EVERY == 0 or count == tasks:
            say(progress_line(soak))
    return soak


def progress_line(soak: Soak) -> str:
    """The last sample, on one line."""
    sample = soak.samples[-1]
    parts = []
    for role in ROLES:
        reading = sample.readings.get(role)
        if reading is not None:
            parts.append(
                f"{role} {reading.rss / 2**20:.2f} MiB ({reading.uss / 2**20:.2f} own),"
                f" {reading.descriptors} fds, {reading.threads} threads"
            )
    recent = [task.seconds for task in plain(soak.tasks[-SHOWN_EVERY:])]
    times = (
        f"p50 {percentile(recent, 0.5) * 1000:.0f} ms, p99 {percentile(recent, 0.99) * 1000:.0f} ms"
    )
    return f"{sample.number:,}: {'; '.join(parts)}; {times}"
