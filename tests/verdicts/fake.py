"""The fake application: does what its first argument says, as code, with the names below."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from typing import Any

#: The folder for outputs.
out = os.environ["FAKE_OUT"]


def say(text: str) -> None:
    """A line on stdout, at once."""
    print(text, flush=True)


def complain(text: str) -> None:
    """A line on stderr."""
    print(text, file=sys.stderr, flush=True)


def write(name: str, text: str = "x") -> None:
    """An output."""
    path = os.path.join(out, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def hang() -> None:
    """For ever."""
    # On Windows the handler of a signal runs when the wait is over.
    while not threading.Event().wait(0.1 if sys.platform == "win32" else None):
        pass


def ready() -> None:
    """Says that the moment for a cancel has come, and waits for its end."""
    say("READY")
    hang()


def breathe(seconds: float) -> None:
    """Lets time pass."""
    threading.Event().wait(seconds)


def deaf() -> None:
    """Does not listen to SIGTERM (on Windows, to SIGBREAK) any more."""
    number = signal.SIGBREAK if sys.platform == "win32" else signal.SIGTERM
    signal.signal(number, signal.SIG_IGN)


def die(name: str) -> None:
    """Ends by a signal; on Windows, with the exit code that stands for it there."""
    if sys.platform == "win32":
        code = {"SIGSEGV": 0xC0000005, "SIGABRT": 3}.get(name, 1)
        this_process = ctypes.c_void_p(-1)
        ctypes.WinDLL("kernel32").TerminateProcess(this_process, ctypes.c_uint(code))
    number = getattr(signal, name)
    if name != "SIGKILL":
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    hang()


def child(code: str, **options: Any) -> subprocess.Popen[bytes]:
    """A process of its own that executes `code` with these names; the outputs are its as well."""
    return subprocess.Popen([sys.executable, __file__, code], **options)


def print_in_c(text: str) -> None:
    """As an application in C prints: its library holds the text back while stdout is a pipe."""
    if sys.platform == "win32":
        library = ctypes.CDLL("ucrtbase")
        library.__acrt_iob_func.restype = ctypes.c_void_p
        library.fputs(text.encode(), ctypes.c_void_p(library.__acrt_iob_func(1)))
    else:
        ctypes.CDLL(None).printf(b"%s", text.encode())


if __name__ == "__main__":
    exec(compile(sys.argv[1], "<application>", "exec"))
