"""The telemetry client of `deadline.client.api`, which sends nothing."""

from __future__ import annotations

import json
import os
from typing import Any


class TelemetryClient:
    """Writes what it is told into the file that PUBLISHED_TELEMETRY names, a line each."""

    def update_common_details(self, details: dict[str, Any]) -> None:
        """What goes with every event from now on."""
        _write("details", details)

    def record_event(self, event_type: str, event_details: dict[str, Any]) -> None:
        """Something happened."""
        _write(event_type, event_details)

    def record_error(self, event_details: dict[str, Any], exception_type: str) -> None:
        """Something failed."""
        _write("error", event_details)

    def record_error_with_trace(
        self, exc: Exception, exception_scope: str, extra_details: dict[str, Any]
    ) -> None:
        """Something failed, and here is the exception."""
        _write("error", {**extra_details, "message": str(exc)})


def get_deadline_cloud_library_telemetry_client() -> TelemetryClient:
    """The one client there is."""
    return TelemetryClient()


def _write(event: str, details: dict[str, Any]) -> None:
    path = os.environ.get("PUBLISHED_TELEMETRY")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"event": event, **details}) + "\n")
