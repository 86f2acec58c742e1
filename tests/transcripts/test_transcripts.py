"""Sessions as a reader of the documentation would try them: commands, and what they answer.

A transcript is a text file of this folder:

- ``# text`` at its beginning says what must hold;
- ``@ NAME`` and the indented lines after it are a file that stands in the working folder;
- ``$ COMMAND`` is run; after any words ``NAME=value``, which set variables for it, stands an
  adaptor package or script of ``tests/apps``. The lines up to the next command are what it prints,
  and ``== exit status N`` its status, if not 0. Variables that it sets for the session
  (``openjd_env: NAME=value``) are set for the commands after it.

Some words stand for what differs each time: ``<socket>``, ``<pid>``, ``<python>`` (this
interpreter), ``<apps>`` (that folder), and ``<any>`` for any text at all.
"""

from __future__ import annotations

import re
import shlex
import sys
from itertools import takewhile
from pathlib import Path

import pytest
from apps.drive import APPS, Host

HERE = Path(__file__).parent


def test_transcript(host: Host, transcript: Path) -> None:
    """Every command prints what its transcript says, and nothing is left at the end."""
    expected = transcript.read_text(encoding="utf-8")
    variables: dict[str, str] = {}
    printed = ""
    for line in expected.splitlines():
        if line.startswith("$ "):
            printed += f"{line}\n" + perform(line[2:], host, variables)
        elif line.startswith("@ "):
            file = host.folder / line[2:]
            file.write_text("")
        elif line.startswith("    ") and not printed:
            with file.open("a", encoding="utf-8") as content:
                content.write(line[4:] + "\n")
    wanted = expected[expected.index("\n$ ") + 1 :]
    if not re.fullmatch(pattern(wanted), printed):
        # pytest shows how the two differ.
        assert printed == wanted


def perform(command: str, host: Host, variables: dict[str, str]) -> str:
    """Runs a command and returns what it prints; remembers the variables that it sets."""
    words = shlex.split(command)
    own = dict(word.split("=", 1) for word in takewhile(lambda word: "=" in word, words))
    adaptor, *arguments = words[len(own) :]
    start = [str(APPS / adaptor)] if adaptor.endswith(".py") else ["-m", adaptor]
    ended = host.run(*start, *arguments, variables={**variables, **own})
    for name, value in re.findall("^openjd_env: (.*?)=(.*)$", ended.out, re.MULTILINE):
        variables[name] = value
    status = f"== exit status {ended.status}\n" if ended.status else ""
    return ended.text + status


def pattern(text: str) -> str:
    """A regular expression for text with placeholders."""
    known = {
        "socket": r"\S+",
        "pid": "[0-9]+",
        "python": re.escape(sys.executable),
        "apps": re.escape(str(APPS)),
        "any": ".*",
    }
    names = "|".join(known)
    return re.sub(f"<({names})>", lambda found: known[found[1]], re.escape(text))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    paths = sorted(HERE.glob("*.txt"))
    metafunc.parametrize("transcript", paths, ids=[path.stem for path in paths])
