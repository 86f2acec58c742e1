"""Calls: actions of the application that answer."""

from __future__ import annotations

import itertools
import logging
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from openjd.adaptor_runtime_client.wire import messages
from openjd.adaptor_runtime_client.wire.errors import (
    ConnectionLost,
    LocalProtocolError,
    RemoteProtocolError,
)
from openjd.adaptor_runtime_client.wire.framing import encode_message
from openjd.adaptor_runtime_client.wire.transport import Connection

from .. import _journal
from .errors import ApplicationError

_logger = logging.getLogger(__name__)

#: Seconds. When a connection closes, the process' end, which says more, is usually about to be
#: seen: calls wait so long for a ``fail_all`` before they fail without it.
LAST_WORD = 2.0
#: Seconds. A client may come while the connection of one that has ended is still being cleared up.
HANDOVER = 1.0

# What a connection takes although the application, busy with an action, reads nothing: then the
# thread that submits writes, without waiting. What goes beyond is written by a thread.
_UNREAD_CALLS = 64
_UNREAD_BYTES = 4 * 1024 if sys.platform == "darwin" else 64 * 1024
# More percent than this are none; as no number is either.
_HUGE = 1e9

#: A client that names this among its actions takes any: a fake application, for example.
ANY_ACTION = "*"


class Hello(NamedTuple):
    """What a client says of itself."""

    #: The version of its ``openjd.adaptor_runtime_client``.
    client: str
    #: The version of the application's Python, "3.11.2".
    python: str
    #: The application's version, if its client tells.
    application: str | None
    #: The process that the client runs in; the system's word for it, where it has one.
    pid: int
    #: The names of the actions that can be called; with ``*`` among them, any.
    actions: tuple[str, ...]


class Call:
    """An action that the application was asked to perform; made by ``Calls.submit``."""

    def __init__(self, calls: Calls, number: int, name: str, args: dict[str, Any]) -> None:
        self.name = name
        self.args = args
        self._calls = calls
        #: In ascending order of submission, unique within a Calls.
        self.id = number
        self._ended = threading.Event()
        self._value: Any = None
        self._error: Exception | None = None

    @property
    def done(self) -> bool:
        """Whether there is an answer, or an error in its place."""
        return self._ended.is_set()

    def result(self, timeout: float | None = None) -> Any:
        """Waits for the answer: what the action returned.

        Args:
            timeout: seconds; None waits as long as it takes.

        Raises:
            ApplicationError: the action raised, or the application is gone.
            TimeoutError: there is no answer yet. The action goes on, and so does this call.
        """
        if not self._ended.wait(timeout):
            raise TimeoutError(f"{self.name} has not answered within {timeout:g} s")
        if self._error is not None:
            raise self._error
        return self._value

    def cancel_local(self, error: Exception) -> None:
        """Ends the wait with `error`, unless there is an answer. The application is not told."""
        if self._calls._forget(self):
            self._end(None, error)

    def _end(self, value: Any, error: Exception | None) -> None:
        """Called once, by whoever has taken the call out of those that are pending."""
        self._value, self._error = value, error
        self._ended.set()

    def __repr__(self) -> str:
        return f"<Call {self.name}, {'done' if self.done else 'pending'}>"


class _Client:
    """A connection that has joined, and the calls that went to it."""

    def __init__(self, connection: Connection, hello: Hello) -> None:
        self.connection = connection
        self.hello = hello
        self.pending: dict[int, Call] = {}
        # The sizes of the calls that it has not answered, and so perhaps not read.
        self.unread: dict[int, int] = {}
        self.unread_bytes = 0
        self.outbox: deque[bytes] = deque()
        self.sending = False
        # Its connection has closed.
        self.gone = False

    @property
    def takes_at_once(self) -> bool:
        return len(self.unread) <= _UNREAD_CALLS and self.unread_bytes <= _UNREAD_BYTES


class Calls:
    """The calls to one application, over the connection of its ApplicationClient.

    To be given to an AdaptorServer. Thread-safe. When it was told that the application has failed
    (``fail_all``, or by the application itself) everything fails with that error until ``reset``.

    Args:
        on_progress: called with a call under way and its percentage, as the application reports it.
        on_status: called with a call under way and a text.
            Both are called by the thread that receives the answers, and so hold these up.
    """

    # Calls are pushed to the connection that has joined, not taken from an ActionsQueue by NEXT:
    # NEXT is a way more for each call, and lets no second action set out before the first is done.

    def __init__(
        self,
        on_progress: Callable[[Call, float], None] | None = None,
        on_status: Callable[[Call, str], None] | None = None,
    ) -> None:
        self._on_progress = on_progress
        self._on_status = on_status
        # Guards all of this and all of each _Client; notified when a client comes or goes, and
        # when everything fails.
        self._changed = threading.Condition()
        self._numbers = itertools.count(1)
        self._client: _Client | None = None
        self._joining = False
        self._had_client = False
        self._error: ApplicationError | None = None

    @property
    def hello(self) -> Hello | None:
        """What the client that is connected says of itself; None without one."""
        client = self._client
        return client.hello if client is not None else None

    @property
    def is_connected(self) -> bool:
        """Whether a client has joined whose connection has not closed."""
        client = self._client
        return client is not None and not client.gone

    @property
    def pending(self) -> list[Call]:
        """The calls without an answer, in the order in which they are performed."""
        with self._changed:
            return list(self._client.pending.values()) if self._client is not None else []

    @property
    def current(self) -> Call | None:
        """The call that the application performs at this moment; None if there is none."""
        return next(iter(self.pending), None)

    def wait_for_client(self, timeout: float | None = None) -> Hello:
        """Waits until a client has connected and returns what it says of itself.

        Args:
            timeout: seconds; None waits as long as it takes.

        Raises:
            ApplicationError: the application has failed.
            TimeoutError: no client came.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._client or self._error, timeout)
            if self._error is not None:
                raise self._error
            if self._client is None:
                raise TimeoutError(f"no client has connected within {timeout:g} s")
            return self._client.hello

    def wait_until_gone(self, timeout: float) -> None:
        """Waits until no client is connected: what it answered before has been taken then.

        Args:
            timeout: seconds; returns after these in any case.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self.is_connected, timeout)

    def submit(self, name: str, args: Mapping[str, Any] | None = None) -> Call:
        """Has the application perform an action, after those submitted before. Does not wait.

        Args:
            name: the action.
            args: its arguments by name; what JSON can express.

        Raises:
            ApplicationError: no client is connected, it has no such action, the arguments cannot
                be sent, or the application has failed.
        """
        call = Call(self, next(self._numbers), name, dict(args or {}))
        try:
            frame = encode_message(
                {"type": messages.ACTION, "id": call.id, "name": name, "args": call.args}
            )
        except LocalProtocolError as e:
            raise ApplicationError(f"{name} cannot be called: {e}") from e
        with self._changed:
            if self._error is not None:
                raise self._error
            client = self._client
            if client is None:
                why = "has closed its connection" if self._had_client else "has not connected yet"
                raise ApplicationError(f"{name} cannot be called: the application {why}")
            if name not in client.hello.actions and ANY_ACTION not in client.hello.actions:
                from .._suggestions import closest

                known = ", ".join(client.hello.actions)
                meant = closest(name, client.hello.actions)
                raise ApplicationError(
                    f"{name} cannot be called: the application's actions are {known}"
                    + (f"; did you mean {meant!r}?" if meant is not None else "")
                )
            client.pending[call.id] = call
            if len(client.pending) == 1:
                _note_current(client)
            client.unread[call.id] = len(frame)
            client.unread_bytes += len(frame)
            client.outbox.append(frame)
            if client.sending:
                return call
            client.sending = True
        self._send(client, may_wait=False)
        return call

    def fail_all(self, error: ApplicationError) -> None:
        """Ends, with `error`, every wait for an answer or a client, and the client's connection.

        Until ``reset``. Of several errors the first one stays.
        """
        with self._changed:
            if self._error is None:
                self._error = error
            client, pending = self._detach()
        for call in pending:
            call._end(None, error)
        if client is not None:
            # Wakes a thread that writes to it, too.
            client.connection.close()

    def reset(self) -> None:
        """Begins anew, for an application that was started again."""
        self.fail_all(ApplicationError("the application is restarted"))
        with self._changed:
            self._error = None
            self._had_client = False

    # What AdaptorServer calls, in the thread of the connection.

    def _handle(self, connection: Connection, message: messages.Message) -> bool:
        """Deals with a message of a client's; False if it is none about calls.

        Raises:
            RemoteProtocolError: it makes no sense, or the client is not wanted.
            ConnectionLost: the client is gone.
        """
        kind = message["type"]
        if kind == messages.JOIN:
            self._join(connection, _hello(connection, message))
        elif kind in (messages.RESULT, messages.PROGRESS):
            self._take(connection, message)
        elif kind == messages.FAILED:
            # Not that of another process, which was refused as a second client.
            client = self._client
            if not self.is_connected or (client and client.hello.pid == connection.peer_pid):
                failed = message.get("error")
                self.fail_all(ApplicationError.from_remote("the client's script", failed))
            connection.send({"type": messages.OK})
        else:
            return False
        return True

    def _join(self, connection: Connection, hello: Hello) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._error or self._is_free(), HANDOVER)
            self._refuse_after_failure()
            if not self._is_free():
                other = f" (process {self.hello.pid})" if self.hello else ""
                raise RemoteProtocolError(f"another client of this application is connected{other}")
            self._joining = True
        try:
            # Before anybody can call: the client waits for this message.
            connection.send({"type": messages.OK})
        except ConnectionLost:
            with self._changed:
                self._joining = False
                self._changed.notify_all()
            raise
        with self._changed:
            self._joining = False
            self._changed.notify_all()
            self._refuse_after_failure()
            self._client = _Client(connection, hello)
            self._had_client = True

    def _refuse_after_failure(self) -> None:
        if self._error is not None:
            raise RemoteProtocolError(
                f"the adaptor has given up on this application: {self._error}"
            )

    def _take(self, connection: Connection, message: messages.Message) -> None:
        kind, number = message["type"], message.get("id")
        with self._changed:
            client = self._client
            if client is None or client.connection is not connection:
                if self._error is not None:
                    return  # An answer to what has failed meanwhile.
                raise RemoteProtocolError(f"{kind!r} came from a client that has not joined")
            if type(number) is not int:
                raise RemoteProtocolError(f"{kind!r} came without the id of a call")
            if kind == messages.RESULT:
                client.unread_bytes -= client.unread.pop(number, 0)
                call = client.pending.pop(number, None)
                _note_current(client)
            else:
                call = client.pending.get(number)
        if kind == messages.RESULT:
            if call is None:
                return  # Its caller has given up.
            if "error" in message:
                call._end(None, ApplicationError.from_remote(call.name, message["error"]))
            elif "value" in message:
                call._end(message["value"], None)
            else:
                text = f"{call.name} was answered with neither value nor error"
                call._end(None, ApplicationError(text))
                raise RemoteProtocolError(text)
        else:
            self._report(call, message)

    def _report(self, call: Call | None, message: messages.Message) -> None:
        percent, status = message.get("percent"), message.get("status")
        if percent is not None:
            if type(percent) not in (int, float) or not -_HUGE < percent < _HUGE:
                raise RemoteProtocolError("'progress' came with a percent that is no number")
            _tell(self._on_progress, call, float(percent))
        if status is not None:
            if not isinstance(status, str):
                raise RemoteProtocolError("'progress' came with a status that is no text")
            _tell(self._on_status, call, status)

    def _left(self, connection: Connection, complaint: str | None) -> None:
        """A connection has closed; `complaint` says so if that was because of what came from it."""
        with self._changed:
            client = self._client
            if client is None or client.connection is not connection:
                return
            client.gone = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._client is not client, LAST_WORD)
            if self._client is client:
                self._client = None
            pending = _emptied(client)
        why = f" ({complaint})" if complaint else ""
        for call in pending:
            text = f"the application closed its connection{why} while {call.name} was running"
            call._end(None, ApplicationError(text))

    def _is_free(self) -> bool:
        return not self._joining and not self.is_connected

    def _detach(self) -> tuple[_Client | None, list[Call]]:
        client, self._client = self._client, None
        self._changed.notify_all()
        return client, _emptied(client) if client is not None else []

    def _forget(self, call: Call) -> bool:
        """Takes a call out of those that are pending; False if it is none of them."""
        with self._changed:
            client = self._client
            if client is None or client.pending.pop(call.id, None) is None:
                return False
            _note_current(client)
            return True

    def _send(self, client: _Client, may_wait: bool) -> None:
        """Sends what is in the outbox, or has a thread do so where it might have to wait."""
        while True:
            with self._changed:
                if not client.outbox:
                    client.sending = False
                    return
                if may_wait or client.takes_at_once:
                    frame = client.outbox.popleft()
                else:
                    break
            try:
                client.connection.send_frame(frame)
            except ConnectionLost:
                # Whoever receives on it sees its end and does what is to be done.
                client.connection.close()
                with self._changed:
                    client.outbox.clear()
        threading.Thread(target=self._send, args=(client, True), name="calls", daemon=True).start()


def _hello(connection: Connection, message: messages.Message) -> Hello:
    """What is known of the fields; newer clients may send others, older ones lack some."""
    actions = message.get("actions")
    if not isinstance(actions, list) or not all(isinstance(name, str) for name in actions):
        raise RemoteProtocolError("'join' came without the names of the client's actions")
    application = message.get("application")
    pid = connection.peer_pid or message.get("pid")
    return Hello(
        client=str(message.get("client") or ""),
        python=str(message.get("python") or ""),
        application=None if application is None else str(application),
        pid=pid if isinstance(pid, int) else 0,
        actions=tuple(actions),
    )


def _emptied(client: _Client) -> list[Call]:
    calls = list(client.pending.values())
    client.pending.clear()
    _note_current(client)
    return calls


def _note_current(client: _Client) -> None:
    """Has the journal know which call the application performs from now on."""
    if (journal := _journal.current()) is not None:
        call = next(iter(client.pending.values()), None)
        journal.phase(call.name if call is not None else "")


def _tell(function: Callable[[Call, Any], None] | None, call: Call | None, value: Any) -> None:
    if function is None or call is None:
        return
    try:
        function(call, value)
    except Exception:
        _logger.exception("a report on %s could not be passed on", call.name)
