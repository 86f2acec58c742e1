"""The spool: output on its way to the frontend, kept while there is none or it is slow."""

from __future__ import annotations

import os
import re
import threading
from collections import deque
from collections.abc import Callable
from typing import IO, Optional

from .._platform import private_opener
from .._vital import start_vital

# Output beyond this many bytes that nobody has read yet goes to a file.
MEMORY_LIMIT = 8 * 1024 * 1024
# One frame's worth: large enough for throughput, small enough for a cancel to come between.
CHUNK = 256 * 1024

# What an engine could take for a message, or for a mistaken one: some split lines as Python does,
# and look behind white space of all kinds.
_MESSAGE = re.compile(
    "((?:^|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029])[\\s\ufeff]*)(openjd_)", re.IGNORECASE
)
# Writes smaller than this are kept together: each by itself would cost more than what it says.
_TOGETHER = 64 * 1024


def disarm(text: str) -> str:
    """Lines of which none is a message to an engine, whatever they were."""
    return _MESSAGE.sub(r"\1ADAPTOR_OUTPUT: \2", text)


#: Sends a chunk to the frontend; False when it is gone.
Send = Callable[[bytes], bool]
#: Sends a chunk as far as that needs no waiting: True all of it, None a part, False nothing.
Offer = Callable[[bytes], Optional[bool]]


class Spool:
    """Bytes in order, from any thread, to the frontend that is attached.

    Writers never wait for the reader. What nobody has read is kept in memory up to
    MEMORY_LIMIT bytes, beyond that in a private file in `folder`; where the disk is full the
    oldest is dropped, and the reader is told how much.
    """

    def __init__(self, folder: str, memory_limit: int = MEMORY_LIMIT) -> None:
        self._path = os.path.join(folder, "output")
        self._memory_limit = memory_limit
        self._changed = threading.Condition()
        # In order: head (memory), then the file from _read_at to _written, then tail (memory;
        # used only where the file cannot grow).
        self._head: deque[bytearray] = deque()
        self._head_size = 0
        self._file: IO[bytes] | None = None
        self._read_at = 0
        self._written = 0
        self._tail: deque[bytearray] = deque()
        self._tail_size = 0
        self._disk_failed = False
        # Places in all that was ever written: its end, and where what is kept begins.
        self._in = 0
        self._out = 0
        # Up to here it belongs to frontends that are gone.
        self._old_until = 0
        # Bytes that were dropped and that nobody was told of yet.
        self._dropped = 0
        self._send: Send | None = None
        self._offer: Offer | None = None
        # What went out in part; the connection has the rest of it.
        self._partly = b""
        # How many bytes are with the delivering thread.
        self._under_way = 0
        self._closed = False
        self._busy = False
        start_vital("output", self._deliver)

    def write(self, data: bytes) -> None:
        """Adds whole lines at the end.

        Where the frontend keeps up they go out at once, from this thread: what was written is
        then with the system, whatever becomes of this process.
        """
        with self._changed:
            keeps_up = self._empty() and not self._busy
            self._in += len(data)
            taken: bool | None = False
            if self._offer is not None and keeps_up and len(data) <= CHUNK:
                taken = self._offer(data)
            if taken is None:
                self._partly = data
            elif taken:
                self._out = self._in
            else:
                self._store(data)
            if not taken:
                self._changed.notify_all()

    def attach(self, send: Send, offer: Offer | None = None) -> None:
        """Delivers from now on through `send`, beginning with what was kept.

        Args:
            send: called by the delivering thread; may block. With no bytes it finishes what
                `offer` left unfinished.
            offer: called by writers; must not block.
        """
        with self._changed:
            if self._send == send:
                return
            self._send = send
            self._offer = offer
            # What waits now is of others: its messages are shown, and mean nothing any more.
            self._old_until = self._in
            self._changed.notify_all()

    def detach(self, send: Send) -> None:
        """Stops delivering through `send`, if it is the one that is attached."""
        with self._changed:
            if self._send == send:
                self._send = self._offer = None
                self._changed.notify_all()

    def drain(self) -> None:
        """Blocks until what was written up to now has been delivered, or nobody is attached."""
        with self._changed:
            end = self._in
            self._changed.wait_for(lambda: self._send is None or self._out - self._under_way >= end)

    def close(self) -> None:
        """Ends the delivering thread and removes the file. What was not delivered is lost."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._drop_file()

    # The rest runs under self._changed, but for _deliver.

    def _empty(self) -> bool:
        return self._out >= self._in and not self._dropped

    def _store(self, data: bytes) -> None:
        if not self._disk_failed:
            if self._file is None and self._head_size + len(data) <= self._memory_limit:
                _add(self._head, data)
                self._head_size += len(data)
                return
            try:
                if self._file is None:
                    self._file = open(self._path, "w+b", buffering=0, opener=private_opener)  # noqa: SIM115
                self._append(data)
                return
            except OSError:
                self._disk_failed = True
        _add(self._tail, data)
        self._tail_size += len(data)
        while self._head_size + self._tail_size > self._memory_limit and self._drop_oldest():
            pass

    def _append(self, data: bytes) -> None:
        assert self._file is not None
        self._file.seek(self._written)
        view = memoryview(data)
        while view:
            count = self._file.write(view)
            view = view[count or 0 :]
        self._written += len(data)

    def _drop_oldest(self) -> bool:
        if self._head:
            size = len(self._head.popleft())
            self._head_size -= size
        elif self._read_at < self._written:
            size = self._written - self._read_at
            self._drop_file()
        elif len(self._tail) > 1:
            size = len(self._tail.popleft())
            self._tail_size -= size
        else:
            return False
        self._dropped += size
        self._out += size
        return True

    def _drop_file(self) -> None:
        self._read_at = self._written = 0
        if self._file is not None:
            self._file.close()
            self._file = None
            try:
                os.unlink(self._path)
            except OSError:
                pass

    def _can_deliver(self) -> bool:
        return self._closed or (self._send is not None and not self._empty())

    def _take(self) -> bytes:
        """The oldest of what is kept: whole lines, none old with new ones among them."""
        if self._head:
            chunk = self._gather(self._head)
            self._head_size -= len(chunk)
        elif self._read_at < self._written:
            assert self._file is not None
            self._file.seek(self._read_at)
            chunk = self._file.read(min(self._limit(), self._written - self._read_at))
            # Whole lines, so that a message is not cut in two.
            chunk = chunk[: chunk.rfind(b"\n") + 1] or chunk
            self._read_at += len(chunk)
            if self._read_at >= self._written:
                self._drop_file()
        else:
            chunk = self._gather(self._tail)
            self._tail_size -= len(chunk)
            if not self._tail:
                self._disk_failed = False
        return chunk

    def _form(self, chunk: bytes) -> bytes:
        """The chunk as it is shown: what belongs to others means nothing any more."""
        if self._out < self._old_until:
            text = chunk.decode("utf-8", "surrogateescape")
            return disarm(text).encode("utf-8", "surrogateescape")
        return chunk

    def _limit(self) -> int:
        """The size of a chunk; one does not go over from what is old to what is new."""
        old = self._old_until - self._out
        return min(CHUNK, old) if old > 0 else CHUNK

    def _gather(self, blocks: deque[bytearray]) -> bytes:
        limit = self._limit()
        old = self._old_until - self._out
        if 0 < old < len(blocks[0]):
            # Old and new were kept together.
            first = bytes(blocks[0][:old])
            del blocks[0][:old]
            return first
        gathered = [blocks.popleft()]
        size = len(gathered[0])
        while blocks and size + len(blocks[0]) <= limit:
            gathered.append(blocks.popleft())
            size += len(gathered[-1])
        return b"".join(gathered)

    def _put_back(self, chunk: bytes) -> None:
        self._head.appendleft(bytearray(chunk))
        self._head_size += len(chunk)
        self._out -= len(chunk)

    def _deliver(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._can_deliver)
                if self._closed:
                    return
                send = self._send
                assert send is not None
                # A part of a frame may have gone out already; it is finished before all else.
                chunk, shown, notice = self._partly, b"", self._dropped
                if not chunk and notice:
                    text = f"ADAPTOR_OUTPUT: WARNING: {notice:,} bytes of output were dropped\n"
                    shown = text.encode()
                    self._dropped = 0
                elif not chunk:
                    notice = 0
                    chunk = self._take()
                    shown = self._form(chunk)
                else:
                    notice = 0
                self._partly = b""
                self._out += len(chunk)
                self._under_way = len(chunk)
                self._busy = True
            # Outside the lock: a frontend that does not read blocks this thread and no other.
            sent = send(shown)
            with self._changed:
                self._busy = False
                self._under_way = 0
                if not sent:
                    self._dropped += notice
                    if chunk:
                        self._put_back(chunk)
                    if self._send == send:
                        self._send = self._offer = None
                self._changed.notify_all()


def _add(blocks: deque[bytearray], data: bytes) -> None:
    if blocks and len(blocks[-1]) + len(data) <= _TOGETHER:
        blocks[-1] += data
    else:
        blocks.append(bytearray(data))
