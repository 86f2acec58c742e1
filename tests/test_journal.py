"""The journal: what it keeps, what it writes, and what it does when it cannot."""

from __future__ import annotations

import json
import os
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bounded import LIMIT, Child
from hypothesis import given
from hypothesis import strategies as st

from openjd.adaptor_runtime import _session_log
from openjd.adaptor_runtime._journal import Journal
from openjd.adaptor_runtime._session_log import SessionLog

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="there are no such files")
PREFIX = "ADAPTOR_OUTPUT: "


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SessionLog]:
    """A session log that has nothing to warn of."""
    warnings: list[str] = []
    made = SessionLog(str(tmp_path / "log.jsonl"), "A", warnings.append)
    yield made
    made.close()
    assert warnings == []


def records(log: SessionLog) -> list[dict[str, Any]]:
    """What was written; closes the log."""
    log.close()
    text = Path(log.path).read_text(encoding="ascii")
    return [json.loads(line) for line in text.splitlines()]


TEXT = st.text(
    st.one_of(
        st.sampled_from('\\n"rt\0\r\x1e\x85\u2028\udcff\U0001f600'),
        st.characters(),
    )
).map(lambda text: text.replace("\n", ""))


@given(st.lists(st.one_of(TEXT, TEXT.map(lambda text: PREFIX + text)), min_size=1))
def test_lines_as_records(lines: list[str]) -> None:
    """A block becomes a record for each of its lines, as if each was written by itself."""
    data = _session_log.lines(1.5, "".join(f"{line}\n" for line in lines), PREFIX)
    found = [json.loads(line) for line in data.decode("ascii").split("\n")[:-1]]
    assert found == [
        {"t": 1.5, "kind": "line", "text": line[len(PREFIX) * line.startswith(PREFIX) :]}
        for line in lines
    ]


def test_what_is_written(log: SessionLog) -> None:
    """One record for each thing that happens, in order, none earlier than the one before."""
    journal = Journal("Engraver", "daemon", PREFIX, log)
    journal.step_begins("run", 3)
    journal.application_started(4711, "engrave it")
    journal.lines(f"{PREFIX}STDOUT: one\nopenjd_status: hot\nopenjd_progress: 40.5\n")
    journal.lines(f"{PREFIX}STDOUT: two\n", has_messages=False)
    journal.lines("openjd_fail: broken\n")
    journal.output("/tmp/a.png")
    journal.application_ended(4711, -9)
    journal.step_ends("failed", "broken")
    journal.close()
    found = records(log)
    assert [record["t"] for record in found] == sorted(record["t"] for record in found)
    for record in found:
        del record["t"]
    assert [record for record in found if record["kind"] != "memory"] == [
        {
            "kind": "session",
            "format": 1,
            "version": found[0]["version"],
            "adaptor": "Engraver",
            "pid": os.getpid(),
            "mode": "daemon",
        },
        {"kind": "step", "step": "run", "event": "begin", "task": 3},
        {"kind": "application", "event": "start", "pid": 4711, "command": "engrave it"},
        {"kind": "status", "text": "hot"},
        {"kind": "progress", "progress": 40.5},
        {"kind": "line", "text": "STDOUT: one"},
        {"kind": "line", "text": "openjd_status: hot"},
        {"kind": "line", "text": "openjd_progress: 40.5"},
        {"kind": "line", "text": "STDOUT: two"},
        {"kind": "fail", "text": "broken"},
        {"kind": "line", "text": "openjd_fail: broken"},
        {"kind": "output", "path": "/tmp/a.png"},
        {"kind": "application", "event": "end", "pid": 4711, "status": -9},
        {
            "kind": "step",
            "step": "run",
            "event": "end",
            "task": 3,
            "verdict": "failed",
            "error": "broken",
        },
        {"kind": "session", "event": "end"},
    ]


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "100.1", "a lot", ""])
def test_progress_that_is_none(log: SessionLog, value: str) -> None:
    """What is no percentage is a line, and no progress."""
    journal = Journal("A", "daemon", log=log)
    journal.lines(f"openjd_progress: {value}\n")
    assert journal.snapshot(1)["progress"] is None
    assert [record["kind"] for record in records(log)] == ["session", "line"]


def test_phases(log: SessionLog) -> None:
    """A call is known while it lasts; thousands of short ones do not fill the log."""
    journal = Journal("A", "daemon", log=log)
    journal.step_begins("run", 1)
    for _ in range(1000):
        journal.phase("blink")
        journal.phase("")
    journal.phase("load")
    assert journal.snapshot(0)["phase"] == "load"
    journal.lines("loading\n")
    journal.phase("")
    assert journal.snapshot(0)["phase"] == "run"
    journal.step_ends("ok", None)
    assert journal.snapshot(0)["phase"] == "idle"
    found = [record["phase"] for record in records(log) if record["kind"] == "phase"]
    assert found.count("load") == 1
    assert found[-1] == ""
    # One may have lasted, on a machine that is busy.
    assert len(found) < 500


def test_the_last_lines_are_bounded() -> None:
    """However much is printed, in whatever blocks, the last lines are there, and few others."""
    journal = Journal("A", "daemon", PREFIX)
    for number in range(20_000):
        journal.lines(f"{PREFIX}STDOUT: small {number}\n")
    assert [lines.text for lines in journal.last_lines(2)] == [
        "STDOUT: small 19998\n",
        "STDOUT: small 19999\n",
    ]
    kept = sum(lines.text.count("\n") for lines in journal.last_lines(1_000_000))
    assert 100 <= kept <= 5_000
    journal.lines("".join(f"{PREFIX}STDOUT: large {n}\n" for n in range(200_000)))
    assert journal.snapshot(3)["last_lines"] == [
        f"STDOUT: large {n}" for n in range(199_997, 200_000)
    ]
    kept = sum(lines.text.count("\n") for lines in journal.last_lines(1_000_000))
    assert 100 <= kept <= 5_000
    journal.lines("x" * 1_000_000 + "\n")
    (last,) = journal.last_lines(1)
    assert set(last.text) == {"x", "\n"}
    assert len(last.text) < 100_000
    (shown,) = journal.snapshot(1)["last_lines"]
    assert len(shown) < 5_000
    assert journal.last_lines(0) == []


@posix_only
def test_a_file_that_was_there(tmp_path: Path) -> None:
    """It is appended to, and private from then on."""
    path = tmp_path / "log.jsonl"
    path.write_text("before\n")
    path.chmod(0o644)
    log = SessionLog(str(path), "A", pytest.fail)
    Journal("A", "daemon", log=log).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().splitlines()[0] == "before"
    assert len(path.read_text().splitlines()) == 3


def test_a_folder(tmp_path: Path) -> None:
    """Where a folder is named each session has a file in it."""
    log = SessionLog(str(tmp_path), "Engraver", pytest.fail)
    Journal("Engraver", "daemon", log=log).close()
    (file,) = tmp_path.iterdir()
    assert str(file) == log.path
    assert file.name.startswith("Engraver-")
    assert file.suffix == ".jsonl"


def make_link(path: Path) -> None:
    """A link to a file of this user's."""
    (path.parent / "precious").write_text("precious")
    path.symlink_to(path.parent / "precious")


def make_second_name(path: Path) -> None:
    """A second name of a file of this user's."""
    (path.parent / "precious").write_text("precious")
    os.link(path.parent / "precious", path)


#: What is no file to write to -> how it is made.
NO_FILES = {
    "a link": make_link,
    "a second name": make_second_name,
    "a pipe": lambda path: os.mkfifo(path),
    "a folder that is not there": None,
}


@posix_only
@pytest.mark.parametrize("name", NO_FILES)
def test_what_is_no_file(tmp_path: Path, name: str) -> None:
    """One warning that names it; nothing is followed, waited for or changed."""
    path = tmp_path / "log.jsonl"
    make = NO_FILES[name]
    if make is None:
        path = tmp_path / "missing" / "log.jsonl"
    else:
        make(path)
    warnings: list[str] = []
    log = SessionLog(str(path), "A", warnings.append)
    journal = Journal("A", "daemon", log=log)
    journal.lines("a line\n")
    assert not journal.is_written
    journal.close()
    (warning,) = warnings
    assert str(path) in warning
    if name in ("a link", "a second name"):
        assert (tmp_path / "precious").read_text() == "precious"


FULL = """
import resource, sys
from openjd.adaptor_runtime._journal import Journal
from openjd.adaptor_runtime._session_log import SessionLog
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
journal = Journal("A", "daemon", log=SessionLog(sys.argv[1], "A", lambda text: print(text)))
for number in range(1000):
    journal.lines("x" * 999 + "\\n")
journal.close()
print(journal.is_written, journal.snapshot(1)["last_lines"][0][:3])
"""


@posix_only
def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """One warning, and the session goes on."""
    path = tmp_path / "log.jsonl"
    with Child(FULL, path) as child:
        warning = child.line()
        assert warning is not None
        assert f"the session log {path} cannot be written (File too large)" in warning
        child.expect("False xxx")
        assert child.end() == (0, "", "")
    assert path.stat().st_size == 100_000


def test_a_disk_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for it: neither who prints, nor who asks, nor the end; what is lost is said."""
    answers, write = threading.Event(), os.write

    def late_write(fd: int, data: bytes) -> int:
        answers.wait(LIMIT)
        return write(fd, data)

    monkeypatch.setattr(_session_log.os, "write", late_write)
    monkeypatch.setattr(_session_log, "_MOST_WAITING", 10_000)
    log = SessionLog(str(tmp_path / "log.jsonl"), "A", pytest.fail)
    journal = Journal("A", "daemon", log=log)
    for number in range(1000):
        journal.lines(f"line {number} {'x' * 100}\n")
    assert journal.snapshot(1)["last_lines"][0].startswith("line 999 ")
    journal.close(hurry=True)
    answers.set()
    found = records(log)
    assert [record["kind"] for record in found[:2]] == ["session", "line"]
    dropped = [record["bytes"] for record in found if record["kind"] == "dropped"]
    lines = [record for record in found if record["kind"] == "line"]
    assert sum(dropped) > 50_000
    assert 20 < len(lines) < 200
