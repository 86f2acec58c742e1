"""Reads back who may do what with a file or a pipe."""

from __future__ import annotations

import ctypes
import sys

assert sys.platform == "win32"

from openjd.adaptor_runtime_client import _win32  # noqa: E402

from . import wine  # noqa: E402

_FILE_OBJECT = 1
_OWNER_AND_DACL = 0x1 | 0x4

_to_text = _win32.bind(
    _win32.advapi32,
    "ConvertSecurityDescriptorToStringSecurityDescriptorW",
    *(_win32.VOID, _win32.DWORD, _win32.DWORD, _win32.VOID_OUT, _win32.VOID),
)
_by_handle = _win32.advapi32.GetSecurityInfo
_by_handle.argtypes = (_win32.VOID, _win32.INT, _win32.DWORD, *[_win32.VOID] * 4, _win32.VOID_OUT)
_by_name = _win32.advapi32.GetNamedSecurityInfoW
_by_name.argtypes = (ctypes.c_wchar_p, *_by_handle.argtypes[1:])


def of(thing: int | str) -> str:
    """Owner and access list (SDDL) of an open handle, or of the file of that name."""
    ask = _by_handle if isinstance(thing, int) else _by_name
    descriptor, text = _win32.VOID(), _win32.VOID()
    error = ask(
        thing, _FILE_OBJECT, _OWNER_AND_DACL, None, None, None, None, ctypes.byref(descriptor)
    )
    if error:
        raise ctypes.WinError(error)
    try:
        _to_text(descriptor, 1, _OWNER_AND_DACL, ctypes.byref(text), None)
        return ctypes.wstring_at(text.value or 0)
    finally:
        _win32.local_free(text)
        _win32.local_free(descriptor)


def owner_only(flags: str = "", file: bool = True) -> str:
    """What ``of`` says where this user owns a thing and no other may do anything with it."""
    sid = _win32.user_sid()
    if file and wine.is_here():
        # It keeps the rights of a Unix file instead, and shows them with the system's added.
        return f"O:{sid}D:(A;{flags};FA;;;SY)(A;{flags};FA;;;{sid})"
    return f"O:{sid}D:P(A;{flags};FA;;;{sid})"
