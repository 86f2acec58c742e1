"""What a benchmark is and what it yields; no I/O here."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from .environments import Runtime
    from .workspace import Workspace

FLOOR = "floor"
PEER = "peer"
OURS = "ours"

Sampler = Callable[[], Mapping[str, Sequence[float]]]
"""Takes one round of samples: series name -> values in the unit of the figures that read it."""

Statistic = Literal["median", "p99"]


class BenchmarkError(Exception):
    """A benchmark could not be run; the message is one line for the person who started it."""


class UnavailableError(BenchmarkError):
    """This machine has not what it takes to measure this; no fault of what was to be measured."""


class Absence(NamedTuple):
    """Why a cell of the table has no value."""

    word: str
    reason: str = ""


FAILED = "failed"
NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    key: str
    title: str
    unit: str
    series: str
    goal: float | None = None
    statistic: Statistic = "median"
    better: Literal["lower", "higher"] = "lower"
    # Where only one side has a way to do something, the other side's nearest way is compared.
    peer_series: str | None = None
    floor_series: str | None = None
    # Why the peer is spared this one; a few words.
    peer_spared: str = ""

    def series_of(self, column: str) -> str:
        """The series that this figure reads in a column of the table."""
        if column == PEER and self.peer_series is not None:
            return self.peer_series
        if column == FLOOR and self.floor_series is not None:
            return self.floor_series
        return self.series


class Benchmark(ABC):
    """A subject that is measured in the same way with either runtime.

    The driver opens one sampler per column (floor, peer, ours), calls each once to warm up, and
    then calls them in turn, ``rounds`` times, so that a machine that drifts hits all of them.
    """

    name: str
    title: str
    # One line for a reader who has never seen the benchmark: what is timed, and what the floor is.
    meaning: str
    figures: tuple[Figure, ...]
    rounds = 5
    quick_rounds = 2
    warm_up = True
    # Known to fail with the peer, always or at times: that is a result, and no failure of the run.
    peer_may_fail = False

    @abstractmethod
    def sampler(self, runtime: Runtime, workspace: Workspace) -> AbstractContextManager[Sampler]:
        """Set up what is measured once for all rounds; leave nothing behind."""

    def floor(self, workspace: Workspace) -> AbstractContextManager[Sampler] | None:
        """The same work without any runtime, where that means something."""
        return None


def percentile(values: Sequence[float], fraction: float) -> float:
    """The nearest-rank percentile: always a value that was really measured."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(fraction * len(ordered)) - 1)]


@dataclass(frozen=True)
class Summary:
    """All samples of one series in one column."""

    count: int
    minimum: float
    median: float
    p99: float
    maximum: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Summary:
        return cls(
            len(values),
            min(values),
            percentile(values, 0.5),
            percentile(values, 0.99),
            max(values),
        )

    def value(self, statistic: Statistic) -> float:
        return self.median if statistic == "median" else self.p99


@dataclass(frozen=True)
class Row:
    """A figure with what was measured for it, by column."""

    figure: Figure
    columns: Mapping[str, Summary]
    absences: Mapping[str, Absence] = field(default_factory=dict)

    def value(self, column: str) -> float | None:
        summary = self.columns.get(column)
        return None if summary is None else summary.value(self.figure.statistic)

    @property
    def ratio(self) -> float | None:
        """How many times better ours is than the peer; below 1 it is worse."""
        ours, peer = self.value(OURS), self.value(PEER)
        if ours is None or peer is None or min(ours, peer) <= 0:
            return None
        return peer / ours if self.figure.better == "lower" else ours / peer

    @property
    def excess(self) -> float | None:
        """By how much the goal is missed, in the figure's unit; zero or less when it is met."""
        ours, goal = self.value(OURS), self.figure.goal
        if ours is None or goal is None:
            return None
        return ours - goal if self.figure.better == "lower" else goal - ours


@dataclass
class Outcome:
    """What one benchmark gave: rows, and the columns that could not be measured."""

    benchmark: Benchmark
    rows: list[Row] = field(default_factory=list)
    # Column -> why it has no value, or fewer than it should.
    failures: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether a column failed that must not."""
        return any(not (name == PEER and self.benchmark.peer_may_fail) for name in self.failures)

    def told_failures(self) -> list[str]:
        """A line for each column that failed."""
        return [f"{self.benchmark.name}, {name}: {why}" for name, why in self.failures.items()]
