"""The ``daemon`` commands, as argparse read them."""

from __future__ import annotations

from .._daemon import frontend
from .._data import read_text

TYPE_CHECKING = False  # typing itself costs a frontend more than all of this module
if TYPE_CHECKING:
    import argparse

    from .. import EntryPoint


def main(entry_point: EntryPoint, options: argparse.Namespace, reentry_exe: str | None) -> int:
    """Runs the command and returns the exit status."""
    if options.step == "start":
        rules = options.path_mapping_rules
        return frontend.start(
            entry_point.reentry_command(reentry_exe),
            options.connection_file,
            read_text(options.init_data, "--init-data"),
            read_text(rules, "--path-mapping-rules") if rules else None,
        )
    if options.step == "run":
        return frontend.run(options.connection_file, read_text(options.run_data, "--run-data"))
    if options.step == "stop":
        return frontend.stop(options.connection_file)
    import json

    answer = frontend.status(options.connection_file)
    print(json.dumps({key: value for key, value in answer.items() if key != "type"}))
    return 0
