"""``python -m tests.docs``: the site, built, followed and looked at; every page in fresh folders.

Exits with 1 if anything is not as it should be.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ..chromium import Browser, Page, find
from .fresh import follow, to_follow, wheel
from .guide import blocks
from .links import look
from .pages import PAGES, ROOT, read


class Shot(NamedTuple):
    """A picture to be taken."""

    #: The page, and what stands behind it in its address.
    page: str
    name: str
    width: int = 1300
    height: int = 1400
    dark: bool = False


_OPTIONS = (
    "--allow-file-access-from-files",
    # No other host is there: what is asked of one fails, and is on the console.
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
_SHOTS = [
    Shot("index.html", "home"),
    Shot("index.html", "home-dark", dark=True),
    Shot("index.html", "home-narrow", 500, 1400),
    Shot("architecture.html", "architecture"),
    Shot("architecture.html", "architecture-dark", dark=True),
    Shot("performance.html", "performance-dark", dark=True),
    Shot("troubleshooting.html", "troubleshooting-narrow-dark", 500, 1400, True),
    Shot("reference/commands.html", "commands"),
    Shot("reference/settings.html", "settings", 1000),
    Shot("reference/api/adaptor_runtime.application.html", "api"),
    Shot("reference/api/adaptor_runtime.application.html", "api-dark", dark=True),
    Shot("write-an-adaptor.html", "tutorial"),
    Shot("index.html?q=licence", "search"),
]


def main() -> int:
    """Does what the options say; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.docs", description=__doc__)
    parser.add_argument("--site", action="store_true", help="the site alone")
    parser.add_argument(
        "--fresh", nargs="*", metavar="PAGE", help="these pages alone, such as docs/cancel.md"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave site and pictures there")
    options = parser.parse_args()
    problems = _count()
    if options.fresh is None:
        with tempfile.TemporaryDirectory() as folder:
            kept = options.keep or Path(folder)
            problems += _site(kept / "site") + _pictures(kept / "site", kept / "pictures")
    if not options.site:
        problems += _fresh(options.fresh or to_follow())
    for problem in problems:
        print(f"PROBLEM: {problem}")
    print(f"{len(problems)} problems")
    return bool(problems)


def _count() -> list[str]:
    total: Counter[str] = Counter()
    for page in PAGES:
        count = Counter(block.kind for block in blocks(read(page)))
        total += count
        if count:
            print(f"{page}: {', '.join(f'{n} {kind}' for kind, n in sorted(count.items()))}")
    print(f"blocks: {', '.join(f'{n} {kind}' for kind, n in sorted(total.items()))}")
    return []


def _site(folder: Path) -> list[str]:
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    if built.returncode:
        return [f"the site cannot be built without warnings:\n{built.stdout}"]
    found = look(folder)
    print(f"site: {found.pages} pages, {found.links} links between them")
    for address in sorted(found.external):
        print(f"  elsewhere: {address}")
    return found.problems


def _pictures(site: Path, folder: Path) -> list[str]:
    program = find()
    if program is None:
        print("pictures: there is no Chromium")
        return []
    folder.mkdir(parents=True, exist_ok=True)
    problems = []
    with Browser(program, *_OPTIONS) as browser:
        for shot in _SHOTS:
            name, mark, query = shot.page.partition("?")
            page = Page(
                browser, site / name, shot.width, shot.dark,
                height=shot.height, query=mark + query, seconds=5,
            )  # fmt: skip
            picture = folder / f"{shot.name}.png"
            page.screenshot(picture, shot.height)
            if picture.stat().st_size <= 10_000:
                problems.append(f"{shot.name}: there is nothing in the picture")
            # The frame in which the search works has no doctype; the page has one.
            said = [line for line in page.complaints() if "QuirksModeIssue" not in line]
            if page.evaluate("document.compatMode") != "CSS1Compat":
                said.append("it is shown in quirks mode")
            problems += [f"{shot.name}: the browser's console says: {line}" for line in said]
            page.close()
    print(f"pictures: {len(_SHOTS)}, with nothing on the console" if not problems else "")
    return problems


def _fresh(pages: list[str]) -> list[str]:
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        library = wheel(Path(folder))
        for page in pages:
            print(f"{page}: ", end="", flush=True)
            try:
                print(follow(page, library, Path(folder) / "cache"), flush=True)
            except AssertionError as e:
                print(f"not as it says: {e}", flush=True)
                problems.append(f"{page}: {e}")
    return problems


if __name__ == "__main__":
    sys.exit(main())
