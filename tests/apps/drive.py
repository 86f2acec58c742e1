"""Drives adaptors as a scheduler does: real commands, their output, their signals, their end."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import psutil
from apps import signals
from apps.gates import LIMIT

import openjd.adaptor_runtime_client
from openjd.adaptor_runtime._platform import ProcessHandle

APPS = Path(__file__).parent
VARIABLE = "OPENJD_ADAPTOR_SOCKET"
_MARK = "ADAPTOR_TESTS_MARK"
# What children must find to import the package that is under test.
_IMPORT_FROM = str(Path(openjd.adaptor_runtime_client.__file__).parents[2])


class Ended(NamedTuple):
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of its stdout."""
        return self.out.splitlines()

    @property
    def text(self) -> str:
        """All that a log of it shows."""
        return self.out + self.err

    def fails(self) -> str:
        """The text of the one line that says why it failed; the test fails if there are more."""
        shown = self.text[-4000:]
        assert self.status != 0, shown
        assert "Traceback" not in self.text, shown
        fails = [line for line in self.lines if line.startswith("openjd_fail: ")]
        assert len(fails) == 1, shown
        assert self.err == "", self.err
        return fails[0][len("openjd_fail: ") :]

    def only_fails(self) -> str:
        """The same, for a command that has nothing else to say (but that it has begun)."""
        says = self.fails()
        begun = ("INFO: Starting the adaptor's daemon", f"openjd_env: {VARIABLE}=")
        assert len([line for line in self.lines if not line.startswith(begun)]) == 1, self.text
        return says

    def refused(self) -> str:
        """The text of the one line on stderr of a command outside of a session."""
        assert self.status != 0, self
        assert self.out == "", self.out
        (line,) = self.err.splitlines()
        assert line.startswith("ERROR: "), self.err
        return line[len("ERROR: ") :]


class Command:
    """A command under way. What it prints is read at once, unless the test holds it back."""

    def __init__(
        self,
        arguments: list[str],
        env: dict[str, str],
        folder: Path,
        *,
        held_back: bool = False,
        **options: Any,
    ) -> None:
        options = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            **options,
        }
        self.process = subprocess.Popen(
            arguments, env=env, cwd=folder, **signals.receiver_options(), **options
        )
        self.pid = self.process.pid
        self._seen: list[str] = []
        self._errors: list[str] = []
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._readers: list[threading.Thread] = []
        if not held_back:
            self.read()

    def read(self) -> None:
        """Begins to read what the command prints."""
        for stream, take in (
            (self.process.stdout, self._lines.put),
            (self.process.stderr, self._errors.append),
        ):
            if stream is None:
                continue
            reader = threading.Thread(target=self._read, args=(stream, take), daemon=True)
            reader.start()
            self._readers.append(reader)

    def _read(self, stream: IO[bytes], take: Any) -> None:
        for line in stream:
            take(line.decode("utf-8", "backslashreplace").replace("\r\n", "\n"))
        stream.close()
        if take == self._lines.put:
            self._lines.put(None)

    def until(self, text: str) -> str:
        """Blocks until the command prints a line with that text, and returns the line."""
        while True:
            try:
                line = self._lines.get(timeout=LIMIT)
            except queue.Empty:
                raise AssertionError(f"{text!r} does not come; so far: {self._seen}") from None
            assert line is not None, f"it ended without {text!r}: {self._seen} {self._errors}"
            self._seen.append(line)
            if text in line:
                return line

    def cancel(self, name: str = signals.CANCEL_SIGNALS[-1]) -> None:
        """Sends a signal that cancels."""
        signals.send(self.process, name)

    def kill(self) -> None:
        """Kills it and waits until it is gone."""
        self.process.kill()
        self.process.wait(LIMIT)

    def end(self) -> Ended:
        """Blocks until it has ended."""
        if not self._readers:
            self.read()
        try:
            self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.kill()
            said = "".join(self._seen + self._rest() + self._errors)
            raise AssertionError(
                f"it does not end: {self.process.args}; it said:\n{said}"
            ) from None
        for reader in self._readers:
            reader.join(LIMIT)
            assert not reader.is_alive(), f"somebody keeps its output open: {self._seen}"
        self._seen += self._rest()
        return Ended(self.process.returncode, "".join(self._seen), "".join(self._errors))

    def _rest(self) -> list[str]:
        lines = []
        while not self._lines.empty():
            line = self._lines.get()
            if line is not None:
                lines.append(line)
        return lines

    def abandon(self) -> None:
        """Ends it in a hurry, if it has not ended."""
        if self.process.poll() is None:
            self.kill()
        for reader in self._readers:
            reader.join(LIMIT)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


class Host:
    """A host that commands run on: a working folder, an environment, and what it has started."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        search = [str(APPS), _IMPORT_FROM, *filter(None, [os.environ.get("PYTHONPATH")])]
        self.env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(search),
            _MARK: uuid.uuid4().hex,
            **variables,
        }
        self.env.pop(VARIABLE, None)
        self._commands: list[Command] = []

    @property
    def temporary(self) -> Path:
        """Its temporary folder."""
        return Path(self.env["TMPDIR"])

    def begin(
        self, *arguments: str, variables: dict[str, str] | None = None, **options: Any
    ) -> Command:
        """Starts ``python ARGUMENTS``."""
        command = Command(
            [sys.executable, *arguments], {**self.env, **(variables or {})}, self.folder, **options
        )
        self._commands.append(command)
        return command

    def run(self, *arguments: str, variables: dict[str, str] | None = None) -> Ended:
        """Runs ``python ARGUMENTS`` to its end."""
        return self.begin(*arguments, variables=variables).end()

    def run_all(
        self, *commands: tuple[str, ...], variables: dict[str, str] | None = None
    ) -> list[Ended]:
        """Runs several at the same time."""
        begun = [self.begin(*command, variables=variables) for command in commands]
        return [command.end() for command in begun]

    def processes(self) -> list[psutil.Process]:
        """What lives, of all that was started here and by what was started here."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(_MARK) != self.env[_MARK]:
                    continue
                if process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return found

    def files(self) -> list[str]:
        """What is in the temporary folder."""
        return sorted(str(p.relative_to(self.temporary)) for p in self.temporary.rglob("*"))

    def leave(self) -> None:
        """Ends everything, and fails if there was something to end."""
        for command in self._commands:
            command.abandon()
        # Who was killed a moment ago may take another to be gone.
        _, alive = psutil.wait_procs(self.processes(), timeout=5)
        commands = [describe(p) for p in alive if p.is_running()]
        for process in alive:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                pass  # It has ended with one that was killed before it.
        assert not commands, f"the test left processes alive: {commands}"
        assert self.files() == [], self.files()


class Session:
    """The life of one daemon, by a connection file or by the environment variable.

    Args:
        command: what starts the adaptor's entry point, for instance ``["-m", "obedient"]``.
        by_variable: whether the daemon is found by OPENJD_ADAPTOR_SOCKET.
    """

    def __init__(
        self,
        host: Host,
        command: tuple[str, ...] = ("-m", "obedient"),
        *,
        by_variable: bool = False,
        **variables: str,
    ) -> None:
        self.host = host
        self.command = command
        self.file = host.folder / "session.json"
        self.variables = variables
        self.by_variable = by_variable

    def begin(self, step: str, *arguments: str, **options: Any) -> Command:
        """Starts ``daemon STEP``."""
        where = [] if self.by_variable else ["--connection-file", str(self.file)]
        return self.host.begin(
            *self.command, "daemon", step, *where, *arguments, variables=self.variables, **options
        )

    def begin_start(self, **code: str) -> Command:
        """Starts ``daemon start``; `code` is for init, start, stop, cleanup, cancel."""
        return self.begin("start", "--init-data", json.dumps(code))

    def begin_run(self, code: str = "", **options: Any) -> Command:
        """Starts ``daemon run`` of a task that executes `code`."""
        return self.begin("run", "--run-data", json.dumps({"do": code}), **options)

    def start(self, **code: str) -> Ended:
        """Runs ``daemon start``, which must go well."""
        ended = self.begin_start(**code).end()
        assert (ended.status, ended.err) == (0, ""), ended
        if self.by_variable:
            (line,) = (line for line in ended.lines if line.startswith(f"openjd_env: {VARIABLE}="))
            self.variables[VARIABLE] = line.partition("=")[2]
        return ended

    def run(self, code: str = "") -> Ended:
        """Runs ``daemon run``."""
        return self.begin_run(code).end()

    def stop(self) -> Ended:
        """Runs ``daemon stop``."""
        return self.begin("stop").end()

    def status(self) -> dict[str, Any]:
        """What ``daemon status`` says."""
        ended = self.begin("status").end()
        assert ended.status == 0, ended
        answer: dict[str, Any] = json.loads(ended.out)
        return answer

    def daemon(self) -> psutil.Process:
        """The daemon's process."""
        if self.by_variable:
            return psutil.Process(self.status()["pid"])
        return psutil.Process(json.loads(self.file.read_text())["pid"])


def describe(process: psutil.Process) -> str:
    """Its number, its command line, its threads and the CPU time that it has had, in words."""
    try:
        used = process.cpu_times()
        return (
            f"{process.pid}: {process.cmdline()}, {process.num_threads()} threads, "
            f"{used.user:.1f} s user, {used.system:.1f} s system"
        )
    except (psutil.Error, OSError) as e:
        return f"{process.pid}: {e}"


def is_gone(process: psutil.Process) -> bool:
    """Whether the process has ended at this moment."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def await_end(process: psutil.Process) -> None:
    """Blocks until the process has ended, whether or not its parent has taken note of it."""
    try:
        handle = ProcessHandle(process.pid)
    except ProcessLookupError:
        return
    assert handle.wait(LIMIT), f"{process} does not end"
    handle.close()


@contextmanager
def hosting(folder: Path, **variables: str) -> Iterator[Host]:
    """A host; at the end nothing that was started on it may be left."""
    host = Host(folder, **variables)
    try:
        yield host
    except BaseException:
        try:
            host.leave()
        except AssertionError:
            pass  # The first failure says more.
        raise
    host.leave()
