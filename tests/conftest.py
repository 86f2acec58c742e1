"""Every test has a home and a temporary folder of its own, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import openjd.adaptor_runtime_client
from openjd.adaptor_runtime.testing import plugin

try:
    from hypothesis import HealthCheck, settings
except ImportError:  # not everywhere where some of the tests run
    pass
else:
    # Nothing here is a statement about time, and nothing is written beside the sources.
    settings.register_profile(
        "suite",
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    settings.load_profile("suite")

# A socket's path has some hundred bytes, and the folders of pytest's tmp_path are deep.
_BASE = "/tmp" if os.name == "posix" else tempfile.gettempdir()
# What children must find to import the package that is under test.
_IMPORT_FROM = str(Path(openjd.adaptor_runtime_client.__file__).parents[2])


def pytest_configure(config: pytest.Config) -> None:
    """Loads our own plugin where the package is found, but is not installed."""
    if not config.pluginmanager.has_plugin("openjd_adaptor"):
        config.pluginmanager.register(plugin, "openjd_adaptor")
    if sys.platform == "win32":
        from windows import wine

        if wine.is_here():
            wine.mend_import_system()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips what Wine cannot do, where this is Wine."""
    if sys.platform == "win32":
        from windows import wine

        if wine.is_here():
            wine.skip(items)


@pytest.fixture(autouse=True)
def private_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A folder with ``home`` and ``tmp``, which HOME and TMPDIR name; checked at the end."""
    tmp_path_factory.getbasetemp()  # decided when first asked for, and not below this test's
    place = Path(tempfile.mkdtemp(prefix="t-", dir=_BASE))
    temporary = place / "tmp"
    for folder, variables in (
        (place / "home", ("HOME", "USERPROFILE")),
        (temporary, ("TMPDIR", "TEMP", "TMP")),
    ):
        folder.mkdir(mode=0o700)
        for variable in variables:
            monkeypatch.setenv(variable, str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    for variable in (
        *("XDG_RUNTIME_DIR", "RUNTIME_CONFIG_PATH", "ADAPTOR_CONFIG_SCHEMA_PATH"),
        *("FORCE_COLOR", "PYTHON_COLORS"),
    ):
        monkeypatch.delenv(variable, raising=False)
    search = filter(None, [_IMPORT_FROM, os.environ.get("PYTHONPATH")])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(search))
    yield place
    # Kept for the next search, in a process that has one; this process goes on.
    guard = sys.modules.get("openjd.adaptor_runtime.app_handlers._guard")
    if guard is not None:
        guard.close_idle()
    alive = _end_children()
    left = sorted(path.name for path in temporary.glob("openjd-*"))
    shutil.rmtree(place, ignore_errors=True)
    assert not alive, f"the test left processes alive: {alive}"
    assert not left, f"the test left files in TMPDIR: {left}"


def _end_children() -> list[str]:
    """The commands of the processes that were still alive below this one; they no longer are."""
    alive = []
    for child in psutil.Process().children(recursive=True):
        try:
            command = child.cmdline()
            # The console that Windows gives to the first process that asks for one.
            if child.status() == psutil.STATUS_ZOMBIE or "conhost" in "".join(command[:1]):
                continue
            child.kill()
        except psutil.NoSuchProcess:
            continue
        alive.append(subprocess.list2cmdline(command)[:400])
    return alive
