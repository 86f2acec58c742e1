"""FakeApplication: a real process that plays a script, in the place of an adaptor's application."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from types import TracebackType
from typing import Any, NamedTuple

import openjd.adaptor_runtime_client

from .._platform import make_program
from . import _player
from .script import Script, ScriptError


class Played(NamedTuple):
    """Something that a fake application was asked for, and played or did not know."""

    #: ``"command"`` or ``"action"``.
    kind: str
    #: The action's name; empty for a command.
    name: str
    #: The arguments of a command (a list), or the parameters of an action (a dict).
    arguments: Any
    #: The number of the script's part that was played, of its kind, from 1 on; 0: none.
    part: int
    #: The process that played it.
    pid: int


class FakeApplication:
    """A program that plays a script. As a context manager it is removed at the end.

    Args:
        script: what it does; or the file with it.
        name: the program's name, such as ``blender``. It can be found by it on PATH from the
            beginning of a ``with`` block to its end.
        folder: where its files are put, in a folder of their own; the temporary folder if None.

    Raises:
        ScriptError: the script cannot be used.
        OSError: the program cannot be made.
    """

    def __init__(
        self,
        script: Script | str | os.PathLike[str],
        name: str | None = None,
        *,
        folder: str | os.PathLike[str] | None = None,
    ) -> None:
        self.script = script if isinstance(script, Script) else Script.load(script)
        #: The program's name, if it has one.
        self.name = name
        if name is not None and (not name or os.path.basename(name) != name):
            raise ScriptError(f"{name!r} is no name for a program: it must stand on PATH by it")
        self._folder = tempfile.mkdtemp(prefix="fake-", dir=folder)
        self._notes = os.path.join(self._folder, "notes.jsonl")
        self._bin = os.path.join(self._folder, "bin")
        self._path_before: str | None = None
        data = self.script.to_dict()
        data["modules"] = [os.path.abspath(folder) for folder in data.get("modules", [])]
        settings = {
            "script": data,
            "notes": self._notes,
            "client": os.path.dirname(openjd.adaptor_runtime_client.__file__),
        }
        self._settings = os.path.join(self._folder, "script.json")
        with open(self._settings, "w", encoding="utf-8") as file:
            json.dump(settings, file)
        #: The program's file; None without a name.
        self.path: str | None = None
        if name is not None:
            os.mkdir(self._bin)
            self.path = make_program(self._bin, name, _player.__file__, self._settings)

    @property
    def command(self) -> list[str]:
        """The beginning of a command line that runs it: what its arguments stand behind."""
        return [sys.executable, _player.__file__, self._settings]

    @property
    def played(self) -> list[Played]:
        """What it was asked for until now, by whatever process, in this order."""
        try:
            with open(self._notes, encoding="utf-8") as file:
                notes = [json.loads(line) for line in file]
        except FileNotFoundError:
            return []
        return [Played(**note) for note in notes]

    @property
    def commands(self) -> list[list[str]]:
        """The arguments of each command that it was run with."""
        return [one.arguments for one in self.played if one.kind == "command"]

    @property
    def actions(self) -> list[tuple[str, dict[str, Any]]]:
        """Each action that it was asked for, with its parameters."""
        return [(one.name, one.arguments) for one in self.played if one.kind == "action"]

    def __enter__(self) -> FakeApplication:
        if self.name is not None:
            self._path_before = os.environ.get("PATH")
            before = [self._path_before] if self._path_before else []
            os.environ["PATH"] = os.pathsep.join([self._bin, *before])
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.name is not None:
            # Others may have changed it, too.
            entries = os.environ.get("PATH", "").split(os.pathsep)
            os.environ["PATH"] = os.pathsep.join(one for one in entries if one != self._bin)
        self.close()

    def close(self) -> None:
        """Removes its files; it cannot be run any more."""
        shutil.rmtree(self._folder, ignore_errors=True)
