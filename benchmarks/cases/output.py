"""An application's output in bulk: how fast it passes, whole and in order, and what it costs."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from ..environments import Runtime
from ..model import PEER, Benchmark, BenchmarkError, Figure, Sampler, UnavailableError
from ..workspace import (
    LIMIT_S,
    PROBES,
    Workspace,
    describe_failure,
    memory_mib,
    open_session,
    peak_memory_mib,
)

_ADAPTOR = "adaptor_by_class"
_FROM_DAEMON = "ADAPTOR_OUTPUT: STDOUT: "
_FROM_FOREGROUND = "STDOUT: "
_ATTEMPTS_OF_THE_PEER = 3
_SERIES = "values"


def _persistently(
    benchmark: Benchmark,
    runtime: Runtime,
    workspace: Workspace,
    take: Callable[[], Mapping[str, list[float]]],
) -> Mapping[str, list[float]]:
    """What `take` measures; the peer, which fails at times, gets another attempt or two."""
    attempts = _ATTEMPTS_OF_THE_PEER if runtime.name == PEER else 1
    for attempt in range(1, attempts):
        try:
            return take()
        except BenchmarkError as error:
            workspace.note(
                f"{benchmark.name}, {runtime.name}: attempt {attempt} of {attempts} failed: {error}"
            )
    return take()


def _show(path: Path, python: str) -> list[str]:
    """The command of an application that prints a file, as fast as there is one."""
    cat = shutil.which("cat")
    return [cat, str(path)] if cat else [python, "-I", str(PROBES / "show_file.py"), str(path)]


@contextmanager
def _bare_cat(workspace: Workspace, path: Path) -> Iterator[Sampler]:
    """Seconds of `cat FILE | cat`, read by this process."""
    args = ["sh", "-c", f"cat {shlex.quote(str(path))} | cat"]
    expected = path.read_text(encoding="ascii")

    def sample() -> Mapping[str, list[float]]:
        completed = workspace.run(args, workspace.environ(None))
        if completed.output != expected:
            raise BenchmarkError("what came is not what was sent")
        return {_SERIES: [completed.seconds]}

    yield sample


def check_lines(output: str, prefix: str, expected: Sequence[str]) -> None:
    """Every line of `expected` is in the output behind `prefix`, in order, and no other is."""
    came = [line[len(prefix) :] for line in output.split("\n") if line.startswith(prefix)]
    if came == expected:
        return
    wrong = next((n for n, (one, other) in enumerate(zip(came, expected)) if one != other), None)
    if wrong is None:
        wrong = min(len(came), len(expected))
    raise _lines_lost(len(came), len(expected), wrong)


def _lines_lost(came: int, expected: int, wrong: int) -> BenchmarkError:
    return BenchmarkError(
        f"{came:,} lines came of {expected:,}; the first wrong or missing one is {wrong + 1:,}"
    )


def application_log(count: int, width: int) -> tuple[list[str], dict[str, int]]:
    """Lines such as a renderer prints, and how often each callback must be called for them.

    `width` is a line's length in bytes with its end.
    """
    calls = {"progress": 0, "saved": 0, "version": 1, "warning": 0, "finished": 1}
    lines = ["Renderer 4.2.1 on 16 threads"]
    for number in range(1, count - 1):
        if number % 1_000 == 0:
            lines.append(f"Rendered {100 * number / count:.1f} % of frame 12")
            calls["progress"] += 1
        elif number % 20_000 == 10_001:
            lines.append(f"Warning: texture {number} has no mip levels")
            calls["warning"] += 1
        elif number % 50_000 == 25_001:
            lines.append(f"Saved: '/renders/frame.{number:07d}.exr'")
            calls["saved"] += 1
        else:
            text = f"Fra:12 Mem:{number % 977}.25M (Peak 1204.10M) | Sample {number:07d} | "
            lines.append(
                text + "tile ready, radiance cache up to date".rjust(width - 1 - len(text))
            )
    lines.append("Finished frame 12")
    return lines, calls


class _BulkOutput(Benchmark):
    """200,000 lines through six callbacks; every one must come, in order."""

    lines = 200_000
    width = 120
    rounds = 3
    quick_rounds = 1
    warm_up = False
    peer_may_fail = True
    prefix: str

    def __init__(self) -> None:
        self._expected: list[str] = []
        self._calls: dict[str, int] = {}

    def _text(self, workspace: Workspace) -> Path:
        path = workspace.folder / "application-output.txt"
        self._expected, self._calls = application_log(self.lines, self.width)
        if not path.exists():
            path.write_text("\n".join(self._expected) + "\n", encoding="ascii", newline="\n")
        return path

    @contextmanager
    def sampler(self, runtime: Runtime, workspace: Workspace) -> Iterator[Sampler]:
        run_data = json.dumps(
            {"command": _show(self._text(workspace), str(runtime.python)), "counted": True}
        )
        yield lambda: _persistently(
            self, runtime, workspace, lambda: self._take(runtime, workspace, run_data)
        )

    def floor(self, workspace: Workspace) -> AbstractContextManager[Sampler] | None:
        if shutil.which("sh") is None or shutil.which("cat") is None:
            return None
        return _bare_cat(workspace, self._text(workspace))

    def _take(
        self, runtime: Runtime, workspace: Workspace, run_data: str
    ) -> Mapping[str, list[float]]:
        raise NotImplementedError

    def _values(self, seconds: float, output: str) -> Mapping[str, list[float]]:
        check_lines(output, self.prefix, self._expected)
        summary = re.search(r"(?m)^openjd_status: counted (\{.*\})$", output)
        if summary is None:
            raise BenchmarkError("the adaptor's last status did not come")
        counted = json.loads(summary.group(1))
        if counted["calls"] != self._calls:
            raise BenchmarkError(f"callbacks called: {counted['calls']}, not {self._calls}")
        told = len(re.findall(r"(?m)^openjd_progress: [0-9.]+$", output))
        if told != self._calls["progress"]:
            raise BenchmarkError(f"{told} progress messages came of {self._calls['progress']}")
        return {_SERIES: [seconds], "task": [counted["seconds"]]}


def _figures(key: str) -> tuple[Figure, ...]:
    return (
        Figure(f"{key}.command", "whole command", "s", _SERIES, goal=0.4),
        Figure(
            f"{key}.task",
            "the application, as the task sees it",
            "s",
            "task",
            floor_series=_SERIES,
        ),
    )


class OutputDaemon(_BulkOutput):
    name = "output-daemon"
    title = "200,000 lines of 120 bytes through six regex callbacks, daemon run"
    meaning = (
        "An application prints 200,000 lines as fast as it can; one callback of six is called every"
        " 1,000 lines, the others more rarely. The whole command is timed, until its reader has the"
        " last line; and, within it, the application alone, as the adaptor sees it. Floor:"
        " `cat FILE | cat`."
    )
    prefix = _FROM_DAEMON
    figures = _figures("output_daemon")

    def _take(
        self, runtime: Runtime, workspace: Workspace, run_data: str
    ) -> Mapping[str, list[float]]:
        # A new one each time: a session in which a task has failed is of no use.
        with open_session(workspace, runtime, _ADAPTOR) as session:
            completed = workspace.run(
                session.command("run", "--run-data", run_data), session.environ()
            )
            return self._values(completed.seconds, completed.output)


class OutputForeground(_BulkOutput):
    name = "output-foreground"
    title = "200,000 lines of 120 bytes through six regex callbacks, in the foreground"
    meaning = (
        "The same without a daemon, by the command `run`, which includes the start of the adaptor"
        " on both sides. Floor: `cat FILE | cat`."
    )
    prefix = _FROM_FOREGROUND
    figures = _figures("output_foreground")

    def _take(
        self, runtime: Runtime, workspace: Workspace, run_data: str
    ) -> Mapping[str, list[float]]:
        args = [str(runtime.python), "-m", _ADAPTOR, "run", "--init-data", "{}"]
        completed = workspace.run([*args, "--run-data", run_data], workspace.environ(runtime))
        return self._values(completed.seconds, completed.output)


class LongLine(Benchmark):
    """No line's end in 50 MB; ours shows it in marked pieces, none of them lost."""

    name = "one-line-50mb"
    title = "50 MB on one line that never ends, daemon run"
    meaning = (
        "An application prints 50 MB without a line's end. The whole command is timed; what came is"
        " put together and compared. Floor: `cat FILE | cat`."
    )
    size = 50_000_000
    rounds = 3
    quick_rounds = 1
    warm_up = False
    peer_may_fail = True
    figures = (
        Figure("one_line.command", "whole command", "s", _SERIES),
        Figure("one_line.memory", "growth of the daemon's memory", "MiB", "memory"),
    )

    def _text(self, workspace: Workspace) -> Path:
        path = workspace.folder / "one-line.txt"
        if not path.exists():
            words = (f"word {number:07d}, " for number in range(self.size // 14 + 1))
            path.write_text("".join(words)[: self.size], encoding="ascii")
        return path

    @contextmanager
    def sampler(self, runtime: Runtime, workspace: Workspace) -> Iterator[Sampler]:
        path = self._text(workspace)
        run_data = json.dumps({"command": _show(path, str(runtime.python))})

        def sample() -> Mapping[str, list[float]]:
            with open_session(workspace, runtime, _ADAPTOR) as session:
                pid = session.daemon_pid()
                before = memory_mib(pid)
                completed = workspace.run(
                    session.command("run", "--run-data", run_data), session.environ()
                )
                grown = peak_memory_mib(pid) - before
            _check_pieces(completed.output, path.read_text(encoding="ascii"))
            return {_SERIES: [completed.seconds], "memory": [grown]}

        yield sample

    def floor(self, workspace: Workspace) -> AbstractContextManager[Sampler] | None:
        if shutil.which("sh") is None or shutil.which("cat") is None:
            return None
        return _bare_cat(workspace, self._text(workspace))


def _check_pieces(output: str, expected: str) -> None:
    """The pieces of a long line, without what tells that it continues, are the line."""
    pieces = [line for line in output.split("\n") if line.startswith(_FROM_DAEMON)]
    came = "".join(piece[len(_FROM_DAEMON) :].removesuffix(" [line continues]") for piece in pieces)
    if came != expected:
        raise BenchmarkError(f"{len(came):,} characters came of {len(expected):,}, or other ones")


class UnreadOutput(Benchmark):
    """The engine does not read; the application must not notice, and memory must not grow."""

    name = "unread-10m"
    title = "10 million lines while nobody reads the frontend's stdout"
    meaning = (
        "An application prints 10 million lines and ends before the first of them is read; then all"
        " are read, and each must be there, in order. Memory: the most that the daemon had resident"
        " (VmHWM) less what it had before the task. Rate: lines by the seconds from the start of"
        " the command to the application's end. No floor: a bare pipe would hold the application"
        " up."
    )
    rounds = 1
    quick_rounds = 1
    warm_up = False
    peer_may_fail = True
    limit_s = 300.0
    lines = 10_000_000
    # The peer keeps them all in memory, and takes 50 us for each.
    part_of_peer = 50
    widths = (120, 20)
    figures = (
        Figure("unread.memory", "growth of the daemon's memory", "MiB", "memory", goal=64),
        Figure(
            "unread.rate",
            "lines that the application got rid of",
            "per s",
            "rate",
            better="higher",
        ),
    )

    @contextmanager
    def sampler(self, runtime: Runtime, workspace: Workspace) -> Iterator[Sampler]:
        lines = workspace.scaled(self.lines)
        if runtime.name == PEER:
            lines = self.lines // self.part_of_peer
            workspace.note(f"{self.name}, {PEER}: printed {lines:,} lines only; it is slow")
        elif workspace.quick:
            workspace.note(f"{self.name}, {runtime.name}: {lines:,} lines only (--quick)")
        width = self._width(lines, workspace)
        yield lambda: self._take(runtime, workspace, lines, width)

    def _width(self, lines: int, workspace: Workspace) -> int:
        free = shutil.disk_usage(workspace.folder).free
        for width in self.widths:
            # What nobody reads is kept on disk, each line with its prefix.
            if 1.5 * lines * (width + len(_FROM_DAEMON)) < free:
                if width != self.widths[0]:
                    workspace.note(f"{self.name}: lines of {width} bytes, for want of disk")
                return width
        raise UnavailableError(f"{free / 2**20:,.0f} MiB of disk are too few for {lines:,} lines")

    def _take(
        self, runtime: Runtime, workspace: Workspace, lines: int, width: int
    ) -> Mapping[str, list[float]]:
        with ExitStack() as stack:
            session = stack.enter_context(open_session(workspace, runtime, _ADAPTOR))
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            # It fails sooner where the application never came to be.
            listener.settimeout(LIMIT_S)
            pid = session.daemon_pid()
            before = memory_mib(pid)
            port = str(listener.getsockname()[1])
            script = str(PROBES / "write_many.py")
            writer = [str(runtime.python), "-I", script, str(lines), str(width), port]
            command = session.command("run", "--run-data", json.dumps({"command": writer}))
            started = time.perf_counter()
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=session.environ(),
            )
            assert process.stdout is not None
            with workspace.watched(process, self.limit_s), process.stdout:
                _wait_for_end(listener)
                seconds = time.perf_counter() - started
                reader = NumberedLines(width)
                while chunk := os.read(process.stdout.fileno(), 1 << 20):
                    reader.take(chunk)
                returncode = process.wait()
            if returncode != 0:
                raise BenchmarkError(describe_failure(command, returncode, reader.last_words()))
            reader.check(lines)
            return {"memory": [peak_memory_mib(pid) - before], "rate": [lines / seconds]}


def _wait_for_end(listener: socket.socket) -> None:
    """Until the application, which connects when it begins, has ended."""
    try:
        connection, _ = listener.accept()
    except OSError as error:
        raise BenchmarkError(f"the application did not begin: {error}") from None
    with connection:
        connection.settimeout(None)
        try:
            connection.recv(1)
        except OSError:
            pass  # Killed; what came of its output tells.


class NumberedLines:
    """Checks the lines of ``write_many.py`` while they come: they are too many to keep."""

    def __init__(self, width: int) -> None:
        self._filler = b"x" * (width - 10)
        self._prefix = _FROM_DAEMON.encode("ascii")
        self._count = 0
        self._wrong: int | None = None
        self._rest = b""
        self._others: list[bytes] = []

    def take(self, chunk: bytes) -> None:
        """Take what was read, which may end anywhere."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        came = [line for line in lines if line.startswith(self._prefix)]
        if len(came) != len(lines):
            others = [line for line in lines if not line.startswith(self._prefix)]
            self._others = (self._others + others)[-100:]
        if self._wrong is None:
            form = self._prefix + b"%09d" + self._filler
            numbers = range(self._count, self._count + len(came))
            if came != [form % number for number in numbers]:
                self._wrong = next(n for n, line in zip(numbers, came) if line != form % n)
        self._count += len(came)

    def check(self, expected: int) -> None:
        """Raises `BenchmarkError` unless `expected` lines came, in order, and no other."""
        wrong = self._wrong
        if wrong is None and self._count != expected:
            wrong = min(self._count, expected)
        if wrong is not None:
            raise _lines_lost(self._count, expected, wrong)

    def last_words(self) -> str:
        """What was printed beside the lines."""
        return b"\n".join([*self._others, self._rest]).decode("utf-8", "backslashreplace")
