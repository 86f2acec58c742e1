"""The adaptor's process of the application benchmarks: a queue, a server, and a client to it.

The client writes what it measured into the file that is the second argument.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from typing import Any

from path_subject import make_rules  # type: ignore[import-not-found]

from openjd.adaptor_runtime.adaptors import Adaptor, SemanticVersion
from openjd.adaptor_runtime.application_ipc import ActionsQueue, AdaptorServer
from openjd.adaptor_runtime_client import Action


class _Adaptor(Adaptor[Any]):
    @property
    def integration_data_interface_version(self) -> SemanticVersion:
        return SemanticVersion(0, 1)

    def on_run(self, run_data: dict[str, Any]) -> None:
        pass


def _wait_until_taken(queue: ActionsQueue) -> None:
    while len(queue):
        time.sleep(0.002)


def _enqueue_stamps(queue: ActionsQueue, config: dict[str, Any]) -> None:
    """One action at a time to a client that waits for it, at irregular intervals."""
    pauses = random.Random(config["seed"])
    # Not measured: it tells that the client is there.
    queue.enqueue_action(Action("greet"))
    _wait_until_taken(queue)
    for _ in range(config["count"]):
        time.sleep(pauses.uniform(0.4, 1.6) * config["mean_s"])
        queue.enqueue_action(Action("stamp", {"ns": time.perf_counter_ns()}))


def main() -> None:
    config = json.loads(sys.argv[1])
    mapping = {"path_mapping_rules": make_rules(config.get("rules", 0))}
    queue = ActionsQueue()
    server = AdaptorServer(queue, _Adaptor({}, path_mapping_data=mapping))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    if config["mode"] == "rate":
        # All before the client comes: what is measured is how fast it can take them.
        for number in range(config["count"]):
            queue.enqueue_action(Action("tick", {"number": number}))
    elif config["mode"] == "map_path":
        queue.enqueue_action(Action("map_path", config))
    client = subprocess.Popen(
        [sys.executable, config["client"], server.server_path, sys.argv[2]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={**os.environ, **config.get("client_environ", {})},
    )
    if config["mode"] == "latency":
        _enqueue_stamps(queue, config)
    queue.enqueue_action(Action("close"))
    status = client.wait()
    server.shutdown()
    thread.join()
    sys.exit(status)


if __name__ == "__main__":
    main()
