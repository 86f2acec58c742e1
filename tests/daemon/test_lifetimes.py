"""Nothing lives longer than what it was started for: applications, daemons, guardians."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from apps.drive import Host, Session, await_end, is_gone
from apps.gates import Gate

from openjd.adaptor_runtime import _platform, _session_folder

posix = pytest.mark.skipif(sys.platform == "win32", reason="guardians are for POSIX")
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans to a guardian")


def guardian_of(session: Session) -> psutil.Process:
    """The guardian of its daemon."""
    (folder,) = session.host.temporary.glob("openjd-*")
    (pid,) = [pid for kind, pid, _ in _session_folder.read(str(folder)) if kind == "guardian"]
    return psutil.Process(pid)


def kill_both(session: Session) -> None:
    """Kills the guardian and the daemon in one moment, as a system without memory may."""
    guardian, daemon = guardian_of(session), session.daemon()
    # Neither can do anything about the other's end.
    for process in (guardian, daemon):
        process.suspend()
    for process in (guardian, daemon):
        process.kill()
    for process in (guardian, daemon):
        await_end(process)


FAMILIES = {"hold": 1, "parent": 2, "dynasty": 3}


@pytest.mark.parametrize("child", FAMILIES)
def test_applications_end_with_a_killed_daemon(session: Session, gate: Gate, child: str) -> None:
    """Its application and all below are gone without a further command, deaf or not."""
    session.start()
    task = session.begin_run(f"application({child!r}, {gate.port}).wait()")
    family = [gate.wait() for _ in range(FAMILIES[child])]
    session.daemon().kill()
    for visitor in family:
        visitor.gone()
    assert "ended unexpectedly" in task.end().fails()
    assert session.host.files() == []


def test_applications_end_with_a_daemon_killed_between_tasks(session: Session, gate: Gate) -> None:
    """Nobody is there to see it, and nothing waits for the next command."""
    session.start(start=f"app = application('parent', {gate.port})")
    family = [gate.wait(), gate.wait()]
    session.daemon().kill()
    for visitor in family:
        visitor.gone()
    assert "not running" in session.run().fails()
    assert session.host.files() == []


@linux
def test_what_escapes_ends_with_the_session(session: Session, gate: Gate) -> None:
    """No parent, a session of its own, an empty environment: its guardian finds it all the same."""
    session.start()
    assert session.run(f"application('escape', {gate.port}).wait()").status == 0
    escaped = gate.wait()
    assert session.stop().status == 0
    # Not a moment later.
    with pytest.raises(psutil.NoSuchProcess):
        psutil.Process(escaped.pid)


@linux
def test_what_escapes_ends_with_a_killed_daemon(session: Session, gate: Gate) -> None:
    """Likewise where the daemon had no time for anything."""
    session.start()
    assert session.run(f"application('escape', {gate.port}).wait()").status == 0
    escaped = gate.wait()
    session.daemon().kill()
    escaped.gone()
    assert session.stop().status == 0


@posix
def test_a_killed_guardian_ends_the_session(session: Session, gate: Gate) -> None:
    """The task fails in a line that says why; the daemon cleans up, and nothing is left."""
    session.start(cleanup="print('cleaned up')")
    task = session.begin_run(f"application('dynasty', {gate.port}).wait()")
    family = [gate.wait() for _ in range(3)]
    daemon = session.daemon()
    guardian_of(session).kill()
    task.until("guardian is gone")
    # Nobody says how much time there is; a second notice shortens what is the default.
    daemon.terminate()
    assert "guardian is gone" in task.end().fails()
    for visitor in family:
        visitor.gone()
    await_end(daemon)
    assert session.host.files() == []
    assert session.stop().status == 0


@posix
@pytest.mark.parametrize("step", ["stop", "start", "run"])
def test_what_both_left_is_ended_by_the_next_command(
    session: Session, gate: Gate, step: str
) -> None:
    """Guardian and daemon were killed at once: stop, run and start in that place clean up."""
    session.start(start=f"app = application('dynasty', {gate.port})")
    family = [gate.wait() for _ in range(3)]
    kill_both(session)
    if step == "start":
        session.start()
        assert session.run("print('works')").out == "works\n"
        assert session.stop().status == 0
    else:
        assert session.begin(step).end().status == (0 if step == "stop" else 1)
    for visitor in family:
        visitor.gone()
    assert session.host.files() == []
    assert not session.file.exists()


@posix
def test_a_process_with_a_number_of_ours_is_not_hurt(session: Session) -> None:
    """The record names a process id that has been given to another process since: it lives on."""
    session.start()
    (folder,) = session.host.temporary.glob("openjd-*")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as innocent:
        started = _platform.start_time(innocent.pid)
        earlier = f"{int(started.partition('-')[0]) - 1}-{started.partition('-')[2]}"
        kill_both(session)
        with open(folder / "processes", "a") as record:
            record.write(f"application {innocent.pid} {earlier}\n")
            record.write("application 0 x\napplication -1 x\napplication 1 x\nnonsense\n")
        about = json.loads(session.file.read_text())
        session.file.write_text(json.dumps({**about, "pid": innocent.pid, "started": earlier}))
        assert session.stop().status == 0
        assert innocent.poll() is None
        innocent.kill()
    assert session.host.files() == []


def test_the_record_is_private_and_names_what_lives(session: Session, gate: Gate) -> None:
    """Daemon and applications with their times of start; an application that ended is out of it."""
    session.start(start=f"app = application('hold', {gate.port})")
    held = gate.wait()
    (folder,) = session.host.temporary.glob("openjd-*")
    assert session.run("application('crash', 0).wait()").status == 0
    record = _session_folder.read(str(folder))
    by_kind = {kind: (pid, started) for kind, pid, started in record}
    assert by_kind["daemon"] == (session.daemon().pid, _platform.start_time(session.daemon().pid))
    assert by_kind["application"] == (held.pid, _platform.start_time(held.pid))
    assert len(record) == (2 if sys.platform == "win32" else 3)
    if sys.platform != "win32":
        assert (folder / "processes").stat().st_mode & 0o777 == 0o600
    assert session.stop().status == 0


def remove_file(session: Session) -> str:
    session.file.unlink()
    return "the connection file"


def replace_file(session: Session) -> str:
    other = session.file.with_name("other")
    other.write_text("{}")
    os.replace(other, session.file)
    return "the connection file"


def remove_socket(session: Session) -> str:
    (socket,) = session.host.temporary.glob("openjd-*/socket")
    socket.unlink()
    return "the socket"


def remove_working_directory(session: Session) -> str:
    shutil.rmtree(session.variables["OPENJD_SESSION_WORKING_DIR"])
    return "the session's working directory"


def rename_working_directory(session: Session) -> str:
    folder = Path(session.variables["OPENJD_SESSION_WORKING_DIR"])
    folder.rename(folder.with_name("elsewhere"))
    return "the session's working directory"


REMOVALS = [remove_file, replace_file, remove_working_directory, rename_working_directory]
if sys.platform != "win32":
    REMOVALS.append(remove_socket)


@pytest.mark.parametrize("remove", REMOVALS)
@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_a_daemon_whose_session_is_removed_ends(
    host: Host, gate: Gate, remove: object, busy: bool
) -> None:
    """By itself: it cancels the task, whose frontend says why, stops, cleans up, and is gone."""
    assert callable(remove)
    work = host.folder / "work"
    work.mkdir()
    session = Session(host, OPENJD_SESSION_WORKING_DIR=str(work))
    witness = host.folder / "witness"
    session.start(
        start=f"app = application('hold', {gate.port})",
        cancel="app.terminate(0)",
        cleanup=f"open({str(witness)!r}, 'w').close()",
    )
    held = gate.wait()
    daemon = session.daemon()
    task = None
    if busy:
        task = session.begin_run(f"gates.Knock({gate.port}); app.wait()")
        gate.wait()
    what = remove(session)
    if task is not None:
        assert f"the session is over: {what}" in task.end().fails()
    held.gone()
    await_end(daemon)
    assert witness.exists()
    session.file.unlink(missing_ok=True)
    assert session.stop().status == 0
    assert host.files() == []


#: Removes the daemon's connection file between its writing and the beginning of its watch, when
#: the daemon reads for the first time what the adaptor's module is called.
HASTY = """
import os, sys
from onefile import Small
from openjd.adaptor_runtime import EntryPoint

class Hasty(EntryPoint):
    @property
    def module(self):
        if "_serve" in sys.argv and os.path.exists("session.json"):
            os.unlink("session.json")
        return "__main__"

    @module.setter
    def module(self, name):
        pass

if __name__ == "__main__":
    Hasty(Small).start()
"""


def test_a_connection_file_that_is_gone_before_it_is_watched(host: Host) -> None:
    """That is seen, too: the start fails with one line, and nothing is left."""
    script = host.folder / "hasty.py"
    script.write_text(HASTY)
    says = host.run(str(script), "daemon", "start", "--connection-file", "session.json").fails()
    assert "session.json is gone" in says
    assert host.files() == []


@posix
def test_a_daemon_whose_own_folder_is_removed_ends(host: Host, gate: Gate, tmp_path: Path) -> None:
    """The folder in which it was started, where no variable says what the session's is."""
    work = host.folder / "work"
    work.mkdir()
    host.env.pop("OPENJD_SESSION_WORKING_DIR", None)
    session = Session(Host(work))
    session.file = host.folder / "session.json"
    session.start()
    daemon = session.daemon()
    work.rmdir()
    await_end(daemon)
    assert not session.file.exists()


def test_a_lease(host: Host, tmp_path: Path) -> None:
    """A daemon that nobody asks for anything ends with its lease; not while it does something."""
    config = host.folder / "runtime.json"
    config.write_text('{"lease_seconds": 1.5}')
    session = Session(host, RUNTIME_CONFIG_PATH=str(config))
    session.start()
    daemon = session.daemon()
    # Time itself is the subject.
    assert session.run("threading.Event().wait(2.5); print('done')").out == "done\n"
    assert not is_gone(daemon)
    await_end(daemon)
    assert not session.file.exists()
    assert host.files() == []
    assert "does not exist" in session.run().fails()


@pytest.mark.parametrize("value", ["-1", "true", '"day"', "1e300", "[]"])
def test_a_lease_that_is_none(host: Host, value: str) -> None:
    """One line names the file, the setting and what it may be."""
    config = host.folder / "runtime.json"
    config.write_text(f'{{"lease_seconds": {value}}}')
    says = Session(host, RUNTIME_CONFIG_PATH=str(config)).begin("start").end().fails()
    assert str(config) in says
    assert "/lease_seconds: " in says


@posix
@pytest.mark.parametrize("child", FAMILIES)
def test_applications_end_with_a_killed_command(host: Host, gate: Gate, child: str) -> None:
    """The foreground command is killed: its application and all below are gone."""
    code = f"application({child!r}, {gate.port}).wait()"
    command = host.begin("-m", "obedient", "run", "--run-data", json.dumps({"do": code}))
    family = [gate.wait() for _ in range(FAMILIES[child])]
    command.kill()
    for visitor in family:
        visitor.gone()
    assert command.end().status == -signal.SIGKILL


@posix
def test_a_command_leaves_nothing_when_it_ends(host: Host, gate: Gate) -> None:
    """Neither its guardian nor its folder, nor what left its application's session."""
    code = f"application('parent', {gate.port}).terminate(0); print('done')"
    command = host.begin("-m", "obedient", "run", "--run-data", json.dumps({"do": code}))
    command.until("done")
    assert command.end().status == 0
    assert host.processes() == []
    assert host.files() == []
