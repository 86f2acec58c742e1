"""Signals that cancel are never lost, however unlucky the moment."""

from __future__ import annotations

import signal
import sys

import pytest
from bounded import Child

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

#: Waits as a frontend does; a second thread, as busy as a session's, asks for the next signal
#: just when the first begins to wait for it.
WAITER = """
import threading
from queue import SimpleQueue
from openjd.adaptor_runtime._platform import on_cancel_signals
events, asked = SimpleQueue(), SimpleQueue()
on_cancel_signals(lambda: events.put(None))
def ask():
    while True:
        asked.get()
        print("now", flush=True)
threading.Thread(target=ask, daemon=True).start()
while True:
    asked.put(None)
    events.get()
"""


def test_no_signal_is_lost() -> None:
    """A signal that comes just before the wait for it begins ends that wait."""
    with Child(WAITER) as child:
        for n in range(2000):
            child.expect("now")
            child.process.send_signal((signal.SIGINT, signal.SIGTERM)[n % 2])
        child.expect("now")
