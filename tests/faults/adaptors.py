"""The adaptors of these sessions: one of each kind that authors write."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from openjd.adaptor_runtime.adaptors import Adaptor, SemanticVersion
from openjd.adaptor_runtime.app_handlers import RegexCallback, RegexHandler
from openjd.adaptor_runtime.application import ApplicationAdaptor, CommandLineAdaptor, Limits
from openjd.adaptor_runtime.process import LoggingSubprocess

from . import actor

_LIMIT = 30.0
_ACTOR = str(Path(actor.__file__).resolve())


def _performing(init: dict[str, Any], spec: dict[str, Any]) -> list[str]:
    return [sys.executable, _ACTOR, "perform", json.dumps({**init, "spec": spec})]


class ByClient(ApplicationAdaptor):
    """An application with Python inside, which lives through all tasks."""

    integration_data_interface_version = SemanticVersion(0, 1)
    application_name = "Actor"
    # A disk that is full is no news here.
    limits = Limits(free_disk_mib=0)
    client = "client.py"

    def command(self) -> list[str]:
        return [sys.executable, self.client_script]

    def environment(self) -> Mapping[str, str | None]:
        return {"FAULTS_INIT": json.dumps(self.init_data)}

    def on_start(self) -> None:
        spec = self.init_data["start"]
        # It is called again for an application that is started anew.
        self._starts = getattr(self, "_starts", -1) + 1
        if self._starts:
            spec = {**spec, "tag": f"{spec['tag']}-{self._starts}", "stops": []}
        self.app.call("perform", spec=spec)

    def on_run(self, run_data: dict[str, Any]) -> None:
        if self.app.call("perform", spec=run_data) != run_data["tag"]:
            raise RuntimeError("the application has answered something else")

    def on_stop(self) -> None:
        if self.app.is_running:
            self.app.call("perform", spec=self.init_data["stop"])


class ByCommand(CommandLineAdaptor):
    """An application that is run anew for each task; the adaptor prints in start and stop."""

    integration_data_interface_version = SemanticVersion(0, 1)
    application_name = "Actor"
    # A disk that is full is no news here.
    limits = Limits(free_disk_mib=0)

    def commands(self, run_data: dict[str, Any]) -> Iterable[list[str]]:
        yield _performing(self.init_data, run_data)

    def on_start(self) -> None:
        actor.perform(self.init_data["start"], self.init_data["witness"])

    def on_stop(self) -> None:
        actor.perform(self.init_data["stop"], self.init_data["witness"])


class ByHand(Adaptor):
    """An application for each task, and another that stays beside all of them."""

    integration_data_interface_version = SemanticVersion(0, 1)

    def on_start(self) -> None:
        stays = json.dumps(self.init_data)
        self._is_up = threading.Event()
        self._beside = LoggingSubprocess(
            args=[sys.executable, _ACTOR, "stay", stays],
            stdout_handler=RegexHandler(
                [RegexCallback([re.compile("^stays$")], lambda match: self._is_up.set())]
            ),
        )
        threading.Thread(target=self._until_it_ends, daemon=True).start()
        self._is_up.wait(_LIMIT)
        if not self._beside.is_running:
            raise RuntimeError("the application beside the tasks has ended")
        actor.perform(self.init_data["start"], self.init_data["witness"])

    def on_run(self, run_data: dict[str, Any]) -> None:
        alone = {**self.init_data, "family": False}
        with LoggingSubprocess(args=_performing(alone, run_data)) as process:
            process.wait()
        if process.returncode != 0:
            raise RuntimeError(f"the application ended with exit code {process.returncode}")

    def _until_it_ends(self) -> None:
        self._beside.wait()
        self._is_up.set()

    def on_stop(self) -> None:
        actor.perform(self.init_data["stop"], self.init_data["witness"])
        self._beside.terminate(5)
