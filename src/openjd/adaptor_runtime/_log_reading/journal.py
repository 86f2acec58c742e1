"""The journal of a session: JSON lines, one record each."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

from .building import Builder
from .levels import split_level
from .model import CANCELED, FAILED, LONGEST_TEXT, OK, Line, Log
from .texts import seen

_STEPS = {"start", "run", "stop", "cleanup"}
_FAIL = "openjd_fail: "
#: Characters of a name that are kept.
_NAME = 120
#: Until the end of the year 9999.
_LATEST = 253_402_300_000


def is_record(line: str) -> bool:
    """Whether the line is a record of a journal."""
    return record_of(line) is not None


def record_of(line: str) -> dict[str, Any] | None:
    """The record that a line holds; None if it holds none: a log that was cut off ends so."""
    if not line.startswith("{"):
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or not isinstance(record.get("kind"), str) or "t" not in record:
        return None
    return record


def read(lines: Iterable[str], log: Log) -> None:
    """Adds to `log` what the records say."""
    _Journal(log).read(lines)


class _Journal:
    def __init__(self, log: Log) -> None:
        self.log = log
        self.build = Builder(log, "journal")
        self.number = 0
        #: What the last failure said, which comes as a line and as a record.
        self.told: str | None = None

    def read(self, lines: Iterable[str]) -> None:
        unreadable = first = 0
        self.log.dated = True
        for line in lines:
            self.number += 1
            if not line.strip():
                continue
            record = record_of(line)
            if record is None:
                unreadable += 1
                first = first or self.number
                continue
            self.take(record)
        self.log.lines = self.number
        self.build.end_session(None, ended=False)
        if unreadable == 1 and first == self.number:
            self.log.notes.append("its last line is incomplete, and left out")
        elif unreadable:
            self.log.notes.append(
                f"{unreadable:,} lines are no records of a journal, and left out "
                f"(the first is line {first})"
            )

    def take(self, record: dict[str, Any]) -> None:
        time = number(record["t"])
        if time is not None and not 0 <= time <= _LATEST:
            time = None
        method = getattr(self, f"_{record['kind']}", None) if record["kind"] in _KINDS else None
        if method is not None:
            method(record, time)

    def _session(self, record: dict[str, Any], time: float | None) -> None:
        if record.get("event") == "end":
            self.build.end_session(time)
            return
        session = self.build.begin_session(time)
        session.adaptor = text(record, "adaptor", _NAME)
        session.version = text(record, "version", _NAME)
        session.mode = text(record, "mode", _NAME)
        session.pid = whole(record.get("pid")) or 0

    def _step(self, record: dict[str, Any], time: float | None) -> None:
        kind = text(record, "step")
        if kind not in _STEPS:
            return
        self.told = None
        if record.get("event") == "begin":
            self.build.begin_step(kind, time, whole(record.get("task")) if kind == "run" else None)
        elif record.get("event") == "end":
            verdict = record.get("verdict")
            if self.build.step is None or self.build.step.kind != kind:
                self.build.begin_step(kind, None, whole(record.get("task")))
            self.build.end_step(
                time,
                verdict if verdict in (OK, FAILED, CANCELED) else None,
                text(record, "error"),
            )

    def _line(self, record: dict[str, Any], time: float | None) -> None:
        level, words = split_level(text(record, "text"))
        line = Line(self.number, time, level, words)
        self.build.take(line)
        if words.startswith(_FAIL) and level == "message":
            self._told(line, words[len(_FAIL) :])

    def _fail(self, record: dict[str, Any], time: float | None) -> None:
        words = text(record, "text")
        self._told(Line(self.number, time, "message", _FAIL + words), words)

    def _told(self, line: Line, words: str) -> None:
        if words != self.told:
            self.told = words
            self.build.fail(Line(line.number, line.time, line.level, words))

    def _progress(self, record: dict[str, Any], time: float | None) -> None:
        percent = number(record.get("progress"))
        if percent is not None:
            self.build.progress(time, percent)

    def _status(self, record: dict[str, Any], time: float | None) -> None:
        self.build.status(time, text(record, "text", 300))

    def _application(self, record: dict[str, Any], time: float | None) -> None:
        pid = whole(record.get("pid")) or 0
        if record.get("event") == "start":
            self.build.application(time, pid, text(record, "command"))
        elif record.get("event") == "end":
            self.build.application_ended(time, pid, whole(record.get("status")))

    def _phase(self, record: dict[str, Any], time: float | None) -> None:
        if self.build.step is not None:
            self.build.step.open_span(text(record, "phase", 200), time)

    def _memory(self, record: dict[str, Any], time: float | None) -> None:
        size = number(record.get("bytes"))
        if size is not None and 0 <= size < 1 << 60:
            self.build.current(time).memory.add(time, size)

    def _dropped(self, record: dict[str, Any], time: float | None) -> None:
        note = "the disk did not keep up when it was written: some of it is missing"
        if note not in self.log.notes:
            self.log.notes.append(note)

    def _output(self, record: dict[str, Any], time: float | None) -> None:
        path = record.get("path")
        if isinstance(path, str) and path and self.build.step is not None:
            self.build.step.add_output(path[:4096])


_KINDS = {name[1:] for name in vars(_Journal) if name[0] == "_" and name[1] != "_"} - {"told"}


def number(value: object) -> float | None:
    """The value as a finite number; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        value = float(value)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def whole(value: object) -> int | None:
    """The value as a whole number of bounded size; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 1 << 53:
        return None
    return value


def text(record: dict[str, Any], key: str, most: int = LONGEST_TEXT) -> str:
    """The text of a field, as it can be shown; "" if it is none."""
    value = record.get(key)
    return seen(value, most) if isinstance(value, str) else ""
