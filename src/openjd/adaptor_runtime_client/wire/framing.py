"""Framing without I/O: bytes in, events out.

A connection starts with eight bytes from each side: the magic ``OJDA``, the protocol's
version and two bytes kept for later. After that it is frames: one byte for the kind, four
for the length of the body, the body. A message frame holds JSON; an output frame holds text
that is passed through as it is, so that output at pipe speed is never escaped and unescaped.
"""

from __future__ import annotations

from . import messages
from .errors import LocalProtocolError, RemoteProtocolError

TYPE_CHECKING = False  # typing itself is not loaded inside the application
if TYPE_CHECKING:
    from typing import Optional, Union

    from .messages import Message

MAGIC = b"OJDA"
PROTOCOL_VERSION = 1
PREAMBLE = MAGIC + PROTOCOL_VERSION.to_bytes(2, "big") + bytes(2)
# Init data of real jobs stay under a few MB. The cap bounds what a hostile or broken peer can
# make this process hold.
MAX_BODY = 16 * 1024 * 1024

_HEADER_SIZE = 5
_MESSAGE = b"M"
_OUTPUT = b"O"


class NeedData:
    """The event that says: nothing whole is here yet, give me more bytes."""


class EndOfStream:
    """The event that says: the other side has ended the connection in good order."""


NEED_DATA = NeedData()
END = EndOfStream()

if TYPE_CHECKING:
    Event = Union[Message, bytes, NeedData, EndOfStream]


def encode_message(message: Message) -> bytes:
    """One message as a frame.

    Raises:
        LocalProtocolError: it is no JSON, or larger than MAX_BODY bytes.
    """
    body = messages.encode(message)
    if len(body) > MAX_BODY:
        raise LocalProtocolError(
            "a message of {:,} bytes is over the limit of {:,} bytes".format(len(body), MAX_BODY)
        )
    return _MESSAGE + len(body).to_bytes(4, "big") + body


def encode_output(data: bytes) -> bytes:
    """Output as one frame; the caller keeps `data` within MAX_BODY bytes."""
    return _OUTPUT + len(data).to_bytes(4, "big") + data


class Framer:
    """Takes what a connection reads and gives back the events in it, in order.

    The buffer never holds more than one frame of MAX_BODY bytes and what came with its end.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._greeted = False
        self._whole = b""
        self._ended = False
        self._error: Optional[RemoteProtocolError] = None

    def receive_data(self, data: bytes) -> None:
        """Bytes as they were read; ``b""`` says that there will be no more."""
        if self._error is not None:
            return
        if (
            self._greeted
            and not (self._buffer or self._whole)
            and len(data) >= _HEADER_SIZE
            and len(data) == _HEADER_SIZE + int.from_bytes(data[1:_HEADER_SIZE], "big")
        ):
            # The usual case: one read is one frame, and needs no buffer.
            self._whole = data
            return
        if data:
            self._buffer += data
        else:
            self._ended = True

    def next_event(self) -> Event:
        """The next message (dict), output (bytes), NEED_DATA or END.

        Raises:
            RemoteProtocolError: the other side speaks another protocol or another version of
                it, announced a frame over the limit, or ended within a frame. From then on
                every call raises it: what follows an error has no meaning.
        """
        if self._error is not None:
            raise self._error
        try:
            return self._next()
        except RemoteProtocolError as e:
            self._error = e
            self._buffer.clear()
            raise

    def _next(self) -> Event:
        if self._whole:
            data, self._whole = self._whole, b""
            kind, body = data[:1], data[_HEADER_SIZE:]
            if kind not in (_MESSAGE, _OUTPUT) or len(body) > MAX_BODY:
                self._buffer[:0] = data  # What is wrong with it is said below.
            else:
                return body if kind == _OUTPUT else messages.decode(body)
        buffer = self._buffer
        if not self._greeted:
            if not MAGIC.startswith(bytes(buffer[: len(MAGIC)])):
                raise RemoteProtocolError(
                    "the other side does not speak this protocol (it began with {!r})".format(
                        bytes(buffer[:16])
                    )
                )
            if len(buffer) < len(PREAMBLE):
                return self._starved()
            version = int.from_bytes(buffer[4:6], "big")
            if version != PROTOCOL_VERSION:
                raise RemoteProtocolError(
                    "the other side speaks version {} of the protocol, this side version {}; "
                    "install the same openjd-adaptor-runtime on both sides".format(
                        version, PROTOCOL_VERSION
                    )
                )
            del buffer[: len(PREAMBLE)]
            self._greeted = True
        if len(buffer) < _HEADER_SIZE:
            return self._starved()
        kind, length = bytes(buffer[:1]), int.from_bytes(buffer[1:_HEADER_SIZE], "big")
        if kind not in (_MESSAGE, _OUTPUT):
            raise RemoteProtocolError("the other side sent a frame of kind {!r}".format(kind))
        if length > MAX_BODY:
            raise RemoteProtocolError(
                "the other side announced a frame of {:,} bytes, over the limit of {:,}".format(
                    length, MAX_BODY
                )
            )
        end = _HEADER_SIZE + length
        if len(buffer) < end:
            return self._starved()
        body = bytes(memoryview(buffer)[_HEADER_SIZE:end])
        del buffer[:end]
        return body if kind == _OUTPUT else messages.decode(body)

    def _starved(self) -> Event:
        if not self._ended:
            return NEED_DATA
        if self._buffer:
            raise RemoteProtocolError("the other side ended the connection within a frame")
        return END
