"""Texts as they may stand in messages."""

from __future__ import annotations


def decode(data: bytes) -> str:
    """The text of a file that somebody has written: UTF-8, with or without a byte order mark.

    Raises:
        ValueError: it is something else; the message says what, and goes behind the file's name.
    """
    # What PowerShell 5 writes, and editors on Windows that are told "Unicode".
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or (len(data) > 1 and 0 in data[:2]):
        raise ValueError("is text in UTF-16, not in UTF-8; save it as UTF-8")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as e:
        line = data.count(b"\n", 0, e.start) + 1
        raise ValueError(
            f"is no text in UTF-8 (byte {e.start}): in line {line} there is "
            f"0x{data[e.start]:02x}; save it as UTF-8"
        ) from None
    return text[1:] if text[:1] == "\ufeff" else text


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
