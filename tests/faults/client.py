"""The client inside the application of ``ByClient``."""

from __future__ import annotations

import json
import os
import runpy
from typing import Any

from openjd.adaptor_runtime_client import ApplicationClient, action

ACTOR = runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "actor.py"))
INIT = json.loads(os.environ["FAULTS_INIT"])


class Client(ApplicationClient):
    """It performs tasks."""

    @action
    def perform(self, spec: dict) -> str:  # type: ignore[type-arg]
        """A task, or what belongs to the start or the stop."""
        ACTOR["perform"](spec, INIT["witness"], progress=self.progress)
        tag: str = spec["tag"]
        return tag


_ = Any
ACTOR["settle"](INIT)
Client.run()
