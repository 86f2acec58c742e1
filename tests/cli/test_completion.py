"""Shell completion, tried in the shells themselves: what they make of a line that breaks off."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from apps.drive import Host
from apps.gates import LIMIT

from openjd.adaptor_runtime._cli import tool
from openjd.adaptor_runtime._cli.completion import SHELLS, script
from openjd.adaptor_runtime._cli.completion.grammar import ADAPTOR, TOOL, places

posix = pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")

#: A line that breaks off -> the only thing that can stand there, and the arguments then.
LINES = {
    "openjd-adaptor dae": ["daemon"],
    "openjd-adaptor daemon stat": ["daemon", "status"],
    "openjd-adaptor --vers": ["--version"],
    "openjd-adaptor run adap": ["run", "adaptor.toml"],
    "openjd-adaptor daemon start adap": ["daemon", "start", "adaptor.toml"],
    "openjd-adaptor run adaptor.toml --run-d": ["run", "adaptor.toml", "--run-data"],
    "openjd-adaptor run my": ["run", "my file.toml"],
    "openjd-adaptor completion zs": ["completion", "zsh"],
    # Not fol.txt.
    "openjd-adaptor demo --output fo": ["demo", "--output", "folder/"],
    "openjd-adaptor demo --frames 3 --si": ["demo", "--frames", "3", "--size"],
    "my-adaptor is-": ["is-compatible"],
    "my-adaptor daemon start --conn": ["daemon", "start", "--connection-file"],
    "my-adaptor daemon stop --connection-file ses": [
        *("daemon", "stop", "--connection-file", "session.json")
    ],
    "my-adaptor daemon stop --connection-file=ses": [
        *("daemon", "stop", "--connection-file=session.json")
    ],
    # What the value of an option is called is no command.
    "my-adaptor daemon run --run-data start --conn": [
        *("daemon", "run", "--run-data", "start", "--connection-file")
    ],
    "my-adaptor run --init-data f": ["run", "--init-data", "file://"],
    "my-adaptor run --init-data file://ta": ["run", "--init-data", "file://task.yaml"],
    "my-adaptor run --init-data=file://ta": ["run", "--init-data=file://task.yaml"],
    "my-adaptor run --init-data file://folder/in": ["run", "--init-data", "file://folder/inner"],
    "my-adaptor run --init-data file://task.yaml --run-d": [
        *("run", "--init-data", "file://task.yaml", "--run-data")
    ],
    "my-adaptor run --init-data=file://task.yaml --path": [
        *("run", "--init-data=file://task.yaml", "--path-mapping-rules")
    ],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files to complete."""
    for name in ("adaptor.toml", "my file.toml", "session.json", "task.yaml", "fol.txt"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inner").touch()
    return tmp_path


class Terminal:
    """A shell at a terminal, in which the commands tell what they were called with."""

    def __init__(self, command: list[str], folder: Path, setup: str) -> None:
        import pty

        self._pipe = str(folder / "said")
        os.mkfifo(self._pipe)
        self._said = os.open(self._pipe, os.O_RDWR | os.O_NONBLOCK)
        for shell in SHELLS:
            (folder / f"script.{shell}").write_text(script(shell, ["my-adaptor"]))
        self._master, slave = pty.openpty()
        env = {**os.environ, "TERM": "dumb", "PS1": "$ ", "HOME": str(folder), "LC_ALL": "C.UTF-8"}
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=env,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self._shown: list[bytes] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        for line in setup.format(pipe=self._pipe).splitlines():
            self._type(line + "\n")
        assert self.complete("", "my-adaptor ready\n") == ["ready"]

    def _read(self) -> None:
        try:
            while data := os.read(self._master, 65536):
                self._shown.append(data)
        except OSError:
            pass  # Nobody is at the other side any more.

    def _type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def complete(self, line: str, keys: str) -> list[str]:
        """Types a line and then these keys; the arguments of the command that runs then."""
        self._type(line + keys)
        said = b""
        while not said.endswith(b"\0\0"):
            readable, _, _ = select.select([self._said], [], [], LIMIT)
            assert readable, (line, b"".join(self._shown)[-2000:])
            said += os.read(self._said, 65536)
        return said.decode().split("\0")[:-2]

    def close(self) -> None:
        """Ends the shell."""
        self._process.kill()
        self._process.wait(LIMIT)
        self._reader.join(LIMIT)
        os.close(self._master)
        os.close(self._said)


@contextmanager
def terminal(shell: str, options: list[str], folder: Path, setup: str) -> Iterator[Terminal]:
    """A shell that has read the script; skips the test where there is no such shell."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"there is no {shell}")
    made = Terminal([program, *options], folder, setup)
    try:
        yield made
    finally:
        made.close()


BASH = """\
bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; bind 'set mark-directories on'
say() {{ printf '%s\\0' "$@" '' > '{pipe}'; }}
openjd-adaptor() {{ say "$@"; }}; my-adaptor() {{ say "$@"; }}
. ./script.bash
"""
ZSH = """\
unsetopt auto_remove_slash zle_bracketed_paste prompt_cr prompt_sp beep
autoload -U compinit; compinit -u -D
say() {{ printf '%s\\0' "$@" '' > '{pipe}'; }}
openjd-adaptor() {{ say "$@"; }}; my-adaptor() {{ say "$@"; }}
. ./script.zsh
"""


@posix
def test_bash(folder: Path) -> None:
    """Every line is completed by the key for it; of several candidates all are offered."""
    with terminal("bash", ["--norc", "--noprofile", "-i"], folder, BASH) as bash:
        for line, arguments in LINES.items():
            assert bash.complete(line, "\t\n") == arguments, line
        # ESC * inserts all that is possible.
        everything = bash.complete("my-adaptor daemon s", "\x1b*\n")
        assert sorted(everything) == ["daemon", "start", "status", "stop"]
        options = bash.complete("my-adaptor daemon stop -", "\x1b*\n")
        assert sorted(options) == ["--connection-file", "--help", "-h", "daemon", "stop"]
        files = bash.complete("my-adaptor run --init-data file://", "\x1b*\n")
        # To readline a word begins behind the colon.
        assert {"file://adaptor.toml", "//task.yaml", "//my file.toml", "//folder/"} <= set(files)
        nothing = bash.complete("my-adaptor run ", "\x1b*\n")
        assert nothing == ["run"]


@posix
def test_bash_of_macos(folder: Path) -> None:
    """Where bash has no compopt (3.2) files are completed all the same."""
    code = (
        "enable -n compopt; . ./script.bash; COMP_WORDS=(my-adaptor daemon stop --connection-file s"
        "); COMP_CWORD=4; _openjd_adaptor my-adaptor; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    (folder / "script.bash").write_text(script("bash", ["my-adaptor"]))
    done = subprocess.run(
        [shutil.which("bash") or pytest.skip("there is no bash"), "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(done.stdout.split()) == ["script.bash", "session.json"]
    assert done.stderr == ""


@posix
def test_zsh(folder: Path) -> None:
    """The same in zsh, which reads the script behind compinit."""
    with terminal("zsh", ["-f", "-i"], folder, ZSH) as zsh:
        for line, arguments in LINES.items():
            assert zsh.complete(line, "\t\n") == arguments, line


@posix
def test_zsh_from_a_folder(folder: Path) -> None:
    """A file in fpath is found by compinit, and loaded with the first completion."""
    setup = ZSH.replace(". ./script.zsh\n", "")
    setup = "mkdir f; cp script.zsh f/_openjd-adaptor; fpath=($PWD/f $fpath)\n" + setup
    with terminal("zsh", ["-f", "-i"], folder, setup) as zsh:
        assert zsh.complete("my-adaptor is-", "\t\n") == ["is-compatible"]
        assert zsh.complete("openjd-adaptor dae", "\t\n") == ["daemon"]


@posix
def test_fish(folder: Path) -> None:
    """The same in fish, which can be asked."""
    program = shutil.which("fish")
    if program is None:
        pytest.skip("there is no fish")
    (folder / "script.fish").write_text(script("fish", ["my-adaptor"]))
    code = ["source script.fish"]
    for line in [*LINES, "my-adaptor daemon s", "my-adaptor run "]:
        code.append(f"complete -C {line!r}; echo ---")
    done = subprocess.run(
        [program, "--no-config", "-c", "\n".join(code)],
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
        timeout=LIMIT,
    )
    assert done.stderr == ""
    answers = [
        [line.partition("\t")[0] for line in answer.splitlines()]
        for answer in done.stdout.split("---\n")
    ]
    for (line, arguments), answer in zip(LINES.items(), answers):
        assert arguments[-1] in answer, (line, answer)
        assert "fol.txt" not in answer
    assert sorted(answers[len(LINES)]) == ["start", "status", "stop"]
    assert answers[len(LINES) + 1] == []


def test_powershell() -> None:
    """Its script closes what it opens, and quotes in help texts do not end theirs."""
    text = script("powershell", ["my-adaptor"])
    bare = re.sub(r"'(?:[^']|'')*'", "''", re.sub(r"(?m)^\s*#.*$", "", text))
    for opening, closing in ("{}", "()", "[]"):
        assert bare.count(opening) == bare.count(closing) > 0
    assert "'" not in bare.replace("''", "")
    assert "'openjd-adaptor', 'my-adaptor'" in text


@posix
def test_powershell_itself(folder: Path) -> None:
    """The same as in the other shells, where there is one."""
    program = shutil.which("pwsh")
    if program is None:
        pytest.skip("there is no PowerShell")
    (folder / "script.ps1").write_text(script("powershell", ["my-adaptor"]))
    code = [". ./script.ps1"]
    for line in LINES:
        code.append(
            f"(TabExpansion2 -inputScript '{line}' -cursorColumn {len(line)}).CompletionMatches"
            ".CompletionText; '---'"
        )
    done = subprocess.run(
        [program, "-NoProfile", "-NonInteractive", "-Command", "\n".join(code)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=LIMIT,
    )
    assert done.stderr == ""
    for (line, arguments), answer in zip(LINES.items(), done.stdout.split("---\n")):
        last = arguments[-1].rstrip("/")
        assert last in answer.replace("./", "").replace("'", ""), (line, answer)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_command(host: Host, shell: str) -> None:
    """The script is printed with the line ends and the encoding that shells read."""
    ended = host.run("-m", "the_tool", "completion", shell, "my-adaptor", "other_adaptor.v2")
    assert ended == (0, script(shell, ["my-adaptor", "other_adaptor.v2"]), "")
    assert "\r" not in ended.out


def test_what_is_no_command(host: Host) -> None:
    """Nothing gets into a script that a shell would run."""
    for name in ("$(touch x)", "a b", "", "-x;y", "a'b", "../x"):
        ended = host.run("-m", "the_tool", "completion", "bash", "--", name)
        assert "no name of a command" in ended.refused()
    says = host.run("-m", "the_tool", "completion", "bsh")
    assert says.status == 2
    assert "did you mean 'bash'?" in says.refused()


def test_every_tool_is_there() -> None:
    """Each tool offers its parser, and an adaptor's grammar is that of its parser."""
    names = {place.name for place in places(TOOL)}
    for command in [*tool.tools(), *tool._OF_A_FILE]:
        assert f"{TOOL} {command}" in names
    takes = {place.name: place for place in places(ADAPTOR)}["adaptor daemon start"].takes
    assert takes["--connection-file"] == "file"
    assert takes["--init-data"] == takes["--path-mapping-rules"] == "data"
    # Options that stand behind a repeated argument in the parser are not lost.
    assert (
        "--no-pictures" in {place.name: place for place in places(TOOL)}[f"{TOOL} report"].options
    )
