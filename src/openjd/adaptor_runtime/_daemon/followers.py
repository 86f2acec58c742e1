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
    from collections.abc import Callable

    from openjd.adaptor_runtime_client.wire.transport import Connection

    from .._journal import Journal, Lines

# What waits for one follower (bytes of frames, which all of them share). More is dropped, the
# oldest first, and the follower is told.
MEMORY_LIMIT = 8 * 1024 * 1024
# Of a larger block, such as one print of a whole file, a follower gets the end (characters).
_MOST_OF_A_BLOCK = 1024 * 1024
# What is sent in one piece (bytes); small ones are sent together.
_AT_ONCE = 64 * 1024
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
        # Counts what was sent to any of them.
        self._moved = threading.Condition()
        self._sent = 0

    def add(self, connection: Connection, count: int) -> Follower:
        """Sends the last `count` lines to `connection`, and from now on all that comes."""
        follower = Follower(connection, self._note_sent)

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

    def end(self, grace: float, limit: float) -> None:
        """Tells all of them that the session is over; returns when they know.

        Args:
            grace: for how long nothing may move, because those that are left do not read (seconds).
            limit: for how long this may take in all (seconds).
        """
        with self._lock:
            self._ended = True
            followers = self._followers
        for follower in followers:
            follower.end()
        deadline = time.monotonic() + limit
        with self._moved:
            while not all(follower.done for follower in followers):
                left = deadline - time.monotonic()
                sent = self._sent
                if left <= 0 or not self._moved.wait(min(grace, left)) or self._sent == sent:
                    return

    def _note_sent(self) -> None:
        with self._moved:
            self._sent += 1
            self._moved.notify_all()

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
    """A connection that is sent what a session does, by a thread of its own.

    Args:
        connection: the connection.
        on_sent: called when something was sent, and when nothing more will be.
    """

    def __init__(self, connection: Connection, on_sent: Callable[[], object]) -> None:
        self._connection = connection
        self._on_sent = on_sent
        self._changed = threading.Condition()
        self._frames: deque[_Frame] = deque()
        self._size = 0
        self._dropped = 0
        self._last = False
        #: Whether all has been sent, or cannot be.
        self.done = False
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

    def _work(self) -> None:
        try:
            while (data := self._take()) is not None:
                self._connection.send_frame(data)
                self._on_sent()
        except ConnectionLost:
            pass  # Whoever receives on the connection sees that as well.
        self.done = True
        self._on_sent()

    def _take(self) -> bytes | None:
        with self._changed:
            self._changed.wait_for(lambda: self._frames or self._last)
            if not self._frames:
                return None
            taken = [_notice(self._dropped)] if self._dropped else []
            self._dropped = 0
            size = 0
            while self._frames and size < _AT_ONCE:
                frame = self._frames.popleft()
                taken.append(frame.data)
                size += len(frame.data)
            self._size -= size
            return b"".join(taken)


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
