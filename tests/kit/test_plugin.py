"""The plugin, as pytest loads it wherever the package is installed."""

from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest
from bounded import LIMIT

from openjd.adaptor_runtime import testing
from openjd.adaptor_runtime.testing import plugin

from .programs import plugin_is_installed


def python(*arguments: str, folder: Path | None = None) -> str:
    """What a fresh Python prints."""
    ended = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        cwd=folder,
        env={name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")},
    )
    assert ended.stderr == "", ended.stderr
    return ended.stdout


def test_it_is_light() -> None:
    """It loads itself, and nothing of the runtime besides, nor any library of the runtime's."""
    code = f"""
import sys, pytest
before = set(sys.modules)
import {plugin.__name__}
print(*sorted(set(sys.modules) - before))
"""
    loaded = {name for name in python("-c", code).split() if name != "openjd"}
    package = testing.__name__
    assert loaded == {"openjd.adaptor_runtime", package, plugin.__name__}


def test_nothing_else_needs_pytest() -> None:
    """Every module of the kit but the plugin can be used where there is no pytest."""
    names = [
        f"{testing.__name__}.{module.name}"
        for module in pkgutil.iter_modules(testing.__path__)
        if module.name not in ("plugin", "_entry")
    ]
    assert len(names) > 8
    code = f"import sys, {', '.join(names)}; print(*[m for m in sys.modules if 'pytest' in m])"
    assert python("-c", code) == "\n"


def test_every_name_can_be_imported() -> None:
    """``__all__`` holds what there is, and what is not there is an AttributeError."""
    for name in testing.__all__:
        value = getattr(testing, name)
        assert name == "MODES" or value.__doc__
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        importlib.import_module(testing.__name__).nothing  # noqa: B018


OF_SOMEBODY = """
import pytest

@pytest.fixture
def adaptor_session():
    return "their own"

def test_theirs(adaptor_session):
    assert adaptor_session == "their own"

def test_another():
    pass
"""
WITH_SESSIONS = """
from openjd.adaptor_runtime.adaptors import Adaptor, SemanticVersion

class Littering(Adaptor):
    integration_data_interface_version = SemanticVersion(0, 1)

    def on_run(self, run_data):
        import tempfile
        tempfile.mkdtemp(prefix="litter-")

    def on_stop(self):
        raise RuntimeError("no end")

def test_what_is_left(adaptor_session):
    adaptor_session(Littering).run().assert_ok()

def test_a_stop_that_fails(adaptor_session):
    adaptor_session(Littering).start().assert_ok()

def test_fine(adaptor_session, monkeypatch):
    monkeypatch.setattr(Littering, "on_stop", lambda self: None)
    adaptor_session(Littering).start()
    adaptor_session(Littering)
"""


def test_runs_of_pytest(tmp_path: Path) -> None:
    """Strict ones of others, with such fixtures, are as before; ours fail what they must."""
    (tmp_path / "test_of_somebody.py").write_text(OF_SOMEBODY)
    (tmp_path / "test_sessions.py").write_text(WITH_SESSIONS)
    strict = ["-m", "pytest", "--strict-markers", "--strict-config", "-p", "no:cacheprovider"]
    if not plugin_is_installed():
        strict += ["-p", plugin.__name__]
    printed = python(*strict, "-p", "no:xdist", "-rA", "--tb=short", folder=tmp_path)
    assert "5 passed, 2 errors" in printed, printed
    assert "ERROR test_sessions.py::test_what_is_left - " in printed
    assert "ERROR test_sessions.py::test_a_stop_that_fails - " in printed
    assert "the stop was to go well, but failed: no end" in printed
