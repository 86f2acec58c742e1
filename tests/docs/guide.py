"""A guide that can be followed: the blocks of a page, and somebody who does what they say.

A fenced block stands under one of these lines, which readers do not see:

- ``<!-- file: PATH -->``: it is the file PATH.
- ``<!-- run -->``: it is run by bash, and succeeds. ``<!-- run: fails -->``: its last command
  ends with status 1. ``<!-- run: fails, Ctrl-C at WORDS -->``: somebody presses Ctrl-C when it
  prints a line with WORDS in it.
- ``<!-- output -->``: it is what the block before it printed. ``...`` stands for anything: alone
  on a line for any lines, else for any part of one line.
- ``<!-- by hand -->``: the reader does it, but it is not done here.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

#: Seconds for one block. Never reached where all is well.
LIMIT = 120.0

_FENCE = re.compile(r"^```\w*$")
_MARK = re.compile(r"^<!-- (file|run|output|by hand)(?:: (.*?))? -->$")
_RUN = re.compile(r"^(fails)?(?:, Ctrl-C at (.+))?$")


class Block(NamedTuple):
    """A fenced block of a page."""

    kind: str
    #: What stands behind the colon of its mark.
    what: str
    text: str
    line: int


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page, in order.

    Raises:
        ValueError: a block has no mark, or a mark no block.
    """
    mark: re.Match[str] | None = None
    start, inside = 0, False
    text: list[str] = []
    for number, line in enumerate(page.splitlines(), start=1):
        if inside:
            if line != "```":
                text.append(line)
                continue
            inside = False
            if mark is None:
                raise ValueError(f"the block in line {start} has no mark")
            yield Block(mark[1], mark[2] or "", "\n".join(text) + "\n", start)
            mark = None
        elif _FENCE.match(line):
            start, inside, text = number, True, []
        elif mark is not None:
            raise ValueError(f"no block stands under the mark above line {number}")
        elif line.startswith("<!--"):
            mark = _MARK.match(line)
            if mark is None:
                raise ValueError(f"line {number} is no mark: {line}")
    if inside or mark is not None:
        raise ValueError("the page ends within a block, or with a mark")


def differs(shown: str, printed: str) -> str | None:
    """Where what was printed is not what the page shows; None if it is."""
    wanted = shown.splitlines()
    lines = printed.splitlines()
    # What line of the output each prefix of the page's lines can reach.
    reached = {0}
    for number, want in enumerate(wanted):
        if want == "...":
            reached = set(range(min(reached), len(lines) + 1))
            continue
        form = re.compile(".*".join(map(re.escape, want.split("..."))))
        ends = {at + 1 for at in reached if at < len(lines) and form.fullmatch(lines[at])}
        if not ends:
            return f"line {number + 1} of what is shown does not come: {want}"
        reached = ends
    if len(lines) not in reached:
        return f"more is printed than is shown: {lines[min(reached)]}"
    return None


class Reader:
    """Follows a page in an empty folder, with commands for the interpreter under test.

    Args:
        folder: the folder; empty.
        commands: a folder for the commands that an installation would put on PATH.
    """

    def __init__(self, folder: Path, commands: Path) -> None:
        self.folder = folder
        self._commands = commands
        search = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._env = {
            **os.environ,
            "PATH": os.pathsep.join([str(commands), os.environ["PATH"]]),
            # Stands for the installed package of the reader.
            "PYTHONPATH": os.pathsep.join(search),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LC_ALL": "C",
        }
        self._command("python", "")
        self._command("openjd", "-m openjd")
        tool = "from openjd.adaptor_runtime._cli.tool import main; raise SystemExit(main())"
        self._command("openjd-adaptor", f"-c '{tool}'")
        # Shows stacks in a form of its own where it is installed. One that fails is none.
        self._command("py-spy", "-c 'raise SystemExit(1)'")

    def follow(self, page: str) -> None:
        """Does what the page says; fails where something else happens."""
        printed = ""
        for block in blocks(page):
            if block.kind == "file":
                self._write(block.what, block.text)
            elif block.kind == "run":
                printed = self._run(block)
            elif block.kind == "output":
                difference = differs(block.text, printed)
                assert difference is None, f"line {block.line}: {difference}; printed:\n{printed}"

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if name == "pyproject.toml":
            for command, module, function in re.findall(
                r'^([\w-]+) = "([\w.]+):(\w+)"$', text, re.MULTILINE
            ):
                self._command(command, f"-c 'from {module} import {function}; {function}()'")

    def _command(self, name: str, arguments: str) -> None:
        path = self._commands / name
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        path.chmod(0o755)

    def _run(self, block: Block) -> str:
        how = _RUN.match(block.what)
        assert how is not None, f"line {block.line}: {block.what!r} is no way to run"
        process = subprocess.Popen(
            ["bash", "-e", "-c", block.text],
            cwd=self.folder,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
            start_new_session=True,  # what a terminal's Ctrl-C reaches
        )
        late = threading.Timer(LIMIT, os.killpg, (process.pid, signal.SIGKILL))
        late.start()
        lines = []
        words = how[2]
        assert process.stdout is not None
        try:
            with process.stdout:
                for line in process.stdout:
                    lines.append(line)
                    if words and words in line:
                        os.killpg(process.pid, signal.SIGINT)
                        words = None
            status = process.wait(LIMIT)
        finally:
            late.cancel()
            late.join()
        printed = "".join(lines)
        told = f"line {block.line} ended with status {status}; printed:\n{printed}"
        assert status == (1 if how[1] else 0), told
        return printed
