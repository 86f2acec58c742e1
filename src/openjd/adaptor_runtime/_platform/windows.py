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
    from collections.abc import Callable
    from typing import Any

assert sys.platform == "win32"

bind, kernel32, advapi32 = _win32.bind, _win32.kernel32, _win32.advapi32
VOID, VOID_OUT, DWORD, INT = _win32.VOID, _win32.VOID_OUT, _win32.DWORD, _win32.INT
TEXT = ctypes.c_wchar_p
MAX_PATH = 260

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
SE_FILE_OBJECT = 1
OWNER_SECURITY_INFORMATION = 0x1
PROTECTED_DACL = 0x80000000 | 0x4  # the access list, with nothing inherited
TOKEN_OWNER = 4  # whom this process's new files belong to

_CreateDirectory = bind(kernel32, "CreateDirectoryW", TEXT, VOID)
_GetTempPath = bind(kernel32, "GetTempPathW", DWORD, TEXT, result=DWORD)
_GenerateConsoleCtrlEvent = bind(kernel32, "GenerateConsoleCtrlEvent", DWORD, DWORD)
_CreateJobObject = bind(kernel32, "CreateJobObjectW", VOID, TEXT, result=VOID)
_SetJobLimits = bind(kernel32, "SetInformationJobObject", VOID, INT, VOID, DWORD)
_QueryJob = bind(kernel32, "QueryInformationJobObject", VOID, INT, VOID, DWORD, _win32.DWORD_OUT)
_AssignProcessToJob = bind(kernel32, "AssignProcessToJobObject", VOID, VOID)
_TerminateJob = bind(kernel32, "TerminateJobObject", VOID, DWORD)
_SetSecurity = bind(advapi32, "SetKernelObjectSecurity", VOID, DWORD, VOID)
_resume_process = ctypes.WinDLL("ntdll").NtResumeProcess
_resume_process.argtypes = (VOID,)
# Returns an error's number, and 0 for none.
_GetNamedSecurityInfo = advapi32.GetNamedSecurityInfoW
_GetNamedSecurityInfo.argtypes = (TEXT, INT, DWORD, VOID_OUT, VOID, VOID, VOID, VOID_OUT)


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


def make_private_folder(parent: str | None = None) -> str:
    if parent is not None:
        path = os.path.join(parent, "a-" + os.urandom(2).hex())
        _CreateDirectory(path, ctypes.byref(_win32.owner_only("OICI")))
        return path
    base = _temporary_folder()
    path = os.path.join(base, "openjd-" + os.urandom(8).hex())
    try:
        _CreateDirectory(path, ctypes.byref(_win32.owner_only("OICI")))
    except OSError as e:
        raise OSError(
            f"the temporary folder {base} cannot be used ({e.strerror}); "
            "set TMPDIR or TEMP to a folder you can write",
        ) from e
    return path


def folder_behind(address: str) -> str:
    # The pipe is named after the folder that its listener was given.
    name = address.rpartition("\\")[2].rpartition("-")[0]
    return os.path.join(_temporary_folder(), name)


def folder_of(address: str) -> str:
    # The pipe has the folder's name before its own.
    name = address.rpartition("\\")[2].rpartition("-")[0]
    return os.path.join(os.path.abspath(os.environ.get("TMPDIR") or _temporary_folder()), name)


def _temporary_folder() -> str:
    chosen = os.environ.get("TMPDIR")
    if not chosen:
        buffer = ctypes.create_unicode_buffer(MAX_PATH + 2)
        _GetTempPath(len(buffer), buffer)
        chosen = buffer.value
    return os.path.abspath(chosen)


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


def belongs_to_us(path: str) -> bool:
    owner, descriptor = VOID(), VOID()
    error = _GetNamedSecurityInfo(
        os.fspath(path),
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


def takes_bytes_now(fd: int) -> bool:
    # The system does not tell that of a pipe.
    return False


class ProcessTree:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        # `process` holds its process id: it is not given away while this object lives.
        self._process = process
        self._lock = _thread.allocate_lock()
        self._job: int | None = None
        handle = _winapi.OpenProcess(
            PROCESS_SET_QUOTA | PROCESS_TERMINATE | PROCESS_SUSPEND_RESUME, False, process.pid
        )
        try:
            self._job = _CreateJobObject(None, None)
            limits = _JobLimits(flags=JOB_KILL_ON_CLOSE)
            size = ctypes.sizeof(limits)
            _SetJobLimits(self._job, JOB_EXTENDED_LIMITS, ctypes.byref(limits), size)
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
        import psutil

        strays = []
        try:
            process = psutil.Process(self._process.pid)
            strays = [process, *process.children(recursive=True)]
        except psutil.Error:
            pass
        with self._lock:
            if self._job is not None:
                _TerminateJob(self._job, 1)
        # Those that the job does not hold, where there are such.
        for stray in strays:
            try:
                stray.kill()
            except psutil.Error:
                pass

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
        try:
            self._handle = _winapi.OpenProcess(SYNCHRONIZE, False, pid)
        except PermissionError:
            raise
        except OSError as e:
            raise ProcessLookupError(errno.ESRCH, f"there is no process {pid}") from e
        if self.wait(0):
            # It has ended; somebody else still holds it.
            self.close()
            raise ProcessLookupError(errno.ESRCH, f"there is no process {pid}")

    def wait(self, timeout: float | None) -> bool:
        limit = _winapi.INFINITE
        if timeout is not None:
            limit = min(int(max(timeout, 0) * 1000 + 0.999), _winapi.INFINITE - 1)
        return _winapi.WaitForSingleObject(self._handle, limit) == _winapi.WAIT_OBJECT_0

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            _winapi.CloseHandle(self._handle)
