"""Where a session under test lives: folders of its own, an environment, and what it leaves."""

from __future__ import annotations

import fnmatch
import json
import os
import shutil
import site
import sys
import tempfile
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import psutil

from .._platform import ProcessHandle, make_private_folder

#: In the environment of everything that a session has started, directly or not.
MARK = "OPENJD_ADAPTOR_TEST_SESSION"
# What would make a session depend on the one who runs the tests.
_NOT_OURS = (
    "ADAPTOR_CONFIG_SCHEMA_PATH", "OPENJD_ADAPTOR_SESSION_LOG", "OPENJD_ADAPTOR_SOCKET",
    "RUNTIME_CONFIG_PATH", "XDG_RUNTIME_DIR",
)  # fmt: skip
# Who is on its way to its end gets so long (seconds).
_DYING = 5.0


class Place:
    """Folders and an environment for one session; removed by ``leave``.

    Args:
        adaptor_name: for its configuration.
        config: of the adaptor, as if the site had set it.
        runtime_config: of the runtime.
        variables: environment variables, over those of this process.
        folder: where the session works; one of its own if None.
    """

    def __init__(
        self,
        adaptor_name: str,
        config: Mapping[str, Any] | None,
        runtime_config: Mapping[str, Any] | None,
        variables: Mapping[str, str],
        folder: str | os.PathLike[str] | None,
    ) -> None:
        # A socket's path has some hundred bytes, and the folders of pytest are deep.
        self.base = Path(make_private_folder())
        self.temporary, home = self.base / "tmp", self.base / "home"
        self.work = Path(folder) if folder is not None else self.base / "work"
        for path in (self.temporary, home, self.base / "work"):
            path.mkdir(mode=0o700)
        adaptors = home / ".openjd" / "adaptors"
        for name, file, data in (
            (adaptor_name, adaptor_name, config),
            ("runtime", "configuration", runtime_config),
        ):
            if data is not None:
                (adaptors / name).mkdir(parents=True)
                text = json.dumps(dict(data))
                (adaptors / name / f"{file}.json").write_text(text, encoding="utf-8")
        self.mark = uuid.uuid4().hex
        self.environment = {
            **{name: text for name, text in os.environ.items() if name not in _NOT_OURS},
            **dict.fromkeys(("HOME", "USERPROFILE"), str(home)),
            **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self.temporary)),
            # With another HOME the user's packages would be elsewhere.
            "PYTHONUSERBASE": site.getuserbase(),
            # What this process can import, the session's processes can.
            "PYTHONPATH": os.pathsep.join(os.path.abspath(folder or ".") for folder in sys.path),
            MARK: self.mark,
            **variables,
        }

    def processes(self) -> list[psutil.Process]:
        """What lives, of all that the session has started."""
        return marked(MARK, self.mark)

    def leave(self, may_leave: Iterable[str] = ()) -> list[str]:
        """Ends everything, removes the folders, and returns what there was to end or to remove.

        Args:
            may_leave: patterns of names in the temporary folder that are nobody's business.
        """
        problems = []
        for process in self.processes():
            try:
                command = " ".join(process.cmdline())[:300]
            except psutil.Error:
                continue
            if not _ends(process):
                problems.append(f"the process {process.pid} lives on: {command}")
        for path in sorted(self.temporary.iterdir()):
            if not any(fnmatch.fnmatch(path.name, pattern) for pattern in may_leave):
                problems.append(f"{path.name} is left in the temporary folder")
        shutil.rmtree(self.base, ignore_errors=True)
        return problems


def marked(variable: str, mark: str) -> list[psutil.Process]:
    """The processes that live with that in their environment, but for this one."""
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            if process.environ().get(variable) != mark:
                continue
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue  # It has ended meanwhile, or is another user's.
    return found


def _ends(process: psutil.Process) -> bool:
    """Whether a process ends by itself within a moment; it is dead in any case."""
    try:
        handle = ProcessHandle(process.pid)
    except ProcessLookupError:
        return True
    except OSError:
        # An old kernel, with no handles on processes.
        handle = None
    try:
        if handle is not None and handle.wait(_DYING):
            return True
        process.kill()
        if handle is not None:
            handle.wait(_DYING)
    except psutil.NoSuchProcess:
        return True
    finally:
        if handle is not None:
            handle.close()
    return False


class Inside:
    """Makes this process one that lives in a place, and undoes it: environment and folders."""

    def __init__(self, place: Place) -> None:
        self._place = place
        # The session's own, with what its code has changed.
        self._environment = dict(place.environment)
        self._before: tuple[dict[str, str], str, str | None] | None = None

    def enter(self) -> None:
        """From here on, this process lives there."""
        if self._before is None:
            self._before = dict(os.environ), os.getcwd(), tempfile.tempdir
            _set_environment(self._environment)
            tempfile.tempdir = None
            os.chdir(self._place.work)

    def leave(self) -> None:
        """From here on, it does not."""
        if self._before is not None:
            environment, folder, tempfile.tempdir = self._before
            self._before = None
            self._environment = dict(os.environ)
            _set_environment(environment)
            os.chdir(folder)


def _set_environment(wanted: Mapping[str, str]) -> None:
    for name in set(os.environ) - set(wanted):
        del os.environ[name]
    for name, text in wanted.items():
        if os.environ.get(name) != text:
            os.environ[name] = text
