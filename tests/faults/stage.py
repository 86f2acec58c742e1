"""Where a plan is played: real commands in a place of their own, and what is seen of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from apps import signals

import openjd.adaptor_runtime_client
from openjd.adaptor_runtime._platform import ProcessHandle

from .plan import BEFORE, CANCELING, GATE, LINE, RUN, START, STOP, Plan, Step

VARIABLE = "OPENJD_ADAPTOR_SOCKET"
MARK = "FAULTS_MARK"
#: Seconds. A command that takes longer hangs.
LIMIT = 45.0
#: Seconds in which what ends by itself has ended.
END_LIMIT = 10.0
_TESTS = str(Path(__file__).resolve().parents[1])
_IMPORT_FROM = str(Path(openjd.adaptor_runtime_client.__file__).parents[2])
# A socket's path has some hundred bytes.
_BASE = "/tmp" if os.name == "posix" else tempfile.gettempdir()
_BUSY = "is busy with another request"


class Hang(Exception):
    """Something does not end."""


class Said(NamedTuple):
    """A command that has ended, or was given up."""

    name: str
    tag: str
    #: None where it hung.
    status: int | None
    out: str
    err: str
    seconds: float
    #: Whether the driver has killed it, or has closed its stdout.
    killed: bool = False
    unheard: bool = False


class Record(NamedTuple):
    """All that is to be judged."""

    plan: Plan
    #: In the order in which they were run; what comes after the plan's own stop is in `more`.
    commands: tuple[Said, ...]
    #: Whether the fault was injected, into a command (its index) that is in `commands`.
    injected: bool
    #: Tag -> the numbers of the lines that were printed, and whether the end was reached.
    journals: dict[str, tuple[tuple[int, ...], bool]]
    #: What lived although the daemon was gone, before the stop.
    outlived: tuple[str, ...] = ()
    #: Whether a daemon that had to end by itself has done so.
    ended: bool = True
    #: What is left after the stop: processes, sockets, files.
    left_processes: tuple[str, ...] = ()
    left_sockets: tuple[str, ...] = ()
    left_files: tuple[str, ...] = ()
    #: The next session's commands; None where none was asked for.
    next: tuple[Said, ...] | None = None
    hung: str = ""
    seconds: float = 0.0
    #: Why it could not be played here.
    skipped: str = ""


class Command:
    """A command under way; its output is read in threads, unless it is held back."""

    def __init__(
        self,
        step: Step,
        arguments: list[str],
        env: dict[str, str],
        folder: Path,
        changed: threading.Condition,
        held_back: bool = False,
    ) -> None:
        self.step = step
        self.began = time.monotonic()
        self.killed = self.unheard = False
        self.out = bytearray()
        self.err = bytearray()
        self.ended = False
        self._changed = changed
        self.process = subprocess.Popen(
            arguments,
            env=env,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            **signals.receiver_options(),
        )
        self._readers: list[threading.Thread] = []
        if held_back:
            threading.Thread(target=self._wait, daemon=True).start()
        else:
            self.read()

    def _wait(self) -> None:
        self.process.wait()
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def read(self) -> None:
        """Begins to read."""
        if self._readers or self.unheard:
            return
        for stream, taken in ((self.process.stdout, self.out), (self.process.stderr, self.err)):
            assert stream is not None
            reader = threading.Thread(target=self._read, args=(stream, taken), daemon=True)
            self._readers.append(reader)
        for reader in self._readers:
            reader.start()

    def _read(self, stream: Any, taken: bytearray) -> None:
        while True:
            chunk = os.read(stream.fileno(), 65536)
            with self._changed:
                if not chunk:
                    self.ended = True
                taken += chunk
                self._changed.notify_all()
            if not chunk:
                return

    def shows(self, text: str) -> bool:
        """Whether it has shown that, or has nothing more to show."""
        return self.ended or text.encode() in self.out

    def send(self, signum: int) -> bool:
        """Sends a signal; says whether it was there to get it."""
        if self.process.poll() is not None:
            return False
        self.process.send_signal(signum)
        return True

    def cancel(self) -> bool:
        """Sends a signal that cancels."""
        if self.process.poll() is not None:
            return False
        signals.send(self.process)
        return True

    def close_output(self) -> None:
        """Nobody reads it any more."""
        assert self.process.stdout is not None
        self.unheard = True
        self.process.stdout.close()

    def end(self, name: str) -> Said:
        """Blocks until it has ended.

        Raises:
            Hang: it does not.
        """
        self.read()
        status: int | None
        try:
            status = self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            status = None
            self.process.kill()
            self.process.wait()
        for reader in self._readers:
            reader.join(5)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            if not any(reader.is_alive() for reader in self._readers):
                stream.close()
        return Said(
            name,
            self.step.tag,
            status,
            self.out.decode("utf-8", "backslashreplace").replace("\r\n", "\n"),
            self.err.decode("utf-8", "backslashreplace"),
            time.monotonic() - self.began,
            self.killed,
            self.unheard,
        )


class Gate:
    """Where applications knock; see ``apps.gates``. It never blocks by itself."""

    def __init__(self, changed: threading.Condition) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.visitors: list[socket.socket] = []
        self._changed = changed
        self._closed = False
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with self._changed:
                if self._closed:
                    connection.close()
                    return
                self.visitors.append(connection)
                self._changed.notify_all()

    def let_go(self) -> None:
        """Lets all go that wait."""
        with self._changed:
            visitors = list(self.visitors)
        for visitor in visitors:
            try:
                visitor.sendall(b"go\n")
            except OSError:
                pass

    def close(self) -> None:
        """Closes it for good."""
        with self._changed:
            self._closed = True
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        self._listener.close()
        for visitor in self.visitors:
            visitor.close()


class Held(NamedTuple):
    """A process that is watched for its end."""

    role: str
    pid: int
    handle: ProcessHandle


_Left = tuple[list[str], list[str], list[str]]


def _all_of(one: _Left, other: _Left) -> _Left:
    a, b, c = ([*x, *(item for item in y if item not in x)] for x, y in zip(one, other))
    return a, b, c


class Stage:
    """A place with a session in it.

    Args:
        plan: what happens.
        fault: what is injected.
        keep: leaves the folder as it is.
        following: runs another session in the same place afterwards.
    """

    def __init__(self, plan: Plan, fault: Any, keep: bool = False, following: bool = True) -> None:
        self.following = following
        self.plan = plan
        self.fault = fault
        self.keep = keep
        self.place = Path(tempfile.mkdtemp(prefix="f-", dir=_BASE))
        #: What belongs to the session; the witness is outside.
        self.inside = self.place / "in"
        self.witness = self.place / "w"
        self.inside.mkdir()
        self.witness.mkdir()
        self.mark = uuid.uuid4().hex
        self.changed = threading.Condition()
        self.gate = Gate(self.changed)
        self.command: Command | None = None
        self.struck = self.injected = False
        self.held: dict[int, Held] = {}
        #: Put before a command, such as what takes rights away.
        self.wrapper: list[str] = []
        self.said: list[Said] = []
        self.address = ""
        #: For a command in place of the session's own address.
        self.detour = ""
        # What faults keep here for later.
        self.opened: list[Any] = []
        self.read_only: Path | None = None
        self.limited = 0
        # Whether the next task may find the daemon busy with the one that was struck.
        self._may_be_busy = False
        #: What is told of the fault, for people.
        self.notes: list[str] = []
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("OPENJD_", "XDG_"))},
            "PYTHONPATH": os.pathsep.join([_IMPORT_FROM, _TESTS]),
            "HOME": str(self.home),
            "USERPROFILE": str(self.home),
            "TMPDIR": str(self.temporary),
            "TEMP": str(self.temporary),
            "TMP": str(self.temporary),
            MARK: self.mark,
        }

    # The place.

    @property
    def home(self) -> Path:
        return self.inside / "home"

    @property
    def temporary(self) -> Path:
        return self.inside / "tmp"

    @property
    def work(self) -> Path:
        """The session's working directory, with the connection file in it."""
        return self.inside / "work"

    @property
    def file(self) -> Path:
        return self.work / "session.json"

    def furnish(self) -> None:
        """Makes the folders of the session."""
        for folder in (self.home, self.temporary, self.work):
            folder.mkdir(mode=0o700)

    # Processes.

    def processes(self) -> list[psutil.Process]:
        """What lives of all that was started here."""
        return [process for process in map(self._ours, psutil.pids()) if process is not None]

    def _ours(self, pid: int) -> psutil.Process | None:
        try:
            if sys.platform == "linux":  # under Wine that folder is there as well
                # Much less work than what psutil does for it. Of a zombie there is none to read.
                with open(f"/proc/{pid}/environ", "rb") as file:
                    ours = f"{MARK}={self.mark}".encode() in file.read().split(b"\0")
                return psutil.Process(pid) if ours else None
            process = psutil.Process(pid)
            if process.environ().get(MARK) != self.mark:
                return None
            return None if process.status() == psutil.STATUS_ZOMBIE else process
        except (psutil.Error, OSError):
            return None

    def _role(self, process: psutil.Process) -> str:
        try:
            words = process.cmdline()
        except psutil.Error:
            return ""
        if "_serve" in words:
            return "guardian" if any(word.endswith("guardian.py") for word in words) else "daemon"
        return ""

    def look(self) -> None:
        """Takes hold of the session's processes that live now."""
        for process in self.processes():
            role = self._role(process)
            if role:
                self._hold(role, process.pid)
        try:
            lines = (self.witness / "pids").read_text().split("\n")
        except OSError:
            return
        for line in lines:
            role, _, pid = line.partition(" ")
            if pid and self._ours(int(pid)):
                self._hold(role, int(pid))

    def _hold(self, role: str, pid: int) -> None:
        if pid not in self.held:
            try:
                self.held[pid] = Held(role, pid, ProcessHandle(pid))
            except OSError:
                pass

    def find(self, role: str) -> int | None:
        """The process id of the last one of that role that lives; None if there is none."""
        if role == "frontend":
            command = self.command
            return command.process.pid if command and command.process.poll() is None else None
        self.look()
        for held in reversed(list(self.held.values())):
            if held.role == role and not held.handle.wait(0) and self._ours(held.pid):
                return held.pid
        return None

    def await_ends(self, roles: tuple[str, ...], seconds: float = END_LIMIT) -> list[str]:
        """Waits for the end of those; what lives on."""
        end = time.monotonic() + seconds
        return [
            f"{held.role} {held.pid}"
            for held in self.held.values()
            if held.role in roles and not held.handle.wait(max(end - time.monotonic(), 0))
        ]

    # Commands.

    def begin(self, name: str, step: Step, arguments: list[str], held_back: bool) -> Command:
        """Starts one."""
        env = dict(self.env)
        where = ["--connection-file", str(self.file)]
        if self.detour:
            where = []
            env[VARIABLE] = self.detour
        elif self.plan.by_variable:
            where = []
            if self.address:
                env[VARIABLE] = self.address
        words = [sys.executable, "-m", f"faults.by_{self.plan.kind}", "daemon", name, *where]
        folder = self.work if self.work.is_dir() else self.place
        return Command(step, self.wrapper + words + arguments, env, folder, self.changed, held_back)

    def _arguments(self, index: int) -> list[str]:
        plan = self.plan
        name = plan.name(index)
        if name == START:
            init = {
                "witness": str(self.witness),
                "family": plan.family,
                "holds": plan.holds,
                "deaf": plan.deaf,
                "start": plan.steps[0].spec(self.gate.port),
                "stop": plan.steps[-1].spec(self.gate.port),
            }
            return ["--init-data", json.dumps(init)]
        if name == RUN:
            return ["--run-data", json.dumps(plan.steps[index].spec(self.gate.port))]
        return []

    def perform(self, index: int) -> Said:
        """Runs a command of the plan, with the fault if it is its turn."""
        plan, name = self.plan, self.plan.name(index)
        moment = plan.moment
        struck = index == moment.command
        if struck and moment.kind == BEFORE:
            self.inject()
        held_back = struck and plan.held_back
        self.command = self.begin(name, plan.steps[index], self._arguments(index), held_back)
        if struck:
            if moment.kind != BEFORE:
                self._strike(self.command)
            self._let_go(self.command)
        said = self.command.end(f"{name} {index}" if name == RUN else name)
        if self._may_be_busy and name == RUN:
            said = self._insist(index, said)
        self.command = None
        self.said.append(said)
        if name == START:
            found = re.search(rf"^openjd_env: {VARIABLE}=(.*)$", said.out, re.M)
            self.address = found[1] if found else ""
        if struck and self.injected:
            self.fault.heal(self)
        if said.status is None:
            raise Hang(f"{said.name} does not end")
        return said

    def _insist(self, index: int, said: Said) -> Said:
        """A task whose frontend is gone ends in its own time; until then the daemon is busy."""
        for attempt in range(8):
            if _BUSY not in said.out:
                break
            self.pause(0.02 * 2**attempt)
            command = self.begin(RUN, self.plan.steps[index], self._arguments(index), False)
            said = command.end(f"{RUN} {index}")
        self._may_be_busy = False
        return said

    def _strike(self, command: Command) -> None:
        """Waits for the moment, and injects the fault."""
        moment, step = self.plan.moment, command.step
        if moment.kind == LINE:
            self.wait_for(lambda: command.shows(f"L {step.tag} {moment.line} "))
        elif moment.kind in (GATE, CANCELING):
            self.wait_for(lambda: bool(self.gate.visitors) or command.ended)
        if moment.kind == CANCELING:
            command.cancel()
            self.wait_for(lambda: command.shows("Canceling:"))
        if moment.delay and moment.kind != GATE:
            self.pause(moment.delay)
        self.inject()
        if moment.kind == CANCELING and self.plan.deaf == "application":
            self.pause(self.plan.hold)
            command.killed = True  # on its way out it is not there to take a signal
            command.cancel()

    def _let_go(self, command: Command) -> None:
        plan = self.plan
        if len(command.step.stops) > 1:
            self.gate.let_go()
            # The second stop is behind the last line.
            self.wait_for(lambda: len(self.gate.visitors) > 1 or command.ended)
            command.read()
        if plan.release:
            self.gate.let_go()

    def inject(self) -> None:
        """Does it, if there is somebody to do it to."""
        self.look()
        self.injected = bool(self.fault.inject(self))

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Blocks until it holds.

        Raises:
            Hang: that does not come.
        """
        with self.changed:
            if not self.changed.wait_for(condition, LIMIT):
                raise Hang("a moment does not come")

    def pause(self, seconds: float) -> None:
        """Lets time pass: here it is what the fault is made of."""
        threading.Event().wait(seconds)

    # The session.

    def play(self) -> Record:
        """Runs the session and looks at what is left."""
        began = time.monotonic()
        plan = self.plan
        hung = ""
        outlived: list[str] = []
        ended = True
        left: _Left = ([], [], [])
        following: list[Said] = []
        self.fault.prepare(self)
        try:
            for index in range(len(plan.steps)):
                said = self.perform(index)
                gone = self._is_over(index, said)
                if index == plan.moment.command and self.injected:
                    expected = self.fault.expect(plan)
                    if expected.daemon == "ends" or gone:
                        alive = self.await_ends(("daemon", "guardian"))
                        ended = not alive
                        outlived = alive or self.await_ends(("application", "child", "grandchild"))
                    elif plan.name(index) == RUN and said.status != 0:
                        self._may_be_busy = True
                if said.status != 0 and plan.name(index) == START and index + 1 < len(plan.steps):
                    # One task is enough to see that there is no daemon; then the stop.
                    for later in (1, len(plan.steps) - 1):
                        self.perform(later)
                    break
            if self.said[-1].status != 0 or self.said[-1].killed or self.read_only:
                # Who could not stop it, or not remove its files, may do so now.
                last = len(plan.steps) - 1
                self.said.append(self.begin(STOP, plan.steps[last], [], False).end("stop again"))
            left = self._left()
            if self.following:
                following = self._next_session()
                left = _all_of(left, self._left())
        except Hang as e:
            hung = f"{e}; alive: {self._alive()}"
        processes, sockets, files = left
        return Record(
            plan,
            tuple(self.said),
            self.injected,
            self._journals(),
            tuple(outlived),
            ended,
            tuple(processes),
            tuple(sockets),
            tuple(files),
            next=tuple(following) if self.following else None,
            hung=hung,
            seconds=time.monotonic() - began,
        )

    def _is_over(self, index: int, said: Said) -> bool:
        # One that dies on its way out has done its work.
        done = said.status == 0 or (said.killed and (said.status or 0) < 0)
        return self.plan.name(index) == START and not done

    def _alive(self) -> str:
        words = []
        for process in self.processes():
            try:
                words.append(f"{process.pid} {' '.join(process.cmdline())[:200]}")
            except psutil.Error:
                continue
        return "; ".join(words)

    def _left(self) -> _Left:
        """Processes, sockets and files that are there although the session is over."""
        processes = []
        end = time.monotonic() + END_LIMIT
        for process in self.processes():
            try:
                handle = ProcessHandle(process.pid)
                held = self.held.get(process.pid)
                words = held.role if held else " ".join(process.cmdline())
            except (OSError, psutil.Error):
                continue
            if not handle.wait(max(end - time.monotonic(), 0)):
                processes.append(f"{process.pid} {words[:120]}")
            handle.close()
        return processes, self._sockets(), self._files()

    def _sockets(self) -> list[str]:
        try:
            with open("/proc/net/unix", errors="replace") as file:
                return sorted({line.split()[-1] for line in file if str(self.inside) in line})
        except OSError:
            return []

    def _files(self) -> list[str]:
        ours = {"home", "tmp", "work"}
        return sorted(
            str(path.relative_to(self.inside))
            for path in self.inside.rglob("*")
            if str(path.relative_to(self.inside)) not in ours
        )

    def _next_session(self) -> list[Said]:
        """Another session in the same place."""
        for folder in (self.home, self.temporary, self.work):
            folder.mkdir(mode=0o700, exist_ok=True)
        following = []
        steps = [Step(f"next-{name}", 3, 10, 1) for name in (START, RUN, STOP)]
        self.address = ""
        init = {
            "witness": str(self.witness),
            "family": False,
            "holds": False,
            "deaf": "",
            "start": steps[0].spec(0),
            "stop": steps[2].spec(0),
        }
        for name, step, arguments in (
            (START, steps[0], ["--init-data", json.dumps(init)]),
            (RUN, steps[1], ["--run-data", json.dumps(steps[1].spec(0))]),
            (STOP, steps[2], []),
        ):
            said = self.begin(name, step, arguments, False).end(name)
            following.append(said)
            if name == START:
                found = re.search(rf"^openjd_env: {VARIABLE}=(.*)$", said.out, re.M)
                self.address = found[1] if found else ""
        return following

    def _journals(self) -> dict[str, tuple[tuple[int, ...], bool]]:
        journals = {}
        for path in sorted(self.witness.glob("journal-*")):
            numbers: list[int] = []
            reached = False
            for line in path.read_text().split("\n"):
                words = line.split()
                if words == ["end"]:
                    reached = True
                elif words:
                    numbers.extend(range(int(words[0]), int(words[1]) + 1))
            journals[path.name[len("journal-") :]] = (tuple(numbers), reached)
        return journals

    def close(self) -> None:
        """Leaves nothing behind."""
        try:
            self.gate.close()
            if self.command is not None:
                self.command.process.kill()
                self.command.process.wait()
        finally:
            for _ in range(3):
                alive = self.processes()
                for process in alive:
                    try:
                        process.kill()
                    except psutil.Error:
                        pass
                psutil.wait_procs(alive, timeout=5)
            for held in self.held.values():
                held.handle.close()
            self.fault.clean_up(self)
            if not self.keep:
                shutil.rmtree(self.place, ignore_errors=True)

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
