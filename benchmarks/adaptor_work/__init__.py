"""What the measured adaptors do, imported by the first task only: frontends must not pay for it."""

from __future__ import annotations

import time
from typing import Any


def perform(run_data: dict[str, Any]) -> None:
    """Do what the task's data asks for: nothing, a pause, or a command whose output is shown.

    With ``counted`` the output goes through six callbacks, and a line at the end tells their calls.
    """
    pause = run_data.get("sleep_s")
    if pause:
        time.sleep(pause)
    command = run_data.get("command")
    if command and run_data.get("counted"):
        from .counted import run_counted

        run_counted(command)
    elif command:
        from openjd.adaptor_runtime.process import LoggingSubprocess

        process = LoggingSubprocess(args=command)
        process.wait()
        if process.returncode != 0:
            raise RuntimeError(f"the command ended with status {process.returncode}")
