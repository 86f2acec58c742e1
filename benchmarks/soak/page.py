"""The figures as text, and as the section of the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..docs import Setting
from ..model import BenchmarkError, percentile
from .quiet import Day, Idle
from .session import ROLES
from .soak import WARM_UP, Soak
from .soak import plain as plain_tasks

PAGE = "reliability.md"
BEGIN = "<!-- soak: begin (written by benchmarks/soak) -->"
END = "<!-- soak: end -->"
_SHOWN_ROWS = 10


def moments(soak: Soak) -> list[list[str]]:
    """The rows of the table: what, then the values at start, middle and end."""
    samples = soak.moments
    rows: list[list[str]] = []
    for role in ROLES:
        readings = [sample.readings.get(role) for sample in samples]
        if readings[0] is None:
            continue
        for name, words in (("uss", "memory of its own"), ("rss", "resident memory")):
            values = [getattr(reading, name) / 2**20 for reading in readings if reading]
            rows.append([f"{role}, {words}", *(f"{value:.2f} MiB" for value in values)])
        for name in ("descriptors", "threads", "processes"):
            words = "processes below" if name == "processes" else name
            found = [str(getattr(reading, name)) for reading in readings if reading]
            rows.append([f"{role}, {words}", *found])
    rows.append(
        ["private folder", *(f"{s.folder[0]} files, {s.folder[1]:,} bytes" for s in samples)]
    )
    windows = list(soak.windows())
    plain = [[task.seconds for task in plain_tasks(tasks)] for tasks, _ in windows]
    every = [[task.seconds for task in tasks] for tasks, _ in windows]
    floors = [floor for _, floor in windows]
    for title, groups, fraction in (
        ("plain task, p50", plain, 0.5),
        ("plain task, p99", plain, 0.99),
        ("all tasks, p50", every, 0.5),
        ("all tasks, p99", every, 0.99),
        ("a bare interpreter, p50", floors, 0.5),
    ):
        values = [percentile(group, fraction) * 1000 for group in groups if group]
        rows.append([title, *(f"{value:.1f} ms" for value in values)])
    return rows


def series(soak: Soak, count: int = _SHOWN_ROWS) -> Iterator[list[str]]:
    """About `count` rows with the memory over the tasks."""
    step = max((len(soak.samples) - 1) // count, 1)
    for sample in soak.samples[::step]:
        yield [
            f"{sample.number:,}",
            *(
                f"{sample.readings[role].uss / 2**10:,.0f}"
                for role in ROLES
                if role in sample.readings
            ),
        ]


def plain_text(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows in columns."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    for first, *rest in rows:
        cells = [first.ljust(widths[0]), *(c.rjust(w) for c, w in zip(rest, widths[1:]))]
        yield "  ".join(cells)


def section(
    soak: Soak, idle: Idle | None, day: Day | None, notes: Sequence[str], setting: Setting
) -> Iterator[str]:
    """The lines of the section."""
    cores = "1 core" if setting.cpus == 1 else f"{setting.cpus} cores"
    yield "<!-- by hand: it goes on for hours -->"
    yield "```"
    yield setting.command
    yield "```"
    yield ""
    yield (
        f"{setting.date}, {_escaped(setting.processor)}, {cores}, Python {setting.python};"
        f" {len(soak.tasks):,} tasks after {WARM_UP} to warm up. Times are of the whole command,"
        " in the first, middle and last tenth of the tasks."
    )
    yield ""
    yield "| | start | middle | end |"
    yield "|---|--:|--:|--:|"
    for row in moments(soak):
        yield f"| {' | '.join(row)} |"
    yield ""
    roles = [role for role in ROLES if role in soak.samples[0].readings]
    yield "Memory of their own (KiB) after so many tasks; an application lives for 500 of them:"
    yield ""
    yield f"| tasks | {' | '.join(roles)} |"
    yield "|--:|" + "--:|" * len(roles)
    for row in series(soak):
        yield f"| {' | '.join(row)} |"
    for title, checks in (
        ("Tasks", list(soak.checks())),
        ("Idle", list(idle.checks()) if idle else []),
        ("A day by the faster clock", list(day.checks()) if day else []),
    ):
        if checks:
            yield ""
            yield f"{title}:"
            yield ""
            yield from (f"- {_escaped(str(check))}" for check in checks)
    if notes:
        yield ""
        yield from (f"- {_escaped(note)}" for note in notes)


def write(folder: Path, lines: Sequence[str]) -> None:
    """Puts the lines into the page, in the place of those that are there.

    Raises:
        BenchmarkError: the page cannot be written, or has no place for them.
    """
    path = folder / PAGE
    try:
        text = path.read_text(encoding="utf-8")
        before, begin, rest = text.partition(BEGIN)
        _, end, after = rest.partition(END)
        if not (begin and end):
            raise BenchmarkError(f"{PAGE} has no lines {BEGIN} and {END}")
        content = "\n".join(["", *lines, ""])
        path.write_text(before + begin + content + end + after, encoding="utf-8")
    except OSError as e:
        raise BenchmarkError(f"the page could not be written: {e}") from e


def check_page(folder: Path) -> str | None:
    """Why the section could not be written there; None if it can."""
    path = folder / PAGE
    if not path.is_file():
        return f"there is no {PAGE} in {folder}"
    text = path.read_text(encoding="utf-8")
    return None if BEGIN in text and END in text else f"{path} has no section of the soak"


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<|])", r"\\\1", text)
