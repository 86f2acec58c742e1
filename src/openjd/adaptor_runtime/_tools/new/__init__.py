"""``openjd-adaptor new``: writes the package of a new adaptor, which works as it is."""

from __future__ import annotations

import argparse
import io
import os
import shlex
import sys
from pathlib import Path
from typing import NoReturn

from .names import (
    Refused,
    application_name,
    application_of,
    names,
    project_name,
    project_of,
    refuse_installed,
)
from .package import KINDS, files, write
from .questions import Canceled, ask, can_ask, choose


def main(arguments: list[str]) -> int:
    """Runs the command and returns the exit status.

    Args:
        arguments: those behind ``openjd-adaptor new``.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name may have letters that the terminal's encoding does not have.
            stream.reconfigure(errors="backslashreplace")
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.positional is not None:
        if given.name not in (None, given.positional):
            parser.error(f"NAME is {given.positional!r}, but --name is {given.name!r}")
        given.name = given.positional
    missing = [f"--{key}" for key in ("name", "application", "kind") if vars(given)[key] is None]
    if missing and not can_ask():
        verb = "is" if len(missing) == 1 else "are"
        parser.error(f"{', '.join(missing)} {verb} needed, with no terminal here to ask on")
    try:
        project, application, kind = _answers(given)
        folder = given.into / project
        made = files(kind, names(project, application))
        write(made, folder)
    except Canceled:
        print("\nNothing was made.", file=sys.stderr)
        return 130
    except Refused as e:
        return _error(str(e))
    except OSError as e:
        return _error(f"{given.into / project} cannot be made: {e.strerror or e}")
    if given.name not in (None, project):
        print(f"The name {given.name!r} is written {project!r}, so that it can be a package's.")
    print(_next(kind, folder, list(made)))
    return 0


def _answers(given: argparse.Namespace) -> tuple[str, str, str]:
    """The name of the project, that of the application, and the kind; asks for what is not given.

    Raises:
        Refused: what was given will not do.
        Canceled: what was asked for is not answered.
    """

    def free_name(text: str) -> str:
        name = project_name(text)
        if os.path.lexists(given.into / name):
            raise Refused(f"{given.into / name} exists already, and is left alone; --name another")
        refuse_installed(name)
        return name

    # What is given is looked at first: it cannot be typed again.
    project = None if given.name is None else free_name(given.name)
    application = None if given.application is None else application_name(given.application)
    if application is None:
        likely = None if project is None else application_of(project)
        application = ask("Application, as people call it", application_name, likely)
    if project is None:
        project = ask("Name of the new package", free_name, project_of(application))
    return project, application, given.kind or choose("Kind", KINDS)


def _next(kind: str, folder: Path, made: list[str]) -> str:
    """What was made, and what to do with it."""
    listed = "\n".join(f"    {where}" for where in made)
    return f"""Made {folder}, of kind {kind}:
{listed}

It works as it is, with a stand-in for the application. In a virtual environment:

    cd {shlex.quote(folder.as_posix())}
    pip install -e ".[dev]"
    pytest
    openjd run template.yaml

Then search for EDIT: README.md says what belongs there."""


def _error(text: str) -> int:
    print(f"ERROR: {text}", file=sys.stderr)
    return 1


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line instead of the usage, which ``--help`` shows."""
        self.exit(2, f"ERROR: {self.prog}: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="openjd-adaptor new",
        description="Write the package of a new adaptor into a new folder: adaptor, schemas, job "
        "template, tests. It works as it is, with a stand-in for the application. What is not "
        "given is asked for.",
        epilog="Kinds: " + "; ".join(f"{kind}: {text}" for kind, text in KINDS.items()) + ".",
    )
    parser.add_argument("positional", nargs="?", metavar="NAME", help="the same as --name")
    parser.add_argument(
        "--name", help="of the package, its folder and its command, such as blender-adaptor"
    )
    parser.add_argument("--application", help="as messages are to call it, such as Blender")
    parser.add_argument("--kind", choices=list(KINDS), help="see below")
    parser.add_argument(
        "--into",
        type=Path,
        default=Path(),
        metavar="FOLDER",
        help="where the new folder is made (default: here)",
    )
    return parser
