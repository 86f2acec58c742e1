"""The adaptor: starts the renderer once, then has it render one frame per task."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openjd.adaptor_runtime.adaptors import SemanticVersion
from openjd.adaptor_runtime.application import ApplicationAdaptor, Progress, Warn


class TurntableAdaptor(ApplicationAdaptor):
    """Drives ``client.py``, a Mitsuba renderer that keeps its scene in memory."""

    application_name = "Mitsuba"
    minimum_version = "3.5"
    # The version of the two schemas; a job made for another one is refused.
    integration_data_interface_version = SemanticVersion(major=1, minor=0)
    data_schemas = "schemas"
    client = "client.py"
    rules = (
        Progress(r"^Rendering (\d+)%$", id="progress"),
        Warn(r"^Mitsuba: (.*)", "{1}", id="mitsuba"),
    )

    def command(self) -> list[str]:
        """The application: a Python that runs the client."""
        return [sys.executable, self.client_script]

    def on_start(self) -> None:
        """Load the scene: paid once, before the first frame."""
        self.update_status(status_message="Loading the scene")
        Path(self.init_data["output_dir"]).mkdir(parents=True, exist_ok=True)
        self.app.call("load_scene")

    def on_run(self, run_data: dict[str, Any]) -> None:
        """Render one frame."""
        frame, frames = run_data["frame"], self.init_data["frames"]
        self.update_status(progress=0, status_message=f"Rendering frame {frame} of {frames}")
        self.app.call(
            "render_frame",
            frame=frame,
            angle=360.0 * (frame - 1) / frames,
            width=self.init_data["width"],
            height=self.init_data["height"],
            samples=self.init_data["samples"],
            output=self._picture(frame),
        )
        self.update_status(status_message=f"Wrote frame_{frame:04d}.png")

    def outputs(self, run_data: dict[str, Any]) -> Sequence[str]:
        """The picture: a task whose renderer did not write it has failed."""
        return [self._picture(run_data["frame"])]

    def _picture(self, frame: int) -> str:
        return str(Path(self.init_data["output_dir"]) / f"frame_{frame:04d}.png")
