"""The spool: output on its way to the frontend, kept while there is none or it is slow."""

from __future__ import annotations

import os
import re
import threading
from collections import deque
from collections.abc import Callable
from typing import IO, Optional

from .._platform import private_opener

# Output beyond this many bytes that nobody has read yet goes to a file.
MEMORY_LIMIT = 8 * 1024 * 1024
# One frame's worth: large enough for throughput, small enough for a cancel to come between.
CHUNK = 256 * 1024

# What engines take for a message, or for a mistaken one.
_MESSAGE = re.compile(rb"^([^\S\n]*openjd_)", re.MULTILINE | re.IGNORECASE)

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
        self._head: deque[bytes] = deque()
        self._head_size = 0
        self._file: IO[bytes] | None = None
        self._read_at = 0
        self._written = 0
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self._disk_failed = False
        self._dropped = 0
        self._send: Send | None = None
        self._offer: Offer | None = None
        self._flush = False
        self._old = 0
        self._closed = False
        self._busy = False
        self._thread = threading.Thread(target=self._deliver, name="output", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Adds whole lines at the end.

        Where the frontend keeps up they go out at once, from this thread: what was written is
        then with the system, whatever becomes of this process.
        """
        with self._changed:
            if self._offer is None or self._busy or not self._empty() or len(data) > CHUNK:
                taken: bool | None = False
            else:
                taken = self._offer(data)
            if taken is None:
                self._flush = True
            elif not taken:
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
            self._old = self._head_size + self._tail_size + self._written - self._read_at
            self._changed.notify_all()

    def detach(self, send: Send) -> None:
        """Stops delivering through `send`, if it is the one that is attached."""
        with self._changed:
            if self._send == send:
                self._send = self._offer = None
                self._changed.notify_all()

    def drain(self) -> None:
        """Blocks until everything written has been delivered, or nobody is attached."""
        with self._changed:
            self._changed.wait_for(lambda: self._send is None or (self._empty() and not self._busy))

    def close(self) -> None:
        """Ends the delivering thread and removes the file. What was not delivered is lost."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._drop_file()

    # The rest runs under self._changed, but for _deliver.

    def _empty(self) -> bool:
        return not (
            self._flush
            or self._head
            or self._tail
            or self._dropped
            or self._read_at < self._written
        )

    def _store(self, data: bytes) -> None:
        if self._file is None and self._head_size + len(data) <= self._memory_limit:
            self._head.append(data)
            self._head_size += len(data)
            return
        if not self._disk_failed:
            try:
                if self._file is None:
                    self._file = open(self._path, "w+b", buffering=0, opener=private_opener)  # noqa: SIM115
                self._append(data)
                return
            except OSError:
                self._disk_failed = True
        self._tail.append(data)
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

    def _next_chunk(self) -> bytes:
        chunk = self._take()
        if self._old > 0:
            self._old -= len(chunk)
            chunk = _MESSAGE.sub(rb"ADAPTOR_OUTPUT: \1", chunk)
        return chunk

    def _take(self) -> bytes:
        if self._dropped:
            notice = f"ADAPTOR_OUTPUT: WARNING: {self._dropped:,} bytes of output were dropped\n"
            self._old -= self._dropped - len(notice)
            self._dropped = 0
            return notice.encode()
        if self._head:
            chunk = self._gather(self._head)
            self._head_size -= len(chunk)
            return chunk
        if self._read_at < self._written:
            assert self._file is not None
            self._file.seek(self._read_at)
            chunk = self._file.read(min(self._limit(), self._written - self._read_at))
            # Whole lines, so that a message is not cut in two.
            chunk = chunk[: chunk.rfind(b"\n") + 1] or chunk
            self._read_at += len(chunk)
            if self._read_at >= self._written:
                self._drop_file()
            return chunk
        chunk = self._gather(self._tail)
        self._tail_size -= len(chunk)
        if not self._tail:
            self._disk_failed = False
        return chunk

    def _limit(self) -> int:
        """The size of a chunk; one does not go over from what is old to what is new."""
        return min(CHUNK, self._old) if self._old > 0 else CHUNK

    def _gather(self, blocks: deque[bytes]) -> bytes:
        gathered = [blocks.popleft()]
        size = len(gathered[0])
        while blocks and size + len(blocks[0]) <= self._limit():
            gathered.append(blocks.popleft())
            size += len(gathered[-1])
        return b"".join(gathered)

    def _deliver(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(self._can_deliver)
                if self._closed:
                    return
                send = self._send
                assert send is not None
                # A part of a frame may have gone out already; it is finished before all else.
                flushing, self._flush = self._flush, False
                chunk = b"" if flushing else self._next_chunk()
                self._busy = True
            # Outside the lock: a frontend that does not read blocks this thread and no other.
            if not send(chunk):
                with self._changed:
                    if chunk:
                        self._head.appendleft(chunk)
                        self._head_size += len(chunk)
                    if self._send == send:
                        self._send = self._offer = None
                    self._busy = False
                    self._changed.notify_all()
