"""What has failed in a log, why, and which lines show it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from ..._log_reading import Line, Log, Session, Step
from ..._log_reading.model import CANCELED as WAS_CANCELED
from ..._log_reading.model import FAILED
from . import causes
from .causes import Cause
from .matching import cause_of, filled

_ORIGIN = re.compile(r"\S+ at .+, line \d+, in ")
_NOT_FOUND = re.compile(
    r"(?:: |^)(?:command )?not found$|: No such file or directory$|not recognized"
)
_USAGE = re.compile(r"ERROR: \S.*: .*\(see .* --help\)|usage: ")
_LAST_OF_TRACEBACK = re.compile(r"(?:\w+\.)*\w+(?:Error|Exception|Exit|Interrupt|Warning): ?.*")
_OWN_OUTPUT = ("STDOUT", "STDERR")
_MOST_FINDINGS = 50


class Finding(NamedTuple):
    """Something that went wrong, or an end that was not reached.

    Attributes:
        where: in words: "task 3 (Frame 3)".
        message: what the runtime said of it, if it did.
        means: the cause in words; remedy: what to do; see: page and place in the documentation.
        lines: those of the log that show it, in order.
    """

    cause: Cause
    where: str
    step: Step
    message: str
    means: str
    remedy: str
    see: str
    lines: list[Line]

    def as_json(self) -> dict[str, Any]:
        """What can be written as JSON."""
        return {
            "cause": self.cause.id,
            "step": self.step.kind,
            "task": self.step.number or None,
            "name": self.step.name,
            "message": self.message,
            "means": self.means,
            "remedy": self.remedy,
            "see": self.see,
            "lines": [
                {"number": line.number, "time": line.time, "text": line.shown()}
                for line in self.lines
            ],
        }


def findings(log: Log) -> list[tuple[Session, list[Finding]]]:
    """Each session of the log, with what went wrong in it; the first is what the rest follows."""
    return [(session, list(_of_session(session))[:_MOST_FINDINGS]) for session in log.sessions]


def _of_session(session: Session) -> Iterable[Finding]:
    found: list[Finding] = []
    for step in (*session.steps, session.outside):
        if step.fails.count or step.verdict == FAILED:
            found.append(_failed(step, session))
    found.sort(key=lambda one: one.lines[0].number if one.lines else one.step.first)
    if found:
        return found
    for step in session.steps:
        if step.verdict == WAS_CANCELED:
            return [_finding(causes.CANCELED, {}, step, "", _signs_of_cancel(step))]
    last = session.steps[-1] if session.steps else None
    unfinished = last is not None and last.verdict is None and not session.ended
    if last is not None and unfinished and session.source != "output":
        return [_finding(causes.ENDS_EARLY, {}, last, "", list(last.tail)[-6:])]
    if session.engine_result is not None and session.engine_result.text.startswith("ERROR"):
        line = session.engine_result
        return [_finding(causes.UNTOLD, {"status": "unknown"}, session.outside, "", [line])]
    return []


def _failed(step: Step, session: Session) -> Finding:
    if step.timed_out is not None:
        lines = [*_output(step, {}), step.timed_out]
        return _finding(causes.TIMED_OUT, {}, step, step.timed_out.text, lines)
    if step.fails.count:
        told = step.fails.kept[0]
        cause, values = cause_of(told.text)
        found = _finding(cause, values, step, told.text, _evidence(cause, values, step, told))
        if session.source == "output" and not told.text.startswith("Error encountered while "):
            # Neither does the log say where steps begin, nor the message in which it was.
            return found._replace(where="something in the session")
        return found
    if step.error:
        cause, values = cause_of(f"Error encountered while running adaptor: {step.error}")
        return _finding(cause, values, step, step.error, _evidence(cause, values, step, None))
    return _untold(step)


def _untold(step: Step) -> Finding:
    """A step that has failed, and nobody has told the scheduler why."""
    lines = [line for line in (step.before or list(step.tail)) if line.level != "engine"]
    for line in reversed(lines):
        if _NOT_FOUND.search(line.text) and line.level == "":
            return _finding(causes.COMMAND_NOT_FOUND, {}, step, line.text, [line])
        if line.level in ("", "ERROR") and _USAGE.match(line.shown()):
            return _finding(causes.COMMAND_LINE, {"message": line.text}, step, line.text, [line])
    for line in step.engine:
        if line.text.startswith("Process failed to start"):
            return _finding(causes.COMMAND_NOT_FOUND, {}, step, line.text, [line])
    trace = _traceback_in(lines)
    if trace and trace[-1].level == "":
        message = trace[-1].text
        return _finding(causes.TRACEBACK, {"message": message}, step, message, trace)
    status = "unknown" if step.exit_status is None else str(step.exit_status)
    return _finding(causes.UNTOLD, {"status": status}, step, "", lines[-6:])


def _finding(
    cause: Cause, values: dict[str, str], step: Step, message: str, lines: list[Line]
) -> Finding:
    return Finding(
        cause,
        where(step),
        step,
        message,
        filled(cause.means, values),
        filled(cause.remedy, values),
        cause.see,
        sorted({line.number: line for line in lines}.values(), key=lambda line: line.number),
    )


def where(step: Step) -> str:
    """The step in words."""
    name = f" ({step.name})" if step.name else ""
    if step.kind == "run":
        return f"task {step.number}{name}"
    words = {"start": "the start", "stop": "the stop", "cleanup": "the cleaning up"}
    return words.get(step.kind, "the session") + name


# The lines that show it.


def _evidence(cause: Cause, values: dict[str, str], step: Step, told: Line | None) -> list[Line]:
    lines = [] if told is None else [_as_message(told)]
    for what in cause.shows:
        lines += _SHOWN[what](step, values)
    return lines


def _as_message(line: Line) -> Line:
    if line.level != "message" or line.text.startswith("openjd_fail: "):
        return line
    return Line(line.number, line.time, line.level, f"openjd_fail: {line.text}")


def _output(step: Step, values: dict[str, str]) -> list[Line]:
    lines = [line for line in step.before or step.tail if line.level in _OWN_OUTPUT]
    return [line for line in lines if not line.text.startswith("Performing action: ")][-6:]


def _matched(step: Step, values: dict[str, str]) -> list[Line]:
    words = values.get("line", "")
    lines = [line for line in step.before if line.level in _OWN_OUTPUT]
    # A rule may have words of its own for its line; then the last line has to do.
    found = [line for line in lines if words and words in line.text]
    return found[:1] or lines[-3:]


def _stacks(step: Step, values: dict[str, str]) -> list[Line]:
    found: list[Line] = []
    inside = 0
    for line in step.after:
        if line.level == "ERROR" and line.text.startswith("Thread "):
            inside = 7 if line.text.startswith("Thread adaptor") else 0
        if inside and line.level == "ERROR":
            inside -= 1
            found.append(line)
        elif line.level == "STDERR" and "File " in line.text and len(found) < 16:
            found.append(line)
    return found


def _traceback(step: Step, values: dict[str, str]) -> list[Line]:
    return _traceback_in(step.before)


def _traceback_in(lines: list[Line]) -> list[Line]:
    """The last traceback among the lines: its begin, its last places, the error."""
    begin = next(
        (
            n
            for n in range(len(lines) - 1, -1, -1)
            if lines[n].text.lstrip().startswith("Traceback (")
        ),
        None,
    )
    if begin is None:
        return []
    level = lines[begin].level
    trace = [lines[begin]]
    for line in lines[begin + 1 :]:
        if line.level != level:
            continue
        trace.append(line)
        if _LAST_OF_TRACEBACK.match(line.text.strip()):
            break
    return trace[:1] + trace[1:][-5:]


def _origin(step: Step, values: dict[str, str]) -> list[Line]:
    return [line for line in step.after if line.level == "ERROR" and _ORIGIN.match(line.text)][:1]


def _dump(step: Step, values: dict[str, str]) -> list[Line]:
    lines = [line for line in step.before if line.level == ""]
    lines = [line for line in lines if not line.text.startswith("openjd_env")]
    current = [
        n for n, line in enumerate(lines) if line.text.startswith(("Current thread", "Fatal "))
    ]
    return lines[current[0] :][:12] if current else lines[-10:]


def _command(step: Step, values: dict[str, str]) -> list[Line]:
    lines = [line for line in step.before if line.text.startswith("Running command: ")]
    return lines[-1:]


def _signs_of_cancel(step: Step) -> list[Line]:
    signs = [step.interrupted] if step.interrupted is not None else []
    signs += [line for line in step.tail if line.text.startswith(("Interruption", "Canceling"))]
    return signs[:3] or list(step.tail)[-3:]


_SHOWN: dict[str, Callable[[Step, dict[str, str]], list[Line]]] = {
    "output": _output,
    "matched": _matched,
    "stacks": _stacks,
    "traceback": _traceback,
    "origin": _origin,
    "dump": _dump,
    "command": _command,
}
