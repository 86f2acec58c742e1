"""The table, what it says about the goals, and the same as JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from .environments import Runtime
from .model import FLOOR, OURS, PEER, Outcome, Row, Summary

# The bare interpreter of the machine that the goals were set on, and the figure that has it here.
_REFERENCE_FLOOR_MS = 9.0
_REFERENCE_FIGURES = ("daemon_start.by_class", "empty_task.by_class")

_HEADER = ("", FLOOR, PEER, "(min - max)", OURS, "(min - max)", "ratio", "goal", "")


def machine() -> dict[str, Any]:
    """What the figures were measured on; no name of a host or a person."""
    facts: dict[str, Any] = {
        "system": platform.system(),
        "release": platform.release(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
    }
    if hasattr(os, "getloadavg"):
        facts["load_before"] = round(os.getloadavg()[0], 2)
    return facts


def notes(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """What failed, and what else must be known of the figures; a line each."""
    for outcome in outcomes:
        yield from (f"NOTE {note}" for note in outcome.notes)
        yield from (f"FAILED {failure}" for failure in outcome.told_failures())


def table(outcomes: Sequence[Outcome], runtimes: Sequence[Runtime]) -> Iterator[str]:
    """The lines of the table."""
    header = list(_HEADER)
    for runtime in runtimes:
        header[_HEADER.index(runtime.name)] = f"{runtime.name} {runtime.version}"
    lines = [header]
    for outcome in outcomes:
        lines.append([outcome.benchmark.title] + [""] * (len(header) - 1))
        lines.extend(_cells(row) for row in outcome.rows)
    # A benchmark's title stands across all columns, so it has no say in their width.
    rows = [line for line in lines if any(line[1:])]
    widths = [max(len(line[index]) for line in rows) for index in range(len(header))]
    for line in lines:
        if not any(line[1:]):
            yield ""
            yield line[0]
            continue
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:-1], widths[1:-1])]
        yield "  ".join([*cells, line[-1]]).rstrip()


def verdict(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """What the figures say about the goals; first the missed ones, each with its distance."""
    floor = _bare_interpreter(outcomes)
    if floor is not None and floor > 1.25 * _REFERENCE_FLOOR_MS:
        yield (
            f"NOTE the goals were set on a machine that starts a bare interpreter in"
            f" {number(_REFERENCE_FLOOR_MS)} ms; this one took {number(floor)} ms"
            f" ({number(floor / _REFERENCE_FLOOR_MS)} times as long)"
        )
    rows = [row for outcome in outcomes for row in outcome.rows if row.figure.goal is not None]
    excesses = [row.excess for row in rows]
    for outcome in outcomes:
        for row in outcome.rows:
            excess, goal = row.excess, row.figure.goal
            if excess is not None and goal is not None and excess > 0:
                side = "over" if row.figure.better == "lower" else "short of"
                unit = row.figure.unit
                yield (
                    f"MISSED {outcome.benchmark.title}: {row.figure.title}:"
                    f" {quantity(row.value(OURS), unit)}, {quantity(excess, unit)}"
                    f" ({100 * excess / goal:.0f} %) {side} the goal of {_goal(row)}"
                )
    missed = sum(1 for excess in excesses if excess is not None and excess > 0)
    unknown = sum(1 for excess in excesses if excess is None)
    line = f"{len(rows)} goals: {len(rows) - missed - unknown} met, {missed} missed"
    yield line + (f", {unknown} not measured" if unknown else "")


def as_json(
    facts: Mapping[str, Any], outcomes: Sequence[Outcome], runtimes: Sequence[Runtime]
) -> dict[str, Any]:
    """`facts` about the machine, and all that the table shows with its numbers of samples."""
    return {
        "format": 1,
        "machine": dict(facts),
        "runtimes": {runtime.name: runtime.version for runtime in runtimes},
        "benchmarks": [
            {
                "name": outcome.benchmark.name,
                "title": outcome.benchmark.title,
                "figures": [_figure_json(row) for row in outcome.rows],
                "failures": outcome.told_failures(),
                "notes": outcome.notes,
            }
            for outcome in outcomes
        ],
    }


def quantity(value: float | None, unit: str) -> str:
    """The value with its unit; a dash for none."""
    return "-" if value is None else f"{number(value)} {unit}".rstrip()


def number(value: float) -> str:
    """Three digits that count, no more than a measurement has."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _bare_interpreter(outcomes: Sequence[Outcome]) -> float | None:
    floors = [
        row.value(FLOOR)
        for outcome in outcomes
        for row in outcome.rows
        if row.figure.key in _REFERENCE_FIGURES
    ]
    return min((floor for floor in floors if floor is not None), default=None)


def _figure_json(row: Row) -> dict[str, Any]:
    figure = row.figure
    return {
        "key": figure.key,
        "title": figure.title,
        "unit": figure.unit,
        "statistic": figure.statistic,
        "better": figure.better,
        "goal": figure.goal,
        "values": {column: row.value(column) for column in row.columns},
        "samples": {column: asdict(summary) for column, summary in row.columns.items()},
        "absences": {column: list(absence) for column, absence in row.absences.items()},
        "ratio": row.ratio,
        "goal_met": None if row.excess is None else row.excess <= 0,
    }


def _cells(row: Row) -> list[str]:
    cells = ["  " + row.figure.title, _value(row, FLOOR)]
    for column in (PEER, OURS):
        cells += [_value(row, column), _span(row, column)]
    cells.append("" if row.ratio is None else f"{number(row.ratio)}x")
    cells.append(_goal(row))
    cells.append("" if row.excess is None else "met" if row.excess <= 0 else "MISSED")
    return cells


def _value(row: Row, column: str) -> str:
    value = row.value(column)
    if value is None and column in row.absences:
        return row.absences[column].word
    return quantity(value, row.figure.unit)


def _span(row: Row, column: str) -> str:
    """Least and most; or why there is neither."""
    summary: Summary | None = row.columns.get(column)
    if summary is None:
        reason = row.absences[column].reason if column in row.absences else ""
        return f"({reason})" if reason else ""
    if summary.minimum == summary.maximum:
        return ""
    return f"({number(summary.minimum)} - {number(summary.maximum)})"


def _goal(row: Row) -> str:
    if row.figure.goal is None:
        return ""
    sign = "<=" if row.figure.better == "lower" else ">="
    return f"{sign} {quantity(row.figure.goal, row.figure.unit)}"
