"""The command line of ``python -m benchmarks.soak``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import psutil

from ..docs import Setting
from ..model import OURS, BenchmarkError, UnavailableError
from ..workspace import Workspace, open_workspace
from . import page, quiet, soak
from .clock import Clock
from .session import Session, copy_sources


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line instead of argparse's usage block and a line."""
        self.exit(2, f"benchmarks.soak: {message} (--help shows the options)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 1 when something grows beyond noise, ended wrongly, or could not be measured."""
    options = _parser().parse_args(argv)
    if sys.platform != "linux":
        print("benchmarks.soak: this is for Linux only, which has /proc", file=sys.stderr)
        return 1
    try:
        return _measure(options)
    except (BenchmarkError, psutil.Error) as error:
        print(f"benchmarks.soak: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nbenchmarks.soak: interrupted", file=sys.stderr)
        return 130


def _parser() -> _Parser:
    parser = _Parser(
        prog="python -m benchmarks.soak",
        description="Run many tasks through one daemon, then leave it idle; tell what grows.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--tasks",
        type=_number(300),
        default=10_000,
        metavar="N",
        help=f"how many, after {soak.WARM_UP} to warm up; at least 300 (default: 10,000)",
    )
    parser.add_argument(
        "--idle",
        type=_number(0),
        default=60,
        metavar="SECONDS",
        help="how long the daemon is left alone after them (default: 60; 0: not at all)",
    )
    parser.add_argument(
        "--day",
        type=_number(0),
        default=60,
        metavar="SECONDS",
        help="how long a day takes by a faster clock, twice (default: 60; 0: no day)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all samples here")
    parser.add_argument(
        "--docs", type=_docs_folder, metavar="DIR", help=f"write the figures into {page.PAGE} there"
    )
    return parser


def _number(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"no whole number: {text}") from None
        if value < least:
            raise argparse.ArgumentTypeError(f"{value} is less than {least}")
        return value

    return number


def _docs_folder(text: str) -> Path:
    # An hour of measuring must not end with a page that cannot be written.
    path = Path(text)
    problem = page.check_page(path)
    if problem:
        raise argparse.ArgumentTypeError(problem)
    return path


def _measure(options: argparse.Namespace) -> int:
    notes: list[str] = []
    with open_workspace(Path(sys.executable), quick=False) as workspace:
        sources = copy_sources(workspace)
        session = Session(workspace, sources)
        session.start()
        _say(f"{soak.WARM_UP} tasks to warm up, then {options.tasks:,}")
        measured = soak.run(session, options.tasks, _say)
        idle = None
        if options.idle:
            _say(f"idle for {options.idle} seconds")
            idle = quiet.rest(session, options.idle)
        session.stop()
        measured.left = session.left()
        day = _day(workspace, sources, options.day, notes) if options.day else None
    checks = [*measured.checks()]
    checks += idle.checks() if idle else []
    checks += day.checks() if day else []
    rows = [["", "start", "middle", "end"], *page.moments(measured)]
    print("\n".join(page.plain_text(rows)))
    print()
    for line in (*checks, *(f"NOTE {note}" for note in notes)):
        print(line)
    if options.json is not None:
        everything: dict[str, Any] = {
            "soak": asdict(measured),
            "idle": asdict(idle) if idle else None,
            "day": asdict(day) if day else None,
        }
        options.json.write_text(json.dumps(everything, indent=1), encoding="utf-8")
    if options.docs is not None:
        setting = Setting.here(_command(options), {OURS: ""})
        page.write(options.docs, list(page.section(measured, idle, day, notes, setting)))
    return 0 if all(check.holds for check in checks) else 1


def _day(workspace: Workspace, sources: str, seconds: int, notes: list[str]) -> quiet.Day | None:
    try:
        clock = Clock(workspace)
    except UnavailableError as error:
        notes.append(f"the day was not measured: {error}")
        return None
    return quiet.live_through_a_day(workspace, sources, clock, seconds, _say)


def _command(options: argparse.Namespace) -> str:
    """What was asked for, as a command."""
    words = ["python -m benchmarks.soak"]
    for name in ("tasks", "idle", "day"):
        value = getattr(options, name)
        if value != _parser().get_default(name):
            words.append(f"--{name} {value}")
    return " ".join([*words, "--docs docs"])


def _say(text: str) -> None:
    # Progress goes where it does not mix with the figures; a closed stream ends nothing.
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)
