"""The adaptor."""

from __future__ import annotations

import re
from typing import Any

from openjd.adaptor_runtime.adaptors import Adaptor, SemanticVersion
from openjd.adaptor_runtime.app_handlers import RegexCallback, RegexHandler
from openjd.adaptor_runtime.process import LoggingSubprocess


class PlotterAdaptor(Adaptor):
    """Has a plotter draw, one command for each task."""

    data_schemas = "schemas"

    def __init__(self, init_data: dict[str, Any], **options: Any) -> None:
        super().__init__(init_data, **options)
        self._process: LoggingSubprocess | None = None

    @property
    def integration_data_interface_version(self) -> SemanticVersion:
        """Of the schemas."""
        return SemanticVersion(major=0, minor=1)

    def on_start(self) -> None:
        """Warm the plotter up."""
        if self._plot("--warm-up") != 0:
            raise RuntimeError("the plotter does not get warm")

    def on_run(self, run_data: dict[str, Any]) -> None:
        """Plot one sheet."""
        code = self._plot(run_data["sheet"], self.init_data["paper"])
        if code != 0:
            raise RuntimeError(f"the plotter ended with exit code {code}")

    def on_cancel(self) -> None:
        """Lift the pen."""
        if self._process is not None:
            self._process.terminate(grace_time_s=5)

    def _plot(self, *arguments: str) -> int | None:
        handler = RegexHandler(self._callbacks())
        self._process = LoggingSubprocess(args=["plotter", *arguments], stdout_handler=handler)
        self._process.wait()
        return self._process.returncode

    def _callbacks(self) -> list[RegexCallback]:
        progress = [re.compile(r"^plotted (\d+)%$"), re.compile(r"^(\d+) percent", re.IGNORECASE)]
        return [
            RegexCallback(progress, self._on_progress),
            RegexCallback([re.compile("^pen down")], lambda match: self.update_status(progress=0)),
        ]

    def _on_progress(self, match: re.Match[str]) -> None:
        self.update_status(progress=float(match[1]))
