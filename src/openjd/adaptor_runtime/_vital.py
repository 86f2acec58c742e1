"""Threads without which a session cannot go on."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

#: Called with what has ended such a thread, before the process ends; should need no memory.
last_words: Callable[[BaseException], object] | None = None


def start_vital(name: str, target: Callable[..., object], *args: Any) -> None:
    """Runs `target` in a thread of its own, and ends the process if that cannot be done.

    Where there is no memory left, say, a request would never be answered. So its end is seen by
    whoever waits for this process, and the guardian ends what it has started.
    """

    def run() -> None:
        try:
            target(*args)
        except BaseException as e:
            end(e)

    try:
        threading.Thread(target=run, name=name, daemon=True).start()
    except (RuntimeError, MemoryError) as e:
        end(e)


def end(error: BaseException) -> None:
    """Ends the process, which cannot go on for that reason."""
    try:
        if last_words is not None:
            last_words(error)
    finally:
        os._exit(1)
