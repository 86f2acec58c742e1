"""What the threads of this process do: for logs of sessions that hang."""

from __future__ import annotations

import sys
import threading


def describe_threads() -> list[str]:
    """For each thread its name and its stack, as a text of several lines.

    The one that runs the adaptor's code comes first: it is the one to look at.
    """
    import traceback

    names = {thread.ident: thread.name for thread in threading.enumerate()}
    described = []
    for ident, frame in sys._current_frames().items():
        stack = "".join(traceback.format_stack(frame)).rstrip()
        described.append(f"Thread {names.get(ident, ident)}:\n{stack}")
    return sorted(described, key=lambda text: not text.startswith("Thread adaptor:"))
