"""What the tests of published adaptors share: the wheels, a farm to run them on, stand-ins."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from . import wheels

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Ended:
    """A command that has ended: its exit status and everything that it printed."""

    status: int
    output: str

    def lines(self, text: str) -> list[str]:
        """The lines of the output with `text` in them."""
        return [line for line in self.output.splitlines() if text in line]

    def messages(self, kind: str) -> list[str]:
        """What the session heard as ``openjd_<kind>: ...``: lines that begin so."""
        # openjd-cli puts a time and a tab in front of each line of an action.
        lines = [line.split("\t", 1)[-1] for line in self.output.splitlines()]
        start = f"openjd_{kind}: "
        return [line[len(start) :] for line in lines if line.startswith(start)]


class Farm:
    """A worker host: runs job templates, and the adaptors' commands, in its own environment.

    Args:
        adaptors: the folder of the installed wheels.
        folder: for everything that is written: home, temporary files, pictures.
    """

    def __init__(self, adaptors: Path, folder: Path) -> None:
        self.adaptors = adaptors
        self.folder = folder
        self.home = folder / "home"
        self.temporary = folder / "temporary"
        self.bin = folder / "bin"
        for new in (self.home, self.temporary, self.bin):
            new.mkdir()
        self._starts = folder / "starts.txt"
        self._telemetry = folder / "telemetry.jsonl"
        self._mark = uuid.uuid4().hex
        search = [str(adaptors), str(HERE / "stubs"), os.environ.get("PYTHONPATH", "")]
        self.environment = {
            **os.environ,
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "PATH": os.pathsep.join(
                [str(self.bin), str(adaptors / "bin"), os.environ.get("PATH", os.defpath)]
            ),
            "PYTHONPATH": os.pathsep.join(entry for entry in search if entry),
            "PUBLISHED_STARTS": str(self._starts),
            "PUBLISHED_TELEMETRY": str(self._telemetry),
            "PUBLISHED_MARK": self._mark,
        }
        self.environment.pop("XDG_RUNTIME_DIR", None)

    def application(self, name: str, fake: str, variable: str = "") -> Path:
        """An executable `name` that stands for the application.

        Args:
            fake: the folder beside this file with its fake modules, or a script to run instead
                of the adaptor's client.
            variable: the environment variable that tells the adaptor where its application is.
        """
        launcher = self.bin / name
        # Without site-packages (-S): an application's Python has none of this environment's.
        command = [sys.executable, "-S", "-s", str(HERE / "standin.py"), str(HERE / fake)]
        launcher.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
        launcher.chmod(0o755)
        if variable:
            self.environment[variable] = str(launcher)
        return launcher

    def run(self, *command: str, interrupt_at: str = "") -> Ended:
        """Runs a command to its end.

        Args:
            interrupt_at: what the output tells when the command is to get a SIGINT.
        """
        output = ""
        with subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
        ) as process:
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    output += line
                    if interrupt_at and interrupt_at in line:
                        process.send_signal(signal.SIGINT)
                        interrupt_at = ""
            except BaseException:
                process.kill()
                raise
        return Ended(process.returncode, output)

    def session(
        self,
        template: Path,
        rules: dict[str, str],
        interrupt_at: str = "",
        **parameters: str,
    ) -> Ended:
        """Runs a job template, all tasks of its one step in one session, with ``openjd run``.

        Args:
            rules: path mapping, POSIX source to destination.
            interrupt_at: as for ``run``.
            parameters: of the job.
        """
        mapping = [
            {"source_path_format": "POSIX", "source_path": source, "destination_path": destination}
            for source, destination in rules.items()
        ]
        document = self.folder / "rules.json"
        document.write_text(
            json.dumps({"version": "pathmapping-1.0", "path_mapping_rules": mapping}),
            encoding="utf-8",
        )
        command = [sys.executable, "-m", "openjd", "run", str(template)]
        command += ["--path-mapping-rules", document.as_uri()]
        for name, value in parameters.items():
            command += ["--job-param", f"{name}={value}"]
        return self.run(*command, interrupt_at=interrupt_at)

    def starts(self) -> list[str]:
        """The command line of each start of an application, without its executable."""
        if not self._starts.exists():
            return []
        lines = self._starts.read_text(encoding="utf-8").splitlines()
        return [line.partition(" ")[2] for line in lines]

    def telemetry(self) -> list[dict[str, object]]:
        """What the adaptor told its telemetry client."""
        if not self._telemetry.exists():
            return []
        text = self._telemetry.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def _processes(self) -> list[tuple[psutil.Process, str]]:
        """What lives and was started here, however it detached itself, and its command line."""
        found = []
        for process in psutil.process_iter():
            try:
                ours = process.environ().get("PUBLISHED_MARK") == self._mark
                if ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append((process, " ".join(process.cmdline())))
            except psutil.Error:
                continue  # It has ended meanwhile, or is another user's.
        return found

    def leftovers(self) -> list[str]:
        """What should be gone when a session has ended: processes, sockets, files."""
        processes = [f"process {process.pid}: {line}" for process, line in self._processes()]
        folders = (self.home, self.temporary)
        files = [str(p) for folder in folders for p in folder.rglob("*") if not p.is_dir()]
        return processes + files

    def end(self) -> None:
        """Ends what is still running."""
        for process, _ in self._processes():
            process.kill()


@pytest.fixture(scope="session")
def adaptors(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the eight published wheels; kept in pytest's cache where that is on."""
    cache = getattr(request.config, "cache", None)
    parent = Path(cache.mkdir("published-adaptors")) if cache else tmp_path_factory.getbasetemp()
    try:
        return wheels.install(parent)
    except wheels.NotAvailable as e:
        if os.environ.get("CI") == "true":
            pytest.fail(str(e))
        pytest.skip(str(e))


@pytest.fixture
def farm(adaptors: Path, tmp_path: Path) -> Iterator[Farm]:
    """A host to run templates on; nothing of it outlives the test."""
    host = Farm(adaptors, tmp_path)
    yield host
    host.end()


@pytest.fixture(scope="module")
def shared_farm(adaptors: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """One for the tests of a module that only look at what one session has left."""
    host = Farm(adaptors, tmp_path_factory.mktemp("farm"))
    yield host
    host.end()
