"""The commands ``daemon start``, ``run``, ``stop``, ``status`` and ``logs``."""

from __future__ import annotations

from .._daemon import frontend

TYPE_CHECKING = False  # typing itself costs a frontend more than all of this module
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .. import EntryPoint


def main(
    entry_point: EntryPoint, step: str, given: Mapping[str, Any], reentry_exe: str | None
) -> int:
    """Runs the command and returns the exit status.

    Args:
        entry_point: the adaptor's.
        step: which command.
        given: its options, by their names on the command line.
        reentry_exe: see ``EntryPoint.start``.
    """
    connection_file = given.get("--connection-file")
    if step == "start":
        rules = given.get("--path-mapping-rules")
        return frontend.start(
            entry_point.reentry_command(reentry_exe),
            connection_file,
            _data(given, "--init-data", "--init-field"),
            _text(rules, "--path-mapping-rules") if rules else None,
        )
    if step == "run":
        return frontend.run(connection_file, _data(given, "--run-data", "--run-field"))
    if step == "stop":
        return frontend.stop(connection_file)
    if step == "logs":
        from .._daemon import watching

        count, follow, times = (given[f"--{key}"] for key in ("lines", "follow", "times"))
        return watching.logs(connection_file, count, follow, times)
    from . import status

    status.show(frontend.status(connection_file), given.get("--json") is True)
    return 0


def _data(given: Mapping[str, Any], option: str, field_option: str) -> tuple[str, str]:
    """The text of init data or run data, and what to call it in messages."""
    text = _text(given.get(option), option)
    fields = given.get(field_option)
    if not fields:
        return text
    from .._fields import with_fields

    return with_fields(text, fields, field_option)


def _text(argument: str | None, option: str) -> tuple[str, str]:
    """The text that an option gives, and what to call it in messages."""
    argument = "{}" if argument is None else argument
    if not argument.startswith("file://"):
        try:
            argument.encode("utf-8")
            return argument, option
        except UnicodeEncodeError:
            pass
    from .._data import read_text

    return read_text(argument, option)
