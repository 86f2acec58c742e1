"""What the soak makes of what it measured: trends, verdicts, the section of the page."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from benchmarks.model import BenchmarkError
from benchmarks.soak import cli, page
from benchmarks.soak.reading import Reading
from benchmarks.soak.session import DAEMON, Sample, Task
from benchmarks.soak.soak import EVERY, WARM_UP, Soak
from benchmarks.soak.tasks import KINDS, PLAIN, faults, kind_of
from benchmarks.soak.trend import trend

KIB = 1024
MIB = 1024 * KIB
TASKS = 5_000


def measured(grown: Callable[[int], float], threads: int = 9) -> Soak:
    """Tasks of a daemon whose memory grows like that; `threads` at the end, 9 up to then."""
    soak = Soak()
    for number in range(WARM_UP, WARM_UP + TASKS + 1, EVERY):
        memory = round(12 * MIB + grown(number))
        last = number == WARM_UP + TASKS
        reading = Reading(memory, memory, 19, threads if last else 9, 1)
        soak.samples.append(Sample(number, {DAEMON: reading}, (3, 0), (4, 100)))
    for number in range(WARM_UP + 1, WARM_UP + TASKS + 1):
        soak.tasks.append(Task(number, 0.1, ()))
        if number % 10 == 0:
            soak.floors.append((number, 0.02))
    return soak


def failed(soak: Soak) -> list[str]:
    """The statements that do not hold."""
    return [check.text for check in soak.checks() if not check.holds]


def test_memory_that_grows_is_seen() -> None:
    """Fifty bytes a task are, page by page, or below noise of a hundred times as much."""
    noise = random.Random(5)
    for grown in (
        lambda number: 50 * number // 4096 * 4096,
        lambda number: 50 * number + noise.gauss(0, 5 * KIB),
    ):
        soak = measured(grown)
        assert len(failed(soak)) == 2  # its own, and resident
        line = soak.memory_trend(DAEMON, "uss")
        assert line is not None
        assert abs(line.slope - 50) < line.error < 10


@pytest.mark.parametrize(
    "grown",
    [
        lambda number: 0,
        lambda number: random.Random(number).gauss(0, 100 * KIB),
        lambda number: MIB if number > 4_000 else 0,
        lambda number: min(number, 1_000) * 1_000,
    ],
    ids=["none", "noise", "a step", "at first"],
)
def test_memory_that_does_not_go_on_growing(grown: Callable[[int], float]) -> None:
    """Noise, one step of an allocator, and what is reached in the first half are no growth."""
    assert failed(measured(grown)) == []


def test_groups_have_levels_of_their_own() -> None:
    """What is the same in all of them counts, not what lies between them."""
    groups = [[(x, 10 * level + 3.0 * x) for x in range(5)] for level in range(4)]
    line = trend(groups)
    assert line is not None
    assert (line.slope, line.span) == (pytest.approx(3), 4)
    assert trend([[(1, 1.0), (2, 2.0)]]) is None


def test_a_thread_more() -> None:
    """One is enough for a failure, and the statement says so."""
    (text,) = failed(measured(lambda number: 0, threads=10))
    assert text == "daemon: descriptors, threads, processes below were [(19, 9, 1), (19, 10, 1)]"


def test_slower_tasks() -> None:
    """Commands that become slower while the machine does not are a failure; a slow machine none."""
    for slower, statements in ((True, 1), (False, 0)):
        soak = measured(lambda number: 0)
        soak.tasks = [Task(t.number, 0.1 + t.number * 1e-5, ()) for t in soak.tasks]
        if not slower:
            soak.floors = [(n, (0.1 + n * 1e-5) / 5) for n, _ in soak.floors]
        assert len(failed(soak)) == statements


def test_what_is_left_and_what_ended_wrongly() -> None:
    """Both are failures."""
    soak = measured(lambda number: 0)
    soak.left.append("process 7")
    soak.tasks[3] = Task(204, 0.1, ("exit status 1",))
    ended, left = failed(soak)
    assert ended == "1 of 5,000 tasks ended as they must not: 204: exit status 1"
    assert "process 7" in left


def test_kinds() -> None:
    """Every kind has its turn within a thousand tasks; where samples are taken all is at rest."""
    kinds = [kind_of(number) for number in range(1, 1_001)]
    assert {kind.name for kind in kinds} == set(KINDS)
    assert sum(kind.name == PLAIN for kind in kinds) > 500
    assert not any(kind.restarts or kind.signalled for kind in kinds[EVERY - 1 :: EVERY])


def test_faults() -> None:
    """A wrong status, a line that is lost, doubled or another task's, one failure too many."""
    number = next(n for n in range(1, 100) if kind_of(n).name == "lines")
    lines = [
        f"ADAPTOR_OUTPUT: STDOUT: task {number:06d} line {n:03d} {'x' * 80}" for n in range(200)
    ]
    good = "\n".join([*lines, "openjd_progress: 100.0", ""])
    assert faults(number, 0, good) == []
    for status, output in (
        (1, good),
        (0, good.replace(lines[7] + "\n", "")),
        (0, good + lines[7] + "\n"),
        (0, good.replace(f"task {number:06d}", "task 000001")),
        (0, good + "openjd_fail: x\n"),
    ):
        assert len(faults(number, status, output)) == 1


def test_the_section(tmp_path: Path) -> None:
    """It takes the place of the one before; the rest of the page stays; a page without is told."""
    path = tmp_path / page.PAGE
    text = f"# A\n\n{page.BEGIN}\nold\n{page.END}\n\n## B\n"
    path.write_text(text, encoding="utf-8")
    for lines in (["one", "two"], ["three"]):
        page.write(tmp_path, lines)
        shown = "\n".join(lines)
        assert path.read_text(encoding="utf-8") == text.replace("old", shown)
    path.write_text("# A\n", encoding="utf-8")
    with pytest.raises(BenchmarkError, match="has no lines"):
        page.write(tmp_path, ["x"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tasks", "many"], "no whole number: many"),
        (["--tasks", "10"], "10 is less than 300"),
        (["--idle", "-1"], "-1 is less than 0"),
        (["--docs", "nowhere"], "there is no reliability.md in nowhere"),
    ],
)
def test_options(
    arguments: Sequence[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong is told in one line, before anything is measured."""
    with pytest.raises(SystemExit) as e:
        cli.main(arguments)
    assert e.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


@pytest.mark.skipif(sys.platform == "linux", reason="it is measured there")
def test_another_system(capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is no /proc one line says so."""
    assert cli.main([]) == 1
    assert "Linux only" in capsys.readouterr().err
