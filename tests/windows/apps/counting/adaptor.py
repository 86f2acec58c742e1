"""Counting: each task has the application count to the number in the run data."""

from __future__ import annotations

import re
import sys
import threading
from pathlib import Path
from typing import Any

from openjd.adaptor_runtime.adaptors import Adaptor, SemanticVersion
from openjd.adaptor_runtime.app_handlers import RegexCallback, RegexHandler
from openjd.adaptor_runtime.application_ipc import ActionsQueue, AdaptorServer
from openjd.adaptor_runtime.process import LoggingSubprocess
from openjd.adaptor_runtime_client import Action


class Counting(Adaptor):
    """Starts ``client.py`` once, and ends it at the end."""

    @property
    def integration_data_interface_version(self) -> SemanticVersion:
        return SemanticVersion(major=0, minor=1)

    def on_start(self) -> None:
        self.actions = ActionsQueue()
        self.server = AdaptorServer(self.actions, self)
        self.serving = threading.Thread(target=self.server.serve_forever)
        self.serving.start()
        self.done = threading.Event()
        client = str(Path(__file__).with_name("client.py"))
        said = RegexCallback([re.compile("^(counted|shut down)$")], lambda match: self.done.set())
        self.application = LoggingSubprocess(
            args=[sys.executable, client, self.server.server_path],
            stdout_handler=RegexHandler([said]),
        )

    def on_run(self, run_data: dict[str, Any]) -> None:
        self.done.clear()
        self.actions.enqueue_action(Action("count", run_data))
        self.done.wait()
        if not self.application.is_running:
            raise RuntimeError("the application is gone")

    def on_stop(self) -> None:
        self.actions.enqueue_action(Action("close"))
        self.application.wait()

    def on_cleanup(self) -> None:
        self.application.terminate(grace_time_s=0)
        self.server.shutdown()
        self.serving.join()

    def on_cancel(self) -> None:
        self.application.terminate(grace_time_s=60)
