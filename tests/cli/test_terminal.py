"""What is printed for people: colours where they are wanted, and nothing that ends a command."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from apps.drive import Host

from openjd.adaptor_runtime._terminal import wants_color

posix = pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")
FULL = os.path.exists("/dev/full")
RED = b"\x1b[1;31mERROR:\x1b[0m openjd-adaptor: "


@pytest.mark.parametrize(
    ("variables", "on_a_terminal", "elsewhere"),
    [
        ({}, True, False),
        ({"TERM": "xterm"}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": "0"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True, True),
        ({"FORCE_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ({"PYTHON_COLORS": "0", "FORCE_COLOR": "1"}, False, False),
        ({"PYTHON_COLORS": "1", "NO_COLOR": "1"}, True, True),
        ({"PYTHON_COLORS": "x"}, True, False),
    ],
)
@posix
def test_who_decides(variables: dict[str, str], on_a_terminal: bool, elsewhere: bool) -> None:
    """NO_COLOR before FORCE_COLOR before TERM before what the stream is; empty ones are not set."""
    import pty

    master, slave = pty.openpty()
    with open(master, "rb"), open(slave, "w", encoding="utf-8") as terminal:
        assert wants_color(terminal, variables) == on_a_terminal
    assert wants_color(None, variables) == elsewhere
    assert wants_color(io.StringIO(), variables) == elsewhere
    with open(os.devnull, "w", encoding="utf-8") as file:
        assert wants_color(file, variables) == elsewhere
    assert wants_color(terminal, variables) == elsewhere, "a closed one"


@posix
@pytest.mark.parametrize("no_color", ["", "1"])
def test_errors_on_a_terminal(host: Host, no_color: str) -> None:
    """The word is red there, unless NO_COLOR is set."""
    import pty

    master, slave = pty.openpty()
    env = {**host.env, "TERM": "xterm", "NO_COLOR": no_color}
    command = [sys.executable, "-m", "the_tool", "chek"]
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stderr=slave, check=False)
    said = os.read(master, 4096)
    os.close(master)
    os.close(slave)
    assert done.returncode == 2
    assert said.count(b"\n") == 1
    if no_color:
        assert said.startswith(b"ERROR: openjd-adaptor: ")
        assert b"\x1b" not in said
    else:
        assert said.startswith(RED)


def test_errors_in_colour_by_force(host: Host) -> None:
    """FORCE_COLOR, for those whose log shows colours; a session's messages have none."""
    variables = {"FORCE_COLOR": "1"}
    ended = host.run("-m", "the_tool", "chek", variables=variables)
    assert ended.err.encode().startswith(RED)
    ended = host.run("-m", "obedient", "run", "--run-data", "[]", variables=variables)
    assert ended.only_fails().startswith("--run-data must be a mapping")


@posix
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed(host: Host, closed: str) -> None:
    """The exit status says what can be said nowhere else."""
    for arguments, status in (("--help", 0), ("chek", 2), ("version-info no.toml", 1)):
        script = f'"$1" -m the_tool {arguments} {closed}'
        done = subprocess.run(
            ["sh", "-c", script, "sh", sys.executable],
            env=host.env,
            cwd=host.folder,
            capture_output=True,
            check=False,
        )
        assert done.returncode == status, done
        assert b"Traceback" not in done.stdout + done.stderr


FAILED = "INFO: Running command: tool\nopenjd_fail: Tool ended with exit code 3\n"


@posix
@pytest.mark.parametrize("command", ["explain", "report", "record"])
def test_a_tool_that_is_interrupted(host: Host, tmp_path: Path, command: str) -> None:
    """Ctrl-C while it reads a log ends it with one line and 130."""
    log = tmp_path / "log"
    os.mkfifo(log)
    tool = subprocess.Popen(
        [sys.executable, "-m", "the_tool", command, str(log)],
        env=host.env,
        cwd=host.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    # Returns when the tool has opened it, too.
    with open(log, "wb"):
        tool.send_signal(signal.SIGINT)
        out, err = tool.communicate()
    assert (tool.returncode, out, err) == (130, b"", b"ERROR: interrupted\n")


@posix
@pytest.mark.parametrize(
    "arguments",
    [
        ["explain", "log"],
        ["report", "log"],
        ["record", "log"],
        ["check", "--list-codes"],
        ["--version"],
    ],
)
def test_a_tool_nobody_reads(host: Host, arguments: list[str]) -> None:
    """``| head`` is no failure, and nothing is said of it; a full disk is one, in one line."""
    Path(host.folder, "log").write_text(FAILED, encoding="utf-8")
    reader, writer = os.pipe()
    os.close(reader)
    for stdout in [writer, *([os.open("/dev/full", os.O_WRONLY)] if FULL else [])]:
        done = subprocess.run(
            [sys.executable, "-m", "the_tool", *arguments],
            env=host.env,
            cwd=host.folder,
            stdout=stdout,
            stderr=subprocess.PIPE,
            check=False,
        )
        os.close(stdout)
        if stdout == writer:
            assert (done.returncode, done.stderr) == (0, b"")
        else:
            assert done.returncode == 1
            assert done.stderr.startswith(b"ERROR: the output cannot be written: ")
            assert done.stderr.count(b"\n") == 1
