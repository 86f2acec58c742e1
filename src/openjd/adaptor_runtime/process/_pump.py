"""The pump: an application's output, from bytes in a pipe to blocks of whole lines."""

from __future__ import annotations

import codecs
import os
import threading
import time
from collections.abc import Callable
from typing import IO

from .._output import LINE_LIMIT, break_lines
from .._platform import enlarge_pipe

READ_SIZE = 256 * 1024


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
        return self._lines(self._decoder.decode(data))

    def finish(self) -> str:
        """What is left at the end, as a whole line."""
        block = self._lines(self._decoder.decode(b"", final=True))
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
        self._finished = threading.Event()
        self._lock = threading.Lock()
        self._idle = 0.0
        self._waits_since: float | None = None

    def run(self) -> None:
        fd = self._stream.fileno()
        enlarge_pipe(fd)
        while True:
            with self._lock:
                self._waits_since = time.monotonic()
            try:
                data = os.read(fd, READ_SIZE)
            except OSError:
                data = b""
            with self._lock:
                self._idle += time.monotonic() - self._waits_since
                self._waits_since = None
            if not data:
                break
            self._hand_on(self._lines.feed(data))
        self._hand_on(self._lines.finish())
        self._stream.close()
        self._finished.set()

    def drain(self, seconds: float) -> None:
        """Blocks until the stream has ended, or nothing came for `seconds` altogether.

        Time that the handling of output takes does not count: what is in the pipe gets handled.
        """
        limit = self._idle_seconds() + seconds
        left = seconds
        while left > 0 and not self._finished.wait(left):
            left = limit - self._idle_seconds()

    def _idle_seconds(self) -> float:
        with self._lock:
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
