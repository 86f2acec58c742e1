"""Peers that do not keep to the protocol: daemons that are none, and clients that are none."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from apps.drive import Ended, Host, Session
from apps.gates import LIMIT, Gate

from openjd.adaptor_runtime_client.wire.framing import MAGIC, PREAMBLE, encode_message

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="speaks to raw Unix sockets")

HELLO = PREAMBLE + encode_message({"type": "hello", "pid": os.getpid(), "folder": "/no/openjd-0"})
FINAL = {"type": "final", "ok": True, "canceled": False, "error": None, "told": True}


def frame(kind: bytes, body: bytes, length: int | None = None) -> bytes:
    """A frame, as it may be or with a length that is not true."""
    return kind + (len(body) if length is None else length).to_bytes(4, "big") + body


#: Name -> what is sent, and words of the line that says so where it reaches a frontend.
NONSENSE: dict[str, tuple[bytes, str]] = {
    # Its process lives on.
    "closes at once": (b"", "broke while running a task"),
    "greets and closes": (HELLO, "broke while running a task"),
    "garbage": (b"\x00\x01\x02 garbage", "does not speak this protocol"),
    "another service": (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak this protocol"),
    "half a greeting": (PREAMBLE[:6], "within a frame"),
    "another version": (MAGIC + b"\x00\x07\x00\x00" + b"?" * 64, "version 7"),
    "another kind": (HELLO + frame(b"Z", b"{}"), "frame of kind b'Z'"),
    "an oversized frame": (HELLO + frame(b"M", b"", 0xFFFFFFFF), "over the limit"),
    "half a frame": (HELLO + frame(b"M", b'{"type": "fi', 100), "within a frame"),
    "half a header": (HELLO + b"M\x00", "within a frame"),
    "no JSON": (HELLO + frame(b"M", b"{type: final}"), "no JSON"),
    "no UTF-8": (HELLO + frame(b"M", b"\xff\xfe"), "no JSON"),
    "deep JSON": (HELLO + frame(b"M", b"[" * 200_000), "no JSON"),
    "a list": (HELLO + frame(b"M", b"[1]"), "without a type"),
    "a message without a type": (HELLO + frame(b"M", b'{"ok": true}'), "without a type"),
    "a type that is a list": (HELLO + frame(b"M", b'{"type": []}'), "without a type"),
}


def final(**fields: object) -> bytes:
    """A final answer with other fields than it should have."""
    message = {key: value for key, value in {**FINAL, **fields}.items() if value != "none"}
    return HELLO + encode_message(message)


#: What is well framed, and nonsense all the same.
ODD_ANSWERS = {
    "a final answer without fields": HELLO + encode_message({"type": "final"}),
    "a final answer that is not sure": final(ok="perhaps"),
    "a failure without a reason": final(ok=False, told=False),
    "a failure with an odd reason": final(ok=False, told=False, error=["a", 5]),
    "a greeting without a process": PREAMBLE
    + encode_message({"type": "hello", "folder": "/no/openjd-0"}),
    "a greeting with odd fields": PREAMBLE
    + encode_message({"type": "hello", "pid": "five", "folder": ["x"]}),
    "an error without a message": HELLO + encode_message({"type": "error"}),
}


@contextmanager
def fake_daemon(host: Host, answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A connection file whose daemon is a thread of the test.

    It treats the first connection with `answer`; who connects again learns that it lives.
    """
    folder = host.folder / "openjd-fake"
    folder.mkdir()
    address = str(folder / "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.settimeout(LIMIT)
        listener.bind(address)
        listener.listen()

        over = threading.Event()

        def serve() -> None:
            treat = answer
            while True:
                connection, _ = listener.accept()
                with connection:
                    if over.is_set():
                        return
                    connection.settimeout(LIMIT)
                    treat(connection)
                treat = sends(HELLO + encode_message({"type": "status", "busy": None}))

        thread = threading.Thread(target=serve)
        thread.start()
        path = host.folder / "fake.json"
        about = {"socket": address, "pid": dead_pid(), "started": "0", "folder": str(folder)}
        path.write_text(json.dumps(about))
        try:
            yield str(path)
        finally:
            over.set()
            with socket.socket(socket.AF_UNIX) as last:
                last.connect(address)
            thread.join(LIMIT)
        assert not thread.is_alive()


def dead_pid() -> int:
    """The process id of nobody."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return child


def sends(data: bytes) -> Callable[[socket.socket], None]:
    """Answers a request with `data`, and ends the connection."""

    def answer(connection: socket.socket) -> None:
        if not data:
            return
        connection.recv(65536)
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        # What the other side still has to say must not become a reset.
        try:
            while connection.recv(65536):
                pass
        except ConnectionResetError:
            pass

    return answer


def ask(host: Host, step: str, data: bytes) -> Ended:
    """Asks a fake daemon that answers with `data`."""
    with fake_daemon(host, sends(data)) as path:
        return host.run("-m", "obedient", "daemon", step, "--connection-file", path)


@pytest.mark.parametrize("name", NONSENSE)
def test_a_daemon_that_talks_nonsense(host: Host, name: str) -> None:
    """A run ends at once, with one line that says what came."""
    data, words = NONSENSE[name]
    says = ask(host, "run", data).only_fails()
    assert words in says
    assert len(says) < 400


@pytest.mark.parametrize("step", ["status", "stop"])
@pytest.mark.parametrize("name", ["closes at once", "another version", "half a frame"])
def test_other_commands_and_a_daemon_that_talks_nonsense(host: Host, name: str, step: str) -> None:
    """So does each other command."""
    ask(host, step, NONSENSE[name][0]).only_fails()


@pytest.mark.parametrize("name", ODD_ANSWERS)
def test_a_daemon_with_odd_answers(host: Host, name: str) -> None:
    """Nothing is taken for success that does not say so; one line, no traceback."""
    says = ask(host, "run", ODD_ANSWERS[name]).only_fails()
    assert len(says) > 10


def test_output_before_nonsense_is_shown(host: Host) -> None:
    """What came in good order is not lost."""
    ended = ask(host, "run", HELLO + frame(b"O", b"rendered\n") + frame(b"Z", b""))
    assert ended.lines[0] == "rendered"
    assert "frame of kind" in ended.fails()


def test_start_beside_a_daemon_that_says_nothing(host: Host) -> None:
    """A start with that connection file is refused, and the file is left alone."""

    with fake_daemon(host, lambda connection: None) as path:
        ended = host.run("-m", "obedient", "daemon", "start", "--connection-file", path)
    assert "exists already" in ended.only_fails()
    assert os.path.exists(path)


# The other way round.


def connect(session: Session) -> socket.socket:
    """A raw connection to the session's daemon."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(LIMIT)
    connection.connect(json.loads(session.file.read_text())["socket"])
    return connection


def ends(connection: socket.socket) -> bytes:
    """What comes until the daemon ends the connection."""
    data = b""
    try:
        while chunk := connection.recv(65536):
            data += chunk
    except ConnectionResetError:
        pass
    return data


#: Well framed requests that make no sense.
ODD_REQUESTS = [
    {"type": "render"},
    {"type": "final", "ok": True},
    {"type": "cancel"},
    {"type": "start"},
    {"type": "run"},
    {"type": "run", "text": ["a"], "name": {"b": 1}},
    {"type": "status", "pid": []},
    {"type": "hello", "pid": "x", "folder": 5},
]


def test_clients_that_talk_nonsense(session: Session, gate: Gate) -> None:
    """Each hurts itself alone: a task that runs goes on, and so does the daemon."""
    session.start()
    task = session.begin_run(f"gates.pass_through({gate.port}); print('unharmed')")
    running = gate.wait()
    for data, _ in NONSENSE.values():
        with connect(session) as connection:
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # It has had enough before the end.
            ends(connection)
    for message in ODD_REQUESTS:
        with connect(session) as connection:
            connection.sendall(HELLO + encode_message(message))
            connection.shutdown(socket.SHUT_WR)
            ends(connection)
    with connect(session) as connection:
        connection.sendall(HELLO + frame(b"O", b"output\n"))
        ends(connection)
    assert session.status()["busy"] == "run"
    running.let_go()
    assert task.end() == (0, "unharmed\n", "")
    assert session.run("print('next')") == (0, "next\n", "")
    assert session.stop() == (0, "", "")


def test_clients_that_say_nothing(session: Session) -> None:
    """Many silent connections, and one with half a frame, delay nobody; a stop ends them."""
    session.start()
    silent = [connect(session) for _ in range(20)]
    silent[0].sendall(HELLO + frame(b"M", b'{"type"', 50))
    assert session.run("print('fine')") == (0, "fine\n", "")
    assert session.status()["tasks_done"] == 1
    assert session.stop() == (0, "", "")
    for connection in silent:
        ends(connection)
        connection.close()


def test_a_client_that_never_reads(session: Session) -> None:
    """It asks and asks and does not read the answers: nobody else waits for it."""
    session.start()
    with connect(session) as greedy:
        greedy.setblocking(False)
        request = encode_message({"type": "status"})
        try:
            greedy.sendall(HELLO)
            while True:
                greedy.sendall(request * 100)
        except BlockingIOError:
            pass  # Both directions are full now.
        assert session.run("print('fine')") == (0, "fine\n", "")
        assert session.stop() == (0, "", "")


def test_a_second_request_on_a_connection_that_has_one(session: Session, gate: Gate) -> None:
    """Refused; the connection ends, which cancels its first request and no other's."""
    session.start(start="canceled = threading.Event()", cancel="canceled.set()")
    code = f"knock = gates.Knock({gate.port}); canceled.wait(); knock.close()"
    run = encode_message({"type": "run", "text": json.dumps({"do": code}), "name": "data"})
    with connect(session) as connection:
        connection.sendall(HELLO + run)
        running = gate.wait()
        connection.sendall(run)
        running.gone()
    assert session.stop().status == 0
