"""The command line of an adaptor."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing itself costs a frontend more than all of this module
if TYPE_CHECKING:
    import argparse
    from typing import Any

    from .. import EntryPoint

#: What the frontend starts the backend with; not for people, so not in the grammar.
SERVE = ["daemon", "_serve"]
#: Command -> its options, and which of them it needs. What a scheduler calls for each task:
#: argparse alone would double what such a command loads.
_PLAIN = {
    "start": ("--connection-file", "--init-data", "--init-field", "--path-mapping-rules"),
    "run": ("--connection-file", "--run-data", "--run-field"),
    "stop": ("--connection-file",),
}
#: These may be there more than once.
_MANY = ("--init-field", "--run-field")


def main(entry_point: EntryPoint, arguments: list[str], reentry_exe: str | None) -> int:
    """Runs the command that `arguments` ask for and returns the exit status."""
    status = _run(entry_point, arguments, reentry_exe)
    from .._platform import end_cancel_signals

    end_cancel_signals()
    return status


def _run(entry_point: EntryPoint, arguments: list[str], reentry_exe: str | None) -> int:
    given = _plain_options(arguments)
    in_session = given is not None
    try:
        if arguments == SERVE:
            from .._daemon.backend import serve

            return serve(entry_point)
        if given is not None:
            from . import daemon

            return daemon.main(entry_point, arguments[1], given, reentry_exe)
        from .._terminal import forgive
        from .parser import parse

        forgive()

        options = parse(
            entry_point.adaptor_name, arguments, version=lambda: _version_line(entry_point)
        )
        # Who only watches is no part of the session, and must not fail it.
        in_session = options.command in ("run", "daemon") and arguments[1:2] != ["logs"]
        return _command(entry_point, options, reentry_exe)
    except Exception as e:
        return _report(e, in_session)


def _version_line(entry_point: EntryPoint) -> str:
    from .distribution import version_line

    return version_line(entry_point)


def _plain_options(arguments: list[str]) -> dict[str, Any] | None:
    """The options of a ``daemon`` command in their plain form, else None.

    Everything that is not written out as ``--option value`` (abbreviations, ``--help``,
    mistakes) is argparse's to read.
    """
    known = _PLAIN.get(arguments[1]) if len(arguments) > 1 else None
    if known is None or arguments[0] != "daemon" or len(arguments) % 2:
        return None
    given: dict[str, Any] = {}
    for option, value in zip(arguments[2::2], arguments[3::2]):
        if option not in known or value[:1] == "-":
            return None
        if option in _MANY:
            given.setdefault(option, []).append(value)
        else:
            given[option] = value
    return given


def _command(entry_point: EntryPoint, options: argparse.Namespace, reentry_exe: str | None) -> int:
    if options.command == "daemon":
        from . import daemon

        given = {f"--{key.replace('_', '-')}": value for key, value in vars(options).items()}
        return daemon.main(entry_point, options.step, given, reentry_exe)
    if options.command == "run":
        from . import run

        return run.main(entry_point, options)
    from . import about

    return about.main(entry_point, options)


def _report(error: Exception, in_session: bool) -> int:
    """One line for the log; a traceback where the log level asks for it, or for our own faults."""
    from .errors import is_expected, wants_traceback

    text = " ".join(str(error).split()) or type(error).__name__
    if not is_expected(error) or wants_traceback():
        import traceback

        traceback.print_exception(type(error), error, error.__traceback__)
    if in_session:
        _last_words(f"openjd_fail: {text}\n")
    else:
        from .._terminal import say_error

        say_error(text)
    return 1


def _last_words(line: str) -> None:
    from openjd.adaptor_runtime_client.wire.messages import encode_text

    try:
        sys.stdout.flush()
        os.write(1, encode_text(line))
    except OSError:
        # Nobody reads any more, and the interpreter shall not complain of that at its end.
        sys.stdout = None
