"""ApplicationClient: methods inside the application that its adaptor calls, and that answer."""

from __future__ import annotations

import os
import sys
import threading

from ._version import version
from .action import MARK
from .client import ClientInterface
from .wire import framing, messages
from .wire.errors import ConnectionLost, LocalProtocolError, RemoteProtocolError, WireError
from .wire.transport import connect

TYPE_CHECKING = False  # typing itself is not loaded inside the application
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any, Callable, Dict, Optional

    from ._parameters import Parameters
    from .wire.transport import Connection

#: The environment variable that names the adaptor's server.
SERVER = "OPENJD_ADAPTOR_SERVER"
#: One with a token: the adaptor wants to see in the output where an answer was given.
MARK_TOKEN = "OPENJD_ADAPTOR_MARK"

_NEXT = framing.encode_message({"type": messages.NEXT})
#: In place of a call's id: the action was enqueued, and nobody waits for an answer.
_UNHEARD = 0


class ApplicationClient(ClientInterface):
    """Performs the adaptor's calls inside the application.

    Methods marked ``@action`` are what the adaptor may call. Arguments come by name and are
    checked against the annotations; what a method returns, or raises, is the answer. The built-in
    action ``close`` ends the client.

    An application that gives up its main thread to the adaptor calls ``run``; one that has an event
    loop of its own calls ``process_pending`` from a timer or an idle hook.

    Args:
        server_path: where the adaptor listens; OPENJD_ADAPTOR_SERVER in the environment if not
            given.

    Raises:
        TypeError: neither is there, or an action's name is taken.
    """

    #: The application's version, which the adaptor gets; an attribute or a property.
    version: Any = None

    def __init__(self, server_path: Optional[str] = None) -> None:
        server_path = server_path or os.environ.get(SERVER)
        if not server_path:
            raise TypeError(
                "{} needs server_path, where its adaptor listens, or {} in the environment".format(
                    type(self).__name__, SERVER
                )
            )
        super().__init__(server_path)
        # Action -> the attribute that is its method.
        self._methods = _marked(type(self))
        self._parameters: Dict[str, Parameters] = {}
        self._connection: Optional[Connection] = None
        # Held while actions are performed: one at a time, whatever the application's event loop
        # does within an action.
        self._busy = threading.Lock()
        self._ended = False
        self._mark_token = os.environ.get(MARK_TOKEN, "")
        # Whether the server is still to be told that it may hand over an enqueued action.
        self._owes_next = True
        # The id of the call under way, _UNHEARD, or None between actions.
        self._under_way: Optional[int] = None

    @classmethod
    def run(cls, server_path: Optional[str] = None) -> None:
        """Makes a client, connects it, and performs actions until ``close`` or the adaptor's end.

        Args:
            server_path: where the adaptor's server listens; the adaptor has said it to this
                process, unless the client is started in some other way.

        Raises:
            ConnectionError: the adaptor cannot be reached, or refuses this client.
        """
        client = cls(server_path) if server_path else cls()
        client.connect()
        client.poll()

    def connect(self) -> None:
        """Connects and says what this client can do. ``poll`` and ``process_pending`` do so, too.

        Raises:
            ConnectionError: the adaptor cannot be reached, or refuses this client.
        """
        about = self.version
        greeting = {
            "type": messages.JOIN,
            "client": version,
            "python": "{}.{}.{}".format(*sys.version_info[:3]),
            "application": None if about is None else str(about),
            "pid": os.getpid(),
            "actions": sorted(set(self._methods) | set(self.actions)),
        }
        with self._lock:
            if self._connection is not None:
                return
            try:
                connection = connect(self.server_path)
            except (WireError, OSError) as e:
                raise ConnectionError("cannot reach the adaptor: {}".format(e)) from e
            # What was printed up to here belongs to the start, and is judged with it.
            self._mark_output(0)
            try:
                connection.request(greeting)
            except WireError as e:
                connection.close()
                if isinstance(e, RemoteProtocolError):
                    text = "the adaptor refuses this client: {}"
                else:
                    text = "cannot reach the adaptor: {}"
                raise ConnectionError(text.format(e)) from e
            self._connection = connection

    def poll(self) -> None:
        """Performs actions, one after the other, until ``close`` has run.

        When the adaptor is gone it says so on stderr and returns: there is nobody left to work for.

        Raises:
            ConnectionError: the adaptor cannot be reached, or refuses this client.
            RuntimeError: it is called from within an action.
            BaseException: SystemExit or KeyboardInterrupt of an action, after its answer; whatever
                an action raises that was enqueued, not called.
        """
        self.connect()
        if not self._busy.acquire(False):
            raise RuntimeError("poll() is at work already, and performs one action at a time")
        try:
            while not self._ended:
                self._step(None)
        except BaseException:
            self._leave()
            raise
        finally:
            self._busy.release()

    def process_pending(self, timeout: float = 0) -> bool:
        """Performs what the adaptor has asked for by now, in this thread; False after the end.

        To be called by a timer or an idle hook of the application. It takes a few microseconds if
        there is nothing to do. Called from within an action (the application's event loop runs
        there, too) it does nothing.

        Args:
            timeout: seconds to wait for the first action.

        Returns:
            False once ``close`` has run or the adaptor is gone, else True.

        Raises:
            ConnectionError: the adaptor cannot be reached, or refuses this client.
            BaseException: as for ``poll``.
        """
        if self._ended or not self._busy.acquire(False):
            return not self._ended
        try:
            while self._step(timeout):
                timeout = 0
            return not self._ended
        finally:
            self._busy.release()

    def progress(self, percent: float) -> None:
        """Reports how far the action under way has come, from any thread.

        Args:
            percent: of this action, 0 to 100.

        Raises:
            ValueError: it is no finite number.
            RuntimeError: no action is under way.
        """
        value = float(percent)
        if value - value != 0:  # infinite, or no number
            raise ValueError("progress is a finite number of percent, not {!r}".format(percent))
        self._report("percent", value)

    def status(self, text: str) -> None:
        """Reports what the action under way is doing, from any thread.

        Args:
            text: one line; the task's status.

        Raises:
            RuntimeError: no action is under way.
        """
        self._report("status", str(text))

    def on_close(self) -> None:
        """Called at the end, by the action ``close``. Does nothing; to be overridden."""

    def close(self, args: Optional[Dict[str, Any]] = None) -> None:
        """The built-in action ``close``; `args` mean nothing. Override ``on_close`` instead."""
        self.on_close()

    def graceful_shutdown(self, signum: int, frame: Optional[FrameType]) -> None:
        """The handler of SIGTERM (SIGBREAK on Windows): ends the process with status 1.

        `signum` and `frame` are what Python gives to every handler of a signal.
        """
        raise SystemExit(1)

    def _report(self, field: str, value: object) -> None:
        number, connection = self._under_way, self._connection
        if number is None or connection is None:
            raise RuntimeError(
                "{}() is for code within an action, and none is under way".format(
                    "progress" if field == "percent" else "status"
                )
            )
        if number == _UNHEARD:
            return
        try:
            connection.send({"type": messages.PROGRESS, "id": number, field: value})
        except ConnectionLost:
            pass  # The next look for an action will tell.

    def _step(self, timeout: Optional[float]) -> bool:
        """Performs the next action; False if none came within `timeout` seconds, or at the end."""
        if self._connection is None:
            self.connect()
        connection = self._connection
        assert connection is not None
        try:
            if self._owes_next:
                connection.send_frame(_NEXT)
                self._owes_next = False
            if timeout is None:
                event: object = connection.receive()
            else:
                event = connection.receive_within(timeout)
                if event is framing.NEED_DATA:
                    return False
            if event is None:
                raise ConnectionLost("the other side closed the connection")
            if isinstance(event, dict):
                if event["type"] == messages.ACTION:
                    self._perform(connection, event)
                elif event["type"] == messages.ERROR:
                    raise RemoteProtocolError(str(event.get("message")))
                # Newer adaptors may say more; what is not known is not for this client.
        except ConnectionLost:
            self._leave("the adaptor is gone, no more actions will come")
        except WireError as e:
            self._leave("the connection to the adaptor failed: {}".format(e))
        return not self._ended

    def _leave(self, why: Optional[str] = None) -> None:
        if self._ended:
            return
        self._ended = True
        if self._connection is not None:
            self._connection.close()
        if why:
            _complain(why)

    def _perform(self, connection: Connection, message: messages.Message) -> None:
        number, name = message.get("id"), message.get("name")
        if number is None:
            self._perform_enqueued(name, message.get("args"))
            self._owes_next = True
        else:
            self._answer(connection, number, name, message.get("args"))
        if name == "close":
            self._leave()

    def _perform_enqueued(self, name: Any, args: Any) -> None:
        try:
            function, keywords = self._find(name, args)
        except LookupError as e:
            _complain("{}; it was skipped".format(e))
            return
        self._under_way = _UNHEARD
        try:
            function(**keywords) if keywords is not None else function(args)
        finally:
            self._under_way = None
            _flush()

    def _answer(self, connection: Connection, number: int, name: Any, args: Any) -> None:
        answer: Dict[str, Any] = {"type": messages.RESULT, "id": number}
        ending: Optional[BaseException] = None
        function: Optional[Callable[..., Any]] = None
        self._under_way = number
        try:
            function, keywords = self._find(name, args)
            answer["value"] = function(**keywords) if keywords is not None else function(args)
        except BaseException as e:
            if name == "close" and isinstance(e, SystemExit) and not e.code:
                answer["value"] = None  # To end the process is one way to close.
            else:
                answer["error"] = _described(e, raised_there=function is not None)
            if not isinstance(e, Exception):
                ending = e
        self._under_way = None
        try:
            frame = framing.encode_message(answer)
        except Exception as e:
            cause = e.__cause__ if isinstance(e, LocalProtocolError) and e.__cause__ else e
            text = "what {} returns cannot be sent: {}".format(name, cause)
            del answer["value"]
            kind = ValueError if isinstance(cause, LocalProtocolError) else type(cause)
            answer["error"] = {"type": kind.__name__, "message": text, "traceback": ""}
            frame = framing.encode_message(answer)
        # What the action has printed stands before what follows from its answer.
        self._mark_output(number)
        if ending is None:
            connection.send_frame(frame)
            return
        try:
            connection.send_frame(frame)
        except ConnectionLost:
            pass
        raise ending

    def _mark_output(self, number: int) -> None:
        """Flushes, and marks in both streams where the answer `number` belongs; 0: the greeting."""
        _flush()
        if self._mark_token:
            _mark("\x1e{} {}\n".format(self._mark_token, number).encode("ascii", "replace"))

    def _find(self, name: Any, args: Any) -> Any:
        """What to call for an action, and its keyword arguments; None: it takes the dict itself.

        Raises:
            LookupError: there is no such action.
            TypeError: it cannot be called with these arguments.
        """
        attribute = self._methods.get(name)
        if attribute is None:
            # As a ClientInterface has them.
            function = self.actions.get(name)
            if function is None:
                raise LookupError("there is no action {!r}".format(name))
            return function, None
        method = getattr(self, attribute)
        parameters = self._parameters.get(name)
        if parameters is None:
            from ._parameters import Parameters

            parameters = self._parameters[name] = Parameters(name, method)
        if args is None:
            args = {}
        parameters.require(args)
        return method, args


def _marked(kind: type) -> Dict[str, str]:
    """The actions of a class: name -> attribute. An override of an action is one, marked or not."""
    names: Dict[str, str] = {}
    for base in reversed(kind.__mro__):
        for attribute, value in vars(base).items():
            name = getattr(getattr(value, "__func__", value), MARK, None)
            if isinstance(name, str):
                names[attribute] = name
    actions: Dict[str, str] = {}
    for attribute, name in names.items():
        if hasattr(ApplicationClient, attribute):
            raise TypeError(
                "{0}.{1} cannot be an action's method: ApplicationClient needs {1} itself "
                "(@action(name={1!r}) on a method of another name can)".format(
                    kind.__name__, attribute
                )
            )
        if name == "close":
            raise TypeError(
                "{}.{} cannot be the action close, which is built in: override on_close".format(
                    kind.__name__, attribute
                )
            )
        if name in actions:
            raise TypeError(
                "{}: {} and {} are both the action {!r}".format(
                    kind.__name__, actions[name], attribute, name
                )
            )
        actions[name] = attribute
    return actions


def _described(error: BaseException, raised_there: bool) -> Dict[str, str]:
    """The error of an answer; `raised_there`: by the action, whose traceback begins below ours."""
    from ._failures import describe

    trace = error.__traceback__
    return describe(error, trace.tb_next if trace is not None else None, raised_there)


#: Writes what the C library holds back of stdout: a renderer prints with that, not with Python.
_flush_c: Optional[Callable[[], object]] = None


def _flush() -> None:
    global _flush_c
    for stream in (sys.stdout, sys.stderr):
        try:
            # Applications close their streams, or put objects of their own in their place.
            stream.flush()
        except Exception:
            pass
    if _flush_c is None:
        _flush_c = _c_library_flush()
    _flush_c()


def _c_library_flush() -> Callable[[], object]:
    # Its stdout alone: to flush all its streams waits for every thread that reads from one.
    try:
        import ctypes

        if os.name == "posix":
            library = ctypes.CDLL(None)
            name = "__stdoutp" if sys.platform == "darwin" else "stdout"
            stdout = ctypes.c_void_p.in_dll(library, name)
        else:
            library = ctypes.CDLL("ucrtbase")
            stream = library.__acrt_iob_func
            stream.restype = ctypes.c_void_p
            stdout = ctypes.c_void_p(stream(1))
        flush = library.fflush
    except (ImportError, OSError, AttributeError, ValueError):
        return lambda: None
    return lambda: flush(stdout)


def _mark(line: bytes) -> None:
    """Writes a line that tells the adaptor how far to read before it takes the answer."""
    # The process' own streams: an application's console has no use for it.
    for stream in (sys.__stdout__, sys.__stderr__):
        try:
            buffer = stream.buffer  # type: ignore[union-attr]
            buffer.write(line)
            buffer.flush()
        except Exception:
            pass


def _complain(text: str) -> None:
    try:
        print("ERROR: {}".format(text), file=sys.stderr, flush=True)
    except Exception:
        pass
