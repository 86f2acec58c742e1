"""What a site can set for an adaptor's application: limits, rules, restarts."""

from __future__ import annotations

import sys
from typing import Any, ClassVar, NamedTuple

from ..adaptors.configuration.configuration import AdaptorConfiguration, shown


class Limits(NamedTuple):
    """When an application is given up. Zero switches a limit off."""

    #: Seconds until the application is there and ``on_start`` has returned.
    start: float = 900
    #: Seconds for one task.
    run: float = 0
    #: Seconds for ``on_stop`` and the application's end.
    stop: float = 120
    #: Seconds without a line of output, a call's answer or a report of progress, while a step
    #: is under way.
    silence: float = 3600
    #: Seconds in which the progress of a task does not grow.
    no_progress: float = 0
    #: MiB of memory that the application may have, with everything that it has started.
    memory_mib: float = 0
    #: MiB that must be free where the task writes.
    free_disk_mib: float = 64


class ApplicationConfiguration(AdaptorConfiguration):
    """The settings of an adaptor for an application."""

    known: ClassVar[dict[str, list[Any]]] = {
        **AdaptorConfiguration.known,
        "continue_on_error": [False, True],
        "restart": [True, False],
    }
    _others = AdaptorConfiguration._others | {"limits", "rules"}
    _newer = AdaptorConfiguration._newer | {"limits", "rules", "continue_on_error", "restart"}

    @property
    def limits(self) -> dict[str, float]:
        """Limits, by the names in ``Limits``, that take the place of the adaptor's own."""
        return dict(self._config.get("limits", {}))

    @property
    def rules(self) -> dict[str, str]:
        """Id of an output rule -> its severity: ignore, status, warn, fail or stop."""
        return dict(self._config.get("rules", {}))

    @property
    def continue_on_error(self) -> bool:
        """Whether rules that fail a task warn instead (default: False)."""
        return bool(self._config.get("continue_on_error", False))

    @property
    def restart(self) -> bool:
        """Whether an application that has ended is started anew for the next task (True)."""
        return bool(self._config.get("restart", True))

    @classmethod
    def _wrong(cls, config: dict[str, Any]) -> tuple[list[Any], str] | None:
        wrong = super()._wrong(config)
        if wrong is not None:
            return wrong
        limits = config.get("limits", {})
        if not isinstance(limits, dict):
            return ["limits"], f"{shown(limits)} is no JSON object of limits by their names"
        for name, value in limits.items():
            if name not in Limits._fields:
                from .._suggestions import suggestion

                what = suggestion(name, Limits._fields)
                return ["limits", name], f"there is no such limit{what}"
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not 0 <= value <= sys.float_info.max:
                return ["limits", name], f"{shown(value)} is no number of 0 or more"
        rules = config.get("rules", {})
        if not isinstance(rules, dict) or not all(isinstance(v, str) for v in rules.values()):
            return ["rules"], f"{shown(rules)} is no JSON object of severities by rules' ids"
        return None

    def override(self, other: ApplicationConfiguration) -> ApplicationConfiguration:
        """The settings of `other` replace these; limits and rules one by one."""
        merged = super().override(other)
        for key in ("limits", "rules"):
            if key in self._config and key in other._config:
                merged._config[key] = {**self._config[key], **other._config[key]}
        return merged
