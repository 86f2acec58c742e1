"""The session log of real sessions."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from apps.drive import Host, Session
from apps.gates import Gate

VARIABLE = "OPENJD_ADAPTOR_SESSION_LOG"


def read(path: Path) -> list[dict[str, Any]]:
    """The records of a session log."""
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


def steps(records: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """The steps in it: name, task, and the verdict at its end."""
    return [
        (record["step"], record.get("task"), record.get("verdict", "begins"))
        for record in records
        if record["kind"] == "step"
    ]


def test_a_session(host: Host, session: Session) -> None:
    """It says all that a session did, and nobody else can read it."""
    path = host.folder / "log.jsonl"
    session.variables[VARIABLE] = str(path)
    session.start(start="print('openjd_status: ready')")
    assert session.run("log.info('at work'); application('crash', 3).wait()").status == 0
    assert session.run("print('openjd_fail: no luck')").status == 1
    assert session.stop().status == 0
    records = read(path)
    assert records[0]["adaptor"] == "Obedient"
    assert records[0]["mode"] == "daemon"
    assert records[-1] == {"t": records[-1]["t"], "kind": "session", "event": "end"}
    assert steps(records) == [
        ("start", None, "begins"),
        ("start", None, "ok"),
        ("run", 1, "begins"),
        ("run", 1, "ok"),
        ("run", 2, "begins"),
        ("run", 2, "failed"),
        ("stop", None, "begins"),
        ("stop", None, "ok"),
    ]
    lines = [record["text"] for record in records if record["kind"] == "line"]
    assert lines[:2] == ["openjd_status: ready", "INFO: at work"]
    assert "openjd_fail: no luck" in lines
    begun, ended = (record for record in records if record["kind"] == "application")
    assert "children.py crash 3" in begun["command"]
    assert (ended["pid"], ended["status"]) == (begun["pid"], 3)
    assert [record["text"] for record in records if record["kind"] == "fail"] == ["no luck"]
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_by_configuration(host: Host) -> None:
    """The setting names a folder; a session in the foreground has a file in it, too."""
    folder = host.folder / "logs"
    folder.mkdir()
    config = host.folder / "runtime.json"
    config.write_text(json.dumps({"session_log": str(folder)}))
    variables = {"RUNTIME_CONFIG_PATH": str(config)}
    ended = host.run("-m", "obedient", "run", "--run-data", "{do: print(5)}", variables=variables)
    assert (ended.status, ended.text) == (0, "5\n")
    (path,) = folder.iterdir()
    records = read(path)
    assert records[0]["mode"] == "foreground"
    assert [step[0] for step in steps(records)] == ["start", "start", "run", "run", "stop", "stop"]


@pytest.mark.parametrize("value", [5, "a\0b"])
def test_a_setting_that_is_no_path(host: Host, value: object) -> None:
    """An error that names file and key."""
    config = host.folder / "runtime.json"
    config.write_text(json.dumps({"session_log": value}))
    variables = {"RUNTIME_CONFIG_PATH": str(config)}
    says = host.run("-m", "obedient", "run", variables=variables).only_fails()
    assert f"{config}, line 1, key /session_log: " in says


def test_a_log_that_cannot_be_written(host: Host, session: Session) -> None:
    """One warning, and everything else is as without it."""
    session.variables[VARIABLE] = str(host.folder / "nowhere" / "log.jsonl")
    started = session.start()
    ran = session.run("print('fine')")
    stopped = session.stop()
    assert (ran.status, stopped.status) == (0, 0)
    warnings = [
        line
        for line in (started.text + ran.text + stopped.text).splitlines()
        if "session log" in line
    ]
    assert len(warnings) == 1
    assert warnings[0].startswith("ADAPTOR_OUTPUT: WARNING: the session log ")


def test_a_session_that_is_killed(host: Host, session: Session, gate: Gate) -> None:
    """What was recorded until then is there, in whole lines."""
    path = host.folder / "log.jsonl"
    session.variables[VARIABLE] = str(path)
    session.start()
    task = session.begin_run(f"print('openjd_progress: 40'); gates.pass_through({gate.port})")
    gate.wait()
    task.until("openjd_progress: 40")
    # The log is written by a thread of its own; whoever asks for the state has given it its turn.
    session.status()
    session.daemon().kill()
    assert task.end().status == 1
    assert session.stop().status == 0
    assert steps(read(path))[-1] == ("run", 1, "begins")


CLIENT = """
from openjd.adaptor_runtime_client import ApplicationClient, action

class Client(ApplicationClient):
    @action
    def render(self, output: str, port: int) -> None:
        import sys
        sys.path.insert(0, {apps!r})
        import gates
        gates.pass_through(port)
        open(output, "w").write("picture")

if __name__ == "__main__":
    Client.run()
"""
ADAPTOR = """
import sys
from openjd.adaptor_runtime import EntryPoint
from openjd.adaptor_runtime.adaptors import SemanticVersion
from openjd.adaptor_runtime.application import ApplicationAdaptor

class Renderer(ApplicationAdaptor):
    integration_data_interface_version = SemanticVersion(major=1, minor=0)
    client = "client.py"

    def command(self):
        return [sys.executable, self.client_script]

    def on_run(self, run_data):
        self.app.call("render", **run_data)

    def outputs(self, run_data):
        return [run_data["output"]]

EntryPoint(Renderer).start()
"""


def test_calls_memory_and_outputs(host: Host, gate: Gate) -> None:
    """The call under way is the phase; memory is that of the application; outputs are named."""
    from apps.drive import APPS

    (host.folder / "client.py").write_text(CLIENT.format(apps=str(APPS)))
    (host.folder / "adaptor.py").write_text(ADAPTOR)
    path, output = host.folder / "log.jsonl", host.folder / "picture.png"
    session = Session(host, ("adaptor.py",), **{VARIABLE: str(path)})
    started = session.begin("start").end()
    assert started.status == 0, started
    data = json.dumps({"output": str(output), "port": gate.port})
    task = session.begin("run", "--run-data", data)
    rendering = gate.wait()
    status = session.status()
    assert (status["busy"], status["phase"], status["task"]) == ("run", "render", 1)
    (application,) = status["applications"]
    assert application["pid"] == rendering.pid
    assert status["memory_bytes"] > 1_000_000
    rendering.let_go()
    assert task.end().status == 0
    assert session.stop().status == 0
    records = read(path)
    assert [r["path"] for r in records if r["kind"] == "output"] == [str(output)]
    assert "render" in [r["phase"] for r in records if r["kind"] == "phase"]
    assert any(r["bytes"] > 1_000_000 for r in records if r["kind"] == "memory")
