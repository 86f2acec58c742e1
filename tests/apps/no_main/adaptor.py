"""The adaptor of a package without __main__.py."""

from __future__ import annotations

from typing import Any

from openjd.adaptor_runtime.adaptors import Adaptor, SemanticVersion


class Small(Adaptor):
    """Counts its tasks."""

    tasks = 0

    @property
    def integration_data_interface_version(self) -> SemanticVersion:
        return SemanticVersion(major=0, minor=1)

    def on_start(self) -> None:
        print("started")

    def on_run(self, run_data: dict[str, Any]) -> None:
        self.tasks += 1
        print(f"task {self.tasks}")

    def on_cleanup(self) -> None:
        print("cleaned up")
