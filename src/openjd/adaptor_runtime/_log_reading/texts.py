"""Lines of text out of bytes, whatever their encoding and line ends; bounded in memory."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from .._terminal import visible
from .model import LONGEST_TEXT

_CHUNK = 1 << 18
#: Characters of a line that are looked at. A journal's lines are 63,000 at most, escapes apart.
LONGEST_LINE = 1 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"PK\x03\x04": "zip",
    b"\x28\xb5\x2f\xfd": "zstd",
}
#: Bytes that are rare in text that is mostly ASCII.
_STRANGE = [bytes([code]) for code in (*range(9), *range(14, 27), *range(28, 32), *range(128, 256))]


class NotText(Exception):
    """What was to be read is no text; the message ends the sentence "the log … "."""


class Text:
    """The lines of a stream of bytes.

    Attributes:
        cut: how many lines were longer than LONGEST_LINE, and were cut.
        ends_in_line: whether the last line had no line's end.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.cut = 0
        self.ends_in_line = False

    def __iter__(self) -> Iterator[str]:
        """The lines, without their ends.

        Raises:
            NotText: it begins like something else.
            OSError: it cannot be read.
        """
        chunk = self._stream.read(_CHUNK)
        if not chunk:
            return
        encoding = _encoding(chunk)
        decoder = codecs.getincrementaldecoder(encoding)(
            "backslashreplace" if encoding == "utf-8" else "replace"
        )
        held, dropping = "", False
        while chunk:
            text = held + decoder.decode(chunk)
            chunk = self._stream.read(_CHUNK)
            if not chunk:
                text += decoder.decode(b"", True)
            # A carriage return at the end may be half of a line's end.
            keep = 1 if chunk and text.endswith("\r") else 0
            whole = text[: len(text) - keep]
            if "\r" in whole:
                whole = whole.replace("\r\n", "\n").replace("\r", "\n")
            lines = whole.split("\n")
            held = lines.pop() + text[len(text) - keep :]
            for line in lines:
                if dropping:
                    dropping = False
                    continue
                yield self._capped(line)
            if len(held) > LONGEST_LINE:
                if not dropping:
                    yield self._capped(held)
                held, dropping = "", True
        if held and not dropping:
            self.ends_in_line = True
            yield self._capped(held)

    def _capped(self, line: str) -> str:
        line = line.lstrip("\ufeff")
        if len(line) > LONGEST_LINE:
            self.cut += 1
            return line[:LONGEST_LINE]
        return line


def _encoding(begin: bytes) -> str:
    for bom, encoding in _BOMS:
        if begin.startswith(bom):
            return encoding
    for magic, name in _PACKED.items():
        if begin.startswith(magic):
            raise NotText(f"is packed ({name}); unpack it first")
    head = begin[:4096]
    if b"\0" in head:
        # Without a byte order mark, but every second byte of Latin text is 0.
        for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
            if len(head) >= 4 and not any(head[start:200:2]) and all(head[1 - start : 200 : 2]):
                return encoding
    # Applications do print a byte of that kind now and then.
    strange = sum(map(head.count, _STRANGE))
    if head.count(0) * 20 > len(head) or strange * 10 > len(head) * 4:
        raise NotText("is no text")
    return "utf-8"


def seen(text: str, most: int = LONGEST_TEXT) -> str:
    """The text as it can be shown: nothing in it hides, and it is of bounded length."""
    if len(text) > most:
        text = text[:most] + " […]"
    return visible(text)
