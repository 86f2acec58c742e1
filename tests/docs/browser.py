"""Pages in a real browser: what it says of them, and how they look."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

#: Seconds for one page.
LIMIT = 120

_CONSOLE = re.compile(r":CONSOLE[:(]\d+\)?\] (.*)")
_OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-file-access-from-files",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    # No other host is there: what is asked of one fails, and is on the console.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--virtual-time-budget=5000",
]


class Shot(NamedTuple):
    """A picture to be taken."""

    #: The page, and what stands behind it in its address.
    page: str
    name: str
    width: int = 1300
    height: int = 1400
    dark: bool = False


def find() -> str | None:
    """Chromium, if it is there."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def take(browser: str, site: Path, shot: Shot, folder: Path) -> list[str]:
    """Takes a picture, into ``NAME.png`` of the folder; what the console says meanwhile.

    Raises:
        AssertionError: there is no picture.
    """
    picture = folder / f"{shot.name}.png"
    dark = ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] if shot.dark else []
    with tempfile.TemporaryDirectory() as data:
        ended = subprocess.run(
            [
                browser,
                *_OPTIONS,
                *dark,
                f"--user-data-dir={data}",
                f"--window-size={shot.width},{shot.height}",
                f"--screenshot={picture}",
                f"{(site / shot.page.partition('?')[0]).as_uri()}{_behind(shot.page)}",
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=LIMIT,
        )
    assert picture.exists() and picture.stat().st_size > 10_000, ended.stderr[-3000:]
    return _CONSOLE.findall(ended.stderr)


def _behind(page: str) -> str:
    query = page.partition("?")[2]
    return f"?{query}" if query else ""
