"""The page about a run on Windows says what pytest has written down."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import page

REPORT = """\
<testsuites><testsuite name="pytest" time="90.0">
<testcase classname="tests.wire.test_a" name="test_one" file="tests\\wire\\test_a.py"/>
<testcase classname="tests.wire.test_a.TestIt" name="test_two[a-b]" file="tests\\wire\\test_a.py">
<skipped type="pytest.skip" message="Wine has no such thing">there</skipped></testcase>
<testcase classname="tests.wire.test_a.TestIt" name="test_two[c]" file="tests\\wire\\test_a.py">
<skipped type="pytest.skip" message="Wine has no such thing">there</skipped></testcase>
<testcase classname="tests.daemon.test_b" name="test_three" file="tests\\daemon\\test_b.py">
<skipped type="pytest.skip" message="signals of POSIX">there</skipped></testcase>
<testcase classname="tests.daemon.test_b" name="test_four" file="tests\\daemon\\test_b.py"/>
<testcase classname="tests.daemon.test_b" name="test_four" file="tests\\daemon\\test_b.py">
<error message="the end failed">so</error></testcase>
</testsuite></testsuites>
"""


def test_a_page(tmp_path: Path) -> None:
    """Each test counts once, by its folder; what was skipped stands by its reason, and what
    Wine cannot do apart from the rest."""
    report = tmp_path / "report.xml"
    report.write_text(REPORT, encoding="utf-8")
    text = page.write(page.read(report), "Python 3.11 for Windows")
    assert "Python 3.11 for Windows" in text
    assert [line for line in text.splitlines() if line.startswith("| ") and "---" not in line] == [
        "| Folder | Tests | Passed | Skipped | Failed |",
        "| `tests/daemon` | 2 | 0 | 1 | 1 |",
        "| `tests/wire` | 3 | 1 | 2 | 0 |",
        "| **all** | **5** | **1** | **3** | **1** |",
    ]
    of_wine, _, others = text.partition("## What Wine cannot do")[2].partition("## ")
    assert "**Wine has no such thing** (2)" in of_wine
    assert "- `tests/wire/test_a.py`: `TestIt::test_two` (2)" in of_wine
    assert "**Signals of POSIX** (1)" in others
    assert "- `tests/daemon/test_b.py`: `test_three`" in others


SECOND = """\
<testsuites><testsuite name="pytest" time="30.0">
<testcase classname="tests.daemon.test_b" name="test_four" file="tests\\daemon\\test_b.py">
{}</testcase>
</testsuite></testsuites>
"""


@pytest.mark.parametrize(("child", "outcome"), [("", "passed"), ("<failure/>", "failed")])
def test_a_second_time(tmp_path: Path, child: str, outcome: str) -> None:
    """What was run once more counts by how it ended then, and is named on the page."""
    report, second = tmp_path / "report.xml", tmp_path / "second.xml"
    report.write_text(REPORT, encoding="utf-8")
    second.write_text(SECOND.format(child), encoding="utf-8")
    first = page.read(report)
    (failed,) = (test for test in first.tests if test.outcome == page.FAILED)
    assert page.node_id(failed) == "tests/daemon/test_b.py::test_four"
    run = page.merge(first, page.read(second))
    assert page.outcome(run, failed) == outcome
    assert f"- `{page.node_id(failed)}`: {outcome}" in page.write(run, "Windows", [failed])
    passed = 2 if outcome == "passed" else 1
    assert page.totals(run) == f"{passed} passed, {2 - passed} failed, 3 skipped"
    # Without a second run, the first outcome stays.
    assert page.merge(first, None).tests == first.tests
