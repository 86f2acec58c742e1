"""A clock for other processes, as fast as it is told to be: the other side of ``clock.c``."""

from __future__ import annotations

import mmap
import platform
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from ..model import BenchmarkError, UnavailableError
from ..workspace import Workspace

_SOURCE = Path(__file__).resolve().parent / "clock.c"
# version, real, fast, factor; see there.
_PACE = struct.Struct("=Qqqq")
# Each kind of wait that the runtime has or could have: its seconds by the clock of the process.
_CHECK = """
import queue, select, socket, threading, time
def receive():
    ours, theirs = socket.socketpair()
    ours.settimeout(LONG)
    try:
        ours.recv(1)
    except TimeoutError:
        pass
def lock():
    held = threading.Lock()
    held.acquire()
    held.acquire(timeout=LONG)
def get():
    try:
        queue.SimpleQueue().get(timeout=LONG)
    except queue.Empty:
        pass
waits = {
    "sleep": lambda: time.sleep(LONG),
    "event": lambda: threading.Event().wait(LONG),
    "lock": lock,
    "queue": get,
    "select": lambda: select.select([], [], [], LONG),
    "poll": lambda: select.poll().poll(LONG * 1000),
    "epoll": lambda: select.epoll().poll(LONG),
    "socket": receive,
}
for name, wait in waits.items():
    began = time.monotonic(), time.time()
    wait()
    print(name, time.monotonic() - began[0], time.time() - began[1])
"""
_WAITS = 8


class Clock:
    """A clock that runs as fast as the real one at first.

    Args:
        workspace: where it is compiled.

    Raises:
        UnavailableError: this machine has no C compiler, or another system or word size.
    """

    def __init__(self, workspace: Workspace) -> None:
        compiler = shutil.which("cc")
        if platform.system() != "Linux" or platform.architecture()[0] != "64bit":
            raise UnavailableError("a faster clock is for 64 bit Linux")
        if compiler is None:
            raise UnavailableError("a faster clock needs a C compiler (cc)")
        self._library = workspace.new_path("clock").with_suffix(".so")
        self._file = workspace.new_path("pace")
        command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(self._library), str(_SOURCE)]
        done = subprocess.run([*command, "-ldl", "-lpthread"], capture_output=True, text=True)
        if done.returncode:
            words = (done.stderr.splitlines() or ["it says nothing"])[0]
            raise UnavailableError(f"the C compiler cannot make the faster clock: {words}")
        self._file.write_bytes(bytes(_PACE.size))
        with open(self._file, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), _PACE.size)
        self._factor = 1
        self._real = self._fast = time.monotonic_ns()
        self._version = 0
        self.run(1)

    @property
    def variables(self) -> Mapping[str, str]:
        """Environment variables that give a process this clock."""
        return {"LD_PRELOAD": str(self._library), "SOAK_CLOCK": str(self._file)}

    def now(self) -> float:
        """Seconds that it shows; without a meaning but in differences."""
        return self._now_ns(time.monotonic_ns()) / 1e9

    def run(self, factor: int) -> None:
        """Has it run `factor` times as fast as the real one from now on."""
        real = time.monotonic_ns()
        self._fast, self._real, self._factor = self._now_ns(real), real, factor
        # Odd while it is written: readers wait for the next.
        struct.pack_into("=Q", self._map, 0, self._version + 1)
        _PACE.pack_into(self._map, 0, self._version + 1, self._real, self._fast, factor)
        self._version += 2
        struct.pack_into("=Q", self._map, 0, self._version)

    def check(self, workspace: Workspace, factor: int) -> None:
        """Has a process wait for `factor` seconds in each way, a second each by the real clock.

        Raises:
            BenchmarkError: a wait does not follow the clock.
        """
        self.run(factor)
        code = _CHECK.replace("LONG", str(factor))
        began = time.monotonic()
        environ = workspace.environ(None, self.variables)
        done = workspace.run([sys.executable, "-I", "-c", code], environ)
        real = time.monotonic() - began
        self.run(1)
        lines = done.output.splitlines()
        for line in lines:
            name, *shown = line.split()
            if not all(factor <= float(seconds) < 2 * factor for seconds in shown):
                raise BenchmarkError(f"a wait ({name}) does not follow the faster clock: {line}")
        if len(lines) != _WAITS or real > 2 * _WAITS:
            raise BenchmarkError(f"{len(lines)} waits of {_WAITS} took {real:.1f} seconds")

    def _now_ns(self, real: int) -> int:
        return self._fast + (real - self._real) * self._factor
