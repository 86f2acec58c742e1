"""Follows a transcript: does what it says in an empty folder, and sees whether the same happens.

- ``# text`` at its beginning says what it shows.
- ``$ COMMAND`` is run; ``cd`` and the activation of a virtual environment stay in force. The lines
  up to the next command are what is printed. ``...`` stands for what differs each time: alone on a
  line for any lines, else for any part of one. A command must succeed.
- ``> TEXT`` behind a command is typed at its terminal, as the answer to its next question.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from docs.guide import differs

from .terminal import at_terminal

#: Seconds for one command. Never reached where all is well.
LIMIT = 600.0


class Command(NamedTuple):
    """A command, what is typed at it, and what it prints."""

    line: str
    answers: tuple[str, ...]
    shown: str


def commands(transcript: str) -> Iterator[Command]:
    """The commands of a transcript, in order."""
    line, answers, shown = "", [], []
    for each in [*transcript.splitlines(), "$ "]:
        if each.startswith("$ "):
            if line:
                yield Command(line, tuple(answers), "".join(shown))
            line, answers, shown = each[2:], [], []
        elif each.startswith(">") and not shown:
            answers.append(each[2:])
        elif line:
            shown.append(f"{each}\n")


class Newcomer:
    """Somebody with a shell in an empty folder.

    Args:
        folder: that folder.
        variables: environment variables, beside those of this process.
    """

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.folder = folder
        self.env = {**os.environ, **variables}
        for name in ("PYTHONPATH", "VIRTUAL_ENV"):
            self.env.pop(name, None)

    def follow(self, transcript: str) -> None:
        """Does what a transcript says, and prints what happens; fails where it is not the same."""
        for command in commands(transcript):
            print(f"$ {command.line}", flush=True)
            began = time.monotonic()
            status, printed = self.perform(command)
            print(f"{printed}  [{time.monotonic() - began:.1f} s]", flush=True)
            assert status == 0, f"{command.line} ended with status {status}"
            difference = differs(command.shown, printed)
            assert difference is None, f"{command.line}: {difference}"

    def perform(self, command: Command) -> tuple[int, str]:
        """Runs a command: its exit status, and what it prints."""
        words = shlex.split(command.line)
        if words[0] == "cd":
            self.folder = self.folder / words[1]
            return 0, ""
        if words[0] == ".":
            self._activate(self.folder / words[1])
            return 0, ""
        # The program that this newcomer's PATH has, not ours.
        program = shutil.which(words[0], path=self.env["PATH"])
        assert program is not None, f"there is no {words[0]}"
        words[0] = program
        if command.answers:
            typed = [f"{answer}\n".encode() for answer in command.answers]
            return at_terminal(words, typed, self.folder, self.env)
        ended = subprocess.run(
            words,
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=LIMIT,
        )
        if words[1:2] == ["install"]:
            # It is there now. Some pips refuse an extra of what a constraint names by its file.
            self.env.pop("PIP_CONSTRAINT", None)
        return ended.returncode, ended.stdout

    def _activate(self, script: Path) -> None:
        """What the script does, in a shell."""
        assert script.name == "activate", script
        programs = script.parent
        if sys.platform == "win32":
            programs = programs.with_name("Scripts")
        assert programs.is_dir(), programs
        self.env["VIRTUAL_ENV"] = str(programs.parent)
        self.env["PATH"] = os.pathsep.join([str(programs), self.env["PATH"]])
