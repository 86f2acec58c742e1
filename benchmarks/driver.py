"""Runs a benchmark: all its columns in turn, round after round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack

from .environments import Runtime
from .model import (
    FAILED,
    FLOOR,
    NOT_MEASURED,
    PEER,
    Absence,
    Benchmark,
    BenchmarkError,
    Figure,
    Outcome,
    Row,
    Sampler,
    Summary,
    UnavailableError,
)
from .workspace import Workspace


class _Column:
    """The samples of one column, until it fails."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.samples: dict[str, list[float]] = {}
        self.failure: str | None = None
        self.unavailable: str | None = None
        self._stack = ExitStack()
        self._sampler: Sampler | None = None

    def open(self, context: AbstractContextManager[Sampler]) -> None:
        def enter() -> None:
            self._sampler = self._stack.enter_context(context)

        self._guard(enter)

    def warm(self) -> None:
        if self._sampler is not None:
            self._guard(self._sampler)

    def take(self) -> None:
        sampler = self._sampler
        if sampler is not None:
            self._guard(lambda: self._keep(sampler))

    def absence(self, figure: Figure) -> Absence | None:
        """Why there is no value; None where nobody meant there to be one."""
        if self.unavailable is not None:
            return Absence(NOT_MEASURED)
        if self.failure is not None:
            return Absence(FAILED)
        if self.name == PEER and figure.peer_spared:
            return Absence(NOT_MEASURED, figure.peer_spared)
        return None

    def close(self) -> None:
        self._guard(self._stack.close)

    def _keep(self, sampler: Sampler) -> None:
        for series, values in sampler().items():
            self.samples.setdefault(series, []).extend(values)

    def _guard(self, step: Callable[[], object]) -> None:
        """One column that fails must not cost the others their figures."""
        try:
            step()
        except UnavailableError as error:
            self.unavailable = str(error)
            self._sampler = None
        except (BenchmarkError, OSError, ValueError, KeyError) as error:
            told = str(error) if isinstance(error, BenchmarkError) else repr(error)
            self.failure = self.failure or told
            self._sampler = None


def measure(
    benchmark: Benchmark,
    runtimes: Sequence[Runtime],
    workspace: Workspace,
    say: Callable[[str], None],
) -> Outcome:
    """The rows of one benchmark; what failed is in the outcome's `failures`."""
    columns: list[_Column] = []
    try:
        floor = benchmark.floor(workspace)
        if floor is not None:
            columns.append(_Column(FLOOR))
            columns[-1].open(floor)
        for runtime in runtimes:
            columns.append(_Column(runtime.name))
            columns[-1].open(benchmark.sampler(runtime, workspace))
        if benchmark.warm_up:
            for column in columns:
                column.warm()
        rounds = benchmark.quick_rounds if workspace.quick else benchmark.rounds
        for number in range(1, rounds + 1):
            say(f"{benchmark.name}: round {number} of {rounds}")
            for column in columns:
                column.take()
    finally:
        for column in columns:
            column.close()
    outcome = Outcome(benchmark)
    for figure in benchmark.figures:
        summaries = {
            column.name: Summary.of(values)
            for column in columns
            if (values := column.samples.get(figure.series_of(column.name)))
        }
        absences = {
            column.name: absence
            for column in columns
            if column.name not in summaries and (absence := column.absence(figure)) is not None
        }
        outcome.rows.append(Row(figure, summaries, absences))
    for column in columns:
        if column.failure is not None:
            outcome.failures[column.name] = column.failure
        if column.unavailable is not None:
            outcome.notes.append(
                f"{benchmark.name}, {column.name}: {NOT_MEASURED}: {column.unavailable}"
            )
    outcome.notes += workspace.take_notes()
    return outcome
