"""The pages of the documentation, as they stand in the repository."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from .guide import needs

ROOT = Path(__file__).parents[2]
#: Paths from the root, with slashes.
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("docs/**/*.md", "README.md", "CONTRIBUTING.md", "examples/*/README.md")
    for path in ROOT.glob(pattern)
)


def read(page: str) -> str:
    """The text of a page."""
    return (ROOT / page).read_text(encoding="utf-8")


def missing(page: str) -> list[str]:
    """What the page needs to be followed, and is not there."""
    return [
        one
        for one in needs(read(page))
        if not (
            shutil.which(one.partition(" ")[2])
            if one.startswith("command ")
            else importlib.util.find_spec(one)
        )
    ]
