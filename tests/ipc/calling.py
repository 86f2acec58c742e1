"""Applications for tests: a Python that runs the bootstrap by its path, and finds nothing else."""

from __future__ import annotations

import os
import sys
import textwrap
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bounded import LIMIT, Child, Task

import openjd.adaptor_runtime_client
from openjd.adaptor_runtime.adaptors import Adaptor, SemanticVersion
from openjd.adaptor_runtime.application_ipc import ActionsQueue, AdaptorServer, Calls
from openjd.adaptor_runtime.application_ipc.calls import Call, Hello
from openjd.adaptor_runtime_client.wire import transport
from openjd.adaptor_runtime_client.wire.transport import Connection

BOOTSTRAP = Path(openjd.adaptor_runtime_client.__file__).with_name("bootstrap.py")

# A client as authors write them, with what the tests here ask of it.
BEGIN = """
import json, os, sys, threading
from openjd.adaptor_runtime_client import ApplicationClient, action

class Client(ApplicationClient):
    version = "3.4.1"

    @action
    def echo(self, value: object = None):
        return value

    @action
    def hold(self):
        print("holding", flush=True)
        return input()

    @action
    def add(self, left: int, right: int = 1) -> int:
        return left + right

    @action
    def load(self, scene: str):
        raise ValueError(f"there is no scene\\n  {scene}")

    @action
    def make(self, kind: str, size: int = 0):
        return {"set": lambda: {1}, "text": lambda: "x" * size, "key": lambda: {b"1": 1}}[kind]()

    @action
    def leave(self, status: int):
        sys.exit(status)

    @action
    def drop(self):
        self._connection.close()
        print("dropped", flush=True)
        input()

    @action
    def report(self, what: list):
        for each in what:
            self.status(each) if isinstance(each, str) else self.progress(each)
"""
CLIENT = BEGIN + "\nClient.run()\n"


class AnAdaptor(Adaptor[Any]):
    """An adaptor that maps one folder."""

    integration_data_interface_version = SemanticVersion(0, 1)

    def on_run(self, run_data: dict[str, Any]) -> None:
        """Does nothing."""


class Application(Child):
    """A Python process that runs a file, isolated, without site packages."""

    def _arguments(self, code: str) -> list[str]:
        return [*self.options, code]

    def __init__(self, file: Path, *args: object, options: list[str], **others: Any) -> None:
        self.options = options
        super().__init__(str(file), *args, **others)


class Site:
    """An adaptor's side: calls, a queue, a server that serves both, and what was reported."""

    def __init__(self, folder: Path) -> None:
        rule = {"source_path_format": "POSIX", "source_path": "/a", "destination_path": "/b"}
        rules = {"path_mapping_rules": [{**rule, "destination_os": "Linux"}]}
        self.folder = folder
        self.reports: list[tuple[str, Any]] = []
        self.calls = Calls(self._report, self._report)
        self.queue = ActionsQueue()
        adaptor = AnAdaptor({}, path_mapping_data=rules)
        self.server = AdaptorServer(self.queue, adaptor, self.calls)
        self.path = self.server.server_path
        self._raw: list[Connection] = []
        self._serving = Task(self.server.serve_forever)

    def _report(self, call: Call, value: Any) -> None:
        self.reports.append((call.name, value))

    def start(
        self,
        code: str = CLIENT,
        *args: object,
        options: tuple[str, ...] = ("-I", "-S"),
        python: str = sys.executable,
        script: Path | None = None,
        variables: Mapping[str, str] | None = None,
        **others: Any,
    ) -> Application:
        """Starts an application that runs `code` (or `script`) by the bootstrap."""
        if script is None:
            script = self.folder / f"client-{uuid.uuid4().hex[:8]}.py"
            script.write_text(textwrap.dedent(code), encoding="utf-8")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        environment["OPENJD_ADAPTOR_SERVER"] = self.path
        environment["OPENJD_ADAPTOR_CLIENT_SCRIPT"] = str(script)
        environment.update(variables or {})
        return Application(
            BOOTSTRAP, *args, options=list(options), python=python, env=environment, **others
        )

    def wait(self) -> Hello:
        """Waits for the client."""
        hello = Task(self.calls.wait_for_client, LIMIT).result()
        assert isinstance(hello, Hello)
        return hello

    def call(self, name: str, **args: Any) -> Any:
        """What the action returns; waited for with a limit."""
        return result(self.submit(name, **args))

    def submit(self, name: str, **args: Any) -> Call:
        """Submits a call, which must not block."""
        call = Task(self.calls.submit, name, args).result()
        assert isinstance(call, Call)
        return call

    def raw(self) -> Connection:
        """A connection to the server, for clients of the test's own making."""
        connection = transport.connect(self.path)
        self._raw.append(connection)
        return connection

    def stop(self) -> None:
        """Shuts the server down."""
        for connection in self._raw:
            connection.close()
        Task(self.server.shutdown).result()
        self._serving.result()


def result(call: Call) -> Any:
    """What the call returns; waited for with a limit."""
    return Task(call.result, LIMIT).result()
