"""The platform on Windows. The contract is in ``_platform/__init__``."""

from __future__ import annotations

import _thread
import _winapi
import atexit
import ctypes
import errno
import os
import sys

from openjd.adaptor_runtime_client import _win32

TYPE_CHECKING = False  # typing itself costs a frontend more than all of this module
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    import psutil

assert sys.platform == "win32"

bind, kernel32, advapi32 = _win32.bind, _win32.kernel32, _win32.advapi32
VOID, VOID_OUT, DWORD, INT = _win32.VOID, _win32.VOID_OUT, _win32.DWORD, _win32.INT
TEXT = ctypes.c_wchar_p
MAX_PATH = 260

HAS_GUARDIAN = False  # the daemon's job does a guardian's work

CTRL_C_EVENT, CTRL_BREAK_EVENT, CTRL_CLOSE_EVENT, CTRL_SHUTDOWN_EVENT = 0, 1, 2, 6

SYNCHRONIZE = 0x00100000
WRITE_DAC = 0x00040000
PROCESS_TERMINATE = 0x0001
PROCESS_SET_QUOTA = 0x0100
PROCESS_SUSPEND_RESUME = 0x0800
CREATE_SUSPENDED = 0x4
JOB_BASIC_ACCOUNTING = 1
JOB_EXTENDED_LIMITS = 9
JOB_BREAKAWAY_OK = 0x0800
JOB_KILL_ON_CLOSE = 0x2000
CREATE_NEW, OPEN_EXISTING, OPEN_ALWAYS = 1, 3, 4
SHARE_ALL = 1 | 2 | 4  # read, write, delete
FILE_ATTRIBUTE_REPARSE_POINT = 0x0400
FILE_FLAG_OPEN_REPARSE_POINT = 0x00200000
FILE_FLAG_BACKUP_SEMANTICS = 0x02000000
FILE_FLAG_OVERLAPPED = 0x40000000
FILE_LIST_DIRECTORY = 0x1
SE_FILE_OBJECT = 1
OWNER_SECURITY_INFORMATION = 0x1
PROTECTED_DACL = 0x80000000 | 0x4  # the access list, with nothing inherited
TOKEN_OWNER = 4  # whom this process's new files belong to
NAMES_CHANGE = 0x1 | 0x2  # of files, of folders: made, removed, renamed
END_LIMIT = 10_000  # milliseconds until a process that was terminated has ended

_CreateDirectory = bind(kernel32, "CreateDirectoryW", TEXT, VOID)
_GetTempPath = bind(kernel32, "GetTempPathW", DWORD, TEXT, result=DWORD)
_GetConsoleMode = bind(kernel32, "GetConsoleMode", VOID, VOID)
_SetConsoleMode = bind(kernel32, "SetConsoleMode", VOID, DWORD)
_VIRTUAL_TERMINAL = 4
_GenerateConsoleCtrlEvent = bind(kernel32, "GenerateConsoleCtrlEvent", DWORD, DWORD)
_CreateJobObject = bind(kernel32, "CreateJobObjectW", VOID, TEXT, result=VOID)
_SetJobLimits = bind(kernel32, "SetInformationJobObject", VOID, INT, VOID, DWORD)
_QueryJob = bind(kernel32, "QueryInformationJobObject", VOID, INT, VOID, DWORD, _win32.DWORD_OUT)
_AssignProcessToJob = bind(kernel32, "AssignProcessToJobObject", VOID, VOID)
_TerminateJob = bind(kernel32, "TerminateJobObject", VOID, DWORD)
_GetProcessTimes = bind(kernel32, "GetProcessTimes", VOID, *[VOID] * 4)
_ReadChanges = bind(
    kernel32, "ReadDirectoryChangesW", VOID, VOID, DWORD, INT, DWORD, _win32.DWORD_OUT, VOID, VOID
)
_OverlappedResult = bind(kernel32, "GetOverlappedResult", VOID, VOID, _win32.DWORD_OUT, INT)
_CancelIo = kernel32.CancelIoEx  # its failure says that there was nothing to cancel
_CancelIo.argtypes = (VOID, VOID)
_CreateEvent = bind(kernel32, "CreateEventW", VOID, INT, INT, VOID, result=VOID)
_SetEvent = bind(kernel32, "SetEvent", VOID)
_SetSecurity = bind(advapi32, "SetKernelObjectSecurity", VOID, DWORD, VOID)
_resume_process = ctypes.WinDLL("ntdll").NtResumeProcess
_resume_process.argtypes = (VOID,)
# Returns an error's number, and 0 for none.
_GetNamedSecurityInfo = advapi32.GetNamedSecurityInfoW
_GetNamedSecurityInfo.argtypes = (TEXT, INT, DWORD, VOID_OUT, VOID, VOID, VOID, VOID_OUT)
_GetSecurityInfo = advapi32.GetSecurityInfo
_GetSecurityInfo.argtypes = (VOID, *_GetNamedSecurityInfo.argtypes[1:])


class _JobCounts(ctypes.Structure):
    """JOBOBJECT_BASIC_ACCOUNTING_INFORMATION"""

    _fields_ = [
        ("times", ctypes.c_int64 * 4),
        ("page_faults", DWORD),
        ("total", DWORD),
        ("active", DWORD),
        ("terminated", DWORD),
    ]


class _JobLimits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION"""

    _fields_ = [
        ("times", ctypes.c_int64 * 2),
        ("flags", DWORD),
        ("working_set", ctypes.c_size_t * 2),
        ("active_processes", DWORD),
        ("affinity", ctypes.c_size_t),
        ("priorities", DWORD * 2),
        ("io_counters", ctypes.c_uint64 * 6),
        ("memory", ctypes.c_size_t * 4),
    ]


def detached_options() -> dict[str, Any]:
    import subprocess

    # A console of its own, without a window: the events of the action's console do not reach
    # it, and its applications share it, so that CTRL_BREAK can reach them.
    flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    if _may_leave_job():
        flags |= subprocess.CREATE_BREAKAWAY_FROM_JOB
    # close_fds: nothing but the standard handles that the caller gives is inherited.
    return {"creationflags": flags, "close_fds": True}


def _may_leave_job() -> bool:
    """Whether the job of this process lets children leave it. Asking for it elsewhere fails."""
    limits = _JobLimits()
    try:
        _QueryJob(None, JOB_EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits), None)
    except OSError:
        return False  # It is in no job.
    return bool(limits.flags & JOB_BREAKAWAY_OK)


def own_group_options() -> dict[str, Any]:
    import subprocess

    # The console is shared, or CTRL_BREAK could not be sent; a window of its own stays hidden.
    startup = subprocess.STARTUPINFO(
        dwFlags=subprocess.STARTF_USESHOWWINDOW, wShowWindow=subprocess.SW_HIDE
    )
    return {
        # Suspended until a ProcessTree takes charge: nothing that it starts escapes the tree.
        "creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | CREATE_SUSPENDED,
        "startupinfo": startup,
        "close_fds": True,
    }


def enlarge_pipe(fd: int) -> None:
    pass  # A pipe's size is settled when it is made.


def has_bytes(fd: int) -> bool:
    import msvcrt

    try:
        # The first of (bytes there, bytes left of a message). It waits for a read under way.
        return bool(_winapi.PeekNamedPipe(msvcrt.get_osfhandle(fd), 0)[0])
    except OSError:
        return True  # It has ended.


def on_cancel_signals(callback: Callable[[], None]) -> None:
    # Not signal.signal: its handlers wait for the main thread, which may sit in a queue.
    at_exit = _thread.allocate_lock()
    at_exit.acquire()

    def handle(kind: int) -> bool:
        if kind not in (CTRL_C_EVENT, CTRL_BREAK_EVENT, CTRL_CLOSE_EVENT, CTRL_SHUTDOWN_EVENT):
            return False
        callback()
        if kind in (CTRL_CLOSE_EVENT, CTRL_SHUTDOWN_EVENT):
            # The system ends the process when this returns (and some seconds later anyway).
            at_exit.acquire()
        return True

    _win32.on_console_event(handle)
    atexit.register(at_exit.release)


def end_cancel_signals() -> None:
    pass  # The handler stays until there is no process.


def make_private_folder(parent: str | None = None, name: str | None = None) -> str:
    if parent is not None:
        path = os.path.join(parent, "a-" + os.urandom(2).hex())
        _CreateDirectory(path, ctypes.byref(_win32.owner_only("OICI")))
        return path
    (base,) = temporary_folders()
    path = os.path.join(base, name or "openjd-" + os.urandom(8).hex())
    try:
        _CreateDirectory(path, ctypes.byref(_win32.owner_only("OICI")))
    except OSError as e:
        raise OSError(
            f"the temporary folder {base} cannot be used ({e.strerror}); "
            "set TMPDIR or TEMP to a folder you can write",
        ) from e
    return path


def folder_of(address: str) -> str:
    # The pipe has the folder's name before its own.
    name = address.rpartition("\\")[2].rpartition("-")[0]
    return os.path.join(*temporary_folders(), name)


def temporary_folders() -> list[str]:
    chosen = os.environ.get("TMPDIR")
    if not chosen:
        buffer = ctypes.create_unicode_buffer(MAX_PATH + 2)
        _GetTempPath(len(buffer), buffer)
        chosen = buffer.value
    return [os.path.abspath(chosen)]


def private_opener(path: str, flags: int) -> int:
    import msvcrt

    access = _winapi.GENERIC_READ if not flags & os.O_WRONLY else 0
    if flags & (os.O_WRONLY | os.O_RDWR):
        access |= _winapi.GENERIC_WRITE
    disposition, attributes = OPEN_EXISTING, 0
    if flags & os.O_CREAT:
        disposition = CREATE_NEW if flags & os.O_EXCL else OPEN_ALWAYS
        access |= WRITE_DAC
        attributes = FILE_FLAG_OPEN_REPARSE_POINT
    try:
        handle = _winapi.CreateFile(
            os.fspath(path),
            access,
            SHARE_ALL,  # it can be replaced and removed while somebody reads it
            ctypes.addressof(_win32.owner_only()),
            disposition,
            attributes,
            0,
        )
    except OSError as e:
        raise OSError(e.errno, e.strerror, path, e.winerror) from None
    fd = msvcrt.open_osfhandle(handle, flags & (os.O_APPEND | os.O_NOINHERIT))
    try:
        if flags & os.O_CREAT:
            if os.fstat(fd).st_file_attributes & FILE_ATTRIBUTE_REPARSE_POINT:
                raise OSError(errno.ELOOP, "it is a link", path)
            if not flags & os.O_EXCL:
                # It may have been there before, with wider rights.
                _SetSecurity(handle, PROTECTED_DACL, _win32.owner_only().descriptor)
        if flags & os.O_TRUNC:
            os.ftruncate(fd, 0)
    except OSError:
        os.close(fd)
        raise
    return fd


def open_to_append(path: str) -> int:
    return own_opener(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOINHERIT)


def own_opener(path: str, flags: int) -> int:
    import msvcrt

    fd = private_opener(path, flags)
    try:
        # Of what is open here, whatever has the name by now.
        if not _is_ours(_GetSecurityInfo, msvcrt.get_osfhandle(fd), path):
            raise PermissionError(errno.EACCES, "it is no file of this user's", path)
    except OSError:
        os.close(fd)
        raise
    return fd


def belongs_to_us(path: str) -> bool:
    return _is_ours(_GetNamedSecurityInfo, os.fspath(path), path)


def _is_ours(ask: Callable[..., int], thing: int | str, path: str) -> bool:
    owner, descriptor = VOID(), VOID()
    error = ask(
        thing,
        SE_FILE_OBJECT,
        OWNER_SECURITY_INFORMATION,
        ctypes.byref(owner),
        None,
        None,
        None,
        ctypes.byref(descriptor),
    )
    if error:
        raise OSError(None, ctypes.FormatError(error), path, error)
    try:
        # What an elevated administrator makes belongs to the group of administrators.
        ours = (_win32.user_sid(), _win32.token_sid(_winapi.GetCurrentProcess(), TOKEN_OWNER))
        return _win32.sid_text(owner.value) in ours
    finally:
        _win32.local_free(descriptor)


def system_config_folder() -> str:
    return os.path.join(os.environ.get("PROGRAMDATA", "C:\\ProgramData"), "openjd")


def shows_colors(fd: int) -> bool:
    import msvcrt

    mode = ctypes.c_ulong()
    try:
        handle = msvcrt.get_osfhandle(fd)
        _GetConsoleMode(handle, ctypes.byref(mode))
        _SetConsoleMode(handle, mode.value | _VIRTUAL_TERMINAL)
    except OSError:
        # A console of before Windows 10, or a terminal without one, such as that of Git.
        return bool(os.environ.get("TERM") or os.environ.get("ANSICON"))
    return True


def takes_bytes_now(fd: int) -> bool:
    # The system does not tell that of a pipe.
    return False


def _open_process(pid: int, access: int) -> int:
    """A handle of the process `pid`, which has not ended.

    Raises:
        ProcessLookupError: there is no such process, or only what another one holds of it.
    """
    try:
        handle = _winapi.OpenProcess(access | SYNCHRONIZE, False, pid)
    except PermissionError:
        raise
    except (OSError, OverflowError) as e:
        raise ProcessLookupError(errno.ESRCH, f"there is no process {pid}") from e
    if _has_ended(handle, 0):
        _winapi.CloseHandle(handle)
        raise ProcessLookupError(errno.ESRCH, f"there is no process {pid}")
    return handle


def _has_ended(handle: int, milliseconds: int) -> bool:
    return _winapi.WaitForSingleObject(handle, milliseconds) == _winapi.WAIT_OBJECT_0


def _started(handle: int) -> str:
    times = (ctypes.c_uint64 * 4)()  # of its start, of its end, spent in the system, and outside
    where = ctypes.addressof(times)
    _GetProcessTimes(handle, where, where + 8, where + 16, where + 24)
    return str(times[0])


def start_time(pid: int) -> str:
    handle = _open_process(pid, _win32.PROCESS_QUERY_LIMITED_INFORMATION)
    try:
        return _started(handle)
    finally:
        _winapi.CloseHandle(handle)


def await_process(pid: int, started: str, timeout: float) -> bool:
    handle = _hold(pid, started)
    if handle is None:
        return True
    try:
        return _has_ended(handle, int(timeout * 1000))
    finally:
        _winapi.CloseHandle(handle)


def _hold(pid: int, started: str, access: int = 0) -> int | None:
    """A handle of the process, as long as it lives; while it is open the pid is not given away."""
    try:
        handle = _open_process(pid, access | _win32.PROCESS_QUERY_LIMITED_INFORMATION)
    except OSError:
        return None  # PermissionError: it is somebody else's, so the one that was meant is gone.
    if _started(handle) == started:
        return handle
    _winapi.CloseHandle(handle)
    return None


def end_process(pid: int, started: str) -> bool:
    handle = _hold(pid, started, PROCESS_TERMINATE)
    if handle is None:
        return False
    try:
        before = _descendants(pid)
        try:
            _winapi.TerminateProcess(handle, 1)
        except PermissionError:
            pass  # It ends at this moment.
        _has_ended(handle, END_LIMIT)
        # Once more: it may have started others until its end.
        _kill_all({*before, *_descendants(pid)})
    finally:
        _winapi.CloseHandle(handle)
    return True


def end_marked(mark: str) -> None:
    pass  # Jobs end what processes have started, whoever has left whom.


def kill_detached(process: subprocess.Popen[bytes]) -> None:
    process.kill()  # What it has started is in its job.


def _descendants(pid: int) -> list[psutil.Process]:
    import psutil

    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def _kill_all(processes: Iterable[psutil.Process]) -> None:
    import psutil

    for process in processes:
        try:
            # psutil compares the start time, so this cannot hit a process id's next owner.
            process.kill()
        except psutil.Error:
            pass


_own_job: int | None = None  # held until this process ends


def contain_descendants() -> None:
    global _own_job
    if _own_job is not None:
        return
    job = _make_job()
    try:
        _AssignProcessToJob(job, _winapi.GetCurrentProcess())
    except OSError:
        _winapi.CloseHandle(job)  # It is in a job that lets no other hold it.
    else:
        _own_job = job


def _make_job() -> int:
    """A job whose processes end with the last handle of it, which is not inherited."""
    job: int = _CreateJobObject(None, None)
    limits = _JobLimits(flags=JOB_KILL_ON_CLOSE)
    _SetJobLimits(job, JOB_EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits))
    return job


class PathWatch:
    def __init__(self, paths: Sequence[str], on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._lock = _thread.allocate_lock()
        self._closed = False
        self._error: OSError | None = OSError("there is no path to watch")
        wanted: dict[str, list[str]] = {}
        for path in map(os.path.abspath, paths):
            wanted.setdefault(os.path.dirname(path), []).append(path)
        self._close_event: int = _CreateEvent(None, True, False, None)
        begun = _thread.allocate_lock()
        begun.acquire()
        _thread.start_new_thread(self._watch, (wanted, begun.release))
        begun.acquire()
        if self._error is not None:
            raise self._error

    def _watch(self, wanted: dict[str, list[str]], begun: Callable[[], None]) -> None:
        # All in this thread: what a thread has begun ends with it.
        folders = []
        for path, inside in wanted.items():
            try:
                folders.append(_WatchedFolder(path, inside))
            except OSError as e:
                self._error = e
        if folders:
            self._error = None
        begun()
        while folders:
            events = [self._close_event, *(folder.event for folder in folders)]
            place = _winapi.WaitForMultipleObjects(events, False, _winapi.INFINITE)
            if place == 0:
                break
            folder = folders[place - 1]
            if folder.concerns_us():
                if not folder.has_any():
                    # It is not gone, and those around it stay, while somebody watches it.
                    folder.close()
                    folders.remove(folder)
                self._on_change()
        for folder in folders:
            folder.close()
        with self._lock:
            self._closed = True
            _winapi.CloseHandle(self._close_event)

    def close(self) -> None:
        with self._lock:
            if not self._closed:
                _SetEvent(self._close_event)


class _Overlapped(ctypes.Structure):
    """OVERLAPPED"""

    _fields_ = [("internal", ctypes.c_size_t * 2), ("offset", ctypes.c_uint64), ("event", VOID)]


class _WatchedFolder:
    """A folder, in which paths may come and go.

    The names of what has changed come with it: to look at a path for every change beside it
    would keep others from replacing it at that moment.

    Raises:
        OSError: it cannot be watched.
    """

    def __init__(self, path: str, inside: list[str]) -> None:
        self._inside = inside
        self._names = {os.path.basename(name).lower() for name in inside}
        self._buffer = ctypes.create_string_buffer(16384)
        self._count = DWORD()
        try:
            self._handle = _winapi.CreateFile(
                path,
                FILE_LIST_DIRECTORY,
                SHARE_ALL,
                0,
                OPEN_EXISTING,
                FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OVERLAPPED,
                0,
            )
        except OSError as e:
            raise OSError(e.errno, e.strerror, path, e.winerror) from None
        #: Set when something has changed.
        self.event: int = _CreateEvent(None, False, False, None)
        self._overlapped = _Overlapped(event=self.event)
        self._under_way = False
        try:
            self._begin()
        except OSError as e:
            self.close()
            raise OSError(e.errno, e.strerror, path, e.winerror) from None

    def _begin(self) -> None:
        _ReadChanges(
            *(self._handle, self._buffer, len(self._buffer), False, NAMES_CHANGE, None),
            *(ctypes.byref(self._overlapped), None),
        )
        self._under_way = True

    def concerns_us(self) -> bool:
        """Whether what has changed may concern a path of ours. Further changes are watched for."""
        self._under_way = False
        try:
            self._result()
            names = self._changed()
            self._begin()
        except OSError:
            return True  # It is going away, or too much has changed.
        return not names or not self._names.isdisjoint(names) or "~" in "".join(names)

    def _result(self) -> None:
        _OverlappedResult(
            self._handle, ctypes.byref(self._overlapped), ctypes.byref(self._count), True
        )

    def _changed(self) -> list[str]:
        """The names of what has changed; none where there are too many. Some may be short names."""
        data = self._buffer.raw[: self._count.value]
        names, place = [], 0
        while place + 12 <= len(data):
            # FILE_NOTIFY_INFORMATION: the offset of the next, what happened, how long the name is.
            following, _, length = (
                int.from_bytes(data[place + n : place + n + 4], "little") for n in (0, 4, 8)
            )
            name = data[place + 12 : place + 12 + length]
            names.append(name.decode("utf-16-le", "replace").lower())
            if not following:
                break
            place += following
        return names

    def has_any(self) -> bool:
        """Whether it can still be watched, and one of the paths is there."""
        return self._under_way and any(map(os.path.lexists, self._inside))

    def close(self) -> None:
        if self._under_way:
            _CancelIo(self._handle, ctypes.byref(self._overlapped))
            try:
                self._result()  # The buffer is the system's until then.
            except OSError:
                pass
        _winapi.CloseHandle(self._handle)
        _winapi.CloseHandle(self.event)


class ProcessTree:
    def __init__(self, process: subprocess.Popen[bytes], mark: str = "") -> None:
        # `process` holds its process id: it is not given away while this object lives. The mark
        # serves systems without jobs.
        self._process = process
        self._lock = _thread.allocate_lock()
        self._job: int | None = None
        handle = _winapi.OpenProcess(
            PROCESS_SET_QUOTA | PROCESS_TERMINATE | PROCESS_SUSPEND_RESUME, False, process.pid
        )
        try:
            self._job = _make_job()
            try:
                _AssignProcessToJob(self._job, handle)
            except OSError:
                pass  # It has ended, or its job lets no other hold it: kill() finds it as well.
        finally:
            _resume_process(handle)
            _winapi.CloseHandle(handle)

    def notify(self) -> None:
        try:
            # Not os.kill, which goes on to end the process when the console refuses.
            _GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, self._process.pid)
        except OSError:
            pass

    def kill(self) -> None:
        strays = _descendants(self._process.pid)
        with self._lock:
            if self._job is not None:
                _TerminateJob(self._job, 1)
        # Those that the job does not hold, where there are such.
        self._process.kill()
        _kill_all(strays)

    def is_gone(self) -> bool:
        counts = _JobCounts()
        size = ctypes.sizeof(counts)
        with self._lock:
            if self._job is None:
                return True
            _QueryJob(self._job, JOB_BASIC_ACCOUNTING, ctypes.byref(counts), size, None)
        return int(counts.active) == 0

    def close(self) -> None:
        with self._lock:
            if self._job is not None:
                _winapi.CloseHandle(self._job)
                self._job = None


class ProcessHandle:
    def __init__(self, pid: int) -> None:
        self._closed = False
        self._handle = _open_process(pid, 0)

    def wait(self, timeout: float | None) -> bool:
        limit = _winapi.INFINITE
        if timeout is not None:
            limit = min(int(max(timeout, 0) * 1000 + 0.999), _winapi.INFINITE - 1)
        return _winapi.WaitForSingleObject(self._handle, limit) == _winapi.WAIT_OBJECT_0

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            _winapi.CloseHandle(self._handle)
