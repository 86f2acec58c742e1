"""The transport over Unix domain sockets. The contract is in ``transport``."""

from __future__ import annotations

import _thread
import errno
import os
import sys
import time

try:
    # The half of socket that is written in C has all that a connection needs. The other half
    # is a tenth of what a frontend loads, and frontends are started for every task.
    import _socket
except ImportError:
    import socket as _socket  # type: ignore[no-redef]

from .errors import AccessRefused, ConnectionLost, NotListening

TYPE_CHECKING = False  # typing itself is not loaded inside the application
if TYPE_CHECKING:
    import select
    from typing import Optional, Tuple

assert sys.platform != "win32"

BACKLOG = 128


def _peer(sock: _socket.socket) -> Tuple[int, Optional[int]]:
    """The user and the process at the other end, from the kernel."""
    if sys.platform == "darwin":
        # SOL_LOCAL is 0. LOCAL_PEERCRED gives struct xucred: version, uid, groups.
        credentials = sock.getsockopt(0, 0x001, 76)
        local_peerpid = 0x002
        return _number(credentials[4:8]), sock.getsockopt(0, local_peerpid)
    # struct ucred: pid, uid, gid.
    credentials = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    return _number(credentials[4:8]), _number(credentials[:4])


def _number(data: bytes) -> int:
    return int.from_bytes(data, sys.byteorder)


class _SignalAlarm:
    """Ends the main thread's wait for data when a signal has come, so that its handler runs.

    Handlers run between two instructions of the main thread. A signal that comes after the last
    instruction before a wait, or that the system gives to another thread, does not end the wait
    by itself. The byte that the interpreter writes, in the signal, to its wakeup descriptor does.
    """

    def __init__(self) -> None:
        self._main_thread = _thread.get_ident()
        self._process = os.getpid()
        self._reader, self._writer = os.pipe()
        for fd in (self._reader, self._writer):
            os.set_blocking(fd, False)

    def is_for_me(self) -> bool:
        """Whether the thread that asks is the one that runs handlers, in this very process."""
        return _thread.get_ident() == self._main_thread and os.getpid() == self._process

    def wait(self, waiting: select.poll, milliseconds: Optional[float]) -> None:
        """``waiting.poll(milliseconds)``, which a signal ends, too.

        Raises:
            OSError: a descriptor of `waiting` is closed; besides, whatever the handler raises.
        """
        import signal

        waiting.register(self._reader, 1)  # POLLIN
        # Set for the time of the wait alone: asyncio and others want it while they run.
        before = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        try:
            waiting.poll(milliseconds)
        finally:
            try:
                signal.set_wakeup_fd(before)
            except (OSError, ValueError):  # closed meanwhile
                signal.set_wakeup_fd(-1)
            try:
                signals = os.read(self._reader, 4096)
                # It is this one where a handler has raised before an earlier wait began.
                if before not in (-1, self._writer):
                    os.write(before, signals)
            except OSError:
                pass  # No signal came; or who was to hear of it has a full pipe and will wake.


_alarm: Optional[_SignalAlarm] = None


def wake_on_signals() -> None:
    """See ``transport.wake_on_signals``."""
    global _alarm
    if _alarm is None or not _alarm.is_for_me():
        _alarm = _SignalAlarm()


class Stream:
    """See ``transport.Stream``."""

    def __init__(self, sock: _socket.socket, peer_pid: Optional[int]) -> None:
        self._socket = sock
        self.peer_pid = peer_pid

    def read(self, size: int) -> bytes:
        if _alarm is not None and _alarm.is_for_me():
            return self._read(size, None) or b""
        try:
            return self._socket.recv(size)
        except OSError:
            return b""

    def read_within(self, size: int, timeout: float) -> Optional[bytes]:
        return self._read(size, timeout)

    def _read(self, size: int, timeout: Optional[float]) -> Optional[bytes]:
        deadline = time.monotonic() + timeout if timeout else 0.0
        while True:
            try:
                return self._socket.recv(size, _socket.MSG_DONTWAIT)
            except BlockingIOError:
                if timeout is not None and timeout <= 0:
                    return None
            except OSError:
                return b""
            try:
                self._wait(timeout)
            except (OSError, ValueError):  # closed by another thread
                return b""
            if timeout is not None:
                timeout = deadline - time.monotonic()

    def _wait(self, timeout: Optional[float]) -> None:
        """Until there is something to read, the time is over, or a signal has come."""
        import select

        # Unlike select() it takes any descriptor; unlike a timeout of the socket it leaves
        # writers in other threads alone.
        waiting = select.poll()
        waiting.register(self._socket, select.POLLIN)
        milliseconds = None if timeout is None else min(timeout, 1e6) * 1000
        if _alarm is not None and _alarm.is_for_me():
            _alarm.wait(waiting, milliseconds)
        else:
            waiting.poll(milliseconds)

    def write(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as e:
            raise ConnectionLost("the other side is gone: {}".format(e.strerror or e)) from e

    def write_some(self, data: bytes) -> int:
        try:
            return self._socket.send(data, _socket.MSG_DONTWAIT)
        except OSError:
            return 0

    def close(self) -> None:
        try:
            # close() alone would not wake a thread that is in recv() or sendall().
            self._socket.shutdown(_socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()


class Listener:
    """See ``transport.Listener``."""

    def __init__(self, folder: str) -> None:
        import socket

        self.address = os.path.join(folder, "socket")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.bind(self.address)
            os.chmod(self.address, 0o600)
            self._socket.listen(BACKLOG)
        except OSError:
            self._socket.close()
            raise
        self._socket.setblocking(False)
        # Closing a socket does not wake a thread that waits on it, everywhere: a pair does.
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._lock = _thread.allocate_lock()
        self._accepting = False
        self._closed = False
        # Given up for a moment where there is no other descriptor to accept with.
        self._reserve = os.open(os.devnull, os.O_RDONLY)

    def accept(self) -> Optional[Stream]:
        with self._lock:
            if self._closed:
                return None
            self._accepting = True
        try:
            return self._accept()
        finally:
            with self._lock:
                self._accepting = False
                if self._closed:
                    self._close_sockets()

    def _accept(self) -> Optional[Stream]:
        import selectors

        # poll() needs no descriptor of its own, and there may be none left.
        with selectors.PollSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            selector.register(self._wake_reader, selectors.EVENT_READ)
            while True:
                ready = selector.select()
                if any(key.fileobj is self._wake_reader for key, _ in ready):
                    return None
                try:
                    sock, _ = self._socket.accept()
                except (BlockingIOError, ConnectionAbortedError):
                    continue
                except OSError as e:
                    if e.errno not in (errno.EMFILE, errno.ENFILE):
                        raise
                    self._turn_away()
                    continue
                try:
                    sock.setblocking(True)
                    uid, pid = _peer(sock)
                except OSError:
                    sock.close()
                    continue
                if uid != os.geteuid():
                    sock.close()
                    continue
                return Stream(sock, pid)

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._wake_writer.close()
            # What a thread waits for is closed by that thread.
            if not self._accepting:
                self._close_sockets()
        try:
            os.unlink(self.address)
        except OSError:
            pass

    def _turn_away(self) -> None:
        """No descriptor is left: whoever knocks is told so by an end, not kept waiting."""
        try:
            os.close(self._reserve)
            sock, _ = self._socket.accept()
            sock.close()
        except OSError:
            pass
        finally:
            self._reserve = os.open(os.devnull, os.O_RDONLY)

    def _close_sockets(self) -> None:
        os.close(self._reserve)
        self._wake_reader.close()
        self._socket.close()


def connect(address: str) -> Stream:
    """See ``transport.connect``."""
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        sock.connect(address)
        uid, pid = _peer(sock)
    except PermissionError as e:
        sock.close()
        raise AccessRefused("{}: it belongs to another user".format(address)) from e
    except (OSError, ValueError) as e:  # ValueError: no file can have such a name
        sock.close()
        reason = getattr(e, "strerror", None) or e
        raise NotListening("nobody listens at {}: {}".format(address, reason)) from e
    if uid != os.geteuid():
        sock.close()
        raise AccessRefused("{}: it belongs to another user (uid {})".format(address, uid))
    return Stream(sock, pid)
