"""Texts in messages: one line, and bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from openjd.adaptor_runtime._text import one_line


@given(st.text(), st.integers(20, 60))
def test_one_line(text: str, limit: int) -> None:
    """Whatever the text, it fits; one that does already is as it was."""
    shown = one_line(text, limit)
    assert shown.isprintable()
    assert len(shown) <= limit
    if text.isprintable() and len(text) <= limit:
        assert shown == text


def test_both_ends_are_shown() -> None:
    """What is wrong with a long value often stands behind it; line ends are seen as such."""
    assert one_line("x" * 5000 + " is\nno number", 31) == "xxxxxxxxxxxxx ... is\\nno number"
