"""The figures as a page of the documentation, with their picture."""

from __future__ import annotations

import datetime
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from . import chart
from .model import FLOOR, OURS, PEER, BenchmarkError, Outcome, Row
from .report import number, quantity, verdict

PAGE = "performance.md"
PICTURE = "performance.svg"
_COLUMNS = (OURS, PEER, FLOOR)


@dataclass(frozen=True)
class Setting:
    """What the figures were measured on and with; no name of a host, a folder or a person."""

    processor: str
    cpus: int
    python: str
    date: str
    command: str
    # By column of the table: ours and the peer's.
    versions: Mapping[str, str]

    @classmethod
    def here(cls, command: str, versions: Mapping[str, str]) -> Setting:
        """This machine, today."""
        return cls(
            processor(),
            os.cpu_count() or 1,
            platform.python_version(),
            datetime.date.today().isoformat(),
            command,
            versions,
        )


def processor() -> str:
    """The processor's name as its maker writes it, or its architecture."""
    name = ""
    with suppress(OSError, subprocess.SubprocessError):
        if sys.platform == "linux":
            text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
            found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
            name = found.group(1) if found else ""
        elif sys.platform == "darwin":
            args = ["sysctl", "-n", "machdep.cpu.brand_string"]
            name = subprocess.run(args, capture_output=True, text=True, check=True).stdout
        else:
            name = platform.processor()
    return " ".join(name.split()) or platform.machine()


def write(folder: Path, outcomes: Sequence[Outcome], setting: Setting) -> None:
    """Write the page and its picture into `folder`; `BenchmarkError` where that fails."""
    names = {FLOOR: "floor", **{name: f"{name} {of}" for name, of in setting.versions.items()}}
    try:
        for name, text in (
            (PICTURE, chart.draw(outcomes, names, quantity)),
            (PAGE, "\n".join(page(outcomes, setting)) + "\n"),
        ):
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise BenchmarkError(f"the page could not be written: {error}") from None


def page(outcomes: Sequence[Outcome], setting: Setting) -> Iterator[str]:
    """The lines of the page."""
    cores = "1 core" if setting.cpus == 1 else f"{setting.cpus} cores"
    yield "# Performance"
    yield ""
    yield (
        f"This project ({setting.versions[OURS]}) beside `openjd-adaptor-runtime`"
        f" {setting.versions[PEER]}, measured in one run on one machine:"
    )
    yield ""
    yield f"- {_escaped(setting.processor)}, {cores}, Python {setting.python}"
    yield f"- {setting.date}"
    yield ""
    yield "To repeat it, from the root of a checkout:"
    yield ""
    yield "<!-- by hand: benchmarks take long, and a machine of their own -->"
    yield "```"
    yield setting.command
    yield "```"
    yield ""
    yield (
        "Both are installed into environments of their own, run the same adaptors and applications,"
        " and take turns, so that a machine that drifts hits both. A figure is the median of its"
        " samples, or the percentile that it names. The floor is the same work without either:"
        " a bare interpreter, a bare pipe. The ratio says how many times better ours is than the"
        " peer's; below 1 it is worse. `python -m benchmarks --json FILE` keeps least, most and"
        " number of samples too."
    )
    yield ""
    yield f"![All figures as bars on logarithmic scales]({PICTURE})"
    for outcome in outcomes:
        yield ""
        yield f"## {_escaped(_heading(outcome.benchmark.title))}"
        yield ""
        yield outcome.benchmark.meaning
        yield ""
        yield "| figure | ours | peer | floor | goal | ratio |"
        yield "|---|--:|--:|--:|--:|--:|"
        for row in outcome.rows:
            yield "| " + " | ".join(map(_escaped, _cells(row))) + " |"
        if outcome.notes:
            yield ""
            yield from (f"- {_escaped(note)}" for note in outcome.notes)
    yield ""
    yield "## Goals"
    yield ""
    yield from (f"- {_escaped(line)}" for line in verdict(outcomes))
    yield ""
    yield "## Failures"
    yield ""
    failures = [failure for outcome in outcomes for failure in outcome.told_failures()]
    yield from (f"- {_escaped(failure)}" for failure in failures or ["none"])


def _cells(row: Row) -> Iterator[str]:
    yield row.figure.title
    for column in _COLUMNS:
        value = row.value(column)
        if value is None and column in row.absences:
            yield ": ".join(filter(None, row.absences[column]))
        else:
            yield quantity(value, row.figure.unit)
    if row.figure.goal is None:
        yield ""
    else:
        sign = "≤" if row.figure.better == "lower" else "≥"
        missed = row.excess is not None and row.excess > 0
        told = f"{sign} {quantity(row.figure.goal, row.figure.unit)}"
        yield f"{told}, missed" if missed else told
    yield "" if row.ratio is None else f"{number(row.ratio)}x"


def _heading(title: str) -> str:
    """The title with a capital letter, unless its first word is a name in code."""
    return title[:1].upper() + title[1:] if title.split(" ")[0].isalpha() else title


def _escaped(text: str) -> str:
    """Text as Markdown that shows it as it is, on one line."""
    return re.sub(r"([\\`*_\[\]<|])", r"\\\1", " ".join(text.split()))
