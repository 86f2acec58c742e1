"""What the benchmarks make of what they measured: checks, table, page and picture."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from benchmarks import chart, docs, report
from benchmarks.cases import ALL
from benchmarks.cases.output import NumberedLines, application_log, check_lines
from benchmarks.driver import measure
from benchmarks.environments import Runtime
from benchmarks.model import (
    FLOOR,
    OURS,
    PEER,
    Absence,
    Benchmark,
    BenchmarkError,
    Figure,
    Outcome,
    Row,
    Sampler,
    Summary,
    UnavailableError,
)
from benchmarks.workspace import Workspace

SVG = "{http://www.w3.org/2000/svg}"
RUNTIMES = (Runtime(PEER, "0.9.6", Path("peer")), Runtime(OURS, "0.9.7", Path("ours")))
SETTING = docs.Setting(
    "A|B <processor>",
    2,
    "3.11.7",
    "2030-01-02",
    "python -m benchmarks --docs docs",
    {PEER: "0.9.6", OURS: "0.9.7"},
)
DURATION = Figure("duration", "a duration <&>", "ms", "s", goal=40)
RATE = Figure("rate", "a rate", "per s", "s", goal=100, better="higher")


class Subject(Benchmark):
    """Gives what it was made with."""

    name = "subject"
    title = "map_path & more"
    meaning = "One line."
    figures = (DURATION, RATE)
    rounds = 2
    warm_up = False

    def __init__(self, peer: BenchmarkError | None = None, may_fail: bool = False) -> None:
        self.peer = peer
        self.peer_may_fail = may_fail

    @contextmanager
    def sampler(self, runtime: Runtime, workspace: Workspace) -> Iterator[Sampler]:
        def sample() -> dict[str, Sequence[float]]:
            if runtime.name == PEER and self.peer is not None:
                workspace.note("tried in vain")
                raise self.peer
            return {"s": [50.0 if runtime.name == OURS else 200.0]}

        yield sample

    def floor(self, workspace: Workspace) -> AbstractContextManager[Sampler]:
        return self._floor()

    @contextmanager
    def _floor(self) -> Iterator[Sampler]:
        yield lambda: {"s": [1.0]}


def measured(subject: Benchmark, folder: Path) -> Outcome:
    """The outcome of a run of `subject`."""
    workspace = Workspace(folder, Path(sys.executable), quick=False)
    return measure(subject, RUNTIMES, workspace, lambda text: None)


def row(figure: Figure, absences: dict[str, Absence] | None = None, **values: float) -> Row:
    """A row with one sample in each column."""
    columns = {name: Summary.of([value]) for name, value in values.items()}
    return Row(figure, columns, absences or {})


def drawn(*rows: Row) -> ET.Element:
    """The picture of `rows`, parsed."""
    outcome = Outcome(Subject(), list(rows))
    text = chart.draw([outcome], {name: name for name in (OURS, PEER, FLOOR)}, report.quantity)
    return ET.fromstring(text)


def texts(picture: ET.Element) -> list[str]:
    """All that can be read in it."""
    return [element.text or "" for element in picture.iter(f"{SVG}text")]


def widths(picture: ET.Element, kind: str) -> list[float]:
    """The lengths of the bars of a column, without the one in the legend."""
    found = [e for e in picture.iter(f"{SVG}rect") if e.get("class") == kind]
    return [float(e.attrib["width"]) for e in found][1:]


@pytest.mark.parametrize("may_fail", [False, True])
def test_a_peer_that_fails(may_fail: bool, tmp_path: Path) -> None:
    """It costs the others nothing, is told, and fails the run unless it is known for it."""
    outcome = measured(Subject(BenchmarkError("a line was lost"), may_fail), tmp_path)
    assert outcome.failed is not may_fail
    assert outcome.rows[0].value(OURS) == 50
    assert outcome.rows[0].absences == {PEER: Absence("failed")}
    assert list(report.notes([outcome])) == [
        "NOTE tried in vain",
        "FAILED subject, peer: a line was lost",
    ]
    table = "\n".join(report.table([outcome], RUNTIMES))
    assert re.search(r"a duration <&> +1 ms +failed +50 ms +<= 40 ms +MISSED", table)


def test_what_this_machine_cannot_measure(tmp_path: Path) -> None:
    """It is no failure, and the reason is told."""
    outcome = measured(Subject(UnavailableError("no memory is told")), tmp_path)
    assert (outcome.failed, outcome.failures) == (False, {})
    assert outcome.rows[0].absences == {PEER: Absence("not measured")}
    assert outcome.notes[0] == "subject, peer: not measured: no memory is told"


def test_all_columns(tmp_path: Path) -> None:
    """Each has its samples, and the ratio says how many times better ours is."""
    outcome = measured(Subject(), tmp_path)
    assert not outcome.failed
    duration, rate = outcome.rows
    assert [duration.columns[name].count for name in (FLOOR, PEER, OURS)] == [2, 2, 2]
    assert (duration.ratio, rate.ratio) == (4, 0.25)


def test_the_benchmarks_explain_themselves() -> None:
    """Each has a name of its own and one line for the page; no two figures have one key."""
    assert len({benchmark.name for benchmark in ALL}) == len(ALL)
    keys = [figure.key for benchmark in ALL for figure in benchmark.figures]
    assert len(set(keys)) == len(keys)
    for benchmark in ALL:
        assert benchmark.meaning.endswith("."), benchmark.name
        assert "\n" not in benchmark.meaning


def test_bars() -> None:
    """On one scale for all units of time; ten times as much is as much longer everywhere."""
    first = Figure("a", "a", "s", "s")
    second = Figure("b", "b", "us", "s")
    picture = drawn(
        row(first, ours=0.1, peer=1, floor=0.01), row(second, ours=100, peer=1_000, floor=10)
    )
    ours, peer, floor = (widths(picture, kind) for kind in (OURS, PEER, FLOOR))
    steps = [long - short for long, short in zip(peer + ours, ours + floor)]
    assert max(steps) - min(steps) < 0.3
    assert ours[0] > ours[1]


def test_nothing_leaves_the_picture() -> None:
    """Neither zero nor a large value, nor a long title; it is narrow enough for a page."""
    figure = Figure("a", "a long title " * 20, "MiB", "s", goal=64)
    picture = drawn(row(figure, ours=0, peer=123_456_789), row(DURATION, ours=-1))
    width, height = float(picture.attrib["width"]), float(picture.attrib["height"])
    assert width <= 800
    for element in picture.iter(f"{SVG}rect"):
        x, y = float(element.get("x", 0)), float(element.get("y", 0))
        assert x >= 0 and x + float(element.attrib["width"]) <= width
        assert y >= 0 and y + float(element.attrib["height"]) <= height
    for element in picture.iter(f"{SVG}text"):
        assert 0 < float(element.attrib["y"]) < height


def test_words_of_the_picture() -> None:
    """Text is escaped, each value is written at its bar, and a missing one is explained."""
    absences = {PEER: Absence("not measured", "a second a call"), FLOOR: Absence("failed")}
    found = texts(drawn(row(DURATION, absences, ours=12.5)))
    assert {"map_path & more", "a duration <&>", "12.5 ms", "goal"} <= set(found)
    assert "peer: not measured, a second a call" in found
    assert "floor: failed" in found


def test_the_goal_is_not_written_across() -> None:
    """Where its mark is in the way of a value, the value stands behind it."""
    picture = drawn(row(DURATION, ours=35, peer=300))
    [value] = [e for e in picture.iter(f"{SVG}text") if e.text == "35 ms"]
    mark = [e for e in picture.iter(f"{SVG}rect") if e.get("class") == "goal"][-1]
    assert float(value.attrib["x"]) > float(mark.attrib["x"]) + float(mark.attrib["width"])


def test_light_and_dark() -> None:
    """What has a colour has one for both, and the picture brings its own ground."""
    picture = drawn(row(DURATION, ours=35))
    style = next(picture.iter(f"{SVG}style")).text or ""
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    for kind in (OURS, PEER, FLOOR, "goal", "paper", "grid"):
        assert f".{kind} {{" in light and f".{kind} {{" in dark
    ground = next(picture.iter(f"{SVG}rect"))
    assert (ground.get("class"), ground.get("width")) == ("paper", picture.get("width"))


def test_the_page(tmp_path: Path) -> None:
    """All figures stand in tables of six columns, with what was missed, noted, and failed."""
    outcome = measured(Subject(BenchmarkError("a `line` | was lost"), may_fail=True), tmp_path)
    docs.write(tmp_path, [outcome], SETTING)
    page = (tmp_path / docs.PAGE).read_text(encoding="utf-8")
    ET.parse(tmp_path / docs.PICTURE)
    lines = page.splitlines()
    assert "- A\\|B \\<processor>, 2 cores, Python 3.11.7" in lines
    assert f"]({docs.PICTURE})" in page
    assert "## map\\_path & more" in lines
    assert "| a duration \\<&> | 50 ms | failed | 1 ms | ≤ 40 ms, missed |  |" in lines
    assert "- tried in vain" in lines
    assert lines[-1] == "- subject, peer: a \\`line\\` \\| was lost"
    for line in lines:
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 7


def test_a_page_that_cannot_be_written(tmp_path: Path) -> None:
    """It is one line for the person who started it."""
    with pytest.raises(BenchmarkError, match="the page could not be written"):
        docs.write(tmp_path / "missing", [], SETTING)


def test_lines_that_are_lost_are_noticed() -> None:
    """So are lines that came twice, or in another order; other output is of no interest."""
    good = "INFO: x\nOUT: 1\nOUT: 2\nopenjd_progress: 5\nOUT: 3\n"
    check_lines(good, "OUT: ", ["1", "2", "3"])
    for bad, where in (
        (good.replace("OUT: 2\n", ""), "2 lines came of 3; .* is 2"),
        (good.replace("OUT: 3\n", ""), "2 lines came of 3; .* is 3"),
        (good + "OUT: 3\n", "4 lines came of 3; .* is 4"),
        (good.replace("OUT: 2", "2"), "2 lines came of 3; .* is 2"),
    ):
        with pytest.raises(BenchmarkError, match=where):
            check_lines(bad, "OUT: ", ["1", "2", "3"])


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_numbered_lines(size: int) -> None:
    """Lines are checked whatever the pieces they come in."""
    shown = [f"ADAPTOR_OUTPUT: STDOUT: {n:09d}{'x' * 10}" for n in range(50)]
    for lines, missing in ((shown, None), (shown[:20] + shown[21:], 21), (shown[:-1], 50)):
        output = "\n".join(["INFO: begun", *lines, "INFO: done", ""]).encode()
        reader = NumberedLines(20)
        for start in range(0, len(output), size):
            reader.take(output[start : start + size])
        assert reader.last_words() == "INFO: begun\nINFO: done\n"
        if missing is None:
            reader.check(50)
        else:
            with pytest.raises(BenchmarkError, match=rf"49 lines .* is {missing}$"):
                reader.check(50)


def test_the_log_of_an_application() -> None:
    """Most lines have the full length, and the rare ones are as many as are said to be."""
    lines, calls = application_log(100_000, 120)
    assert len(lines) == 100_000
    assert max(map(len, lines)) == 119
    assert sum(len(line) == 119 for line in lines) > 99_800
    assert calls["progress"] == sum(line.startswith("Rendered ") for line in lines) == 99
    assert calls["saved"] == sum(line.startswith("Saved: ") for line in lines) == 2
    assert calls["warning"] == sum(line.startswith("Warning: ") for line in lines) == 5
