"""The adaptor: starts Blender once with the scene, then has it render chunks of frames."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from openjd.adaptor_runtime.adaptors import IntRange, SemanticVersion
from openjd.adaptor_runtime.application import ApplicationAdaptor, Fail, Progress, Status


class BlenderAdaptor(ApplicationAdaptor):
    """Drives ``client.py`` in Blender's Python. Init data and run data: see ``schemas``."""

    application_name = "Blender"
    minimum_version = "3.0"
    integration_data_interface_version = SemanticVersion(major=0, minor=1)
    data_schemas = "schemas"
    client = "client.py"
    rules = (
        Progress(r"\| Sample (\d+)/(\d+)", id="samples"),
        Status(r"\| (Synchronizing object|Building BVH|Loading denoising).*", "{1}", id="phase"),
        Fail(r"^(Error|ERROR|CUDA error|Error: Out of memory)\b.*", id="error", during=("run",)),
    )

    def command(self) -> list[str]:
        """Blender without a window, without the user's preferences and add-ons."""
        blender = self.init_data.get("blender", "blender")
        options = ["--background", "--factory-startup", "--disable-autoexec", "-noaudio"]
        return [blender, *options, "--python", self.client_script]

    def on_start(self) -> None:
        """Load the scene: paid once."""
        strict = self.init_data.get("strict", True)
        self.app.call("load", scene=self.init_data["scene"], strict=strict)

    def on_run(self, run_data: dict[str, Any]) -> None:
        """Render the frames of a chunk."""
        for frame in self.frames(run_data["frames"]):
            self.update_status(status_message=f"Rendering frame {frame}")
            self.app.call("render", frame=frame, path=self._path(frame))

    def outputs(self, run_data: dict[str, Any]) -> Sequence[str]:
        """A picture for each frame: it must be there, new, and not empty."""
        return [self._path(frame) for frame in IntRange.parse(run_data["frames"])]

    def _path(self, frame: int) -> str:
        """The output path of a frame: ``####`` stands for its number."""

        def number(marks: re.Match[str]) -> str:
            return str(frame).zfill(len(marks[0]))

        return re.sub("#+", number, self.init_data["output"])
