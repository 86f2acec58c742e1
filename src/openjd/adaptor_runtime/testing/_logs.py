"""Reads what the recorder needs out of the log of a session, in each form that there is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

#: The prefix of what a daemon shows.
_DAEMON = "ADAPTOR_OUTPUT: "
_RUNNING = "INFO: Running command: "
_ASKING = re.compile(r"^INFO: (?:Asking process \d+ to end|Canceling: )")
#: What ``openjd run`` puts before each line, since its beginning; and others, the time of day.
_ELAPSED = re.compile(r"^(\d+):(\d\d):(\d\d(?:\.\d+)?)\t")
_CLOCK = re.compile(
    r"^\[?(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,6})\d*)?"
    r"(Z|[+-]\d\d:?\d\d)?\]?[\t ]\s*"
)
_ENDED = re.compile(
    r"ended with (?:exit code (?P<hex>0x[0-9a-f]+)|exit code (?P<code>-?\d+)"
    r"|signal (?P<signal>\d+))"
)


class Event(NamedTuple):
    """Something that a log tells of.

    The kinds: ``start`` (an application: its command), ``end`` (its exit status), ``out`` and
    ``err`` (what it printed), ``progress``, ``status`` and ``fail`` (messages), ``phase`` (an
    action's name), ``output`` (a file), ``asked`` (it was asked to end), ``begin`` (of a step) and
    ``verdict``.
    """

    #: Seconds, from whatever moment on; None if the log does not say.
    t: float | None
    kind: str
    value: Any


def events(text: str) -> list[Event]:
    """What the log tells, in its order.

    Args:
        text: a session log (JSON lines), the output of an adaptor's commands, or of ``openjd run``.

    Raises:
        ValueError: it is a session log of a format that is not known.
    """
    for line in text.splitlines():
        if line.strip():
            if _record(line) is not None:
                return list(_of_records(text))
            break
    return list(_of_lines(text))


def _record(line: str) -> dict[str, Any] | None:
    """A line's record; None if it holds none: a log that was cut off ends within one."""
    if not line.startswith("{"):
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and isinstance(record.get("kind"), str) else None


def _of_records(text: str) -> Iterator[Event]:
    for line in text.splitlines():
        record = _record(line)
        if record is None:
            continue
        t = record.get("t")
        moment = float(t) if isinstance(t, (int, float)) else None
        kind, event = record["kind"], record.get("event")
        if kind == "session" and record.get("format", 1) != 1:
            raise ValueError(f"a session log of format {record['format']} is not known")
        if kind == "step" and event == "begin":
            yield Event(moment, "begin", record.get("step"))
        elif kind == "step" and event == "end":
            yield Event(moment, "verdict", (record.get("verdict"), record.get("error")))
        elif kind == "application" and event == "start":
            yield Event(moment, "start", str(record.get("command", "")))
        elif kind == "application" and event == "end":
            yield Event(moment, "end", record.get("status"))
        elif kind == "phase":
            yield Event(moment, "phase", str(record.get("phase", "")))
        elif kind == "output" and isinstance(record.get("path"), str):
            yield Event(moment, "output", record["path"])
        elif kind == "line" and isinstance(record.get("text"), str):
            # Their messages are among the lines, in order.
            yield from _of_line(moment, record["text"])


def _of_lines(text: str) -> Iterator[Event]:
    running = False
    for line in text.splitlines():
        moment, rest = _timed(line)
        if rest.startswith(_DAEMON):
            rest = rest[len(_DAEMON) :]
        if rest.startswith(_RUNNING):
            if running:
                yield Event(moment, "end", 0)
            running = True
            yield Event(moment, "start", rest[len(_RUNNING) :])
            continue
        for event in _of_line(moment, rest):
            ended = _ENDED.search(event.value) if event.kind == "fail" and running else None
            if ended is not None:
                yield Event(moment, "end", _status(ended))
                running = False
            yield event
            if event.kind == "fail":
                yield Event(moment, "verdict", ("failed", event.value))
        if rest == "INFO: Canceled":
            yield Event(moment, "verdict", ("canceled", None))
    if running:
        yield Event(None, "end", None)


def _of_line(moment: float | None, line: str) -> Iterator[Event]:
    for start, kind in (
        ("STDOUT: ", "out"),
        ("STDERR: ", "err"),
        ("openjd_progress: ", "progress"),
        ("openjd_status: ", "status"),
        ("openjd_fail: ", "fail"),
    ):
        if line.startswith(start):
            yield Event(moment, kind, line[len(start) :])
            return
    if _ASKING.match(line):
        yield Event(moment, "asked", None)


def _timed(line: str) -> tuple[float | None, str]:
    """The time before a line, and the line."""
    match = _ELAPSED.match(line)
    if match:
        hours, minutes, seconds = match.groups()
        moment = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
        return moment, line[match.end() :]
    match = _CLOCK.match(line)
    if match:
        year, month, day, clock, fraction, zone = match.groups()
        zone = (
            "+00:00" if zone in (None, "Z") else zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
        )
        try:
            moment = datetime.fromisoformat(f"{year}-{month}-{day}T{clock}{zone}").timestamp()
        except ValueError:
            return None, line
        return moment + float(f"0.{fraction or 0}"), line[match.end() :]
    return None, line


def _status(ended: re.Match[str]) -> int:
    if ended["signal"]:
        return -int(ended["signal"])
    return int(ended["hex"], 16) if ended["hex"] else int(ended["code"]) % (1 << 32)


def arguments(command: str) -> list[str]:
    """The words of a command line as ``subprocess.list2cmdline`` has written it."""
    words: list[str] = []
    word, inside, begun = "", False, False
    at = 0
    while at < len(command):
        c = command[at]
        if c == "\\":
            end = at
            while end < len(command) and command[end] == "\\":
                end += 1
            count = end - at
            begun = True
            if end < len(command) and command[end] == '"':
                word += "\\" * (count // 2)
                if count % 2:
                    word += '"'
                    end += 1
            else:
                word += "\\" * count
            at = end
            continue
        if c == '"':
            inside, begun = not inside, True
        elif c in " \t" and not inside:
            if begun:
                words.append(word)
            word, begun = "", False
        else:
            word, begun = word + c, True
        at += 1
    return [*words, word] if begun else words
