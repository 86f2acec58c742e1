"""docs/security.md names tests that exist, and no attack is missing from it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_tests_exist() -> None:
    """Every test that the page names is there."""
    path = ""
    for name, test in re.findall(r"`(tests/[\w/]+\.py)?(?:::(\w+))?`", PAGE):
        if not (name or test):
            continue
        path = name or path
        text = (ROOT / path).read_text(encoding="utf-8")
        assert not test or f"def {test}(" in text, f"{path}::{test}"


@pytest.mark.skipif(sys.platform == "win32", reason="the attacks are made for POSIX")
def test_attacks_are_named() -> None:
    """The page has every attack that is tried, and no other."""
    from .attacks import ATTACKS

    part = PAGE[PAGE.index("## Another local user") : PAGE.index("**Windows.**")]
    rows = [row.rpartition(" | ")[2] for row in part.splitlines() if row.startswith("| ")][1:]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == {attack.attempt.__name__ for attack in ATTACKS}
