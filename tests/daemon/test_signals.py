"""Signals that cancel are never lost, however unlucky the moment."""

from __future__ import annotations

import os
import signal
import sys

import pytest
from apps.drive import APPS
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


#: Its interpreter lives on for a while after it has given signals back.
LATE = """
import os, sys
from onefile import Small
from openjd.adaptor_runtime import EntryPoint

class Late:
    def __del__(self, write=os.write, read=os.read):
        write(1, b"late\\n")
        read(0, 1)

late = Late()
EntryPoint(Small).start()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_interpreter_ends(number: int) -> None:
    """It does not change the exit status of a command that has come to its end."""
    path = os.pathsep.join(filter(None, [str(APPS), os.environ.get("PYTHONPATH")]))
    with Child(LATE, "run", env={**os.environ, "PYTHONPATH": path}) as child:
        while (line := child.line()) != "late":
            assert line is not None
        child.process.send_signal(number)
        child.say("go")
        assert child.end() == (0, "", "")
