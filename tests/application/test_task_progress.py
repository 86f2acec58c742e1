"""TaskProgress: the progress of a chunk, put together."""

from __future__ import annotations

import math
import threading
from typing import Any

import pytest
from bounded import Task
from hypothesis import example, given
from hypothesis import strategies as st

from openjd.adaptor_runtime.application.task_progress import TaskProgress

numbers = st.floats() | st.integers(-50, 150)
calls = st.lists(
    st.one_of(
        st.tuples(st.just("enter"), st.integers(-3, 12)),
        st.tuples(st.just("update"), numbers),
        st.tuples(st.just("split"), st.integers(-1, 12)),
        st.tuples(st.just("finish")),
    ),
    max_size=30,
)


def emitted(parts: int, *steps: tuple[Any, ...]) -> list[float]:
    """What is emitted for these calls."""
    told: list[float] = []
    progress = TaskProgress(told.append)
    progress.begin(parts)
    for name, *args in steps:
        getattr(progress, name)(*args)
    return told


@pytest.mark.parametrize(
    ("parts", "steps", "expected"),
    [
        (1, [("update", 0)], []),
        (1, [("update", 50), ("update", 25), ("update", 75)], [50.0, 75.0]),
        (1, [("update", 10), ("update", 10.05), ("update", 10.1)], [10.0, 10.1]),
        (1, [("update", 0.3), ("update", 0.2), ("update", 0.4)], [0.3, 0.4]),
        (1, [("update", 140), ("update", 150)], [100.0]),
        (1, [("update", -5), ("update", math.nan), ("update", math.inf)], []),
        (1, [("update", 99.99)], [99.9]),
        (1, [("finish",), ("update", 50), ("finish",)], [100.0]),
        (4, [("enter", 0), ("update", 50), ("enter", 1), ("update", 100)], [12.5, 25.0, 50.0]),
        (4, [("enter", 3), ("enter", 1), ("update", 100), ("finish",)], [75.0, 100.0]),
        (3, [("enter", 1), ("enter", 2), ("finish",)], [33.3, 66.6, 100.0]),
        (4, [("enter", 9), ("update", 100)], [75.0, 100.0]),
        (4, [("enter", -2), ("update", 100)], [25.0]),
        (0, [("update", 50)], [50.0]),
        (2, [("enter", 1), ("split", 10), ("update", 100), ("enter", 6)], [50.0, 60.0]),
        (10**18, [("enter", 10**18 - 1), ("finish",)], [100.0]),
    ],
)
def test_table(parts: int, steps: list[tuple[Any, ...]], expected: list[float]) -> None:
    """The whole is (index + percent/100) / parts; it is told as it grows, and never goes back."""
    assert emitted(parts, *steps) == expected


def test_finished_only_at_the_end_of_the_last_part() -> None:
    """With any number of parts, 100 comes with the end of the last one, not before."""
    for parts in range(1, 200):
        steps = [(name, n) for n in range(parts) for name in ("enter", "update")]
        steps = [(name, n if name == "enter" else 100) for name, n in steps]
        assert 100 not in emitted(parts, *steps[:-1])
        assert emitted(parts, *steps)[-1] == 100


def test_every_tenth_is_told() -> None:
    """Progress in steps of 0.1 is told at each, whatever floats make of it."""
    assert emitted(1, *(("update", n / 10) for n in range(1001))) == [
        n / 10 for n in range(1, 1001)
    ]


def test_a_new_task_begins_at_zero() -> None:
    """What was reached in one task does not hold back the next."""
    told: list[float] = []
    progress = TaskProgress(told.append)
    for _ in range(2):
        progress.begin(2)
        progress.enter(1)
        progress.finish()
    assert told == [50.0, 100.0] * 2


@given(st.integers(-1, 12), calls)
@example(7, [("enter", 6), ("update", 99.99999999999999)])
def test_never_back_and_within_bounds(parts: int, steps: list[tuple[Any, ...]]) -> None:
    """Whatever is reported, what is told grows by 0.1 at least and stays in 0..100."""
    told = emitted(parts, *steps)
    tenths = [round(one * 10) for one in told]
    assert told == [n / 10 for n in tenths]
    assert all(before < after for before, after in zip([0, *tenths], tenths))
    assert all(0 < one <= 100 for one in told)


def test_threads() -> None:
    """Reports from several threads at once are told in order, each value once."""
    told: list[float] = []
    progress = TaskProgress(told.append)
    progress.begin()
    together = threading.Barrier(4)

    def report() -> None:
        together.wait()
        for n in range(1001):
            progress.update(n / 10)

    for task in [Task(report) for _ in range(4)]:
        task.result()
    assert told == sorted(set(told))
    assert told[-1] == 100
