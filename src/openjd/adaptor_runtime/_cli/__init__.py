"""The command line of an adaptor."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from .._entrypoint import EntryPoint


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line instead of the usage, which ``--help`` shows."""
        self.exit(2, f"ERROR: {self.prog}: {message} (see {self.prog} --help)\n")


_DATA = "JSON or YAML, inline or as file://PATH"


def _parser(name: str) -> argparse.ArgumentParser:
    parser = _Parser(prog=name, description="An Open Job Description adaptor.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    run = commands.add_parser("run", help="start, run one task, stop and clean up, in this process")
    _add_init_data(run)
    run.add_argument("--run-data", default="{}", metavar="DATA", help=_DATA)

    daemon = commands.add_parser("daemon", help="keep the adaptor alive between tasks")
    steps = daemon.add_subparsers(dest="step", metavar="COMMAND", required=True)
    for step, text in (
        ("start", "start the daemon and the adaptor in it"),
        ("run", "run a task in the daemon"),
        ("stop", "stop the adaptor and its daemon"),
        ("status", "show what the daemon is doing, as JSON"),
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
            command.add_argument("--run-data", default="{}", metavar="DATA", help=_DATA)
    # Not for people, so not in the help: what the frontend starts the backend with.
    steps._name_parser_map["_serve"] = _Parser(prog=f"{name} daemon _serve")

    commands.add_parser("show-config", help="print the configuration that applies")
    commands.add_parser("version-info", help="print the versions of the interfaces")
    compatible = commands.add_parser(
        "is-compatible", help="exit with 0 if the interfaces serve who expects these versions"
    )
    for option in ("--openjd-adaptor-cli-version", "--integration-data-interface-version"):
        compatible.add_argument(option, required=True, metavar="MAJOR.MINOR")
    return parser


def _add_init_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--init-data", default="{}", metavar="DATA", help=_DATA)
    parser.add_argument("--path-mapping-rules", metavar="DATA", help=_DATA)


def main(entry_point: EntryPoint, arguments: list[str], reentry_exe: str | None) -> int:
    """Runs the command that `arguments` ask for and returns the exit status."""
    options = _parser(entry_point.adaptor_name).parse_args(arguments)
    try:
        if options.command == "daemon":
            if options.step == "_serve":
                from .._daemon.backend import serve

                return serve(entry_point)
            from . import daemon

            return daemon.main(entry_point, options, reentry_exe)
        if options.command == "run":
            from . import run

            return run.main(entry_point, options)
        from . import about

        return about.main(entry_point, options)
    except Exception as e:
        return _report(e, options.command in ("run", "daemon"))


def _report(error: Exception, in_session: bool) -> int:
    """One line for the log; a traceback where the log level asks for it, or for our own faults."""
    from .errors import is_expected, wants_traceback

    text = " ".join(str(error).split()) or type(error).__name__
    if not is_expected(error) or wants_traceback():
        import traceback

        traceback.print_exception(type(error), error, error.__traceback__)
    if in_session:
        sys.stdout.flush()
        print(f"openjd_fail: {text}", flush=True)
    else:
        print(f"ERROR: {text}", file=sys.stderr, flush=True)
    return 1
