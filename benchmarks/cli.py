"""The command line of ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from . import docs, report
from .cases import ALL
from .driver import measure
from .environments import prepare
from .model import Benchmark, BenchmarkError, Outcome
from .workspace import open_workspace


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line instead of argparse's usage block and a line."""
        self.exit(2, f"benchmarks: {message} (--help shows the options)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 0 when everything was measured, be the goals met or not, and also where the
    peer failed in what it is known to get wrong."""
    options = _parser().parse_args(argv)
    if options.list:
        width = max(len(benchmark.name) for benchmark in ALL)
        for benchmark in ALL:
            print(f"{benchmark.name:<{width}} {benchmark.title}")
        return 0
    try:
        return _measure_all(options)
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nbenchmarks: interrupted", file=sys.stderr)
        return 130


def _parser() -> _Parser:
    parser = _Parser(
        prog="python -m benchmarks",
        description="Measure this checkout beside openjd-adaptor-runtime 0.9.6, in one run.",
        allow_abbrev=False,
    )
    parser.add_argument("--list", action="store_true", help="name the benchmarks and end")
    parser.add_argument(
        "--only", type=_selection, default=ALL, metavar="NAME,...", help="measure only these"
    )
    parser.add_argument("--quick", action="store_true", help="fewer samples, for a first look")
    parser.add_argument("--json", type=_json_file, metavar="FILE", help="write the figures here")
    parser.add_argument(
        "--docs",
        type=_docs_folder,
        metavar="DIR",
        help=f"write {docs.PAGE} and {docs.PICTURE} into this folder",
    )
    parser.add_argument(
        "--cache", type=_cache_argument, metavar="DIR", help="where the two environments are kept"
    )
    return parser


def _selection(text: str) -> tuple[Benchmark, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = sorted(set(names) - {benchmark.name for benchmark in ALL})
    if unknown:
        raise argparse.ArgumentTypeError(
            f"no such benchmark: {', '.join(unknown)}; there are"
            f" {', '.join(benchmark.name for benchmark in ALL)}"
        )
    if not names:
        raise argparse.ArgumentTypeError("names no benchmark")
    return tuple(benchmark for benchmark in ALL if benchmark.name in names)


def _cache_argument(text: str) -> Path:
    if Path(text).exists() and not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"not a folder: {text}")
    return Path(text)


def _json_file(text: str) -> Path:
    # Minutes of measuring must not end with a file that cannot be written.
    path = Path(text)
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"cannot be written: {text}")
    return path


def _docs_folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"not a folder: {text}")
    if not os.access(path, os.W_OK):
        raise argparse.ArgumentTypeError(f"cannot be written: {text}")
    return path


def _command(options: argparse.Namespace) -> str:
    """What was asked for, as a command; without what says where on this machine."""
    words = ["python -m benchmarks"]
    if len(options.only) < len(ALL):
        words.append("--only " + ",".join(benchmark.name for benchmark in options.only))
    if options.quick:
        words.append("--quick")
    return " ".join([*words, "--docs docs"])


def _measure_all(options: argparse.Namespace) -> int:
    cache = _cache_folder(options.cache)
    facts = report.machine()
    runtimes = prepare(cache, _say)
    outcomes: list[Outcome] = []
    with open_workspace(runtimes[0].python, options.quick) as workspace:
        for benchmark in options.only:
            outcomes.append(measure(benchmark, runtimes, workspace, _say))
    _say("")
    described = ", ".join(f"{name} {value}" for name, value in facts.items())
    print(f"Medians, or what a line names; min - max of all samples. {described}")
    for line in report.table(outcomes, runtimes):
        print(line)
    print()
    for line in report.verdict(outcomes):
        print(line)
    for line in report.notes(outcomes):
        print(line)
    if options.json is not None:
        text = json.dumps(report.as_json(facts, outcomes, runtimes), indent=2)
        try:
            options.json.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise BenchmarkError(f"the figures could not be written: {error}") from None
    if options.docs is not None:
        versions = {runtime.name: runtime.version for runtime in runtimes}
        setting = docs.Setting.here(_command(options), versions)
        docs.write(options.docs, outcomes, setting)
    return 1 if any(outcome.failed for outcome in outcomes) else 0


def _cache_folder(chosen: Path | None) -> Path:
    folder = chosen
    if folder is None:
        name = "openjd-adaptor-runtime-benchmarks"
        if sys.platform != "win32":
            name += f"-{os.getuid()}"
        folder = Path(tempfile.gettempdir()) / name
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Its name is known to all: what another user put there must not be run.
        if sys.platform != "win32" and folder.stat().st_uid != os.getuid():
            raise BenchmarkError(f"the cache folder belongs to another user: {folder}")
    except OSError as error:
        raise BenchmarkError(f"no cache folder: {error}") from None
    return folder.resolve()


def _say(text: str) -> None:
    """Progress goes to stderr, and over itself on a terminal: stdout holds the table alone."""
    with suppress(OSError):
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{text}")
        elif text:
            sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
