"""A terminal for commands: what is on its screen, as somebody who sits there sees it."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pyte
from apps import signals
from apps.drive import Host
from apps.gates import LIMIT

WIDTH, HEIGHT = 100, 30
_ABOUT_TERMINALS = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TERM", "COLORTERM"}


class Terminal:
    """A command at a terminal of its own."""

    def __init__(
        self, host: Host, *arguments: str, variables: Mapping[str, str] | None = None
    ) -> None:
        self._screen = pyte.HistoryScreen(WIDTH, HEIGHT, history=5000, ratio=0.5)
        self._stream = pyte.ByteStream(self._screen)
        #: All bytes that came.
        self.raw = b""
        self._changed = threading.Condition()
        self._ended = False
        self._master, slave = pty.openpty()
        size = struct.pack("HHHH", HEIGHT, WIDTH, 0, 0)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
        env = {k: v for k, v in host.env.items() if k not in _ABOUT_TERMINALS}
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=slave,
            stderr=slave,
            env={**env, "TERM": "xterm-256color", **(variables or {})},
            cwd=host.folder,
            **signals.receiver_options(),
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                data = b""  # How Linux says that nobody has the other end any more.
            with self._changed:
                if data:
                    self.raw += data
                    self._stream.feed(data)
                else:
                    self._ended = True
                self._changed.notify_all()
            if not data:
                return

    @property
    def lines(self) -> list[str]:
        """What stands there, and above it: lines without the blanks at their ends."""
        with self._changed:
            return self._lines()

    def _lines(self) -> list[str]:
        above = [
            "".join(row[column].data for column in range(WIDTH)).rstrip()
            for row in self._screen.history.top
        ]
        shown = [line.rstrip() for line in self._screen.display]
        while shown and not shown[-1]:
            shown.pop()
        return above + shown

    def until(self, what: Callable[[list[str]], object]) -> list[str]:
        """Blocks until the lines are so, and returns them."""
        with self._changed:
            found = self._changed.wait_for(lambda: what(self._lines()) or self._ended, LIMIT)
            lines = self._lines()
            assert found and what(lines), "\n".join(lines)
            return lines

    def end(self) -> int:
        """Blocks until the command has ended, and all has been read; its exit status."""
        status = self.process.wait(LIMIT)
        self._reader.join(LIMIT)
        assert not self._reader.is_alive(), "somebody keeps the terminal"
        return status

    def leave(self) -> None:
        """Ends it in a hurry, if it has not ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(LIMIT)
        self._reader.join(LIMIT)
        os.close(self._master)

    @property
    def cursor_is_visible(self) -> bool:
        """Whether the cursor is shown."""
        with self._changed:
            return not self._screen.cursor.hidden


@contextmanager
def terminal(
    host: Host, *arguments: str, variables: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """A terminal at which ``python ARGUMENTS`` runs; nothing of it is left at the end."""
    opened = Terminal(host, *arguments, variables=variables)
    try:
        yield opened
    finally:
        opened.leave()
