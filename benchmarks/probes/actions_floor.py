"""The floor of the action benchmarks: two bare processes that answer each other over pipes.

With ``--take`` instead of its two arguments it is the application's end.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from typing import Any

_LARGER_THAN_A_MESSAGE = 4096


def _take(source: int, sink: int) -> None:
    """Ask for each message, as a client asks for each action."""
    latencies: list[float] = []
    started = now = 0
    while True:
        os.write(sink, b"next")
        message = json.loads(os.read(source, _LARGER_THAN_A_MESSAGE))
        if message is None:
            break
        now = time.perf_counter_ns()
        latencies.append((now - message["ns"]) / 1e6)
        started = started or now
    rate = (len(latencies) - 1) / (now - started) * 1e9
    os.write(sink, json.dumps({"latency": latencies, "rate": [rate]}).encode())


def _give(source: int, sink: int, config: dict[str, Any]) -> None:
    pauses = random.Random(config["seed"])
    for _ in range(config["count"]):
        os.read(source, _LARGER_THAN_A_MESSAGE)
        if config["mode"] == "latency":
            time.sleep(pauses.uniform(0.4, 1.6) * config["mean_s"])
        os.write(sink, json.dumps({"ns": time.perf_counter_ns()}).encode())
    os.read(source, _LARGER_THAN_A_MESSAGE)
    os.write(sink, b"null")


def main() -> None:
    if sys.argv[1] == "--take":
        _take(0, 1)
        return
    config = json.loads(sys.argv[1])
    child = subprocess.Popen(
        [sys.executable, __file__, "--take"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    _give(child.stdout.fileno(), child.stdin.fileno(), config)
    measured = json.loads(child.stdout.read())
    child.wait()
    with open(sys.argv[2], "w") as file:
        json.dump({config["mode"]: measured[config["mode"]]}, file)


if __name__ == "__main__":
    main()
