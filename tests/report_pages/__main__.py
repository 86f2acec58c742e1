"""``python -m tests.report_pages [FOLDER]``: a real demo, its report, and a real browser.

Runs ``openjd-adaptor demo``, makes a report of its journal, opens it in headless Chromium, light
and dark, wide and narrow, uses it as people do, and fails if there is a complaint in the console,
a request that leaves the page, or anything wider than the window. The screenshots and the report
are left in FOLDER (``report-pages``). A page made of a log that attacks its readers is looked at
as well, and one that is known to be bad, by which it is seen that the looking works.

Exit status 77 where Chromium or Mitsuba is missing.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ..chromium import Browser, Page, find
from .hostile import LINES

_TOOL = "from openjd.adaptor_runtime._cli.tool import main; raise SystemExit(main())"
_BAD = """<!doctype html><title>bad</title><div style="width:3000px">wide</div>
<img src="http://127.0.0.1:9/x.png"><script>console.error("bad"); nowhere();</script>"""


def main(arguments: list[str]) -> int:
    """Does it; returns the exit status."""
    program = find()
    if program is None:
        print("SKIPPED: Chromium is not installed (apt-get install chromium, or set CHROMIUM)")
        return 77
    if importlib.util.find_spec("mitsuba") is None:
        print("SKIPPED: Mitsuba is not installed (pip install '.[demo]')")
        return 77
    folder = Path(arguments[0] if arguments else "report-pages").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    report = _real_report(folder)
    with Browser(program) as browser, tempfile.TemporaryDirectory() as scratch:
        problems = _of_bad_page(browser, Path(scratch))
        problems += _of_hostile_log(browser, Path(scratch))
        for name, width in (("wide", 1200), ("narrow", 360)):
            for dark in (False, True):
                shot = folder / f"{'dark' if dark else 'light'}-{name}.png"
                problems += _look(browser, report, width, dark, shot)
    for problem in problems:
        print(f"FAILED: {problem[:500]}")
    if not problems:
        print(f"the report and four screenshots of it are in {folder}; nothing to complain of")
    return 1 if problems else 0


def _tool(*arguments: str, **variables: str) -> None:
    subprocess.run(
        [sys.executable, "-c", _TOOL, *arguments],
        env={**os.environ, **variables},
        check=True,
        timeout=1800,
    )


def _real_report(folder: Path) -> Path:
    """The report on a demo, by its journal, and by the engine's log."""
    journal = folder / "session.jsonl"
    journal.unlink(missing_ok=True)
    demo = folder / "demo"
    _tool(
        "demo", "--frames", "6", "--size", "320x180", "--output", str(demo),
        OPENJD_ADAPTOR_SESSION_LOG=str(journal),
    )  # fmt: skip
    report = folder / "report.html"
    _tool("report", str(journal), "-o", str(report))
    _tool(
        "report", str(demo / "session.log"), "--outputs", str(demo),
        "-o", str(folder / "engine.html"),
    )  # fmt: skip
    for page in (report, folder / "engine.html"):
        text = page.read_text(encoding="utf-8")
        assert text.count("<img src=") == 6, f"{page} does not show the six frames"
    return report


def _look(browser: Browser, report: Path, width: int, dark: bool, shot: Path) -> list[str]:
    """Uses the page as people do, and takes its picture; returns what is wrong with it."""
    page = Page(browser, report, width, dark)
    name = shot.stem
    page.screenshot(shot)
    problems = [
        f"{name}: {overflow} pixels too wide" for overflow in [page.overflow()] if overflow > 0
    ]
    # By the keyboard: every chart shows its marks' words.
    charts = page.evaluate("document.querySelectorAll('svg.chart').length")
    for index in range(charts):
        page.evaluate(f"document.querySelectorAll('svg.chart')[{index}].focus()")
        page.settle()
        page.press("ArrowRight")
        page.settle()
        if not page.evaluate(
            "!document.querySelector('.tip').hidden && document.querySelector('.tip').textContent"
        ):
            problems.append(f"{name}: chart {index} shows nothing for the arrow key")
        page.press("Escape")
    if charts < 4:
        problems.append(f"{name}: there are only {charts} charts")
    # The table is sorted by its heads, up and down.
    times = (
        "[...document.querySelectorAll('tbody tr')]"
        ".map(row => +row.querySelector('.meter').parentNode.dataset.value)"
    )
    heads = "[...document.querySelectorAll('th')]"
    column = page.evaluate(f"{heads}.findIndex(th => th.textContent.startsWith('Duration'))")
    sort = f"document.querySelectorAll('th button')[{column}].click()"
    page.evaluate(sort)
    up = page.evaluate(times)
    page.evaluate(sort)
    if up != sorted(up) or page.evaluate(times) != up[::-1]:
        problems.append(f"{name}: the table does not get sorted: {up}")
    # Light and dark, by the button.
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)
    page.evaluate("document.querySelector('.theme').focus()")
    page.press("Enter")
    if page.evaluate(ground) == before:
        problems.append(f"{name}: the button does not change the colours")
    page.call("Page.printToPDF")
    problems += [f"{name}: {complaint}" for complaint in page.complaints()]
    problems += [f"{name}: it asks for {url}" for url in page.requests()]
    page.close()
    return problems


def _of_hostile_log(browser: Browser, scratch: Path) -> list[str]:
    """A log that attacks its readers does nothing, and looks like text."""
    log = scratch / "hostile.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in LINES), encoding="utf-8")
    _tool("report", str(log), "-o", str(scratch / "hostile.html"))
    page = Page(browser, scratch / "hostile.html", 360, False)
    problems = [f"a hostile log: {complaint}" for complaint in page.complaints()]
    problems += [f"a hostile log: it asks for {url}" for url in page.requests()]
    if page.evaluate("window.taken"):
        problems.append("a hostile log: its script has run")
    if page.overflow() > 0:
        problems.append(f"a hostile log: {page.overflow()} pixels too wide")
    page.close()
    return problems


def _of_bad_page(browser: Browser, scratch: Path) -> list[str]:
    """Whether a bad page would be found out."""
    bad = scratch / "bad.html"
    bad.write_text(_BAD, encoding="utf-8")
    page = Page(browser, bad, 360, False)
    problems = []
    if len(page.complaints()) < 2:
        problems.append(f"a bad page has no complaints: {page.complaints()}")
    if not page.requests():
        problems.append("a bad page seems to ask for nothing")
    if page.overflow() <= 0:
        problems.append("a bad page seems to be narrow enough")
    page.close()
    return problems


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
