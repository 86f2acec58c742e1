"""Many tasks through one daemon leave nothing in it; ``python -m benchmarks.soak`` has thousands.

The tasks are asked for over the wire, as ``daemon run`` does it, without a process for each.
"""

from __future__ import annotations

import json
from typing import Any

from apps.drive import Session

from openjd.adaptor_runtime_client.wire import messages
from openjd.adaptor_runtime_client.wire.transport import connect

MIB = 1024 * 1024
PLAIN = "pass"
# (every so many tasks, the task's code, whether it succeeds)
KINDS = (
    (50, "let_go.clear(); adaptor.update_status(status_message='waiting'); let_go.wait()", False),
    (25, "raise ValueError('a task that fails')", False),
    (20, "application('say', 'one', 'two').wait()", True),
    (10, "print('x' * 80 + '\\n' * 200)", True),
    (5, "for percent in range(0, 101, 10): adaptor.update_status(progress=percent)", True),
    (1, PLAIN, True),
)
# Threads that are about to end are waited for: all but that of this task's own connection, the
# youngest of its name.
HELD = """
import gc, json, psutil
passing = [t for t in threading.enumerate() if t.name == "frontend"][:-1]
passing += [t for t in threading.enumerate() if t.name in ("answer", "cancel", "on_cancel")]
for thread in passing:
    thread.join()
gc.collect()
me = psutil.Process()
held = {
    "threads": sorted(t.name for t in threading.enumerate()),
    "descriptors": me.num_fds() if hasattr(me, "num_fds") else None,
    "processes": len(me.children(recursive=True)),
    "memory": me.memory_info().rss,
}
print("HELD " + json.dumps(held))
"""


def run(address: str, code: str) -> tuple[bool, str]:
    """Runs a task, cancels it if it says that it waits; how it ended, and what it printed."""
    connection = connect(address)
    output = ""
    try:
        text = json.dumps({"do": code})
        connection.send({"type": messages.RUN, "text": text, "name": "run data"})
        while True:
            received = connection.receive()
            if not isinstance(received, bytes):
                break
            output += received.decode()
            if b"openjd_status: waiting" in received:
                connection.send({"type": messages.CANCEL, "hurry": False})
    finally:
        connection.close()
    assert received is not None and received["type"] == messages.FINAL, received
    return bool(received["ok"]), output


def held(address: str) -> dict[str, Any]:
    """What the daemon holds, as a task in it sees it."""
    ok, output = run(address, HELD)
    assert ok, output
    (line,) = (line for line in output.splitlines() if "HELD " in line)
    answer: dict[str, Any] = json.loads(line.partition("HELD ")[2])
    return answer


def test_tasks_leave_nothing_in_the_daemon(session: Session) -> None:
    """After 150 tasks it has the threads, descriptors and children that it had after 50.

    They are of all kinds: with output, progress, an application, a failure, a cancel. Its memory
    has grown by no more than a few MiB, and its folder has the same files.
    """
    session.start(start="let_go = threading.Event()", cancel="let_go.set()")
    address = json.loads(session.file.read_text())["socket"]
    seen = []
    for number in range(1, 151):
        code, succeeds = next((c, s) for every, c, s in KINDS if number % every == 0)
        ok, output = run(address, code)
        assert ok is succeeds, output
        if number in (50, 150):
            seen.append((held(address), session.host.files()))
    (early, early_files), (late, late_files) = seen
    grown = late.pop("memory") - early.pop("memory")
    assert late == early
    assert late_files == early_files
    assert grown < 8 * MIB
    assert session.stop().status == 0
