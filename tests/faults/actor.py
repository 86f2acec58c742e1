"""What the applications of these sessions do; also one of them: ``python actor.py DO ARGUMENT``.

Standard library only. Every line is written down in a journal once it has been printed, outside
of the session: what the session shows is compared with that.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from typing import Any, Callable

sys.path.insert(
    0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "apps")
)

import gates

END = "end"
# Where a driver that was killed itself left a family behind, it does not stay for ever.
_LONGEST_LIFE = 120.0


def append(witness: str, name: str, text: str) -> None:
    """Adds to a file of the witness's folder, in one piece."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    fd = os.open(os.path.join(witness, name), flags, 0o600)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def printed(text: str) -> None:
    """Prints it, at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def perform(
    spec: dict[str, Any],
    witness: str,
    say: Callable[[str], object] = printed,
    progress: Callable[[float], object] | None = None,
) -> None:
    """Prints numbered lines, and knocks at the gate before those that the driver wants to see.

    Args:
        spec: ``tag``, ``lines``, ``size`` (characters of filler), ``burst`` (lines that are
            printed at once), ``gate`` (a port) and ``stops`` (numbers of lines).
        witness: the folder of the journals.
        say: prints text.
        progress: tells progress; prints it if None.
    """
    tag, lines, burst = spec["tag"], spec["lines"], spec["burst"]
    stops = set(spec["stops"])
    filler = "x" * spec["size"]
    for first in range(1, lines + 1, burst):
        last = min(first + burst - 1, lines)
        if stops & set(range(first, last + 1)):
            gates.pass_through(spec["gate"])
        say("".join(f"L {tag} {number} {filler}\n" for number in range(first, last + 1)))
        append(witness, f"journal-{tag}", f"{first} {last}\n")
        if progress is None:
            say(f"openjd_progress: {100 * last // lines}\n")
        else:
            progress(100 * last / lines)
    if lines + 1 in stops:
        gates.pass_through(spec["gate"])
    append(witness, f"journal-{tag}", f"{END}\n")


def settle(init: dict[str, Any]) -> None:
    """Registers this process, and starts its family: a child with a grandchild that left it."""
    witness = init["witness"]
    register = f"application {os.getpid()}\n"
    if init["deaf"] == "application":
        _be_deaf()
    if init["family"]:
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", os.path.abspath(__file__), "child", json.dumps(init)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if init["holds"] else subprocess.DEVNULL,
        )
        assert child.stdout is not None
        grandchild = child.stdout.readline().decode().strip()
        register += f"child {child.pid}\ngrandchild {grandchild}\n"
    append(witness, "pids", register)


def _be_deaf() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _child(init: dict[str, Any]) -> None:
    if init["deaf"] == "family":
        _be_deaf()
    options: dict[str, Any] = {} if sys.platform == "win32" else {"start_new_session": True}
    grandchild = subprocess.Popen(
        [sys.executable, "-I", "-S", os.path.abspath(__file__), "grandchild", json.dumps(init)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        **options,
    )
    printed(f"{grandchild.pid}\n")
    threading.Event().wait(_LONGEST_LIFE)


def _grandchild(init: dict[str, Any]) -> None:
    if init["deaf"] == "family":
        _be_deaf()
    threading.Event().wait(_LONGEST_LIFE)


def _perform(init: dict[str, Any]) -> None:
    settle(init)
    perform(init["spec"], init["witness"])


def _stay(init: dict[str, Any]) -> None:
    """An application that stays beside the tasks."""
    settle(init)
    printed("stays\n")
    threading.Event().wait(_LONGEST_LIFE)


if __name__ == "__main__":
    {"perform": _perform, "stay": _stay, "child": _child, "grandchild": _grandchild}[sys.argv[1]](
        json.loads(sys.argv[2])
    )
