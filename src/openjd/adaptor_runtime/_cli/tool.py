"""The console command ``openjd-adaptor``."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # typing itself costs a frontend more than all of this module
if TYPE_CHECKING:
    from .._arguments import Parser

NAME = "openjd-adaptor"
#: What it does with an adaptor that a TOML file describes; the file's path stands behind these.
_OF_A_FILE = {
    "run": "a whole session with one task, of the adaptor that a TOML file describes",
    "daemon": "keep such an adaptor alive between tasks: start, run, stop, status",
    "show-config": "print the configuration that applies to it",
    "version-info": "print the versions of its interfaces",
    "is-compatible": "exit with 0 if its interfaces serve who expects given versions",
}
#: Its tools: what they do, and the module whose ``main(arguments)`` does it and whose ``parser()``
#: is its grammar. Nothing is imported for a tool before it is asked for.
_TOOLS = {
    "record": ("make a fake application for tests out of the log of a real run", "_tools.record"),
    "new": ("write the package of a new adaptor", "_tools.new"),
    "demo": ("render a turntable through a real session", "_demo"),
    "check": ("look for mistakes in an adaptor, and say how to mend them", "_tools.check"),
    "template": ("write a job template for an adaptor", "_tools.template"),
    "report": ("make a page out of the log of a session: time, memory, failures", "_tools.report"),
    "explain": ("say why a session has failed, with the lines that show it", "_tools.explain"),
    "completion": ("print a script with which a shell completes commands", "_cli.completion"),
}


def main(arguments: list[str] | None = None) -> int:
    """Runs the command that the arguments ask for and returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] in _OF_A_FILE:
        return _adaptor(arguments)
    from .._terminal import forgive, say_error

    forgive()
    try:
        return _tool(arguments)
    except KeyboardInterrupt:
        say_error("interrupted")
        return 130
    except OSError as e:
        # Such as a disk that is full: whatever a tool has more to say of, it says itself.
        say_error(f"{e.filename or 'the output cannot be written'}: {e.strerror or e}")
        return 1


def _tool(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in _TOOLS:
        arguments = [parser().parse_args(arguments).command]
    from importlib import import_module

    module = import_module(tools()[arguments[0]])
    status: int = module.main(arguments[1:])
    return status


def parser() -> Parser:
    """Its grammar, without what stands behind the name of a command."""
    from .._arguments import Parser, Version
    from .._version import version

    parser = Parser(prog=NAME, description="Tools for Open Job Description adaptors.")
    parser.add_argument(
        "--version", action=Version, text=lambda: f"openjd-adaptor-runtime {version}"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, text in {**{tool: text for tool, (text, _) in _TOOLS.items()}, **_OF_A_FILE}.items():
        commands.add_parser(name, help=text, add_help=False)
    return parser


def tools() -> dict[str, str]:
    """The tools, and the full names of their modules."""
    return {name: f"openjd.adaptor_runtime.{module}" for name, (_, module) in _TOOLS.items()}


def _adaptor(arguments: list[str]) -> int:
    """A command of an adaptor that a TOML file describes."""
    from .. import EntryPoint
    from . import main as run

    at = 2 if arguments[0] == "daemon" else 1
    # A frontend finds the file here, and needs no argparse.
    file = arguments[at] if len(arguments) > at else "-"
    if file.startswith("-") or not {"-h", "--help"}.isdisjoint(arguments):
        from .parser import parse

        file = parse(NAME, arguments, of_file=True).file
        at = arguments.index(file)
    return run(EntryPoint.from_toml(file), arguments[:at] + arguments[at + 1 :], None)
