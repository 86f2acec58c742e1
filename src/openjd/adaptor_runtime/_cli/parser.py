"""The command line's grammar, for argparse."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from .._arguments import Parser, Version

_DATA = "JSON or YAML, inline or as file://PATH"


def parse(
    name: str,
    arguments: list[str],
    of_file: bool = False,
    version: Callable[[], str] | None = None,
) -> argparse.Namespace:
    """The command and options that `arguments` of the adaptor `name` ask for.

    Args:
        name: what the program is called.
        arguments: those of the program.
        of_file: whether each command takes the file that describes the adaptor.
        version: what to print for ``--version``.

    Raises:
        SystemExit: they make no sense, or ask for help; what there is to say has been printed.
    """
    options: argparse.Namespace = parser(name, of_file, version).parse_args(arguments)
    return options


def parser(name: str, of_file: bool = False, version: Callable[[], str] | None = None) -> Parser:
    """The grammar of an adaptor's commands; see ``parse``."""
    parser = Parser(prog=name, description="An Open Job Description adaptor.")
    if version is not None:
        parser.add_argument("--version", action=Version, text=version)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    run = commands.add_parser("run", help="start, run one task, stop and clean up, in this process")
    _add_init_data(run)
    _add_run_data(run)

    daemon = commands.add_parser("daemon", help="keep the adaptor alive between tasks")
    steps = daemon.add_subparsers(dest="step", metavar="COMMAND", required=True)
    for step, text in (
        ("start", "start the daemon and the adaptor in it"),
        ("run", "run a task in the daemon"),
        ("stop", "stop the adaptor and its daemon"),
        ("status", "show what the daemon is doing"),
        ("logs", "show the last lines of the session, and what comes"),
    ):
        command = steps.add_parser(step, help=text)
        command.add_argument(
            "--connection-file",
            metavar="FILE",
            help="where 'start' writes, and the others read, where the daemon listens "
            "(default: the environment variable OPENJD_ADAPTOR_SOCKET)",
        )
        if step == "start":
            _add_init_data(command)
        elif step == "run":
            _add_run_data(command)
        elif step == "status":
            command.add_argument(
                "--json", action="store_true", help="as JSON, which is the default in a pipe"
            )
        elif step == "logs":
            _add_of_logs(command)

    commands.add_parser("show-config", help="print the configuration that applies")
    commands.add_parser("version-info", help="print the versions of the interfaces")
    compatible = commands.add_parser(
        "is-compatible", help="exit with 0 if the interfaces serve who expects these versions"
    )
    for option, text in (
        ("--openjd-adaptor-cli-version", "of this command line, as it is expected"),
        ("--integration-data-interface-version", "of init data and run data, as it is expected"),
    ):
        compatible.add_argument(option, required=True, metavar="MAJOR.MINOR", help=text)
    if of_file:
        for each in (commands, steps):
            for command in each.choices.values():
                if command is not daemon:
                    command.add_argument("file", metavar="FILE", help="the TOML file of an adaptor")
    return parser


def _add_of_logs(parser: Parser) -> None:
    parser.add_argument(
        "-f", "--follow", action="store_true", help="go on until the daemon ends, or Ctrl-C"
    )
    parser.add_argument(
        "-n",
        "--lines",
        type=_number,
        default=20,
        metavar="N",
        help="how many of the last lines (default: 20)",
    )
    parser.add_argument("--times", action="store_true", help="when each line came")


def _number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of lines")
    return int(text)


def _add_init_data(parser: Parser) -> None:
    parser.add_argument("--init-data", default="{}", metavar="DATA", help=_DATA)
    _add_field(parser, "--init-field", "init data")
    parser.add_argument("--path-mapping-rules", metavar="DATA", help=_DATA)


def _add_run_data(parser: Parser) -> None:
    parser.add_argument("--run-data", default="{}", metavar="DATA", help=_DATA)
    _add_field(parser, "--run-field", "run data")


def _add_field(parser: Parser, option: str, data: str) -> None:
    parser.add_argument(
        option,
        action="append",
        default=[],
        metavar="NAME=TEXT",
        help=f"a field of the {data}, as it is; NAME:=JSON for what is no text, NAME[]=LINES for a "
        "list of texts, NAME?=TEXT to leave it out if it is empty; may be there again",
    )
