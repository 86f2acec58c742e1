from __future__ import annotations

from typing import Any

from openjd.adaptor_runtime.adaptors import Adaptor, SemanticVersion


class BenchmarkAdaptor(Adaptor[Any]):
    """Starts with nothing to do."""

    @property
    def integration_data_interface_version(self) -> SemanticVersion:
        return SemanticVersion(0, 1)

    def on_start(self) -> None:
        pass

    def on_run(self, run_data: dict[str, Any]) -> None:
        from adaptor_work import perform  # type: ignore[import-not-found]

        perform(run_data)
