"""Runs a benchmark: all its columns in turn, round after round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack

from .environments import Runtime
from .model import FLOOR, Benchmark, BenchmarkError, Outcome, Row, Sampler, Summary
from .workspace import Workspace


class _Column:
    """The samples of one column, until it fails."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.samples: dict[str, list[float]] = {}
        self.failure: str | None = None
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

    def close(self) -> None:
        self._guard(self._stack.close)

    def _keep(self, sampler: Sampler) -> None:
        for series, values in sampler().items():
            self.samples.setdefault(series, []).extend(values)

    def _guard(self, step: Callable[[], object]) -> None:
        """One column that fails must not cost the others their figures."""
        try:
            step()
        except (BenchmarkError, OSError, ValueError, KeyError) as error:
            self.failure = self.failure or f"{type(error).__name__}: {error}"
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
        outcome.rows.append(Row(figure, summaries))
    outcome.failures.extend(
        f"{benchmark.name}, {column.name}: {column.failure}"
        for column in columns
        if column.failure is not None
    )
    return outcome
