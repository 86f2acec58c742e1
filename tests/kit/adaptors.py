"""Adaptors for tests of the kit: one of each kind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from openjd.adaptor_runtime.adaptors import Adaptor, CommandAdaptor, IntRange, SemanticVersion
from openjd.adaptor_runtime.app_handlers import RegexCallback, RegexHandler
from openjd.adaptor_runtime.application import ApplicationAdaptor, Fail, Progress
from openjd.adaptor_runtime.application_ipc import ActionsQueue, AdaptorServer
from openjd.adaptor_runtime.process import LoggingSubprocess, ManagedProcess
from openjd.adaptor_runtime_client import Action

VERSION = SemanticVersion(1, 0)


class Painter(ApplicationAdaptor):
    """Drives an application that has a client, and is called ``painter``."""

    application_name = "Painter"
    integration_data_interface_version = VERSION
    client = "studio/client.py"
    minimum_version = "4.0"
    rules = (Progress(r"^(\d+)%"), Fail(r"^ERROR: .*"))

    def command(self) -> list[str]:
        """The client's script stands behind an option."""
        return ["painter", "--background", "--python", self.client_script]

    def on_start(self) -> None:
        """Loads the scene."""
        self.app.call("load", scene=self.map_path(self.init_data["scene"]))

    def on_run(self, run_data: dict[str, Any]) -> None:
        """Paints frames; with ``what`` it does that instead."""
        if "what" in run_data:
            self.answer = self.app.call(run_data["what"], **run_data.get("with", {}))
            print(f"answer: {self.answer!r}")
            return
        for frame in self.frames(run_data["frames"]):
            self.update_status(status_message=f"Painting {frame}")
            self.app.call("paint", frame=frame, path=self._path(frame))

    def outputs(self, run_data: dict[str, Any]) -> list[str]:
        """A picture for each frame."""
        frames = IntRange.parse(run_data["frames"]) if "frames" in run_data else ()
        return [self._path(frame) for frame in frames]

    def _path(self, frame: int) -> str:
        return f"pictures/{frame}.png"


class RealPainter(Painter):
    """The same, with an application that is there: the client in a plain Python."""

    def command(self) -> list[str]:
        """A Python with the module that the client imports."""
        return [sys.executable, self.client_script]

    def environment(self) -> dict[str, str]:
        """Where that module is."""
        return {"PYTHONPATH": str(Path(__file__).parent / "studio")}


class Converter(CommandAdaptor):
    """A command of the 0.9 surface."""

    integration_data_interface_version = VERSION

    def get_managed_process(self, run_data: dict[str, Any]) -> ManagedProcess:
        """Runs ``converter``."""
        handler = RegexHandler([RegexCallback([re.compile(r"(\d+) percent")], self._told)])
        return _Converting(run_data, stdout_handler=handler, stderr_handler=handler)

    def _told(self, match: Any) -> None:
        self.update_status(progress=float(match[1]))


class _Converting(ManagedProcess):
    def get_executable(self) -> str:
        return "converter"

    def get_arguments(self) -> list[str]:
        return list(self.run_data["arguments"])


class Veteran(Adaptor[Any]):
    """An application with a client of the 0.9 surface: actions without answers, a variable."""

    integration_data_interface_version = VERSION

    def on_start(self) -> None:
        """Starts it, and waits until it has taken its first action."""
        self._queue = ActionsQueue()
        self._server = AdaptorServer(self._queue, self)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        os.environ["VETERAN_SERVER_PATH"] = self._server.server_path
        self._done = threading.Event()
        handler = RegexHandler(
            [RegexCallback([re.compile("^done$")], lambda match: self._done.set())]
        )
        self._process = LoggingSubprocess(args=["veteran", "-x"], stdout_handler=handler)

    def on_run(self, run_data: dict[str, Any]) -> None:
        """Has it do something, and waits for the line that says that it is done."""
        self._done.clear()
        self._queue.enqueue_action(Action("work", run_data))
        assert self._done.wait(20), "the application does not say that it is done"

    def on_stop(self) -> None:
        """Has it end."""
        self._queue.enqueue_action(Action("close"))
        self._process.wait()

    def on_cleanup(self) -> None:
        """Ends the server."""
        self._server.shutdown()
        self._thread.join()


class Doer(Adaptor[Any]):
    """Executes code that the test hands over; leaves behind what that leaves behind."""

    integration_data_interface_version = VERSION

    def on_start(self) -> None:
        """Executes ``start``."""
        exec(self.init_data.get("start", ""), globals(), {"self": self})

    def on_run(self, run_data: dict[str, Any]) -> None:
        """Executes ``do``."""
        exec(run_data.get("do", ""), globals(), {"self": self})


def leave_a_file() -> None:
    """Leaves a file in the temporary folder."""
    Path(tempfile.gettempdir(), "left.txt").write_text("x")


def leave_a_process() -> None:
    """Leaves a process of its own."""
    code = "import threading; print(0, flush=True); threading.Event().wait()"
    process = subprocess.Popen(
        [sys.executable, "-c", code], start_new_session=True, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    with process.stdout:
        process.stdout.readline()
    process.returncode = 0  # as far as this process is concerned
