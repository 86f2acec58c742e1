"""The stacks of an application's Python, shown in its own output."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess

from ..process import LoggingSubprocess

_logger = logging.getLogger(__name__)

# What py-spy may take (seconds).
_LIMIT = 5.0


def show_stacks(process: LoggingSubprocess, client_pid: int | None) -> bool:
    """Has the application say what its Python does, or py-spy if it is installed.

    The bootstrap of its client has told the interpreter to write its stacks to stderr upon a
    signal. That needs no co-operation of Python code, however busy it is.

    Args:
        process: the application.
        client_pid: the process with the client in it; None where there is none.

    Returns:
        Whether the application was told to write them to its stderr.
    """
    tool = shutil.which("py-spy")
    if tool is not None:
        try:
            dump = subprocess.run(
                [tool, "dump", "--pid", str(client_pid or process.pid)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_LIMIT,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as e:
            _logger.debug("py-spy: %s", e)
        else:
            _logger.error("%s", dump.stdout.decode("utf-8", "backslashreplace").rstrip())
            return False
    number = getattr(signal, "SIGUSR2", None)
    if number is None or client_pid is None or not process.is_running:
        return False
    try:
        os.kill(client_pid, number)
    except OSError as e:
        _logger.debug("the application's stacks: %s", e)
        return False
    return True
