"""Followers: frontends that watch a session without taking part in it."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from openjd.adaptor_runtime_client.wire import messages
from openjd.adaptor_runtime_client.wire.errors import ConnectionLost
from openjd.adaptor_runtime_client.wire.framing import encode_message

if TYPE_CHECKING:
    from openjd.adaptor_runtime_client.wire.transport import Connection

    from .._journal import Journal, Lines

# What waits for one follower (bytes of frames, which all of them share). More is dropped, the
# oldest first, and the follower is told.
MEMORY_LIMIT = 8 * 1024 * 1024
# Of a larger block, such as one print of a whole file, a follower gets the end (characters).
_MOST_OF_A_BLOCK = 1024 * 1024
# What in a journal is news to a follower, beside the lines.
_NEWS = frozenset({"step"})


class _Frame(NamedTuple):
    data: bytes
    #: How many lines are in it, and how many are missing before them.
    lines: int
    dropped: int = 0


class Followers:
    """All that follow a session.

    Args:
        journal: where they learn what the session does.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._lock = threading.Lock()
        # Replaced, never changed: who writes output goes through it without the lock.
        self._followers: tuple[Follower, ...] = ()
        self._ended = False

    def add(self, connection: Connection, count: int) -> Follower:
        """Sends the last `count` lines to `connection`, and from now on all that comes."""
        follower = Follower(connection)

        def begin(last: list[Lines]) -> None:
            for lines in last:
                follower.put(_lines(lines.t, lines.text))
            with self._lock:
                self._followers = (*self._followers, follower)
                ended = self._ended
            if ended:
                follower.end()

        # Between the last line and the first to come nothing is lost, and nothing comes twice.
        self._journal.follow(count, begin, self._hear)
        return follower

    def remove(self, follower: Follower) -> None:
        """The follower is gone."""
        with self._lock:
            self._followers = tuple(other for other in self._followers if other is not follower)
        follower.close()

    def end(self, seconds: float) -> None:
        """Tells all of them that the session is over; returns when they know.

        One that does not read what it was sent is given so many seconds at most.
        """
        with self._lock:
            self._ended = True
            followers = self._followers
        for follower in followers:
            follower.end()
        deadline = time.monotonic() + seconds
        for follower in followers:
            follower.wait(max(deadline - time.monotonic(), 0))

    def _hear(self, t: float, text: str, fields: dict[str, Any] | None) -> None:
        """In the thread of whoever does something in the session: it must not wait."""
        followers = self._followers
        if not followers:
            return
        if fields is None:
            frame = _lines(t, text, self._journal.prefix)
        elif text in _NEWS:
            news = {"t": t, "kind": text, **fields}
            frame = _Frame(encode_message({"type": messages.NEWS, "record": news}), 0)
        else:
            return
        for follower in followers:
            follower.put(frame)


class Follower:
    """A connection that is sent what a session does, by a thread of its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changed = threading.Condition()
        self._frames: deque[_Frame] = deque()
        self._size = 0
        self._dropped = 0
        self._last = False
        self._done = threading.Event()
        threading.Thread(target=self._work, name="follower", daemon=True).start()

    def put(self, frame: _Frame) -> None:
        """Has it sent; never waits."""
        with self._changed:
            if self._last:
                return
            self._dropped += frame.dropped
            self._frames.append(frame)
            self._size += len(frame.data)
            while self._size > MEMORY_LIMIT and len(self._frames) > 1:
                oldest = self._frames.popleft()
                self._size -= len(oldest.data)
                self._dropped += oldest.lines
            self._changed.notify_all()

    def end(self) -> None:
        """Has the end of the session sent, after what waits."""
        self.put(_Frame(encode_message({"type": messages.END}), 0))
        with self._changed:
            self._last = True
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing more is sent."""
        with self._changed:
            self._last = True
            self._frames.clear()
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Returns when all has been sent, or after so many seconds."""
        self._done.wait(seconds)

    def _work(self) -> None:
        try:
            while (data := self._take()) is not None:
                self._connection.send_frame(data)
        except ConnectionLost:
            pass  # Whoever receives on the connection sees that as well.
        self._done.set()

    def _take(self) -> bytes | None:
        with self._changed:
            self._changed.wait_for(lambda: self._frames or self._last)
            if not self._frames:
                return None
            data = b"".join(frame.data for frame in self._frames)
            if self._dropped:
                data = _notice(self._dropped) + data
            self._frames.clear()
            self._size = self._dropped = 0
            return data


def last_lines(last: list[Lines]) -> bytes:
    """The frames that answer who asks for the last lines, and no more."""
    frames = [_lines(lines.t, lines.text).data for lines in last]
    return b"".join([*frames, encode_message({"type": messages.END})])


def _lines(t: float, text: str, prefix: str = "") -> _Frame:
    dropped = 0
    if len(text) > _MOST_OF_A_BLOCK:
        begin = text.find("\n", len(text) - _MOST_OF_A_BLOCK, -1) + 1 or len(text)
        dropped = text.count("\n", 0, begin)
        text = text[begin:]
    if prefix and prefix in text:
        text = text[len(prefix) :] if text.startswith(prefix) else text
        text = text.replace("\n" + prefix, "\n")
    data = encode_message({"type": messages.LINES, "t": round(t, 4), "text": text})
    return _Frame(data, text.count("\n"), dropped)


def _notice(dropped: int) -> bytes:
    return encode_message({"type": messages.LINES, "text": "", "dropped": dropped})
