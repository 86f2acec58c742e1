"""Output: what a session shows, made into the form that schedulers read.

All text of a session passes here, in blocks of whole lines: what the adaptor prints, what it
logs, what the application prints. Lines that were logged or came from an application get a
prefix, which also makes them harmless: only progress, status and failure messages of Open Job
Description (specification, "Stdout/Stderr Messages") stand at the start of a line.
"""

from __future__ import annotations

import io
import logging
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Buffer  # type: ignore[attr-defined]

    from ._journal import Journal

_FAIL = re.compile(r"^openjd_fail: (.*)$", re.MULTILINE)
_MESSAGES = re.compile(r"^openjd_(?:progress|status|fail): .*\n", re.MULTILINE)
# Engines cut a line at 64,000 characters; what we and they put before it must fit as well.
LINE_LIMIT = 63_000
LINE_MARK = " [line continues]"


def break_lines(block: str, limit: int, lead: str = "") -> str:
    """The block with a mark, and a line's end, wherever a line has more than `limit` characters.

    `lead` begins what a line is continued with.
    """
    if not _has_longer(block, limit):
        return block
    pieces: list[str] = []
    # With its mark a piece is no longer than the limit either, and is not broken again.
    room = max(limit - len(LINE_MARK), 1)
    for line in block.split("\n"):
        while len(line) > limit:
            # What a line is continued with must not be taken for a message.
            cut = room - 1 if room > 1 and line[room : room + 2] in ("o", "op") else room
            pieces.append(line[:cut] + LINE_MARK)
            line = lead + line[cut:]
        pieces.append(line)
    return "\n".join(pieces)


def _has_longer(block: str, limit: int) -> bool:
    """Whether a line has more than `limit` characters; looks at few places, not at each line."""
    start = 0
    while len(block) - start > limit:
        end = block.rfind("\n", start, start + limit + 1)
        if end < 0:
            return True
        start = end + 1
    return False


class Failure(NamedTuple):
    """That the action under way has failed, for all that its code returned."""

    message: str
    #: Whether an openjd_fail line about it was part of the output.
    told: bool


class Output:
    """Gives blocks of lines their form and hands them to `sink`.

    Args:
        sink: called with text that ends in a newline, by any thread; must not raise.
        prefix: stands before everything but messages and what the adaptor printed itself.
    """

    #: The session's journal, which sees what is shown.
    journal: Journal | None = None

    def __init__(self, sink: Callable[[str], None], prefix: str = "") -> None:
        self._sink = sink
        self.prefix = prefix
        self._lock = threading.Lock()
        self._failure: Failure | None = None

    def write(self, block: str) -> None:
        """Passes on whole lines as they are: the adaptor's own words."""
        # Engines look behind white space for what resembles a message, and nothing else is in
        # the way of it here.
        self._pass_on(break_lines(block, LINE_LIMIT, lead="[continued] "), "openjd_" in block)

    def _pass_on(self, block: str, has_messages: bool) -> None:
        if has_messages and "openjd_fail: " in block:
            found = _FAIL.search(block)
            if found:
                self.fail(found.group(1))
        if self.journal is not None:
            # First: whoever reads a line may ask at once how things stand.
            try:
                self.journal.lines(block, has_messages)
            except MemoryError:
                pass  # It is shown nevertheless, if that can be done.
        self._sink(block)

    def log(self, level: str, block: str) -> None:
        """Passes on whole lines with ``<prefix><level>: `` before each.

        Progress, status and failure messages stand alone; every other line, in particular one
        that would set an environment variable, cannot be taken for a message.
        """
        prefix = f"{self.prefix}{level}: "
        block = break_lines(block, LINE_LIMIT)
        text = prefix + block[:-1].replace("\n", "\n" + prefix) + "\n"
        has_messages = "openjd_" in block
        if has_messages:
            text = re.sub(
                f"^{re.escape(prefix)}(?=openjd_(?:progress|status|fail): )", "", text, flags=re.M
            )
        self._pass_on(text, has_messages)

    def fail(self, message: str, told: bool = True) -> None:
        """Records that the action under way has failed; the first message is kept.

        `told` says that the scheduler has had a line about it.
        """
        with self._lock:
            self._failure = self._failure or Failure(message, told)
            if told and not self._failure.told:
                self._failure = Failure(self._failure.message, True)

    @property
    def failed(self) -> bool:
        """Whether a failure was recorded that nobody has taken yet."""
        return self._failure is not None

    def take_failure(self) -> Failure | None:
        """The failure recorded since the last call, or None; forgets it."""
        with self._lock:
            failure, self._failure = self._failure, None
        return failure


_current: Output | None = None


def set_current(output: Output | None) -> None:
    """Makes `output` the one that ``report_failure`` tells."""
    global _current
    _current = output


def pass_messages(block: str) -> None:
    """Passes on the messages among lines that are not logged: they are no log lines."""
    found = "".join(_MESSAGES.findall(block)) if "openjd_" in block else ""
    if found and _current is not None:
        _current.write(found)


def report_failure(message: str) -> None:
    """Fails the action under way, if there is one, for something that happened beside it."""
    if _current is not None:
        _current.fail(message, told=False)


def has_failed() -> bool:
    """Whether the action under way has failed, as far as its output tells."""
    return _current is not None and _current.failed


class LogHandler(logging.Handler):
    """Sends log records to `output`, one line of output per line of the message."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self.output = output

    def emit(self, record: logging.LogRecord) -> None:
        """Formats the record; what goes wrong in that is shown, never raised."""
        try:
            text = self.format(record)
        except Exception as e:
            text = f"{record.msg} (this log message cannot be formatted: {e})"
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        self.output.log(record.levelname, text.rstrip("\n") + "\n")


class PrintStream(io.TextIOBase):
    """Takes the place of ``sys.stdout``: passes on lines, whole, each thread's for itself.

    Args:
        output: where they go.
        fd: the file descriptor that ``fileno`` names, for code that writes to it directly.
    """

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, output: Output, fd: int) -> None:
        super().__init__()
        self._output = output
        self._fd = fd
        # Thread -> its unfinished line.
        self._held: dict[threading.Thread, str] = {}
        self._lock = threading.Lock()
        self.buffer = _PrintBuffer(self)

    def write(self, text: str) -> int:
        """Takes text; it is passed on once its line ends."""
        thread = threading.current_thread()
        with self._lock:
            held = self._held.pop(thread, "") + text
            end = held.rfind("\n") + 1
            if len(held) - end > LINE_LIMIT:
                held += "\n"
                end = len(held)
            if end < len(held):
                self._held[thread] = held[end:]
        if end:
            self._output.write(held[:end])
        return len(text)

    def finish(self) -> None:
        """Ends the unfinished lines, of whatever thread: a step has ended, and they are its."""
        with self._lock:
            held, self._held = list(self._held.values()), {}
        for text in held:
            self._output.write(text + "\n")

    def writable(self) -> bool:
        """True."""
        return True

    def fileno(self) -> int:
        """The descriptor below; writing to it goes another way and is not in order with this."""
        return self._fd

    def isatty(self) -> bool:
        """False."""
        return False


class _PrintBuffer(io.RawIOBase):
    """``sys.stdout.buffer`` for code that writes bytes."""

    def __init__(self, stream: PrintStream) -> None:
        super().__init__()
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer) -> int:
        raw = bytes(data)
        self._stream.write(raw.decode("utf-8", "backslashreplace"))
        return len(raw)
