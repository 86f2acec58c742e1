"""Drives an adaptor by its commands, as a scheduler does: real processes, a real daemon."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from typing import IO, Any

from .._cancel_info import FILE, VARIABLE
from ._place import Place
from .results import CANCELED, FAILED, OK, Result

# CTRL_BREAK to its process group is what an engine sends on Windows.
_CANCEL: Any = getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM)
# Of Windows; elsewhere it is the session that is new.
_OWN_GROUP: int = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)


class Commands:
    """A session of ``daemon`` commands.

    Args:
        command: what the adaptor's commands begin with.
        place: where they run.
        init_data: for the adaptor.
        path_mapping: the session's rules.
        limit: seconds that a command may take.
    """

    def __init__(
        self,
        command: list[str],
        place: Place,
        init_data: dict[str, Any],
        path_mapping: dict[str, Any],
        limit: float,
    ) -> None:
        self._command = command
        self._place = place
        self._data = init_data, path_mapping
        self._limit = limit
        self._connection = str(place.base / "connection.json")
        self._steps: list[CommandStep] = []

    def begin(self, name: str, run_data: dict[str, Any] | None = None) -> CommandStep:
        """Begins a step."""
        options = ["--connection-file", self._connection]
        if name == "start":
            init_data, path_mapping = self._data
            options += ["--init-data", self._file("init-data", init_data)]
            if path_mapping:
                options += ["--path-mapping-rules", self._file("rules", path_mapping)]
        elif name == "run":
            options += ["--run-data", self._file("run-data", run_data or {})]
        command = [*self._command, "daemon", name, *options]
        step = CommandStep(name, command, self._place, self._limit)
        self._steps.append(step)
        return step

    def _file(self, name: str, data: dict[str, Any]) -> str:
        # Longer than a command line may be, and in nobody's way.
        path = self._place.base / f"{name}.json"
        path.write_text(json.dumps(data), encoding="utf-8")
        return f"file://{path}"

    def close(self) -> None:
        """Ends the commands that the test has not waited for, and the daemon."""
        for step in self._steps:
            step.abandon()
        if os.path.exists(self._connection):
            try:
                self.begin("stop").wait()
            except TimeoutError:
                pass


class CommandStep:
    """A command under way."""

    def __init__(self, name: str, command: list[str], place: Place, limit: float) -> None:
        self._name = name
        self._place = place
        self._limit = limit
        self._changed = threading.Condition()
        self._out: list[str] = []
        self._err: list[str] = []
        self._open = 2
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=place.environment,
            cwd=place.work,
            # The signals that cancel are to reach it, and not the test.
            start_new_session=True,
            creationflags=_OWN_GROUP,
        )
        self._readers = [
            threading.Thread(target=self._read, args=args, name="command's output", daemon=True)
            for args in ((self._process.stdout, self._out), (self._process.stderr, self._err))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: IO[bytes], lines: list[str]) -> None:
        with stream:
            for line in stream:
                text = line.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
                with self._changed:
                    lines.append(text)
                    self._changed.notify_all()
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    @property
    def text(self) -> str:
        """What it has printed until now: stdout, and behind it stderr."""
        with self._changed:
            return "".join(self._out + self._err)

    def until(self, shown: Callable[[str], bool]) -> bool:
        """Blocks until what was printed is as wanted; False if it ends, or takes too long."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._open == 0 or shown("".join(self._out + self._err)), self._limit
            )
            return shown("".join(self._out + self._err))

    def cancel(self, seconds: float | None) -> None:
        """Sends the signal that cancels; `seconds` is what is left for it."""
        if seconds is not None:
            end = time.gmtime(time.time() + seconds)
            text = json.dumps({"NotifyEnd": time.strftime("%Y-%m-%dT%H:%M:%SZ", end)})
            folder = self._place.environment.get(VARIABLE) or str(self._place.work)
            with open(os.path.join(folder, FILE), "w", encoding="ascii") as file:
                file.write(text)
        self._process.send_signal(_CANCEL)

    def abandon(self) -> None:
        """Cancels it, if it has not ended; it is gone then."""
        if self._process.poll() is None:
            self.cancel(None)
        try:
            self.wait()
        except TimeoutError:
            pass

    def wait(self) -> Result:
        """How it ends.

        Raises:
            TimeoutError: it does not.
        """
        end = time.monotonic() + self._limit
        with self._changed:
            ended = self._changed.wait_for(lambda: self._open == 0, self._limit)
        if not ended:
            self._process.kill()
            self._process.wait()
            raise TimeoutError
        for reader in self._readers:
            reader.join()
        try:
            status = self._process.wait(max(end - time.monotonic(), 1))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise TimeoutError from None
        canceled = bool(self._out) and self._out[-1] == "INFO: Canceled\n"
        verdict = OK if status == 0 else CANCELED if canceled else FAILED
        return Result(self._name, verdict, self.text, status)
