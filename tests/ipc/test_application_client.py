"""The client's side of calls, inside real applications; and how it checks parameters."""

from __future__ import annotations

import collections.abc
import signal
import subprocess
import sys
import typing
from pathlib import Path
from typing import Any

import pytest
from bounded import Child, Task

from openjd.adaptor_runtime._version import version as runtime_version
from openjd.adaptor_runtime.application_ipc import ApplicationError
from openjd.adaptor_runtime_client import Action, ApplicationClient, action
from openjd.adaptor_runtime_client._parameters import Parameters
from openjd.adaptor_runtime_client._version import version

from .calling import BEGIN, Site, result

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="about POSIX")

# Goes on by one tick of the application for each line that the test says.
TICKING = """
client = Client()
while True:
    input()
    print(client.process_pending(), flush=True)
"""


def fails(site: Site, name: str, **args: Any) -> str:
    """What is said of a call that fails."""
    with pytest.raises(ApplicationError) as caught:
        site.call(name, **args)
    return str(caught.value)


class TestClose:
    def test_on_close(self, site: Site) -> None:
        """``close`` calls ``on_close``, answers, and ``run`` returns without a word."""
        code = BEGIN + (
            "    def on_close(self): print('tidy', flush=True)\n"
            "Client.run()\n"
            "print('polled', flush=True)\n"
        )
        with site.start(code) as application:
            site.wait()
            assert site.call("close") is None
            assert application.end() == (0, "tidy\npolled", "")

    def test_that_ends_the_process(self, site: Site) -> None:
        """An ``on_close`` that exits with success has closed, and exits."""
        code = BEGIN + "    def on_close(self): sys.exit(0)\nClient.run()\nprint('polled')\n"
        with site.start(code) as application:
            site.wait()
            assert site.call("close") is None
            assert application.end() == (0, "", "")

    def test_that_fails(self, site: Site) -> None:
        """What ``on_close`` raises is the answer; the application leaves all the same."""
        code = BEGIN + "    def on_close(self): raise OSError('full')\nClient.run()\n"
        with site.start(code) as application:
            site.wait()
            assert fails(site, "close") == "close failed in the application: OSError: full"
            assert application.end() == (0, "", "")

    def test_adaptor_gone(self, site: Site) -> None:
        """When the adaptor is gone ``run`` says so and returns."""
        with site.start(BEGIN + "Client.run()\nprint('polled')\n") as application:
            site.wait()
            site.stop()
            status, out, errors = application.end()
        assert (status, out) == (0, "polled")
        assert errors == "ERROR: the adaptor is gone, no more actions will come"

    def test_adaptor_gone_in_an_action(self, site: Site) -> None:
        """An action goes on without the adaptor, its reports and its answer go nowhere."""
        code = BEGIN + (
            "    @action\n"
            "    def work(self):\n"
            "        self.hold()\n"
            "        for n in range(1000): self.progress(n / 10)\n"
            "        print('done', flush=True)\n"
            "Client.run()\n"
        )
        with site.start(code) as application:
            site.wait()
            call = site.submit("work")
            application.expect("holding")
            site.stop()
            application.say("")
            application.expect("done")
            status, _, errors = application.end()
        assert (status, len(errors.splitlines())) == (0, 1)
        assert call.done


class TestConnecting:
    def test_no_path(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a path and without the variable the client cannot be made."""
        monkeypatch.delenv("OPENJD_ADAPTOR_SERVER", raising=False)
        with pytest.raises(TypeError, match=r"server_path.* OPENJD_ADAPTOR_SERVER"):
            ApplicationClient()

    def test_nobody_listens(self, private_place: Path) -> None:
        """Where nobody listens every way to begin raises a ConnectionError that says so."""
        client = quiet(str(private_place / "nothing"))
        for begin in (client.connect, client.poll, client.process_pending):
            with pytest.raises(ConnectionError, match="cannot reach the adaptor: nobody listens"):
                begin()

    def test_connected_before(self, site: Site) -> None:
        """``connect`` greets at once; a second one does nothing."""
        code = BEGIN + "c = Client()\nfor _ in 'ab': c.connect()\ninput()\nc.poll()\n"
        with site.start(code) as application:
            site.wait()
            call = site.submit("echo", value=1)
            application.say("")
            assert result(call) == 1

    def test_version_as_property(self, site: Site) -> None:
        """The version may be a property, and of any type; it may also be unknown."""
        for line, known in (
            ("    @property\n    def version(self): return (3, 4)\n", "(3, 4)"),
            ("    version = None\n", None),
        ):
            with site.start(BEGIN + line + "Client.run()\n") as application:
                assert site.wait().application == known
                site.call("close")
                application.end()
            site.calls.reset()

    def test_map_path(self, site: Site) -> None:
        """Actions map paths by the session's rules."""
        code = BEGIN + (
            "    @action\n"
            "    def map(self, path: str): return self.map_path(path), "
            "len(self.path_mapping_rules())\n"
            "Client.run()\n"
        )
        with site.start(code):
            site.wait()
            assert site.call("map", path="/a/x") == ["/b/x", 1]


class TestProcessPending:
    def test_ticks(self, site: Site) -> None:
        """Each tick performs what has come and says whether there may be more."""
        with site.start(BEGIN + TICKING) as application:
            application.say("")
            application.expect("True")
            site.wait()
            for _ in range(3):
                application.say("")
                application.expect("True")
            submitted = [site.submit("echo", value=n) for n in range(10)]
            assert not any(call.done for call in submitted)
            application.say("")
            application.expect("True")
            assert [result(call) for call in submitted] == list(range(10))
            call = site.submit("close")
            for _ in range(2):
                application.say("")
                application.expect("False")
            assert result(call) is None

    def test_adaptor_gone(self, site: Site) -> None:
        """Without the adaptor it returns False, and says why once."""
        with site.start(BEGIN + TICKING) as application:
            application.say("")
            application.expect("True")
            site.stop()
            for _ in range(3):
                application.say("")
                application.expect("False")
            assert application.process.stdin is not None
            application.process.stdin.close()
            _, _, errors = application.end()
        assert errors.count("the adaptor is gone") == 1

    def test_large_call(self, site: Site) -> None:
        """A call that has come in part is performed at the tick at which all of it is there."""
        with site.start(BEGIN + TICKING) as application:
            application.say("")
            application.expect("True")
            call = site.submit("echo", value="x" * 5_000_000)
            ticks = 0
            while not call.done:
                application.say("")
                application.expect("True")
                ticks += 1
            assert len(result(call)) == 5_000_000

    def test_waits_for_the_first(self, site: Site) -> None:
        """With a timeout it waits for the first action, which ends the wait."""
        code = BEGIN + "c = Client()\nwhile c.process_pending(30.0): print('tick', flush=True)\n"
        with site.start(code) as application:
            site.wait()
            for n in range(3):
                assert site.call("echo", value=n) == n
                application.expect("tick")
            site.call("close")
            assert application.end() == (0, "", "")

    def test_waits_no_longer(self, site: Site) -> None:
        """When the time is over and nothing has come it returns True."""
        with site.start(BEGIN + "print(Client().process_pending(0.01), flush=True)") as application:
            application.expect("True")
            assert application.end()[0] == 0

    def test_within_an_action(self, site: Site) -> None:
        """Within an action (whose work runs the application's event loop) it does nothing."""
        code = BEGIN + (
            "    @action\n"
            "    def nested(self):\n"
            "        self.hold()\n"
            "        return self.process_pending(30)\n"
            "Client.run()\n"
        )
        with site.start(code) as application:
            site.wait()
            nested = site.submit("nested")
            application.expect("holding")
            after = site.submit("echo", value=1)
            application.say("")
            assert result(nested) is True
            assert result(after) == 1

    def test_in_another_thread(self, site: Site) -> None:
        """While one thread performs actions another does none of them."""
        code = BEGIN + (
            "client = Client()\n"
            "thread = threading.Thread(target=client.poll)\n"
            "thread.start()\n"
            "while thread.is_alive():\n"
            "    input()\n"
            "    print(client.process_pending(), flush=True)\n"
        )
        with site.start(code) as application:
            site.wait()
            assert site.call("echo", value=1) == 1
            application.say("")
            application.expect("True")

    def test_system_exit(self, site: Site) -> None:
        """SystemExit of an action is answered and comes out of the tick."""
        with site.start(BEGIN + TICKING) as application:
            application.say("")
            application.expect("True")
            call = site.submit("leave", status=3)
            application.say("")
            with pytest.raises(ApplicationError, match="SystemExit: 3"):
                result(call)
            assert application.end() == (3, "", "")

    def test_enqueued(self, site: Site) -> None:
        """Actions of a queue come one at each look, and leave it only then."""
        for n in range(2):
            site.queue.enqueue_action(Action("echo", {"value": n}))
        with site.start(BEGIN + "Client().connect()\nprint('up', flush=True)\ninput()") as app:
            app.expect("up")
            assert len(site.queue) == 2


class TestInAnAction:
    def test_reports_from_other_threads(self, site: Site) -> None:
        """Progress and status are reported from any thread while an action is under way."""
        code = BEGIN + (
            "    @action\n"
            "    def work(self):\n"
            "        threads = [threading.Thread(target=self.progress, args=(n,)) "
            "for n in range(20)]\n"
            "        for thread in threads: thread.start()\n"
            "        for thread in threads: thread.join()\n"
            "Client.run()\n"
        )
        with site.start(code):
            site.wait()
            site.call("work")
            assert sorted(value for _, value in site.reports) == list(range(20))

    def test_reports_outside(self, site: Site) -> None:
        """Between actions a report is a RuntimeError that says so."""
        code = BEGIN + (
            "client = Client()\n"
            "def attempt():\n"
            "    for report in (lambda: client.progress(1), lambda: client.status('x')):\n"
            "        try: report()\n"
            "        except RuntimeError as e: print(e, flush=True)\n"
            "attempt()\n"
            "while not input() and client.process_pending(30): attempt()\n"
        )
        said = "{}() is for code within an action, and none is under way"
        with site.start(code) as application:
            for _ in range(2):
                application.expect(said.format("progress"))
                application.expect(said.format("status"))
                if not site.calls.hello:
                    application.say("")
                    site.wait()
                    assert site.call("echo", value=1) == 1

    @pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
    def test_progress_that_is_no_number(self, site: Site, value: str) -> None:
        """A progress that is not finite is a ValueError of the action's."""
        code = BEGIN + (
            "    @action\n"
            "    def work(self, value: str): self.progress(float(value))\n"
            "Client.run()\n"
        )
        with site.start(code):
            site.wait()
            assert fails(site, "work", value=value).endswith(
                f"ValueError: progress is a finite number of percent, not {value}"
            )

    def test_poll_within_an_action(self, site: Site) -> None:
        """``poll`` within an action is an error, not a wait for ever."""
        code = BEGIN + "    @action\n    def nested(self): self.poll()\nClient.run()\n"
        with site.start(code):
            site.wait()
            assert "RuntimeError: poll() is at work already" in fails(site, "nested")

    def test_output_comes_before_the_answer(self, site: Site) -> None:
        """What an action prints has left the application when its answer is there."""
        code = BEGIN + (
            "    @action\n"
            "    def say(self, text: str):\n"
            "        print(text)\n"
            "        print(text, file=sys.stderr)\n"
            "Client.run()\n"
        )
        with site.start(code) as application:
            site.wait()
            site.call("say", text="frame done")
            application.kill()
            application.expect("frame done")
            assert application.end()[1:] == ("", "frame done")

    @posix_only
    def test_output_of_the_c_library(self, site: Site) -> None:
        """The same for what C code prints; a thread that reads through C holds up no answer."""
        code = BEGIN + (
            "    @action\n"
            "    def say(self, text: str):\n"
            "        import ctypes\n"
            "        libc = ctypes.CDLL(None)\n"
            "        libc.printf(text.encode() + b'\\n')\n"
            "        print('listening', flush=True)\n"
            "        threading.Thread(target=libc.getchar, daemon=True).start()\n"
            "Client.run()\n"
        )
        with site.start(code) as application:
            site.wait()
            site.call("say", text="Fra:1 Sample 1/16")
            assert site.call("echo", value=1) == 1
            application.kill()
            application.expect("listening")
            application.expect("Fra:1 Sample 1/16")

    def test_marks(self, site: Site) -> None:
        """With a token in the environment a mark stands where an answer was given."""
        code = BEGIN + (
            "    @action\n"
            "    def say(self, text: str):\n"
            "        print(text, end='')\n"
            "        print(text, end='', file=sys.stderr)\n"
            "Client.run()\n"
        )
        with site.start(code, variables={"OPENJD_ADAPTOR_MARK": "abc"}) as application:
            site.wait()
            site.call("say", text="one\n")
            site.call("say", text="two")
            site.call("close")
            _, out, errors = application.end()
        marked = "\x1eabc 0\none\n\x1eabc 1\ntwo\x1eabc 2\n\x1eabc 3"
        assert (out, errors) == (marked, marked)

    @pytest.mark.parametrize(
        "how",
        [
            "sys.stdout.close()",
            "sys.stdout = sys.stderr = None",
            "sys.stdout = sys.__stdout__ = object()",
            "reader, writer = os.pipe(); os.close(reader); os.dup2(writer, 1)",
            pytest.param("os.close(1)", marks=posix_only),
            pytest.param("os.close(2)", marks=posix_only),
        ],
    )
    def test_without_stdout(self, site: Site, how: str) -> None:
        """An application whose streams are closed, replaced or unread answers as before."""
        code = BEGIN + (
            "    @action\n"
            "    def close_it(self):\n"
            "        print('last words')\n"
            f"        {how}\n"
            "    @action\n"
            "    def alive(self): os.write(keep, b'alive\\n')\n"
            "keep = os.dup(1)\n"
            "Client.run()\n"
        )
        with site.start(code, variables={"OPENJD_ADAPTOR_MARK": "abc"}):
            site.wait()
            site.call("close_it")
            assert site.call("echo", value=1) == 1
            site.call("alive")
            assert "ValueError" in fails(site, "load", scene="x")
            site.call("close")


if sys.platform == "win32":
    ASK = signal.CTRL_BREAK_EVENT
    OWN_GROUP: dict[str, Any] = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
else:
    ASK = signal.SIGTERM
    OWN_GROUP = {}


class TestSignal:
    def test_while_it_waits(self, site: Site) -> None:
        """SIGTERM (CTRL_BREAK) ends a client that waits, with status 1 and no traceback."""
        with site.start(**OWN_GROUP) as application:
            site.wait()
            assert site.call("echo", value=1) == 1
            application.process.send_signal(ASK)
            assert application.end() == (1, "", "")

    def test_in_an_action(self, site: Site) -> None:
        """Within an action it is the answer, too."""
        code = BEGIN + (
            "    @action\n"
            "    def spin(self):\n"
            "        print('spinning', flush=True)\n"
            "        event = threading.Event()\n"
            "        while not event.wait(0.05): pass\n"
            "Client.run()\n"
        )
        with site.start(code, **OWN_GROUP) as application:
            site.wait()
            call = site.submit("spin")
            application.expect("spinning")
            application.process.send_signal(ASK)
            with pytest.raises(ApplicationError, match="SystemExit: 1"):
                result(call)
            assert application.end() == (1, "", "")

    def test_while_it_waits_for_the_first(self, site: Site) -> None:
        """The same in ``process_pending`` with a timeout."""
        code = BEGIN + "c = Client()\nwhile c.process_pending(30.0): print('tick', flush=True)\n"
        with site.start(code, **OWN_GROUP) as application:
            site.wait()
            site.call("echo")
            application.expect("tick")
            application.process.send_signal(ASK)
            assert application.end() == (1, "", "")

    def test_overridden(self, site: Site) -> None:
        """``graceful_shutdown`` may do something else, and return."""
        code = BEGIN + (
            "    def graceful_shutdown(self, signum, frame): os.write(1, b'not yet\\n')\n"
            "Client.run()\n"
        )
        with site.start(code, **OWN_GROUP) as application:
            site.wait()
            site.call("echo")
            application.process.send_signal(ASK)
            application.expect("not yet")
            assert site.call("echo", value=1) == 1


def quiet(path: str = "nowhere", kind: type = ApplicationClient) -> ApplicationClient:
    """A client in this process, which keeps its signal handlers: made in another thread."""
    client = Task(kind, path).result()
    assert isinstance(client, ApplicationClient)
    return client


class TestActions:
    def test_names(self) -> None:
        """Marked methods are actions, by their own name or a given one, inherited and static."""

        class Base(ApplicationClient):
            @action
            def plain(self) -> None: ...

            @action()
            def called(self) -> None: ...

            @action(name="load scene")
            def load(self) -> None: ...

            @staticmethod
            @action
            def static() -> None: ...

            @classmethod
            @action
            def of_class(cls) -> None: ...

            def helper(self) -> None: ...

        class Client(Base):
            def plain(self) -> None: ...

        assert quiet(kind=Client)._methods == {
            "plain": "plain",
            "called": "called",
            "load scene": "load",
            "static": "static",
            "of_class": "of_class",
        }

    @pytest.mark.parametrize("name", ["status", "poll", "version", "close", "on_close", "_step"])
    def test_names_that_are_taken(self, name: str) -> None:
        """An action's method cannot take the place of one of the client's own."""
        methods = {name: action(lambda self: None)}
        kind = type("Client", (ApplicationClient,), methods)
        with pytest.raises(TypeError, match=f"Client.{name} cannot be an action's method"):
            quiet(kind=kind)

    def test_close_is_built_in(self) -> None:
        """``close`` is no name for an action; the message says what to override."""

        class Client(ApplicationClient):
            @action(name="close")
            def leave(self) -> None: ...

        with pytest.raises(TypeError, match=r"Client.leave cannot .* override on_close"):
            quiet(kind=Client)

    def test_one_name_for_two(self) -> None:
        """Two methods cannot be one action."""

        class Client(ApplicationClient):
            @action
            def render(self) -> None: ...

            @action(name="render")
            def render_frame(self) -> None: ...

        with pytest.raises(TypeError, match="render and render_frame are both the action 'render'"):
            quiet(kind=Client)

    @pytest.mark.parametrize("wrong", [staticmethod(len), classmethod(len), 7, int, None])
    def test_not_on_a_method(self, wrong: Any) -> None:
        """The decorator on what is no function says so."""
        mark: Any = action(name="x")
        with pytest.raises(TypeError, match="@action belongs directly on a method"):
            mark(wrong)

    @pytest.mark.parametrize("name", ["", 7])
    def test_name_that_is_none(self, name: Any) -> None:
        """An action's name is a text."""
        with pytest.raises(TypeError, match="an action's name is a text"):
            action(name=name)

    def test_one_name_of_the_package(self) -> None:
        """``action`` is the decorator and the module of Action, whichever was imported first."""
        for first, second in (
            ("from openjd.adaptor_runtime_client import action", ""),
            ("from openjd.adaptor_runtime_client.action import Action", ""),
            ("from openjd.adaptor_runtime_client import ClientInterface", ""),
            ("import openjd.adaptor_runtime_client.action", ""),
        ):
            code = (
                f"{first}\n"
                "from openjd.adaptor_runtime_client import action\n"
                "from openjd.adaptor_runtime_client.action import Action, action as same\n"
                "@action\n"
                "def f(): pass\n"
                "@action(name='x')\n"
                "def g(): pass\n"
                "print(f.__openjd_action__, g.__openjd_action__, Action('a').name)\n"
            )
            with Child(code) as child:
                assert child.end() == (0, "f x a", ""), second

    def test_of_a_client_interface(self, site: Site) -> None:
        """Entries of ``self.actions``, as ClientInterface has them, can be called as well."""
        code = BEGIN + (
            "    def __init__(self):\n"
            "        super().__init__()\n"
            "        self.actions['old'] = lambda args: sorted(args.items())\n"
            "Client.run()\n"
        )
        with site.start(code):
            assert "old" in site.wait().actions
            assert site.call("old", b=1, a=[2]) == [["a", [2]], ["b", 1]]


class Scene:
    """Says nothing about JSON."""


Frames = list[int]
Loop = "Loop"
# What annotations that are objects are made of.
EVALUATED = {**vars(typing), "typing": typing, "collections": collections, "Frames": Frames}


def annotated(annotation: Any) -> Any:
    """A function with one parameter, ``value``, that has this annotation."""

    def function(value: Any) -> None: ...

    function.__annotations__ = {"value": annotation}
    return function


def judged(annotation: Any, value: Any) -> str | None:
    """What is said of `value` for a parameter with the annotation; None if it is fine."""
    try:
        Parameters("act", annotated(annotation)).require({"value": value})
    except TypeError as e:
        return str(e)
    return None


# What may stand there, what does not fit there, how it is called. As text it is the same.
KINDS: list[tuple[str, list[Any], list[Any], str]] = [
    ("int", [0, -1, 2**70], [True, 1.0, "1", None, [], {}], "int"),
    ("float", [0, 1.5, -(2**70)], [True, "1", None], "float"),
    ("str", ["", "x"], [1, None, ["x"]], "str"),
    ("bool", [True, False], [0, 1, "true", None], "bool"),
    ("None", [None], [0, ""], "None"),
    ("list", [[], [1, "x"]], [{}, "x", None], "list"),
    ("dict", [{}, {"a": 1}], [[], None], "dict"),
    ("Optional[int]", [None, 3], ["x", 1.5, True], "int or None"),
    ("Union[int, str]", [3, "x"], [None, 1.5], "int or str"),
    ("Union[int, None, str]", [3, "x", None], [1.5], "int or None or str"),
    ("List[int]", [[], [1, 2]], ["x", None], "list[int]"),
    ("Dict[str, float]", [{}, {"a": 1}], [[], None], "dict[str, float]"),
    ("List", [[], ["x"]], [{}], "list"),
    ("Dict", [{}], [[]], "dict"),
    ("Literal['a', 1]", ["a", 1], ["b", 2, True, None], "'a' or 1"),
    ("Frames", [[], [1]], [1, None], "list[int]"),
    ("Optional[Frames]", [None, [1]], [1], "list[int] or None"),
    ("typing.Optional[typing.List[str]]", [None, ["x"]], ["x"], "list[str] or None"),
    ("collections.abc.Mapping", [{}], [[]], "dict"),
    ("List[Any]", [[], [{}]], [{}], "list"),
    ("'int'", [1], ["x"], "int"),
    ("List['int']", [[1]], [1], "list[int]"),
]
# Of notations that this Python may not know: as text they are read all the same.
NEWER = [
    ("int | None", [None, 3], ["x", 1.5], "int or None"),
    ("list[int] | str", [[1], "x"], [1, None], "list[int] or str"),
    ("dict[str, list[float]]", [{"a": [1.5]}], [[]], "dict[str, list[float]]"),
    ("Annotated[int, 'frames']", [1], ["x"], "int"),
]
UNCHECKED = [
    "Any",
    "object",
    "Scene",
    "Optional[Scene]",
    "List[Scene] | Scene",
    "Loop",
    "tuple",
    "no such syntax",
    "NotDefinedAnywhere",
    "os.PathLike[str]",
    "f(1)",
    "",
    "Literal[f(1)]",
]


class TestParameters:
    @pytest.mark.parametrize(("text", "fine", "wrong", "name"), [*KINDS, *NEWER])
    def test_annotations_as_text(
        self, text: str, fine: list[Any], wrong: list[Any], name: str
    ) -> None:
        """An annotation as text is read as syntax, whatever this Python can evaluate."""
        for value in fine:
            assert judged(text, value) is None
        for value in wrong:
            assert f"must be {name}, not " in (judged(text, value) or ""), value

    @pytest.mark.parametrize(("text", "fine", "wrong", "name"), KINDS)
    def test_annotations_as_objects(
        self, text: str, fine: list[Any], wrong: list[Any], name: str
    ) -> None:
        """An annotation that was evaluated means the same."""
        annotation = eval(text, EVALUATED)
        for value in fine:
            assert judged(annotation, value) is None
        for value in wrong:
            assert f"must be {name}, not " in (judged(annotation, value) or ""), value

    @pytest.mark.skipif(sys.version_info < (3, 10), reason="a notation of Python 3.10")
    def test_new_notations_as_objects(self) -> None:
        """What newer Pythons evaluate is understood."""
        for text, fine, wrong, name in NEWER[:3]:
            annotation = eval(text, EVALUATED)
            for value in fine:
                assert judged(annotation, value) is None
            for value in wrong:
                assert f"must be {name}, not " in (judged(annotation, value) or ""), value

    @pytest.mark.parametrize("text", UNCHECKED)
    def test_annotations_that_say_nothing(self, text: str) -> None:
        """What says nothing about JSON, or cannot be read, is not checked."""
        for value in (None, 1, "x", [1], {}):
            assert judged(text, value) is None

    def test_objects_that_say_nothing(self) -> None:
        """The same for objects, even for hostile ones."""

        class Hostile:
            def __getattr__(self, name: str) -> Any:
                raise RuntimeError(name)

        things: list[Any] = [Scene, Any, object, Hostile(), 7, typing.TypeVar("T"), Path]
        for thing in things:
            assert judged(thing, "x") is None

    @pytest.mark.parametrize(
        ("text", "value", "says"),
        [
            ("List[int]", [1, "2"], "parameter 'value[1]' of act must be int, not str '2'"),
            (
                "Optional[Dict[str, List[int]]]",
                {"a": [], "b": [1, None]},
                "parameter 'value['b'][1]' of act must be int, not None",
            ),
            ("int", "x" * 99, "parameter 'value' of act must be int, not str '" + "x" * 59 + "..."),
        ],
    )
    def test_where_it_is_wrong(self, text: str, value: Any, says: str) -> None:
        """The first place that is wrong is named, and what is there shown in short."""
        assert judged(text, value) == says

    def test_signatures(self) -> None:
        """Names, defaults, keyword-only parameters and ``**``; ``self`` is none of them."""

        class Client:
            def usual(self, a: int, b: str = "", *, c: float, d: float = 1.0) -> None: ...

            def open(self, a: int, **more: int) -> None: ...

            def positional(self, *rest: int) -> None: ...

            @staticmethod
            def static(a: int) -> None: ...

        def judge(name: str, **args: Any) -> str | None:
            try:
                Parameters(name, getattr(Client(), name)).require(args)
            except TypeError as e:
                return str(e)
            return None

        assert judge("usual", a=1, c=1) is None
        assert judge("usual", a=1, b="", c=1, d=2) is None
        assert judge("usual", a=1) == "parameter 'c' (float) of usual is missing"
        assert judge("usual", a=1, c="x") == "parameter 'c' of usual must be float, not str 'x'"
        assert judge("usual", a=1, c=1, e=1) == "usual has no parameter 'e' (it has: a, b, c, d)"
        assert judge("open", a=1, anything="x") is None
        assert judge("open", anything="x") == "parameter 'a' (int) of open is missing"
        assert judge("positional", rest=[]) == "positional has no parameter 'rest' (it has: none)"
        assert judge("static", a="x") == "parameter 'a' of static must be int, not str 'x'"

    def test_wrapped(self) -> None:
        """A method that another decorator has wrapped is checked by what it wraps."""
        import functools

        def logged(function: Any) -> Any:
            @functools.wraps(function)
            def wrapper(*args: Any, **keywords: Any) -> Any:
                return function(*args, **keywords)

            return wrapper

        class Client:
            @logged
            def render(self, frame: int) -> None: ...

        parameters = Parameters("render", Client().render)
        parameters.require({"frame": 1})
        with pytest.raises(TypeError, match="'frame' of render must be int"):
            parameters.require({"frame": "1"})

    def test_not_by_name(self) -> None:
        """Arguments that are no object of JSON are refused."""
        with pytest.raises(TypeError, match=r"act takes its arguments by name, not as list \[1\]"):
            Parameters("act", annotated("int")).require([1])

    def test_built_in(self) -> None:
        """Of what is no Python function nothing is checked beforehand."""
        Parameters("act", len).require({"anything": 1})


def test_version_is_that_of_the_distribution() -> None:
    """The client tells the version of the distribution that it came with."""
    assert version == runtime_version


def test_modules_loaded() -> None:
    """A client for calls that is ready to work has loaded two modules more than one of 0.9's."""
    package = Path(sys.modules[ApplicationClient.__module__].__file__ or "").parents[2]
    code = (
        f"import sys; sys.path.insert(0, {str(package)!r})\n"
        "from openjd.adaptor_runtime_client import ClientInterface\n"
        "before = set(sys.modules)\n"
        "from openjd.adaptor_runtime_client import ApplicationClient, action\n"
        "client = ApplicationClient('no such path')\n"
        "try: client.poll()\n"
        "except ConnectionError: print(*sorted(set(sys.modules) - before))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, timeout=30
    )
    assert ended.stderr == ""
    home = "openjd.adaptor_runtime_client."
    assert ended.stdout.split() == [home + "_version", home + "application_client"]
