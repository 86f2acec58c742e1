"""Calls from the adaptor into real applications, and every way in which they can end."""

from __future__ import annotations

import signal
import sys
import threading
from typing import Any

import pytest
from bounded import Task

from openjd.adaptor_runtime.application_ipc import (
    ActionsQueue,
    AdaptorServer,
    ApplicationError,
    Calls,
    calls,
)
from openjd.adaptor_runtime_client import Action
from openjd.adaptor_runtime_client._version import version
from openjd.adaptor_runtime_client.wire import framing
from openjd.adaptor_runtime_client.wire.errors import ConnectionLost, RemoteProtocolError
from openjd.adaptor_runtime_client.wire.transport import Connection

from .calling import BEGIN, AnAdaptor, Site, result

NAMES = ("add", "close", "drop", "echo", "hold", "leave", "load", "make", "report")


def failure(function: Any, *args: Any, **keywords: Any) -> ApplicationError:
    """The ApplicationError that the call of `function` must raise."""
    with pytest.raises(ApplicationError) as caught:
        function(*args, **keywords)
    error = caught.value
    assert str(error) == error.message
    assert len(error.message.splitlines()) == 1
    return error


def joined(site: Site, **fields: Any) -> Connection:
    """A connection of the test's own that has greeted as a client that knows ``render``."""
    connection = site.raw()
    greeting = {"type": "join", "actions": ["render"], **fields}
    assert Task(connection.request, greeting).result() == {"type": "ok"}
    site.wait()
    return connection


class TestAnswers:
    def test_greeting(self, site: Site) -> None:
        """The client tells what it is: versions, process, actions."""
        with site.start() as application:
            hello = site.wait()
            assert hello == (
                version,
                "{}.{}.{}".format(*sys.version_info[:3]),
                "3.4.1",
                application.pid,
                NAMES,
            )
            assert site.calls.hello == hello
            assert site.call("close") is None
            assert application.end() == (0, "", "")

    @pytest.mark.parametrize(
        "value",
        [
            None,
            True,
            0,
            -(2**70),
            1.5,
            "",
            "\u00e4\u20ac\U0001f600\udcff \n\t\0",
            [],
            {},
            {"deep": [[{"a": [None, {"type": "result", "id": 7, "error": None}]}]]},
            pytest.param("x" * 1_000_000, id="large"),
        ],
    )
    def test_values(self, site: Site, value: Any) -> None:
        """What JSON can express goes there and comes back as it was."""
        with site.start():
            site.wait()
            back = site.call("echo", value=value)
            assert (type(back), back) == (type(value), value)

    def test_defaults(self, site: Site) -> None:
        """A parameter with a default may be left out."""
        with site.start():
            site.wait()
            assert site.call("add", left=1) == 2
            assert site.call("add", left=1, right=-3) == -2

    def test_pipelined(self, site: Site) -> None:
        """Calls are performed in the order of submission; each gets the answer that is its own."""
        with site.start():
            site.wait()
            submitted = [site.calls.submit("echo", {"value": n}) for n in range(500)]
            assert [result(call) for call in reversed(submitted)] == list(reversed(range(500)))

    def test_from_many_threads(self, site: Site) -> None:
        """Threads call at the same time, each in its own order."""

        def work(thread: int) -> list[Any]:
            return [site.calls.submit("echo", {"value": [thread, n]}).result() for n in range(50)]

        with site.start():
            site.wait()
            tasks = [Task(work, thread) for thread in range(4)]
            for thread, task in enumerate(tasks):
                assert task.result() == [[thread, n] for n in range(50)]

    def test_more_than_a_busy_application_takes(self, site: Site) -> None:
        """Megabytes are submitted without a wait while the application reads nothing."""
        with site.start() as application:
            site.wait()
            held = site.submit("hold")
            application.expect("holding")
            submitted = [site.submit("echo", value=[n, "x" * 20_000]) for n in range(300)]
            assert site.calls.current is held
            assert site.calls.pending == [held, *submitted]
            application.say("on")
            assert result(held) == "on"
            assert [result(call)[0] for call in submitted] == list(range(300))
            assert site.calls.current is None

    def test_call(self, site: Site) -> None:
        """A call knows what it is, and whether it has ended."""
        with site.start() as application:
            site.wait()
            call = site.submit("hold")
            application.expect("holding")
            assert (call.name, call.args, call.done) == ("hold", {}, False)
            assert repr(call) == "<Call hold, pending>"
            application.say("")
            for _ in range(2):
                assert result(call) == ""
            assert call.done
            assert repr(call) == "<Call hold, done>"

    def test_timeout(self, site: Site) -> None:
        """A wait may be limited; the call goes on, and is waited for again."""
        with site.start() as application:
            site.wait()
            call = site.submit("hold")
            application.expect("holding")
            with pytest.raises(TimeoutError, match=r"hold has not answered within 0\.01 s"):
                call.result(0.01)
            assert not call.done
            application.say("late")
            assert result(call) == "late"

    def test_given_up(self, site: Site) -> None:
        """A call that was given up ends at once; its late answer is nobody else's."""
        with site.start() as application:
            site.wait()
            call = site.submit("hold")
            application.expect("holding")
            waiting = Task(call.result)
            error = ApplicationError("enough")
            call.cancel_local(error)
            call.cancel_local(ApplicationError("too late"))
            assert failure(waiting.result) is error
            assert site.calls.pending == []
            after = site.submit("echo", value=1)
            application.say("the late answer")
            assert result(after) == 1
            done = site.submit("echo", value=2)
            assert result(done) == 2
            done.cancel_local(error)
            assert result(done) == 2


class TestWhatTheApplicationRaises:
    def test_exception(self, site: Site) -> None:
        """An exception is the answer: type, message and traceback; the application lives on."""
        with site.start() as application:
            site.wait()
            error = failure(site.call, "load", scene="a.blend")
            assert str(error) == (
                "load failed in the application: ValueError: there is no scene a.blend"
            )
            assert error.remote_type == "ValueError"
            assert error.remote_message == "there is no scene\n  a.blend"
            assert error.remote_traceback is not None
            lines = error.remote_traceback.splitlines()
            assert lines[0] == "Traceback (most recent call last):"
            assert lines[1].endswith(", in load")
            assert lines[-2:] == ["ValueError: there is no scene", "  a.blend"]
            assert (error.exit_status, error.last_lines, error.told) == (None, [], False)
            assert site.call("echo", value=1) == 1
            site.call("close")
            assert application.end() == (0, "", "")

    def test_without_a_text(self, site: Site) -> None:
        """Exceptions whose text is missing, hostile or endless come across all the same."""
        code = BEGIN + (
            "    @action\n"
            "    def bare(self): assert False\n"
            "    @action\n"
            "    def hostile(self):\n"
            "        class Hostile(Exception):\n"
            "            def __str__(self): raise RuntimeError\n"
            "        raise Hostile\n"
            "    @action\n"
            "    def endless(self): raise ValueError('x' * 20_000_000)\n"
            "    @action\n"
            "    def deep(self): self.deep()\n"
            "Client.run()\n"
        )
        with site.start(code):
            site.wait()
            assert str(failure(site.call, "bare")).endswith("application: AssertionError")
            assert failure(site.call, "hostile").remote_type == "Hostile"
            error = failure(site.call, "endless")
            assert error.message.endswith("x [...]")
            assert len(error.message) < 3000
            assert failure(site.call, "deep").remote_type == "RecursionError"
            assert site.call("echo", value=1) == 1

    def test_system_exit(self, site: Site) -> None:
        """SystemExit is the answer first, and then ends the application as it does anywhere."""
        with site.start() as application:
            site.wait()
            after = site.submit("hold")
            application.expect("holding")
            leaving, behind = site.submit("leave", status=7), site.submit("echo")
            application.say("")
            result(after)
            error = failure(result, leaving)
            assert str(error) == "leave failed in the application: SystemExit: 7"
            status, _, errors = application.end()
            assert (status, errors) == (7, "")
            ended = ApplicationError("it ended", exit_status=status)
            site.calls.fail_all(ended)
            assert failure(result, behind) is ended

    @pytest.mark.parametrize(
        ("args", "says"),
        [
            ({"left": "three"}, "parameter 'left' of add must be int, not str 'three'"),
            ({"left": True}, "parameter 'left' of add must be int, not bool True"),
            ({"left": None}, "parameter 'left' of add must be int, not None"),
            ({"left": 1.0}, "parameter 'left' of add must be int, not float 1.0"),
            ({"left": 1, "right": []}, "parameter 'right' of add must be int, not list []"),
            ({}, "parameter 'left' (int) of add is missing"),
            ({"left": 1, "rihgt": 2}, "add has no parameter 'rihgt' (it has: left, right)"),
            ({"left": 1, "self": 2}, "add has no parameter 'self' (it has: left, right)"),
        ],
    )
    def test_arguments_that_do_not_fit(self, site: Site, args: dict[str, Any], says: str) -> None:
        """Arguments are checked on arrival: the error names action, parameter and both types."""
        with site.start():
            site.wait()
            error = failure(lambda: result(site.calls.submit("add", args)))
            assert str(error) == f"add failed in the application: TypeError: {says}"
            assert error.remote_type == "TypeError"
            assert error.remote_traceback is None
            assert site.call("add", left=1) == 2

    def test_unknown_action(self, site: Site) -> None:
        """An action that the client does not have fails where it is called, and names those."""
        with site.start():
            site.wait()
            error = failure(site.submit, "render", frame=1)
            assert str(error) == (
                "render cannot be called: the application's actions are " + ", ".join(NAMES)
            )
            assert str(failure(site.submit, "ad")).endswith("; did you mean 'add'?")
            assert site.calls.pending == []

    @pytest.mark.parametrize(
        ("args", "kind", "says"),
        [
            ({"kind": "set"}, "TypeError", "what make returns cannot be sent: .*set.* not JSON"),
            ({"kind": "key"}, "TypeError", "what make returns cannot be sent: keys must be str"),
            (
                {"kind": "text", "size": framing.MAX_BODY},
                "ValueError",
                r"what make returns cannot be sent: .* bytes is over the limit of 16,777,216 bytes",
            ),
        ],
    )
    def test_results_that_cannot_be_sent(
        self, site: Site, args: dict[str, Any], kind: str, says: str
    ) -> None:
        """A result that is no JSON, or too large, is an error; the connection lives on."""
        with site.start():
            site.wait()
            error = failure(lambda: result(site.calls.submit("make", args)))
            assert error.remote_type == kind
            error.args = (str(error),)
            with pytest.raises(ApplicationError, match=says):
                raise error
            assert site.call("make", kind="text", size=9) == "x" * 9

    @pytest.mark.parametrize("value", [{1}, object(), "x" * framing.MAX_BODY], ids=str.__name__)
    def test_arguments_that_cannot_be_sent(self, site: Site, value: Any) -> None:
        """Arguments that are no JSON, or too large, fail where they are given."""
        with site.start():
            site.wait()
            error = failure(site.submit, "echo", value=value)
            assert str(error).startswith("echo cannot be called: a message ")
            assert site.calls.pending == []
            assert site.call("echo", value=1) == 1


class TestReports:
    def test_progress_and_status(self, site: Site) -> None:
        """What an action reports comes before its answer, in order, with its call."""
        with site.start():
            site.wait()
            site.call("report", what=[0, "loading", 50, 99.5, "a\nb", -3, 700])
            assert site.reports == [
                ("report", value) for value in (0.0, "loading", 50.0, 99.5, "a\nb", -3.0, 700.0)
            ]

    def test_of_calls_in_a_row(self, site: Site) -> None:
        """Each report belongs to the call under way when it was made."""
        seen = []
        site.calls._on_progress = lambda call, percent: seen.append((call, percent))
        with site.start():
            site.wait()
            submitted = [site.submit("report", what=[n]) for n in range(5)]
            for call in submitted:
                result(call)
        assert seen == [(call, float(n)) for n, call in enumerate(submitted)]

    def test_nobody_listens(self, tmp_path: Any) -> None:
        """Without functions for them reports are let go."""
        site = Site(tmp_path)
        site.calls._on_progress = site.calls._on_status = None
        with site.start():
            site.wait()
            assert site.call("report", what=[1, "x"]) is None
        site.stop()

    def test_a_listener_that_raises(self, site: Site, caplog: pytest.LogCaptureFixture) -> None:
        """Where a report cannot be passed on, it is logged and hurts nothing else."""

        def refuse(call: Any, percent: float) -> None:
            raise RuntimeError("no more")

        site.calls._on_progress = refuse
        with site.start():
            site.wait()
            assert site.call("report", what=[1]) is None
        assert "a report on report could not be passed on" in caplog.text


class TestTheApplicationIsGone:
    def test_killed_in_a_call(self, site: Site) -> None:
        """The process' end, told by ``fail_all``, is the error of every call, status included."""
        with site.start() as application:
            site.wait()
            submitted = [site.submit("hold"), site.submit("echo", value=1)]
            waiting = [Task(call.result) for call in submitted]
            application.expect("holding")
            application.kill()
            status = application.process.returncode
            lines = ["reading the scene"]
            error = ApplicationError("it was killed", exit_status=status, last_lines=lines)
            site.calls.fail_all(error)
            for task in waiting:
                assert failure(task.result) is error
            assert error.exit_status == (1 if sys.platform == "win32" else -signal.SIGKILL)
            assert error.last_lines == lines
            assert failure(site.submit, "echo") is error

    def test_called_between_its_end_and_the_word_of_it(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A call to an application that has just died fails with what is known a moment later."""
        monkeypatch.setattr(calls, "LAST_WORD", 30.0)
        with site.start() as application:
            site.wait()
            application.kill()
            submitted = [site.submit("echo", value="x" * 100_000) for _ in range(20)]
            error = ApplicationError("it was killed")
            site.calls.fail_all(error)
            for call in submitted:
                assert failure(result, call) is error

    def test_killed_and_nobody_tells(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a word of the process' end calls fail when the connection has closed."""
        monkeypatch.setattr(calls, "LAST_WORD", 0.01)
        with site.start() as application:
            site.wait()
            call = site.submit("hold")
            application.expect("holding")
            application.kill()
            assert str(failure(result, call)) == (
                "the application closed its connection while hold was running"
            )
            assert str(failure(site.submit, "echo")) == (
                "echo cannot be called: the application has closed its connection"
            )

    def test_closes_its_connection_and_lives(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An application that lives on without a connection hangs nobody."""
        monkeypatch.setattr(calls, "LAST_WORD", 0.01)
        with site.start() as application:
            site.wait()
            call = site.submit("drop")
            application.expect("dropped")
            assert str(failure(result, call)) == (
                "the application closed its connection while drop was running"
            )
            application.say("")
            status, _, errors = application.end()
            assert (status, "adaptor is gone" in errors) == (0, True)

    def test_everybody_at_once(self, site: Site) -> None:
        """``fail_all`` from another thread ends every wait, also those for a client."""
        other = Calls()
        with site.start() as application:
            site.wait()
            held = site.submit("hold")
            application.expect("holding")
            submitted = [held, *(site.submit("echo") for _ in range(20))]
            waiting = [Task(call.result) for call in submitted for _ in range(2)]
            for_client = [Task(other.wait_for_client) for _ in range(3)]
            error = ApplicationError("it was silent for too long")
            for each in (site.calls, other):
                Task(each.fail_all, error).result()
            for task in waiting + for_client:
                assert failure(task.result) is error
            assert failure(site.calls.wait_for_client) is error
            site.calls.fail_all(ApplicationError("and then it ended"))
            assert failure(site.submit, "echo") is error
            # Its connection was closed: it goes when it has done what it was doing.
            application.say("")
            assert application.end()[0] == 0

    def test_while_a_large_call_is_sent(self, site: Site) -> None:
        """Neither an end nor a failure waits for what an application does not read."""
        with site.start() as application:
            site.wait()
            held = site.submit("hold")
            application.expect("holding")
            submitted = [site.submit("echo", value="x" * 10_000_000) for _ in range(2)]
            error = ApplicationError("enough")
            Task(site.calls.fail_all, error).result()
            for call in (held, *submitted):
                assert failure(result, call) is error

    def test_restarted(self, site: Site) -> None:
        """After ``reset`` the next application is called; what was of the first is forgotten."""
        with site.start() as application:
            site.wait()
            application.kill()
            site.calls.fail_all(ApplicationError("it was killed"))
        site.calls.reset()
        with pytest.raises(TimeoutError, match="no client has connected"):
            site.calls.wait_for_client(0)
        error = failure(site.submit, "echo")
        assert "the application has not connected yet" in str(error)
        with site.start() as application:
            assert site.wait().pid == application.pid
            assert site.call("echo", value=2) == 2

    def test_restarted_while_one_is_connected(self, site: Site) -> None:
        """``reset`` ends what is under way."""
        with site.start() as application:
            site.wait()
            call = site.submit("hold")
            application.expect("holding")
            site.calls.reset()
            assert str(failure(result, call)) == "the application is restarted"

    def test_shut_down(self, site: Site) -> None:
        """The server's shutdown ends calls, and the application."""
        with site.start() as application:
            site.wait()
            call = site.submit("hold")
            application.expect("holding")
            site.stop()
            assert str(failure(result, call)) == "the adaptor's server was shut down"
            application.say("")
            status, _, errors = application.end()
            assert (status, errors.startswith("ERROR: the adaptor is gone")) == (0, True)

    def test_no_client_comes(self, site: Site) -> None:
        """The wait for a client may be limited, and a call needs one."""
        with pytest.raises(TimeoutError, match=r"no client has connected within 0\.01 s"):
            site.calls.wait_for_client(0.01)
        error = failure(site.submit, "echo")
        assert str(error) == "echo cannot be called: the application has not connected yet"


class TestTwoClients:
    def test_the_second_is_refused(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """One application has one client: another is told why, and the first does not notice."""
        monkeypatch.setattr(calls, "HANDOVER", 0.01)
        with site.start() as first:
            site.wait()
            with site.start() as second:
                status, _, errors = second.end()
            assert status == 1
            assert errors.splitlines()[-1] == (
                "ConnectionError: the adaptor refuses this client: another client of this "
                f"application is connected (process {first.pid})"
            )
            assert site.call("echo", value=1) == 1

    def test_one_after_the_other(self, site: Site) -> None:
        """When the first has left, the next is taken at once, with no need for a reset."""
        for number in range(3):
            with site.start() as application:
                hello = Task(joined_by, site, application.pid).result()
                assert hello.pid == application.pid
                assert site.call("echo", value=number) == number
                if number:
                    site.call("close")
                    application.end()

    def test_at_the_same_time(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of several that come at once exactly one is taken."""
        monkeypatch.setattr(calls, "HANDOVER", 0.01)
        connections = [site.raw() for _ in range(8)]
        tasks = [Task(c.request, {"type": "join", "actions": []}) for c in connections]
        answers = []
        for task in tasks:
            try:
                answers.append(task.result()["type"])
            except RemoteProtocolError as e:
                answers.append(str(e)[: len("another client")])
        assert sorted(answers) == ["another client"] * 7 + ["ok"]
        for connection in connections:
            connection.close()

    def test_after_the_failure(self, site: Site) -> None:
        """A client that comes when the adaptor has given up is told so."""
        site.calls.fail_all(ApplicationError("it took too long to start"))
        with site.start() as application:
            status, _, errors = application.end()
        assert status == 1
        assert "given up on this application: it took too long to start" in errors


def joined_by(site: Site, pid: int) -> Any:
    """The greeting of the process `pid`, once it has come."""
    with site.calls._changed:
        while site.calls.hello is None or site.calls.hello.pid != pid:
            site.calls._changed.wait()
        return site.calls.hello


class TestOtherVersions:
    def test_a_newer_client(self, site: Site) -> None:
        """What newer clients add to their messages is passed over."""
        connection = joined(site, gpu={"name": "x"}, client="99.1", python="4.0.0", application="7")
        hello = site.wait()
        assert (hello.client, hello.python, hello.application) == ("99.1", "4.0.0", "7")
        assert hello.actions == ("render",)
        call = site.submit("render", frame=1)
        message = Task(connection.receive).result()
        assert message == {"type": "action", "id": call.id, "name": "render", "args": {"frame": 1}}
        connection.send({"type": "progress", "id": call.id, "eta": 3})
        connection.send({"type": "result", "id": call.id, "value": 1, "seconds": 0.5})
        assert result(call) == 1
        connection.close()

    def test_an_older_client(self, site: Site) -> None:
        """What older clients lack is empty; the process is the system's word."""
        connection = joined(site)
        hello = site.wait()
        assert (hello.client, hello.python, hello.application) == ("", "", None)
        assert hello.pid == connection.peer.get("pid")
        connection.close()

    def test_an_adaptor_without_calls(self, site: Site, tmp_path: Any) -> None:
        """A server that carries no calls refuses the client, which says so and fails."""
        queue = ActionsQueue()
        server = AdaptorServer(queue, AnAdaptor({}))
        serving = Task(server.serve_forever)
        with site.start(variables={"OPENJD_ADAPTOR_SERVER": server.server_path}) as application:
            status, _, errors = application.end()
        assert status == 1
        assert "the adaptor refuses this client: there is no request 'join'" in errors
        server.shutdown()
        serving.result()


class TestGarbage:
    @pytest.mark.parametrize(
        ("message", "says"),
        [
            ({"type": "result"}, "'result' came without the id of a call"),
            ({"type": "result", "id": "1", "value": 1}, "'result' came without the id"),
            ({"type": "result", "id": True, "value": 1}, "'result' came without the id"),
            ({"type": "progress", "percent": 1}, "'progress' came without the id"),
            ({"type": "progress", "id": 1, "percent": "50"}, "a percent that is no number"),
            ({"type": "progress", "id": 1, "percent": float("nan")}, "that is no number"),
            ({"type": "progress", "id": 1, "percent": 10**400}, "that is no number"),
            ({"type": "progress", "id": 1, "percent": True}, "that is no number"),
            ({"type": "progress", "id": 1, "status": 7}, "a status that is no text"),
            ({"type": "run"}, "there is no request 'run'"),
        ],
    )
    def test_message(
        self, site: Site, monkeypatch: pytest.MonkeyPatch, message: dict[str, Any], says: str
    ) -> None:
        """A message that makes no sense ends the connection, and the call with its reason."""
        monkeypatch.setattr(calls, "LAST_WORD", 0.01)
        connection = joined(site)
        call = site.submit("render")
        assert call.id == 1
        Task(connection.receive).result()
        connection.send(message)
        answer = Task(connection.receive).result()
        assert answer["type"] == "error"
        assert says in answer["message"]
        error = failure(result, call)
        assert says in str(error)
        assert str(error).endswith("while render was running")
        connection.close()
        with site.start():
            site.wait()
            assert site.call("echo", value=1) == 1

    @pytest.mark.parametrize(
        "data",
        [
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"M\xff\xff\xff\xff",
            b"M\x00\x00\x00\x04null",
            framing.encode_output(b"openjd_fail: x\n"),
        ],
    )
    def test_bytes(self, site: Site, monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
        """Bytes that are not this protocol do the same."""
        monkeypatch.setattr(calls, "LAST_WORD", 0.01)
        connection = joined(site)
        call = site.submit("render")
        Task(connection.receive).result()
        try:
            connection.send_frame(data)
        except ConnectionLost:
            pass
        assert "closed its connection (" in str(failure(result, call))
        connection.close()

    @pytest.mark.parametrize("actions", [None, "render", {"render": 1}, ["render", 1]])
    def test_greeting(self, site: Site, actions: Any) -> None:
        """A greeting without names of actions is refused."""
        connection = site.raw()
        with pytest.raises(RemoteProtocolError, match="without the names of the client's actions"):
            Task(connection.request, {"type": "join", "actions": actions}).result()
        connection.close()

    def test_before_the_greeting(self, site: Site) -> None:
        """Answers of who has not greeted are refused."""
        connection = site.raw()
        with pytest.raises(RemoteProtocolError, match="a client that has not joined"):
            Task(connection.request, {"type": "result", "id": 1, "value": 1}).result()
        connection.close()

    def test_answers_to_nothing(self, site: Site) -> None:
        """An answer or a report to a call that is not pending is nobody's."""
        connection = joined(site)
        call = site.submit("render")
        for number in (0, 2, -1, 10**30):
            connection.send({"type": "result", "id": number, "value": "wrong"})
            connection.send({"type": "progress", "id": number, "percent": 50})
        for value in ("right", "again"):
            connection.send({"type": "result", "id": call.id, "value": value})
        assert result(call) == "right"
        assert site.reports == []
        connection.close()

    @pytest.mark.parametrize("error", [None, "x", 7, [], {}, {"type": 7, "message": ["a"]}])
    def test_errors_of_a_strange_form(self, site: Site, error: Any) -> None:
        """Whatever stands where an error belongs: the call fails with one line."""
        connection = joined(site)
        call = site.submit("render")
        connection.send({"type": "result", "id": call.id, "error": error})
        assert str(failure(result, call)).startswith("render failed in the application: ")
        connection.close()

    def test_neither_value_nor_error(self, site: Site) -> None:
        """An answer with neither is an error of the client's, and of the call."""
        connection = joined(site)
        call = site.submit("render")
        connection.send({"type": "result", "id": call.id})
        assert "neither value nor error" in str(failure(result, call))
        connection.close()


class TestEnqueued:
    """Actions of an ActionsQueue, as 0.9 has them, for the same client."""

    def test_performed_without_an_answer(self, site: Site) -> None:
        """They are performed one after the other; reports from within them are nobody's."""
        code = BEGIN + (
            "    @action\n"
            "    def show(self, n: int):\n"
            "        self.progress(n)\n"
            "        print('show', n, flush=True)\n"
            "Client.run()\n"
        )
        for n in range(3):
            site.queue.enqueue_action(Action("show", {"n": n}))
        with site.start(code) as application:
            for n in range(3):
                application.expect(f"show {n}")
            site.wait()
            assert site.call("echo", value=1) == 1
            site.queue.enqueue_action(Action("nothing of the kind"))
            site.queue.enqueue_action(Action("show", {"n": 3}))
            application.expect("show 3")
            site.queue.enqueue_action(Action("close"))
            status, out, errors = application.end()
        assert (status, out) == (0, "")
        assert errors == "ERROR: there is no action 'nothing of the kind'; it was skipped"
        assert site.reports == []

    def test_that_raises(self, site: Site) -> None:
        """What one raises ends the application, and the next stays in the queue."""
        with site.start() as application:
            site.wait()
            site.queue.enqueue_action(Action("load", {"scene": "x"}))
            status, _, errors = application.end()
            assert status == 1
            assert "ValueError: there is no scene" in errors
            site.queue.enqueue_action(Action("echo"))
            assert len(site.queue) == 1
            assert failure(site.submit, "echo").remote_type == "ValueError"


def test_error_in_one_line() -> None:
    """An error's text is one line, whatever it was made of."""
    error = ApplicationError("render failed:\n\n  no such scene\r\n", last_lines=("a", "b"))
    assert str(error) == error.message == "render failed: no such scene"
    assert error.last_lines == ["a", "b"]
    assert str(ApplicationError("")) == ""


def test_the_first_client_may_be_late() -> None:
    """Who waits for a client without a limit is woken by the failure, not by the clock."""
    waiting = Calls()
    begun = threading.Event()

    def wait() -> None:
        begun.set()
        waiting.wait_for_client()

    task = Task(wait)
    assert begun.wait(30)
    waiting.fail_all(ApplicationError("the application ended", exit_status=3))
    assert failure(task.result).exit_status == 3
