"""Runs beside the scheduler: runs Engraver for each frame of a task."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from openjd.adaptor_runtime.adaptors import Adaptor, IntRange, SemanticVersion
from openjd.adaptor_runtime.adaptors.configuration import AdaptorConfiguration
from openjd.adaptor_runtime.app_handlers import RegexCallback, RegexHandler
from openjd.adaptor_runtime.process import LoggingSubprocess

APPLICATION = "Engraver"


class EngraverAdaptor(Adaptor[AdaptorConfiguration]):
    """Runs Engraver, and makes progress and failure of what it prints."""

    # The version of the two schemas: raise it when they change.
    integration_data_interface_version = SemanticVersion(major=0, minor=1)
    data_schemas = "schemas"

    def __init__(self, init_data: dict[str, Any], **options: Any) -> None:
        super().__init__(init_data, **options)
        # How many frames the task has, how many are done, and what was wrong with the one under way.
        self._count, self._done, self._error = 1, 0, ""

    def on_start(self) -> None:
        """Once for a session."""
        Path(self.init_data["output_dir"]).mkdir(parents=True, exist_ok=True)

    def on_run(self, run_data: dict[str, Any]) -> None:
        """A task: render its frames."""
        frames = IntRange.parse(run_data["frames"])
        self._count = len(frames)
        for self._done, frame in enumerate(frames):
            self.update_status(status_message=f"Rendering frame {frame}")
            self._render(frame)
            self.update_status(progress=100 * (self._done + 1) / self._count)

    def _render(self, frame: int) -> None:
        output = Path(self.init_data["output_dir"]) / f"frame_{frame:04d}.svg"
        # What is looked for below must not be the picture of an earlier attempt.
        output.unlink(missing_ok=True)
        self._error = ""
        # EDIT: what Engraver's output means. These run on the threads that read it.
        handler = RegexHandler(
            [
                RegexCallback([re.compile(r"^Progress: (\d+)%")], self._on_progress),
                RegexCallback([re.compile(r"^Error: .*")], self._on_error),
            ]
        )
        # EDIT: Engraver's command line. No shell reads it. A cancel ends it, and all it started.
        process = LoggingSubprocess(
            args=[
                self.init_data["program"],
                "--scene",
                self.init_data["scene"],
                "--frame",
                str(frame),
                "--output",
                str(output),
            ],
            stdout_handler=handler,
            stderr_handler=handler,
        )
        process.wait()
        if process.returncode != 0:
            ended = f"{APPLICATION} ended with exit code {process.returncode}"
            raise RuntimeError(self._error or ended)
        if self._error or not output.is_file():
            raise RuntimeError(self._error or f"{APPLICATION} did not write {output}")

    def _on_progress(self, match: re.Match[str]) -> None:
        percent = int(match[1])
        if percent < 100:  # A frame is done when its picture is there.
            self.update_status(progress=(100 * self._done + percent) / self._count)

    def _on_error(self, match: re.Match[str]) -> None:
        self._error = self._error or match[0]
