"""Obedient: init data and run data hold the code for each step."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import gates

from openjd.adaptor_runtime.adaptors import Adaptor, SemanticVersion
from openjd.adaptor_runtime.process import LoggingSubprocess

_CHILDREN = str(Path(__file__).parents[1] / "children.py")


def child_command(*arguments: object) -> list[str]:
    """The command of one of the children beside this package."""
    return [sys.executable, _CHILDREN, *map(str, arguments)]


def application(*arguments: object) -> LoggingSubprocess:
    """One of the children, started as an application."""
    return LoggingSubprocess(args=child_command(*arguments))


class Obedient(Adaptor):
    """Does in ``start``, ``stop``, ``cleanup`` and ``cancel`` what its init data say.

    The code of all steps shares its names, and finds there: ``adaptor``, ``application``,
    ``child_command``, ``gates``, ``log``, ``os``, ``subprocess``, ``sys``, ``threading``.
    """

    def __init__(self, init_data: dict[str, Any], **options: Any) -> None:
        super().__init__(init_data, **options)
        self._names: dict[str, Any] = {
            "adaptor": self,
            "application": application,
            "child_command": child_command,
            "gates": gates,
            "log": logging.getLogger(__name__),
            "os": os,
            "subprocess": subprocess,
            "sys": sys,
            "threading": threading,
        }
        self._obey(init_data.get("init"))

    @property
    def integration_data_interface_version(self) -> SemanticVersion:
        return SemanticVersion(major=1, minor=3)

    def _obey(self, code: str | None) -> None:
        if code:
            exec(compile(code, "<step>", "exec"), self._names)

    def on_start(self) -> None:
        self._obey(self.init_data.get("start"))

    def on_run(self, run_data: dict[str, Any]) -> None:
        self._names["run_data"] = run_data
        self._obey(run_data.get("do"))

    def on_stop(self) -> None:
        self._obey(self.init_data.get("stop"))

    def on_cleanup(self) -> None:
        self._obey(self.init_data.get("cleanup"))

    def on_cancel(self) -> None:
        self._obey(self.init_data.get("cancel"))
