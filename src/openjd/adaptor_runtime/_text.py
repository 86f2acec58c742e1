"""Texts as they may stand in messages."""

from __future__ import annotations


def one_line(text: str, limit: int = 1000) -> str:
    """`text` as it may stand in a message: on one line, printable, of `limit` characters at most.

    Of a longer one the middle is left out: what is wrong with a value often stands behind it.
    """
    if len(text) > 4 * limit:
        # No work for what is not shown.
        text = text[: 2 * limit] + text[-2 * limit :]
    if not text.isprintable():
        text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    if len(text) > limit:
        half = (limit - 5) // 2
        text = f"{text[:half]} ... {text[-half:]}"
    return text
