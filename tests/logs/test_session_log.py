"""The reader of logs: journals, what was printed, the log of ``openjd run``; and what is none."""

from __future__ import annotations

import codecs
import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from openjd.adaptor_runtime._log_reading import Log, LogError, Session, read

from .samples import BEGIN, ENGINE, Journal


def _read(path: Path, content: str | bytes) -> Log:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read(str(path))


def _only(log: Log) -> Session:
    (session,) = log.sessions
    return session


def test_a_journal(private_place: Path) -> None:
    """Steps, times, progress, memory, loads, applications and outputs are those of the records."""
    journal = Journal().start(10).task(1, 3, ("/out/1.png",)).stop()
    session = _only(_read(private_place / "log", journal.text()))
    assert (session.adaptor, session.version, session.pid) == ("Fake", "0.9.7", 7)
    assert [(s.kind, s.number, s.verdict) for s in session.steps] == [
        ("start", 0, "ok"),
        ("run", 1, "ok"),
        ("stop", 0, "ok"),
    ]
    start, task, _ = session.steps
    assert start.begin == BEGIN
    assert [(span.name, round(span.end - span.begin)) for span in start.spans if span.end] == [
        ("starting the application", 5),
        ("load", 5),
    ]
    assert task.seconds == pytest.approx(3)
    assert [value for _, value in task.progress.points] == [0, 50, 100]
    assert task.outputs == ["/out/1.png"]
    assert session.memory.highest == 101 << 20
    assert session.application_starts == 1
    assert session.ended


def test_a_failure_in_a_journal_is_told_once(private_place: Path) -> None:
    """It comes as a line and as a record, and is one failure, with what was printed before it."""
    journal = Journal().start().failing(1, "STDOUT: loading", message="no camera").stop()
    task = _only(_read(private_place / "log", journal.text())).tasks[0]
    assert [line.text for line in task.fails] == [
        "Error encountered while running adaptor: no camera"
    ]
    assert [line.text for line in task.before] == ["loading"]


def test_sessions_one_after_the_other(private_place: Path) -> None:
    """A file to which several sessions have been appended holds them all."""
    text = Journal("One").start().stop().text() + Journal("Two").start().stop().text()
    assert [s.adaptor for s in _read(private_place / "log", text).sessions] == ["One", "Two"]


@pytest.mark.parametrize("cut", [1, 30])
def test_a_journal_that_is_cut_off(private_place: Path, cut: int) -> None:
    """What was killed while it wrote leaves half a line, which is left out, and said."""
    log = _read(private_place / "log", Journal().start().task(1).text()[:-cut])
    assert len(_only(log).tasks) == 1
    assert not _only(log).ended
    assert ("its last line is incomplete, and left out" in log.notes) == (cut > 1)


def test_fields_that_make_no_sense(private_place: Path) -> None:
    """Records of unknown kinds, and fields of any type and size, do no harm."""
    head = json.dumps({"t": 1.0, "kind": "session"})
    values = ["null", "[]", "{}", '"x"', "-1", "1e999", "NaN", "true", "9" * 5000, '"\\ud800"']
    kinds = ["session", "step", "line", "progress", "status", "fail", "application", "phase",
             "memory", "output", "told", "__init__", "strange"]  # fmt: skip
    names = ["event", "step", "task", "verdict", "error", "text", "progress", "pid", "command",
             "status", "phase", "bytes", "path", "adaptor", "version", "mode"]  # fmt: skip
    lines = [head]
    for kind in kinds:
        lines.append(f'{{"t": 1, "kind": "{kind}"}}')
        for value in values:
            fields = ", ".join(f'"{name}": {value}' for name in names)
            lines.append(f'{{"t": {value}, "kind": "{kind}", {fields}}}')
            for step in ("begin", "end"):
                lines.append(f'{{"t": 1, "kind": "{kind}", "event": "{step}", "step": "run"}}')
    lines.append('{"a": ' + "[" * 100_000)
    log = _read(private_place / "log", "\n".join(lines))
    assert log.sessions


def test_openjd_run(private_place: Path) -> None:
    """Environments and tasks with their parameters, exit statuses, times as dates, the verdict."""
    log = _read(private_place / "log", ENGINE)
    session = _only(log)
    assert (session.source, session.job, session.ended) == ("openjd run", "Broken · Work", True)
    assert log.dated
    assert session.begin == pytest.approx(1795834843.0)
    assert [(s.kind, s.name, s.verdict, s.exit_status) for s in session.steps] == [
        ("start", "Demo", "ok", 0),
        ("run", "Frame 1, Camera left", "ok", 0),
        ("run", "Frame 2, Camera left", "failed", 1),
        ("stop", "Demo", "ok", 0),
    ]
    assert [round(s.seconds or 0, 2) for s in session.steps] == [1.0, 1.0, 0.6, 0.2]
    assert [line.text for line in session.tasks[0].warnings] == [
        "rule textures: wood.png not found"
    ]
    assert session.engine_result is not None
    assert session.engine_result.text.startswith("ERROR executing action")


@pytest.mark.parametrize(
    "stamp",
    ["2026-11-28T03:00:0{}.5+00:00\t", "2026-11-28 03:00:0{},500 ", "[2026-11-28T03:00:0{}.5Z] ",
     "Nov 28 03:00:0{} ", "00:00:0{} ", "1795834840.{} ", "0:00:0{}.250000\t"],
)  # fmt: skip
def test_times_in_front_of_lines(private_place: Path, stamp: str) -> None:
    """Those of engines, of ``ts`` and of collectors are read, and taken off."""
    lines = [
        "INFO: Starting the adaptor's daemon",
        "ADAPTOR_OUTPUT: STDOUT: hello",
        "openjd_progress: 10.0",
        "openjd_progress: 100.0",
    ]
    text = "".join(stamp.format(n) + line + "\n" for n, line in enumerate(lines))
    session = _only(_read(private_place / "log", text))
    assert [step.kind for step in session.steps] == ["start", "run"]
    assert session.seconds == pytest.approx(0.3 if stamp.startswith("1795") else 3)
    assert session.tasks[0].progress.last == 100


def test_what_was_printed(private_place: Path) -> None:
    """Without times there are tasks and failures, and notes that say what is not known."""
    log = _read(
        private_place / "log",
        "INFO: Starting the adaptor's daemon\n"
        "openjd_progress: 50\nopenjd_progress: 100\n"
        "openjd_progress: 20\nADAPTOR_OUTPUT: STDERR: openjd_progress: 99\n"
        "openjd_fail: Error encountered while running adaptor: no camera\n"
        "ADAPTOR_OUTPUT: ERROR: ValueError at adaptor.py, line 3, in on_run\n",
    )
    session = _only(log)
    assert [task.verdict for task in session.tasks] == ["ok", "failed"]
    assert session.tasks[1].progress.last == 20
    assert session.seconds is None
    assert len(log.notes) == 2


def test_an_application_cannot_speak_for_the_runtime(private_place: Path) -> None:
    """JSON, banners and messages that an application prints are its output, and no more."""
    record = '{"t": 1, "kind": "fail", "text": "x"}'
    lie = [record, "=" * 46, "--------- Running Task", "=" * 46, "openjd_fail: x"]
    inside = "\n".join(f"0:00:01.250000\tADAPTOR_OUTPUT: STDOUT: {line}" for line in lie)
    text = ENGINE.replace("0:00:01.300000", f"{inside}\n0:00:01.300000", 1)
    steps = _only(_read(private_place / "log", text)).steps
    assert [step.verdict for step in steps] == ["ok", "ok", "failed", "ok"]


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode(),
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
        lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.replace("hello", "caf\xe9").encode("cp1252"),
        lambda text: text.replace("hello", "a\0b\x1b[31m").encode(),
    ],
    ids=["utf-8", "bom", "utf-16-le", "utf-16-be", "no-bom", "crlf", "cr", "cp1252", "control"],
)
def test_encodings_and_line_ends(private_place: Path, encode: object) -> None:
    """What a shell, PowerShell, an old Windows or an application made of it is read."""
    text = (
        "INFO: Starting the adaptor's daemon\nSTDOUT: hello\n"
        "openjd_fail: Error encountered while starting adaptor: no camera\n"
    )
    log = _read(private_place / "log", encode(text))  # type: ignore[operator]
    assert log.lines == 3
    (step,) = _only(log).steps
    assert step.error.endswith("no camera")
    assert step.before[-1].text in ("hello", r"caf\xe9", r"a\x00b")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\n \n", "no line with anything in it"),
        (b"\n" * 5000 + b"x", "empty lines"),
        (b"\x7fELF\x02\x01\x01" + bytes(5000), "is no text"),
        (bytes(range(128, 256)) * 40, "is no text"),
        (b"\x1f\x8b\x08" + bytes(100), "gzip"),
        (b"PK\x03\x04" + bytes(100), "zip"),
    ],
)
def test_what_is_no_log(private_place: Path, content: bytes, words: str) -> None:
    """It is refused in one line that says which file, and why."""
    with pytest.raises(LogError, match=words) as caught:
        _read(private_place / "log", content)
    assert str(private_place / "log") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_not_there(private_place: Path) -> None:
    """A path to nothing, to a folder, and no path at all, are told of in one line each."""
    for path, words in (
        (str(private_place / "none"), "cannot be read"),
        (str(private_place), "is a folder"),
        ("a\0b", "cannot be read"),
    ):
        with pytest.raises(LogError, match=words):
            read(path)


_MEASURE = """
import sys, psutil
from openjd.adaptor_runtime._log_reading import read
log = read(sys.argv[1])
session, = log.sessions
info = psutil.Process().memory_info()
print(log.lines, len(session.steps), session.more_steps, getattr(info, "peak_wset", info.rss))
"""


def test_memory_does_not_grow_with_the_log(private_place: Path) -> None:
    """A log with six times the tasks, lines and warnings takes next to no more memory."""
    task = "".join(
        [
            "openjd_progress: 0\n",
            *(f"ADAPTOR_OUTPUT: STDOUT: Fra:{n} Mem:3211M {'x' * 300}\n" for n in range(3)),
            "ADAPTOR_OUTPUT: WARNING: rule textures: wood.png not found\n" * 2,
            "openjd_progress: 100\n",
        ]
    )
    used = []
    for tasks in (1_000, 6_000):
        log = private_place / "log"
        log.write_text("INFO: Starting the adaptor's daemon\n" + task * tasks)
        printed = subprocess.check_output([sys.executable, "-c", _MEASURE, str(log)], text=True)
        lines, steps, more, memory = map(int, printed.split())
        assert (lines, steps + more) == (1 + 7 * tasks, 1 + tasks)
        used.append(memory)
    # The first 5,000 tasks are kept.
    assert used[1] - used[0] < 60 << 20, used


def test_a_line_without_end(private_place: Path) -> None:
    """One line of many megabytes is cut, and what comes after it is read."""
    log = _read(
        private_place / "log",
        b"INFO: Starting the adaptor's daemon\nSTDOUT: " + b"x" * (6 << 20) + b"\nSTDOUT: last\n",
    )
    assert log.lines == 3
    assert any("too long" in note for note in log.notes)


@pytest.mark.skipif(sys.platform == "win32", reason="no such files there")
def test_what_comes_through_a_pipe(private_place: Path) -> None:
    """A pipe is read like a file."""
    to_read, to_write = os.pipe()
    os.write(to_write, b"INFO: Starting the adaptor's daemon\n")
    os.close(to_write)
    assert read(f"/dev/fd/{to_read}").lines == 1
    os.close(to_read)
    assert psutil.Process().num_fds() > 0
