"""Reads what the recorder needs out of the log of a session, in each form that there is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any, NamedTuple

from .._log_reading import stamps
from .._log_reading.journal import record_of
from .._log_reading.levels import split_level

#: Lines that say what kind of log it is.
_HEAD = 60
_RUNNING = "Running command: "
_ASKING = re.compile(r"Asking process \d+ to end|Canceling: ")
_OUTPUT = {"STDOUT": "out", "STDERR": "err"}
_MESSAGE = re.compile(r"openjd_(progress|status|fail): (.*)", re.DOTALL)
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


def events(lines: Iterable[str]) -> Iterator[Event]:
    """What a log tells, in its order.

    Args:
        lines: of a session log (JSON lines), the output of an adaptor's commands, or of
            ``openjd run``; without their ends.

    Raises:
        ValueError: it is a session log of a format that is not known.
    """
    rest = iter(lines)
    head = list(islice(rest, _HEAD))
    everything = chain(head, rest)
    first = next((line for line in head if line.strip()), "")
    if record_of(first) is not None:
        return _of_records(everything)
    return _of_lines(everything, stamps.form_of(head))


def _of_records(lines: Iterable[str]) -> Iterator[Event]:
    for text in lines:
        record = record_of(text)
        if record is None:
            continue
        t = record["t"]
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
            yield from _of_line(moment, *split_level(record["text"]))


def _of_lines(lines: Iterable[str], form: stamps.Form | None) -> Iterator[Event]:
    running = False
    for line in lines:
        moment = None
        match = form.regex.match(line) if form is not None else None
        if form is not None and match is not None:
            moment = form.seconds(match)
        rest = line[match.end() :] if match is not None and moment is not None else line
        level, text = split_level(rest)
        if level == "INFO" and text.startswith(_RUNNING):
            if running:
                yield Event(moment, "end", 0)
            running = True
            yield Event(moment, "start", text[len(_RUNNING) :])
            continue
        for event in _of_line(moment, level, text):
            ended = _ENDED.search(event.value) if event.kind == "fail" and running else None
            if ended is not None:
                yield Event(moment, "end", _status(ended))
                running = False
            yield event
            if event.kind == "fail":
                yield Event(moment, "verdict", ("failed", event.value))
        if level == "INFO" and text == "Canceled":
            yield Event(moment, "verdict", ("canceled", None))
    if running:
        yield Event(None, "end", None)


def _of_line(moment: float | None, level: str, text: str) -> Iterator[Event]:
    message = _MESSAGE.match(text) if level == "message" else None
    if message is not None:
        yield Event(moment, message[1], message[2])
    elif level in _OUTPUT:
        yield Event(moment, _OUTPUT[level], text)
    elif level == "INFO" and _ASKING.match(text):
        yield Event(moment, "asked", None)


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
