"""The transport over real sockets and pipes, to real processes."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bounded import Child, Task

from openjd.adaptor_runtime._platform import make_private_folder
from openjd.adaptor_runtime_client.wire import framing, transport
from openjd.adaptor_runtime_client.wire.errors import (
    AccessRefused,
    ConnectionLost,
    LocalProtocolError,
    NotListening,
    RemoteProtocolError,
)
from openjd.adaptor_runtime_client.wire.transport import Connection

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="about Unix domain sockets")
root_only = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="only root can become another user"
)

# How children begin that get an address as their first argument.
CONNECT = """
import sys
from openjd.adaptor_runtime_client.wire import transport
connection = transport.connect(sys.argv[1])
"""
# Children that become another user once everything is imported, as that user may not read it.
NOBODY = """
import os, socket, sys
from openjd.adaptor_runtime._platform import make_private_folder
from openjd.adaptor_runtime_client.wire import transport
from openjd.adaptor_runtime_client.wire.errors import AccessRefused
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
"""


class Server:
    """A listener in a private folder."""

    def __init__(self) -> None:
        self.folder = make_private_folder()
        self.listener = transport.listen(self.folder)
        self.address = self.listener.address

    def accept(self) -> Connection:
        """The connection of the next client."""
        stream = self.listener.accept()
        assert stream is not None
        return Connection(stream)

    def close(self) -> None:
        """Closes the listener and removes its folder, which must be empty then."""
        self.listener.close()
        os.rmdir(self.folder)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server, closed at the end."""
    made = Server()
    yield made
    made.close()


@pytest.fixture
def pair(server: Server) -> Iterator[tuple[Connection, Connection]]:
    """Two connected connections: the client's and the server's."""
    accepting = Task(server.accept)
    client = transport.connect(server.address)
    connection = accepting.result()
    yield client, connection
    client.close()
    connection.close()


@pytest.fixture
def raw(server: Server) -> Iterator[tuple[transport.Stream, Connection]]:
    """A client that writes bytes of its own making, and the server's connection to it."""
    accepting = Task(server.accept)
    stream = transport._system.connect(server.address)
    connection = accepting.result()
    yield stream, connection
    stream.close()
    connection.close()


def receive(connection: Connection) -> object:
    """What comes next, waited for with a limit."""
    return Task(connection.receive).result()


class TestWhatAConnectionCarries:
    def test_messages_and_output_between_processes(self, server: Server) -> None:
        """Messages and output arrive in another process, equal and in order, both ways."""
        code = CONNECT + (
            "connection.send({'type': 'run', 'data': {'frame': 1}})\n"
            "event = None\n"
            "while not isinstance(event, dict):\n"
            "    event = connection.receive()\n"
            "    print(ascii(event), flush=True)\n"
        )
        text = "zw\u00f6lf\n".encode()
        accepting = Task(server.accept)
        with Child(code, server.address) as child:
            connection = accepting.result()
            assert receive(connection) == {"type": "run", "data": {"frame": 1}}
            connection.send_output(b"one\n")
            connection.send_output(text)
            connection.send({"type": "final", "ok": True})
            child.expect(repr(b"one\n"))
            child.expect(repr(text))
            child.expect("{'type': 'final', 'ok': True}")
            assert receive(connection) is None
            connection.close()

    def test_process_ids(self, server: Server) -> None:
        """Each side knows the other's process: from the system, and from its greeting."""
        code = CONNECT + (
            "print(connection.peer_pid, flush=True)\nconnection.flush()\nconnection.receive()\n"
        )
        accepting = Task(server.accept)
        with Child(code, server.address) as child:
            connection = accepting.result()
            child.expect(str(os.getpid()))
            assert connection.peer_pid == child.pid
            receiving = Task(connection.receive)
            connection.send({"type": "status"})
            assert receiving.result() is None
            assert connection.peer == {"type": "hello", "pid": child.pid}
            connection.close()

    def test_greeting_carries_what_it_is_given(self, server: Server) -> None:
        """What a connection is made to say of itself is known to the other side."""
        accepting = Task(server.accept)
        client = Connection(transport._system.connect(server.address), {"role": "frontend"})
        connection = accepting.result()
        client.send({"type": "status"})
        assert receive(connection) == {"type": "status"}
        assert connection.peer == {"type": "hello", "role": "frontend", "pid": os.getpid()}
        client.close()
        connection.close()

    def test_large_messages_both_ways_at_once(self, pair: tuple[Connection, Connection]) -> None:
        """Two sides that send more than any buffer holds, at once, do not block each other."""
        message = {"type": "run", "data": "x" * 3_000_000}
        sending = [Task(side.send, message) for side in pair]
        receiving = [Task(side.receive) for side in pair]
        for task in sending:
            task.result()
        for task in receiving:
            assert task.result() == message

    def test_output_over_the_limit_of_a_frame(self, pair: tuple[Connection, Connection]) -> None:
        """Output of any size arrives whole, in as many frames as it needs."""
        client, connection = pair
        data = bytes(range(256)) * (framing.MAX_BODY // 256) + b"the end\n"
        sending = Task(connection.send_output, data)
        came = b""
        while len(came) < len(data):
            event = receive(client)
            assert isinstance(event, bytes)
            came += event
        sending.result()
        assert came == data

    def test_output_without_waiting(self, pair: tuple[Connection, Connection]) -> None:
        """Output that is offered goes out as far as it does at once, and stays in order."""
        client, connection = pair
        connection.flush()  # the greeting
        block = bytes(range(256)) * 1000
        answers = []
        while len(answers) < 1000 and (answer := connection.offer_output(block)):
            answers.append(answer)
        # Nobody has read: the system cannot have taken all.
        assert len(answers) < 1000
        expected = block * (len(answers) + (answer is None)) + b"behind it\n"
        if answer is None:
            # A frame that was begun is ended before anything else goes out.
            assert connection.offer_output(b"between") is False
        flushing = Task(connection.flush)
        came = b""
        while len(came) < len(expected):
            if len(came) == len(expected) - 10:
                flushing.result()
                connection.send_output(b"behind it\n")
            event = receive(client)
            assert isinstance(event, bytes)
            came += event
        assert came == expected
        assert connection.offer_output(b"last") is True
        assert receive(client) == b"last"

    def test_message_over_the_limit(self, pair: tuple[Connection, Connection]) -> None:
        """A message over the limit is refused on this side, and the connection stays good."""
        client, connection = pair
        with pytest.raises(LocalProtocolError):
            client.send({"type": "run", "data": "x" * framing.MAX_BODY})
        client.send({"type": "status"})
        assert receive(connection) == {"type": "status"}

    def test_many_threads_send_on_one_connection(self, pair: tuple[Connection, Connection]) -> None:
        """Messages that many threads send arrive whole, each thread's in its order."""
        client, connection = pair

        def send(thread: int) -> None:
            for number in range(100):
                client.send({"type": "x", "thread": thread, "number": number})
                client.send_output(f"{thread}\n".encode() * 10)

        sending = [Task(send, thread) for thread in range(8)]
        messages: dict[int, list[int]] = {}
        output = b""
        while sum(map(len, messages.values())) < 800 or len(output) < 800 * 20:
            event = receive(connection)
            if isinstance(event, bytes):
                output += event
            else:
                assert isinstance(event, dict)
                messages.setdefault(event["thread"], []).append(event["number"])
        for task in sending:
            task.result()
        assert messages == {thread: list(range(100)) for thread in range(8)}
        assert all(output.count(b"%d\n" % thread) == 1000 for thread in range(8))


class TestReceivingWithin:
    def test_nothing_there(self, pair: tuple[Connection, Connection]) -> None:
        """Without a time to wait, and when it is over, the answer is that nothing has come."""
        client, _ = pair
        for timeout in (0, -1, 0.01):
            assert Task(client.receive_within, timeout).result() is framing.NEED_DATA

    def test_what_is_there(self, pair: tuple[Connection, Connection]) -> None:
        """What is there comes one by one, in order, and then nothing; ``receive`` goes on."""
        client, server = pair
        for n in range(3):
            server.send({"type": "status", "n": n})
        server.send_output(b"line\n")
        for n in range(3):
            assert Task(client.receive_within, 30).result() == {"type": "status", "n": n}
        assert Task(client.receive_within, 30).result() == b"line\n"
        assert client.receive_within(0) is framing.NEED_DATA
        server.send({"type": "final"})
        assert receive(client) == {"type": "final"}

    def test_ends_the_wait(self, pair: tuple[Connection, Connection]) -> None:
        """What comes while it waits ends the wait."""
        client, server = pair
        waiting = Task(client.receive_within, 1e9)
        server.send({"type": "status"})
        assert waiting.result() == {"type": "status"}

    def test_in_parts(self, raw: tuple[transport.Stream, Connection]) -> None:
        """A message in parts has come when its last byte has; no part is lost between looks."""
        stream, server = raw
        data = framing.PREAMBLE + framing.encode_message({"type": "status"})
        for n in range(len(data) - 1):
            stream.write(data[n : n + 1])
            assert server.receive_within(0.001) is framing.NEED_DATA
        stream.write(data[-1:])
        assert Task(server.receive_within, 30).result() == {"type": "status"}

    def test_the_end(self, pair: tuple[Connection, Connection]) -> None:
        """The end of the other side is seen by a look and by a wait, after what it has sent."""
        client, server = pair
        server.send({"type": "final"})
        server.close()
        assert Task(client.receive_within, 30).result() == {"type": "final"}
        for timeout in (30, 0):
            assert Task(client.receive_within, timeout).result() is None

    def test_the_end_while_it_waits(self, pair: tuple[Connection, Connection]) -> None:
        """The other side's end ends the wait."""
        client, server = pair
        waiting = Task(client.receive_within, 1e9)
        server.close()
        assert waiting.result() is None

    def test_closed_here(self, pair: tuple[Connection, Connection]) -> None:
        """A look at a connection that was closed here sees the end."""
        client, _ = pair
        client.close()
        for timeout in (30, 0):
            assert Task(client.receive_within, timeout).result() is None

    def test_writers_are_left_alone(self, pair: tuple[Connection, Connection]) -> None:
        """While one thread waits another writes more than the system takes at once."""
        client, server = pair
        waiting = Task(client.receive_within, 1e9)
        writing = Task(client.send_output, b"x" * 5_000_000)
        came = 0
        while came < 5_000_000:
            came += len(bytes(receive(server)))  # type: ignore[call-overload]
        writing.result()
        server.send({"type": "final"})
        assert waiting.result() == {"type": "final"}


class TestRequest:
    def test_answer(self, pair: tuple[Connection, Connection]) -> None:
        """A request gives back the one message that answers it."""
        client, connection = pair
        asking = Task(client.request, {"type": "rules"})
        assert receive(connection) == {"type": "rules"}
        connection.send({"type": "rules", "rules": []})
        assert asking.result() == {"type": "rules", "rules": []}

    def test_refused(self, pair: tuple[Connection, Connection]) -> None:
        """What the other side says against a request is in the error."""
        client, connection = pair
        connection.send({"type": "error", "message": "there is no request 'x'"})
        with pytest.raises(RemoteProtocolError, match="there is no request 'x'"):
            Task(client.request, {"type": "x"}).result()

    def test_output_is_no_answer(self, pair: tuple[Connection, Connection]) -> None:
        """Output where an answer belongs is an error."""
        client, connection = pair
        connection.send_output(b"text\n")
        with pytest.raises(RemoteProtocolError, match="output where an answer belongs"):
            Task(client.request, {"type": "x"}).result()

    def test_closed_before_it_answered(self, pair: tuple[Connection, Connection]) -> None:
        """A connection that ends before the answer is lost, not an empty answer."""
        client, connection = pair
        asking = Task(client.request, {"type": "next"})
        receive(connection)
        connection.close()
        with pytest.raises(ConnectionLost):
            asking.result()


class TestEnd:
    def test_killed_client(self, server: Server) -> None:
        """A client that is killed while we read from it is an end like any other."""
        code = CONNECT + "connection.send({'type': 'next'})\nconnection.receive()\n"
        accepting = Task(server.accept)
        with Child(code, server.address) as child:
            connection = accepting.result()
            assert receive(connection) == {"type": "next"}
            waiting = Task(connection.receive)
            child.kill()
            assert waiting.result() is None
            with pytest.raises(ConnectionLost):
                connection.send({"type": "action", "name": "render"})
            connection.close()

    def test_killed_server(self) -> None:
        """A server that is killed ends its client's wait, and nobody listens there then."""
        code = """
            from openjd.adaptor_runtime._platform import make_private_folder
            from openjd.adaptor_runtime_client.wire import transport
            folder = make_private_folder()
            listener = transport.listen(folder)
            print(folder, flush=True)
            print(listener.address, flush=True)
            connection = transport.Connection(listener.accept())
            connection.receive()
            print("read", flush=True)
            connection.receive()
        """
        with Child(code) as child:
            folder, address = child.line(), child.line()
            assert folder is not None
            assert address is not None
            connection = transport.connect(address)
            waiting = Task(connection.request, {"type": "next"})
            child.expect("read")
            child.kill()
            with pytest.raises(ConnectionLost):
                waiting.result()
            connection.close()
        with pytest.raises(NotListening) as caught:
            transport.connect(address)
        assert address in str(caught.value)
        shutil.rmtree(folder)

    def test_close_wakes_a_reader(self, pair: tuple[Connection, Connection]) -> None:
        """Closing a connection ends a read that another thread is in."""
        client, connection = pair
        client.send({"type": "next"})
        assert receive(connection) == {"type": "next"}
        waiting = Task(connection.receive)
        connection.close()
        assert waiting.result() is None

    def test_close_wakes_a_writer(self, pair: tuple[Connection, Connection]) -> None:
        """Closing a connection ends a write that another thread is in, as nobody reads it."""
        client, _ = pair

        def write_for_ever() -> None:
            while True:
                client.send_output(b"x" * 1_000_000)

        writing = Task(write_for_ever)
        client.close()
        with pytest.raises(ConnectionLost):
            writing.result()

    def test_other_side_closes_while_we_write(self, pair: tuple[Connection, Connection]) -> None:
        """A write to a side that closes without reading ends, and says so."""
        client, connection = pair

        def write_for_ever() -> None:
            while True:
                client.send_output(b"x" * 1_000_000)

        writing = Task(write_for_ever)
        connection.close()
        with pytest.raises(ConnectionLost):
            writing.result()

    def test_after_close(self, pair: tuple[Connection, Connection]) -> None:
        """A closed connection can be closed again; reading gives the end, sending an error."""
        client, _ = pair
        client.close()
        client.close()
        assert receive(client) is None
        with pytest.raises(ConnectionLost):
            client.send({"type": "next"})

    def test_what_was_sent_before_the_close_arrives(
        self, pair: tuple[Connection, Connection]
    ) -> None:
        """Closing throws nothing away that the other side has not read yet."""
        client, connection = pair
        client.send({"type": "stop"})
        client.send_output(b"last words\n")
        client.close()
        assert receive(connection) == {"type": "stop"}
        assert receive(connection) == b"last words\n"
        assert receive(connection) is None

    def test_a_child_does_not_keep_a_connection_open(self, server: Server) -> None:
        """Applications inherit no connection: it ends when this process closes it."""
        accepting = Task(server.accept)
        client = transport.connect(server.address)
        connection = accepting.result()
        with Child("input()", close_fds=False):
            client.close()
            assert receive(connection) is None
            connection.close()
            server.listener.close()
            with pytest.raises(NotListening):
                transport.connect(server.address)


class TestListener:
    def test_close_wakes_accept(self, server: Server) -> None:
        """Closing the listener ends an accept that another thread is in, with None."""
        accepting = Task(server.listener.accept)
        client = transport.connect(server.address)
        accepting.result().close()
        client.close()
        accepting = Task(server.listener.accept)
        server.listener.close()
        assert accepting.result() is None

    def test_accept_after_close(self, server: Server) -> None:
        """Accepting from a listener that is closed gives None; closing again does nothing."""
        server.listener.close()
        server.listener.close()
        assert Task(server.listener.accept).result() is None

    def test_nobody_listens_after_close(self, server: Server) -> None:
        """A closed listener cannot be connected to, and its folder is empty."""
        server.listener.close()
        with pytest.raises(NotListening):
            transport.connect(server.address)
        assert os.listdir(server.folder) == []

    def test_close_ends_a_client_that_was_not_accepted(self, server: Server) -> None:
        """A client that nobody has accepted yet sees the end when the listener closes."""
        client = transport.connect(server.address)
        server.listener.close()
        assert receive(client) is None
        client.close()

    def test_a_client_that_came_and_went(self, server: Server) -> None:
        """A client that is gone before it is accepted does no harm; what it wrote is read."""
        transport.connect(server.address).close()
        writer = transport.connect(server.address)
        writer.send({"type": "cancel"})
        writer.close()
        read = []
        for _ in range(2):
            connection = Task(server.accept).result()
            while (event := receive(connection)) is not None:
                read.append(event)
            connection.close()
        assert read == [{"type": "cancel"}]

    def test_many_clients_at_once(self, server: Server) -> None:
        """Clients in many processes and threads, all at once, each get their own answer."""
        code = """
            import sys, threading
            from openjd.adaptor_runtime_client.wire import transport
            def ask(number):
                connection = transport.connect(sys.argv[1])
                for turn in range(5):
                    question = {"type": "next", "number": number, "turn": turn}
                    if connection.request(question) == question:
                        right.append(number)
                connection.close()
            right = []
            threads = [threading.Thread(target=ask, args=(n,)) for n in range(10)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            print(len(right))
        """

        def echo(connection: Connection) -> None:
            while isinstance(event := connection.receive(), dict):
                connection.send(event)
            connection.close()

        def serve() -> list[Task]:
            served = []
            while (stream := server.listener.accept()) is not None:
                served.append(Task(echo, Connection(stream)))
            return served

        serving = Task(serve)
        children = [Child(code, server.address) for _ in range(3)]
        for child in children:
            with child:
                child.expect("50")
        server.listener.close()
        served = serving.result()
        for task in served:
            task.result()
        assert len(served) == 30

    def test_more_clients_than_the_queue_holds(self, server: Server) -> None:
        """Clients that find the listener busy wait for it; none is turned away."""

        def call(number: int) -> None:
            connection = transport.connect(server.address)
            connection.send({"type": "next", "number": number})
            assert connection.receive() is None
            connection.close()

        calls = [Task(call, number) for number in range(150)]
        numbers = []
        for _ in calls:
            connection = Task(server.accept).result()
            event = receive(connection)
            assert isinstance(event, dict)
            numbers.append(event["number"])
            connection.close()
        for task in calls:
            task.result()
        assert sorted(numbers) == list(range(150))

    def test_addresses_are_never_the_same(self) -> None:
        """Two servers of one process have addresses of their own."""
        servers = [Server() for _ in range(3)]
        assert len({server.address for server in servers}) == 3
        for server in servers:
            server.close()


class TestBadPeers:
    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (b"GET / HTTP/1.1\r\n\r\n", "does not speak this protocol"),
            pytest.param(b"\x00" * 100_000, "does not speak this protocol", id="many zeros"),
            (b"OJDA\x00\x02\x00\x00", "speaks version 2 of the protocol, this side version 1"),
            (framing.PREAMBLE + b"M\xff\xff\xff\xff", "over the limit"),
            (framing.PREAMBLE + b"O\x01\x00\x00\x01", "over the limit"),
            (framing.PREAMBLE + b"Z\x00\x00\x00\x00", "kind"),
            (framing.PREAMBLE + b"M\x00\x00\x00\x01{", "no JSON"),
            (framing.PREAMBLE + b"M\x00\x00\x00\x02[]", "without a type"),
        ],
    )
    def test_refused(
        self, raw: tuple[transport.Stream, Connection], data: bytes, said: str
    ) -> None:
        """Bytes that are not this protocol end the connection, on both sides, with a reason."""
        stream, connection = raw
        stream.write(data)
        with pytest.raises(RemoteProtocolError, match=said):
            receive(connection)
        assert Task(stream.read, 1).result() == b""

    @pytest.mark.parametrize("cut", [1, 4, 7, 8 + 1, 8 + 4, 8 + 5 + 3])
    def test_half_a_frame(self, raw: tuple[transport.Stream, Connection], cut: int) -> None:
        """An end within the preamble or a frame is an error, not an end in good order."""
        stream, connection = raw
        stream.write((framing.PREAMBLE + framing.encode_message({"type": "next"}))[:cut])
        stream.close()
        with pytest.raises(RemoteProtocolError, match="within a frame"):
            receive(connection)

    def test_nothing_is_read_after_an_error(self, raw: tuple[transport.Stream, Connection]) -> None:
        """A connection that was closed for an error gives out nothing that came behind it."""
        stream, connection = raw
        good = framing.encode_message({"type": "stop"})
        stream.write(framing.PREAMBLE + b"M\x00\x00\x00\x01{" + good)
        with pytest.raises(RemoteProtocolError):
            receive(connection)
        try:
            assert receive(connection) is None
        except RemoteProtocolError:
            pass  # as well: it is the same error still

    def test_one_bad_peer_hurts_no_other(self, server: Server) -> None:
        """While one peer is refused, another's connection goes on."""
        accepting = Task(server.accept)
        good = transport.connect(server.address)
        good_side = accepting.result()
        accepting = Task(server.accept)
        bad = transport._system.connect(server.address)
        bad_side = accepting.result()
        bad.write(b"nonsense")
        with pytest.raises(RemoteProtocolError):
            receive(bad_side)
        good.send({"type": "status"})
        assert receive(good_side) == {"type": "status"}
        for side in (good, good_side, bad, bad_side):
            side.close()


class TestAddresses:
    @pytest.mark.parametrize("address", ["", "no/such/socket", "x" * 300, "a\0b", "a\ud800b"])
    def test_no_address_at_all(self, address: str) -> None:
        """Where nothing can listen nobody does, whatever stands in a damaged file."""
        with pytest.raises(NotListening):
            transport.connect(address)

    def test_a_file_that_is_no_socket(self, tmp_path: Path) -> None:
        """A file that is no socket, or a folder, is nobody who listens."""
        file = tmp_path / "file"
        file.write_text("text")
        for path in (file, tmp_path):
            with pytest.raises(NotListening, match="nobody listens at"):
                transport.connect(str(path))

    @posix_only
    def test_modes(self) -> None:
        """Folder and socket are their owner's alone, whatever the umask."""
        before = os.umask(0)
        try:
            server = Server()
        finally:
            os.umask(before)
        assert stat.S_IMODE(os.stat(server.folder).st_mode) == 0o700
        assert stat.S_IMODE(os.stat(server.address).st_mode) == 0o600
        server.close()

    @posix_only
    @pytest.mark.parametrize("letter", ["d", "\u00e4"])
    def test_temporary_folder_of_any_length(
        self, private_place: Path, monkeypatch: pytest.MonkeyPatch, letter: str
    ) -> None:
        """Where the path of TMPDIR leaves no room for a socket, a shorter place is found."""
        lengths = set()
        for count in range(1, 100, 3):
            folder = private_place / (letter * count)
            folder.mkdir()
            monkeypatch.setenv("TMPDIR", str(folder))
            server = Server()
            client = transport.connect(server.address)
            client.close()
            server.close()
            assert len(os.fsencode(server.address)) <= 103
            inside = server.folder.startswith(str(folder))
            # As long as there is room, TMPDIR is what was asked for.
            assert (
                inside or len(os.fsencode(f"{folder}/openjd-0123456789abcdef/a-0123/socket")) > 103
            )
            lengths.add(inside)
        assert lengths == {True, False}

    @posix_only
    def test_relative_temporary_folder(
        self, private_place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A relative TMPDIR gives an absolute address: the application runs somewhere else."""
        monkeypatch.chdir(private_place)
        monkeypatch.setenv("TMPDIR", "tmp")
        server = Server()
        assert server.address.startswith(str(private_place))
        server.close()

    @pytest.mark.parametrize("kind", ["missing", "file"])
    def test_temporary_folder_that_is_none(
        self, private_place: Path, monkeypatch: pytest.MonkeyPatch, kind: str
    ) -> None:
        """A TMPDIR that is missing or no folder is named, with what to do."""
        path = private_place / kind
        if kind == "file":
            path.write_text("")
        for variable in ("TMPDIR", "TEMP", "TMP"):
            monkeypatch.setenv(variable, str(path))
        with pytest.raises(OSError, match=r"temporary folder .* cannot be used") as caught:
            make_private_folder()
        assert str(path) in str(caught.value)

    @posix_only
    def test_folder_too_long_for_a_socket(self, private_place: Path) -> None:
        """A listener whose folder is too deep says so; it leaves nothing open or behind."""
        folder = private_place / ("d" * 100)
        folder.mkdir()
        with pytest.raises(OSError, match="too long"):
            transport.listen(str(folder))
        assert list(folder.iterdir()) == []


@root_only
class TestOtherUsers:
    def open_to_all(self, server: Server, place: Path) -> None:
        """Takes away what normally keeps other users out, so that the check itself is met."""
        for folder in (place, place / "tmp", Path(server.folder)):
            folder.chmod(0o711)
        Path(server.address).chmod(0o666)

    def test_client_of_another_user(self, server: Server, private_place: Path) -> None:
        """Another user's client is turned away unread, even where the modes let it in."""
        self.open_to_all(server, private_place)
        code = NOBODY + (
            "client = socket.socket(socket.AF_UNIX)\n"
            "client.connect(sys.argv[1])\n"
            "try:\n"
            "    client.sendall(bytes.fromhex(sys.argv[2]))\n"
            "    print('answer', client.recv(100), flush=True)\n"
            "except (BrokenPipeError, ConnectionResetError):\n"
            "    print('answer', b'', flush=True)\n"
        )
        accepting = Task(server.accept)
        stop = framing.PREAMBLE + framing.encode_message({"type": "stop"})
        with Child(code, server.address, stop.hex()) as child:
            child.expect("answer b''")
        mine = transport.connect(server.address)
        connection = accepting.result()
        assert connection.peer_pid == os.getpid()
        mine.send({"type": "status"})
        assert receive(connection) == {"type": "status"}
        mine.close()
        connection.close()

    @pytest.mark.parametrize("reachable", [True, False])
    def test_we_do_not_talk_to_another_users_server(
        self, server: Server, private_place: Path, reachable: bool
    ) -> None:
        """A client sends nothing to a server of another user: it is told who owns it."""
        if reachable:
            self.open_to_all(server, private_place)
        code = NOBODY + (
            "try:\n"
            "    transport.connect(sys.argv[1])\n"
            "except AccessRefused as e:\n"
            "    print('belongs to another user' in str(e), flush=True)\n"
        )
        with Child(code, server.address) as child:
            child.expect("True")

    def test_root_does_not_either(self, private_place: Path) -> None:
        """Root, whom no mode keeps out, refuses another user's server as well."""
        private_place.chmod(0o711)
        folder = private_place / "theirs"
        folder.mkdir()
        folder.chmod(0o777)
        code = NOBODY + (
            "listener = transport.listen(sys.argv[1])\n"
            "print(listener.address, flush=True)\n"
            "input()\n"
        )
        with Child(code, folder) as child:
            address = child.line()
            assert address is not None
            with pytest.raises(AccessRefused, match="belongs to another user"):
                transport.connect(address)

    def test_temporary_folder_that_cannot_be_written(self, private_place: Path) -> None:
        """A TMPDIR that this user cannot write is named, with what to do."""
        code = NOBODY + (
            "try:\n    make_private_folder()\nexcept OSError as e:\n    print(e, flush=True)\n"
        )
        with Child(code) as child:
            line = child.line()
        assert line is not None
        assert str(private_place / "tmp") in line
        assert "Permission denied" in line
        assert "set TMPDIR" in line
