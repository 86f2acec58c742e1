"""``openjd-adaptor new``: writes the package of a new adaptor, which works as it is."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ..._arguments import Parser
from ..._platform import shell_word
from ..._terminal import say, say_error
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
    grammar = parser()
    given = grammar.parse_args(arguments)
    if given.positional is not None:
        if given.name not in (None, given.positional):
            grammar.error(f"NAME is {given.positional!r}, but --name is {given.name!r}")
        given.name = given.positional
    missing = [f"--{key}" for key in ("name", "application", "kind") if vars(given)[key] is None]
    if missing and not can_ask():
        verb = "is" if len(missing) == 1 else "are"
        grammar.error(f"{', '.join(missing)} {verb} needed, with no terminal here to ask on")
    try:
        project, application, kind = _answers(given)
    except Canceled:
        print("\nNothing was made.", file=sys.stderr)
        return 130
    except Refused as e:
        say_error(str(e))
        return 1
    folder = given.into / project
    made = files(kind, names(project, application))
    try:
        write(made, folder)
    except OSError as e:
        say_error(f"{folder} cannot be made: {e.strerror or e}")
        return 1
    text = _next(kind, folder, list(made))
    if given.name not in (None, project):
        changed = f"The name {given.name!r} is written {project!r}, so that it can be a package's."
        text = f"{changed}\n{text}"
    say(text)
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

    cd {shell_word(str(folder))}
    pip install -e ".[dev]"
    pytest
    openjd run template.yaml

Then search for EDIT: README.md says what belongs there."""


def parser() -> Parser:
    """The command's grammar."""
    parser = Parser(
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
