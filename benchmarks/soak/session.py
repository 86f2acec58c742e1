"""A session of the soak's adaptor, by the commands that an engine runs."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from ..environments import CHECKOUT
from ..model import BenchmarkError
from ..workspace import Workspace
from .reading import Reading, folder_size, read
from .tasks import faults, kind_of

HERE = Path(__file__).resolve().parent
DAEMON, GUARDIAN, APPLICATION = "daemon", "guardian", "application"
ROLES = (DAEMON, GUARDIAN, APPLICATION)
_MARK = "SOAK_SESSION"
_WAITING = b"openjd_status: waiting"
# What a task left to be ended behind its answer (threads, connections) may take for it.
_SETTLE_S = 2.0
_SETTLE_STEP_S = 0.05


@dataclass(frozen=True)
class Sample:
    """What is held after a number of tasks, with nothing under way."""

    number: int
    readings: Mapping[str, Reading]
    # The daemon's private folder, and all of the temporary folder: files, bytes.
    folder: tuple[int, int]
    temporary: tuple[int, int]


@dataclass(frozen=True)
class Task:
    """A task that was run: seconds of its command, and what was wrong with its end."""

    number: int
    seconds: float
    faults: tuple[str, ...]


def copy_sources(workspace: Workspace) -> str:
    """A copy of the runtime's sources for the time of a run, whatever happens to the checkout.

    Returns:
        a value for PYTHONPATH.
    """
    target = workspace.new_path("sources")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(CHECKOUT / "src", target, ignore=ignored)
    shutil.copytree(HERE / "soak_adaptor", target / "soak_adaptor", ignore=ignored)
    return str(target)


class Session:
    """One daemon, from its start to its end.

    Args:
        workspace: its folders, and the end of what is left over.
        sources: of ``copy_sources``.
        extra: environment variables for all commands.
    """

    def __init__(
        self, workspace: Workspace, sources: str, extra: Mapping[str, str] | None = None
    ) -> None:
        self._workspace = workspace
        self._mark = uuid.uuid4().hex
        variables = {"PYTHONPATH": sources, _MARK: self._mark, **(extra or {})}
        self._environ = workspace.environ(None, variables)
        self._file = workspace.new_path("connection").with_suffix(".json")
        self._tasks = 0
        self._pids: dict[str, int] = {}
        self._folder = ""

    def start(self, extra: Mapping[str, str] | None = None) -> None:
        """``daemon start``, with `extra` variables, which the daemon and its children inherit."""
        began = time.time()
        command = self._command("start", "--init-data", "{}")
        self._workspace.run(command, {**self._environ, **(extra or {})})
        info = json.loads(self._file.read_text(encoding="utf-8"))
        self._folder = info["folder"]
        self._pids = {DAEMON: info["pid"]}
        parent = psutil.Process(info["pid"]).parent()
        # Where there is none, the daemon's parent is one that collects orphans.
        if parent is not None and parent.pid > 1 and parent.create_time() >= began - 1:
            self._pids[GUARDIAN] = parent.pid

    def run(self) -> Task:
        """The next task."""
        self._tasks += 1
        number = self._tasks
        kind = kind_of(number)
        data = json.dumps({"kind": kind.name, "number": number})
        began = time.perf_counter()
        process = subprocess.Popen(
            self._command("run", "--run-data", data),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._environ,
        )
        assert process.stdout is not None
        output = b""
        with self._workspace.watched(process):
            while chunk := process.stdout.readline():
                output += chunk
                if kind.signalled and chunk.startswith(_WAITING):
                    process.send_signal(signal.SIGTERM)
            status = process.wait()
            seconds = time.perf_counter() - began
            process.stdout.close()
        return Task(number, seconds, tuple(faults(number, status, output.decode())))

    def floor(self) -> float:
        """Seconds of a bare interpreter: how fast this machine is at the moment."""
        command = [sys.executable, "-I", "-S", "-c", ""]
        return self._workspace.run(command, self._environ).seconds

    def status(self) -> tuple[float, Mapping[str, Any]]:
        """Seconds of ``daemon status``, and its answer."""
        done = self._workspace.run(self._command("status"), self._environ)
        answer: dict[str, Any] = json.loads(done.output)
        return done.seconds, answer

    def pids(self) -> Mapping[str, int]:
        """The processes, by their roles; to be asked while no task is under way."""
        pids = dict(self._pids)
        applications = [
            child.pid
            for child in psutil.Process(pids[DAEMON]).children()
            if any(word.endswith("bootstrap.py") for word in child.cmdline())
        ]
        if len(applications) != 1:
            raise BenchmarkError(f"{len(applications)} applications live instead of one")
        pids[APPLICATION] = applications[0]
        return pids

    def sample(self) -> Sample:
        """What is held now. What the last task left to be ended is waited for."""
        end = time.monotonic() + _SETTLE_S
        pids = self.pids()
        readings = {role: read(pid) for role, pid in pids.items()}
        while time.monotonic() < end:
            time.sleep(_SETTLE_STEP_S)
            before, readings = readings, {role: read(pid) for role, pid in pids.items()}
            if all(before[role].counts == readings[role].counts for role in pids):
                break
        temporary = folder_size(self._environ["TMPDIR"])
        return Sample(self._tasks, readings, folder_size(self._folder), temporary)

    def await_end(self, limit_s: float) -> float:
        """Seconds until daemon and guardian are gone by themselves.

        Raises:
            BenchmarkError: they live on.
        """
        began = time.monotonic()
        waited = [psutil.Process(pid) for role, pid in self._pids.items() if psutil.pid_exists(pid)]
        _, alive = psutil.wait_procs(waited, timeout=limit_s)
        if alive:
            raise BenchmarkError(f"the daemon lives on after {limit_s:.0f} seconds")
        return time.monotonic() - began

    def stop(self) -> None:
        """``daemon stop``."""
        self._workspace.run(self._command("stop"), self._environ)

    def left(self) -> list[str]:
        """What there still is of a session that has ended."""
        left = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(_MARK) == self._mark:
                    left.append(f"process {process.pid}")
            except (psutil.Error, OSError):
                continue
        left += [path.name for path in Path(self._environ["TMPDIR"]).iterdir()]
        return left + ([self._file.name] if self._file.exists() else [])

    def _command(self, *words: str) -> list[str]:
        return [
            *(sys.executable, "-m", "soak_adaptor", "daemon", words[0]),
            *("--connection-file", str(self._file), *words[1:]),
        ]
