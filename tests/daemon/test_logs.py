"""Whoever watches a session sees what it prints, and changes nothing for anybody."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys

import pytest
from apps.drive import Command, Host, Session
from apps.gates import LIMIT, Gate

from openjd.adaptor_runtime_client.wire.framing import PREAMBLE, encode_message

posix_only = pytest.mark.skipif(
    sys.platform == "win32", reason="raw Unix sockets, SIGSTOP, terminals"
)


def follow(session: Session, *options: str) -> Command:
    """A follower that follows."""
    follower = session.begin("logs", "--follow", *options)
    follower.until("ready")
    return follower


@pytest.fixture
def begun(session: Session) -> Session:
    """A session that has said that it is ready."""
    session.start(start="print('ready')")
    return session


def test_the_last_lines(begun: Session) -> None:
    """As many as are asked for, without the prefix; it ends by itself."""
    assert begun.run("for n in range(50): log.info('line %d', n)").status == 0
    ended = begun.begin("logs").end()
    assert (ended.status, ended.err) == (0, "")
    assert ended.lines == [f"INFO: line {n}" for n in range(30, 50)]
    for option in ("-n", "--lines"):
        assert begun.begin("logs", option, "2").end().lines == ["INFO: line 48", "INFO: line 49"]
    assert begun.begin("logs", "-n", "0").end().out == ""
    assert begun.begin("logs", "-n", "1000").end().lines[0] == "ready"
    stamped = begun.begin("logs", "-n", "1", "--times").end().out
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} INFO: line 49\n", stamped)
    assert begun.stop().status == 0


@posix_only
def test_a_terminal_takes_no_orders(host: Host, begun: Session) -> None:
    """What would command a terminal, or hide on it, is shown there; elsewhere it is as printed."""
    pytest.importorskip("pyte")
    from apps.terminal import terminal

    assert begun.run("print('\\x1b[31mred\\x1b]0;title\\x07 \\x9b2J \\u202eturned')").status == 0
    command = ["daemon", "logs", "-n", "1", "--connection-file", str(begun.file)]
    with terminal(host, "-m", "obedient", *command) as seen:
        assert seen.end() == 0
        assert seen.raw == b"red \\x9b2J \\u202eturned\r\n"
    out = begun.begin("logs", "-n", "1").end().out
    assert out == "\x1b[31mred\x1b]0;title\x07 \x9b2J \u202eturned\n"
    assert begun.stop().status == 0


def test_following(begun: Session) -> None:
    """Several see each line as it comes, and each step; whoever runs the task sees all as well."""
    followers = [follow(begun) for _ in range(3)]
    task = begun.run("print('one'); log.warning('two'); print('three')")
    assert (task.status, task.out) == (0, "one\nADAPTOR_OUTPUT: WARNING: two\nthree\n")
    failed = begun.run("raise RuntimeError('no luck')")
    assert failed.lines[0] == "openjd_fail: Error encountered while running adaptor: no luck"
    assert begun.stop() == (0, "", "")
    for follower in followers:
        ended = follower.end()
        assert (ended.status, ended.err) == (0, "")
        assert ended.lines[:6] == [
            "ready",
            "--- run 1 begins",
            "one",
            "WARNING: two",
            "three",
            "--- run 1 ended: ok",
        ]
        assert "--- run 2 ended: failed: no luck" in ended.lines
        assert ended.lines[-1] == "--- stop ended: ok"


def test_nothing_is_a_message(begun: Session) -> None:
    """A scheduler that reads what a follower shows can act on none of it."""
    follower = follow(begun)
    code = (
        "print('openjd_progress: 5'); print('openjd_env: A=1'); print(' \\topenjd_fail: no');"
        "print('x\\x0bopenjd_unset_env: A'); print('OPENJD_ENV: B=1')"
    )
    assert begun.run(code).status == 0
    asked = begun.begin("logs").end()
    assert begun.stop().status == 0
    for ended in (follower.end(), asked):
        assert "ADAPTOR_OUTPUT: openjd_progress: 5" in ended.lines
        for line in re.split("[\n\x0b]", ended.out):
            assert not line.lstrip().lower().startswith("openjd"), ended.out


def test_an_end_by_signal(begun: Session) -> None:
    """Ctrl-C ends a follower, in good order, and nothing else."""
    follower = follow(begun)
    follower.cancel()
    ended = follower.end()
    assert (ended.status, ended.out, ended.err) == (0, "ready\n", "")
    assert begun.run("print('fine')") == (0, "fine\n", "")
    assert begun.stop().status == 0


def test_a_reader_that_leaves(begun: Session) -> None:
    """A follower whose reader is gone ends without complaint."""
    follower = begun.begin("logs", "--follow", held_back=True)
    assert follower.process.stdout is not None
    assert follower.process.stdout.readline().rstrip() == b"ready"
    follower.process.stdout.close()
    follower.process.stdout = None
    # Those of a task's begin, its lines and its end: the first may still go into the pipe.
    for _ in range(2):
        assert begun.run("print('x' * 100_000)").status == 0
    ended = follower.end()
    assert (ended.status, ended.err) == (0, "")
    assert begun.stop().status == 0


def test_a_daemon_that_is_killed(begun: Session) -> None:
    """Followers end with one line that says so."""
    follower = follow(begun)
    begun.daemon().kill()
    ended = follower.end()
    assert ended.status == 1
    assert ended.err.startswith("ERROR: the connection to the adaptor's daemon failed: ")
    assert ended.err.count("\n") == 1
    assert begun.stop().status == 0


def test_no_daemon(session: Session) -> None:
    """One line on stderr, which fails no action."""
    assert "no daemon was started with it" in session.begin("logs").end().refused()
    assert "no daemon was started with it" in session.begin("logs", "-f").end().refused()


@pytest.mark.parametrize("value", ["many", "-1", "1.5"])
def test_a_number_that_is_none(session: Session, value: str) -> None:
    """An error that names the option and the value."""
    ended = session.begin("logs", "-n", value).end()
    assert ended.status == 2
    assert ended.err.count("\n") == 1
    assert "-n" in ended.err
    assert value in ended.err or "expected one argument" in ended.err


@posix_only
def test_followers_that_do_not_read(begun: Session, gate: Gate) -> None:
    """Stopped ones hold up neither the task nor the end; when they go on they are told.

    And one that reads sees the last line all the same.
    """
    stopped = follow(begun)
    reading = follow(begun)
    killed = follow(begun)
    os.kill(stopped.pid, signal.SIGSTOP)
    killed.kill()
    # More than a socket, its buffers and what is kept for a follower hold.
    code = f"application('flood', 200_000, {gate.port}).wait(); print('flooded')"
    task = begun.begin_run(code)
    gate.wait()
    ended = task.end()
    assert ended.status == 0
    assert len(ended.lines) == 200_002
    status = begun.status()
    assert status["last_lines"][-1] == "flooded"
    assert begun.stop().status == 0
    os.kill(stopped.pid, signal.SIGCONT)
    late = stopped.end()
    assert late.status in (0, 1)
    assert any(line.endswith("lines came too fast and are not shown") for line in late.lines) or (
        # The daemon was gone before it went on.
        late.status == 1
    )
    seen = reading.end()
    assert seen.status == 0
    assert seen.lines[-4:] == [
        "flooded",
        "--- run 1 ended: ok",
        "--- stop begins",
        "--- stop ended: ok",
    ]


@posix_only
def test_requests_for_logs_that_make_no_sense(begun: Session) -> None:
    """Each is answered, or ends its connection; the session goes on."""
    address = json.loads(begun.file.read_text())["socket"]
    hello = PREAMBLE + encode_message({"type": "hello", "pid": os.getpid()})
    for fields in (
        {},
        {"lines": "many", "follow": "yes"},
        {"lines": -5},
        {"lines": 10**30},
        {"lines": True},
        {"lines": [1], "follow": [True]},
    ):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(LIMIT)
            connection.connect(address)
            connection.sendall(hello + encode_message({"type": "logs", **fields}))
            connection.shutdown(socket.SHUT_WR)
            data = b""
            while chunk := connection.recv(65536):
                data += chunk
            assert b'"type":"end"' in data
    # A second request on a connection that follows, and one that never reads.
    follows = encode_message({"type": "logs", "lines": 5, "follow": True})
    with socket.socket(socket.AF_UNIX) as twice, socket.socket(socket.AF_UNIX) as deaf:
        for connection in (twice, deaf):
            connection.settimeout(LIMIT)
            connection.connect(address)
        deaf.sendall(hello + follows)
        twice.sendall(hello + follows + follows)
        data = b""
        while chunk := twice.recv(65536):
            data += chunk
        assert b"makes no sense now" in data
        assert begun.run("print('fine')") == (0, "fine\n", "")
        assert begun.stop() == (0, "", "")


def test_of_a_file(host: Host) -> None:
    """``openjd-adaptor daemon logs FILE`` does the same for an adaptor in TOML."""
    if sys.version_info < (3, 11):
        pytest.importorskip("tomli")
    tool = "import sys; from openjd.adaptor_runtime._cli.tool import main; sys.exit(main())"
    file = host.folder / "adaptor.toml"
    command = json.dumps([sys.executable, "-c", "print('played')"])
    file.write_text(f'name = "Player"\nversion = "1.0"\ncommand = {command}\n')
    where = ("--connection-file", str(host.folder / "session.json"))
    start = host.run("-c", tool, "daemon", "start", str(file), *where)
    assert start.status == 0, start
    assert host.run("-c", tool, "daemon", "run", str(file), *where).status == 0
    for arguments in ((str(file), "-n", "5"), ("-n", "5", str(file))):
        logs = host.run("-c", tool, "daemon", "logs", *arguments, *where)
        assert (logs.status, logs.err) == (0, "")
        assert "STDOUT: played" in logs.lines
    status = json.loads(host.run("-c", tool, "daemon", "status", str(file), *where).out)
    assert status["adaptor"] == "Player"
    assert host.run("-c", tool, "daemon", "stop", str(file), *where).status == 0
