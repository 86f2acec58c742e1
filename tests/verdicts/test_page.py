"""The page in the docs and the table agree."""

from __future__ import annotations

from .page import PAGE, line, text
from .table import ROWS, SECTIONS


def test_the_page_lists_each_row() -> None:
    """Each row of the table is on the page as the table has it."""
    there = set(PAGE.read_text(encoding="utf-8").splitlines(keepends=True))
    rows = [row for rows in SECTIONS.values() for row in rows]
    assert [row.id for row in rows if line(row) not in there] == []


def test_the_page_is_the_tables() -> None:
    """Nothing else is on the page: ``python -m tests.verdicts`` would write what is there."""
    assert PAGE.read_text(encoding="utf-8") == text()


def test_the_table_is_long_enough() -> None:
    """A hundred ways at least; no id stands twice, and no description in one section."""
    assert len(ROWS) >= 100
    assert len({row.id for row in ROWS}) == len(ROWS)
    for rows in SECTIONS.values():
        assert len({row.what for row in rows}) == len(rows)
