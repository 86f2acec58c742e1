"""The guides, followed to the letter in an empty folder."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from .guide import Reader, blocks, differs
from .pages import PAGES, missing, read

#: The pages with something to do.
FOLLOWED = [page for page in PAGES if "\n<!-- run" in read(page)]


@pytest.mark.skipif(sys.platform == "win32", reason="the guides' commands are for a POSIX shell")
@pytest.mark.skipif(shutil.which("bash") is None, reason="bash runs the guides' commands")
@pytest.mark.timeout(400)
@pytest.mark.parametrize("page", FOLLOWED)
def test_what_a_guide_says_is_what_happens(page: str, private_place: Path) -> None:
    """Its files and commands, pasted one after the other, do what it shows."""
    if missing(page):
        pytest.skip(f"there is no {', '.join(missing(page))}")
    folder, commands = private_place / "job", private_place / "bin"
    folder.mkdir()
    commands.mkdir()
    Reader(folder, commands).follow(read(page))


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\nb\n", "a\nx\nb\n", False),
        ("a\n...\nb\n", "a\nx\ny\nb\n", True),
        ("a\n...\nb\n", "a\nb\n", True),
        ("a\n", "a\nb\n", False),
        ("a\n...\n", "a\nb\nc\n", True),
        ("...\nb\n", "a\nb\nb\n", True),
        ("a ...\n", "a b c\n", True),
        ("a (...) b\n", "a (x) b\n", True),
        ("a.b\n", "axb\n", False),
        ("b\na\n", "a\nb\n", False),
        ("a\n", "", False),
    ],
)
def test_how_output_is_compared(shown: str, printed: str, same: bool) -> None:
    """All lines count and in their order; three dots stand for any lines, or any part of one."""
    assert (differs(shown, printed) is None) is same


@pytest.mark.parametrize(
    "page",
    [
        "```bash\nls\n```\n",
        "<!-- run -->\n",
        "<!-- run -->\ntext\n",
        "<!-- rnu -->\n```\nls\n```\n",
        "<!-- run -->\n```\nls\n",
    ],
)
def test_a_page_with_a_block_that_nobody_tries(page: str) -> None:
    """It is refused: what a page shows is tried, or says that it is not."""
    with pytest.raises(ValueError, match=r"block|mark"):
        list(blocks(page))
