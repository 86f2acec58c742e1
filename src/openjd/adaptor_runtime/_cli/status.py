"""What ``daemon status`` shows: JSON for scripts, a table for people."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from .._terminal import forgive, visible

if TYPE_CHECKING:
    from openjd.adaptor_runtime_client.wire.messages import Message

_BAR = 30
_MIB = 1024 * 1024


def show(answer: Message, as_json: bool) -> None:
    """Prints a daemon's answer: a table on a terminal, unless JSON is asked for."""
    known = {key: value for key, value in answer.items() if key != "type"}
    if as_json or not sys.stdout.isatty():
        print(json.dumps(known))
        return
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except OSError:  # Windows takes NUL for a terminal, which has no size.
        columns = 0
    # Some terminals do not know how wide they are.
    text = table(known, max(columns or 80, 40))
    forgive()
    print(text, end="")


def table(status: dict[str, Any], width: int) -> str:
    """The status for people: lines of at most `width` characters."""
    rows = [
        ("Adaptor", f"{status.get('adaptor')}, daemon process {status.get('pid')}"),
        ("Session", f"{_seconds(status.get('session_seconds'))}, {_done(status)}"),
        ("State", _state(status)),
    ]
    if status.get("busy") and status.get("phase") not in (None, status.get("busy")):
        phase = f"{status['phase']} for {_seconds(status.get('phase_seconds'))}"
        rows.append(("Phase", phase))
    progress = status.get("progress")
    if isinstance(progress, (int, float)):
        rows.append(("Progress", _progress(progress, status.get("seconds_left"))))
    if status.get("status_message"):
        rows.append(("Status", status["status_message"]))
    last = status.get("last_step")
    if isinstance(last, dict):
        rows.append(("Last", _last(last)))
    for application in status.get("applications") or ():
        since = _seconds(application.get("seconds"))
        text = f"process {application.get('pid')} for {since}: {application.get('command')}"
        rows.append(("Application", text))
    memory = status.get("memory_bytes")
    if isinstance(memory, int):
        rows.append(("Memory", f"{memory / _MIB:,.0f} MiB, with all that it started"))
    lines = [f"{name:<12}{_shown(text)}" for name, text in rows]
    last_lines = [f"  {_shown(line)}" for line in status.get("last_lines") or ()]
    if last_lines:
        lines += ["", "Last lines", *last_lines]
    return "".join(f"{_cut(line, width)}\n" for line in lines)


def _state(status: dict[str, Any]) -> str:
    busy = status.get("busy")
    if not busy:
        return f"idle for {_seconds(status.get('phase_seconds'))}"
    what = {"start": "starting", "stop": "stopping", "cleanup": "cleaning up"}.get(busy, busy)
    if busy == "run":
        what = f"running task {status.get('task')}"
    if status.get("state") == "canceled":
        what += ", being cancelled"
    return f"{what} for {_seconds(status.get('busy_seconds'))}"


def _done(status: dict[str, Any]) -> str:
    count = status.get("tasks_done")
    return f"{count} task{'' if count == 1 else 's'} done"


def _progress(progress: float, left: object) -> str:
    full = round(_BAR * min(max(progress, 0), 100) / 100)
    text = f"[{'#' * full}{'.' * (_BAR - full)}] {progress:.1f} %"
    return text if left is None or progress >= 100 else f"{text}, about {_seconds(left)} left"


def _last(last: dict[str, Any]) -> str:
    task = last.get("task")
    what = f"task {task}" if task else str(last.get("step"))
    error = f": {last['error']}" if last.get("verdict") == "failed" else ""
    return f"{what} {last.get('verdict')} after {_seconds(last.get('seconds'))}{error}"


def _seconds(value: object) -> str:
    """Seconds for people: 4.2 s, 3 min 20 s, 2 h 5 min."""
    if not isinstance(value, (int, float)):
        return "an unknown time"
    if value < 60:
        return f"{value:.1f} s"
    minutes, seconds = divmod(int(value), 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def _shown(text: object) -> str:
    """Text of others, which must not command a terminal."""
    return visible(str(text).replace("\t", " ").replace("\n", " "))


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else line[: width - 1] + "…"
