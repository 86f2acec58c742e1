"""Applications that misbehave on command: ``python children.py WHAT [ARGUMENT ...]``."""

from __future__ import annotations

import os
import subprocess
import sys

import gates
import signals


def say(*lines: str) -> None:
    """Prints each line."""
    for line in lines:
        print(line, flush=True)


def complain(*lines: str) -> None:
    """Prints each line to stderr."""
    for line in lines:
        print(line, file=sys.stderr, flush=True)


def spin() -> None:
    """Prints a progress bar's lines, which end in carriage returns."""
    sys.stdout.write("99 %\ropenjd_env: A=1\ropenjd_env: B=1\n")


def crash(status: str) -> None:
    """Ends with that exit status."""
    os._exit(int(status))


def hold(port: str) -> None:
    """Knocks and stays, as an application does that waits for its user."""
    gates.pass_through(int(port))


def defy(port: str) -> None:
    """Stays as well, and is deaf to every request to end."""
    signals.ignore_cancel()
    knock = gates.Knock(int(port))
    while True:
        knock.wait()


def parent(port: str) -> None:
    """Stays, and so does a child of its that has a session and a group of its own."""
    options = {} if sys.platform == "win32" else {"start_new_session": True}
    child = subprocess.Popen([sys.executable, __file__, "defy", port], **options)
    hold(port)
    child.wait()


def dynasty(port: str, generations: str = "3") -> None:
    """Deaf, and so is each generation below it; each has a session of its own."""
    signals.ignore_cancel()
    if int(generations) > 1:
        options = {} if sys.platform == "win32" else {"start_new_session": True}
        below = [sys.executable, __file__, "dynasty", port, str(int(generations) - 1)]
        subprocess.Popen(below, **options)
    defy(port)


def escape(port: str) -> None:
    """Starts a child with a session of its own and an empty environment, and ends."""
    subprocess.Popen(
        [sys.executable, __file__, "defy", port],
        env={},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def forsake(port: str) -> None:
    """Starts a child that stays in this process group with its output open, and ends."""
    subprocess.Popen([sys.executable, __file__, "defy", port])
    print("forsaken", flush=True)


def flood(count: str, port: str = "") -> None:
    """Prints numbered lines of 100 bytes; knocks when the last one is out."""
    for first in range(0, int(count), 1000):
        last = min(first + 1000, int(count))
        sys.stdout.write("".join(f"line {n:07d} {'x' * 86}\n" for n in range(first, last)))
    sys.stdout.flush()
    if port:
        gates.Knock(int(port)).close()


def endless(megabytes: str) -> None:
    """Prints one line of that many megabytes."""
    for _ in range(int(megabytes)):
        sys.stdout.write("x" * 1_000_000)
    print(flush=True)


def binary() -> None:
    """Prints bytes that are no text, between two lines that are."""
    os.write(1, b"before\n\xff\xfe caf\xe9\nafter\n")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
