"""The recorder: a real run, made into a script and played, goes as it went."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest
from apps.drive import Host

from openjd.adaptor_runtime._journal import Journal
from openjd.adaptor_runtime._session_log import SessionLog
from openjd.adaptor_runtime.testing import AdaptorSession, Result, Script, recording
from openjd.adaptor_runtime.testing._logs import arguments
from openjd.adaptor_runtime.testing.recording import RecordError, record, record_text

from .adaptors import RealPainter

pytest.importorskip("hypothesis")
from hypothesis import given, settings
from hypothesis import strategies as st

Sessions = Callable[..., AdaptorSession]
EXAMPLE = Path(__file__).parents[2] / "examples" / "ffmpeg" / "ffmpeg_openjd" / "adaptor.toml"
TOOL = "import sys; from openjd.adaptor_runtime._cli.tool import main; sys.exit(main())"


def story(results: list[Result]) -> list[tuple[Any, ...]]:
    """What must be the same: verdicts, reasons, progress and statuses."""
    return [(r.step, r.verdict, r.reason, r.progress, r.statuses) for r in results]


def paint(session: AdaptorSession) -> list[Result]:
    """A session with frames that go well, one that raises, and one of which the painter dies."""
    session.start()
    for frames in ("1-2", "13", "3-5", "66", "7"):
        session.run({"frames": frames})
    session.stop()
    return session.results


def test_an_application_with_a_client(adaptor_session: Sessions, tmp_path: Path) -> None:
    """Its actions are recorded with what they printed, reported, raised, wrote, and died of."""
    log = tmp_path / "session.jsonl"
    variables = {"OPENJD_ADAPTOR_SESSION_LOG": str(log)}
    data = {"scene": "a.scene"}
    real = paint(adaptor_session(RealPainter, data, mode="daemon", variables=variables))
    assert [result.verdict for result in real] == ["ok", "ok", "failed", "ok", "failed", "ok", "ok"]
    script = record(log, scale=0)
    script._head["version"] = "4.2"
    script.dump(tmp_path / "painter.json")
    session = adaptor_session(RealPainter, data, application=tmp_path / "painter.json")
    assert story(paint(session)) == story(real)
    played = session.application
    assert played is not None
    lines = [line for result in session.results for line in result.lines if "STDOUT" in line]
    assert lines == [line for result in real for line in result.lines if "STDOUT" in line]


def convert(session: AdaptorSession, video: Path) -> list[Result]:
    """A session with pieces that go well, one beyond the end, and an input that is missing."""
    for start, name in ((0, video), (1, video), (100, video), (0, Path("missing.mp4"))):
        data = {"input": str(name), "output": f"{start}.mp4", "frames": 24, "start": start}
        session.run(data)
    return session.results


@pytest.mark.skipif(not EXAMPLE.is_file(), reason="the examples are not here")
@pytest.mark.skipif(
    importlib.util.find_spec("imageio_ffmpeg") is None,
    reason="FFmpeg is not installed: pip install '.[test]'",
)
@pytest.mark.skipif(
    sys.version_info < (3, 11) and importlib.util.find_spec("tomli") is None,
    reason="no reader for TOML: pip install '.[toml]'",
)
def test_ffmpeg(adaptor_session: Sessions, tmp_path: Path) -> None:
    """A real one, recorded from the session log and from its output alone, plays the same."""
    import imageio_ffmpeg

    ffmpeg, video, log = imageio_ffmpeg.get_ffmpeg_exe(), tmp_path / "in.mp4", tmp_path / "log"
    source = ("-f", "lavfi", "-i", "testsrc=size=64x36:rate=24:duration=2")
    command = [ffmpeg, "-hide_banner", "-nostdin", *source, str(video)]
    subprocess.run(command, check=True, capture_output=True)
    variables = {"OPENJD_ADAPTOR_SESSION_LOG": str(log)}
    init_data = {"ffmpeg": ffmpeg}
    session = adaptor_session(EXAMPLE, init_data, mode="daemon", variables=variables)
    real = convert(session, video)
    session.close()
    assert [result.verdict for result in real] == ["ok", "ok", "ok", "failed", "failed"]
    printed = "".join(result.text for result in real)
    for script in (record(log, scale=0), record_text(printed, writes=["{-1}"])):
        with AdaptorSession(EXAMPLE, init_data, application=script) as played:
            assert story(convert(played, video)) == story(real)


# What openjd run shows of a session with one task; the times are those that it had.
OPENJD_RUN = """\
0:00:01.602109\t--------- Running Task
0:00:01.853713\tADAPTOR_OUTPUT: INFO: Running command: render --frame 1 "a b.png"
0:00:02.353713\tADAPTOR_OUTPUT: STDOUT: 10%
0:00:02.353913\topenjd_progress: 10.0
0:00:02.354113\tADAPTOR_OUTPUT: STDOUT: 20%
0:00:02.354313\topenjd_progress: 20.0
0:00:03.353713\tADAPTOR_OUTPUT: STDERR: careful
0:00:03.364113\topenjd_progress: 100.0
0:00:03.404442\tProcess pid 20130 exited with code: 0 (unsigned) / 0x0 (hex)
0:00:04.000000\tADAPTOR_OUTPUT: INFO: Running command: render --frame 2 "c d.png"
0:00:04.500000\tADAPTOR_OUTPUT: STDOUT: oh
0:00:04.600000\topenjd_fail: Render ended with signal 11 (SIGSEGV: it crashed)
"""


@pytest.mark.parametrize("zone", [None, "2026-01-31T23:59:58.602Z ", "[2026/01/31 23:59:58,6] "])
def test_the_log_of_an_engine(zone: str | None) -> None:
    """Its times become delays; progress that a rule has found in a line is left to the rule."""
    text = OPENJD_RUN
    if zone:
        text = "".join(f"{zone}{line.partition(chr(9))[2]}\n" for line in text.splitlines())
    script = record_text(text, scale=2, writes=["{-1}"])
    waits = [{"wait": 1.0}], [{"wait": 2.0}], [{"wait": 0.1}]
    first, second, _ = ([], [], []) if zone else waits
    steps = [*first, {"print": ["10%", "20%"]}, *second, {"print_error": "careful"}]
    died = [{"print": "oh"}, {"crash": "SIGSEGV"}]
    later = [{"wait": 1.0}, died[0], {"wait": 0.2}, died[1]]
    played = [part["steps"] for part in script.to_dict()["commands"]]
    end = [] if zone else [{"wait": 1.293}]
    assert played[0] == [*steps, *end, {"write": "{-1}"}]
    assert played[1] == (died if zone else later)
    assert [part.get("times") for part in script.to_dict()["commands"]] == [1, None]


def journal(*records: dict[str, Any]) -> str:
    return "".join(json.dumps({"t": 100 + at, **one}) + "\n" for at, one in enumerate(records))


def step(event: str, **more: Any) -> dict[str, Any]:
    return {"kind": "step", "step": "run", "event": event, **more}


def line(text: str) -> dict[str, Any]:
    return {"kind": "line", "text": text}


def application(event: str, **more: Any) -> dict[str, Any]:
    return {"kind": "application", "event": event, "pid": 1, **more}


START = {"kind": "session", "format": 1, "version": "0.9.7", "adaptor": "X", "mode": "daemon"}


def test_an_action_that_was_over_at_once(tmp_path: Path) -> None:
    """It is in the log if it has printed something, also when that comes behind its answer."""
    log = SessionLog(str(tmp_path / "log"), "X", print)
    journal = Journal("X", "daemon", "ADAPTOR_OUTPUT: ", log)
    journal.application_started(1, "app --python /adaptor_runtime_client/bootstrap.py")
    journal.step_begins("run", 1)
    for lines in ("", "openjd_progress: 1.0\n", "ADAPTOR_OUTPUT: STDOUT: x\n"):
        journal.phase("work")
        journal.phase("")
        if lines:
            journal.lines(lines)
    journal.close()
    actions = record(tmp_path / "log", scale=0).to_dict()["actions"]
    work = {"name": "work", "times": 1, "steps": [{"print": "x"}]}
    assert actions == [work, {"name": "*", "steps": []}]


def test_what_was_ended_by_the_runtime() -> None:
    """An application that a cancel or a limit has ended would have gone on: it hangs."""
    asked = line("INFO: Asking process 7 to end, and waiting 10 seconds for it")
    for more in ([asked], []):
        text = journal(
            START,
            step("begin", task=1),
            application("start", command="render x"),
            line("STDOUT: a"),
            *more,
            application("end", status=-15),
            step("end", verdict="canceled", error="canceled"),
        )
        (part,) = record_text(text, scale=0).to_dict()["commands"]
        assert part["steps"] == [{"print": "a"}, {"hang": True}]


def test_what_an_application_says_to_the_scheduler_itself() -> None:
    """Progress that no line stands before is the application's own, and is printed by the fake."""
    text = journal(
        START,
        step("begin", task=1),
        application("start", command="render x"),
        line("openjd_progress: 7"),
        line("STDOUT: a"),
        line("openjd_progress: 8"),
        line("openjd_progress: 9.0"),
        application("end", status=3),
        step("end", verdict="failed", error="X ended with exit code 3"),
    )
    (part,) = record_text(text, scale=0).to_dict()["commands"]
    lines = ["openjd_progress: 7", "a", "openjd_progress: 8"]
    assert part["steps"] == [{"print": lines}, {"exit": 3}]


def test_unknown_records_and_cut_lines() -> None:
    """What is not known is passed over, and so is a line that was not written to its end."""
    text = journal(
        START,
        {"kind": "moon", "phase": "full"},
        step("begin", task=1),
        application("start", command="render x", more=1),
        line("STDOUT: a"),
    )
    script = record_text(text + '{"t": 7, "kind": "li')
    assert script.to_dict()["commands"] == [{"steps": [{"wait": 1.0}, {"print": "a"}]}]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it tells of no application"),
        ("hello\nworld\n", "it tells of no application"),
        (journal(START), "it tells of no application"),
        (journal({**START, "format": 2}), "a session log of format 2 is not known"),
        (
            "INFO: Running command: app --python /x/adaptor_runtime_client/bootstrap.py\n",
            "the session log does: run it with OPENJD_ADAPTOR_SESSION_LOG=FILE",
        ),
    ],
)
def test_a_log_that_nothing_can_be_made_of(text: str, words: str) -> None:
    """One line says why."""
    with pytest.raises(RecordError, match=words) as caught:
        record_text(text)
    assert len(str(caught.value).splitlines()) == 1


def test_a_log_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """No script is made of what no memory holds: it is refused before it is read to its end."""
    monkeypatch.setattr(recording, "_MOST", 1_000_000)
    lines = chain(["INFO: Running command: tool"], repeat("STDOUT: a line"))
    with pytest.raises(RecordError, match="it is too long to make a script of"):
        recording._record(lines, 0, ())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_log_that_windows_has_written(tmp_path: Path, encoding: str) -> None:
    """With its line ends and byte order mark, and what PowerShell's ``>`` makes of it."""
    log = tmp_path / "log"
    log.write_bytes(OPENJD_RUN.replace("\n", "\r\n").encode(encoding))
    assert record(log, scale=0) == record_text(OPENJD_RUN, scale=0)


def test_the_command(host: Host, tmp_path: Path) -> None:
    """It prints TOML or JSON, or writes a file; what it cannot do it says in one line."""
    log, file, empty = tmp_path / "run.log", tmp_path / "script.json", tmp_path / "empty.log"
    log.write_text(OPENJD_RUN, encoding="utf-8")
    empty.write_text("")
    expected = record(log, scale=0, writes=["{-1}"])
    tool = ("-c", TOOL, "record")
    options = (str(log), "--scale", "0", "--writes", "{-1}")
    toml, written, gone, nothing, scale = host.run_all(
        (*tool, *options),
        (*tool, *options, "-o", str(file)),
        (*tool, str(tmp_path / "gone")),
        (*tool, str(empty)),
        (*tool, str(log), "--scale", "-1"),
    )
    assert toml.out == expected.dumps()
    assert (written.status, written.text) == (0, "")
    assert Script.load(file) == expected
    assert gone.refused() == f"{tmp_path / 'gone'}: No such file or directory"
    assert nothing.refused().startswith(f"{empty}: it tells of no application; ")
    assert "a scale is 0 or more, not -1.0" in scale.refused()


@settings(max_examples=50)
@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_the_words_of_a_command(words: list[str]) -> None:
    """They are found again in the line that the runtime logs."""
    line = subprocess.list2cmdline(words)
    assert arguments(line) == words


@settings(max_examples=50)
@given(st.text())
def test_any_text_at_all(text: str) -> None:
    """Whatever the log is, there is a script, or one line that says why there is none."""
    try:
        script = record_text(f"INFO: Running command: x\n{text}")
    except RecordError as e:
        problem = str(e)
    else:
        assert Script.from_dict(script.to_dict()) == script
        return
    assert len(problem.splitlines()) == 1
