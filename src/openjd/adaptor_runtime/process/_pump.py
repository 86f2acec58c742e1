"""The pump: an application's output, from bytes in a pipe to blocks of whole lines."""

from __future__ import annotations

import codecs
import os
import threading
import time
from collections.abc import Callable
from typing import IO, NamedTuple

from .._output import LINE_LIMIT, break_lines
from .._platform import PIPE_SIZE, enlarge_pipe, has_bytes

READ_SIZE = 256 * 1024
# What is read at once where there is little to read: for each of many short applications a large
# buffer would be another place in the heap, and the daemon would grow for thousands of tasks.
SMALL_READ_SIZE = 16 * 1024


class LineBuffer:
    r"""Makes blocks of whole lines, each ending in ``\n``, out of text in any pieces.

    Lines end at ``\n``, ``\r\n`` or a lone ``\r`` (progress bars). A line of more than
    LINE_LIMIT characters is broken with a mark, so that an endless one costs no memory.
    """

    def __init__(self, encoding: str) -> None:
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="backslashreplace")
        self._rest = ""
        self._after_cr = False

    def feed(self, data: bytes) -> str:
        """The whole lines that are there once `data` is added; "" when there is none yet."""
        held = self._decoder.getstate()[0]
        try:
            text = self._decoder.decode(data)
        except UnicodeError:
            # Some codecs know no backslashreplace (utf-16 without its first two bytes): what is
            # not in the encoding that it was said to be in is shown byte for byte.
            self._decoder = codecs.getincrementaldecoder("utf-8")(errors="backslashreplace")
            text = self._decoder.decode(held + data)
        return self._lines(text)

    def finish(self) -> str:
        """What is left at the end, as a whole line."""
        try:
            text = self._decoder.decode(b"", final=True)
        except UnicodeError:
            text = ""
        block = self._lines(text)
        if self._rest:
            block += self._rest + "\n"
            self._rest = ""
        return block

    def _lines(self, text: str) -> str:
        if self._after_cr and text:
            # The \r was taken as a line's end at once, not held for the \n that might follow.
            self._after_cr = False
            if text[0] == "\n":
                text = text[1:]
        if "\r" in text:
            self._after_cr = text[-1] == "\r"
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        end = text.rfind("\n") + 1
        if not end:
            self._rest += text
            block = ""
        else:
            block = self._rest + text[:end]
            self._rest = text[end:]
        block = break_lines(block, LINE_LIMIT)
        if len(self._rest) > LINE_LIMIT:
            broken = break_lines(self._rest + "\n", LINE_LIMIT)
            cut = broken.rfind("\n", 0, -1) + 1
            block += broken[:cut]
            self._rest = broken[cut:-1]
        return block


class DrainEnd(NamedTuple):
    """Until when a ``Pump.drain`` goes on."""

    #: Seconds without anything to read, counted from the pump's beginning.
    idle: float
    #: A time of ``time.monotonic``.
    time: float
    #: Bytes handled, counted from the pump's beginning.
    handled: int


class Pump(threading.Thread):
    """Reads `stream` to its end and hands each block of whole lines on as soon as it is there.

    Args:
        stream: the reading end of a pipe, opened in binary and without a buffer.
        encoding: of the text in it; bytes that do not decode become ``\\xNN``.
        deliver: called in this thread with each block; what it raises is `on_error`'s.
        on_error: told of an exception that `deliver` raised; the pump goes on, since an
            application whose pipe is not read stops.
        name: the thread's.
    """

    def __init__(
        self,
        stream: IO[bytes],
        encoding: str,
        deliver: Callable[[str], None],
        on_error: Callable[[BaseException], None],
        name: str,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._stream = stream
        self._lines = LineBuffer(encoding)
        self._deliver = deliver
        self._on_error = on_error
        self._changed = threading.Condition()
        self._finished = False
        self._draining = 0
        # Bytes so far, those of them whose lines were handed on, and seconds in which none came.
        self._read = 0
        self._handled = 0
        self._idle = 0.0
        self._waits_since: float | None = None

    def run(self) -> None:
        fd = self._stream.fileno()
        enlarge_pipe(fd)
        size = SMALL_READ_SIZE
        while True:
            self._handled = self._read
            if self._draining:
                with self._changed:
                    self._changed.notify_all()
            # On a busy machine this thread gets its turn late: the time until it has read what is
            # there is not one in which nothing came.
            if not has_bytes(fd):
                with self._changed:
                    self._waits_since = time.monotonic()
                    if self._draining:
                        self._changed.notify_all()
            try:
                data = os.read(fd, size)
            except OSError:
                data = b""
            except MemoryError as e:
                # An application whose pipe is not read stops.
                self._on_error(e)
                size = SMALL_READ_SIZE
                continue
            with self._changed:
                self._idle = self._idle_seconds()
                self._waits_since = None
                self._read += len(data)
                if self._draining:
                    self._changed.notify_all()
            if not data:
                break
            size = READ_SIZE if len(data) >= SMALL_READ_SIZE else SMALL_READ_SIZE
            try:
                block = self._lines.feed(data)
            except MemoryError as e:
                # Lines are lost, and what they said: whoever judges by them has to know.
                self._on_error(e)
                continue
            self._hand_on(block)
        self._hand_on(self._lines.finish())
        self._stream.close()
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def end_of_drain(self, seconds: float) -> DrainEnd:
        """Where a ``drain`` that begins now is to end."""
        with self._changed:
            return DrainEnd(
                self._idle_seconds() + seconds,
                time.monotonic() + seconds,
                # What a read under way has taken out of the pipe is not counted yet.
                self._read + PIPE_SIZE + READ_SIZE,
            )

    def drain(self, end: DrainEnd) -> None:
        """Blocks until the stream has ended, or what was in it when `end` was made is handled.

        Time that the handling takes does not count: it is waited for until nothing has come for
        the seconds of `end` altogether. Where something comes all the time, from a process that
        was left behind, it is over when more has been handled than a pipe holds.
        """
        with self._changed:
            self._draining += 1
            while not self._finished:
                early = end.time - time.monotonic()
                left = end.idle - self._idle_seconds()
                waits = self._waits_since is not None
                if (left <= 0 and waits) or (early <= 0 and self._handled > end.handled):
                    break
                times = [*([left] if waits else ()), *([early] if early > 0 else ())]
                self._changed.wait(min(times, default=None))
            self._draining -= 1

    def _idle_seconds(self) -> float:
        if self._waits_since is None:
            return self._idle
        return self._idle + time.monotonic() - self._waits_since

    def _hand_on(self, block: str) -> None:
        if not block:
            return
        try:
            self._deliver(block)
        except BaseException as e:
            # Also sys.exit() in a callback: it would end this thread, and nobody would read.
            self._on_error(e)
