"""The signals that cancel, on each system."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

if sys.platform == "win32":
    #: Signals that cancel a command.
    CANCEL_SIGNALS = ["CTRL_BREAK_EVENT"]
else:
    CANCEL_SIGNALS = ["SIGINT", "SIGTERM"]


def receiver_options() -> dict[str, Any]:
    """Arguments for Popen so that a signal reaches the process and not the tests."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def send(process: subprocess.Popen[Any], name: str = CANCEL_SIGNALS[-1]) -> None:
    """Sends the signal of that name."""
    process.send_signal(getattr(signal, name))


def ignore_cancel() -> None:
    """Makes this process deaf to the signals that cancel."""
    if sys.platform == "win32":
        signal.signal(signal.SIGBREAK, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
