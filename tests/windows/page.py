"""The page about a run of the suite on Windows: what was run, and what was not, and why."""

from __future__ import annotations

import xml.etree.ElementTree
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

PASSED, SKIPPED, FAILED = "passed", "skipped", "failed"

BEGINNING = """\
# Windows

This page was written by `python -m tests.windows --table docs/windows.md`, from a run of the whole
suite but the examples (`tests/examples` needs Blender, Mitsuba and FFmpeg) on {system}.
The command is in `.ci/run` as well. It took {minutes:.0f} minutes.
"""


class Test(NamedTuple):
    """A test that was run, or was not."""

    folder: str
    file: str
    function: str
    #: The set of parameters, with its brackets.
    parameters: str
    outcome: str
    reason: str = ""


class Run(NamedTuple):
    """A run, as pytest has written it down."""

    tests: list[Test]
    seconds: float


def read(path: Path) -> Run:
    """What a report of pytest (``--junitxml``, of the family xunit1) says."""
    suite = next(xml.etree.ElementTree.parse(path).iter("testsuite"))
    tests = {}
    for case in suite.iter("testcase"):
        file = case.get("file", "?").replace("\\", "/")
        function, bracket, parameters = case.get("name", "?").partition("[")
        owner = case.get("classname", "").rpartition(".")[2]
        if owner[:1].isupper():
            function = f"{owner}::{function}"
        folder = file.rpartition("/")[0]
        test = Test(folder, file, function, bracket + parameters, PASSED)
        skipped = case.find("skipped")
        if skipped is not None:
            test = test._replace(outcome=SKIPPED, reason=skipped.get("message", ""))
        elif case.find("failure") is not None or case.find("error") is not None:
            test = test._replace(outcome=FAILED)
        # A test that fails, and whose end fails as well, is there twice.
        key = test[:4]
        if key not in tests or test.outcome == FAILED:
            tests[key] = test
    return Run(list(tests.values()), float(suite.get("time", 0)))


def node_id(test: Test) -> str:
    """How pytest is asked for that test."""
    return f"{test.file}::{test.function}{test.parameters}"


def merge(run: Run, second: Run | None) -> Run:
    """The run, with the outcomes of the tests that were run once more."""
    later = {node_id(test): test for test in second.tests} if second else {}
    tests = [later.get(node_id(test), test) for test in run.tests]
    return Run(tests, run.seconds + (second.seconds if second else 0))


def outcome(run: Run, test: Test) -> str:
    """The outcome of that test in the run."""
    return next(one.outcome for one in run.tests if node_id(one) == node_id(test))


def totals(run: Run) -> str:
    """The counts of a run in one line."""
    outcomes = [test.outcome for test in run.tests]
    return ", ".join(f"{outcomes.count(each)} {each}" for each in (PASSED, FAILED, SKIPPED))


def write(run: Run, system: str, again: Sequence[Test] = ()) -> str:
    """The page. `again` are those that failed at first, and were run once more."""
    parts = [BEGINNING.format(system=system, minutes=run.seconds / 60), _counts(run.tests)]
    if again:
        parts.append("Run once more, since they had failed, and counted by how they ended then:\n")
        parts += [f"- `{node_id(test)}`: {outcome(run, test)}" for test in again]
        parts.append("")
    skipped = [test for test in run.tests if test.outcome == SKIPPED]
    of_wine = [test for test in skipped if "Wine" in test.reason]
    elsewhere = [test for test in skipped if "Wine" not in test.reason]
    if of_wine:
        parts += ["## What Wine cannot do\n", _reasons(of_wine)]
    if elsewhere:
        parts += ["## What is about other systems, or needs what is not there\n"]
        parts += [_reasons(elsewhere)]
    return "\n".join(parts)


def _counts(tests: list[Test]) -> str:
    outcomes = (PASSED, SKIPPED, FAILED)
    lines = ["| Folder | Tests | Passed | Skipped | Failed |", "|---|---:|---:|---:|---:|"]
    for folder in sorted({test.folder for test in tests}):
        here = [test.outcome for test in tests if test.folder == folder]
        numbers = [len(here), *map(here.count, outcomes)]
        lines.append(f"| `{folder}` | " + " | ".join(map(str, numbers)) + " |")
    every = [test.outcome for test in tests]
    numbers = [len(every), *map(every.count, outcomes)]
    lines.append("| **all** | " + " | ".join(f"**{number}**" for number in numbers) + " |")
    return "\n".join([*lines, ""])


def _reasons(tests: list[Test]) -> str:
    by_reason: dict[str, list[Test]] = defaultdict(list)
    for test in tests:
        by_reason[test.reason].append(test)
    lines = []
    for reason, of_it in sorted(by_reason.items()):
        lines.append(f"**{reason[:1].upper()}{reason[1:]}** ({len(of_it)})\n")
        by_file: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for test in of_it:
            by_file[test.file][test.function].append(test.parameters)
        for file, functions in sorted(by_file.items()):
            lines.append(f"- `{file}`: " + ", ".join(map(_names, *zip(*functions.items()))))
        lines.append("")
    return "\n".join(lines)


def _names(function: str, parameters: list[str]) -> str:
    if parameters == [""]:
        return f"`{function}`"
    # The rows of a table have names of their own; other parameters are data.
    if function == "test_a_row":
        return " ".join(f"`{one[1:-1]}`" for one in sorted(parameters))
    return f"`{function}` ({len(parameters)})"
