"""Processes in which an adaptor's code runs: with a limit, and with nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from ..._platform import ProcessHandle, ProcessTree, own_group_options
from ...testing._place import marked

_VARIABLE = "OPENJD_ADAPTOR_CHECK"
# Who is on its way to its end gets so long (seconds).
_DYING = 5.0
# What of this process's environment would make the verdict on an adaptor that of a site.
_OF_A_SITE = (
    "ADAPTOR_CONFIG_SCHEMA_PATH", "OPENJD_ADAPTOR_SESSION_LOG", "OPENJD_ADAPTOR_SOCKET",
    "RUNTIME_CONFIG_PATH",
)  # fmt: skip


class Ended(NamedTuple):
    """How a process ended, and what it printed."""

    #: None: it was ended because it took too long.
    status: int | None
    out: str
    err: str


class Place:
    """A private folder for processes that run an adaptor's code, and what they share.

    Args:
        folder: an empty folder.
        search: folders for Python to look in first.
        limit: seconds that each process may take.
    """

    def __init__(self, folder: Path, search: list[str], limit: float) -> None:
        self.folder = folder
        self._limit = limit
        self._mark = uuid.uuid4().hex
        self._trees: list[ProcessTree] = []
        #: Where they run.
        self.work = folder / "w"
        self.temporary = folder / "t"
        for new in (self.work, self.temporary, folder / "h"):
            new.mkdir(mode=0o700)
        self.environment = self._environment(search)

    def _environment(self, search: list[str]) -> dict[str, str]:
        import site

        environment = {k: v for k, v in os.environ.items() if k not in _OF_A_SITE}
        given = [
            os.path.abspath(p) for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p
        ]
        environment.update(
            {
                _VARIABLE: self._mark,
                "PYTHONPATH": os.pathsep.join([*search, *given]),
                # What the user has installed stays there when the home is another.
                "PYTHONUSERBASE": site.getuserbase(),
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONIOENCODING": "utf-8",
                "HOME": str(self.folder / "h"),
                "USERPROFILE": str(self.folder / "h"),
                "TMPDIR": str(self.temporary),
                "TEMP": str(self.temporary),
                "TMP": str(self.temporary),
            }
        )
        return environment

    def python(self, *arguments: str, name: str, variables: dict[str, str] | None = None) -> Ended:
        """Runs ``python ARGUMENTS`` to its end, or to the limit.

        Args:
            name: for the files with its output.
        """
        out, err = self.folder / f"{name}.out", self.folder / f"{name}.err"
        options: dict[str, Any] = own_group_options()
        with open(out, "wb") as out_file, open(err, "wb") as err_file:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=self.work,
                env={**self.environment, **(variables or {})},
                stdin=subprocess.DEVNULL,
                stdout=out_file,
                stderr=err_file,
                **options,
            )
            tree = ProcessTree(process, f"{_VARIABLE}={self._mark}")
            try:
                ended = self._await(process)
            finally:
                if process.poll() is None:
                    tree.kill()
                    process.wait()
                # On Windows this would end the daemon that it has started.
                self._trees.append(tree)
        return Ended(process.returncode if ended else None, _read(out), _read(err))

    def _await(self, process: subprocess.Popen[bytes]) -> bool:
        try:
            handle = ProcessHandle(process.pid)
        except ProcessLookupError:
            process.wait()
            return True
        except OSError:  # An old kernel, with no handles on processes.
            try:
                process.wait(self._limit)
            except subprocess.TimeoutExpired:
                return False
            return True
        try:
            if not handle.wait(self._limit):
                return False
        finally:
            handle.close()
        process.wait()
        return True

    def leftovers(self) -> list[str]:
        """The command lines of what lives of all that was started here, and is not just ending."""
        end = time.monotonic() + _DYING
        left = []
        for process, command in self._alive():
            try:
                handle = ProcessHandle(process.pid)
            except ProcessLookupError:
                continue
            except OSError:  # An old kernel, with no handles on processes.
                left.append(command)
                continue
            if not handle.wait(max(end - time.monotonic(), 0)):
                left.append(command)
            handle.close()
        return left

    def end(self) -> None:
        """Ends what lives of all that was started here."""
        for process, _ in self._alive():
            try:
                process.kill()
            except psutil.Error:
                continue
        for tree in self._trees:
            tree.close()
        self._trees.clear()
        self.leftovers()

    def _alive(self) -> list[tuple[psutil.Process, str]]:
        found = []
        for process in marked(_VARIABLE, self._mark):
            try:
                found.append((process, " ".join(process.cmdline())))
            except (psutil.Error, OSError):
                continue  # It has ended meanwhile.
        return found


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "backslashreplace").replace("\r\n", "\n")
