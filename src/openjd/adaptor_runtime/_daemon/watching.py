"""Watching a session from outside: its last lines, and what comes."""

from __future__ import annotations

import _thread
import os
import sys
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from openjd.adaptor_runtime_client.wire import messages
from openjd.adaptor_runtime_client.wire.errors import (
    ConnectionLost,
    NotListening,
    RemoteProtocolError,
    WireError,
)
from openjd.adaptor_runtime_client.wire.transport import Connection, connect

from .. import _stdout
from .._platform import on_cancel_signals
from .._terminal import visible
from .frontend import FrontendError, locate
from .spool import disarm

if TYPE_CHECKING:
    from collections.abc import Callable

_CANCEL = object()


def logs(connection_path: str | None, count: int, follow: bool, times: bool) -> int:
    """Shows the last lines of a session, and what comes until it ends or a signal says so.

    Args:
        connection_path: the connection file, if one is given.
        count: how many lines at most.
        follow: whether to show what comes.
        times: whether each line begins with the time at which it came.

    Returns:
        The exit status.

    Raises:
        FrontendError: there is no daemon, or it broke off.
    """
    address, _ = locate(connection_path)
    events: SimpleQueue[Any] = SimpleQueue()
    on_cancel_signals(lambda: events.put(_CANCEL))
    try:
        connection = connect(address)
        connection.send({"type": messages.LOGS, "lines": count, "follow": follow})
    except NotListening as e:
        raise FrontendError(f"the adaptor's daemon is not running ({e})") from e
    except WireError as e:
        raise FrontendError(f"the adaptor's daemon cannot be asked: {e}") from e
    _thread.start_new_thread(_read, (connection, _Shown(times, follow).show, events.put))
    event = events.get()
    if isinstance(event, WireError):
        raise FrontendError(f"the connection to the adaptor's daemon failed: {event}")
    # Not so OSError: whoever reads has seen enough.
    return 0


def _read(
    connection: Connection,
    show: Callable[[messages.Message], object],
    done: Callable[[Exception | None], object],
) -> None:
    try:
        while True:
            # What is not shown yet is not read: the daemon keeps so much of it, and no more.
            message = connection.receive()
            if message is None:
                raise ConnectionLost("the daemon has ended without a word")
            if isinstance(message, bytes) or message["type"] == messages.ERROR:
                text = "output" if isinstance(message, bytes) else str(message.get("message"))
                raise RemoteProtocolError(f"the daemon does not show its log ({text})")
            if message["type"] == messages.END:
                done(None)
                return
            show(message)
    except (WireError, OSError) as e:
        done(e)


class _Shown:
    """The form of what is shown: for people, and nothing in it is a message to an engine."""

    def __init__(self, times: bool, news: bool) -> None:
        self._times = times
        self._news = news
        # Elsewhere it comes as it was printed; a terminal does not take orders from a log.
        self._visible = visible if os.isatty(1) else str

    def show(self, message: messages.Message) -> None:
        """Shows what a message of the daemon's says; what it does not know it passes over."""
        if message["type"] == messages.LINES:
            dropped, text, t = message.get("dropped"), message.get("text"), message.get("t")
            if isinstance(dropped, int):
                self._write(None, f"WARNING: {dropped:,} lines came too fast and are not shown\n")
            if isinstance(text, str) and text:
                self._write(t, text)
        elif message["type"] == messages.NEWS and self._news:
            record = message.get("record")
            if isinstance(record, dict):
                self._write(record.get("t"), _step_line(record))

    def _write(self, t: object, text: str) -> None:
        text = disarm(self._visible(text))
        if self._times:
            stamp = _stamp(t)
            text = stamp + text[:-1].replace("\n", "\n" + stamp) + "\n"
        sys.stdout.flush()
        _stdout.write(1, messages.encode_text(text))


def _step_line(record: dict[str, Any]) -> str:
    task = record.get("task")
    step = f"{record.get('step')} {task}" if task is not None else f"{record.get('step')}"
    if record.get("event") == "begin":
        return f"--- {step} begins\n"
    error = record.get("error")
    verdict = str(record.get("verdict"))
    if error and verdict == "failed":
        verdict += f": {' '.join(str(error).split())}"
    return f"--- {step} ended: {verdict}\n"


def _stamp(t: object) -> str:
    if not isinstance(t, (int, float)) or not 0 <= t < 1e11:
        return " " * len("2026-01-31 12:00:00.000 ")
    whole = int(t)
    clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(whole))
    return f"{clock}.{int((t - whole) * 1000):03} "
