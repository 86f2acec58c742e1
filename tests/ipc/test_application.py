"""Adaptor and application: real clients in real processes, on a real server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bounded import Child, Task

from openjd.adaptor_runtime.adaptors import Adaptor, SemanticVersion
from openjd.adaptor_runtime.application_ipc import ActionsQueue, AdaptorServer
from openjd.adaptor_runtime_client import Action, ClientInterface
from openjd.adaptor_runtime_client.wire import framing, transport
from openjd.adaptor_runtime_client.wire.errors import RemoteProtocolError

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="pipes have no file")

# A client as adaptors write them. It gets the server's path, and leaves when poll() returns.
DEFINE = """
import json, os, sys, threading
from openjd.adaptor_runtime_client import ClientInterface

class Client(ClientInterface):
    def __init__(self, path):
        super().__init__(path)
        self.actions.update(echo=self.echo, hold=self.hold, fail=self.fail, map=self.map)

    def echo(self, args):
        print("echo", json.dumps(args), flush=True)

    def hold(self, args):
        input()

    def fail(self, args):
        raise RuntimeError("no licence for " + args["what"])

    def map(self, args):
        print("mapped", self.map_path(args["path"]), flush=True)

    def close(self, args):
        print("closing", args, flush=True)

    def graceful_shutdown(self, signum, frame):
        in_main = threading.current_thread() is threading.main_thread()
        # Not with print: it may be within one that this signal has interrupted.
        os.write(1, f"shutdown {int(signum)} {in_main}\\n".encode())
        if not sys.argv[2:]:
            sys.exit(5)
"""
CLIENT = DEFINE + "client = Client(sys.argv[1])\nclient.poll()\nprint('polled', flush=True)\n"
# Waits for an action: the answer to its second request says that the first was understood.
WAITER = """
import sys
from openjd.adaptor_runtime_client.wire import transport
connection = transport.connect(sys.argv[1])
connection.send({"type": "next"})
connection.request({"type": "rules"})
print("waits", flush=True)
print(connection.receive(), flush=True)
"""
RULES = [
    {"source_path_format": "POSIX", "source_path": "/a", "destination_path": "/1"},
    {"source_path_format": "POSIX", "source_path": "/a/b", "destination_path": "/2"},
    {"source_path_format": "WINDOWS", "source_path": "Z:\\", "destination_path": "/z"},
]


class AnAdaptor(Adaptor):
    """An adaptor that only has path mapping rules."""

    @property
    def integration_data_interface_version(self) -> SemanticVersion:
        return SemanticVersion(0, 1)

    def on_run(self, run_data: dict[str, Any]) -> None:
        """Does nothing."""


class Served:
    """A queue, and a server that serves it."""

    def __init__(self) -> None:
        rules = [{**rule, "destination_os": "Linux"} for rule in RULES]
        self.adaptor = AnAdaptor({}, path_mapping_data={"path_mapping_rules": rules})
        self.queue = ActionsQueue()
        self.server = AdaptorServer(self.queue, self.adaptor)
        self.path = self.server.server_path
        self._serving = Task(self.server.serve_forever)

    def put(self, name: str, args: dict[str, Any] | None = None, front: bool = False) -> None:
        """Enqueues an action."""
        self.queue.enqueue_action(Action(name, args), front)

    def stop(self) -> None:
        """Shuts the server down, which must end its thread."""
        Task(self.server.shutdown).result()
        self._serving.result()


@pytest.fixture
def served() -> Iterator[Served]:
    """A server that serves."""
    made = Served()
    yield made
    made.stop()


def performing(name: str, args: object = None) -> str:
    """The line that a client prints when it performs an action."""
    return "Performing action: " + json.dumps({"name": name, "args": args})


class TestActions:
    def test_in_order_until_close(self, served: Served) -> None:
        """A client performs actions in order, each with its args, until close; then poll ends."""
        served.put("echo", {"n": 1})
        served.put("echo")
        served.put("close")
        served.put("echo", {"n": "after the close"})
        served.put("echo", {"n": "first"}, front=True)
        with Child(CLIENT, served.path) as child:
            for args in ({"n": "first"}, {"n": 1}, None):
                child.expect(performing("echo", args))
                child.expect("echo " + json.dumps(args))
            child.expect(performing("close"))
            child.expect("closing None")
            assert child.end() == (0, "polled", "")
        assert len(served.queue) == 1

    def test_a_waiting_client_gets_what_comes(self, served: Served) -> None:
        """Actions that are enqueued while a client waits reach it, one after the other."""
        with Child(CLIENT, served.path) as child:
            for n in range(3):
                served.put("echo", {"n": n})
                child.expect(performing("echo", {"n": n}))
                child.expect("echo " + json.dumps({"n": n}))
            served.put("close")
            child.expect(performing("close"))
            assert child.end()[0] == 0

    def test_an_action_leaves_the_queue_when_it_is_taken(self, served: Served) -> None:
        """The queue holds every action but the one under way and those that are done."""
        for _ in range(3):
            served.put("hold")
        served.put("close")
        assert len(served.queue) == 4
        with Child(CLIENT, served.path) as child:
            for left in (3, 2, 1):
                child.expect(performing("hold"))
                assert len(served.queue) == left
                child.say("")
            child.expect(performing("close"))
            assert not served.queue
            child.end()

    def test_any_args(self, served: Served) -> None:
        """Args are whatever JSON can express, of any size, also where stdout knows ASCII only."""
        values: list[Any] = [
            {},
            {"text": "\u00e4\u20ac\U0001f600\udcff \n\t\0"},
            {"deep": [[{"a": [None, True, 1.5, -(2**70)]}]]},
            {"large": "x" * 1_000_000},
            {"name": "close", "args": None, "type": "final"},
        ]
        for value in values:
            served.put("echo", value)
        served.put("close")
        env = {**os.environ, "PYTHONIOENCODING": "ascii"}
        with Child(CLIENT, served.path, env=env) as child:
            for value in values:
                child.expect(performing("echo", value))
                child.expect("echo " + json.dumps(value))
            child.expect(performing("close"))
            child.end()

    def test_unknown_action(self, served: Served) -> None:
        """An action that the client does not know is named on stderr and skipped."""
        served.put("r\u00f6nder", {"frame": 1})
        served.put("echo", {"n": 1})
        served.put("close")
        env = {**os.environ, "PYTHONIOENCODING": "ascii"}
        with Child(CLIENT, served.path, env=env) as child:
            child.expect(performing("r\u00f6nder", {"frame": 1}))
            child.expect(performing("echo", {"n": 1}))
            status, _, errors = child.end()
        assert status == 0
        [line] = errors.splitlines()
        assert line.startswith("ERROR: ")
        assert "r\\xf6nder" in line

    def test_action_that_raises(self, served: Served) -> None:
        """What an action raises ends poll with it; the action is not given to anybody again."""
        served.put("fail", {"what": "water"})
        served.put("echo", {"n": 1})
        with Child(CLIENT, served.path) as child:
            child.expect(performing("fail", {"what": "water"}))
            status, out, errors = child.end()
        assert status == 1
        assert out == ""
        assert "RuntimeError: no licence for water" in errors.splitlines()[-1]
        served.put("close")
        with Child(CLIENT, served.path) as child:
            child.expect(performing("echo", {"n": 1}))
            child.end()

    def test_close_through_the_front(self, served: Served) -> None:
        """A close put in front is the next action; the rest stays in the queue."""
        served.put("hold")
        served.put("echo", {"n": 1})
        with Child(CLIENT, served.path) as child:
            child.expect(performing("hold"))
            served.put("close", front=True)
            child.say("")
            child.expect(performing("close"))
            assert child.end()[0] == 0
        assert len(served.queue) == 1

    def test_many_threads_enqueue(self, served: Served) -> None:
        """Actions from many threads are each performed once, each thread's in its order."""

        def put(thread: int) -> None:
            for number in range(50):
                served.put("echo", {"thread": thread, "number": number})

        with Child(CLIENT, served.path) as child:
            putting = [Task(put, thread) for thread in range(4)]
            for task in putting:
                task.result()
            served.put("close")
            _, out, _ = child.end()
        numbers: dict[int, list[int]] = {}
        for line in out.splitlines():
            if line.startswith("echo "):
                args = json.loads(line[5:])
                numbers.setdefault(args["thread"], []).append(args["number"])
        assert numbers == {thread: list(range(50)) for thread in range(4)}


class TestPolling:
    """Clients whose application calls them at each tick use two private names of 0.9."""

    CODE = DEFINE + (
        "client = Client(sys.argv[1])\n"
        "while True:\n"
        "    input()\n"
        "    status, reason, action = client._request_next_action()\n"
        "    print(status, action, flush=True)\n"
        "    if action is not None: client._perform_action(action)\n"
    )

    def test_at_once(self, served: Served) -> None:
        """Asking gives the next action if there is one, and None without waiting if not."""
        with Child(self.CODE, served.path) as child:
            for _ in range(2):
                child.say("")
                child.expect("200 None")
            served.put("echo", {"n": 1})
            served.put("echo", {"n": 2})
            assert len(served.queue) == 2
            for n in (1, 2):
                child.say("")
                child.expect(f'200 {{"name": "echo", "args": {{"n": {n}}}}}')
                child.expect(performing("echo", {"n": n}))
                child.expect(f'echo {{"n": {n}}}')
                assert len(served.queue) == 2 - n
            child.say("")
            child.expect("200 None")

    def test_adaptor_gone(self, served: Served) -> None:
        """Without an adaptor the answer is 503, as often as it is asked."""
        with Child(self.CODE, served.path) as child:
            child.say("")
            child.expect("200 None")
            served.stop()
            for _ in range(2):
                child.say("")
                child.expect("503 None")


class TestManyClients:
    def test_each_action_once(self, served: Served) -> None:
        """Several clients share the actions: each is performed once, and each client closed."""
        children = [Child(CLIENT, served.path) for _ in range(3)]
        for number in range(30):
            served.put("echo", {"number": number})
        for _ in children:
            served.put("close")
        numbers = []
        for child in children:
            with child:
                status, out, errors = child.end()
                assert (status, errors) == (0, "")
                lines = out.splitlines()
                assert lines[-2:] == ["closing None", "polled"]
                numbers += [json.loads(line[5:])["number"] for line in lines if "echo {" in line]
        assert sorted(numbers) == list(range(30))

    def test_no_client_blocks_another(self, served: Served) -> None:
        """While one client waits and another is busy, a third is answered."""
        served.put("hold")
        with Child(CLIENT, served.path) as busy:
            busy.expect(performing("hold"))
            with Child(WAITER, served.path) as waiting:
                waiting.expect("waits")
                connection = transport.connect(served.path)
                answer = Task(connection.request, {"type": "rules"}).result()
                assert [rule["source_path"] for rule in answer["rules"]] == ["/a", "/a/b", "Z:\\"]
                connection.close()
                served.put("echo")
                waiting.expect("{'type': 'action', 'name': 'echo', 'args': None}")

    def test_a_killed_client_swallows_no_action(self, served: Served) -> None:
        """A client that is killed while it waits takes no action with it."""
        with Child(WAITER, served.path) as child:
            child.expect("waits")
            child.kill()
            served.put("close", {"n": "precious"})
            assert len(served.queue) == 1
        with Child(CLIENT, served.path) as child:
            child.expect(performing("close", {"n": "precious"}))
            child.end()
        assert not served.queue

    def test_killed_clients_do_not_stand_before_a_living_one(self, served: Served) -> None:
        """An action goes to the client that lives, past all that have died waiting."""
        waiting = [Child(WAITER, served.path) for _ in range(3)]
        for child in waiting:
            child.expect("waits")
        living = waiting.pop()
        for child in waiting:
            with child:
                pass
        served.put("echo", {"n": 1})
        with living:
            living.expect("{'type': 'action', 'name': 'echo', 'args': {'n': 1}}")

    def test_a_client_killed_at_work(self, served: Served) -> None:
        """A client that dies at an action has taken that one and no other."""
        served.put("hold")
        served.put("close")
        with Child(CLIENT, served.path) as child:
            child.expect(performing("hold"))
            child.kill()
        assert len(served.queue) == 1
        with Child(CLIENT, served.path) as child:
            child.expect(performing("close"))
            assert child.end()[0] == 0


class TestPathMapping:
    PATHS = ("/a/x", "/a/b/x", "z:/Q/", "/elsewhere")
    MAPPED = ("/1/x", "/2/x", "/z/Q/", "/elsewhere")

    def test_in_an_action(self, served: Served) -> None:
        """The application maps paths as the adaptor does, from within its actions."""
        for path in self.PATHS:
            served.put("map", {"path": path})
        served.put("close")
        with Child(CLIENT, served.path) as child:
            for path, mapped in zip(self.PATHS, self.MAPPED):
                child.expect(performing("map", {"path": path}))
                child.expect("mapped " + mapped)
                assert served.adaptor.map_path(path) == mapped
            child.end()

    def test_local_after_one_fetch(self, served: Served) -> None:
        """Once a path was mapped, the rules are in the application: it needs no server."""
        code = DEFINE + (
            "client = Client(sys.argv[1])\n"
            "print(client.map_path('/a/x'), flush=True)\n"
            "input()\n"
            "print(client.map_path('/a/b/x'), len(client.path_mapping_rules()), flush=True)\n"
        )
        with Child(code, served.path) as child:
            child.expect("/1/x")
            served.stop()
            child.say("")
            child.expect("/2/x 3")

    def test_rules(self, served: Served) -> None:
        """The application gets the rules as the adaptor has them, in a list of its own."""
        code = DEFINE + (
            "client = Client(sys.argv[1])\n"
            "client.path_mapping_rules().clear()\n"
            "for rule in client.path_mapping_rules():\n"
            "    print(rule.source_path_format, rule.source_path, rule.destination_path,\n"
            "          rule.destination_os, flush=True)\n"
        )
        with Child(code, served.path) as child:
            assert child.end() == (
                0,
                "POSIX /a /1 Linux\nPOSIX /a/b /2 Linux\nWINDOWS Z:\\ /z Linux",
                "",
            )

    def test_from_other_threads(self, served: Served) -> None:
        """Any thread may map paths, also while another waits for the next action."""
        code = DEFINE + (
            "client = Client(sys.argv[1])\n"
            "def map():\n"
            "    sys.stdout.write(client.map_path('/a/x') + '\\n')\n"
            "    sys.stdout.flush()\n"
            "threads = [threading.Thread(target=map) for _ in range(8)]\n"
            "for thread in threads: thread.start()\n"
            "client.poll()\n"
        )
        with Child(code, served.path) as child:
            for _ in range(8):
                child.expect("/1/x")
            served.put("close")
            child.expect(performing("close"))
            assert child.end()[0] == 0

    def test_without_a_server(self, private_place: Path) -> None:
        """A path that cannot be mapped is an error, never a path that was not mapped."""
        code = DEFINE + (
            "client = Client(sys.argv[1])\n"
            "for call in (lambda: client.map_path('/a/x'), client.path_mapping_rules):\n"
            "    try:\n"
            "        call()\n"
            "    except ConnectionError as e:\n"
            "        print('cannot reach the adaptor' in str(e), flush=True)\n"
        )
        with Child(code, private_place / "nothing") as child:
            assert child.end() == (0, "True\nTrue", "")


class TestTheOtherSideIsGone:
    def test_server_shut_down(self, served: Served) -> None:
        """A client whose server shuts down leaves poll with one line on stderr."""
        with Child(CLIENT, served.path) as child:
            served.put("echo")
            child.expect(performing("echo"))
            child.expect("echo null")
            served.stop()
            status, out, errors = child.end()
        assert (status, out) == (0, "polled")
        [line] = errors.splitlines()
        assert line.startswith("ERROR: ")
        assert "adaptor is gone" in line

    def test_server_shut_down_while_the_client_works(self, served: Served) -> None:
        """The same where the client is busy at that time: it ends its action first."""
        with Child(CLIENT, served.path) as child:
            served.put("hold")
            child.expect(performing("hold"))
            served.stop()
            child.say("")
            status, out, errors = child.end()
        assert (status, out) == (0, "polled")
        assert errors.startswith("ERROR: ")
        assert len(errors.splitlines()) == 1

    def test_server_killed(self) -> None:
        """The same where the adaptor's process is killed."""
        code = """
            from openjd.adaptor_runtime.application_ipc import ActionsQueue, AdaptorServer
            from openjd.adaptor_runtime_client import Action
            queue = ActionsQueue()
            server = AdaptorServer(queue, None)
            print(server._folder, flush=True)
            print(server.server_path, flush=True)
            queue.enqueue_action(Action("echo"))
            server.serve_forever()
        """
        with Child(code) as server:
            folder, path = server.line(), server.line()
            assert folder is not None
            with Child(CLIENT, path) as child:
                child.expect(performing("echo"))
                child.expect("echo null")
                server.kill()
                status, out, errors = child.end()
        assert (status, out) == (0, "polled")
        assert errors.startswith("ERROR: ")
        assert len(errors.splitlines()) == 1
        with Child(CLIENT, path) as child:
            status, _, errors = child.end()
            assert status == 0
            assert errors.startswith("ERROR: cannot reach the adaptor")
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        os.rmdir(folder)

    def test_answer_that_makes_no_sense(self) -> None:
        """A server that speaks another protocol is an error line, not a traceback."""
        code = """
            from openjd.adaptor_runtime._platform import make_private_folder
            from openjd.adaptor_runtime_client.wire import transport
            import os
            folder = make_private_folder()
            listener = transport.listen(folder)
            print(listener.address, flush=True)
            for answer in (b"HTTP/1.1 200 OK\\r\\n", b"OJDA\\0\\2\\0\\0"):
                stream = listener.accept()
                stream.read(1)
                stream.write(answer)
                stream.close()
            listener.close()
            os.rmdir(folder)
        """
        with Child(code) as server:
            path = server.line()
            for said in ("does not speak this protocol", "version 2"):
                with Child(CLIENT, path) as child:
                    status, out, errors = child.end()
                assert (status, out) == (0, "polled")
                assert errors.startswith("ERROR: ")
                assert said in errors
                assert "Traceback" not in errors
            server.end()


def interruptible(code: str, *args: object) -> Child:
    """A child that can be told to end by itself."""
    if sys.platform == "win32":
        return Child(code, *args, creationflags=subprocess.CREATE_NEW_PROCESS_GROUP)
    return Child(code, *args)


if sys.platform == "win32":
    ASK, SIGNAL = signal.CTRL_BREAK_EVENT, signal.SIGBREAK
else:
    ASK = SIGNAL = signal.SIGTERM


class TestSignal:
    def test_while_it_waits(self, served: Served) -> None:
        """SIGTERM (CTRL_BREAK) calls graceful_shutdown, in the main thread, at once."""
        served.put("echo")
        with interruptible(CLIENT, served.path) as child:
            child.expect(performing("echo"))
            child.expect("echo null")
            child.process.send_signal(ASK)
            child.expect(f"shutdown {int(SIGNAL)} True")
            assert child.end() == (5, "", "")

    def test_a_handler_that_returns(self, served: Served) -> None:
        """Where graceful_shutdown returns, the client goes on waiting for its next action."""
        served.put("echo")
        with interruptible(CLIENT, served.path, "go on") as child:
            child.expect(performing("echo"))
            child.expect("echo null")
            child.process.send_signal(ASK)
            child.expect(f"shutdown {int(SIGNAL)} True")
            served.put("close")
            child.expect(performing("close"))
            assert child.end() == (0, "closing None\npolled", "")

    @posix_only
    def test_that_does_not_interrupt_the_wait(self, served: Served) -> None:
        """A signal ends the wait though the system call goes on; others' wakeup fd hears of it.

        It is given to another thread here. One that comes just before the call has the same effect.
        """
        code = """
            import os, signal, sys, threading
            from openjd.adaptor_runtime_client import ClientInterface

            class Client(ClientInterface):
                def close(self, args=None):
                    pass

                def graceful_shutdown(self, signum, frame):
                    in_main = threading.current_thread() is threading.main_thread()
                    os.write(1, f"shutdown {int(signum)} {in_main}\\n".encode())
                    sys.exit(5)

            def give():
                sys.stdin.readline()
                signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

            def profile(frame, event, function):
                # The calls that wait. The other thread cannot run before the call itself lets it.
                callers = [("read", "recv"), ("wait", "poll")]
                if event == "c_call" and (frame.f_code.co_name, function.__name__) in callers:
                    os.write(1, b"waits\\n")

            reader, writer = os.pipe()
            os.set_blocking(writer, False)
            client = Client(sys.argv[1])
            threading.Thread(target=give, daemon=True).start()
            signal.set_wakeup_fd(writer)
            sys.setprofile(profile)
            try:
                client.poll()
            finally:
                assert os.read(reader, 10) == bytes([signal.SIGTERM])
                assert signal.set_wakeup_fd(-1) == writer
        """
        with Child(code, served.path) as child:
            child.expect("waits")
            child.say("now")
            child.expect(f"shutdown {int(signal.SIGTERM)} True")
            assert child.end() == (5, "", "")

    def test_in_another_thread_no_handler_is_installed(self, served: Served) -> None:
        """A client made in another thread than the main one works, without the signal."""
        code = DEFINE + (
            "def work():\n"
            "    Client(sys.argv[1]).poll()\n"
            "thread = threading.Thread(target=work)\n"
            "thread.start()\n"
            "thread.join()\n"
        )
        served.put("close")
        with Child(code, served.path) as child:
            child.expect(performing("close"))
            assert child.end() == (0, "closing None", "")


class TestBadPeers:
    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"GET / HTTP/1.1\r\n\r\n",
            b"OJDA\x00\x09\x00\x00",
            framing.PREAMBLE,
            framing.PREAMBLE + b"M\xff\xff\xff\xff",
            framing.PREAMBLE + b"M\x00\x00\x00\x20half",
            framing.PREAMBLE + b"M\x00\x00\x00\x04null",
            pytest.param(
                framing.PREAMBLE + b"M\x00\x0f\x42\x40" + b"[" * 1_000_000, id="deep JSON"
            ),
            framing.PREAMBLE + framing.encode_output(b"openjd_env: A=b\n"),
            framing.PREAMBLE + framing.encode_message({"type": "stop"}),
            framing.PREAMBLE + 3 * framing.encode_message({"type": "next"}),
        ],
    )
    def test_hurts_nobody_else(self, served: Served, data: bytes) -> None:
        """Whatever a peer sends, then leaves: the client that waits gets its actions."""
        with Child(CLIENT, served.path) as child:
            served.put("echo", {"n": 1})
            child.expect(performing("echo", {"n": 1}))
            child.expect('echo {"n": 1}')
            for _ in range(2):
                stream = transport._system.connect(served.path)
                if data:
                    stream.write(data)
                stream.close()
            served.put("echo", {"n": 2})
            child.expect(performing("echo", {"n": 2}))
            served.put("close")
            assert child.end()[0] == 0

    def test_unknown_request(self, served: Served) -> None:
        """A request that the server does not know is answered with what is wrong with it."""
        connection = transport.connect(served.path)
        with pytest.raises(RemoteProtocolError, match="there is no request 'run'"):
            Task(connection.request, {"type": "run"}).result()
        connection.close()

    def test_peers_that_say_nothing(self, served: Served) -> None:
        """Peers that connect and stay silent keep nobody from working, nor from shutting down."""
        silent = [transport._system.connect(served.path) for _ in range(40)]
        served.put("close")
        with Child(CLIENT, served.path) as child:
            child.expect(performing("close"))
            assert child.end()[0] == 0
        served.stop()
        for stream in silent:
            assert Task(stream.read, 1).result() == b""
            stream.close()


class TestServer:
    @posix_only
    def test_path_is_a_file(self, served: Served, private_place: Path) -> None:
        """The server's path names an existing file, in TMPDIR, as long as it serves."""
        assert os.path.exists(served.path)
        assert Path(served.path).is_relative_to(private_place / "tmp")
        served.stop()
        assert not os.path.exists(served.path)

    @pytest.mark.skipif(sys.platform != "win32", reason="about named pipes")
    def test_path_is_a_pipe(self, served: Served) -> None:
        """The server's path is the name of a pipe."""
        assert served.path.startswith("\\\\.\\pipe\\")

    def test_shutdown_leaves_nothing(self, served: Served, private_place: Path) -> None:
        """After shutdown the temporary folder is empty; a second shutdown does nothing."""
        served.stop()
        assert list((private_place / "tmp").iterdir()) == []
        Task(served.server.shutdown).result()

    def test_shutdown_without_serving(self, private_place: Path) -> None:
        """A server that was never asked to serve can be shut down."""
        server = AdaptorServer(ActionsQueue(), AnAdaptor({}))
        Task(server.shutdown).result()
        assert list((private_place / "tmp").iterdir()) == []

    def test_serving_after_shutdown(self) -> None:
        """A thread that comes to serve only after the shutdown returns at once."""
        server = AdaptorServer(ActionsQueue(), AnAdaptor({}))
        Task(server.shutdown).result()
        assert Task(server.serve_forever).result() is None

    def test_shutdown_as_it_begins_to_serve(self) -> None:
        """However a shutdown and the beginning of serving meet, both end."""
        for _ in range(50):
            server = AdaptorServer(ActionsQueue(), AnAdaptor({}))
            serving = Task(server.serve_forever)
            Task(server.shutdown).result()
            serving.result()

    @posix_only
    def test_out_of_descriptors_for_a_moment(self) -> None:
        """A server whose process can open nothing for a while serves again once it can."""
        code = """
            import os, resource, threading
            from openjd.adaptor_runtime.application_ipc import ActionsQueue, AdaptorServer
            from openjd.adaptor_runtime_client import Action
            queue = ActionsQueue()
            server = AdaptorServer(queue, None)
            print(server.server_path, flush=True)
            queue.enqueue_action(Action("close"))
            serving = threading.Thread(target=server.serve_forever)
            serving.start()
            input()
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
            opened = []
            try:
                while True:
                    opened.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                print("full", flush=True)
            input()
            for fd in opened: os.close(fd)
            print("free", flush=True)
            input()
            server.shutdown()
            serving.join()
        """
        with Child(code) as server:
            path = server.line()
            assert path is not None
            server.say("")
            server.expect("full")
            for _ in range(3):
                connection = transport.connect(path)
                try:
                    # Turned away: nobody waits for what may never come.
                    assert Task(connection.receive).result() is None
                finally:
                    connection.close()
            server.say("")
            server.expect("free")
            with Child(CLIENT, path) as child:
                child.expect(performing("close"))
                assert child.end() == (0, "closing None\npolled", "")
            server.say("")
            assert server.end() == (0, "", "")

    def test_actions_stay_after_shutdown(self, served: Served) -> None:
        """Actions that nobody took are still in the queue after the shutdown."""
        served.put("echo")
        served.stop()
        assert len(served.queue) == 1

    def test_two_servers(self, served: Served) -> None:
        """An adaptor may have several servers, each with a queue of its own."""
        other = Served()
        assert other.path != served.path
        served.put("close", {"n": 1})
        other.put("close", {"n": 2})
        for one, n in ((other, 2), (served, 1)):
            with Child(CLIENT, one.path) as child:
                child.expect(performing("close", {"n": n}))
                child.end()
        other.stop()

    def test_temporary_folder_missing(
        self, private_place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where TMPDIR cannot be used, the server says so when it is made."""
        for variable in ("TMPDIR", "TEMP", "TMP"):
            monkeypatch.setenv(variable, str(private_place / "missing"))
        with pytest.raises(OSError, match="missing"):
            AdaptorServer(ActionsQueue(), AnAdaptor({}))


class Minimal(ClientInterface):
    """A client that does nothing."""

    def close(self, args: dict[str, Any] | None) -> None:
        """Does nothing."""

    def graceful_shutdown(self, signum: int, frame: object) -> None:
        """Does nothing."""


@pytest.fixture
def signals_kept() -> Iterator[None]:
    """The signal handlers of this process are afterwards what they were."""
    before = signal.getsignal(SIGNAL)
    yield
    signal.signal(SIGNAL, before)


@pytest.mark.usefixtures("signals_kept")
class TestClientInterface:
    @pytest.mark.parametrize("missing", ["close", "graceful_shutdown"])
    def test_abstract(self, missing: str) -> None:
        """A client that lacks one of the two methods cannot be made; the method is named."""
        methods = {"close": Minimal.close, "graceful_shutdown": Minimal.graceful_shutdown}
        del methods[missing]
        incomplete = type("Incomplete", (ClientInterface,), methods)
        with pytest.raises(TypeError, match=missing):
            incomplete("path")

    def test_actions_hold_close(self) -> None:
        """From the start there is one action, close."""
        client = Minimal("path")
        assert client.actions == {"close": client.close}
        assert client.server_path == "path"

    def test_without_a_path(self) -> None:
        """A client must be told where its adaptor listens."""
        with pytest.raises(TypeError, match="server_path"):
            Minimal()

    def test_unknown_keyword(self) -> None:
        """A keyword that no client knows is a mistake and is called one."""
        with pytest.raises(TypeError):
            Minimal("path", sever_path="other")

    def test_deprecated_spellings(self) -> None:
        """``socket_path`` still works as keyword and attribute, and warns."""
        with pytest.warns(DeprecationWarning, match="socket_path"):
            client = Minimal(socket_path="path")
        assert client.server_path == "path"
        with pytest.warns(DeprecationWarning, match="socket_path"):
            assert client.socket_path == "path"

    def test_installs_the_handler(self) -> None:
        """In the main thread the signal is graceful_shutdown's from then on."""
        client = Minimal("path")
        assert signal.getsignal(SIGNAL) == client.graceful_shutdown
