"""Plain: run data ``{"do": "WHAT ARGUMENT ..."}`` names one of the children beside this package."""

from __future__ import annotations

from typing import Any

from obedient.adaptor import application

from openjd.adaptor_runtime.adaptors import Adaptor, SemanticVersion


class Plain(Adaptor):
    """Runs an application for each task, and fails if that does."""

    @property
    def integration_data_interface_version(self) -> SemanticVersion:
        return SemanticVersion(major=0, minor=1)

    def on_run(self, run_data: dict[str, Any]) -> None:
        running = application(*run_data["do"].split())
        running.wait()
        if running.returncode != 0:
            raise RuntimeError(f"the application ended with exit code {running.returncode}")
