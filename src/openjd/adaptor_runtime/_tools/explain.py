"""``openjd-adaptor explain LOG``: why a session has failed, with the lines that show it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator

from .._arguments import Parser
from .._log_reading import LogError, Session, read
from .._terminal import say, say_error
from .._version import version
from .explaining import Finding, findings

_WIDTH = 96


def main(arguments: list[str]) -> int:
    """Explains the log that the arguments name; returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        log = read(options.log)
    except LogError as e:
        say_error(str(e))
        return 1
    sessions = findings(log)
    if options.json:
        text = json.dumps(
            {
                "log": log.path,
                "version": version,
                "notes": log.notes,
                "sessions": [_as_json(session, found) for session, found in sessions],
            },
            indent=2,
        )
    else:
        pieces = [_head(log.path, log.notes)]
        pieces += ["\n".join(_told(session, found)) for session, found in sessions]
        text = "\n".join(pieces)
    say(text)
    return 0


def parser() -> Parser:
    """The grammar of this command."""
    parser = Parser(
        prog="openjd-adaptor explain",
        description="Say why a session has failed, with the lines of its log that show it.",
    )
    parser.add_argument(
        "log",
        metavar="LOG",
        help="a session's log: its journal (setting session_log), what `openjd run` or an "
        "adaptor's commands printed; - for stdin",
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    return parser


def _as_json(session: Session, found: list[Finding]) -> dict[str, object]:
    return {
        "source": session.source,
        "adaptor": session.adaptor,
        "job": session.job,
        "verdict": session.verdict,
        "tasks": len(session.tasks),
        "findings": [one.as_json() for one in found],
    }


def _head(path: str, notes: list[str]) -> str:
    return "\n".join([path, *(f"  ({note})" for note in notes)])


def _told(session: Session, found: list[Finding]) -> Iterator[str]:
    name = session.adaptor or session.job
    of = f" of {name}" if name else ""
    tasks = session.tasks
    done = f"{len(tasks)} task{'' if len(tasks) == 1 else 's'}"
    if not found:
        well = "nothing has failed" if session.verdict else "the log tells of no failure"
        yield f"\nSession{of}: {well} ({done})."
        return
    yield f"\nSession{of}: {session.verdict or 'no end'} ({done})."
    for number, one in enumerate(found):
        if number == 1:
            yield "\nWhat came after it:"
        if number and number > 3:
            yield f"\n  {len(found) - number} more; --json has them."
            return
        yield from _of_one(one, brief=number > 0)


def _of_one(one: Finding, brief: bool) -> Iterator[str]:
    verb = {"canceled": "was cancelled", "ends-early": "has no end"}.get(one.cause.id, "failed")
    yield ""
    yield from _wrapped(f"{one.where[0].upper()}{one.where[1:]} {verb}. {one.means}", "  ")
    if one.lines:
        yield ""
        width = len(f"{one.lines[-1].number:,}")
        for line in one.lines[-2:] if brief else one.lines:
            shown = line.shown()
            cut = shown if len(shown) <= 400 else shown[:400] + " […]"
            yield f"    line {line.number:>{width},}  {cut}"
    if not brief:
        yield ""
        yield from _wrapped(f"What to do: {one.remedy}", "  ")
        yield f"  See docs/{one.see}"


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False
    )
