"""Where tests and the processes that they start wait for each other; no clock is involved.

A test makes a Gate; a process knocks at it and from then on holds a connection. So the test sees
that the process has come so far, can let it go on, and sees when it ends, however it ends.
Standard library only: applications use this too.
"""

from __future__ import annotations

import os
import socket
import sys
from types import TracebackType

#: Seconds. Never reached where all is well; generous, for a machine under load, and for Windows,
#: where a process takes several times as long to start.
LIMIT = 90.0 if sys.platform == "win32" else 30.0


class Gate:
    """A place to knock at: ``port`` is its address."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(LIMIT)
        self.port: int = self._listener.getsockname()[1]
        self._visitors: list[Visitor] = []

    def wait(self) -> Visitor:
        """Blocks until the next process knocks."""
        connection, _ = self._listener.accept()
        visitor = Visitor(connection)
        self._visitors.append(visitor)
        return visitor

    def __enter__(self) -> Gate:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for visitor in self._visitors:
            visitor.close()
        self._listener.close()


class Visitor:
    """A process that has knocked."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(LIMIT)
        self._connection = connection
        self._file = connection.makefile("rb")
        #: Its process id.
        self.pid = int(self._file.readline())

    def let_go(self) -> None:
        """Lets it go on."""
        self._connection.sendall(b"go\n")

    def gone(self) -> None:
        """Blocks until the process has ended (or has let go of the gate).

        Raises:
            TimeoutError: it lives on.
        """
        try:
            said = self._file.read()
        except ConnectionResetError:
            said = b""
        assert said == b""

    def close(self) -> None:
        """Lets go of it."""
        self._file.close()
        self._connection.close()


class Knock:
    """The other side: knocks at once."""

    def __init__(self, port: int) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port))
        self._connection.sendall(b"%d\n" % os.getpid())
        self._file = self._connection.makefile("rb")

    def wait(self) -> None:
        """Blocks until the test lets it go on, or has ended."""
        self._file.readline()

    def close(self) -> None:
        """Leaves."""
        self._file.close()
        self._connection.close()


def pass_through(port: int) -> None:
    """Knocks, waits, and leaves."""
    knock = Knock(port)
    knock.wait()
    knock.close()
