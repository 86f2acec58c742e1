"""``openjd-adaptor completion``: scripts that complete commands, made from the commands' parsers.

A script is static: a shell that has read it starts no Python to complete a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module

from ... import _stdout
from ..._arguments import Parser
from ..._terminal import say_error
from .grammar import ADAPTOR, TOOL, Place, places

# What can stand in a script, in any shell, without quotes.
_COMMAND = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")


def main(arguments: list[str]) -> int:
    """Prints the script that the arguments ask for and returns the exit status."""
    options = parser().parse_args(arguments)
    for command in options.commands:
        if not _COMMAND.fullmatch(command):
            say_error(f"{command!r} is no name of a command")
            return 1
    text = script(options.shell, options.commands)
    try:
        # As it is: a shell takes no CR for the end of a line.
        _stdout.write(1, text.encode())
    except OSError:
        return 1  # Nobody reads it.
    return 0


def parser() -> Parser:
    """The grammar of its arguments."""
    parser = Parser(
        prog=f"{TOOL} completion",
        description="Print a script with which a shell completes openjd-adaptor's commands, and "
        "those of adaptors.",
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help="|".join(SHELLS))
    parser.add_argument(
        "commands",
        nargs="*",
        default=[],
        metavar="COMMAND",
        help="the command of an adaptor, such as maya-oj",
    )
    return parser


def script(shell: str, commands: list[str]) -> str:
    """The script for a shell.

    Args:
        shell: one of SHELLS.
        commands: those of adaptors, which all have the same grammar.
    """
    write: Callable[[list[Place], list[str], str], str] = import_module(
        f"{__name__}.{shell}"
    ).script
    known = list(dict.fromkeys([TOOL, *commands]))
    made_by = " ".join([TOOL, "completion", shell, *known[1:]])
    return write([*places(TOOL), *places(ADAPTOR)], known, made_by)


#: The shells that there are scripts for, by the names of their modules.
SHELLS = ("bash", "zsh", "fish", "powershell")
