"""The transport over named pipes. The contract is in ``transport``."""

from __future__ import annotations

import _thread
import _winapi
import ctypes
import functools
import os
import sys
import time

from .. import _win32
from .errors import AccessRefused, ConnectionLost, NotListening

TYPE_CHECKING = False  # typing itself is not loaded inside the application
if TYPE_CHECKING:
    from _queue import SimpleQueue
    from typing import Any, List, Optional

assert sys.platform == "win32"

PIPES = "\\\\.\\pipe\\"
BUFFER_SIZE = 256 * 1024
BACKLOG = 8  # clients that connect before they are accepted

WAIT_TIMEOUT = 258
ERROR_ACCESS_DENIED = 5
ERROR_PIPE_BUSY = 231
ERROR_NO_DATA = 232
FILE_FLAG_OVERLAPPED = 0x40000000
FILE_FLAG_FIRST_PIPE_INSTANCE = 0x00080000
PIPE_REJECT_REMOTE_CLIENTS = 0x00000008
# The server may learn who we are; it may not act in our name.
SECURITY_SQOS_PRESENT_IDENTIFICATION = 0x00100000 | 0x00010000

_cancel_io = _win32.kernel32.CancelIoEx  # its failure says that there was nothing to cancel
_cancel_io.argtypes = (_win32.VOID, _win32.VOID)


def _peer(side: str, handle: int) -> int:
    """The process at the other end. Raises OSError when it is not (or no longer) this user's."""
    ask = _win32.bind(
        _win32.kernel32, "GetNamedPipe{}ProcessId".format(side), _win32.VOID, _win32.DWORD_OUT
    )
    pid = _win32.DWORD()
    ask(handle, ctypes.byref(pid))
    _win32.require_own_process(pid.value)
    return pid.value


def _wait(events: List[int], timeout: Optional[float] = None) -> int:
    """Blocks until one of `events` is set and returns its place; signal handlers run meanwhile.

    After `timeout` seconds it returns -1.
    """
    count = len(events)
    deadline = None if timeout is None else time.monotonic() + timeout
    pause = _winapi.INFINITE
    # Not imported here: threading takes the thread that loads it for the main thread. Who has
    # handlers of SIGBREAK to run has it loaded.
    threading = sys.modules.get("threading")
    if threading and threading.main_thread().ident == _thread.get_ident():
        events = events + [_win32.break_event()]
    while True:
        if deadline is not None:
            # The longest wait that a DWORD can express is INFINITE.
            pause = min(max(0, int((deadline - time.monotonic()) * 1000 + 0.999)), 0x7FFFFFFF)
        try:
            place = _winapi.WaitForMultipleObjects(events, False, pause)
        except InterruptedError:
            continue  # A handler of SIGINT has run.
        if place < count:
            return place
        if place == WAIT_TIMEOUT:
            return -1


def _finish(operation: _winapi.Overlapped) -> int:
    """Waits until `operation` is over and returns how many bytes it moved; 0 if canceled."""
    try:
        _wait([operation.event])
    except BaseException:  # what a signal's handler raised
        _cancel(operation)
        raise
    return operation.GetOverlappedResult(True)[0]


def _cancel(operation: _winapi.Overlapped) -> None:
    try:
        operation.cancel()
        operation.GetOverlappedResult(True)
    except OSError:
        pass


@functools.lru_cache(maxsize=None)
def _lasting_thread() -> SimpleQueue[Any]:
    """Takes pairs of a function to call and a queue for its result, or its OSError.

    For operations that are to go on when whoever wanted them is done: the system cancels what a
    thread has begun when that thread ends.
    """
    from _queue import SimpleQueue

    jobs: SimpleQueue[Any] = SimpleQueue()

    def work() -> None:
        while True:
            function, results = jobs.get()
            try:
                results.put(function())
            except OSError as e:
                results.put(e)

    _thread.start_new_thread(work, ())
    return jobs


def wake_on_signals() -> None:
    """See ``transport.wake_on_signals``; ``_wait`` does that by itself."""


class Stream:
    """See ``transport.Stream``."""

    def __init__(self, handle: int, peer_pid: Optional[int]) -> None:
        self._handle = handle
        self.peer_pid = peer_pid
        # Held to begin an operation, not while it waits: the handle that it begins on is open.
        self._lock = _thread.allocate_lock()
        self._closed = False
        #: What write_some has begun.
        self._begun: Optional[_winapi.Overlapped] = None

    def read(self, size: int) -> bytes:
        try:
            while True:
                with self._lock:
                    if self._closed:
                        return b""
                    operation, _ = _winapi.ReadFile(self._handle, size, overlapped=True)
                if _finish(operation):
                    return operation.getbuffer() or b""
                # Nothing came: it was closed here, or the other side wrote no bytes.
        except OSError:
            return b""

    def read_within(self, size: int, timeout: float) -> Optional[bytes]:
        try:
            with self._lock:
                if self._closed:
                    return b""
                # The first of (bytes there, bytes left of a message); the end raises.
                there = _winapi.PeekNamedPipe(self._handle, 0)[0]
                if not there and timeout <= 0:
                    return None
                operation, _ = _winapi.ReadFile(self._handle, size, overlapped=True)
        except OSError:
            return b""
        try:
            try:
                place = _wait([operation.event], None if there else timeout)
            except BaseException:  # what a signal's handler raised
                _cancel(operation)
                raise
            if place < 0:
                operation.cancel()
            # What came while it was being canceled counts.
            count = operation.GetOverlappedResult(True)[0]
        except OSError:
            return b""
        if count:
            return operation.getbuffer() or b""
        # Closed here, unless it was this function that gave up (or nothing was written).
        return b"" if self._closed else None

    def write(self, data: bytes) -> None:
        try:
            begun, self._begun = self._begun, None
            if (begun and not _finish(begun)) or (data and not _finish(self._begin_write(data))):
                raise OSError(0, "it was closed here")
        except OSError as e:
            raise ConnectionLost("the other side is gone: {}".format(e.strerror or e)) from e

    def write_some(self, data: bytes) -> int:
        # A pipe takes all or nothing, and keeps what it has no room for waiting: one such write
        # may wait, and what comes after it is not begun before that one has ended.
        from _queue import SimpleQueue

        if self._begun:
            if _winapi.WaitForSingleObject(self._begun.event, 0) != _winapi.WAIT_OBJECT_0:
                return 0
            try:
                self.write(b"")
            except ConnectionLost:
                return 0
        results: SimpleQueue[Any] = SimpleQueue()
        _lasting_thread().put((functools.partial(self._begin_write, data), results))
        result = results.get()
        if isinstance(result, OSError):
            return 0
        self._begun = result
        return len(data)

    def _begin_write(self, data: bytes) -> _winapi.Overlapped:
        with self._lock:
            if self._closed:
                raise OSError(0, "it was closed here")
            return _winapi.WriteFile(self._handle, data, overlapped=True)[0]

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            _cancel_io(self._handle, None)
            if self._begun:
                _cancel(self._begun)
            # What was written stays readable for the other side (DisconnectNamedPipe would
            # throw it away, FlushFileBuffers wait for a reader that may never come).
            _winapi.CloseHandle(self._handle)


class Listener:
    """See ``transport.Listener``."""

    def __init__(self, folder: str) -> None:
        # Named after the folder, which is found by the address then.
        self.address = PIPES + (os.path.basename(folder) or "openjd") + "-" + os.urandom(16).hex()
        self._lock = _thread.allocate_lock()
        self._closed = False
        # The instances of the pipe that were not given out. There is always one without a
        # client, unless as many came at once: those behind find it busy and wait for the next.
        self._instances = [self._instance(FILE_FLAG_FIRST_PIPE_INSTANCE)]
        while len(self._instances) < BACKLOG:
            self._instances.append(self._instance())

    def _instance(self, flag: int = 0) -> int:
        return _winapi.CreateNamedPipe(
            self.address,
            _winapi.PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | flag,
            PIPE_REJECT_REMOTE_CLIENTS,  # and bytes rather than messages, which is 0
            _winapi.PIPE_UNLIMITED_INSTANCES,
            BUFFER_SIZE,
            BUFFER_SIZE,
            0,
            ctypes.addressof(_win32.owner_only()),
        )

    def accept(self) -> Optional[Stream]:
        while True:
            handle = self._next()
            if handle is None:
                return None
            try:
                return Stream(handle, _peer("Client", handle))
            except OSError:
                _winapi.CloseHandle(handle)

    def _next(self) -> Optional[int]:
        """The next instance that has a client, be it one that has left; None once closed."""
        operations = []
        try:
            with self._lock:
                if self._closed:
                    return None
                for handle in self._instances:
                    try:
                        operations.append(_winapi.ConnectNamedPipe(handle, overlapped=True))
                    except OSError as e:
                        if e.winerror != ERROR_NO_DATA:
                            raise
                        return self._take(handle)
            place = _wait([operation.event for operation in operations])
            with self._lock:
                return None if self._closed else self._take(self._instances[place])
        finally:
            # Who came meanwhile is found the next time.
            for operation in operations:
                _cancel(operation)

    def _take(self, handle: int) -> int:
        # The next instance is there before this one goes.
        self._instances.append(self._instance())
        self._instances.remove(handle)
        return handle

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for handle in self._instances:
                _cancel_io(handle, None)
                _winapi.CloseHandle(handle)


def connect(address: str) -> Stream:
    """See ``transport.connect``."""
    if not address.lower().startswith(PIPES):
        raise NotListening("nobody listens at {}: it is no name of a pipe".format(address))
    try:
        handle = _open(address)
    except OSError as e:
        if e.winerror == ERROR_ACCESS_DENIED:
            raise AccessRefused("{}: it belongs to another user".format(address)) from e
        reason = e.strerror or str(e)
        raise NotListening("nobody listens at {}: {}".format(address, reason)) from e
    try:
        return Stream(handle, _peer("Server", handle))
    except OSError as e:
        _winapi.CloseHandle(handle)
        reason = e.strerror or str(e)
        raise AccessRefused("{}: it belongs to another user ({})".format(address, reason)) from e


def _open(address: str) -> int:
    while True:
        try:
            return _winapi.CreateFile(
                address,
                _winapi.GENERIC_READ | _winapi.GENERIC_WRITE,
                0,
                0,
                _winapi.OPEN_EXISTING,
                FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT_IDENTIFICATION,
                0,
            )
        except OSError as e:
            if e.winerror != ERROR_PIPE_BUSY:
                raise
        # Each instance has its client. Ends when another is there, or the pipe is gone.
        _winapi.WaitNamedPipe(address, _winapi.NMPWAIT_WAIT_FOREVER)
