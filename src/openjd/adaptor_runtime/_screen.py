"""A terminal at which somebody sits: the progress of a task, below what it prints.

The messages that tell of progress and status are what the bar shows, and are not printed beside
it. It is drawn by rich, where that is installed (the extra ``terminal``).
"""

from __future__ import annotations

import io
import math
import os
import time
from typing import TYPE_CHECKING

try:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
    from rich.segment import Segment
    from rich.table import Column
    from rich.text import Text
except Exception:
    # It is not there, or does not work: that is no reason for a task to fail.
    HAS_RICH = False
else:
    HAS_RICH = True

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Task

_PROGRESS = b"openjd_progress: "
_STATUS = b"openjd_status: "
# A bar that is drawn more often is not seen more often (seconds).
_REDRAW_SECONDS = 0.1
# So often the clock beside the bar ticks, if nothing else happens.
_TICKS_PER_SECOND = 1


def open_screen(fd: int) -> Screen | None:
    """The terminal `fd` with a bar; None where it shows none: a dumb one, or without rich."""
    if not HAS_RICH:
        return None
    # As bytes in UTF-8 they come, and so they go out again.
    file = io.open(fd, "w", encoding="utf-8", errors="surrogateescape", newline="", closefd=False)  # noqa: SIM115, UP020
    console = _Console(file=file)
    if not console.is_terminal or console.is_dumb_terminal or console.legacy_windows:
        return None
    return Screen(console)


if HAS_RICH:

    class _Console(Console):
        def show_cursor(self, show: bool = True) -> bool:
            """Left as it is: a command that is killed cannot give it back."""
            return False

    class _Raw:
        """Whole lines that go to the terminal as they are."""

        def __init__(self, text: str) -> None:
            self._text = text

        def __rich_console__(self, *args: object) -> Iterator[Segment]:
            yield Segment(self._text)

    class _Percent(ProgressColumn):
        def render(self, task: Task) -> Text:
            """How far it is."""
            return Text("" if task.total is None else f"{task.completed:5.1f} %", "bold")

    class _Times(ProgressColumn):
        def render(self, task: Task) -> Text:
            """For how long it has run, and for how long it will."""
            seconds = task.elapsed or 0.0
            text = clock(seconds)
            if task.total is not None and 0 < task.completed < 100:
                left = seconds * (100 - task.completed) / task.completed
                text += f", about {clock(left)} left"
            return Text(text)

    class Screen:
        """A terminal with a bar in its last line, from its making until it is closed.

        To be called by one thread at a time.
        """

        def __init__(self, console: Console) -> None:
            self._console = console
            self._rest = b""
            self._drawn = -math.inf
            status = TextColumn(
                "{task.fields[status]}",
                markup=False,
                table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
            )
            self._progress = Progress(
                status,
                BarColumn(bar_width=24),
                _Percent(),
                _Times(),
                console=console,
                transient=True,
                expand=True,
                redirect_stdout=False,
                redirect_stderr=False,
                refresh_per_second=_TICKS_PER_SECOND,
            )
            self._task = self._progress.add_task("", total=None, status="Running")
            self._progress.start()

        def show(self, data: bytes) -> None:
            """Shows what is written in place of the terminal: lines above the bar.

            Raises:
                OSError: the terminal is gone.
            """
            if self._rest:
                data, self._rest = self._rest + data, b""
            end = data.rfind(b"\n") + 1
            self._rest = data[end:]
            lines = self._without_messages(data[:end])
            now = time.monotonic()
            if lines:
                text = lines.decode("utf-8", "surrogateescape")
                self._console.print(_Raw(text), end="", crop=False)
            elif now - self._drawn >= _REDRAW_SECONDS:
                self._progress.refresh()
            self._drawn = now

        def close(self) -> None:
            """Takes the bar away; what was shown above it stays."""
            try:
                self._progress.stop()
                if self._rest:
                    os.write(self._console.file.fileno(), self._rest)
            except OSError:
                pass  # The terminal is gone, and the bar with it.

        def _without_messages(self, data: bytes) -> bytes:
            if b"openjd_" not in data:
                return data
            kept = []
            for line in data.split(b"\n"):
                if line.startswith(_PROGRESS):
                    percent = _percent(line[len(_PROGRESS) :])
                    if percent is not None:
                        self._progress.update(self._task, total=100, completed=percent)
                        continue
                elif line.startswith(_STATUS):
                    text = line[len(_STATUS) :].decode("utf-8", "backslashreplace")
                    text = "".join(c if c.isprintable() else " " for c in text)
                    self._progress.update(self._task, status=text)
                    continue
                kept.append(line)
            return b"\n".join(kept)


def _percent(text: bytes) -> float | None:
    try:
        percent = float(text)
    except ValueError:
        return None
    return percent if 0 <= percent <= 100 else None


def clock(seconds: float) -> str:
    """A time for people: 0:07, 12:34, 1:02:03."""
    minutes, whole = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{whole:02}" if hours else f"{minutes}:{whole:02}"
