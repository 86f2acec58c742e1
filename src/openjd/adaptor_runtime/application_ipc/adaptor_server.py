"""AdaptorServer: answers the clients inside the application."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING, Any

from openjd.adaptor_runtime_client.wire import messages
from openjd.adaptor_runtime_client.wire.errors import (
    ConnectionLost,
    RemoteProtocolError,
    WireError,
)
from openjd.adaptor_runtime_client.wire.transport import Connection, listen

from .. import _session_folder
from .._platform import make_private_folder
from .actions_queue import ActionsQueue
from .calls import Calls
from .errors import ApplicationError

if TYPE_CHECKING:
    from ..adaptors import BaseAdaptor

_logger = logging.getLogger(__name__)


class AdaptorServer:
    """Gives out the actions of a queue and the adaptor's path mapping rules; carries calls.

    It listens as soon as it exists and answers from ``serve_forever`` on. Each client has a
    connection, and a thread here, of its own: none waits for another.

    Args:
        actions_queue: what the application shall do.
        adaptor: whose path mapping rules the application gets.
        calls: the calls to an ApplicationClient; without them none can connect.

    Raises:
        OSError: the temporary folder cannot be used.
    """

    def __init__(
        self,
        actions_queue: ActionsQueue,
        adaptor: BaseAdaptor[Any],
        calls: Calls | None = None,
    ) -> None:
        self.actions_queue = actions_queue
        self.adaptor = adaptor
        self.calls = calls
        # In the session's own folder, where it is found should the session be killed.
        session = _session_folder.get()
        self._folder = make_private_folder(session.path if session else None)
        try:
            self._listener = listen(self._folder)
        except OSError:
            os.rmdir(self._folder)
            raise
        self._lock = threading.Lock()
        self._connections: set[Connection] = set()
        self._closed = False
        self._serving = False
        self._done = threading.Event()

    @property
    def server_path(self) -> str:
        """What ``ClientInterface`` connects to: a socket's path, or a pipe's name on Windows."""
        return self._listener.address

    def serve_forever(self) -> None:
        """Answers clients until ``shutdown`` is called from another thread."""
        self._serving = True
        try:
            while True:
                stream = self._listener.accept()
                if stream is None:
                    return
                connection = Connection(stream)
                with self._lock:
                    if self._closed:
                        connection.close()
                        return
                    self._connections.add(connection)
                try:
                    threading.Thread(
                        target=self._serve, args=(connection,), name="application", daemon=True
                    ).start()
                except (RuntimeError, MemoryError) as e:
                    # The application sees that nobody talks to it.
                    _logger.error("no thread can be started for the application: %s", e)
                    connection.close()
        finally:
            self._done.set()

    def shutdown(self) -> None:
        """Ends ``serve_forever`` and every connection; clients that wait see the end."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            connections = list(self._connections)
        self._listener.close()
        if self.calls is not None:
            self.calls.fail_all(ApplicationError("the adaptor's server was shut down"))
        for connection in connections:
            connection.close()
        if self._serving:
            self._done.wait()
        try:
            os.rmdir(self._folder)
        except OSError as e:
            _logger.warning("the folder %s could not be removed: %s", self._folder, e.strerror)

    def _serve(self, connection: Connection) -> None:
        def hand_over(frame: bytes) -> bool:
            try:
                connection.send_frame(frame)
            except ConnectionLost:
                return False
            return True

        complaint = None
        try:
            while True:
                message = connection.receive()
                if message is None:
                    return
                kind = None if isinstance(message, bytes) else message["type"]
                if kind == messages.NEXT:
                    self.actions_queue.take(hand_over)
                elif kind == messages.POLL:
                    if not self.actions_queue.offer(hand_over):
                        connection.send({"type": messages.NOTHING})
                elif kind == messages.RULES:
                    rules = [rule.to_dict() for rule in self.adaptor.path_mapping_rules]
                    connection.send(
                        {
                            "type": messages.RULES,
                            "rules": rules,
                            # The application has no configuration of its own.
                            "warn_unmapped_paths": self.adaptor._warn_unmapped_paths,
                        }
                    )
                elif (
                    self.calls is None
                    or not isinstance(message, dict)
                    or not self.calls._handle(connection, message)
                ):
                    raise RemoteProtocolError(f"there is no request {kind!r}")
        except RemoteProtocolError as e:
            complaint = str(e)
            _logger.debug("a client was turned away: %s", e)
            try:
                connection.send({"type": messages.ERROR, "message": complaint})
            except WireError:
                pass  # what came was not this protocol at all
        except WireError as e:
            # A client that breaks off is seen by whoever waits for the application's end.
            _logger.debug("a client's connection failed: %s", e)
        finally:
            self.actions_queue.forget(hand_over)
            connection.close()
            with self._lock:
                self._connections.discard(connection)
            if self.calls is not None:
                self.calls._left(connection, complaint)
