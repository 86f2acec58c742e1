"""The journal: what a session does, as records.

It knows how things stand now, for ``daemon status``, and the last lines, for ``daemon logs``; what
it is told of also goes into the session log where there is one, and to whoever follows. Everything
that it keeps is bounded, and output passes it in blocks: no line is looked at by itself.
"""

from __future__ import annotations

import math
import os
import re
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _session_log
from ._platform import resident_bytes
from ._version import version

if TYPE_CHECKING:
    from collections.abc import Callable

    from . import EntryPoint
    from ._output import Output
    from ._session_log import SessionLog

#: The version of the records' form.
FORMAT = 1
# How much of the last output is kept (characters), in how many blocks at most.
_KEEP = 32 * 1024
_MOST_BLOCKS = 1000
# Memory is looked at no more often (seconds).
_SAMPLE_SECONDS = 1.0
# A phase that is over so soon, and in which nothing else happened, is not written down: calls can
# follow each other ten thousand times a second (seconds).
_SHORT_PHASE = 0.05
# So long after its end output may still be that of a phase (seconds).
_OUTPUT_COMES = 2.0
_LONGEST_COMMAND = 2000
# Of a longer line a status has the beginning (characters).
_LONGEST_LINE = 2000
_HURRIED_CLOSE = 0.5
_MESSAGE = re.compile(r"^openjd_(progress|status|fail): (.*)$", re.MULTILINE)


class Lines(NamedTuple):
    """Whole lines that came at the same moment."""

    #: Seconds since the epoch.
    t: float
    text: str


class Application(NamedTuple):
    """An application that runs."""

    pid: int
    command: str
    #: Seconds since the epoch.
    started: float


class Journal:
    """The records of one session. Any thread may call its methods.

    Args:
        adaptor: the adaptor's name.
        mode: ``"daemon"`` or ``"foreground"``.
        prefix: what stands before most lines of the session's output, and is left out here.
        log: where the records are written, if anywhere.
    """

    def __init__(
        self, adaptor: str, mode: str, prefix: str = "", log: SessionLog | None = None
    ) -> None:
        self.adaptor = adaptor
        #: What stands before most lines, as they are shown.
        self.prefix = prefix
        self._log = log
        # A clock that is set meanwhile does not turn the order around.
        self._epoch = time.time() - time.monotonic()
        self._lock = threading.Lock()
        self._listener: Callable[[float, str, dict[str, Any] | None], object] | None = None
        self._tail: deque[Lines] = deque()
        self._tail_size = 0
        self.began = self.now()
        self._step: dict[str, Any] | None = None
        self._step_began = self.began
        self._last_step: dict[str, Any] | None = None
        self._task = 0
        self._progress: float | None = None
        self._status: str | None = None
        self._phase = ""
        self._phase_began = self.began
        # Of a phase that is not in the log yet: it may be over at once.
        self._phase_unwritten = False
        self._phase_written = ""
        # One that was over at once, when it began and ended: output of its may be on the way.
        self._phase_over: tuple[str, float, float] | None = None
        self._applications: dict[int, Application] = {}
        self._sampled = -math.inf
        self._closed = False
        if log is not None:
            log.clock = self.now
        self._write(
            self.began,
            "session",
            format=FORMAT,
            version=version,
            adaptor=adaptor,
            pid=os.getpid(),
            mode=mode,
        )

    def now(self) -> float:
        """The time for a record: seconds since the epoch, which never go back."""
        return self._epoch + time.monotonic()

    @property
    def is_written(self) -> bool:
        """Whether there is a session log: some things are only found out for that."""
        return self._log is not None and self._log.is_open

    # What a session tells.

    def lines(self, block: str, has_messages: bool = True) -> None:
        r"""Output as it is shown: whole lines, each ending in ``\n``.

        Args:
            block: the lines.
            has_messages: whether there may be messages to the scheduler among them.
        """
        with self._lock:
            t = self.now()
            if has_messages:
                self._read_messages(t, block)
            self._keep(t, block)
            if self._log is not None:
                self._write_phase(t)
                if self._phase_over is not None:
                    self._write_phase_over(t, block)
                self._append(_session_log.lines(t, block, self.prefix))
            if self._listener is not None:
                self._listener(t, block, None)

    def step_begins(self, step: str, task: int | None = None) -> None:
        """The session begins a step; `task` is the number of a task, from 1."""
        with self._lock:
            t = self.now()
            self._progress = self._status = None
            self._step_began = t
            self._step = {"step": step, "task": task}
            self._task = task or self._task
            self._tell(t, "step", {"step": step, "event": "begin", **_with_task(task)})
            self._want_sample()

    def step_ends(self, verdict: str, error: str | None) -> None:
        """The step under way has ended.

        Args:
            verdict: ``"ok"``, ``"failed"`` or ``"canceled"``.
            error: what went wrong, in one line.
        """
        with self._lock:
            step, self._step = self._step, None
            if step is None:
                return
            if error is not None:
                error = " ".join(error.splitlines())
            t = self.now()
            ended = {**step, "verdict": verdict, "error": error}
            self._last_step = {**ended, "seconds": round(t - self._step_began, 3)}
            self._set_phase(t, "")
            fields = {"step": step["step"], "event": "end", **_with_task(step["task"])}
            self._tell(t, "step", {**fields, "verdict": verdict, "error": error})
            self._want_sample()

    def application_started(self, pid: int, command: str) -> None:
        """An application was started."""
        if len(command) > _LONGEST_COMMAND:
            command = command[:_LONGEST_COMMAND] + "…"
        with self._lock:
            t = self.now()
            self._applications[pid] = Application(pid, command, t)
            self._tell(t, "application", {"event": "start", "pid": pid, "command": command})

    def application_ended(self, pid: int, status: int | None) -> None:
        """An application has ended, with that exit status (-N: by signal N)."""
        with self._lock:
            if self._applications.pop(pid, None) is not None:
                fields = {"event": "end", "pid": pid, "status": status}
                self._tell(self.now(), "application", fields)

    def phase(self, name: str) -> None:
        """A call of the application is under way; "" when none is any more."""
        with self._lock:
            self._set_phase(self.now(), name)

    def output(self, path: str) -> None:
        """A file that a task should have written was found."""
        with self._lock:
            self._tell(self.now(), "output", {"path": path})

    def close(self, hurry: bool = False) -> None:
        """The session has ended. May be called twice.

        Args:
            hurry: whether there is next to no time for what is not written yet.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._tell(self.now(), "session", {"event": "end"})
            log = self._log
        if log is not None:
            # Not under the lock: whoever asks how things stand need not wait for a disk.
            if hurry:
                log.close(_HURRIED_CLOSE)
            else:
                log.close()

    # Who asks.

    def snapshot(self, count: int) -> dict[str, Any]:
        """How things stand, with the last `count` lines; what JSON can express."""
        with self._lock:
            now = self.now()
            step = self._step
            in_step = now - self._step_began
            phase, since = "idle", self.began
            if step is not None:
                phase, since = step["step"], self._step_began
            elif self._last_step is not None:
                since = self._step_began + self._last_step["seconds"]
            if self._phase:
                phase, since = self._phase, self._phase_began
            applications = list(self._applications.values())
            found = {
                "adaptor": self.adaptor,
                "session_seconds": round(now - self.began, 3),
                "phase": phase,
                "phase_seconds": round(now - since, 3),
                "task": self._task or None,
                "progress": self._progress,
                "status_message": self._status,
                "seconds_left": _seconds_left(self._progress, in_step) if step else None,
                "last_step": self._last_step,
                "applications": [
                    {"pid": a.pid, "command": a.command, "seconds": round(now - a.started, 3)}
                    for a in applications
                ],
                "last_lines": [
                    line for lines in self._last_lines(count) for line in _split(lines.text)
                ],
            }
        found["memory_bytes"] = _memory(applications)
        return found

    def last_lines(self, count: int) -> list[Lines]:
        """The last lines, as far as they are kept: at most `count`."""
        with self._lock:
            return self._last_lines(count)

    def follow(
        self,
        count: int,
        begin: Callable[[list[Lines]], object],
        listener: Callable[[float, str, dict[str, Any] | None], object],
    ) -> None:
        """Calls `begin` with the last lines, and `listener` from then on with all that follows.

        There is one listener. Both are called with the lock of this held, and must neither wait
        nor raise. The listener gets the time, and lines with their prefixes; or the kind of a
        record and its fields.
        """
        with self._lock:
            begin(self._last_lines(count))
            self._listener = listener

    # The rest runs under the lock.

    def _last_lines(self, count: int) -> list[Lines]:
        found: list[Lines] = []
        for lines in reversed(self._tail):
            if count <= 0:
                break
            text = self._without_prefix(lines.text)
            here = text.count("\n")
            found.append(Lines(lines.t, text if here <= count else _last(text, count)))
            count -= here
        found.reverse()
        return found

    def _keep(self, t: float, block: str) -> None:
        size = len(block)
        if size > _KEEP:
            # Whole lines, unless the last alone is longer.
            begin = block.find("\n", size - _KEEP - 1, -1) + 1 or size - _KEEP
            block = block[begin:]
            size = len(block)
        tail = self._tail
        tail.append(Lines(t, block))
        self._tail_size += size
        while self._tail_size - len(tail[0].text) >= _KEEP or len(tail) > _MOST_BLOCKS:
            self._tail_size -= len(tail.popleft().text)

    def _read_messages(self, t: float, block: str) -> None:
        progress = status = None
        for kind, value in _MESSAGE.findall(block):
            if kind == "fail":
                self._write(t, "fail", text=value)
            elif kind == "status":
                status = value
            else:
                progress = value
        if status is not None:
            self._status = status
            self._write(t, "status", text=status)
        if progress is not None:
            try:
                percent = float(progress)
            except ValueError:
                return
            if not 0 <= percent <= 100:
                return
            self._progress = percent
            self._write(t, "progress", progress=percent)
            self._want_sample()

    def _set_phase(self, t: float, name: str) -> None:
        if name == self._phase:
            return
        if self._log is not None:
            if self._phase_unwritten and t - self._phase_began > _SHORT_PHASE:
                self._write_phase(t)
            over = self._phase_unwritten and not name
            self._phase_over = (self._phase, self._phase_began, t) if over else None
            self._phase_unwritten = name != self._phase_written
        self._phase = name
        self._phase_began = t

    def _write_phase_over(self, t: float, block: str) -> None:
        # An answer comes by the socket, what was printed before it by a pipe, and perhaps later.
        if self._phase_over is None or not block.startswith(
            (f"{self.prefix}STDOUT: ", f"{self.prefix}STDERR: ")
        ):
            return
        (name, began, ended), self._phase_over = self._phase_over, None
        if t - ended <= _OUTPUT_COMES:
            self._append(_session_log.record(began, "phase", {"phase": name}))
            self._append(_session_log.record(ended, "phase", {"phase": ""}))

    def _write_phase(self, t: float) -> None:
        if self._phase_unwritten:
            self._phase_unwritten = False
            self._phase_written = self._phase
            self._append(_session_log.record(self._phase_began, "phase", {"phase": self._phase}))

    def _tell(self, t: float, kind: str, fields: dict[str, Any]) -> None:
        self._write(t, kind, **fields)
        if self._listener is not None:
            self._listener(t, kind, fields)

    def _write(self, t: float, kind: str, **fields: Any) -> None:
        if self._log is not None:
            self._write_phase(t)
            self._append(_session_log.record(t, kind, fields))

    def _append(self, data: bytes) -> None:
        if self._log is not None:
            self._log.put(data)

    def _without_prefix(self, block: str) -> str:
        prefix = self.prefix
        if not prefix or prefix not in block:
            return block
        block = block[len(prefix) :] if block.startswith(prefix) else block
        return block.replace("\n" + prefix, "\n")

    # Memory.

    def _want_sample(self) -> None:
        now = time.monotonic()
        if self._log is None or not self._applications or now - self._sampled < _SAMPLE_SECONDS:
            return
        self._sampled = now
        # All processes of the system are gone through: not in a thread that has work to do.
        applications = list(self._applications.values())
        # What is in the file stays in order.
        t = self.now()

        def sample() -> bytes:
            used = _memory(applications)
            return _session_log.record(t, "memory", {"bytes": used}) if used else b""

        self._log.put(sample)


def _memory(applications: list[Application]) -> int | None:
    """The resident memory of the applications and what they started; None if it is unknown."""
    if not applications:
        return None
    try:
        return resident_bytes(application.pid for application in applications)
    except Exception:
        # Whatever the system lacks at this moment, it is no reason to give no answer.
        return None


def _seconds_left(progress: float | None, seconds: float) -> float | None:
    if not progress:
        return None
    return round(seconds * (100 - progress) / progress, 1)


def _with_task(task: int | None) -> dict[str, int]:
    return {} if task is None else {"task": task}


def _split(text: str) -> list[str]:
    lines = text[:-1].split("\n")
    return [line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE] + "…" for line in lines]


def _last(text: str, count: int) -> str:
    """The last `count` lines of text that has more."""
    begin = len(text)
    for _ in range(count + 1):
        begin = text.rfind("\n", 0, begin)
    return text[begin + 1 :]


def begin(entry_point: EntryPoint, mode: str, output: Output, setting: str) -> Journal:
    """Begins the journal of this process's session, which sees what `output` shows.

    Args:
        entry_point: the adaptor's.
        mode: ``"daemon"`` or ``"foreground"``.
        output: the session's; also where is told what goes wrong with the session log.
        setting: the runtime's setting ``session_log``.
    """
    global _current
    name = entry_point.find_name()
    log = None
    path = _session_log.wanted_path(setting)
    if path:
        log = _session_log.SessionLog(path, name, lambda text: output.log("WARNING", f"{text}\n"))
    _current = output.journal = Journal(name, mode, output.prefix, log)
    return _current


_current: Journal | None = None


def end(hurry: bool = False) -> None:
    """Ends the journal of this process's session, if there is one; see ``Journal.close``."""
    global _current
    journal, _current = _current, None
    if journal is not None:
        journal.close(hurry)


def current() -> Journal | None:
    """The journal of this process's session; None where there is no session."""
    return _current
