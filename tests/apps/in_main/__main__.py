"""``python -m in_main``."""

from __future__ import annotations

import os
from typing import Any

from openjd.adaptor_runtime import EntryPoint
from openjd.adaptor_runtime.adaptors import Adaptor, SemanticVersion


class Small(Adaptor):
    """Counts its tasks."""

    tasks = 0

    @property
    def integration_data_interface_version(self) -> SemanticVersion:
        return SemanticVersion(major=0, minor=1)

    def on_start(self) -> None:
        print(f"started in {os.getpid()}")

    def on_run(self, run_data: dict[str, Any]) -> None:
        self.tasks += 1
        print(f"task {self.tasks} in {os.getpid()}")

    def on_cleanup(self) -> None:
        print("cleaned up")


if __name__ == "__main__":
    EntryPoint(Small).start()
