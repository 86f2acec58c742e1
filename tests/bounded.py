"""Real children and real threads for tests, with a limit on every wait."""

from __future__ import annotations

import queue
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from types import TracebackType
from typing import IO, Any

#: Seconds. Never reached where all is well; generous, for a machine under load, and for Windows,
#: where a process takes several times as long to start.
LIMIT = 90.0 if sys.platform == "win32" else 30.0


class Child:
    """A Python process that runs `code`; dead and reaped when the ``with`` block ends."""

    def __init__(
        self,
        code: str,
        *args: object,
        python: str = sys.executable,
        env: dict[str, str] | None = None,
        **options: Any,
    ) -> None:
        self.process = subprocess.Popen(
            [python, *self._arguments(code), *map(str, args)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="backslashreplace",
            env=env,
            **options,
        )
        self.pid = self.process.pid
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._errors: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=(stream, take), daemon=True)
            for stream, take in (
                (self.process.stdout, self._lines.put),
                (self.process.stderr, self._errors.append),
            )
        ]
        for reader in self._readers:
            reader.start()

    def _arguments(self, code: str) -> list[str]:
        return ["-c", textwrap.dedent(code)]

    def _read(self, stream: IO[str], take: Callable[[str], None]) -> None:
        for line in stream:
            take(line.rstrip("\n"))
        if stream is self.process.stdout:
            self._lines.put(None)

    def line(self) -> str | None:
        """The next line of its stdout; None at the end."""
        try:
            return self._lines.get(timeout=LIMIT)
        except queue.Empty:
            raise AssertionError(f"the child says nothing; stderr: {self._errors}") from None

    def expect(self, text: str) -> None:
        """Waits for its next line, which must be `text`."""
        line = self.line()
        assert line == text, f"{line!r} instead of {text!r}; stderr: {self._errors}"

    def say(self, text: str) -> None:
        """Writes a line to its stdin."""
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def end(self) -> tuple[int, str, str]:
        """Waits for its end: its exit status, the rest of its stdout, all of its stderr."""
        status = self.process.wait(LIMIT)
        lines = []
        while (line := self.line()) is not None:
            lines.append(line)
        self._lines.put(None)
        self._readers[1].join(LIMIT)
        return status, "\n".join(lines), "\n".join(self._errors)

    def kill(self) -> None:
        """Kills it (SIGKILL) and waits until it is gone."""
        self.process.kill()
        self.process.wait(LIMIT)

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()
        for reader in self._readers:
            reader.join(LIMIT)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            try:
                stream.close()
            except OSError:
                pass  # what was said last did not reach it


class Task:
    """A call that runs in a thread of its own from now on."""

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        self._result: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(
            target=self._run, args=(function, *args), name=f"test {function}", daemon=True
        )
        self._thread.start()

    def _run(self, function: Callable[..., Any], *args: Any) -> None:
        try:
            self._result = function(*args)
        except BaseException as e:
            self._error = e

    def ended_within(self, seconds: float) -> bool:
        """Whether the call has ended, which is waited for as long as that."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def result(self) -> Any:
        """What the call returned, or the exception that it raised; waits for it."""
        self._thread.join(LIMIT)
        assert not self._thread.is_alive(), f"{self._thread.name} does not end"
        if self._error is not None:
            raise self._error
        return self._result
