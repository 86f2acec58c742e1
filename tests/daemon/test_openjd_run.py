"""Sessions under the real `openjd run`: a step environment, tasks, and their ends."""

from __future__ import annotations

import importlib.util
import json
import shutil
import signal
import sys

import pytest
from apps.drive import Command, Host
from apps.gates import Gate

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="templates with POSIX commands"),
    pytest.mark.skipif(
        importlib.util.find_spec("openjd.cli") is None, reason="openjd-cli is not installed"
    ),
]


def command(*arguments: str) -> dict[str, object]:
    """An action that runs the obedient adaptor."""
    return {"command": sys.executable, "args": ["-m", "obedient", *arguments]}


def begin(host: Host, do: str, *options: str, tasks: str = "1-2", **code: str) -> Command:
    """Starts ``openjd run`` of a step whose tasks execute `do`, between start and stop."""
    where = ("--connection-file", "{{Session.WorkingDirectory}}/session.json")
    environment = {
        "name": "Adaptor",
        "script": {
            "actions": {
                "onEnter": command("daemon", "start", *where, "--init-data", json.dumps(code)),
                "onExit": command("daemon", "stop", *where),
            }
        },
    }
    run_data = json.dumps({"do": do, "frame": "FRAME"})
    template = {
        "specificationVersion": "jobtemplate-2023-09",
        "name": "Test",
        "steps": [
            {
                "name": "Render",
                "parameterSpace": {
                    "taskParameterDefinitions": [{"name": "Frame", "type": "INT", "range": tasks}]
                },
                "stepEnvironments": [environment],
                "script": {
                    "actions": {
                        "onRun": command(
                            *("daemon", "run", *where, "--run-data"),
                            run_data.replace("FRAME", "{{Task.Param.Frame}}"),
                        )
                    }
                },
            }
        ],
    }
    path = host.folder / "template.json"
    path.write_text(json.dumps(template))
    # The session's folders are made in the temporary folder; what is left there is noticed.
    return host.begin("-m", "openjd", "run", str(path), "--step", "Render", *options)


SAY = {step: f"print('on_{step}', os.getpid())" for step in ("start", "stop", "cleanup")}


def printed(lines: list[str], word: str) -> list[str]:
    """What the adaptor printed in lines that begin with a word of its own."""
    return [line.partition(word)[2].strip() for line in lines if f"\t{word}" in line]


def test_a_session(host: Host) -> None:
    """The adaptor lives from the environment's enter to its exit; all tasks are its own."""
    ended = begin(host, "print('task', run_data['frame'], os.getpid())", **SAY).end()
    assert ended.status == 0, ended.out
    (started,) = printed(ended.lines, "on_start")
    assert printed(ended.lines, "task") == [f"1 {started}", f"2 {started}"]
    assert printed(ended.lines, "on_stop") == printed(ended.lines, "on_cleanup") == [started]
    assert nothing_is_left(host)


def test_a_task_that_fails(host: Host) -> None:
    """The session fails with the adaptor's reason; the environment is exited, nothing is left."""
    ended = begin(host, "raise RuntimeError('no such camera')", **SAY).end()
    assert ended.status != 0
    assert "openjd_fail: Error encountered while running adaptor: no such camera" in ended.out
    assert len(printed(ended.lines, "on_stop")) == 1
    assert nothing_is_left(host)


def test_a_start_that_fails(host: Host) -> None:
    """onExit of an environment whose onEnter failed goes well: there is nothing to stop."""
    ended = begin(host, "", **{**SAY, "start": "raise RuntimeError('no licence')"}).end()
    assert ended.status != 0
    assert "openjd_fail: Error encountered while starting adaptor: no licence" in ended.out
    assert "Nothing to stop" in ended.out
    assert nothing_is_left(host)


def test_an_interrupt(host: Host, gate: Gate) -> None:
    """Ctrl-C within a task: it is cancelled, the environment is exited, nothing is left."""
    session = begin(
        host,
        f"application('parent', {gate.port}).wait()",
        **{**SAY, "cancel": "for a in running(): a.terminate(0)"},
        init="from openjd.adaptor_runtime.process.logging_subprocess import running",
    )
    family = [gate.wait(), gate.wait()]
    session.process.send_signal(signal.SIGINT)
    for visitor in family:
        visitor.gone()
    ended = session.end()
    assert ended.status != 0
    assert len(printed(ended.lines, "on_stop")) == 1
    assert nothing_is_left(host)


def test_a_task_that_times_out(host: Host, gate: Gate) -> None:
    """A frontend that is killed without notice cancels its task; the environment is exited."""
    session = begin(
        host,
        f"knock = gates.Knock({gate.port}); canceled.wait(); print('canceled')",
        tasks="1",
        **{**SAY, "start": "canceled = threading.Event()", "cancel": "canceled.set()"},
    )
    running = gate.wait()
    (frontend,) = [
        process
        for process in host.processes()
        if {"daemon", "run"} <= set(process.cmdline()) and "openjd" not in process.cmdline()
    ]
    frontend.kill()
    running.gone()
    ended = session.end()
    assert ended.status != 0
    assert len(printed(ended.lines, "on_stop")) == 1
    assert nothing_is_left(host)


def nothing_is_left(host: Host) -> bool:
    """Whether daemons left nothing anywhere in the temporary folder; it is empty then."""
    left = [path for path in host.temporary.rglob("openjd-*") if path.name != "OpenJD"]
    assert left == []
    assert list(host.temporary.rglob("session.json*")) == []
    # The folder in which the runner makes those of its sessions is its own.
    shutil.rmtree(host.temporary / "OpenJD")
    return True
