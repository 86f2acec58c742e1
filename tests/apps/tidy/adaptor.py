"""Tidy: prints its data as it gets them, and what its applications inherit and map."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from openjd.adaptor_runtime.adaptors import Adaptor, SemanticVersion
from openjd.adaptor_runtime.application_ipc import ActionsQueue, AdaptorServer
from openjd.adaptor_runtime.process import LoggingSubprocess
from openjd.adaptor_runtime_client import Action

_CLIENT = str(Path(__file__).with_name("client.py"))


class Tidy(Adaptor):
    """Has an application that prints the variables ``TIDY_…``, then maps the paths in ``ask``."""

    # TIDY_SCHEMAS: for tests of adaptors whose schemas cannot be used.
    data_schemas = os.environ.get("TIDY_SCHEMAS", "schemas")

    @property
    def integration_data_interface_version(self) -> SemanticVersion:
        return SemanticVersion(major=1, minor=0)

    def on_start(self) -> None:
        print("init_data", json.dumps(self.init_data))

    def on_run(self, run_data: dict[str, Any]) -> None:
        print("run_data", json.dumps(run_data))
        queue = ActionsQueue()
        for path in run_data.get("ask", []):
            self.map_path(path)
            queue.enqueue_action(Action("map", {"path": path}))
        queue.enqueue_action(Action("close"))
        server = AdaptorServer(queue, self)
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            LoggingSubprocess(args=[sys.executable, _CLIENT, server.server_path]).wait()
        finally:
            server.shutdown()
            serving.join()

    def on_cleanup(self) -> None:
        print("cleaned up")
