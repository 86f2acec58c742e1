"""A command at a terminal, and somebody who answers what it asks."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

#: Seconds until it has answered or ended. Never reached where all is well.
LIMIT = 50.0
#: What a question ends with.
QUESTION = b": "


def at_terminal(
    command: list[str], answers: Iterable[bytes], folder: Path, env: Mapping[str, str]
) -> tuple[int, str]:
    """Runs a command whose input and output are a terminal of its own.

    Args:
        command: program and arguments.
        answers: each is typed as it is once the command has asked, and not before.
        folder: where it runs.
        env: its environment.

    Returns:
        its exit status, and what the terminal shows: what was typed, too.
    """
    assert sys.platform != "win32", "there are no terminals of this sort on Windows"
    keyboard, screen = os.openpty()
    to_come = list(answers)
    shown = b""
    end = time.monotonic() + LIMIT
    with subprocess.Popen(
        command,
        cwd=folder,
        env=env,
        stdin=screen,
        stdout=screen,
        stderr=screen,
        start_new_session=True,
    ) as process:
        os.close(screen)
        try:
            while True:
                ready, _, _ = select.select([keyboard], [], [], max(end - time.monotonic(), 0))
                assert ready, f"it neither asks nor ends: {shown!r}"
                try:
                    data = os.read(keyboard, 65536)
                except OSError:  # nobody has the terminal any more (EIO)
                    data = b""
                if not data:
                    break
                shown += data
                if to_come and shown.endswith(QUESTION):
                    os.write(keyboard, to_come.pop(0))
            status = process.wait(LIMIT)
        finally:
            process.kill()
            os.close(keyboard)
    assert not to_come, f"it did not ask for {to_come}: {shown!r}"
    return status, shown.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
