"""Sessions where nothing goes wrong: start, run, run, stop, in each way to write an adaptor."""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
import subprocess
import sys

import pytest
from apps.drive import VARIABLE, Host, Session, is_gone
from apps.gates import Gate

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes, sessions and scripts of POSIX")


@pytest.mark.parametrize("by_variable", [False, True], ids=["by-file", "by-variable"])
def test_start_run_run_stop(host: Host, by_variable: bool) -> None:
    """Each state is entered once and in order, in one process; each command exits with 0."""
    session = Session(host, by_variable=by_variable)
    say = "print('{} in', os.getpid())"
    steps = {step: say.format(step) for step in ("start", "stop", "cleanup", "cancel")}
    started = session.start(**steps)
    daemon = session.daemon()
    assert started.lines[0] == "INFO: Starting the adaptor's daemon"
    assert started.lines[1].startswith(f"openjd_env: {VARIABLE}=")
    assert started.lines[2:] == [f"start in {daemon.pid}"]
    assert session.file.exists() is not by_variable

    for task in (1, 2):
        ended = session.run(f"print('task {task} in', os.getpid())")
        assert ended == (0, f"task {task} in {daemon.pid}\n", "")

    assert session.stop() == (0, f"stop in {daemon.pid}\ncleanup in {daemon.pid}\n", "")
    assert is_gone(daemon)
    assert not session.file.exists()
    assert host.files() == []


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        (("-m", "by_class"), ["started {'a': 1}", "ran {'b': 2}", "stopped"]),
        (("-m", "in_main"), ["started in PID", "task 1 in PID", "cleaned up"]),
        (("ONEFILE",), ["started in PID", "task 1 in PID", "cleaned up"]),
    ],
    ids=["class", "class-in-main", "script"],
)
def test_ways_to_write_an_adaptor(host: Host, command: tuple[str, ...], printed: list[str]) -> None:
    """An entry point may be given a class, of a package, of a __main__.py or of a script."""
    script = os.path.join(os.path.dirname(os.path.dirname(__file__)), "apps", "onefile.py")
    session = Session(host, tuple(part.replace("ONEFILE", script) for part in command))
    started = session.begin("start", "--init-data", '{"a": 1}').end()
    pid = session.daemon().pid
    ran = session.begin("run", "--run-data", "b: 2").end()
    stopped = session.stop()
    for ended, line in zip((started, ran, stopped), printed):
        assert ended.status == 0, ended
        assert ended.lines[-1] == line.replace("PID", str(pid))


@posix
def test_reentry_executable(host: Host) -> None:
    """With reentry_exe the daemon is started with that executable instead."""
    script = host.folder / "reentry"
    script.write_text(
        f'#!/bin/sh\nREENTERED=yes exec {shlex.quote(sys.executable)} -m by_class "$@"\n'
    )
    script.chmod(0o700)
    session = Session(host, ("-m", "by_class"), BY_CLASS_REENTRY=str(script))
    assert session.begin("start").end().status == 0
    assert session.daemon().environ()["REENTERED"] == "yes"
    assert session.run().status == 0
    assert session.stop().status == 0


def test_bootstrap_callbacks_run_in_the_daemon_once_it_listens(host: Host) -> None:
    """on_bootstrap_complete: called in the daemon's process, where frontends get answers."""
    session = Session(host, ("-m", "bootstrapped"))
    session.variables["BOOTSTRAPPED_FILE"] = str(session.file)
    started = session.start(start="print('started')")
    pid = session.daemon().pid
    (line,) = (line for line in started.lines if "listens: " in line)
    before, _, answer = line.partition("listens: ")
    assert before == f"{pid} "
    assert json.loads(answer)["state"] == "not_started"
    assert started.lines.index(line) < started.lines.index("started")
    assert session.stop().status == 0


def test_start_data_from_files(host: Host) -> None:
    """Init data, run data and rules may be YAML, in files, with what the shell finds special."""
    init = host.folder / "init data's.yaml"
    init.write_text("start: |\n  print(adaptor.map_path('/farm/ü/it''s.exr'))\n", encoding="utf-8")
    rules = {"source_path_format": "POSIX", "source_path": "/farm", "destination_path": "/here"}
    rules_file = host.folder / "rules.json"
    rules_file.write_text(
        json.dumps({"version": "pathmapping-1.0", "path_mapping_rules": [rules]}), encoding="utf-8"
    )
    session = Session(host)
    arguments = ["--init-data", f"file://{init}", "--path-mapping-rules", f"file://{rules_file}"]
    started = session.begin("start", *arguments).end()
    assert started.status == 0
    assert re.split(r"[/\\]", started.lines[-1]) == ["", "here", "ü", "its.exr"]
    assert session.stop().status == 0


@posix
def test_daemon_inherits_nothing_of_the_action(host: Host) -> None:
    """stdin, stdout, stderr and other descriptors of the action close when start ends."""
    session = Session(host)
    extra_reader, extra_writer = os.pipe()
    command = session.begin(
        "start", "--init-data", "{}", stdin=subprocess.PIPE, pass_fds=[extra_writer]
    )
    os.close(extra_writer)
    assert command.process.stdin is not None
    with open(extra_reader, "rb") as extra:
        # end() returns only when stdout and stderr have come to their ends.
        assert command.end().status == 0
        assert extra.read() == b""
    with pytest.raises(BrokenPipeError):
        os.write(command.process.stdin.fileno(), b"is anybody there?")
    command.process.stdin.close()
    daemon = session.daemon()
    # A session of its own, which its guardian leads.
    assert os.getsid(daemon.pid) in (daemon.pid, daemon.ppid())
    assert os.getsid(daemon.pid) != os.getsid(0)
    assert session.stop().status == 0


@posix
def test_what_lies_on_disk_is_private(session: Session) -> None:
    """While a daemon lives: a private connection file, and one private folder; no leftovers."""
    session.start()
    (folder,) = session.host.temporary.iterdir()
    assert re.fullmatch("openjd-[0-9a-f]{16}", folder.name)
    for path, mode in ((session.file, 0o600), (folder, 0o700), (folder / "socket", 0o600)):
        assert stat.S_IMODE(path.stat().st_mode) == mode, path
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert session.stop().status == 0
    assert sorted(p.name for p in session.host.folder.iterdir()) == ["home", "tmp"]


def test_home_gets_no_files(session: Session) -> None:
    """A whole session writes nothing to the home folder."""
    session.start()
    session.run("print(adaptor.config.log_level)")
    session.stop()
    assert list((session.host.folder / "home").iterdir()) == []


def test_stop_returns_when_the_process_is_gone(session: Session, gate: Gate) -> None:
    """What the adaptor does at the interpreter's exit is waited for, too."""
    session.start(start=f"import atexit; atexit.register(gates.pass_through, {gate.port})")
    daemon = session.daemon()
    command = session.begin("stop")
    at_exit = gate.wait()
    assert command.process.poll() is None
    assert not is_gone(daemon)
    at_exit.let_go()
    assert command.end().status == 0
    assert is_gone(daemon)


def test_stop_twice(session: Session) -> None:
    """Stopping what has been stopped is no error, and says so."""
    session.start()
    assert session.stop().status == 0
    again = session.stop()
    assert again.status == 0
    assert again.out.startswith("INFO: Nothing to stop: ")
    assert str(session.file) in again.out


def test_stops_at_the_same_time(session: Session, gate: Gate) -> None:
    """Several stops at once: on_stop runs once, and each returns when the process is gone."""
    session.start(stop=f"print('stopping'); gates.pass_through({gate.port})")
    daemon = session.daemon()
    first = session.begin("stop")
    stopping = gate.wait()
    others = [session.begin("stop") for _ in range(3)]
    stopping.let_go()
    ended = [command.end() for command in (first, *others)]
    assert is_gone(daemon)
    assert [(e.status, e.err) for e in ended] == [(0, "")] * 4
    assert ended[0].out == "stopping\n"
    assert not any("stopping" in e.out for e in ended[1:])


@pytest.mark.parametrize("by_variable", [False, True], ids=["by-file", "by-variable"])
def test_stop_what_was_never_started(host: Host, by_variable: bool) -> None:
    """onExit must survive a failed onEnter: exit status 0, and one line that says so."""
    ended = Session(host, by_variable=by_variable).stop()
    assert (ended.status, ended.err) == (0, "")
    (line,) = ended.lines
    assert line.startswith("INFO: Nothing to stop: ")
    assert (VARIABLE if by_variable else "session.json") in line


def test_status(session: Session, gate: Gate) -> None:
    """Any number of frontends may ask while a task runs; nobody waits for it."""
    session.start()
    assert session.status()["busy"] is None
    task = session.begin_run(f"gates.pass_through({gate.port})")
    running = gate.wait()
    asking = [session.begin("status") for _ in range(6)]
    for command in asking:
        ended = command.end()
        assert (ended.status, ended.err) == (0, "")
        answer = json.loads(ended.out)
        assert (answer["state"], answer["busy"]) == ("run", "run")
    assert task.process.poll() is None
    running.let_go()
    assert task.end().status == 0
    assert session.status()["tasks_done"] == 1
    assert session.stop().status == 0


def test_a_second_task_while_one_runs_is_refused(session: Session, gate: Gate) -> None:
    """The second gets one line and another exit status than 0; the first knows nothing of it."""
    session.start()
    task = session.begin_run(f"gates.pass_through({gate.port}); print('done')")
    running = gate.wait()
    assert "busy" in session.run("print('too early')").fails()
    running.let_go()
    assert task.end() == (0, "done\n", "")
    assert session.run("print('now')") == (0, "now\n", "")
    assert session.stop().status == 0
