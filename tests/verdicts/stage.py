"""The adaptors that play the rows of the table."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from openjd.adaptor_runtime.adaptors import SemanticVersion
from openjd.adaptor_runtime.application import (
    ApplicationAdaptor,
    ApplicationError,
    CommandLineAdaptor,
    Limits,
)
from openjd.adaptor_runtime.application.supervised import SupervisedAdaptor

from .table import BY_ID, GOOD

_APPLICATION = str(Path(__file__).with_name("fake.py"))


class _Playing(SupervisedAdaptor):
    """What both kinds do alike."""

    integration_data_interface_version = SemanticVersion(0, 1)
    application_name = "Fake"
    data_schemas = "schemas"

    def __init__(self, init_data: dict[str, Any], **options: Any) -> None:
        super().__init__(init_data, **options)
        self.row = BY_ID[init_data["row"]]
        self.out = init_data["out"]
        self.rules = self.row.rules
        self.limits = Limits(**self.row.limits)
        self.success_exit_codes = self.row.success_exit_codes  # type: ignore[assignment]
        self.names: dict[str, Any] = {
            "self": self,
            "out": self.out,
            "os": os,
            "signal": signal,
            "threading": threading,
            "sys": sys,
            "ApplicationError": ApplicationError,
        }

    def obey(self, code: str) -> None:
        """Executes the adaptor's part of the row."""
        exec(compile(code, "<adaptor>", "exec"), self.names)

    def environment(self) -> Mapping[str, str | None]:
        row = self.row
        return {
            "FAKE_OUT": self.out,
            "FAKE_VERSION": row.version,
            "FAKE_BEFORE": row.before,
            "FAKE_LOAD": row.load,
            "FAKE_DO": row.app if isinstance(row.app, str) else None,
            "FAKE_CLOSE": row.close,
            "FAKE_AFTER": row.after,
        }

    def working_directory(self) -> str | None:
        return os.path.join(self.out, self.row.folder) if self.row.folder else None

    def outputs(self, run_data: dict[str, Any]) -> Sequence[str]:
        names = ["good.txt"] if run_data["task"] == GOOD else self.row.outputs
        return [os.path.join(self.out, name) for name in names]

    def on_stop(self) -> None:
        self.obey(self.row.stop)

    def task_limits(self) -> None:
        """From now on those hold that the row has for its task alone."""
        # Silence is watched for in all phases, and how long a start takes is the machine's affair.
        self._set_limits(self.limits._replace(**self.row.task_limits))

    def task_ends(self, run_data: dict[str, Any]) -> None:
        """The row's limits are not those of the tasks after it."""
        if self.row.at == "run" and run_data["task"] == max(len(self.row.tasks) - 1, 0):
            self._set_limits(Limits())

    def _set_limits(self, limits: Limits) -> None:
        watch = self._supervisors()[1]
        with watch._changed:
            self.limits = watch._limits = limits
            watch._changed.notify_all()


class Fake(_Playing, ApplicationAdaptor):
    """An application with Python inside."""

    client = "client.py"

    def __init__(self, init_data: dict[str, Any], **options: Any) -> None:
        super().__init__(init_data, **options)
        self.minimum_version = self.row.minimum_version
        self.names["do"] = lambda **options: self.app.call("do", **options)
        self.names["render"] = self.render
        if self.row.client is not None:
            self.client = self.row.client  # type: ignore[misc]

    def command(self) -> list[str]:
        words = {"python": sys.executable, "script": self.client_script, "out": self.out}
        return [word.format_map(words) for word in self.row.command]

    def render(self, frame: int, path: str = "good.txt") -> Any:
        """Has a frame rendered."""
        return self.app.call("render", frame=frame, path=path)

    def on_start(self) -> None:
        self.obey(self.row.start)
        self.task_limits()

    def on_run(self, run_data: dict[str, Any]) -> None:
        task = run_data["task"]
        self.names["data"] = run_data
        try:
            if task == GOOD:
                self.render(1)
            else:
                self.obey(self.row.tasks[task])
        finally:
            self.task_ends(run_data)


class FakeCommand(_Playing, CommandLineAdaptor):
    """An application that is run anew for each task."""

    def commands(self, run_data: dict[str, Any]) -> Iterable[list[str]]:
        fake = [sys.executable, _APPLICATION]
        if run_data["task"] == GOOD:
            yield [*fake, "write('good.txt')"]
            return
        if self.row.tasks:
            self.obey(self.row.tasks[0])
        codes = (self.row.app,) if isinstance(self.row.app, str) else self.row.app
        for _ in self.frames(run_data["frames"]) if "frames" in run_data else (None,):
            for code in codes:
                yield [w.format_map({"out": self.out}) for w in self.row.command] or [*fake, code]

    def on_start(self) -> None:
        self.obey(self.row.start)
        self.task_limits()

    def on_run(self, run_data: dict[str, Any]) -> None:
        try:
            super().on_run(run_data)
        finally:
            self.task_ends(run_data)


class FakeThatHandlesCancel(Fake):
    """Its on_cancel tells on_run, and the application lives on."""

    def on_start(self) -> None:
        self.names["canceled"] = threading.Event()
        super().on_start()

    def on_cancel(self) -> None:
        self.names["canceled"].set()
