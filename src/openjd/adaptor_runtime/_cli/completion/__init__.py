"""``openjd-adaptor completion``: scripts that complete commands, made from the commands' parsers.

A script is static: a shell that has read it starts no Python to complete a word.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from importlib import import_module

from ..._arguments import Parser
from .grammar import ADAPTOR, TOOL, Place, places

# What can stand in a script, in any shell, without quotes.
_COMMAND = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")


def main(arguments: list[str]) -> int:
    """Prints the script that the arguments ask for and returns the exit status."""
    options = parser().parse_args(arguments)
    for command in options.commands:
        if not _COMMAND.fullmatch(command):
            print(f"ERROR: {command!r} is no name of a command", file=sys.stderr)
            return 1
    text = script(options.shell, options.commands)
    sys.stdout.flush()
    # As it is: a shell takes no CR for the end of a line.
    with open(sys.stdout.fileno(), "wb", closefd=False) as stdout:
        try:
            stdout.write(text.encode())
            stdout.flush()
        except BrokenPipeError:
            # Whoever has read enough; nobody is left to tell, not even at the interpreter's end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
            return 1
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
        "commands", nargs="*", metavar="COMMAND", help="the command of an adaptor, such as maya-oj"
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
