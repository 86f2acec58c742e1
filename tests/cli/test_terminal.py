"""What is printed for people: colours where they are wanted, and nothing that ends a command."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest
from apps.drive import Host

from openjd.adaptor_runtime._terminal import wants_color

posix = pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")
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
