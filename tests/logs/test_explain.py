"""``openjd-adaptor explain``: the cause, the lines that show it, what to do; or silence."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path

import pytest
from apps.drive import Host

from openjd.adaptor_runtime._log_reading import read
from openjd.adaptor_runtime._tools import explain
from openjd.adaptor_runtime._tools.explaining import Finding, findings

from .samples import ENGINE, Journal


def _findings(path: Path, text: str) -> list[Finding]:
    path.write_text(text, encoding="utf-8")
    ((_, found),) = findings(read(str(path)))
    return found


def _cause(path: Path, text: str) -> tuple[str, list[str]]:
    (found,) = _findings(path, text)
    return found.cause.id, [line.shown() for line in found.lines]


def test_in_words(private_place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what failed, why, which lines show it, what to do and where to read on."""
    log = private_place / "log"
    log.write_text(ENGINE)
    assert explain.main([str(log)]) == 0
    out = capsys.readouterr().out
    for words in (
        "Session of Broken · Work: failed (2 tasks).",
        "Task 2 (Frame 2, Camera left) failed.",
        "Tool ended with exit code 3",
        "line 44  STDERR: tool: no camera",
        "line 45  openjd_fail: Error encountered while running adaptor: Tool ended with",
        "What to do: ",
        "See docs/guards-and-rules.md#exit-codes-and-restarts",
    ):
        assert words in out, out


def test_as_json(private_place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--json`` has the same, for programs."""
    log = private_place / "log"
    log.write_text(ENGINE)
    assert explain.main(["--json", str(log)]) == 0
    (session,) = json.loads(capsys.readouterr().out)["sessions"]
    (found,) = session["findings"]
    assert (session["verdict"], session["source"]) == ("failed", "openjd run")
    assert (found["cause"], found["step"], found["task"]) == ("exit-code", "run", 2)
    assert [line["number"] for line in found["lines"]] == [44, 45]


def test_all_went_well(private_place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing has failed it says that, and no more."""
    log = Journal().start().task(1).stop().write(private_place / "log")
    assert explain.main([log]) == 0
    assert "Session of Fake: nothing has failed (1 task)." in capsys.readouterr().out


def test_a_log_that_cannot_be_read(private_place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line on stderr, and exit status 1."""
    assert explain.main([str(private_place / "none")]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("ERROR: the log ")


def test_no_log(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake in the command line is told of in one line."""
    with pytest.raises(SystemExit) as ended:
        explain.main([])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("ERROR: openjd-adaptor explain: ")


def test_the_first_failure_comes_first(private_place: Path) -> None:
    """What failed first is the cause of what came then."""
    journal = Journal().start()
    journal.failing(1, message="the application has gone mad")
    journal.failing(2, message="Fake ended with exit code 1 while performing render()")
    first, second = _findings(private_place / "log", journal.stop().text())
    assert (first.cause.id, first.where) == ("adaptor-error", "task 1")
    assert (second.cause.id, second.where) == ("ended-in-call", "task 2")


def test_the_line_that_a_rule_has_matched(private_place: Path) -> None:
    """It is shown, however many lines came after it."""
    journal = Journal().start()
    lines = ["STDOUT: Error: no camera", *(f"STDOUT: Sample {n}" for n in range(20))]
    journal.failing(1, *lines, message="Error: no camera (rule error)")
    cause, shown = _cause(private_place / "log", journal.text())
    assert cause == "rule"
    assert "STDOUT: Error: no camera" in shown
    assert not any("Sample" in line for line in shown)


def test_what_hangs(private_place: Path) -> None:
    """Of a limit, the last lines and the places where the threads stood are shown."""
    journal = Journal().start()
    journal.add("step", step="run", event="begin", task=1)
    journal.add("line", text="STDOUT: Opening wood.tex")
    message = "Fake made no progress for 2 seconds while performing render() (limit no_progress: 2)"
    journal.add("fail", text=f"Error encountered while running adaptor: {message}")
    for line in (
        "ERROR: The last lines of Fake:",
        "ERROR:   Opening wood.tex",
        "ERROR: Thread watch:",
        'ERROR:   File "watch.py", line 1, in wait',
        "ERROR: Thread adaptor:",
        'ERROR:   File "adaptor.py", line 36, in on_run',
        'STDERR:   File "client.py", line 11 in wait_for_file_server',
    ):
        journal.add("line", text=line)
    cause, shown = _cause(private_place / "log", journal.text())
    assert cause == "limit-no-progress"
    for words in ("Opening wood.tex", "in on_run", "in wait_for_file_server"):
        assert any(words in line for line in shown), shown
    assert not any("watch.py" in line for line in shown)


def test_a_traceback(private_place: Path) -> None:
    """Of an error in the application its begin, its last places and its words are shown."""
    journal = Journal().start()
    trace = [
        "ERROR:   Traceback (most recent call last):",
        *(f'ERROR:     File "deep.py", line {n}, in down' for n in range(20)),
        "ERROR:   ValueError: no camera",
    ]
    message = "render failed in the application: ValueError: no camera"
    cause, shown = _cause(private_place / "log", journal.failing(1, *trace, message=message).text())
    assert cause == "application-exception"
    assert "ERROR:   ValueError: no camera" in shown
    assert len(shown) < 9


def test_what_the_log_does_not_say(private_place: Path) -> None:
    """A command that fails without a word is not guessed about."""
    text = "\n".join(line for line in ENGINE.split("\n") if "openjd_fail" not in line)
    cause, shown = _cause(private_place / "log", text)
    assert cause == "untold"
    assert "STDERR: tool: no camera" in shown


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("/tmp/x.sh: 1: my-adaptor: not found", "command-not-found"),
        ("bash: line 1: my-adaptor: command not found", "command-not-found"),
        ("ERROR: my-adaptor: unknown option --fil (see my-adaptor --help)", "command-line"),
        ("Traceback (most recent call last):\n0:00:02.7\tImportError: no wood", "traceback"),
    ],
)
def test_a_command_that_never_got_so_far(private_place: Path, line: str, cause: str) -> None:
    """What a shell, the command line or Python says instead of us is recognised."""
    said = "openjd_fail: Error encountered while running adaptor: Tool ended with exit code 3"
    assert _cause(private_place / "log", ENGINE.replace(said, line))[0] == cause


def test_a_timeout_of_the_engine(private_place: Path) -> None:
    """An action that the engine has given up is told of as such, with the last lines."""
    text = ENGINE.replace(
        "openjd_fail: Error encountered while running adaptor: Tool ended with exit code 3",
        "TIMEOUT - Runtime limit reached at 2026-11-28T03:01:06Z. Canceling action.\n"
        "0:00:02.7\tCanceling subprocess 8790 via termination method at 2026-11-28T03:01:06Z.",
    )
    cause, shown = _cause(private_place / "log", text)
    assert cause == "timed-out"
    assert "STDERR: tool: no camera" in shown


def test_a_cancel(private_place: Path) -> None:
    """A cancel is no failure, and said to be one."""
    journal = Journal().start().add("step", step="run", event="begin", task=1)
    journal.add("line", text="INFO: Interruption signal received, 25 seconds left")
    journal.add("step", step="run", event="end", task=1, verdict="canceled", error="canceled")
    cause, shown = _cause(private_place / "log", journal.stop().text())
    assert (cause, len(shown)) == ("canceled", 1)


def test_an_end_that_is_missing(private_place: Path) -> None:
    """Whoever was killed has not written the end, and the last lines are what there is."""
    journal = Journal().start().add("step", step="run", event="begin", task=1)
    journal.add("line", text="STDOUT: Sample 7")
    cause, shown = _cause(private_place / "log", journal.text())
    assert (cause, shown) == ("ends-early", ["STDOUT: Sample 7"])


_TEMPLATE = """
specificationVersion: jobtemplate-2023-09
name: Broken
steps:
  - name: Work
    parameterSpace:
      taskParameterDefinitions: [{name: Frame, type: INT, range: "1-2"}]
    stepEnvironments:
      - name: Tool
        script:
          actions:
            onEnter: {command: COMMAND, args: [-m, TOOL, FILE, daemon, start, C, CONNECTION]}
            onExit: {command: COMMAND, args: [-m, TOOL, FILE, daemon, stop, C, CONNECTION]}
    script:
      actions:
        onRun:
          command: COMMAND
          args: [-m, TOOL, FILE, daemon, run, C, CONNECTION, --run-data, "n: {{Task.Param.Frame}}"]
"""
_DESCRIPTION = """
name = "Tool"
version = "0.1"
command = ['PYTHON', "-c", "import sys; print('no camera'); sys.exit(int(sys.argv[1]) - 1)", "{n}"]
[run_data]
n = { type = "integer" }
"""


@pytest.mark.skipif(
    importlib.util.find_spec("openjd.cli") is None,
    reason="openjd-cli is not installed: pip install '.[test]'",
)
@pytest.mark.skipif(sys.platform == "win32", reason="openjd run takes a minute under Wine")
def test_a_real_openjd_run(host: Host) -> None:
    """A real job whose second task fails: the engine's log is read, and explained."""
    description = host.folder / "tool.toml"
    description.write_text(_DESCRIPTION.replace("PYTHON", sys.executable))
    template = _TEMPLATE
    for word, text in (
        ("COMMAND", json.dumps(sys.executable)),
        ("TOOL", "openjd.adaptor_runtime._toml_entry_point"),
        ("FILE", json.dumps(str(description))),
        ("CONNECTION", '"{{Session.WorkingDirectory}}/connection.json"'),
        (" C,", " --connection-file,"),
    ):
        template = template.replace(word, text)
    (host.folder / "template.yaml").write_text(template)
    ended = host.run("-m", "openjd", "run", str(host.folder / "template.yaml"))
    # The engine leaves the folder in which it has its sessions.
    shutil.rmtree(host.temporary / "OpenJD")
    assert ended.status == 1, ended
    log = host.folder / "session.log"
    log.write_text(ended.out, encoding="utf-8")
    ((session, (found,)),) = findings(read(str(log)))
    assert [step.verdict for step in session.steps] == ["ok", "ok", "failed", "ok"], ended.out
    assert all(step.seconds for step in session.steps)
    assert (found.cause.id, found.where) == ("exit-code", "task 2 (Frame 2)")
    assert found.lines[0].shown() == "STDOUT: no camera"
