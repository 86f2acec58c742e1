"""An adaptor whose tasks are of the kinds in ``tasks.py``."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any

from openjd.adaptor_runtime.adaptors import SemanticVersion
from openjd.adaptor_runtime.application import ApplicationAdaptor
from openjd.adaptor_runtime.process import LoggingSubprocess


class SoakAdaptor(ApplicationAdaptor):
    """Does what a task's ``kind`` says, in the application or here."""

    integration_data_interface_version = SemanticVersion(major=0, minor=1)
    client = "client.py"

    def __init__(self, init_data: dict[str, Any], **options: Any) -> None:
        super().__init__(init_data, **options)
        self._kind = ""
        self._let_go = threading.Event()

    def command(self) -> list[str]:
        return [sys.executable, self.client_script]

    def on_run(self, run_data: dict[str, Any]) -> None:
        self._let_go.clear()
        self._kind = run_data["kind"]
        if self._kind == "canceled":
            self.update_status(status_message="waiting")
            self._let_go.wait()
            raise RuntimeError("canceled")
        if self._kind == "process":
            process = LoggingSubprocess(args=[sys.executable, "-I", "-S", "-c", "print('ours')"])
            process.wait()
        self.app.call(self._kind, number=run_data["number"])

    def on_cancel(self) -> None:
        # One kind of task is let go; the other ends with its application, as it does by default.
        pid = self.app.pid
        if self._kind == "ended" and pid is not None:
            os.kill(pid, signal.SIGTERM)
        self._let_go.set()
