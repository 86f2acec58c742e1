"""A session for each fault; and that the judge of such sessions finds what is wrong with one."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from .__main__ import main, play
from .faults import FAILED, OK, SHAPES
from .oracle import LEFT, LINES, NEXT, VERDICT, judge, label
from .plan import BEFORE, GATE, RUN, Plan, draw, shortened
from .stage import Record, Said

# What costs seconds of a processor's time: ``python -m tests.faults`` plays it, and the tests of
# the daemon's output do what resembles it.
_EXPENSIVE = {"fill-disk-under-flood", "unread-flood", "flood"}
# After these another session is run in the same place; after all faults, by the command.
_FOLLOWED = {"kill-daemon", "kill-guardian", "delete-working-directory"}


def _certain(name: str) -> Plan:
    """A short session into which the fault is injected with certainty, in its task."""
    for seed in itertools.count(1):
        plan = draw(seed, SHAPES, name)
        moment = plan.moment.kind
        if plan.where == RUN and (moment == GATE or SHAPES[name].moments == (BEFORE,)):
            return shortened(plan)
    raise AssertionError


@pytest.mark.parametrize("name", sorted(set(SHAPES) - _EXPENSIVE))
def test_a_fault(name: str) -> None:
    """Verdicts are right, no line is lost, and nothing is left."""
    record = play(_certain(name), following=name in _FOLLOWED)
    if record.skipped:
        pytest.skip(record.skipped)
    assert record.injected
    assert judge(record) == []


def test_a_seed_says_everything() -> None:
    """The same seed is the same plan, in another process as well; another seed is another."""
    plans = [draw(seed, SHAPES) for seed in range(50)]
    assert plans == [draw(seed, SHAPES) for seed in range(50)]
    assert len(set(map(str, plans))) > 40
    code = "from faults import plan, faults; print(plan.draw(7, faults.SHAPES))"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert ended.stdout == f"{plans[7]}\n"


def test_each_fault_can_be_drawn() -> None:
    """None is left out by chance."""
    assert {draw(seed, SHAPES).fault for seed in range(1000)} == set(SHAPES)


def test_the_command_counts(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """It shows a table, writes it as Markdown, and exits with 0 where nothing is found."""
    page = tmp_path / "table.md"
    assert main(["--seed", "1", "--fault", "broken-peer", "--markdown", str(page)]) == 0
    assert "1 seeds, 0 failed" in capsys.readouterr().out
    assert (
        page.read_text().splitlines()[0].startswith("| fault | sessions | times injected | wrong")
    )
    assert [row.split(" | ")[0] for row in page.read_text().splitlines()[2:]] == [
        "| broken-peer",
        "| all",
    ]


# The judge.


def _line(tag: str, number: int, plan: Plan, prefix: str = "ADAPTOR_OUTPUT: STDOUT: ") -> str:
    (step,) = (step for step in plan.steps if step.tag == tag)
    return f"{prefix}L {tag} {number} {'x' * step.size}\n"


def _good() -> Record:
    """A session in which a grandchild was killed, and that is as it must be."""
    plan = draw(1, SHAPES, "pause-application" if "pause-application" in SHAPES else "flood")
    journals: dict[str, tuple[tuple[int, ...], bool]] = {}
    commands = []
    for index, step in enumerate(plan.steps):
        numbers = tuple(range(1, step.lines + 1))
        journals[step.tag] = (numbers, True)
        name = plan.name(index)
        out = "".join(_line(step.tag, number, plan) for number in numbers)
        commands.append(_said(f"{name} {index}" if name == "run" else name, step.tag, out))
    following = tuple(
        _said(name, f"next-{name}", "".join(f"L next-{name} {n} xxxxxxxxxx\n" for n in (1, 2, 3)))
        for name in ("start", "run", "stop")
    )
    return Record(plan, tuple(commands), True, journals, next=following)


def _said(name: str, tag: str, out: str, status: int = 0, err: str = "") -> Said:
    return Said(name, tag, status, out, err, 0.1)


def _with(record: Record, index: int, **changes: object) -> Record:
    commands = list(record.commands)
    commands[index] = commands[index]._replace(**changes)  # type: ignore[arg-type]
    return record._replace(commands=tuple(commands))


def _kinds(record: Record) -> set[str]:
    return {finding.kind for finding in judge(record)}


def test_a_good_session_is_good() -> None:
    """What the tests below spoil is not spoilt before."""
    assert judge(_good()) == []


@pytest.mark.parametrize("which", ["first", "middle", "last"])
def test_a_line_that_is_missing_is_found(which: str) -> None:
    """Wherever it was in the output of a command that lived."""
    good = _good()
    lines = good.commands[1].out.splitlines(keepends=True)
    del lines[{"first": 0, "middle": len(lines) // 2, "last": -1}[which]]
    assert _kinds(_with(good, 1, out="".join(lines))) == {LINES}


def test_lines_in_another_order_are_found() -> None:
    """And so is a line that is shown twice."""
    good = _good()
    lines = good.commands[1].out.splitlines(keepends=True)
    assert _kinds(_with(good, 1, out="".join([lines[1], lines[0], *lines[2:]]))) == {LINES}
    assert _kinds(_with(good, 1, out="".join([lines[0], *lines]))) == {LINES}


def test_a_broken_line_is_found() -> None:
    """A part of a line, two lines in one, and an end without a line's end."""
    good = _good()
    out = good.commands[1].out
    assert LINES in _kinds(_with(good, 1, out=out.replace("L run-1 1 ", "L run-1 1 x", 1)))
    assert LINES in _kinds(_with(good, 1, out=out.replace("\n", "", 1)))
    assert LINES in _kinds(_with(good, 1, out=out[:-1]))


def test_a_line_that_was_never_printed_is_found() -> None:
    """Output does not come from nowhere."""
    good = _good()
    numbers, _ = good.journals["run-1"]
    journals = {**good.journals, "run-1": (numbers[:1] + numbers[2:], True)}
    assert LINES in _kinds(good._replace(journals=journals))


def test_work_that_is_not_done_is_found() -> None:
    """Exit status 0, and the application did not come to its end."""
    good = _good()
    numbers, _ = good.journals["run-1"]
    assert _kinds(good._replace(journals={**good.journals, "run-1": (numbers, False)})) == {VERDICT}


@pytest.mark.parametrize(
    "changes",
    [
        {"status": 1, "out": "openjd_fail: no reason\n"},
        {"status": -11},
        {"status": None},
        {"err": "Exception ignored in: <function>\n"},
    ],
    ids=["failed", "died", "hung", "complained"],
)
def test_a_wrong_verdict_is_found(changes: dict[str, object]) -> None:
    """A command that must go well and does not."""
    assert VERDICT in _kinds(_with(_good(), 1, **changes))


def test_wrong_words_are_found() -> None:
    """Failures with no line or with two, successes with one, and tracebacks."""
    good = _good()
    out = good.commands[1].out
    for status, more in (
        (0, "openjd_fail: but it went well\n"),
        (1, ""),
        (1, "openjd_fail: one\nopenjd_fail: two\n"),
        (0, "Traceback (most recent call last):\n"),
        (0, "ADAPTOR_OUTPUT: Exception in thread output:\n"),
    ):
        assert VERDICT in _kinds(_with(good, 1, status=status, out=out + more)), more


def test_what_is_left_is_found() -> None:
    """Processes, sockets, files, and what outlived its daemon."""
    good = _good()
    for name in ("left_processes", "left_sockets", "left_files", "outlived"):
        assert _kinds(good._replace(**{name: ("4711 python",)})) == {LEFT}


def test_a_next_session_that_fails_is_found() -> None:
    """And one that was not run, or has not shown all its lines."""
    good = _good()
    assert good.next is not None
    start, run, stop = good.next
    for spoilt in (run._replace(status=1), run._replace(out=run.out[10:]), run._replace(out="")):
        following = (start, spoilt, stop)
        assert _kinds(good._replace(next=following)) == {NEXT}
    assert _kinds(good._replace(next=())) == {NEXT}


def test_a_hang_is_found() -> None:
    """Whatever else was well."""
    assert VERDICT in _kinds(_good()._replace(hung="run 1 does not end"))


def test_a_signal_of_its_own_is_no_death() -> None:
    """Who was killed by the driver is told from who died."""
    said = _said("run 1", "run-1", "", status=-9)
    assert label(said) == "died"
    assert label(said._replace(killed=True)) == "killed"
    assert label(_said("run 1", "run-1", "")) == OK
    assert label(_said("run 1", "run-1", "openjd_fail: x\n", status=1)) == FAILED
