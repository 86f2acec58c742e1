"""Runs beside the scheduler: starts Engraver once, then has it render frame after frame."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openjd.adaptor_runtime.adaptors import IntRange, SemanticVersion
from openjd.adaptor_runtime.application import ApplicationAdaptor, Fail, Limits, Warn


class EngraverAdaptor(ApplicationAdaptor):
    """Drives ``client.py``, which runs in Engraver's own Python and keeps the scene open."""

    application_name = "Engraver"
    # The version of the two schemas: raise it when they change.
    integration_data_interface_version = SemanticVersion(major=0, minor=1)
    data_schemas = "schemas"
    client = "client.py"
    # EDIT: what Engraver prints when something is wrong. A site can change a rule by its id.
    rules = (
        Warn(r"^Warning: (.*)", "{1}", id="warnings"),
        Fail(r"^Error: .*", id="errors"),
    )
    # EDIT: when it is given up, in seconds: no start, or a task without any sign of life.
    limits = Limits(start=300, silence=1800)

    def command(self) -> list[str]:
        """Engraver's command line. It must have Engraver's Python run ``self.client_script``."""
        # EDIT: a bare Python stands in for Engraver until its command line stands here, such as
        # ["blender", "--background", "--python", self.client_script].
        return [sys.executable, self.client_script]

    def on_start(self) -> None:
        """Once for a session: open the scene."""
        Path(self.init_data["output_dir"]).mkdir(parents=True, exist_ok=True)
        self.app.call("load", scene=self.init_data["scene"])

    def on_run(self, run_data: dict[str, Any]) -> None:
        """A task: render its frames."""
        for frame in self.frames(run_data["frames"]):
            self.update_status(status_message=f"Rendering frame {frame}")
            self.app.call("render", frame=frame, output=self._picture(frame))

    def outputs(self, run_data: dict[str, Any]) -> Sequence[str]:
        """What must be there, new and not empty, when the task has ended."""
        return [self._picture(frame) for frame in IntRange.parse(run_data["frames"])]

    def _picture(self, frame: int) -> str:
        return str(Path(self.init_data["output_dir"]) / f"frame_{frame:04d}.svg")
