"""The transport over named pipes: what it must hold beyond what tests/wire asks of any."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import psutil
import pytest

if sys.platform != "win32":
    pytest.skip("named pipes are a thing of Windows", allow_module_level=True)

import _winapi
import ctypes

from bounded import Child, Task

from openjd.adaptor_runtime_client import _win32
from openjd.adaptor_runtime_client.wire import _windows
from openjd.adaptor_runtime_client.wire.errors import (
    AccessRefused,
    ConnectionLost,
    NotListening,
    RemoteProtocolError,
)
from openjd.adaptor_runtime_client.wire.transport import Connection

from . import security

_pipe_info = _win32.bind(_win32.kernel32, "GetNamedPipeInfo", _win32.VOID, *[_win32.DWORD_OUT] * 4)

ECHO = """
    import os, sys
    from openjd.adaptor_runtime_client.wire import _windows
    stream = _windows.connect(sys.argv[1])
    while True:
        data = stream.read(65536)
        if not data:
            break
        stream.write(data)
"""


@pytest.fixture
def listener() -> Iterator[_windows.Listener]:
    """A listener, closed at the end."""
    listener = _windows.Listener("")
    yield listener
    listener.close()


@pytest.fixture
def pair(listener: _windows.Listener) -> Iterator[tuple[_windows.Stream, _windows.Stream]]:
    """The server's and the client's end of a connection."""
    accepted = Task(listener.accept)
    client = _windows.connect(listener.address)
    server = accepted.result()
    yield server, client
    server.close()
    client.close()


def raw_client(address: str) -> int:
    """A client that knows nothing of our manners."""
    return _winapi.CreateFile(
        address,
        _winapi.GENERIC_READ | _winapi.GENERIC_WRITE,
        *(0, 0, _winapi.OPEN_EXISTING, 0, 0),
    )


def read_all(stream: _windows.Stream) -> bytes:
    """Everything until the end."""
    chunks = []
    while chunk := stream.read(65536):
        chunks.append(chunk)
    return b"".join(chunks)


def test_both_ways_at_once(pair: tuple[_windows.Stream, _windows.Stream]) -> None:
    """Much more than a pipe holds goes both ways at once, each side reading while it writes."""
    data = os.urandom(4_000_000)
    tasks = []
    for stream in pair:
        tasks.append(Task(stream.write, data))

    def take(stream: _windows.Stream) -> bytes:
        came = bytearray()
        while len(came) < len(data):
            came += stream.read(65536)
        return bytes(came)

    for task in [Task(take, stream) for stream in pair]:
        assert task.result() == data
    for task in tasks:
        task.result()


def test_peers_know_each_other(listener: _windows.Listener) -> None:
    """Each side knows the process at the other end, from the system."""
    accepted = Task(listener.accept)
    with Child(ECHO, listener.address) as child:
        stream = accepted.result()
        assert stream.peer_pid == child.pid
        stream.close()
        child.end()
    with Child(
        """
        from openjd.adaptor_runtime_client.wire import _windows
        listener = _windows.Listener("")
        print(listener.address, flush=True)
        listener.accept()
        """
    ) as child:
        stream = _windows.connect(child.line())
        assert stream.peer_pid == child.pid
        stream.close()


def test_many_clients_at_once(listener: _windows.Listener) -> None:
    """Clients that come all at once, before anybody accepts, all get through: none finds the
    pipe missing, and those that find it busy wait for their turn."""
    count = 40
    clients = [Task(_windows.connect, listener.address) for _ in range(count)]
    streams = [listener.accept() for _ in range(count)]
    for stream in streams:
        assert stream is not None
        stream.write(b"welcome")
    for client in clients:
        stream = client.result()
        assert stream.read(100) == b"welcome"
        stream.close()
    for stream in streams:
        stream.close()


def test_a_waiting_client_learns_that_the_listener_is_gone(listener: _windows.Listener) -> None:
    """A client that waits for a busy pipe stops waiting when the pipe is gone."""
    streams = [_windows.connect(listener.address) for _ in range(_windows.BACKLOG)]
    waiting = Task(_windows.connect, listener.address)
    listener.close()
    for stream in streams:
        stream.close()
    with pytest.raises(NotListening):
        waiting.result()


@pytest.mark.parametrize("closer", [0, 1], ids=["server", "client"])
def test_what_was_written_before_a_close_arrives(
    pair: tuple[_windows.Stream, _windows.Stream], closer: int
) -> None:
    """A write that returned is not undone by a close just after it, on either side."""
    pair[closer].write(b"x" * 100_000)
    pair[closer].write(b"last words")
    pair[closer].close()
    assert read_all(pair[1 - closer]) == b"x" * 100_000 + b"last words"


def test_what_was_written_before_an_exit_arrives(listener: _windows.Listener) -> None:
    """The same where the process ends without a close."""
    accepted = Task(listener.accept)
    with Child(
        """
        import os, sys
        from openjd.adaptor_runtime_client.wire import _windows
        stream = _windows.connect(sys.argv[1])
        stream.write(b"y" * 100_000)
        sys.stdin.readline()
        os._exit(0)
        """,
        listener.address,
    ) as child:
        stream = accepted.result()
        child.say("go")
        child.end()
        assert read_all(stream) == b"y" * 100_000
        stream.close()


@pytest.mark.parametrize("closer", [0, 1], ids=["server", "client"])
def test_close_wakes_its_own_reader(
    pair: tuple[_windows.Stream, _windows.Stream], closer: int
) -> None:
    """A thread that reads sees the end when another thread closes the stream."""
    reading = Task(pair[closer].read, 100)
    pair[closer].close()
    assert reading.result() == b""
    assert pair[closer].read(100) == b""
    assert pair[1 - closer].read(100) == b""


@pytest.mark.parametrize("end", [0, 1], ids=["this side", "the other side"])
def test_close_wakes_a_writer(pair: tuple[_windows.Stream, _windows.Stream], end: int) -> None:
    """A thread whose write waits for a reader is told when either side closes."""

    def fill() -> None:
        while True:
            pair[0].write(b"x" * 1_000_000)

    writing = Task(fill)
    assert pair[1].read(1)
    pair[end].close()
    with pytest.raises(ConnectionLost):
        writing.result()
    with pytest.raises(ConnectionLost):
        pair[end].write(b"more")
    pair[end].close()


def test_write_that_does_not_wait(pair: tuple[_windows.Stream, _windows.Stream]) -> None:
    """Such writes are taken until the pipe is full, then refused; order is kept, and they are
    taken again once somebody has read."""
    block = bytes(range(256)) * 400
    count = 0
    while taken := pair[0].write_some(block):
        assert taken == len(block)
        count += 1
    assert count > 1
    assert pair[0].write_some(block) == 0
    writing = Task(pair[0].write, b"behind it")
    came = b""
    while not came.endswith(b"behind it"):
        came += pair[1].read(65536)
    writing.result()
    assert came == count * block + b"behind it"
    assert pair[0].write_some(b"again") == 5
    assert pair[1].read(100) == b"again"


def test_writes_outlast_the_threads_that_began_them(
    pair: tuple[_windows.Stream, _windows.Stream],
) -> None:
    """Windows cancels what a thread has begun when the thread ends; what was taken must arrive
    all the same."""
    block = bytes(range(256)) * 400
    count = 0
    while Task(pair[0].write_some, block).result():
        count += 1
    writing = Task(pair[0].write, b"behind it")
    came = b""
    while not came.endswith(b"behind it"):
        came += pair[1].read(65536)
    writing.result()
    assert came == count * block + b"behind it"


def test_clients_outlast_the_threads_that_accept(listener: _windows.Listener) -> None:
    """Clients that have connected while an earlier one was accepted, in a thread that is gone
    since, are served."""
    clients = [_windows.connect(listener.address) for _ in range(5)]
    for number, client in enumerate(clients):
        client.write(b"%d" % number)
    came = []
    for _ in clients:
        stream = Task(listener.accept).result()
        came.append(int(stream.read(100)))
        stream.close()
    assert sorted(came) == [0, 1, 2, 3, 4]
    for client in clients:
        client.close()


@pytest.mark.parametrize("end", [0, 1], ids=["this side", "the other side"])
def test_close_after_a_write_that_waits_for_room(
    pair: tuple[_windows.Stream, _windows.Stream], end: int
) -> None:
    """A write that waits for room is no obstacle to closing, on either side."""
    while pair[0].write_some(b"x" * 100_000):
        pass
    pair[end].close()
    assert pair[0].write_some(b"more") == 0
    with pytest.raises(ConnectionLost):
        pair[0].write(b"more")


def test_close_wakes_accept(listener: _windows.Listener) -> None:
    """accept() returns None when the listener is closed, then and from then on."""
    accepting = Task(listener.accept)
    listener.close()
    assert accepting.result() is None
    assert listener.accept() is None
    listener.close()


def test_streams_outlive_their_listener(
    listener: _windows.Listener, pair: tuple[_windows.Stream, _windows.Stream]
) -> None:
    """Closing the listener leaves what is connected alone."""
    listener.close()
    pair[0].write(b"still here")
    assert pair[1].read(100) == b"still here"


def test_death_of_the_peer_is_the_end(listener: _windows.Listener) -> None:
    """A reader sees the end when the process at the other end is killed."""
    accepted = Task(listener.accept)
    with Child(ECHO, listener.address) as child:
        stream = accepted.result()
        stream.write(b"hello")
        assert stream.read(100) == b"hello"
        reading = Task(stream.read, 100)
        child.kill()
        assert reading.result() == b""
        with pytest.raises(ConnectionLost):
            stream.write(b"hello?")
        stream.close()


def test_no_bytes_are_no_end(pair: tuple[_windows.Stream, _windows.Stream]) -> None:
    """A write of no bytes is nothing, be it ours or that of a peer with other manners."""
    pair[0].write(b"")
    _winapi.WriteFile(pair[0]._handle, b"", overlapped=True)[0].GetOverlappedResult(True)
    pair[0].write(b"bytes")
    assert pair[1].read(100) == b"bytes"


def test_a_client_that_came_and_went(listener: _windows.Listener) -> None:
    """A client that has left before it was accepted harms nobody; what it wrote can be read."""
    handle = raw_client(listener.address)
    _winapi.WriteFile(handle, b"short visit")
    _winapi.CloseHandle(handle)
    accepted = Task(listener.accept)
    client = Task(_windows.connect, listener.address)
    stream = accepted.result()
    assert read_all(stream) == b"short visit"
    stream.close()
    stream = listener.accept()
    stream.write(b"hello")
    client = client.result()
    assert client.read(100) == b"hello"
    client.close()
    stream.close()


def test_garbage(listener: _windows.Listener) -> None:
    """A peer that talks nonsense loses its connection; the next one is served."""
    accepted = Task(listener.accept)
    handle = raw_client(listener.address)
    connection = Connection(accepted.result())
    _winapi.WriteFile(handle, b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises(RemoteProtocolError, match="does not speak this protocol"):
        connection.receive()
    with pytest.raises(BrokenPipeError):
        _winapi.ReadFile(handle, 100)
    _winapi.CloseHandle(handle)
    accepted = Task(listener.accept)
    client = _windows.connect(listener.address)
    accepted.result().close()
    client.close()


def test_nobody_listens(listener: _windows.Listener) -> None:
    """A pipe that is not there, or no more, is called so; so is what is no pipe at all."""
    listener.close()
    for address in (
        listener.address,
        _windows.PIPES + "openjd-nobody",
        __file__,
        "",
        "\\\\server\\pipe\\openjd-nobody",
    ):
        with pytest.raises(NotListening, match="nobody listens at"):
            _windows.connect(address)


def test_a_dead_listener(listener: _windows.Listener) -> None:
    """The pipe of a process that was killed is gone with it."""
    with Child(
        """
        import sys
        from openjd.adaptor_runtime_client.wire import _windows
        listener = _windows.Listener("")
        print(listener.address, flush=True)
        sys.stdin.readline()
        """
    ) as child:
        address = child.line()
        child.kill()
        with pytest.raises(NotListening):
            _windows.connect(address)


def test_names_cannot_be_predicted() -> None:
    """Each pipe has a name of its own with 128 random bits."""
    names = set()
    for _ in range(5):
        listener = _windows.Listener("")
        names.add(listener.address)
        listener.close()
    assert len(names) == 5
    assert all(re.fullmatch(r"\\\\\.\\pipe\\openjd-[0-9a-f]{32}", name) for name in names)


def test_owner_only(pair: tuple[_windows.Stream, _windows.Stream]) -> None:
    """Nobody but this user may do anything with the pipe, its owner; nothing is inherited."""
    assert security.of(pair[0]._handle) == security.owner_only(file=False)


def test_handles_are_not_inherited(
    listener: _windows.Listener, pair: tuple[_windows.Stream, _windows.Stream]
) -> None:
    """A child process gets none of the pipe's handles, even where it inherits what it can."""
    for handle in (listener._instances[0], pair[0]._handle, pair[1]._handle):
        assert not os.get_handle_inheritable(handle)


def test_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first instance must be the first of its name; no instance takes clients from other
    machines; the server may know the client but not act in its name. (Wine enforces none of
    that, so what is asked for has to do.)"""
    made, opened = [], []

    def create(*args: int) -> int:
        made.append(args)
        return _winapi.CreateNamedPipe(*args)

    def open_(*args: int) -> int:
        opened.append(args)
        return _winapi.CreateFile(*args)

    recorder = type(sys)("recorder")
    recorder.__dict__.update(_winapi.__dict__, CreateNamedPipe=create, CreateFile=open_)
    monkeypatch.setattr(_windows, "_winapi", recorder)
    listener = _windows.Listener("")
    accepted = Task(listener.accept)
    client = _windows.connect(listener.address)
    accepted.result().close()
    client.close()
    listener.close()
    overlapped, first = 0x40000000, 0x00080000
    byte_mode_and_no_remote_clients, unlimited = 0x8, 255
    assert made[0][1] == 3 | overlapped | first
    assert {args[1] for args in made[1:]} == {3 | overlapped}
    assert {args[2:4] for args in made} == {(byte_mode_and_no_remote_clients, unlimited)}
    assert opened[0][5] == overlapped | 0x00100000 | 0x00010000


def test_a_name_that_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a pipe of that name is there already, whoever made it, there is no listener."""
    monkeypatch.setattr(os, "urandom", bytes)
    first = _windows.Listener("")
    try:
        with pytest.raises(PermissionError):
            _windows.Listener("")
    finally:
        first.close()


def test_every_instance(listener: _windows.Listener) -> None:
    """Each instance of the pipe, and not the first alone, is its owner's: bytes, both ways."""
    assert len(listener._instances) == _windows.BACKLOG
    for handle in listener._instances:
        assert security.of(handle) == security.owner_only(file=False)
        flags, out, in_, most = (_win32.DWORD() for _ in range(4))
        _pipe_info(handle, *map(ctypes.byref, (flags, out, in_, most)))
        server_end_of_bytes = 1
        assert flags.value == server_end_of_bytes
        assert most.value in (255, 0xFFFFFFFF)  # without a limit; Wine says so in its own way


def test_a_client_of_another_user_is_turned_away(
    listener: _windows.Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server closes the connection before it reads a byte, and goes on with the next."""
    read = []
    monkeypatch.setattr(_windows.Stream, "read", lambda self, size: read.append(size))
    with monkeypatch.context() as patch:
        patch.setattr(_win32, "user_sid", lambda: "S-1-5-18")
        accepted = Task(listener.accept)
        handle = raw_client(listener.address)
        _winapi.WriteFile(handle, b"let me in")
        with pytest.raises(BrokenPipeError):
            _winapi.ReadFile(handle, 100)
        _winapi.CloseHandle(handle)
    client = _windows.connect(listener.address)
    accepted.result().close()
    client.close()
    assert not read


def test_a_server_of_another_user_is_not_trusted(
    listener: _windows.Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client leaves before it has written a byte, and says why."""
    monkeypatch.setattr(_win32, "user_sid", lambda: "S-1-5-18")
    with pytest.raises(AccessRefused, match="belongs to another user"):
        _windows.connect(listener.address)


def test_no_handle_is_left() -> None:
    """Listening, connecting and closing, also of streams in use, costs no handle."""

    def once() -> None:
        listener = _windows.Listener("")
        for _ in range(10):
            accepted = Task(listener.accept)
            client = _windows.connect(listener.address)
            server = accepted.result()
            reading = Task(server.read, 100)
            client.write(b"x")
            assert reading.result() == b"x"
            reading = Task(client.read, 100)
            server.close()
            assert reading.result() == b""
            client.close()
        listener.close()

    once()
    process = psutil.Process()
    before = process.num_handles()
    for _ in range(5):
        once()
    assert process.num_handles() <= before + 5


def test_close_while_others_read_and_write() -> None:
    """Streams closed in the middle of reads and writes end those, and hurt no other stream."""
    listener = _windows.Listener("")
    steady = Task(listener.accept)
    client = _windows.connect(listener.address)
    server = steady.result()
    stop = threading.Event()

    def echo() -> None:
        while data := server.read(65536):
            server.write(data)

    def talk() -> int:
        count = 0
        while not stop.is_set():
            data = os.urandom(100)
            client.write(data)
            came = b""
            while len(came) < len(data):
                came += client.read(65536)
            assert came == data
            count += 1
        return count

    def fill(stream: _windows.Stream) -> None:
        try:
            while True:
                stream.write(b"x" * 70_000)
        except ConnectionLost:
            pass

    Task(echo)
    talking = Task(talk)
    for _ in range(30):
        accepted = Task(listener.accept)
        other = _windows.connect(listener.address)
        one = accepted.result()
        tasks = [Task(fill, one), Task(read_all, one), Task(fill, other), Task(other.read, 10)]
        one.close()
        other.close()
        for task in tasks:
            task.result()
    stop.set()
    assert talking.result() > 0
    client.close()
    server.close()
    listener.close()


def test_break_reaches_a_main_thread_that_waits(listener: _windows.Listener) -> None:
    """A handler of SIGBREAK runs while the main thread waits for the other side, as handlers
    of SIGTERM do elsewhere, and the wait goes on after it."""
    accepted = Task(listener.accept)
    with Child(
        """
        import signal, sys, threading
        from openjd.adaptor_runtime_client.wire import _windows
        stream = _windows.connect(sys.argv[1])
        signal.signal(signal.SIGBREAK, lambda *_: print("handled", flush=True))
        stream.write(b"ready")
        print(stream.read(100).decode(), flush=True)
        """,
        listener.address,
        creationflags=subprocess.CREATE_NEW_PROCESS_GROUP,
    ) as child:
        stream = accepted.result()
        assert stream.read(100) == b"ready"
        for _ in range(3):
            os.kill(child.pid, signal.CTRL_BREAK_EVENT)
            child.expect("handled")
        stream.write(b"and on it goes")
        child.expect("and on it goes")
        assert child.end()[0] == 0
        stream.close()


def test_break_without_a_handler_ends_the_process(listener: _windows.Listener) -> None:
    """Where nobody handles SIGBREAK, a main thread that waits ends as any other does."""
    accepted = Task(listener.accept)
    with Child(
        """
        import signal, sys, threading
        from openjd.adaptor_runtime_client.wire import _windows
        stream = _windows.connect(sys.argv[1])
        stream.write(b"ready")
        stream.read(100)
        """,
        listener.address,
        creationflags=subprocess.CREATE_NEW_PROCESS_GROUP,
    ) as child:
        stream = accepted.result()
        assert stream.read(100) == b"ready"
        os.kill(child.pid, signal.CTRL_BREAK_EVENT)
        assert stream.read(100) == b""
        assert child.end()[0] == 0xC000013A
        stream.close()


def test_interrupt_reaches_a_main_thread_that_waits(listener: _windows.Listener) -> None:
    """A handler of SIGINT runs, and the wait goes on; what the handler raises ends the wait,
    and the stream is still good for closing."""
    accepted = Task(listener.accept)
    with Child(
        """
        import signal, sys, threading
        from openjd.adaptor_runtime_client.wire import _windows
        stream = _windows.connect(sys.argv[1])
        def interrupt():
            sys.stdin.readline()
            signal.raise_signal(signal.SIGINT)
        signal.signal(signal.SIGINT, lambda *_: print("handled", flush=True))
        threading.Thread(target=interrupt).start()
        print("ready", flush=True)
        print(stream.read(100).decode(), flush=True)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        threading.Thread(target=interrupt).start()
        print("ready", flush=True)
        try:
            stream.read(100)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        stream.close()
        """,
        listener.address,
    ) as child:
        stream = accepted.result()
        child.expect("ready")
        child.say("go")
        child.expect("handled")
        stream.write(b"on it goes")
        child.expect("on it goes")
        child.expect("ready")
        child.say("go")
        child.expect("interrupted")
        assert read_all(stream) == b""
        assert child.end() == (0, "", "")
        stream.close()
