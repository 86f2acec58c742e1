"""The scratch folder of one run, and processes in it: run, timed, none left behind."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .environments import Runtime, clean_environ
from .model import BenchmarkError, UnavailableError

HERE = Path(__file__).resolve().parent
PROBES = HERE / "probes"
# A measured process that takes longer than this hangs.
LIMIT_S = 120.0
if sys.platform == "win32":
    _KILL = signal.SIGTERM
else:
    _KILL = signal.SIGKILL
_RUN = "OPENJD_BENCHMARK_RUN"
_SESSION = "OPENJD_BENCHMARK_SESSION"


@dataclass(frozen=True)
class Completed:
    """A process that ended with status 0."""

    seconds: float
    output: str


class Workspace:
    """Folders and processes of one run of the benchmarks."""

    def __init__(self, folder: Path, floor_python: Path, quick: bool) -> None:
        self.folder = folder
        self.quick = quick
        self.floor_python = str(floor_python)
        self._mark = uuid.uuid4().hex
        self._numbers = itertools.count(1)
        self._notes: list[str] = []

    def note(self, text: str) -> None:
        """Keep a line that the reader of the figures must know."""
        if text not in self._notes:
            self._notes.append(text)

    def take_notes(self) -> list[str]:
        """The notes since the last call."""
        taken, self._notes = self._notes, []
        return taken

    def scaled(self, count: int) -> int:
        """The number of samples in one round: `count`, or a fifth of it with ``--quick``."""
        return max(1, count // 5) if self.quick else count

    def new_path(self, stem: str) -> Path:
        """A path in the scratch folder that nobody has used yet."""
        return self.folder / f"{stem}-{next(self._numbers)}"

    def environ(
        self, runtime: Runtime | None, extra: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """Variables for a process of this run.

        Home and temporary folder are the runtime's own: 0.9 writes into the first at each start,
        leaves files in the second, and neither is for the person's own to hold. The adaptors are
        copied for the same reason: 0.9 writes into their package folder too.
        """
        place = self.folder / (runtime.name if runtime else "floor")
        environ = clean_environ()
        for name, folder in (
            ("HOME", "home"),
            ("USERPROFILE", "home"),
            ("TMPDIR", "tmp"),
            ("TEMP", "tmp"),
            ("TMP", "tmp"),
        ):
            (place / folder).mkdir(parents=True, exist_ok=True)
            environ[name] = str(place / folder)
        if runtime is not None:
            packages = place / "packages"
            for package in HERE.glob("adaptor_*"):
                if not (packages / package.name).exists():
                    ignored = shutil.ignore_patterns("__pycache__")
                    shutil.copytree(package, packages / package.name, ignore=ignored)
            environ["PYTHONPATH"] = str(packages)
        environ[_RUN] = self._mark
        environ.update(extra or {})
        return environ

    def run(self, args: Sequence[str], environ: Mapping[str, str]) -> Completed:
        """Run a command as an engine does, its output in a pipe that is read until its end."""
        started = time.perf_counter()
        process = subprocess.Popen(
            args,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environ,
        )
        assert process.stdout is not None
        with self.watched(process):
            output = process.stdout.read()
            # No time-out here: with one, subprocess polls, and the poll would be in the figure.
            returncode = process.wait()
            seconds = time.perf_counter() - started
            process.stdout.close()
        text = output.decode("utf-8", "backslashreplace")
        if returncode != 0:
            raise BenchmarkError(describe_failure(args, returncode, text))
        return Completed(seconds, text)

    def run_probe(
        self, runtime: Runtime | None, script: str, config: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Run a script of ``probes/`` with a runtime; what it measured is the answer."""
        result = self.new_path("result")
        python = str(runtime.python) if runtime else self.floor_python
        args = [python, str(PROBES / script), json.dumps(config), str(result)]
        completed = self.run(args, self.environ(runtime))
        try:
            measured: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise BenchmarkError(describe_failure(args, 0, completed.output)) from None
        return measured

    @contextmanager
    def watched(self, process: subprocess.Popen[bytes], limit_s: float = LIMIT_S) -> Iterator[None]:
        """End `process` and what it started should the block take too long or fail."""

        def give_up() -> None:
            process.kill()
            # What it started may hold the pipe that the block waits for.
            self.kill_left_overs()

        watchdog = threading.Timer(limit_s, give_up)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            watchdog.cancel()

    def kill_left_overs(self) -> None:
        """Kill each process of this run that still lives, known by its mark."""
        _kill_marked(_RUN, self._mark)


@contextmanager
def open_workspace(floor_python: Path, quick: bool) -> Iterator[Workspace]:
    """A scratch folder for the time of the block."""
    # In the system's own folder rather than in the cache: socket paths are short by law.
    folder = Path(tempfile.mkdtemp(prefix="ojb-"))
    workspace = Workspace(folder, floor_python, quick)
    try:
        yield workspace
    finally:
        workspace.kill_left_overs()
        shutil.rmtree(folder, ignore_errors=True)


class DaemonSession:
    """The commands of one session, as an engine would run them."""

    def __init__(self, workspace: Workspace, runtime: Runtime, adaptor: str) -> None:
        """`adaptor` is a package of ``adaptor_*``, or a script in ``probes/`` that starts one."""
        self._workspace = workspace
        self._mark = uuid.uuid4().hex
        self._environ = workspace.environ(runtime, {_SESSION: self._mark})
        self._adaptor = adaptor
        starter = [str(PROBES / adaptor)] if adaptor.endswith(".py") else ["-m", adaptor]
        self._starter = [str(runtime.python), *starter]
        self._connection_file = workspace.new_path("connection").with_suffix(".json")

    def command(self, *words: str) -> list[str]:
        """The command line of ``daemon WORDS``."""
        return [
            *(*self._starter, "daemon", words[0]),
            *("--connection-file", str(self._connection_file), *words[1:]),
        ]

    def environ(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The variables that its commands run with."""
        return {**self._environ, **(extra or {})}

    def start(self) -> float:
        """Seconds of ``daemon start``."""
        command = self.command("start", "--init-data", "{}")
        return self._workspace.run(command, self._environ).seconds

    def run(self, run_data: Mapping[str, Any], extra: Mapping[str, str] | None = None) -> float:
        """Seconds of ``daemon run``."""
        command = self.command("run", "--run-data", json.dumps(run_data))
        return self._workspace.run(command, self.environ(extra)).seconds

    def stop(self) -> tuple[float, float]:
        """Seconds of ``daemon stop``, and seconds until the daemon is gone."""
        started = time.perf_counter()
        seconds = self._workspace.run(self.command("stop"), self._environ).seconds
        # 0.9 answers before it is gone. It must not cost the next measurement its CPU.
        while self._lives():
            if time.perf_counter() - started > LIMIT_S:
                raise BenchmarkError(f"the daemon of {self._adaptor} does not end")
            time.sleep(0.005)
        return seconds, time.perf_counter() - started

    def daemon_pid(self) -> int:
        """The daemon's process; to be asked while no command of the session is under way."""
        if not _PROC.is_dir():
            raise UnavailableError("only Linux tells which process is the daemon's")
        pids = list(_marked(_SESSION, self._mark))
        if len(pids) != 1:
            raise BenchmarkError(f"{len(pids)} processes of {self._adaptor} live instead of one")
        return pids[0]

    def abandon(self) -> None:
        """End the session after a failure, by force where that is to be had."""
        if _PROC.is_dir():
            _kill_marked(_SESSION, self._mark)
        else:
            with suppress(BenchmarkError):
                self.stop()

    def _lives(self) -> bool:
        if _PROC.is_dir():
            return any(_marked(_SESSION, self._mark))
        return self._connection_file.exists()


@contextmanager
def open_session(workspace: Workspace, runtime: Runtime, adaptor: str) -> Iterator[DaemonSession]:
    """A started session, stopped at the end of the block."""
    session = DaemonSession(workspace, runtime, adaptor)
    session.start()
    try:
        yield session
    except BaseException:
        session.abandon()
        raise
    session.stop()


def describe_failure(args: Sequence[str], returncode: int, output: str) -> str:
    """One line about a command that failed: the last that it said is the best guess at why."""
    lines = [line for line in output.splitlines() if line.strip()]
    tellers = [line for line in lines if re.search(r"error|fail|exception", line, re.IGNORECASE)]
    last = (tellers or lines or ["it printed nothing"])[-1].strip()
    words = " ".join(Path(word).name if os.path.isabs(word) else word for word in args)
    return f"`{words[:120]}` ended with status {returncode}: {last[:300]}"


def peak_memory_mib(pid: int) -> float:
    """The most memory that a process has had resident so far, in MiB."""
    return _memory_mib(pid, "VmHWM")


def memory_mib(pid: int) -> float:
    """The memory that a process has resident, in MiB."""
    return _memory_mib(pid, "VmRSS")


def _memory_mib(pid: int, field: str) -> float:
    try:
        status = (_PROC / str(pid) / "status").read_text(encoding="ascii", errors="replace")
    except OSError:
        raise BenchmarkError(f"the daemon (process {pid}) is gone") from None
    found = re.search(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)
    if found is None:
        raise UnavailableError(f"this system tells no {field} of a process")
    return int(found.group(1)) / 1024


_PROC = Path("/proc")


def _kill_marked(name: str, value: str) -> None:
    for pid in _marked(name, value):
        # One that ended by itself in the meantime is fine.
        with suppress(OSError):
            os.kill(pid, _KILL)


def _marked(name: str, value: str) -> Iterator[int]:
    """Processes whose environment has `name=value`; none where the system does not tell."""
    wanted = f"{name}={value}".encode()
    for path in _PROC.glob("[0-9]*/environ"):
        try:
            if wanted in path.read_bytes().split(b"\0"):
                yield int(path.parent.name)
        except OSError:
            pass  # Gone by now, or another user's.
