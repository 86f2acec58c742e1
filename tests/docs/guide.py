"""A guide that can be followed: the blocks of a page, and somebody who does what they say.

A fenced block stands under one of these lines, which readers do not see:

- ``<!-- file: PATH -->``: it is the file PATH.
- ``<!-- run -->``: it is run by bash, and succeeds. ``<!-- run: fails -->``: its last command
  ends with status 1. ``<!-- run: fails, Ctrl-C at WORDS -->``: somebody presses Ctrl-C when it
  prints a line with WORDS in it.
- ``<!-- output -->``: it is what the block before it printed. ``...`` stands for anything: alone
  on a line for any lines, else for any part of one line.
- ``<!-- fresh -->``: it is run by bash in a fresh environment alone (``python -m tests.docs``),
  where nothing is installed yet; elsewhere this file sees to what it would install.
- ``<!-- check: KIND -->``: it is not run but looked at, in the way of its kind (``checks.py``).
- ``<!-- by hand: REASON -->``: the reader does it, but it is not done here.
- ``<!-- not run: REASON -->``: there is nothing to do.

``<!-- needs: MODULE … -->`` may stand anywhere: modules, or ``command NAME``, without which the
page is not followed.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

#: Seconds for one block. Never reached where all is well.
LIMIT = 240.0

_FENCE = re.compile(r"^```(\w*)$")
_MARK = re.compile(r"^<!-- (file|run|output|fresh|check|by hand|not run)(?:: (.*?))? -->$")
_NEEDS = re.compile(r"^<!-- needs: (.+) -->$", re.MULTILINE)
#: What is no mark: what a page needs, and where a part of it begins that a program writes.
_OTHER = re.compile(r"^<!-- (needs: .*|\w+: (begin|end)\b.*) -->$")
#: These say nothing without what stands behind their colon.
_EXPLAINED = {"file", "check", "by hand", "not run"}
#: What a block is, by its mark: something that a reader types and sees, or not.
FOLLOWED = {"file", "run", "output", "fresh"}
#: What a block before has set is there, its folder too, and kept for those after it.
_AS_IN_A_TERMINAL = (
    'STATE=$1; if [ -e "$STATE" ]; then . "$STATE"; fi; '
    """trap 'export -p > "$STATE"; printf "cd %q\\n" "$PWD" >> "$STATE"' EXIT"""
)
_RUN = re.compile(r"^(fails)?(?:, Ctrl-C at (.+))?$")


class Block(NamedTuple):
    """A fenced block of a page."""

    kind: str
    #: What stands behind the colon of its mark.
    what: str
    text: str
    line: int
    #: The language that its fence names.
    language: str


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page, in order.

    Raises:
        ValueError: a block has no mark, or a mark no block.
    """
    mark: re.Match[str] | None = None
    start, inside, language = 0, False, ""
    text: list[str] = []
    for number, line in enumerate(page.splitlines(), start=1):
        if inside:
            if line != "```":
                text.append(line)
                continue
            inside = False
            if mark is None:
                raise ValueError(f"the block in line {start} has no mark")
            if mark[1] in _EXPLAINED and not mark[2]:
                raise ValueError(f"the mark above line {start} does not say what, or why")
            yield Block(mark[1], mark[2] or "", "\n".join(text) + "\n", start, language)
            mark = None
        elif line.lstrip().startswith("```"):
            fence = _FENCE.match(line)
            if fence is None:
                raise ValueError(f"line {number} is no plain fence: {line}")
            start, inside, text, language = number, True, [], fence[1]
        elif mark is not None:
            raise ValueError(f"no block stands under the mark above line {number}")
        elif line.startswith("<!--") and not _OTHER.match(line):
            mark = _MARK.match(line)
            if mark is None:
                raise ValueError(f"line {number} is no mark: {line}")
    if inside or mark is not None:
        raise ValueError("the page ends within a block, or with a mark")


def needs(page: str) -> list[str]:
    """What must be there to follow a page: modules, and commands as ``command NAME``."""
    found = [one for line in _NEEDS.findall(page) for one in re.findall(r"command \S+|\S+", line)]
    return [one.rstrip(",") for one in found]


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
    """Follows a page in a folder, with commands for the interpreter under test.

    What a block sets in the environment holds for those after it, as it does in a terminal.

    Args:
        folder: the folder; empty, if the page does not say otherwise.
        commands: an empty folder beside it, for the commands that an installation would put on
            PATH.
        fresh: the environment of somebody who has installed nothing yet. Blocks that are for
            such an environment are run, too, and nothing is put on PATH but an ffmpeg, where
            the machine has none.
    """

    def __init__(self, folder: Path, commands: Path, fresh: dict[str, str] | None = None) -> None:
        self.folder = folder
        self._commands = commands
        self._state = commands / "environment"
        self._fresh = fresh is not None
        if shutil.which("ffmpeg") is None and importlib.util.find_spec("imageio_ffmpeg"):
            import imageio_ffmpeg

            (commands / "ffmpeg").symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
        if fresh is not None:
            self._env = fresh
            return
        search = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._env = {
            **os.environ,
            "PATH": os.pathsep.join([str(commands), os.environ["PATH"]]),
            # Stands for the installed package of the reader.
            "PYTHONPATH": os.pathsep.join(search),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LC_ALL": "C",
        }
        for python in ("python", "python3"):
            self._command(python, "")
        for command in ("openjd", "pytest"):
            self._command(command, f"-m {command}")
        self._command(
            "openjd-adaptor",
            "-c 'import sys; from openjd.adaptor_runtime._cli.tool import main; sys.exit(main())'",
        )
        # Shows stacks in a form of its own where it is installed. One that fails is none.
        self._command("py-spy", "-c 'raise SystemExit(1)'")

    def follow(self, page: str) -> None:
        """Does what the page says; fails where something else happens."""
        printed: str | None = None
        for block in blocks(page):
            if block.kind == "file":
                self._write(block.what, block.text)
            elif block.kind == "run" or (block.kind == "fresh" and self._fresh):
                printed = self._run(block)
            elif block.kind == "fresh":
                printed = None
            elif block.kind == "output" and printed is not None:
                difference = differs(block.text, printed)
                assert difference is None, f"line {block.line}: {difference}; printed:\n{printed}"

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if name == "pyproject.toml":
            self._install(path)

    def _install(self, project: Path) -> None:
        """What installing a project would do, where nothing is installed."""
        if self._fresh:
            return
        text = project.read_text(encoding="utf-8")
        for command, module, function in re.findall(
            r'^([\w-]+) = "([\w.]+):(\w+)"', text, re.MULTILINE
        ):
            run = f"-c 'from {module} import {function}; {function}()'"
            self._command(command, run, str(project.parent))

    def _command(self, name: str, arguments: str, search: str = "") -> None:
        path = self._commands / name
        found = f'PYTHONPATH="{search}:$PYTHONPATH" ' if search else ""
        path.write_text(f'#!/bin/sh\n{found}exec "{sys.executable}" {arguments} "$@"\n')
        path.chmod(0o755)

    def _run(self, block: Block) -> str:
        how = _RUN.match(block.what)
        assert how is not None, f"line {block.line}: {block.what!r} is no way to run"
        process = subprocess.Popen(
            ["bash", "-e", "-c", f"{_AS_IN_A_TERMINAL}\n{block.text}", "bash", str(self._state)],
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
        for made in self.folder.glob("*/pyproject.toml"):
            self._install(made)
        printed = "".join(lines)
        told = f"line {block.line} ended with status {status}; printed:\n{printed}"
        assert status == (1 if how[1] else 0), told
        return printed
