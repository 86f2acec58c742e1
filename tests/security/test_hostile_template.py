"""What a job says where a path or a text is expected cannot become a message, nor code."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from apps.drive import VARIABLE, Host, Session

LINE = "openjd_env: FORGED=yes"
#: What somebody takes for the end of a line.
ENDS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028"]


def forged(text: str) -> list[str]:
    """Lines of the text, as an engine or a script may cut it, that would be messages."""
    return [line for line in text.splitlines() if line.lstrip().startswith("openjd_env: FORGED")]


@pytest.mark.parametrize("step", ["start", "run", "stop", "status"])
def test_a_connection_file_s_name(host: Host, step: str) -> None:
    """A connection file whose name has line ends in it: what is said of it is one line."""
    name = "".join(f"x{end}{LINE}" for end in ENDS)
    path = host.folder / "no such folder" / name
    ended = host.run("-m", "obedient", "daemon", step, "--connection-file", str(path))
    assert forged(ended.text) == [], ended


@pytest.mark.parametrize("step", ["run", "stop", "status"])
def test_an_address(host: Host, step: str) -> None:
    """The same for the address in the environment."""
    address = f"/no/socket\n{LINE}"
    ended = host.run("-m", "obedient", "daemon", step, variables={VARIABLE: address})
    assert forged(ended.text) == [], ended


@pytest.mark.parametrize("step", ["run", "stop"])
def test_what_a_connection_file_says(session: Session, step: str) -> None:
    """The same for an address and a folder in the connection file."""
    data = {"socket": f"/no/socket\n{LINE}", "folder": f"/no/openjd-0\n{LINE}"}
    session.file.write_text(json.dumps({**data, "pid": 2**30, "started": f"0\n{LINE}"}))
    ended = session.begin(step).end()
    assert forged(ended.text) == [], ended


@pytest.mark.skipif(sys.platform == "win32", reason="no name has a line end in it there")
def test_a_temporary_folder_s_name(host: Host) -> None:
    """A temporary folder whose path would make two lines of a message is not used."""
    folder = host.folder / f"x\n{LINE}"
    folder.mkdir(parents=True)
    session = Session(host, TMPDIR=str(folder))
    ended = session.begin("start").end()
    assert forged(ended.text) == [], ended
    assert ended.status == 0, ended
    assert session.stop().status == 0


@pytest.mark.parametrize("option", ["--init-data", "--run-data", "--path-mapping-rules"])
def test_data_that_would_be_objects(host: Host, option: str) -> None:
    """YAML that asks for a call is refused, and nothing is called."""
    made = Path(host.folder, "made")
    data = f'a: !!python/object/apply:os.mkdir ["{made.as_posix()}"]'
    ended = host.run("-m", "obedient", "run", option, data)
    assert "python/object" in ended.fails()
    assert not made.exists()
