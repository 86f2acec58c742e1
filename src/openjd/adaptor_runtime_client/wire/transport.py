"""The contract of the transport, and the Connection that both systems share.

A *stream* moves bytes between two processes of one user on one machine: a Unix domain
socket, or a named pipe on Windows. ``_unix`` and ``_windows`` each hold a Stream, a Listener
and a ``connect`` that keep the contract written here; nothing else in the project knows
which one it uses.
"""

from __future__ import annotations

import _thread
import os
import sys
import time

from . import framing, messages
from .errors import ConnectionLost, RemoteProtocolError

TYPE_CHECKING = False  # typing itself is not loaded inside the application
if TYPE_CHECKING:
    from typing import Optional, Union

    from .messages import Message

if sys.platform == "win32":
    from . import _windows as _system
else:
    from . import _unix as _system

READ_SIZE = 64 * 1024


class Stream:
    """A connected pair of bytes in and bytes out. One thread may read while another writes."""

    #: The process at the other end, as the system tells it; None where it does not.
    peer_pid: Optional[int]

    def read(self, size: int) -> bytes:
        """Blocks until there is something and returns up to `size` bytes; b"" at the end.

        The end is noticed when the other process dies, and when this side closes the stream
        from another thread. Never raises for a lost peer.
        """
        raise NotImplementedError

    def read_within(self, size: int, timeout: float) -> Optional[bytes]:
        """The same, but waits `timeout` seconds at most; None if nothing came.

        With 0 it only looks, which takes a microsecond or two.
        """
        raise NotImplementedError

    def write(self, data: bytes) -> None:
        """Blocks until the system has taken all of `data`.

        Raises:
            ConnectionLost: the other side is gone, or this side was closed.
        """
        raise NotImplementedError

    def write_some(self, data: bytes) -> int:
        """Writes as much of `data` as the system takes without blocking; the count of bytes.

        0 where nothing could be written, be it that the other side does not read or is gone.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Ends both directions and wakes a thread that reads or writes. May be called twice."""
        raise NotImplementedError


class Listener:
    """Accepts streams from processes of the same user.

    ``Listener(folder)`` starts to listen; `folder` is a private folder for what must lie in
    the file system (the socket; nothing on Windows, whose pipes have a space of their own).
    """

    #: What ``connect`` takes: the path of the socket, or the name of the pipe.
    address: str

    def accept(self) -> Optional[Stream]:
        """Blocks until somebody connects; None once the listener is closed.

        Peers of another user are turned away before a byte of theirs is read.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Stops listening, removes the socket's file, wakes ``accept``. May be called twice."""
        raise NotImplementedError


class Connection:
    """Messages and output over a stream. Long-lived; any thread sends, one thread receives."""

    def __init__(self, stream: _system.Stream, about: Optional[Message] = None) -> None:
        """Takes over `stream`; the greeting says the process id and what is in `about`."""
        self._stream = stream
        self._framer = framing.Framer()
        self._send_lock = _thread.allocate_lock()
        # What of a frame is still to be written before anything else is.
        self._unsent = b""
        #: The other side's greeting, with its ``pid``. Empty until it has come.
        self.peer: Message = {}
        self._greeting: bytes = framing.PREAMBLE + framing.encode_message(
            dict(about or {}, type=messages.HELLO, pid=os.getpid())
        )

    @property
    def peer_pid(self) -> Optional[int]:
        """The process at the other end, as the system tells it, else as it says of itself."""
        return self._stream.peer_pid or self.peer.get("pid")

    def send(self, message: Message) -> None:
        """Sends one message; returns when the system has taken it.

        Raises:
            ConnectionLost: the other side is gone.
            LocalProtocolError: the message is too large or no JSON.
        """
        self.send_frame(framing.encode_message(message))

    def send_frame(self, frame: bytes) -> None:
        """Sends what ``framing.encode_message`` has made of a message.

        Raises:
            ConnectionLost: the other side is gone.
        """
        with self._send_lock:
            # The greeting goes out with the first message: one system call less, and a peer
            # that connects only to look is owed nothing.
            if self._greeting or self._unsent:
                frame = self._greeting + self._unsent + frame
                self._greeting = self._unsent = b""
            self._stream.write(frame)

    def send_output(self, data: bytes) -> None:
        """Sends text in UTF-8, whole lines, as output frames.

        Raises:
            ConnectionLost: the other side is gone.
        """
        for start in range(0, len(data), framing.MAX_BODY):
            self.send_frame(framing.encode_output(data[start : start + framing.MAX_BODY]))

    def offer_output(self, data: bytes) -> Optional[bool]:
        """Sends output as far as that can be done without waiting.

        True if all of it went out; None if a part did, and ``flush`` has to send the rest; False
        if nothing did. `data` is at most MAX_BODY bytes.
        """
        if not self._send_lock.acquire(False):
            return False
        try:
            if self._greeting or self._unsent:
                return False
            frame = framing.encode_output(data)
            count = self._stream.write_some(frame)
            self._unsent = frame[count:] if count else b""
            return None if self._unsent else count > 0
        finally:
            self._send_lock.release()

    def flush(self) -> None:
        """Sends what is left of a frame, or the greeting, for a side that has no more to say.

        Raises:
            ConnectionLost: the other side is gone.
        """
        self.send_frame(b"")

    def receive(self) -> Union[Message, bytes, None]:
        """Blocks for the next message (dict) or output (bytes); None when the other side ended.

        Raises:
            RemoteProtocolError: what came is not this protocol. The connection is closed then.
        """
        while True:
            event = self._next_event()
            if isinstance(event, framing.NeedData):
                self._framer.receive_data(self._stream.read(READ_SIZE))
            else:
                return event

    def receive_within(self, timeout: float) -> Union[Message, bytes, framing.NeedData, None]:
        """The same, but waits `timeout` seconds at most; NEED_DATA if nothing whole has come."""
        deadline = time.monotonic() + timeout if timeout > 0 else 0.0
        while True:
            event = self._next_event()
            if not isinstance(event, framing.NeedData):
                return event
            data = self._stream.read_within(READ_SIZE, timeout)
            if data is None:
                return event
            self._framer.receive_data(data)
            if deadline:
                timeout = max(0.0, deadline - time.monotonic())

    def _next_event(self) -> Union[Message, bytes, framing.NeedData, None]:
        """What is here already; None at the end of the stream."""
        while True:
            try:
                event = self._framer.next_event()
            except RemoteProtocolError:
                self.close()
                raise
            if isinstance(event, dict) and event["type"] == messages.HELLO:
                self.peer = event
            elif isinstance(event, framing.EndOfStream):
                return None
            else:
                return event

    def request(self, message: Message) -> Message:
        """Sends `message` and returns the one message that answers it.

        Raises:
            ConnectionLost: the other side is gone before it answered.
            RemoteProtocolError: what came is not this protocol, or the other side says that
                the request made no sense.
        """
        return self.exchange(framing.encode_message(message))

    def exchange(self, frame: bytes) -> Message:
        """``request`` with what ``framing.encode_message`` has made of the message."""
        self.send_frame(frame)
        answer = self.receive()
        if answer is None:
            raise ConnectionLost("the other side closed the connection")
        if isinstance(answer, bytes):
            raise RemoteProtocolError("the other side sent output where an answer belongs")
        if answer["type"] == messages.ERROR:
            raise RemoteProtocolError(str(answer.get("message")))
        return answer

    def close(self) -> None:
        """Ends the connection and wakes the thread that receives. May be called twice."""
        self._stream.close()


def wake_on_signals() -> None:
    """From now on a signal ends what the main thread waits for, and its handler runs at once.

    Without this a signal that comes just before the wait begins may be heard when it ends. To be
    called in the main thread, by who installs a handler; a second call does nothing.
    """
    _system.wake_on_signals()


def connect(address: str) -> Connection:
    """Connects to the listener at `address`; waits while it is busy, never polls.

    Raises:
        NotListening: nobody listens there.
        AccessRefused: it belongs to another user, or this user may not reach it.
    """
    return Connection(_system.connect(address))


def listen(folder: str) -> _system.Listener:
    """Listens at a new address; `folder` is a private folder of the caller's.

    Raises:
        OSError: the system refuses, for instance because the path is too long for a socket.
    """
    return _system.Listener(folder)
