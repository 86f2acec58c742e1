"""The fixtures of the tests that drive adaptors; their conftest.py files import them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from apps.drive import Host, Session, hosting
from apps.gates import Gate

__all__ = ["gate", "host", "session", "shared_host"]


@pytest.fixture
def host(private_place: Path) -> Iterator[Host]:
    """A host; whatever is left on it when the test has ended fails the test."""
    with hosting(private_place) as host:
        yield host


@pytest.fixture(scope="module")
def shared_host() -> Iterator[Host]:
    """A host for all tests of a module, with folders of its own."""
    # A socket's path has some hundred bytes, and the folders of pytest are deep.
    base = "/tmp" if os.name == "posix" else tempfile.gettempdir()
    with tempfile.TemporaryDirectory(prefix="t-", dir=base) as folder:
        variables = {}
        for name, users in (("home", ("HOME", "USERPROFILE")), ("tmp", ("TMPDIR", "TEMP", "TMP"))):
            path = Path(folder, name)
            path.mkdir(mode=0o700)
            variables.update(dict.fromkeys(users, str(path)))
        with hosting(Path(folder), **variables) as host:
            yield host


@pytest.fixture
def session(host: Host) -> Session:
    """A session of the obedient adaptor, found by its connection file; not started yet."""
    return Session(host)


@pytest.fixture
def gate() -> Iterator[Gate]:
    """A gate."""
    with Gate() as gate:
        yield gate
