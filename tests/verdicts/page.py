"""docs/verdicts.md, made of the table."""

from __future__ import annotations

from pathlib import Path

from .table import SECTIONS, Row

PAGE = Path(__file__).parents[2] / "docs" / "verdicts.md"

_HEAD = """\
# How a task can end

What the runtime makes of each of {rows} ways in which a task of an `ApplicationAdaptor` or a
`CommandLineAdaptor` can end. Each row is played with real processes by the tests
(`tests/verdicts`): its verdict, exactly one `openjd_fail:` line where it failed and none where it
did not, the words of that line, that nothing of the application's tree is alive afterwards and no
file is left, and that the next task of the session goes well.

This page is made from the table in `tests/verdicts/table.py`, by `python -m tests.verdicts`.
"""

_OF = {"start": "the start", "run": "the task", "stop": "the end of the session"}


def text() -> str:
    """The page, as it must be."""
    pieces = [_HEAD.format(rows=sum(map(len, SECTIONS.values())))]
    for title, rows in SECTIONS.items():
        pieces.append(f"\n## {title}\n\n| id | what happens | verdict | what the line says |\n")
        pieces.append("|---|---|---|---|\n")
        pieces += map(line, rows)
    return "".join(pieces)


def line(row: Row) -> str:
    """A row of the page."""
    of = "" if row.at == "run" else f" ({_OF[row.at]})"
    words = " … ".join(f"`{word.strip()}`" for word in row.words)
    cells = [f"`{row.id}`", row.what, f"**{row.verdict}**{of}", words]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"
