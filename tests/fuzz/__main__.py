"""``python -m tests.fuzz``: fuzzes what others write, from the inputs that are kept in ``corpus``.

Ends with 1 where there is a finding, with the input and how to try it again.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from .findings import FINDINGS, Finding

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
#: What a worker may take beyond its time, to begin and to end (seconds).
SLACK = 120


class Result(NamedTuple):
    """What came of fuzzing one target."""

    name: str
    #: Inputs tried, as text; what was reached, where that is known.
    count: str
    reached: str
    #: The input that is a finding, and what it did; or what went wrong beside.
    found: Path | None
    problem: str


def main() -> int:
    parser = argparse.ArgumentParser("python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="for all targets (default: 600)")
    parser.add_argument("--target", action="append", help="only this one; may be repeated")
    parser.add_argument("--jobs", type=int, default=1, help="so many targets at a time (default 1)")
    parser.add_argument(
        "--keep", action="store_true", help="keep what reaches something new in tests/fuzz/corpus"
    )
    parser.add_argument("--replay", metavar="FILE", type=Path, help="try one input: needs --target")
    parser.add_argument("--plain", action="store_true", help="without atheris, as where it is not")
    parser.add_argument("--module", default="tests.fuzz.targets", help=argparse.SUPPRESS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    targets = importlib.import_module(options.module).TARGETS
    names = options.target or list(targets)
    for name in names:
        if name not in targets:
            parser.error(f"there is no target {name!r}; there are {', '.join(targets)}")
    if options.replay is not None:
        if len(names) != 1:
            parser.error("--replay needs one --target")
        targets[names[0]].run(options.replay.read_bytes())
        print(f"{names[0]}: all is well with {options.replay}")
        return 0
    if not options.plain and importlib.util.find_spec("atheris") is None:
        print("atheris is not installed (pip install '.[fuzz]'): with hypothesis instead, blindly")
        options.plain = True
    work = Path(tempfile.mkdtemp(prefix="openjd-fuzz-"))
    seconds = options.seconds / len(names) * options.jobs
    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(
            pool.map(lambda name: _fuzz(name, targets[name], seconds, work, options), names)
        )
    failed = [result for result in results if result.problem]
    for result in failed:
        _report(result)
    if not failed:
        shutil.rmtree(work)
    print(f"{len(names)} targets, {len(failed)} with a finding")
    return 1 if failed else 0


def _fuzz(name: str, target, seconds: float, work: Path, options: argparse.Namespace) -> Result:
    place = work / name
    fresh, findings, known = place / "corpus", place / "findings", place / "known"
    for folder in (fresh, findings, known):
        folder.mkdir(parents=True)
    for kept in _kept(name):
        (known / _name_of(kept)).write_bytes(kept)
    dictionary = place / "words"
    dictionary.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words))
    command = [
        *(sys.executable, "-m", "tests.fuzz.worker", "--module", options.module, "--target", name),
        *("--seconds", str(seconds), "--findings", str(findings), "--dictionary", str(dictionary)),
        *(["--plain"] if options.plain else []),
    ]
    log = place / "log"
    status = _run([*command, str(fresh), str(known)], log, seconds + target.seconds + SLACK)
    said = log.read_text("utf-8", "backslashreplace")
    count = re.findall(r"number_of_executed_units: *(\d+)", said)
    reached = re.findall(r"\bcov: (\d+) ft: (\d+)", said)
    found = next(iter(sorted(findings.iterdir())), None)
    result = Result(
        name,
        count[-1] if count else "?",
        f"{reached[-1][0]} branches" if reached else "",
        found if status else None,
        _problem(said, status) if status else "",
    )
    print(f"{name}: {result.count} inputs {result.reached}", flush=True)
    if options.keep and not status and not options.plain:
        _keep(name, target.longest, command[: command.index("--seconds")], place)
    return result


def _run(command: list[str], log: Path, limit: float) -> int | None:
    """The exit status; None where it was given up."""
    with open(log, "wb") as file:
        try:
            return subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, timeout=limit
            ).returncode
        except subprocess.TimeoutExpired:
            return None


def _problem(said: str, status: int | None) -> str:
    if status is None:
        return f"the fuzzer itself did not end\n{said[-3000:]}"
    # From the first word of what went wrong on.
    begin = re.search(
        r"=== Uncaught Python exception|Traceback \(most|^Timeout |^ALARM|ERROR: libFuzzer",
        said,
        re.M,
    )
    return f"exit status {status}\n" + (said[begin.start() :][:4000] if begin else said[-3000:])


def _report(result: Result) -> None:
    print(f"\n== {result.name}: {result.problem}")
    if result.found is None:
        return
    data = result.found.read_bytes()
    print(f"input: {data!r}")
    print(f"again: python -m tests.fuzz --target {result.name} --replay {result.found}")


def _kept(name: str) -> list[bytes]:
    """The inputs of the corpus, and those that were findings once."""
    folder = CORPUS / name
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return [file.read_bytes() for file in files] + [finding.data for finding in _findings(name)]


def _keep(name: str, longest: int, command: list[str], place: Path) -> None:
    """Adds to the kept inputs those that reach what none of them does."""
    # libFuzzer starts itself again for this, and again where an input ends it.
    program = place / "merge"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(command)} --as-program "$0" "$@"\n')
    program.chmod(0o700)
    kept, folder = place / "known", CORPUS / name
    before = len(list(kept.iterdir()))
    # Not those that only reach the same places more often.
    options = ["-merge=1", "-use_counters=0", f"-max_len={longest}"]
    log = place / "merge.log"
    status = _run([str(program), *options, str(kept), str(place / "corpus")], log, 600)
    if status:
        print(f"{name}: what was found could not be merged:\n{log.read_text()[-2000:]}")
        return
    once = {finding.data for finding in _findings(name)}
    folder.mkdir(parents=True, exist_ok=True)
    for file in kept.iterdir():
        data = file.read_bytes()
        if data not in once:
            (folder / _name_of(data)).write_bytes(data)
    print(f"{name}: {len(list(kept.iterdir())) - before} more inputs are kept")


def _findings(name: str) -> list[Finding]:
    return [finding for finding in FINDINGS if finding.target == name]


def _name_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _escaped(word: str) -> str:
    """As libFuzzer's dictionaries have it."""
    data = word.encode("utf-8", "surrogatepass")
    return "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in data
    )


if __name__ == "__main__":
    sys.exit(main())
