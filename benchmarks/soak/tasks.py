"""Which task is of which kind, and what must be seen of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

PLAIN = "plain"
_NO_FAILURE = 0
_ONE_FAILURE = 1


@dataclass(frozen=True)
class Kind:
    """A kind of task.

    ``lines`` counts lines of the application's, ``progress`` reports of progress; ``signalled``
    says that the command is sent SIGTERM once the task says that it waits.
    """

    name: str
    meaning: str
    succeeds: bool = True
    fail_lines: int = _NO_FAILURE
    lines: int = 0
    progress: int = 1
    signalled: bool = False
    restarts: bool = False


KINDS = {
    kind.name: kind
    for kind in (
        Kind(PLAIN, "one call of the application that does nothing"),
        Kind("lines", "200 lines from the application", lines=200),
        Kind("reports", "ten reports of progress", progress=10),
        Kind("process", "a process started and ended by the adaptor, one by the application"),
        Kind(
            "failing",
            "an exception in the application",
            succeeds=False,
            fail_lines=_ONE_FAILURE,
            progress=0,
        ),
        Kind("canceled", "SIGTERM to the command", succeeds=False, progress=0, signalled=True),
        Kind(
            "ended",
            "SIGTERM to the command, and the application ends with the task",
            succeeds=False,
            progress=0,
            signalled=True,
            restarts=True,
        ),
        Kind(
            "crash",
            "the application's end in the middle of a task",
            succeeds=False,
            fail_lines=_ONE_FAILURE,
            progress=0,
            restarts=True,
        ),
    )
}

_LINE = re.compile(r"^ADAPTOR_OUTPUT: .*\btask (\d{6}) line (\d{3}) x{80}$", re.MULTILINE)


def kind_of(number: int) -> Kind:
    """The kind of task `number`; those that end the application are never at a multiple of 50."""
    spot = number + 25
    for every, name in (
        (1000, "crash"),
        (500, "ended"),
        (100, "canceled"),
        (50, "failing"),
        (20, "process"),
        (10, "lines"),
        (5, "reports"),
    ):
        if spot % every == 0:
            return KINDS[name]
    return KINDS[PLAIN]


def faults(number: int, status: int, output: str) -> list[str]:
    """What is wrong with how a task ended; nothing, as a rule."""
    kind = kind_of(number)
    found = []
    if (status == 0) is not kind.succeeds:
        found.append(f"exit status {status}")
    for what, expected, seen in (
        ("openjd_fail", kind.fail_lines, len(re.findall("^openjd_fail:", output, re.MULTILINE))),
        (
            "openjd_progress",
            kind.progress,
            len(re.findall("^openjd_progress:", output, re.MULTILINE)),
        ),
    ):
        if seen != expected:
            found.append(f"{seen} {what} lines instead of {expected}")
    lines = [(int(task), int(line)) for task, line in _LINE.findall(output)]
    if lines != [(number, line) for line in range(kind.lines)]:
        found.append(f"{len(lines)} lines of output instead of {kind.lines}, or others")
    return found
