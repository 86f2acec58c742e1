"""Pictures among the outputs of a session, as they can stand in a page.

The paths come out of a log, which may be anybody's. So a file is looked at only if it is a regular
one, is a picture by its first bytes, and was written while the session went on.
"""

from __future__ import annotations

import base64
import io
import os
import re
import stat
import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

#: Most pictures of a report; bytes of one that is embedded as it is, and of all of them.
MOST = 60
_LARGEST = 400_000
_LARGEST_IN_ALL = 8_000_000
#: With Pillow: bytes of a file that is scaled down, and the pixels of its thumbnail's sides.
_LARGEST_SCALED = 64_000_000
_THUMBNAIL = (360, 270)
_MOST_PIXELS = 64_000_000
# A share, or what may be one: Windows takes either slash, and its kernel's names of devices.
_ON_A_HOST = re.compile(r"[\\/]{2}|\\\?\?\\")
#: A file server's clock may be another (seconds).
_TOLERANCE = 300.0


class Picture(NamedTuple):
    """An output.

    Attributes:
        data: what can stand in ``src``; "" if it is not shown.
        why: why it is not shown.
    """

    path: str
    data: str = ""
    width: int = 0
    height: int = 0
    why: str = ""


class Pictures:
    """Takes pictures until there are enough."""

    def __init__(self) -> None:
        self._count = self._bytes = 0

    def take(self, path: str, begin: float | None, end: float | None) -> Picture:
        """The output at `path`, which a log names, written between these times if it has dates."""
        if _ON_A_HOST.match(path):
            # To open it on Windows is to sign in to whatever host a log names.
            return Picture(path, why="on another host; --outputs shows a folder of there")
        return self.take_own(path, begin, end)

    def take_own(self, path: str, begin: float | None = None, end: float | None = None) -> Picture:
        """A picture that the user has named."""
        if self._count >= MOST:
            return Picture(path, why=f"more than {MOST} pictures")
        try:
            content, why = _content(path, begin, end)
        except (OSError, ValueError) as e:
            return Picture(path, why=getattr(e, "strerror", None) or "not a path")
        if why:
            return Picture(path, why=why)
        kind = _kind(content)
        if kind is None:
            return Picture(path, why="no picture that a browser shows")
        width, height = _dimensions(kind, content)
        if not 0 < width * height <= _MOST_PIXELS:
            return Picture(path, why="its size cannot be known, or is too large")
        shown = _scaled(content, kind) or (kind, content)
        if len(shown[1]) > _LARGEST or self._bytes + len(shown[1]) > _LARGEST_IN_ALL:
            more = "" if _pillow() is not None else "; with the extra report it is scaled down"
            return Picture(path, why=f"too large to be embedded{more}")
        self._count += 1
        self._bytes += len(shown[1])
        text = base64.b64encode(shown[1]).decode("ascii")
        return Picture(path, f"data:image/{shown[0]};base64,{text}", width, height)


def _content(path: str, begin: float | None, end: float | None) -> tuple[bytes, str]:
    # Not blocking: a pipe with nobody at its other end.
    descriptor = os.open(
        path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    )
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return b"", "no regular file"
        if not _is_within(found.st_mtime, begin, end):
            return b"", "not written in this session, or changed since"
        head = file.read(32)
        if _kind(head) is None:
            return b"", "no picture that a browser shows"
        if found.st_size > (_LARGEST if _pillow() is None else _LARGEST_SCALED):
            more = "" if _pillow() is not None else "; with the extra report it is scaled down"
            return b"", f"too large to be embedded{more}"
        return head + file.read(_LARGEST_SCALED), ""


def _is_within(time: float, begin: float | None, end: float | None) -> bool:
    """Whether the time is between these, as far as they are known."""
    if begin is None or end is None:
        return True
    return begin - _TOLERANCE <= time <= end + _TOLERANCE


def _kind(content: bytes) -> str | None:
    """What it is, by its first bytes; SVG has none of its own, and is left out."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    return None


def _dimensions(kind: str, content: bytes) -> tuple[int, int]:
    """Width and height in pixels; (0, 0) if they cannot be found."""
    try:
        if kind == "png":
            return struct.unpack(">II", content[16:24])
        if kind == "gif":
            return struct.unpack("<HH", content[6:10])
        if kind == "webp":
            return _of_webp(content)
        return _of_jpeg(content)
    except (struct.error, IndexError):
        return 0, 0


def _of_webp(content: bytes) -> tuple[int, int]:
    chunk = content[12:16]
    if chunk == b"VP8X":
        return 1 + int.from_bytes(content[24:27], "little"), 1 + int.from_bytes(
            content[27:30], "little"
        )
    if chunk == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack("<HH", content[26:30])
    return width & 0x3FFF, height & 0x3FFF


def _of_jpeg(content: bytes) -> tuple[int, int]:
    at = 2
    while content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + struct.unpack(">H", content[at + 2 : at + 4])[0]
    return 0, 0


def _pillow() -> Any:
    """The module of Pillow that reads pictures, if it is there."""
    try:
        from importlib import import_module

        return import_module("PIL.Image")
    except ImportError:
        return None


def _scaled(content: bytes, kind: str) -> tuple[str, bytes] | None:
    """A smaller picture of the same, and what it is; None where that cannot be made."""
    image = _pillow()
    if image is None:
        return None
    try:
        with image.open(io.BytesIO(content), formats=[kind.upper()]) as picture:
            if picture.width <= _THUMBNAIL[0] and len(content) <= 60_000:
                return None
            picture.draft("RGB", _THUMBNAIL)
            small = picture.convert("RGBA" if "A" in picture.getbands() else "RGB")
            small.thumbnail(_THUMBNAIL)
            out = io.BytesIO()
            if small.mode == "RGBA":
                small.save(out, "PNG", optimize=True)
                return "png", out.getvalue()
            small.save(out, "JPEG", quality=85)
            return "jpeg", out.getvalue()
    except Exception:
        # Whatever a library makes of a damaged file: it is embedded as it is, or named.
        return None


def in_folder(folder: str) -> Iterable[str]:
    """The files of a folder that the user has named, by their names."""
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
