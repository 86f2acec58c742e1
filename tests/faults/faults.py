"""The faults: what each does, where it makes sense, and what may come of it."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable
from typing import NamedTuple

from openjd.adaptor_runtime_client.wire import framing, transport
from openjd.adaptor_runtime_client.wire.errors import WireError

from .plan import (
    BEFORE,
    CANCELING,
    CLIENT,
    GATE,
    HAND,
    LAUNCHED,
    LINE,
    RUN,
    START,
    STOP,
    Plan,
    Shape,
)
from .stage import Stage

try:
    import resource
except ImportError:  # not on Windows
    pass

# How a command ends.
OK, FAILED, CANCELED = "ok", "failed", "canceled"
#: By the driver's own signal; with nobody to read what it says.
KILLED, UNHEARD = "killed", "unheard"

# What becomes of the daemon.
LIVES, ENDS, ANY = "lives", "ends", "any"

EVERYWHERE = ("linux", "darwin", "win32")
POSIX = ("linux", "darwin")
LINUX = ("linux",)

_UNDER_WAY = (LAUNCHED, LINE, GATE, CANCELING)
_ALWAYS = (BEFORE, *_UNDER_WAY)
_PIDFD_OPEN, _PIDFD_GETFD = 434, 438


class Expected(NamedTuple):
    """What may come of a fault that was injected."""

    #: How the struck command may end.
    at: frozenset[str]
    #: Whether the daemon lives on, or ends by itself before anybody asks it to.
    daemon: str = LIVES


def expected(plan: Plan, labels: Iterable[str], daemon: str = LIVES) -> Expected:
    """With what else may come of the moment: the command may just be done, or is cancelled."""
    at = set(labels)
    if plan.moment.kind == CANCELING:
        at.add(CANCELED)
        if plan.deaf == "application":
            # By the second signal, which comes when it may be on its way out.
            at.add(KILLED)
        if plan.where == START:
            daemon = ENDS
    elif not plan.sure:
        at.add(OK)
        if plan.where == START and daemon == ENDS:
            # It is the session's daemon where the start was done.
            daemon = ANY
    return Expected(frozenset(at), daemon)


class Fault:
    """One kind."""

    name = ""
    systems: tuple[str, ...] = EVERYWHERE
    shape = Shape(_ALWAYS)

    def missing(self) -> str:
        """Why it cannot be injected here; empty if it can."""
        return "" if sys.platform in self.systems else f"makes no sense on {sys.platform}"

    def prepare(self, stage: Stage) -> None:
        """Called before the session."""
        stage.furnish()

    def inject(self, stage: Stage) -> bool:
        """Does it; False if there was nobody to do it to."""
        raise NotImplementedError

    def heal(self, stage: Stage) -> None:
        """Called when the struck command has ended."""

    def clean_up(self, stage: Stage) -> None:
        """Called when all is over."""

    def expect(self, plan: Plan) -> Expected:
        """What may come of it."""
        return expected(plan, {OK})


class Signal(Fault):
    """A signal to one of the session's processes."""

    def __init__(self, verb: str, victim: str) -> None:
        self.verb = verb
        self.victim = victim
        self.name = f"{verb}-{victim}"
        if verb != "kill" or victim in ("guardian", "child"):
            self.systems = POSIX
        moments = _UNDER_WAY if victim == "frontend" else _ALWAYS
        ends = verb in ("kill", "term") and victim != "grandchild"
        self.shape = Shape(moments, ends=ends)

    def inject(self, stage: Stage) -> bool:
        pid = stage.find(self.victim)
        if pid is None:
            return False
        if self.victim == "frontend":
            return self._to_frontend(stage)
        if sys.platform == "win32":
            os.kill(pid, signal.SIGTERM)  # this is TerminateProcess there
            return True
        try:
            if self.verb == "kill":
                os.kill(pid, signal.SIGKILL)
                stage.held[pid].handle.wait(5)
            elif self.verb == "term":
                os.kill(pid, signal.SIGTERM)
            elif self.verb == "freeze":
                os.kill(pid, signal.SIGSTOP)
            else:
                self._pause(stage, pid)
        except ProcessLookupError:
            return False
        return True

    def _to_frontend(self, stage: Stage) -> bool:
        command = stage.command
        assert command is not None
        if self.verb == "kill":
            if command.process.poll() is not None:
                return False
            command.killed = True
            command.process.kill()
            command.process.wait()
            return True
        if self.verb == "term":
            # At its very beginning and end it is not there to take it.
            command.killed = stage.plan.moment.kind != GATE
            return command.cancel()
        if not command.send(signal.SIGSTOP):
            return False
        self._rest(stage)
        command.send(signal.SIGCONT)
        return True

    def _pause(self, stage: Stage, pid: int) -> None:
        os.kill(pid, signal.SIGSTOP)
        self._rest(stage)
        os.kill(pid, signal.SIGCONT)

    def _rest(self, stage: Stage) -> None:
        if stage.plan.dice[0] < 0.5:
            # The application goes on while the other stands still.
            stage.gate.let_go()
        stage.pause(stage.plan.hold)

    def expect(self, plan: Plan) -> Expected:
        if self.verb in ("pause", "freeze") or self.victim == "grandchild":
            return expected(plan, {OK})
        return getattr(self, f"_of_{self.victim}")(plan)  # type: ignore[no-any-return]

    def _of_frontend(self, plan: Plan) -> Expected:
        launched = plan.moment.kind == LAUNCHED
        if self.verb == "kill":
            at = {KILLED}
        else:
            at = {CANCELED, FAILED, OK} if plan.where == STOP else {CANCELED}
            if plan.moment.kind != GATE:
                # It may not have come as far as to listen, or be on its way out.
                at.add(KILLED)
        if plan.where == RUN:
            return expected(plan, at)
        return expected(plan, at, ANY if launched and plan.where == STOP else ENDS)

    def _of_daemon(self, plan: Plan) -> Expected:
        before = plan.moment.kind == BEFORE
        if plan.where == STOP:
            return expected(plan, {OK} if before else {FAILED, OK, CANCELED}, ENDS)
        if self.verb == "kill":
            return expected(plan, {FAILED}, ENDS)
        at = {CANCELED}
        if before or plan.moment.kind == LAUNCHED or plan.where == START:
            at.add(FAILED)
        return expected(plan, at, ENDS)

    def _of_guardian(self, plan: Plan) -> Expected:
        if plan.where == STOP:
            return expected(plan, {OK, FAILED, CANCELED}, ENDS)
        # To the guardian a SIGTERM is one for its daemon, which cancels.
        return expected(plan, {FAILED} if self.verb == "kill" else {CANCELED, FAILED}, ENDS)

    def _of_application(self, plan: Plan) -> Expected:
        if plan.moment.kind == BEFORE:
            return expected(plan, {OK})
        if plan.where == RUN:
            return expected(plan, {FAILED})
        if plan.kind == CLIENT:
            return expected(plan, {FAILED}, ENDS)
        if plan.where == START and plan.kind == HAND:
            return expected(plan, {OK, FAILED}, ANY)
        return expected(plan, {OK})


class Connection(Fault):
    """A connection is closed, or a half of it, without its owner's doing."""

    systems = LINUX

    def __init__(self, verb: str, victim: str) -> None:
        self.half = verb == "half-close"
        self.victim = victim
        self.name = f"{verb}-{victim}-connection"
        if victim == "frontend":
            self.shape = Shape((LAUNCHED, LINE, GATE, CANCELING), ends=True)
        else:
            self.shape = Shape(_ALWAYS, kinds=(CLIENT,), ends=False)

    def missing(self) -> str:
        return super().missing() or _why_no_descriptors()

    def inject(self, stage: Stage) -> bool:
        pid = stage.find(self.victim)
        if pid is None:
            return False
        how = socket.SHUT_RDWR
        if self.half:
            how = socket.SHUT_RD if stage.plan.dice[0] < 0.5 else socket.SHUT_WR
        found = False
        for connection in _connections(pid):
            try:
                connection.shutdown(how)
                found = True
            except OSError:
                pass
            connection.close()
        return found

    def expect(self, plan: Plan) -> Expected:
        if self.victim == "frontend":
            if plan.where == STOP:
                return expected(plan, {OK, FAILED}, ANY if plan.moment.kind == LAUNCHED else ENDS)
            return expected(plan, {FAILED}, LIVES if plan.where == RUN else ENDS)
        if plan.moment.kind == BEFORE:
            return expected(plan, {OK})
        # What still goes one way may be enough.
        at = {FAILED, OK} if self.half or plan.where == STOP else {FAILED}
        return expected(plan, at, LIVES if plan.where == RUN else ANY)


def _why_no_descriptors() -> str:
    try:
        mine = os.getpid()
        fd = _syscall(_PIDFD_OPEN, mine, 0)
    except (OSError, AttributeError):
        return "this kernel does not hand out descriptors of other processes"
    os.close(fd)
    return ""


def _syscall(number: int, *arguments: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    result: int = libc.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _connections(pid: int) -> list[socket.socket]:
    """The Unix sockets of a process that have another end, as sockets of ours."""
    found = []
    try:
        names = os.listdir(f"/proc/{pid}/fd")
        process = _syscall(_PIDFD_OPEN, pid, 0)
    except OSError:
        return []
    for name in names:
        try:
            if not os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):
                continue
            connection = socket.socket(fileno=_syscall(_PIDFD_GETFD, process, int(name), 0))
        except OSError:
            continue
        try:
            connection.getpeername()
        except OSError:
            connection.close()
            continue
        if connection.family == socket.AF_UNIX:
            found.append(connection)
        else:
            connection.close()
    os.close(process)
    return found


class BrokenPeer(Fault):
    """Somebody connects to the daemon and talks nonsense, or says half of something."""

    name = "broken-peer"
    shape = Shape((BEFORE, LINE, GATE, CANCELING))

    def inject(self, stage: Stage) -> bool:
        if not stage.find("daemon"):
            return False
        address = stage.address or _address_of(stage)
        if not address:
            return False
        dice = stage.plan.dice
        hello = framing.PREAMBLE + framing.encode_message({"type": "hello", "pid": os.getpid()})
        request = framing.encode_message({"type": "run", "text": "{}", "name": "x"})
        words = [
            b"",
            b"GET / HTTP/1.0\r\n\r\n",
            framing.PREAMBLE[:5],
            framing.PREAMBLE + b"M",
            framing.PREAMBLE + b"M\xff\xff\xff\xff",
            framing.PREAMBLE + b"M\x00\x00\x00\x02[]",
            framing.PREAMBLE + b"O\x00\x00\x00\x04abc\n",
            hello + request[: len(request) // 2],
            hello + framing.encode_message({"type": "sing"}),
            hello + framing.encode_message({"type": "cancel", "hurry": True}),
        ]
        said = words[int(dice[0] * len(words))]
        for _ in range(1 + int(dice[1] ** 3 * 40)):
            try:
                connection = transport.connect(address)
            except WireError:
                return False  # it has just ended
            connection._stream.write_some(said)
            if dice[2] < 0.5:
                connection.close()
            else:
                stage.opened.append(connection)
        return True

    def clean_up(self, stage: Stage) -> None:
        for connection in stage.opened:
            connection.close()

    heal = clean_up


def _address_of(stage: Stage) -> str:
    if sys.platform == "win32":
        return ""
    return next((str(path) for path in stage.temporary.glob("openjd-*/socket")), "")


class CloseOutput(Fault):
    """Whoever reads the frontend's stdout goes away."""

    name = "close-output"
    systems = POSIX
    shape = Shape((GATE,), (RUN,), held_back=True)

    def inject(self, stage: Stage) -> bool:
        assert stage.command is not None
        stage.command.close_output()
        return True

    def expect(self, plan: Plan) -> Expected:
        return expected(plan, {UNHEARD})


class Mounted(Fault):
    """Faults that need a file system of their own, which only root can have."""

    systems = LINUX
    size = "1m"

    def missing(self) -> str:
        return super().missing() or _why_no_mount()

    def prepare(self, stage: Stage) -> None:
        options = f"size={self.size},mode=700"
        _mount(["-t", "tmpfs", "-o", options, "tmpfs", str(stage.inside)])
        super().prepare(stage)

    def clean_up(self, stage: Stage) -> None:
        subprocess.run(["umount", "-l", str(stage.inside)], capture_output=True)


def _mount(arguments: list[str]) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


_mount_reason: list[str] = []
_once = threading.Lock()


def _why_no_mount() -> str:
    import tempfile

    with _once:
        if not _mount_reason:
            reason = "" if os.geteuid() == 0 else "only root may mount a small file system"
            if not reason:
                folder = tempfile.mkdtemp()
                try:
                    _mount(["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder])
                    subprocess.run(["umount", folder], check=True, capture_output=True)
                except (OSError, subprocess.CalledProcessError):
                    reason = "a small file system cannot be mounted here"
                os.rmdir(folder)
            _mount_reason.append(reason)
    return _mount_reason[0]


class DiskFull(Mounted):
    """There is no room left where the session has its files."""

    name = "fill-disk"
    shape = Shape((BEFORE, LINE, GATE), before_start=True)

    def inject(self, stage: Stage) -> bool:
        try:
            with open(stage.inside / "fill", "wb", buffering=0) as file:
                while True:
                    file.write(bytes(65536))
        except OSError:
            pass
        try:
            with open(stage.inside / "fill", "ab", buffering=0) as file:
                while True:
                    file.write(bytes(512))
        except OSError:
            return True

    def heal(self, stage: Stage) -> None:
        (stage.inside / "fill").unlink()

    def expect(self, plan: Plan) -> Expected:
        if plan.where == START:
            return expected(plan, {OK, FAILED}, ANY)
        return expected(plan, {OK})


class DiskFullUnderFlood(DiskFull):
    """The same while output waits that is too much for the memory."""

    name = "fill-disk-under-flood"
    size = "3m"
    shape = Shape((GATE,), (RUN,), floods=14_000_000, held_back=True)


class Flood(Fault):
    """More output than usual, which is read as it comes."""

    name = "flood"
    shape = Shape((GATE,), floods=6_000_000)

    def inject(self, stage: Stage) -> bool:
        return True


class UnreadFlood(Flood):
    """More output than the memory is for, read when all of it is there."""

    name = "unread-flood"
    shape = Shape((GATE,), (RUN,), floods=11_000_000, held_back=True)


class ReadOnly(Fault):
    """A folder of the session cannot be written for a while."""

    name = "read-only-folder"
    systems = POSIX
    shape = Shape((BEFORE, LINE, GATE), before_start=True)

    def missing(self) -> str:
        reason = super().missing()
        if not reason and os.geteuid() == 0 and not shutil.which("setpriv"):
            reason = "root may write everywhere, and there is no setpriv to change that"
        return reason

    def prepare(self, stage: Stage) -> None:
        super().prepare(stage)
        if os.geteuid() == 0:
            rights = "-dac_override,-dac_read_search"
            stage.wrapper = ["setpriv", "--bounding-set", rights, "--inh-caps", rights]

    def inject(self, stage: Stage) -> bool:
        choices = [stage.work]
        if stage.plan.where != STOP:
            # What cannot be removed when the session ends is left: nobody comes again.
            choices += [stage.temporary, *stage.temporary.glob("openjd-*")]
        stage.read_only = choices[int(stage.plan.dice[0] * len(choices))]
        stage.notes.append(f"{stage.read_only.relative_to(stage.inside)} is read-only")
        stage.read_only.chmod(0o500)
        return True

    def heal(self, stage: Stage) -> None:
        if stage.read_only is not None and stage.read_only.exists():
            stage.read_only.chmod(0o700)

    clean_up = heal

    def expect(self, plan: Plan) -> Expected:
        if plan.where == RUN:
            return expected(plan, {OK, FAILED})
        return expected(plan, {OK, FAILED}, ANY)


class Limit(Fault):
    """The daemon runs against a limit of the system for a while."""

    systems = LINUX
    shape = Shape((BEFORE, LAUNCHED, LINE, GATE))

    def inject(self, stage: Stage) -> bool:
        pid = stage.find("daemon")
        if pid is None:
            return False
        try:
            self._limit(pid, stage)
        except (OSError, ValueError):
            return False
        stage.limited = pid
        return True

    def _limit(self, pid: int, stage: Stage) -> None:
        raise NotImplementedError

    def heal(self, stage: Stage) -> None:
        if stage.limited and not stage.held[stage.limited].handle.wait(0):
            try:
                for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_AS):
                    hard = resource.prlimit(stage.limited, kind)[1]
                    resource.prlimit(stage.limited, kind, (hard, hard))
            except OSError:
                pass


class Descriptors(Limit):
    """Files that a process may have open."""

    name = "exhaust-descriptors"

    def _limit(self, pid: int, stage: Stage) -> None:
        used = len(os.listdir(f"/proc/{pid}/fd"))
        hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]
        allowed = used + int(stage.plan.dice[0] * 8)
        stage.notes.append(f"{used} descriptors are open, {allowed} are allowed")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (allowed, hard))

    def expect(self, plan: Plan) -> Expected:
        return expected(plan, {OK, FAILED}, LIVES if plan.where == RUN else ANY)


class Memory(Limit):
    """Memory that a process may have."""

    name = "exhaust-memory"

    def _limit(self, pid: int, stage: Stage) -> None:
        with open(f"/proc/{pid}/statm") as file:
            used = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        hard = resource.prlimit(pid, resource.RLIMIT_AS)[1]
        more = int(stage.plan.dice[0] ** 2 * 32 * 1024 * 1024)
        stage.notes.append(f"{used:,} bytes are mapped, {more:,} more are allowed")
        resource.prlimit(pid, resource.RLIMIT_AS, (used + more, hard))

    def expect(self, plan: Plan) -> Expected:
        return expected(plan, {OK, FAILED, CANCELED}, ANY)


class Delete(Fault):
    """Something that the session needs to be found is deleted."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.name = f"delete-{what}"
        if what != "connection-file":
            self.systems = POSIX  # elsewhere it cannot be done, or there is no such file
        self.shape = Shape(_ALWAYS, by_file=what == "connection-file", ends=True)

    def prepare(self, stage: Stage) -> None:
        super().prepare(stage)
        if stage.plan.dice[0] < 0.5:
            stage.env["OPENJD_SESSION_WORKING_DIR"] = str(stage.work)

    def inject(self, stage: Stage) -> bool:
        if stage.find("daemon") is None:
            return False
        try:
            if self.what == "connection-file":
                stage.file.unlink()
            elif self.what == "socket":
                os.unlink(stage.address or _address_of(stage))
            else:
                shutil.rmtree(stage.work)
        except OSError:
            return False
        return True

    def expect(self, plan: Plan) -> Expected:
        if plan.where == STOP:
            return expected(plan, {OK} if plan.moment.kind == BEFORE else {OK, FAILED}, ENDS)
        if plan.moment.kind == BEFORE and self.what == "working-directory":
            # Whether it finds the daemon depends on who is faster.
            return expected(plan, {FAILED, OK}, ENDS)
        return expected(plan, {FAILED}, ENDS)


class Clock(Fault):
    """The wall clock jumps, for this session alone."""

    name = "jump-clock"
    systems = LINUX
    shape = Shape(_ALWAYS, before_start=True)

    def missing(self) -> str:
        return super().missing() or ("" if _faketime() else "there is no libfaketime")

    def prepare(self, stage: Stage) -> None:
        super().prepare(stage)
        clock = stage.witness / "clock"
        clock.write_text("+0\n")
        stage.env.update(
            LD_PRELOAD=_faketime(),
            FAKETIME_TIMESTAMP_FILE=str(clock),
            FAKETIME_NO_CACHE="1",
            FAKETIME_DONT_FAKE_MONOTONIC="1",
            DONT_FAKE_MONOTONIC="1",
            FAKETIME_DISABLE_SHM="1",
            NO_FAKE_STAT="1",
        )

    def inject(self, stage: Stage) -> bool:
        jumps = [-86400 * 365, -86400, -3600, -60, -2, 2, 60, 3600, 86400, 86400 * 365]
        jump = jumps[int(stage.plan.dice[0] * len(jumps))]
        stage.notes.append(f"by {jump:+d} seconds")
        temporary = stage.witness / "clock.new"
        temporary.write_text(f"{jump:+d}\n")
        os.replace(temporary, stage.witness / "clock")
        return True


def _faketime() -> str:
    import glob

    names = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib*/faketime/libfaketimeMT.so.1")
    return next((path for name in names for path in glob.glob(name)), "")


class Delay(Fault):
    """Frames between frontend and daemon come in pieces, and late."""

    name = "delay-frame"
    systems = POSIX
    shape = Shape((BEFORE,), (RUN,))

    def inject(self, stage: Stage) -> bool:
        address = stage.address or _address_of(stage)
        if not address:
            return False
        stage.detour = str(stage.witness / "p")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(stage.detour)
        listener.listen(1)
        threading.Thread(target=self._convey, args=(listener, address, stage), daemon=True).start()
        return True

    def _convey(self, listener: socket.socket, address: str, stage: Stage) -> None:
        near, _ = listener.accept()
        listener.close()
        far = socket.socket(socket.AF_UNIX)
        far.connect(address)
        dice = stage.plan.dice
        ways = [
            threading.Thread(target=self._carry, args=(a, b, stage, size), daemon=True)
            for a, b, size in (
                (near, far, 1 + int(dice[0] * 64)),
                (far, near, 1 + int(dice[1] * 2000)),
            )
        ]
        for way in ways:
            way.start()
        for way in ways:
            way.join()
        near.close()
        far.close()

    def _carry(self, a: socket.socket, b: socket.socket, stage: Stage, size: int) -> None:
        pauses = 3
        try:
            while True:
                data = a.recv(65536)
                if not data:
                    b.shutdown(socket.SHUT_WR)
                    return
                for at in range(0, len(data), size):
                    b.sendall(data[at : at + size])
                    if pauses:
                        pauses -= 1
                        stage.pause(stage.plan.hold)
        except OSError:
            pass

    def heal(self, stage: Stage) -> None:
        stage.detour = ""


ALL: tuple[Fault, ...] = (
    *(
        Signal(verb, victim)
        for verb in ("kill", "term", "pause")
        for victim in ("frontend", "daemon", "application", "grandchild", "guardian")
    ),
    Signal("freeze", "grandchild"),
    *(
        Connection(verb, victim)
        for verb in ("close", "half-close")
        for victim in ("frontend", "application")
    ),
    CloseOutput(),
    BrokenPeer(),
    Delay(),
    Flood(),
    UnreadFlood(),
    DiskFull(),
    DiskFullUnderFlood(),
    ReadOnly(),
    Descriptors(),
    Memory(),
    Delete("connection-file"),
    Delete("socket"),
    Delete("working-directory"),
    Clock(),
)
BY_NAME = {fault.name: fault for fault in ALL}
SHAPES = {fault.name: fault.shape for fault in ALL if sys.platform in fault.systems}
