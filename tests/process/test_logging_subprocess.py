"""LoggingSubprocess and ManagedProcess with real children, most of which misbehave."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from apps.gates import Gate
from bounded import LIMIT, Task

from openjd.adaptor_runtime import _output
from openjd.adaptor_runtime.app_handlers import RegexCallback, RegexHandler
from openjd.adaptor_runtime.process import LoggingSubprocess, ManagedProcess
from openjd.adaptor_runtime.process import logging_subprocess as module

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="about POSIX processes")

APPS = str(Path(__file__).parents[1] / "apps")
#: How children begin that use the gates and signals of tests/apps.
IMPORTS = f"import os, subprocess, sys; sys.path.insert(0, {APPS!r}); import gates, signals\n"
STDOUT, STDERR = logging.ERROR + 1, logging.ERROR + 2


class Records(logging.Handler):
    """Keeps the records that it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def lines(self, level: int = STDOUT) -> list[str]:
        """The messages at that level."""
        return [r.getMessage() for r in self.records if r.levelno == level]


@pytest.fixture
def records() -> Records:
    """What the test's logger got."""
    return Records()


@pytest.fixture
def logger(records: Records) -> logging.Logger:
    """A logger of the test's own."""
    made = logging.getLogger("test.application")
    made.setLevel(logging.DEBUG)
    made.propagate = False
    made.handlers = [records]
    made.filters = []
    return made


@pytest.fixture
def gate() -> Iterator[Gate]:
    """A gate."""
    with Gate() as made:
        yield made


Start = Callable[..., LoggingSubprocess]


@pytest.fixture
def start(logger: logging.Logger) -> Iterator[Start]:
    """Starts Python code; whatever still runs at the end is killed."""
    started: list[LoggingSubprocess] = []

    def run(code: str, *args: object, **options: Any) -> LoggingSubprocess:
        options.setdefault("logger", logger)
        command = [sys.executable, "-c", code, *map(str, args)]
        started.append(LoggingSubprocess(args=command, **options))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        Task(process.wait).result()


def wait(process: LoggingSubprocess) -> int | None:
    """Waits for the end; the exit code."""
    Task(process.wait).result()
    return process.returncode


def calls(pattern: str, function: Callable[[re.Match[str]], object]) -> RegexHandler:
    """A handler that calls `function` for lines in which the pattern is found."""
    return RegexHandler([RegexCallback([re.compile(pattern)], function)])


class Collector:
    """A handler's callback that keeps the lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.handler = calls("^.*$", lambda match: self.lines.append(match.string))


class TestStart:
    def test_runs_at_once_and_says_so(self, start: Start, records: Records, gate: Gate) -> None:
        """The command runs when the object exists; its command line was logged before."""
        process = start(IMPORTS + "gates.pass_through(int(sys.argv[1]))", gate.port)
        visitor = gate.wait()
        assert process.pid == visitor.pid
        assert process.is_running
        assert process.returncode is None
        [line] = records.lines(logging.INFO)
        assert line.startswith("Running command: ")
        assert sys.executable in line
        visitor.let_go()
        assert wait(process) == 0
        assert not process.is_running

    @pytest.mark.parametrize("status", [0, 1, 3, 255])
    def test_exit_code(self, start: Start, status: int) -> None:
        """The exit code is the command's."""
        process = start("import sys; sys.exit(int(sys.argv[1]))", status)
        assert wait(process) == status
        assert process.returncode == status

    @posix_only
    def test_ended_by_a_signal(self, start: Start) -> None:
        """Where a signal ended the command the exit code is its number, negative."""
        assert wait(start("import os; os.kill(os.getpid(), 11)")) == -11

    def test_arguments_arrive_as_they_are(self, start: Start, records: Records) -> None:
        """No shell reads the arguments: spaces, quotes, dollars, stars and empty ones arrive."""
        args = ["a b", "it's", '"quoted"', "$HOME", "*", "", "back\\slash\\", "\u00fc\u20ac", "%s"]
        wait(start("import json, sys; print(json.dumps(sys.argv[1:]))", *args))
        assert json.loads(records.lines()[0]) == args

    @pytest.mark.parametrize("name", ["no-such-renderer", "/no/such/renderer"])
    def test_missing_executable(self, logger: logging.Logger, name: str) -> None:
        """A program that does not exist is named, whether a name or a path."""
        with pytest.raises(FileNotFoundError, match=name):
            LoggingSubprocess(args=[name, "-b"], logger=logger)

    @posix_only
    def test_not_executable(self, logger: logging.Logger, tmp_path: Path) -> None:
        """A file that may not be executed is named."""
        file = tmp_path / "renderer"
        file.write_text("text")
        with pytest.raises(PermissionError, match="renderer"):
            LoggingSubprocess(args=[str(file)], logger=logger)

    def test_startup_directory(self, start: Start, records: Records, tmp_path: Path) -> None:
        """The command runs in the folder that it is given."""
        wait(start("import os; print(os.getcwd())", startup_directory=str(tmp_path)))
        assert os.path.samefile(records.lines()[0], tmp_path)

    def test_missing_startup_directory(self, logger: logging.Logger, tmp_path: Path) -> None:
        """A startup directory that does not exist is what is blamed, not the program."""
        missing = str(tmp_path / "missing")
        with pytest.raises(FileNotFoundError, match="startup directory") as caught:
            LoggingSubprocess(args=[sys.executable], startup_directory=missing, logger=logger)
        assert caught.value.filename == missing
        assert sys.executable not in str(caught.value)

    def test_no_program(self, logger: logging.Logger) -> None:
        """Without a program there is nothing to start."""
        with pytest.raises(ValueError, match="args"):
            LoggingSubprocess(args=[], logger=logger)

    def test_unknown_encoding(self, logger: logging.Logger) -> None:
        """An encoding that does not exist is an error, and leaves no process behind."""
        with pytest.raises(LookupError, match="klingon"):
            LoggingSubprocess(
                args=[sys.executable, "-c", "import time; time.sleep(600)"],
                logger=logger,
                encoding="klingon",
            )

    def test_stdin_is_the_null_device(self, start: Start, records: Records) -> None:
        """The command reads the end of its stdin at once: nobody can be asked anything."""
        wait(start("import sys; print(repr(sys.stdin.read()))"))
        assert records.lines() == ["''"]

    @posix_only
    def test_own_process_group(self, start: Start, gate: Gate) -> None:
        """The command has a process group and a session of its own."""
        process = start(IMPORTS + "gates.pass_through(int(sys.argv[1]))", gate.port)
        visitor = gate.wait()
        assert os.getpgid(process.pid) == process.pid
        assert os.getsid(process.pid) == process.pid
        visitor.let_go()
        wait(process)

    def test_known_as_running(self, start: Start, gate: Gate) -> None:
        """The session knows its applications until they have ended."""
        process = start(IMPORTS + "gates.pass_through(int(sys.argv[1]))", gate.port)
        assert process in module.running()
        gate.wait().let_go()
        wait(process)
        assert process not in module.running()


class TestOutput:
    def test_levels(self, start: Start, records: Records) -> None:
        """Lines of stdout are logged at ERROR + 1, those of stderr at ERROR + 2, with names."""
        wait(start("import sys; print('out'); print('err', file=sys.stderr)"))
        assert records.lines(41) == ["out"]
        assert records.lines(42) == ["err"]
        assert {r.levelname for r in records.records} == {"INFO", "STDOUT", "STDERR"}
        assert {r.name for r in records.records} == {"test.application"}

    def test_default_logger(self, start: Start) -> None:
        """Without a logger, lines are logged below the runtime's."""
        handler = Records()
        runtime = logging.getLogger("openjd.adaptor_runtime")
        runtime.addHandler(handler)
        try:
            process = LoggingSubprocess(args=[sys.executable, "-c", "print('x')"])
            wait(process)
        finally:
            runtime.removeHandler(handler)
        assert handler.lines() == ["x"]

    def test_handlers_see_their_stream(self, start: Start) -> None:
        """Each handler gets the lines of its own stream, in order."""
        out, err = Collector(), Collector()
        code = (
            "import sys\n"
            "for i in range(100):\n"
            "    print('out', i)\n"
            "    print('err', i, file=sys.stderr)\n"
        )
        wait(start(code, stdout_handler=out.handler, stderr_handler=err.handler))
        assert out.lines == [f"out {i}" for i in range(100)]
        assert err.lines == [f"err {i}" for i in range(100)]

    def test_one_handler_for_both(self, start: Start) -> None:
        """One handler may serve both streams; it runs one callback at a time."""
        busy = threading.Lock()
        seen = []

        def callback(match: re.Match[str]) -> None:
            assert busy.acquire(blocking=False)
            seen.append(match.string)
            busy.release()

        handler = calls(".", callback)
        code = (
            "import sys\n"
            "for i in range(2000):\n"
            "    print('out', i)\n"
            "    print('err', i, file=sys.stderr)\n"
        )
        wait(start(code, stdout_handler=handler, stderr_handler=handler))
        assert [line for line in seen if line[0] == "o"] == [f"out {i}" for i in range(2000)]
        assert [line for line in seen if line[0] == "e"] == [f"err {i}" for i in range(2000)]

    def test_logged_before_the_callback(self, start: Start, records: Records) -> None:
        """When a callback sees a line, that line was logged, and none behind it."""
        logged: list[list[str]] = []
        handler = calls(".", lambda match: logged.append(records.lines()))
        wait(start("print('a\\nb\\nc')", stdout_handler=handler))
        assert logged == [["a"], ["a", "b"], ["a", "b", "c"]]

    def test_a_line_is_seen_when_it_is_printed(
        self, start: Start, gate: Gate, records: Records
    ) -> None:
        """Lines are handled while the command runs; a carriage return ends one as well."""
        seen = {text: threading.Event() for text in ("loading", "50 %")}
        handler = calls(".", lambda match: seen[match.string].set())
        code = IMPORTS + (
            "print('loading', flush=True)\n"
            "gates.pass_through(int(sys.argv[1]))\n"
            "print('50 %', end='\\r', flush=True)\n"
            "gates.pass_through(int(sys.argv[1]))\n"
        )
        process = start(code, gate.port, stdout_handler=handler)
        for event in seen.values():
            assert event.wait(LIMIT)
            gate.wait().let_go()
        assert wait(process) == 0
        assert records.lines() == ["loading", "50 %"]

    @pytest.mark.parametrize(
        ("written", "lines"),
        [
            (b"", []),
            (b"no newline", ["no newline"]),
            (b"\n\na\n\n", ["", "", "a", ""]),
            (b"before\n\xff\xfe caf\xe9\nafter\n", ["before", "\\xff\\xfe caf\\xe9", "after"]),
            (b"a\0b\n", ["a\0b"]),
            (b"1 %\r2 %\r\n3 %\r", ["1 %", "2 %", "3 %"]),
            (b"100%s %d {0}\n", ["100%s %d {0}"]),
            ("z\u00fcrich \u20ac\n".encode(), ["z\u00fcrich \u20ac"]),
        ],
    )
    def test_any_bytes(
        self, start: Start, records: Records, written: bytes, lines: list[str]
    ) -> None:
        """Whatever bytes the command prints, they are shown, and its output goes on."""
        collector = Collector()
        code = "import os, sys; os.write(1, bytes.fromhex(sys.argv[1]))"
        process = start(code, written.hex(), stdout_handler=collector.handler)
        assert wait(process) == 0
        assert records.lines() == lines
        assert collector.lines == [line for line in lines if "\r" not in line]

    @pytest.mark.parametrize("encoding", ["latin-1", "utf-16-le"])
    def test_encoding(self, start: Start, records: Records, encoding: str) -> None:
        """Output is decoded as the encoding that was given says."""
        code = "import os, sys; os.write(1, 'gr\\xfcn\\nblau\\n'.encode(sys.argv[1]))"
        wait(start(code, encoding, encoding=encoding))
        assert records.lines() == ["gr\u00fcn", "blau"]

    def test_one_line_of_5_mb(self, start: Start, records: Records) -> None:
        """One very long line is shown in pieces, all of it, and what follows as well."""
        code = "import sys; sys.stdout.write('x' * 5_000_000 + '\\nafter')"
        assert wait(start(code)) == 0
        *pieces, after = records.lines()
        assert after == "after"
        assert sum(piece.count("x") for piece in pieces) == 5_000_000
        assert max(map(len, pieces)) < 64_000

    def test_much_on_both_streams(self, start: Start, records: Records) -> None:
        """Megabytes on both streams at once are all read, in order."""
        code = (
            "import sys\n"
            "for i in range(20):\n"
            "    for stream in (sys.stdout, sys.stderr):\n"
            "        stream.write(f'{i} {\"x\" * 60}\\n' * 1000)\n"
        )
        assert wait(start(code)) == 0
        for level in (STDOUT, STDERR):
            numbers = [int(line.split()[0]) for line in records.lines(level)]
            assert numbers == sorted(numbers)
            assert len(numbers) == 20_000


class TestLogger:
    def test_filters_and_level_of_the_logger(
        self, start: Start, logger: logging.Logger, records: Records
    ) -> None:
        """The caller's logger decides what is logged; callbacks see every line all the same."""
        collector = Collector()
        logger.addFilter(lambda record: "noise" not in record.getMessage())
        code = "print('noise 1\\nsignal\\nnoise 2')"
        wait(start(code, stdout_handler=collector.handler))
        assert records.lines() == ["signal"]
        logger.setLevel(logging.CRITICAL)
        wait(start(code, stdout_handler=collector.handler))
        assert records.lines() == ["signal"]
        assert collector.lines == ["noise 1", "signal", "noise 2"] * 2

    def test_filters_levels_and_formatters_of_handlers(
        self, start: Start, logger: logging.Logger
    ) -> None:
        """The caller's handlers get a record per line and do with it what they always do."""
        formatted = []

        class Shown(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                formatted.append(self.format(record))

        shown = Shown(level=STDERR)
        shown.setFormatter(logging.Formatter("%(name)s|%(levelname)s|%(message)s"))
        shown.addFilter(lambda record: record.getMessage() != "hidden")
        logger.addHandler(shown)
        wait(start("import sys; print('out'); print('hidden\\nshown %s', file=sys.stderr, end='')"))
        assert formatted == ["test.application|STDERR|shown %s"]

    def test_propagation(self, start: Start) -> None:
        """Records travel up to the handlers of the parents, where that is not turned off."""
        parent = logging.getLogger("test_propagation")
        child = logging.getLogger("test_propagation.child")
        child.setLevel(logging.DEBUG)
        handler = Records()
        parent.addHandler(handler)
        try:
            wait(start("print('a')", logger=child))
            child.propagate = False
            wait(start("print('b')", logger=child))
        finally:
            parent.removeHandler(handler)
        assert handler.lines() == ["a"]

    def test_a_handler_that_raises(self, start: Start, logger: logging.Logger) -> None:
        """A handler of the caller's that raises stops neither the output nor the command."""

        class Broken(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                if record.getMessage() == "line 3":
                    raise OSError("disk full")

        logger.addHandler(Broken())
        collector = Collector()
        code = "for i in range(15_000): print('line', i)"
        assert wait(start(code, stdout_handler=collector.handler)) == 0
        assert collector.lines[-1] == "line 14999"

    @pytest.mark.parametrize("other", [False, True])
    def test_the_runtimes_own_handler(self, start: Start, other: bool) -> None:
        """The session shows the same, whether or not somebody else listens to the logger."""
        shown: list[str] = []
        output = _output.Output(shown.append, prefix="ADAPTOR_OUTPUT: ")
        logger = logging.Logger("test.own")
        logger.addHandler(_output.LogHandler(output))
        if other:
            logger.addHandler(Records())
        text = (
            "plain\n\nopenjd_progress: 50\nopenjd_env: A=b\n openjd_status: no\n"
            "openjd_status: yes\nx\0y\n%s\na\x0bb\x0cc\x1cd\u2028e\n"
        )
        code = "import sys; sys.stdout.reconfigure(encoding='utf-8'); print(eval(sys.argv[1]))"
        wait(start(code, ascii(text + "last"), logger=logger))
        lines = "".join(shown).split("\n")
        del lines[0]  # Running command
        assert lines == [
            "ADAPTOR_OUTPUT: STDOUT: plain",
            "ADAPTOR_OUTPUT: STDOUT: ",
            "openjd_progress: 50",
            "ADAPTOR_OUTPUT: STDOUT: openjd_env: A=b",
            "ADAPTOR_OUTPUT: STDOUT:  openjd_status: no",
            "openjd_status: yes",
            "ADAPTOR_OUTPUT: STDOUT: x\0y",
            "ADAPTOR_OUTPUT: STDOUT: %s",
            "ADAPTOR_OUTPUT: STDOUT: a\x0bb\x0cc\x1cd\u2028e",
            "ADAPTOR_OUTPUT: STDOUT: last",
            "",
        ]


class TestCallbacks:
    def raising(self, error: BaseException) -> tuple[Collector, RegexHandler]:
        """A handler that raises at the line ``bad``, and what sees all lines behind it."""
        collector = Collector()

        def fail(match: re.Match[str]) -> None:
            raise error

        every = collector.handler.regex_callbacks[0]
        return collector, RegexHandler([every, RegexCallback([re.compile("^bad$")], fail)])

    CODE = "print('good\\nbad')\nfor i in range(15_000): print('line', i)"

    def test_that_raises(self, start: Start, records: Records) -> None:
        """A callback that raises is reported with the line's output going on."""
        failures = _output.Output(lambda block: None)
        _output.set_current(failures)
        try:
            collector, handler = self.raising(ValueError("no such layer"))
            assert wait(start(self.CODE, stdout_handler=handler)) == 0
        finally:
            _output.set_current(None)
        assert collector.lines[:2] == ["good", "bad"]
        assert collector.lines[-1] == "line 14999"
        assert records.lines()[-1] == "line 14999"
        [line] = records.lines(logging.ERROR)
        assert "ValueError: no such layer" in line
        failure = failures.take_failure()
        assert failure is not None
        assert "no such layer" in failure.message

    @pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt()])
    def test_that_exits(self, start: Start, records: Records, error: BaseException) -> None:
        """A callback that calls sys.exit() does not leave the application with a full pipe."""
        collector, handler = self.raising(error)
        assert wait(start(self.CODE, stdout_handler=handler)) == 0
        assert collector.lines[-1] == "line 14999"
        assert type(error).__name__ in records.lines(logging.ERROR)[0]

    def test_that_ends_the_command(self, start: Start, gate: Gate) -> None:
        """A callback, on the thread that reads, may end the command."""
        ended = threading.Event()
        processes: list[LoggingSubprocess] = []

        def end(match: re.Match[str]) -> None:
            processes[0].terminate(0)
            ended.set()

        code = IMPORTS + (
            "gates.pass_through(int(sys.argv[1]))\n"
            "print('licence error', flush=True)\n"
            "gates.pass_through(int(sys.argv[1]))\n"
        )
        processes.append(start(code, gate.port, stdout_handler=calls("licence", end)))
        gate.wait().let_go()
        assert ended.wait(LIMIT)
        assert wait(processes[0]) != 0

    def test_handled_when_the_end_is_seen(self, start: Start) -> None:
        """Whoever sees the command's end has seen what its callbacks made of its output."""
        for _ in range(5):
            collector = Collector()
            process = start("print('a\\n' * 5000 + 'error')", stdout_handler=collector.handler)
            Task(lambda process=process: process._process.wait()).result()
            assert not process.is_running
            assert collector.lines[-1] == "error"


TREE = IMPORTS + (
    "port, how, end = int(sys.argv[1]), sys.argv[2], sys.argv[3]\n"
    "code = sys.argv[4]\n"
    "options = {'start_new_session': True} if how == 'own session' else {}\n"
    "child = subprocess.Popen([sys.executable, '-c', code, str(port)], **options)\n"
    "if end == 'ignore': signals.ignore_cancel()\n"
    "if end == 'leave': os._exit(0)\n"
    "gates.pass_through(port)\n"
)
DEAF = IMPORTS + "signals.ignore_cancel(); gates.pass_through(int(sys.argv[1]))\n"
# Windows runs the handler of a signal between two steps of the main thread and ends no wait for
# it: there the main thread has to take steps.
WAIT = (
    "if os.name == 'posix': gates.pass_through(int(sys.argv[1]))\n"
    "else:\n"
    "    import threading\n"
    "    waiting = threading.Thread(target=gates.pass_through, args=(int(sys.argv[1]),))\n"
    "    waiting.start()\n"
    "    while waiting.is_alive(): waiting.join(0.1)\n"
)
POLITE = IMPORTS + (
    "import signal\n"
    "def leave(signum, frame):\n"
    "    print('bye', flush=True)\n"
    "    os._exit(7)\n"
    "signal.signal(getattr(signal, 'SIGBREAK', signal.SIGTERM), leave)\n" + WAIT
)


def terminate(process: LoggingSubprocess, grace: float) -> None:
    """Terminates it, in bounded time."""
    Task(process.terminate, grace).result()


class TestTerminate:
    def test_asks_first(self, start: Start, gate: Gate, records: Records) -> None:
        """The command is asked to end, and what it says then is still shown."""
        process = start(POLITE, gate.port)
        gate.wait()
        terminate(process, 60)
        assert process.returncode == 7
        assert not process.is_running
        assert records.lines() == ["bye"]

    def test_kills_who_does_not_listen(self, start: Start, gate: Gate) -> None:
        """A command that ignores the request is killed once the grace time is over."""
        process = start(DEAF, gate.port)
        gate.wait()
        terminate(process, 0.2)
        assert process.returncode not in (None, 0)
        assert not process.is_running

    def test_zero_kills_at_once(self, start: Start, gate: Gate, records: Records) -> None:
        """Without grace the command is not asked."""
        process = start(POLITE, gate.port)
        gate.wait()
        terminate(process, 0)
        assert process.returncode not in (None, 0, 7)
        assert records.lines() == []

    def test_after_the_end(self, start: Start) -> None:
        """Ending what has ended does nothing; its exit code stays."""
        process = start("import sys; sys.exit(4)")
        wait(process)
        for grace in (0, 60):
            terminate(process, grace)
        assert process.returncode == 4

    def test_hurried(self, start: Start, gate: Gate, records: Records) -> None:
        """While one thread waits for the grace time, another that gives none is obeyed."""
        asked = threading.Event()
        code = IMPORTS + (
            "import signal\n"
            "signal.signal(getattr(signal, 'SIGBREAK', signal.SIGTERM),\n"
            "    lambda *args: print('asked', flush=True))\n" + WAIT
        )
        process = start(code, gate.port, stdout_handler=calls("asked", lambda match: asked.set()))
        gate.wait()
        patient = Task(process.terminate, 600)
        assert asked.wait(LIMIT)
        hurried = Task(process.terminate, 0)
        try:
            hurried.result()
            patient.result()
        finally:
            process.kill()
        assert not process.is_running

    def test_kill_while_it_waits(self, start: Start, gate: Gate) -> None:
        """A kill from another thread ends the grace time."""
        process = start(DEAF, gate.port)
        visitor = gate.wait()
        patient = Task(process.terminate, 600)
        process.kill()
        visitor.gone()
        patient.result()

    @pytest.mark.parametrize("end", ["stay", "ignore"])
    @pytest.mark.parametrize("grace", [0, 0.2])
    @pytest.mark.parametrize("how", ["same group", pytest.param("own session", marks=posix_only)])
    def test_takes_the_whole_tree(
        self, start: Start, gate: Gate, how: str, end: str, grace: float
    ) -> None:
        """What the command started ends with it: deaf, in a session of its own, whatever."""
        process = start(TREE, gate.port, how, end, DEAF)
        visitors = [gate.wait(), gate.wait()]
        assert process.pid in {visitor.pid for visitor in visitors}
        terminate(process, grace)
        for visitor in visitors:
            visitor.gone()

    def test_takes_what_the_command_left_behind(self, start: Start, gate: Gate) -> None:
        """A child that outlived the command ends with a terminate after the command's end."""
        process = start(TREE, gate.port, "same group", "leave", DEAF)
        visitor = gate.wait()
        assert wait(process) == 0
        terminate(process, 0)
        visitor.gone()

    def test_takes_grandchildren_of_grandchildren(self, start: Start, gate: Gate) -> None:
        """However deep the tree is, all of it ends."""
        code = IMPORTS + (
            "depth, port = int(sys.argv[2]), sys.argv[1]\n"
            "if depth:\n"
            "    subprocess.Popen([sys.executable, '-c', sys.argv[3], port, str(depth - 1),\n"
            "                      sys.argv[3]], start_new_session=os.name == 'posix')\n"
            "gates.pass_through(int(port))\n"
        )
        process = start(code, gate.port, 3, code)
        visitors = [gate.wait() for _ in range(4)]
        terminate(process, 0)
        for visitor in visitors:
            visitor.gone()


class TestWait:
    def test_a_grandchild_holds_the_pipe(self, start: Start, gate: Gate, records: Records) -> None:
        """A process that was left behind with the output open does not keep wait from ending."""
        code = IMPORTS + (
            "subprocess.Popen([sys.executable, '-c', sys.argv[2], sys.argv[1]])\n"
            "print('done', flush=True)\n"
        )
        process = start(code, gate.port, DEAF)
        visitor = gate.wait()
        assert wait(process) == 0
        assert records.lines() == ["done"]
        assert not process.is_running
        # Nobody has forgotten it: the end of the session ends it.
        assert process in module.running()
        process.kill()
        visitor.gone()

    def test_all_output_is_there(self, start: Start, records: Records) -> None:
        """When wait returns, everything that was printed has been handled."""
        for count in (1, 1000, 20_000):
            records.records.clear()
            wait(start("import sys; print('x\\n' * int(sys.argv[1]), end='')", count))
            assert len(records.lines()) == count

    def test_many_threads_wait(self, start: Start, gate: Gate) -> None:
        """Any number of threads may wait, and ask, at the same time."""
        process = start(IMPORTS + "gates.pass_through(int(sys.argv[1]))", gate.port)
        waiting = [Task(process.wait) for _ in range(5)]
        gate.wait().let_go()
        for task in waiting:
            task.result()
        assert process.returncode == 0

    def test_context_manager(self, start: Start, records: Records) -> None:
        """The ``with`` block ends when the command has, and gives the process itself."""
        with start("print('x')") as process:
            assert isinstance(process, LoggingSubprocess)
        assert process.returncode == 0
        assert records.lines() == ["x"]

    def test_context_manager_and_an_exception(self, start: Start) -> None:
        """An exception in the block comes out of it."""
        process = start("pass")
        with pytest.raises(RuntimeError, match="mine"), process:
            raise RuntimeError("mine")
        assert not process.is_running


class Renderer(ManagedProcess):
    """A command for a task."""

    def get_executable(self) -> str:
        return sys.executable

    def get_arguments(self) -> list[str]:
        return ["-c", self.run_data["code"]]

    def get_startup_directory(self) -> str | None:
        return self.run_data.get("folder")


class TestManagedProcess:
    def test_runs(self, tmp_path: Path) -> None:
        """What the methods say is run, with the handlers, and its exit code kept."""
        out, err = Collector(), Collector()
        code = "import os, sys; print(os.getcwd()); print('e', file=sys.stderr); sys.exit(3)"
        process = Renderer(
            {"code": code, "folder": str(tmp_path)},
            stdout_handler=out.handler,
            stderr_handler=err.handler,
        )
        assert process.returncode is None
        Task(process.run).result()
        assert process.returncode == 3
        assert os.path.samefile(out.lines[0], tmp_path)
        assert err.lines == ["e"]

    def test_defaults(self) -> None:
        """Only the executable must be said."""

        class Plain(ManagedProcess):
            def get_executable(self) -> str:
                return "no-such-renderer"

        process = Plain({})
        assert process.get_arguments() == []
        assert process.get_startup_directory() is None
        with pytest.raises(FileNotFoundError, match="no-such-renderer"):
            process.run()
        with pytest.raises(TypeError, match="get_executable"):
            ManagedProcess({})
