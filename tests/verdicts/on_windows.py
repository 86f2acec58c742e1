"""What is different in the table on Windows, which ends processes in its own way."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .table import Row

#: Rows about what is not there -> what that is.
NOT_THERE = {
    "command-exit-139": "a POSIX shell's exit codes for signals",
    "command-exit-137": "a POSIX shell's exit codes for signals",
    "command-oom": "Windows has no OOM killer",
    "call-oom": "Windows has no OOM killer",
    "command-pipe": "Windows has no SIGPIPE",
    "call-c-reader": "about the streams of a POSIX C library",
    "call-error-next-task": "Windows has no signal for applications (SIGUSR1)",
    "restart-exit-0": "Windows has no signal for applications (SIGUSR1)",
    "restart-other-client": "Windows has no signal for applications (SIGUSR1)",
}

_PYTHON = ("{python}", "-c")
_WAIT = "import threading; threading.Event().wait()"
_CRASH = "exit code 0xc0000005 (it crashed)"
_NO_PROGRAM = "WinError 193"

#: Fields of rows that are others there.
_OTHERS: dict[str, dict[str, Any]] = {
    "command-exit-255": {"words": ("Fake ended with exit code -1 (0xffffffff)",)},
    "command-segv": {"words": (_CRASH,)},
    "command-abort": {"words": ("exit code 3",)},
    "command-term": {"words": ("exit code 1",)},
    "command-not-executable": {"words": (_NO_PROGRAM, "program'")},
    "command-no-program": {"words": (_NO_PROGRAM, "program'")},
    "command-null-argument": {"words": ("embedded null character",)},
    "call-segv": {"words": (_CRASH, "do()")},
    "call-abort": {"words": ("exit code 3",)},
    "call-dies-after-output": {"words": (_CRASH,)},
    "call-dies-with-child": {"words": ("exit code 1",)},
    "hang-c": {"app": "ctypes.PyDLL('kernel32').Sleep(-1)"},
    "hang-stopped": {"app": "ctypes.WinDLL('ntdll').NtSuspendProcess(ctypes.c_void_p(-1))"},
    # It takes longer to start.
    "limit-run-message-lines": {"limits": {"run": 10}},
    "limit-silence-lines": {
        "app": "\nfor _ in range(6): say('.'); breathe(1)",
        "task_limits": {"silence": 5},
    },
    "limit-no-progress-grows": {
        "app": "\nfor n in range(6): say(f'Progress: {n + 1}%'); breathe(1)",
        "limits": {"no_progress": 5},
    },
    "start-not-executable": {"words": (_NO_PROGRAM, "application'")},
    "start-exits-0": {"command": (*_PYTHON, "print('bye')")},
    "start-exits-1": {"command": (*_PYTHON, "raise SystemExit(1)")},
    "start-crashes": {"words": (_CRASH, "while starting")},
    "start-licence": {"command": (*_PYTHON, f"print('No valid license', flush=True); {_WAIT}")},
    "start-never-connects": {"command": (*_PYTHON, _WAIT)},
    "start-prompt": {"command": (*_PYTHON, "import sys\nwhile not sys.stdin.read(1): pass")},
    "stop-crashes": {"shows": (f"WARNING: Fake ended with {_CRASH}",)},
}
# Of the application, in its Python; CTRL_BREAK is what it is asked to end with.
_THERE = ("app", "before", "load", "close", "after")
_HERE = ("start", "tasks", "stop", "between")
# The stacks of an application that hangs are not to be had.
_STACKS = ('File "<application>"', "in hang")


def variant(row: Row) -> Row:
    """The row as it is on this system."""
    if sys.platform != "win32":
        return row
    fields = {name: _at_the_application(getattr(row, name)) for name in _THERE}
    fields.update({name: _here(getattr(row, name)) for name in _HERE})
    for name in ("words", "shows"):
        fields[name] = tuple(
            text.replace("signal 9", f"exit code {_KILLED}")
            for text in getattr(row, name)
            if text not in _STACKS
        )
    return row._replace(**{**fields, **_OTHERS.get(row.id, {})})


_KILLED = 15  # what os.kill with SIGTERM, which is TerminateProcess there, ends a process with


def _at_the_application(code: Any) -> Any:
    if not isinstance(code, str):
        return [_at_the_application(one) for one in code]
    return code.replace("signal.SIGTERM", "signal.SIGBREAK")


def _here(code: Any) -> Any:
    if not isinstance(code, str):
        return [_here(one) for one in code]
    return code.replace("signal.SIGKILL", "signal.SIGTERM")


def marks(row: Row) -> list[pytest.MarkDecorator]:
    """What keeps the row from being played on this system."""
    if sys.platform == "win32" and row.id in NOT_THERE:
        return [pytest.mark.skip(reason=NOT_THERE[row.id])]
    return []
