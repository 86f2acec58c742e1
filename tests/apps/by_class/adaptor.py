"""What a published adaptor imports at its top."""

from __future__ import annotations

from typing import Any

from openjd.adaptor_runtime.adaptors import Adaptor, SemanticVersion


class ByClass(Adaptor):
    """Prints its data."""

    @property
    def integration_data_interface_version(self) -> SemanticVersion:
        return SemanticVersion(major=0, minor=1)

    def on_start(self) -> None:
        print("started", self.init_data)

    def on_run(self, run_data: dict[str, Any]) -> None:
        print("ran", run_data)

    def on_stop(self) -> None:
        print("stopped")
