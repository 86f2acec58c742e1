"""Runs in the fake application's Python: actions that do what the row says."""

from __future__ import annotations

import os
import runpy
from typing import Any

from openjd.adaptor_runtime_client import ApplicationClient, action

NAMES = runpy.run_path(os.path.join(os.path.dirname(__file__), "fake.py"))


def obey(variable: str) -> Any:
    """Executes the code in a variable; its result is what it calls ``result``."""
    NAMES.pop("result", None)
    exec(compile(os.environ.get(variable, ""), "<application>", "exec"), NAMES)
    return NAMES.get("result")


class FakeClient(ApplicationClient):
    """What the application can do."""

    version = os.environ.get("FAKE_VERSION")

    @action
    def do(self) -> Any:
        """What the row says."""
        return obey("FAKE_DO")

    @action
    def load(self) -> Any:
        """What the row says of the start."""
        return obey("FAKE_LOAD")

    @action
    def render(self, frame: int, path: str) -> dict[str, int]:
        """A frame, as good as any."""
        if frame == 13:
            raise ValueError("frame 13 has no camera")
        self.progress(50)
        NAMES["write"](path)
        return {"frame": frame}

    def on_close(self) -> None:
        """What the row says of the end."""
        obey("FAKE_CLOSE")


NAMES["Client"] = FakeClient
NAMES["ApplicationClient"] = ApplicationClient
obey("FAKE_BEFORE")
NAMES["client"] = client = FakeClient()
client.connect()
client.poll()
obey("FAKE_AFTER")
