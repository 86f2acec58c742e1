"""The messages: JSON objects with a ``type``, and the kinds that each exchange knows.

Two services speak this protocol: the daemon (its clients are frontends) and the
application server (its clients run inside the application). docs/protocol.md shows
each exchange in full.
"""

from __future__ import annotations

import json

from .errors import LocalProtocolError, RemoteProtocolError

TYPE_CHECKING = False  # typing itself is not loaded inside the application
if TYPE_CHECKING:
    from typing import Any, Dict

    Message = Dict[str, Any]

# json.dumps() would make an encoder for every message, and json.loads() guess the encoding.
_encode = json.JSONEncoder(separators=(",", ":")).encode
_decode = json.JSONDecoder().decode

# Either side, first: who I am. {"pid": int}
HELLO = "hello"

# Frontend -> daemon. START, RUN and STOP own the connection until FINAL; CANCEL refers to the
# request under way on the same connection; STATUS and LOGS are answered at once, whatever runs.
START = "start"
RUN = "run"
STOP = "stop"
CANCEL = "cancel"
STATUS = "status"
LOGS = "logs"
# Daemon -> frontend. Output travels between request and FINAL as output frames. LINES, NEWS and at
# the end END are what LOGS asks for: in messages of their own, for who asks is no scheduler.
FINAL = "final"
LINES = "lines"
NEWS = "news"
END = "end"

# Application -> application server. NEXT is answered when there is an action, POLL at once: with
# the action, or with NOTHING. The answer to RULES has the same type.
NEXT = "next"
POLL = "poll"
RULES = "rules"
ACTION = "action"
NOTHING = "nothing"
# The same two, where actions answer. JOIN is the greeting of a client that performs calls; from
# its OK on the server pushes each call as an ACTION with an "id", and RESULT answers it; PROGRESS
# comes before that. FAILED, on a connection of its own: the client's script has raised.
JOIN = "join"
RESULT = "result"
PROGRESS = "progress"
FAILED = "failed"
OK = "ok"

# Either side: the last request made no sense; the connection closes after it.
ERROR = "error"


def encode_text(text: str) -> bytes:
    """Text as output frames and schedulers take it: UTF-8, whatever is in it.

    File names in UTF-8 that the system's locale could not decode come out as they are on disk;
    what has no encoding at all is written as an escape.
    """
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        pass
    try:
        data = text.encode("utf-8", "surrogateescape")
        data.decode("utf-8")
        return data
    except UnicodeError:
        return text.encode("utf-8", "backslashreplace")


def encode(message: Message) -> bytes:
    """The message as JSON in UTF-8.

    Raises:
        LocalProtocolError: the message cannot be expressed in JSON.
    """
    try:
        return _encode(message).encode("ascii")
    except (TypeError, ValueError, RecursionError) as e:
        raise LocalProtocolError("a message cannot be sent as JSON: {}".format(e)) from e


def decode(body: bytes) -> Message:
    """The message that `body` holds.

    Raises:
        RemoteProtocolError: it is no JSON object with a ``type``.
    """
    try:
        message = _decode(body.decode("utf-8"))
    except (ValueError, RecursionError) as e:
        raise RemoteProtocolError(
            "the other side sent a message that is no JSON: {}".format(e)
        ) from e
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise RemoteProtocolError("the other side sent a message without a type")
    return message
