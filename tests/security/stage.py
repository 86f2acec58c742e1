"""Two real users, neither of them root: who runs the adaptor, and who attacks.

A `World` is a place that both can reach, with an interpreter, what it imports, and copies of the
runtime: as it is, and with a protection taken out. A `Stage` is the place of one attack in it.
"""

from __future__ import annotations

import compileall
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil
from apps.drive import APPS, Command, Ended, await_end

import openjd.adaptor_runtime

from .unprotected import Patch

HERE = Path(__file__).parent
# What other users may do with what is copied here: read it.
_READABLE = 0o755
_NOT_NEEDED = shutil.ignore_patterns(
    "site-packages", "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "config-*"
)


def why_not() -> str:
    """Why there cannot be two users here; empty if there can."""
    if sys.platform != "linux":
        return "the attacks are written for Linux: its /proc, and what its sockets do"
    if os.geteuid() != 0:
        return "only root can run programs as two other users"
    victim, _ = _unused_users()
    try:
        subprocess.run(["/bin/sh", "-c", ":"], check=True, cwd="/", **_as_user(victim))
    except (OSError, subprocess.SubprocessError) as e:
        return f"this system does not let root become user {victim}: {e}"
    return ""


def _as_user(user: int) -> dict[str, Any]:
    """Arguments for Popen: the real, effective and saved user, one group, no capabilities."""
    return {"user": user, "group": user, "extra_groups": []}


def _unused_users() -> tuple[int, int]:
    """Two users that have neither a name nor a process."""
    import pwd

    busy = {user for process in psutil.process_iter() for user in _users(process)}
    # Workers that run tests at the same time begin at different places.
    first = 20_000 + os.getpid() * 2 % 40_000
    free: list[int] = []
    for user in range(first, first + 4_000):
        try:
            pwd.getpwuid(user)
        except KeyError:
            if user not in busy:
                free.append(user)
        if len(free) == 2:
            break
    return free[0], free[1]


def _users(process: psutil.Process) -> set[int]:
    try:
        return set(process.uids())
    except psutil.Error:
        return set()


class World:
    """What all attacks share. To be used in a ``with`` block.

    Attributes:
        victim, attacker: the two users.
        python: an interpreter that both can run.
    """

    def __init__(self) -> None:
        self.victim, self.attacker = _unused_users()
        # A socket's path has some hundred bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="s-", dir="/tmp"))
        self.folder.chmod(_READABLE)
        self._trees: dict[tuple[Patch, ...], Path] = {}
        try:
            self.python = self._interpreter()
            self._bring_packages()
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def __enter__(self) -> World:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.folder)

    def _interpreter(self) -> str:
        """This interpreter, or a copy of it where other users cannot reach it."""
        program = os.path.realpath(sys.executable)
        if self._runs(program):
            return program
        library = Path(sysconfig.get_path("stdlib"))
        home = self.folder / "python"
        (home / "bin").mkdir(parents=True)
        copy = home / "bin" / os.path.basename(program)
        _link(program, copy)
        # Found by where it lies, seen from the program.
        shutil.copytree(
            library, home / "lib" / library.name, ignore=_NOT_NEEDED, copy_function=_link
        )
        shared = Path(sysconfig.get_config_var("LIBDIR") or "/", "") / str(
            sysconfig.get_config_var("LDLIBRARY")
        )
        if sysconfig.get_config_var("Py_ENABLE_SHARED") and shared.exists():
            for file in shared.parent.glob("libpython*.so*"):
                _link(file, home / "lib" / file.name)
        assert self._runs(str(copy)), f"a copy of {program} cannot be run by another user"
        return str(copy)

    def _runs(self, program: str) -> bool:
        try:
            ended = subprocess.run(
                [program, "-I", "-S", "-c", "import json, socket, subprocess"],
                cwd="/", env=self._environment(), stderr=subprocess.DEVNULL,
                **_as_user(self.victim),
            )  # fmt: skip
        except OSError:
            return False
        return ended.returncode == 0

    def _bring_packages(self) -> None:
        """Copies what the runtime imports, and what the tests' adaptors are made of."""
        packages = self.folder / "packages"
        packages.mkdir(mode=_READABLE)
        for name in _needed("openjd-adaptor-runtime"):
            found = distribution(name)
            tops = {file.parts[0] for file in found.files or () if file.parts[0] != ".."}
            for top in tops:
                source = Path(str(found.locate_file(top)))
                if source.is_dir():
                    shutil.copytree(source, packages / top, dirs_exist_ok=True)
                elif source.is_file():
                    shutil.copy2(source, packages / top)
        for name in ("gates.py", "obedient"):
            if (APPS / name).is_dir():
                shutil.copytree(APPS / name, packages / name)
            else:
                shutil.copy2(APPS / name, packages)
        shutil.copy2(HERE / "attacker.py", self.folder)
        shutil.copytree(HERE / "hook", self.folder / "hook")
        _make_readable(packages)

    def tree(self, patches: Sequence[Patch] = ()) -> Path:
        """A copy of the runtime with these changes."""
        key = tuple(patches)
        if key not in self._trees:
            tree = self.folder / f"t{len(self._trees)}"
            source = Path(openjd.adaptor_runtime.__file__).parents[1]
            for package in ("adaptor_runtime", "adaptor_runtime_client"):
                # With what is compiled: a user who cannot write would compile it each time.
                shutil.copytree(source / package, tree / "openjd" / package)
            try:
                for patch in patches:
                    patch.apply(tree / "openjd")
            except LookupError:
                shutil.rmtree(tree)
                raise
            compileall.compile_dir(tree, quiet=2)
            _make_readable(tree)
            self._trees[key] = tree
        return self._trees[key]

    def _environment(self) -> dict[str, str]:
        environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
        library = str(self.folder / "python" / "lib")
        if sysconfig.get_config_var("Py_ENABLE_SHARED") and os.path.isdir(library):
            environment["LD_LIBRARY_PATH"] = library
        return environment

    @contextmanager
    def stage(self, patches: Sequence[Patch] = ()) -> Iterator[Stage]:
        """A new place for an attack on the runtime with these changes."""
        stage = Stage(self, self.tree(patches))
        try:
            yield stage
        finally:
            stage.leave()


def _needed(name: str) -> list[str]:
    """The distributions that one needs, with what those need."""
    import re

    found: list[str] = []
    names = [name]
    while names:
        for requirement in distribution(names.pop()).requires or ():
            other = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
            if "extra ==" in requirement or other in found:
                continue
            try:
                distribution(other)
            except PackageNotFoundError:
                continue  # for another interpreter
            found.append(other)
            names.append(other)
    return found


def _link(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """A copy that takes no room, where that can be had."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _make_readable(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        mode = path.stat().st_mode
        # What is linked keeps what it had: it is somebody's.
        if path.is_dir() or not mode & 0o004:
            path.chmod(_READABLE if path.is_dir() else 0o644)


class Stage:
    """The place of one attack.

    Attributes:
        temporary: the victim's temporary folder: everybody's, with the sticky bit, as /tmp.
        shared: a folder of the attacker's that everybody may write.
        private: the victim's own folder, in which its commands run.
    """

    def __init__(self, world: World, tree: Path) -> None:
        self.world = world
        self.tree = tree
        self.folder = world.folder / f"a{uuid.uuid4().hex[:6]}"
        self.folder.mkdir(mode=_READABLE)
        self.temporary = self._make("tmp", 0, 0o1777)
        self.shared = self._make("shared", world.attacker, 0o777)
        self.private = self._make("private", world.victim, 0o700)
        self.connection_file = self.private / "session.json"
        self._mark = uuid.uuid4().hex
        self._files: set[Path] = set()
        self._commands: list[Command] = []

    def _make(self, name: str, user: int, mode: int) -> Path:
        path = self.folder / name
        path.mkdir()
        os.chown(path, user, user)
        path.chmod(mode)
        return path

    # The victim.

    def begin(self, *arguments: str, **variables: str) -> Command:
        """Starts ``python ARGUMENTS`` as the victim, who hides nothing (umask 0)."""
        search = (self.world.folder / "hook", self.tree, self.world.folder / "packages")
        environment = {
            **self.world._environment(),
            "HOME": str(self.private),
            "TMPDIR": str(self.temporary),
            "PYTHONPATH": os.pathsep.join(map(str, search)),
            **variables,
        }
        return self._start(self.world.victim, arguments, environment, self.private)

    def run(self, *arguments: str, **variables: str) -> Ended:
        """The same, to its end."""
        return self.begin(*arguments, **variables).end()

    def daemon(self, step: str, *arguments: str, at: Path | None = None, **variables: str) -> Ended:
        """Runs ``daemon STEP`` of the obedient adaptor with the connection file `at`."""
        where = ["--connection-file", str(at or self.connection_file)]
        if step == "start":
            self._files.add(at or self.connection_file)
        return self.run("-m", "obedient", "daemon", step, *where, *arguments, **variables)

    def start(self, code: str = "", at: Path | None = None, **variables: str) -> Started:
        """Starts a daemon whose adaptor executes `code`; says what it is."""
        data = json.dumps({"start": code})
        ended = self.daemon("start", "--init-data", data, at=at, **variables)
        assert ended.status == 0, ended
        info = json.loads((at or self.connection_file).read_text())
        return Started(info["pid"], Path(info["folder"]), Path(info["socket"]), ended)

    def victims(self, name: str, content: str) -> Path:
        """A file of the victim's that only the victim can read."""
        path = self.private / name
        self.own(path, content)
        return path

    def own(self, path: Path, content: str, mode: int = 0o600) -> None:
        """Makes a file of the victim's."""
        path.write_text(content)
        path.chmod(mode)
        os.chown(path, self.world.victim, self.world.victim)

    # The attacker.

    def begin_attack(self, action: str, **arguments: Any) -> Command:
        """Starts an action of ``attacker.py`` as the attacker."""
        script = str(self.world.folder / "attacker.py")
        return self._start(
            self.world.attacker,
            ("-I", "-S", script, action, json.dumps(arguments)),
            self.world._environment(),
            Path("/"),
        )

    def attack(self, action: str, **arguments: Any) -> Any:
        """Runs an action of ``attacker.py`` and returns what it has achieved."""
        return self.result(self.begin_attack(action, **arguments))

    @staticmethod
    def result(command: Command) -> Any:
        """What an action that was begun has achieved; it sees the end of its stdin."""
        Stage._close_stdin(command)
        ended = command.end()
        assert ended.status == 0, ended.text
        return json.loads(ended.lines[-1])

    @staticmethod
    def _close_stdin(command: Command) -> None:
        if command.process.stdin is not None:
            command.process.stdin.close()

    def _start(
        self, user: int, arguments: Sequence[str], environment: dict[str, str], folder: Path
    ) -> Command:
        command = Command(
            [self.world.python, *arguments],
            {**environment, "SECURITY_TESTS_MARK": self._mark},
            folder,
            stdin=subprocess.PIPE,
            umask=0,
            **_as_user(user),
        )
        self._commands.append(command)
        return command

    # The end.

    def open_up(self, path: Path) -> None:
        """Takes away what file modes protect below `path`, as if somebody had made a mistake."""
        for each in (path, *path.rglob("*")):
            each.chmod(0o777 if each.is_dir() else 0o666)

    def processes(self) -> list[psutil.Process]:
        """What lives, of all that was started here and by what was started here."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("SECURITY_TESTS_MARK") != self._mark:
                    continue
                if process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return found

    def left_behind(self) -> list[str]:
        """What is left when the victim has stopped what it started: processes, and files."""
        for command in self._commands:
            self._close_stdin(command)
            command.end()
        for file in self._files:
            if file.is_file() and file.stat().st_uid == self.world.victim:
                self.daemon("stop", at=file)
        left = [" ".join(process.cmdline()) for process in self.processes()]
        for path in self.temporary.iterdir():
            if path.lstat().st_uid == self.world.victim:
                left.append(path.name)
        return left

    def leave(self) -> None:
        """Ends and removes everything."""
        for command in self._commands:
            command.abandon()
        for process in self.processes():
            try:
                process.send_signal(signal.SIGKILL)
            except psutil.Error:
                continue
            await_end(process)
        shutil.rmtree(self.folder)


class Started:
    """A daemon of the victim's: its process, its private folder, and its socket."""

    def __init__(self, pid: int, folder: Path, socket: Path, ended: Ended) -> None:
        self.pid = pid
        self.folder = folder
        self.socket = socket
        self.ended = ended
