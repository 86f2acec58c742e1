"""Users, private objects and console events on Windows; standard library only.

The transport needs them inside the application, ``adaptor_runtime._platform`` outside of it.
"""

from __future__ import annotations

import _winapi
import ctypes
import functools
import sys

TYPE_CHECKING = False  # typing itself is not loaded inside the application
if TYPE_CHECKING:
    from typing import Any, Callable, Optional

assert sys.platform == "win32"

PROCESS_QUERY_LIMITED_INFORMATION = 0x1000
TOKEN_QUERY = 0x0008
TOKEN_USER = 1
CTRL_BREAK_EVENT = 1

VOID, DWORD, INT = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int
VOID_OUT, DWORD_OUT = ctypes.POINTER(VOID), ctypes.POINTER(DWORD)


def _raise_if_zero(result: Any, function: Any, args: Any) -> Any:
    if not result:
        raise ctypes.WinError(ctypes.get_last_error())
    return result


def bind(library: ctypes.WinDLL, name: str, *types: Any, result: Any = INT) -> Any:
    """A function of the system whose result 0 is an error, which becomes an OSError."""
    function = getattr(library, name)
    function.argtypes, function.restype = types, result
    function.errcheck = _raise_if_zero
    return function


# Own instances: what is declared here must not meet the application's own use of ctypes.
kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
_OpenProcessToken = bind(advapi32, "OpenProcessToken", VOID, DWORD, VOID_OUT)
_GetTokenInformation = bind(advapi32, "GetTokenInformation", VOID, INT, VOID, DWORD, DWORD_OUT)
_SidToString = bind(advapi32, "ConvertSidToStringSidW", VOID, VOID_OUT)
_STRING_TO_DESCRIPTOR = "ConvertStringSecurityDescriptorToSecurityDescriptorW"
_StringToDescriptor = bind(advapi32, _STRING_TO_DESCRIPTOR, ctypes.c_wchar_p, DWORD, VOID_OUT, VOID)
_CreateEvent = bind(kernel32, "CreateEventW", VOID, INT, INT, VOID, result=VOID)
_SetEvent = bind(kernel32, "SetEvent", VOID)
_ConsoleRoutine = ctypes.WINFUNCTYPE(INT, DWORD)
_SetConsoleCtrlHandler = bind(kernel32, "SetConsoleCtrlHandler", _ConsoleRoutine, INT)
local_free = kernel32.LocalFree
local_free.argtypes, local_free.restype = (VOID,), VOID


def sid_text(sid: Optional[int]) -> str:
    """The security identifier at the address `sid` in its usual form, ``S-1-5-...``."""
    text = VOID()
    _SidToString(sid, ctypes.byref(text))
    try:
        return ctypes.wstring_at(text.value or 0)
    finally:
        local_free(text)


def token_sid(process: int, kind: int = TOKEN_USER) -> str:
    """Who the process behind the handle `process` runs as (or another SID of its token).

    Raises:
        OSError: the system does not let us know.
    """
    token = VOID()
    _OpenProcessToken(process, TOKEN_QUERY, ctypes.byref(token))
    try:
        # The address of the SID comes first, the SID itself (68 bytes at most) further down.
        data = (VOID * 32)()
        _GetTokenInformation(token, kind, data, ctypes.sizeof(data), ctypes.byref(DWORD()))
        return sid_text(data[0])
    finally:
        _winapi.CloseHandle(token.value or 0)


@functools.lru_cache(maxsize=None)
def user_sid() -> str:
    """Who this process runs as."""
    return token_sid(_winapi.GetCurrentProcess())


def require_own_process(pid: int) -> None:
    """Returns if the process `pid` runs as the user of this one.

    Raises:
        OSError: it does not, it is gone, or the system does not let us know.
    """
    process = _winapi.OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, False, pid)
    try:
        if token_sid(process) != user_sid():
            raise PermissionError("process {} runs as another user".format(pid))
    finally:
        _winapi.CloseHandle(process)


class SecurityAttributes(ctypes.Structure):
    _fields_ = [("length", DWORD), ("descriptor", VOID), ("inherit", INT)]


@functools.lru_cache(maxsize=None)
def owner_only(flags: str = "") -> SecurityAttributes:
    """Lets in this user and nobody else; `flags` are those of the access entry (``OICI``)."""
    descriptor = VOID()
    text = "O:{0}D:P(A;{1};FA;;;{0})".format(user_sid(), flags)
    _StringToDescriptor(text, 1, ctypes.byref(descriptor), None)
    return SecurityAttributes(ctypes.sizeof(SecurityAttributes), descriptor, False)


def on_console_event(handler: Callable[[int], bool]) -> None:
    """Calls `handler` with each console event (CTRL_C_EVENT ...), in a thread of its own.

    The newest handler is asked first; the others are not asked once one has returned True.
    """
    import atexit

    routine = _ConsoleRoutine(handler)
    _SetConsoleCtrlHandler(routine, True)
    # Keeps `routine` alive, and out of an interpreter that is gone.
    atexit.register(_SetConsoleCtrlHandler, routine, False)


@functools.lru_cache(maxsize=None)
def break_event() -> int:
    """An event to add to what the main thread waits for, so that SIGBREAK ends the wait.

    Python runs handlers in the main thread, between two instructions, and ends a wait for no
    signal but SIGINT. An application that waits for its next action must notice both.
    """
    import signal

    event: int = _CreateEvent(None, False, False, None)
    raise_signal = ctypes.CDLL("ucrtbase")["raise"]

    def handler(kind: int) -> bool:
        if kind != CTRL_BREAK_EVENT or not callable(signal.getsignal(signal.SIGBREAK)):
            return False
        # In this order: the wait must end when the handler is due, not before.
        raise_signal(signal.SIGBREAK)
        _SetEvent(event)
        return True

    on_console_event(handler)
    return event
