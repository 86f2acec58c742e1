"""The class, and what it says."""

from __future__ import annotations

from typing import Any

from openjd.adaptor_runtime.adaptors import Adaptor, SemanticVersion


class Größe東京(Adaptor):
    """Prints what it is given."""

    @property
    def integration_data_interface_version(self) -> SemanticVersion:
        return SemanticVersion(major=0, minor=1)

    def on_run(self, run_data: dict[str, Any]) -> None:
        """Prints, reports, and fails if it is told to."""
        print("printed: Größe → 東京")
        self.update_status(progress=50, status_message="status: Größe → 東京")
        if run_data.get("fail"):
            raise RuntimeError(f"failed: {run_data['fail']}")
