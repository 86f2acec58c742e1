"""The adaptor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openjd.adaptor_runtime.adaptors import IntRange, SemanticVersion
from openjd.adaptor_runtime.application import (
    ApplicationAdaptor,
    Fail,
    License,
    Limits,
    Progress,
    Status,
    Warn,
)


class EngraverAdaptor(ApplicationAdaptor):
    """Has an engraver draw plates."""

    application_name = "Engraver"
    minimum_version = "2.1"
    integration_data_interface_version = SemanticVersion(major=1, minor=0)
    data_schemas = "schemas"
    client = "client.py"
    limits = Limits(silence=600)
    success_exit_codes = (0, 3)
    rules = (
        Progress(r"^Line (\d+) of (\d+)$", id="lines"),
        Status(r"^Pass (?P<name>\w+)", "pass {name}", id="pass"),
        Warn(r"needle (\d+) is blunt", "needle {1} is blunt", id="needle"),
        Fail(r"^ERROR\b.*", id="error", unless=r"ERROR 0"),
        License(r"^No licence", "is the licence server up?", id="licence"),
    )

    def command(self) -> list[str]:
        """Without a window."""
        program = self.init_data.get("program", "engraver")
        return [program, "--quiet", "--python", self.client_script]

    def on_start(self) -> None:
        """Load the plate."""
        self.app.call("load", plate=self.init_data["plate_file"], depth=self.init_data["depth"])

    def on_run(self, run_data: dict[str, Any]) -> None:
        """Engrave it."""
        for frame in self.frames(run_data["frames"]):
            self.app.call("engrave", timeout=3600, frame=frame, output=self._path(frame))

    def outputs(self, run_data: dict[str, Any]) -> Sequence[str]:
        """One picture for each frame."""
        return [self._path(frame) for frame in IntRange.parse(run_data["frames"])]

    def _path(self, frame: int) -> str:
        return f"{self.init_data['output_dir']}/{frame:04d}.png"
