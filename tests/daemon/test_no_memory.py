"""Where there is no memory left: a failure in one line, never a wait without an end."""

from __future__ import annotations

import json
import sys

import pytest
from apps.drive import Host, Session
from apps.gates import Gate

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")

#: From here on no thread can be started: each wants some megabytes for its stack, and those that
#: ended threads have left are used up.
LIMIT = """
import resource
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 1_000_000, -1))
try:
    while True:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
except RuntimeError:
    pass
"""


def test_a_task_whose_end_cannot_be_told(session: Session) -> None:
    """No thread for the answer: the daemon ends, and its frontend says so, with the reason."""
    session.start()
    ended = session.run(LIMIT)
    assert "ended unexpectedly" in ended.fails()
    assert "can't start new thread" in ended.out
    assert session.stop().status == 0


def test_an_application_that_nobody_could_read(session: Session, gate: Gate) -> None:
    """No thread for its output: it is ended at once, and the task fails."""
    session.start()
    ended = session.run(LIMIT + f"application('hold', {gate.port}).wait()")
    # The task has failed, and then that could not be told either.
    assert ended.status == 1
    assert "openjd_fail: Error encountered while running adaptor: can't start new thread" in (
        ended.out
    )
    assert session.stop().status == 0


def test_a_command_whose_session_cannot_begin(host: Host) -> None:
    """The foreground command ends with a line that says why."""
    code = LIMIT + "import signal; os.kill(os.getpid(), signal.SIGTERM); threading.Event().wait()"
    ended = host.run("-m", "obedient", "run", "--run-data", json.dumps({"do": code}))
    assert "the session cannot go on: RuntimeError: can't start new thread" in ended.fails()
