"""Fussy: checks its data against its schemas."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from openjd.adaptor_runtime.adaptors import Adaptor, AdaptorDataValidators, SemanticVersion

_log = logging.getLogger(__name__)


class Fussy(Adaptor):
    """Renders with a camera, if that is described well."""

    @property
    def integration_data_interface_version(self) -> SemanticVersion:
        return SemanticVersion(major=1, minor=3)

    def on_start(self) -> None:
        self._validators = AdaptorDataValidators.for_adaptor(str(Path(__file__).parent))
        self._validators.init_data.validate(self.init_data)
        _log.debug("the camera is described well")

    def on_run(self, run_data: dict[str, Any]) -> None:
        self._validators.run_data.validate(run_data)
        print("rendered", self.map_path(run_data["scene"]))

    def on_cleanup(self) -> None:
        print("cleaned up")
