"""The table of what Wine cannot do names tests that are there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from . import wine

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("nodeid", wine.CANNOT)
def test_an_entry(nodeid: str, request: pytest.FixtureRequest) -> None:
    """Each entry names a test, and where the test's file is collected, one set of parameters at
    least; its reason says that it is about Wine."""
    path, *names = nodeid.partition("[")[0].split("::")
    inside: list[ast.stmt] = ast.parse((TESTS / path).read_text(encoding="utf-8")).body
    for name in names:
        found = [
            node
            for node in inside
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name
        ]
        assert found, f"there is no {name}"
        inside = found[0].body
    whole = not request.config.getoption("keyword") and "::" not in " ".join(request.config.args)
    collected = [item.nodeid.partition("tests/")[2] for item in request.session.items]
    if whole and any(item.startswith(f"{path}::") for item in collected):
        assert any(item == nodeid or item.startswith(f"{nodeid}[") for item in collected)
    assert "Wine" in wine.CANNOT[nodeid]
