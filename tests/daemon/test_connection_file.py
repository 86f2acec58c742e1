"""The connection file on file systems that lack what most have."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import NoReturn

import pytest

from openjd.adaptor_runtime._daemon import connection_file
from openjd.adaptor_runtime._daemon.connection_file import ConnectionFileError, ConnectionInfo

INFO = ConnectionInfo("/no/socket", 7, "1", "/no/openjd-0")


@pytest.fixture
def no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Links fail, as on FAT and in some networks (none of which can be mounted here)."""

    def link(*arguments: object, **options: object) -> NoReturn:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", link)


@pytest.mark.usefixtures("no_links")
def test_where_there_are_no_links(tmp_path: Path) -> None:
    """It is written all the same, private, with nothing beside it."""
    path = tmp_path / "session.json"
    connection_file.write(str(path), INFO)
    assert connection_file.read(str(path)) == INFO
    assert list(tmp_path.iterdir()) == [path]
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("no_links")
def test_what_is_in_the_way_where_there_are_no_links(tmp_path: Path) -> None:
    """Nothing that exists is written over."""
    path = tmp_path / "session.json"
    path.write_text("my notes")
    with pytest.raises(ConnectionFileError, match="exists already"):
        connection_file.write(str(path), INFO)
    assert path.read_text() == "my notes"
    assert list(tmp_path.iterdir()) == [path]
