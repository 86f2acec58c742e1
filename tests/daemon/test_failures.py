"""Failures of the adaptor: each fails its own command, once, and nothing else."""

from __future__ import annotations

import pytest
from apps.drive import Host, Session, is_gone

FAIL = "openjd_fail: Error encountered while"


def test_a_start_that_fails(session: Session) -> None:
    """One openjd_fail line and exit status 1; on_cleanup has run, the daemon is gone."""
    command = session.begin_start(
        start="print('in', os.getpid()); raise RuntimeError('no licence\\nfor the renderer')",
        cleanup="print('on_cleanup')",
        stop="print('on_stop must not be called')",
    )
    pid = int(command.until("in ").split()[1])
    ended = command.end()
    assert ended.status == 1
    assert ended.fails() == (
        "Error encountered while starting adaptor: no licence for the renderer"
    )
    assert ended.lines[-1] == "on_cleanup"
    assert not any(p.pid == pid for p in session.host.processes())
    assert not session.file.exists()
    assert session.host.files() == []
    assert session.stop().status == 0


def test_a_constructor_that_fails(session: Session) -> None:
    """The adaptor cannot even be made: the same."""
    ended = session.begin_start(init="raise KeyError('camera')").end()
    assert ended.status == 1
    assert "KeyError: 'camera'" in ended.fails()
    assert session.stop().status == 0


def test_a_start_and_cleanup_that_fail(session: Session) -> None:
    """The first error is the one that is reported; the other is shown, too."""
    ended = session.begin_start(
        start="raise RuntimeError('the first')", cleanup="raise RuntimeError('the second')"
    ).end()
    assert ended.status == 1
    assert ended.lines.count(f"{FAIL} starting adaptor: the first") == 1
    assert "the second" in ended.out
    assert "Traceback" not in ended.text
    assert session.stop().status == 0


def test_the_place_of_an_error_is_shown(session: Session) -> None:
    """One line says where in the adaptor's code it was raised, without a traceback."""
    session.start()
    ended = session.run("pass\nraise ValueError('no such frame')")
    assert ended.fails() == "Error encountered while running adaptor: no such frame"
    (line,) = (line for line in ended.lines if "ValueError" in line)
    assert "line 2" in line
    assert line.startswith("ADAPTOR_OUTPUT: ERROR: ")
    assert session.stop().status == 0


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("raise RuntimeError('out of memory')", "out of memory"),
        ("raise RuntimeError", "RuntimeError"),
        ("{}['frame']", "KeyError: 'frame'"),
        ("sys.exit(0)", "SystemExit"),
        ("sys.exit('a word')", "a word"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("class Odd(Exception):\n  def __str__(self): return 1/0\nraise Odd", "Odd"),
        ("print('openjd_fail: in words'); raise RuntimeError('and deeds')", "in words"),
    ],
)
def test_a_task_that_fails(task_session: Session, code: str, says: str) -> None:
    """The task's command fails; the daemon lives and takes the next task."""
    ended = task_session.run(code)
    assert ended.status == 1
    assert "Traceback" not in ended.text
    assert any(says in line for line in ended.lines if line.startswith("openjd_fail: "))
    assert task_session.run("print('next')") == (0, "next\n", "")


@pytest.fixture(scope="module")
def task_session(shared_host: Host):  # type: ignore[no-untyped-def]
    session = Session(shared_host)
    session.start()
    yield session
    assert session.stop().status == 0


@pytest.mark.parametrize("step", ["stop", "cleanup"])
def test_an_end_that_fails(session: Session, step: str) -> None:
    """stop fails, with one line; on_cleanup has run and the daemon is gone all the same."""
    code = {"stop": "print('on_stop')", "cleanup": "print('on_cleanup')"}
    code[step] += "; raise RuntimeError('it does not want to go')"
    session.start(**code)
    daemon = session.daemon()
    ended = session.stop()
    assert is_gone(daemon)
    doing = "stopping" if step == "stop" else "cleaning up"
    assert ended.fails() == f"Error encountered while {doing} adaptor: it does not want to go"
    assert "on_stop" in ended.lines
    assert "on_cleanup" in ended.lines
    assert not session.file.exists()
    assert session.stop().status == 0


def test_threads_that_the_adaptor_left_do_not_keep_the_daemon(session: Session) -> None:
    """A thread that is no daemon thread and never ends."""
    session.start(start="threading.Thread(target=threading.Event().wait).start()")
    daemon = session.daemon()
    assert session.stop().status == 0
    assert is_gone(daemon)


def test_a_command_that_is_not_there(task_session: Session) -> None:
    """An application that cannot be found fails the task by its name."""
    ended = task_session.run(
        "from openjd.adaptor_runtime.process import LoggingSubprocess\n"
        "LoggingSubprocess(args=['no-such-renderer', '--frame', '1'])"
    )
    assert "no-such-renderer" in ended.fails()
