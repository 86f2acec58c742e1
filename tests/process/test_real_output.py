"""Output of real applications where it is hardest: torn, held open, and read by a real engine."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from apps.drive import Host, Session, hosting
from apps.gates import LIMIT, Gate
from bounded import Task
from hypothesis import example, given
from hypothesis import strategies as st

from openjd.adaptor_runtime._output import LINE_LIMIT, LINE_MARK, LogHandler, Output
from openjd.adaptor_runtime.app_handlers import RegexCallback, RegexHandler
from openjd.adaptor_runtime.process import LoggingSubprocess
from openjd.adaptor_runtime.process._pump import LineBuffer
from openjd.adaptor_runtime_client.wire.messages import encode_text

try:
    from openjd.sessions._action_filter import ActionMonitoringFilter
except ImportError:
    ActionMonitoringFilter = None

with_engine = pytest.mark.skipif(
    ActionMonitoringFilter is None, reason="openjd-sessions is not installed"
)

APPS = str(Path(__file__).parents[1] / "apps")
#: How children begin that use the gates of tests/apps.
IMPORTS = f"import os, subprocess, sys; sys.path.insert(0, {APPS!r}); import gates\n"
STDOUT, STDERR = logging.ERROR + 1, logging.ERROR + 2
#: How long wait() may take once the application has ended (seconds).
WAIT_LIMIT = 2.0


class Records(logging.Handler):
    """Keeps what the application printed, and tells of each line."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._changed = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno in (STDOUT, STDERR):
            with self._changed:
                self.lines.append(record.getMessage())
                self._changed.notify_all()

    def await_line(self, line: str) -> None:
        """Blocks until that line has come."""
        with self._changed:
            assert self._changed.wait_for(lambda: line in self.lines, LIMIT), self.lines[-20:]


@pytest.fixture
def records() -> Records:
    """What the test's logger got."""
    return Records()


@pytest.fixture
def logger(records: Records) -> logging.Logger:
    """A logger of the test's own."""
    made = logging.Logger("test.application", logging.DEBUG)
    made.addHandler(records)
    return made


@pytest.fixture
def gate() -> Iterator[Gate]:
    """A gate."""
    with Gate() as made:
        yield made


@pytest.fixture
def host(private_place: Path) -> Iterator[Host]:
    """A host; whatever is left on it when the test has ended fails the test."""
    with hosting(private_place) as made:
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


# Bytes.


def test_ends_and_characters_torn_between_two_reads(
    start: Start, records: Records, gate: Gate
) -> None:
    r"""\r\n is one line's end though a read lies within it, and so is a character one."""
    code = IMPORTS + (
        "for data in (b'one\\r', b'\\ntwo\\r', b'three\\n\\xe2\\x82', b'\\xac\\n'):\n"
        "    os.write(1, data)\n"
        "    gates.pass_through(int(sys.argv[1]))\n"
    )
    process = start(code, gate.port)
    for seen in ("one", "two", "three", "\u20ac"):
        records.await_line(seen)
        gate.wait().let_go()
    Task(process.wait).result()
    assert records.lines == ["one", "two", "three", "\u20ac"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_an_encoding_that_the_output_is_not_in(
    logger: logging.Logger, records: Records, encoding: str
) -> None:
    """An application that prints in another encoding is read to its end, and shown somehow."""
    code = "import os\nfor _ in range(20): os.write(1, b'rendering frame 1 of 100 ...\\n' * 1000)"
    process = LoggingSubprocess(args=[sys.executable, "-c", code], logger=logger, encoding=encoding)
    ended = Task(process.wait)
    ended._thread.join(LIMIT / 6)
    hangs = ended._thread.is_alive()
    process.kill()
    assert not hangs, "the application hangs, or wait() does: nobody reads its output"
    assert process.returncode == 0
    assert records.lines != []


# The end.

#: What a grandchild does that was left behind with the output open. Knocks before it is left.
GRANDCHILDREN = {
    "is silent": "gates.pass_through(port)",
    "talks now and then": (
        "import threading\n"
        "knock = gates.Knock(port)\n"
        "while True:\n"
        "    os.write(1, b'tick\\n'); threading.Event().wait(0.05)\n"
    ),
    "floods": "gates.Knock(port)\nwhile True: os.write(1, FLOOD * 8)",
    "floods both": ("gates.Knock(port)\nwhile True: os.write(1, FLOOD); os.write(2, FLOOD)"),
}


@pytest.mark.parametrize("does", GRANDCHILDREN)
def test_a_grandchild_that_holds_the_pipe(
    start: Start, records: Records, gate: Gate, does: str
) -> None:
    """wait() returns within two seconds of the exit, with what came until then.

    Whatever the process does that was left behind with both streams open. Time itself is the
    subject here.
    """
    grandchild = IMPORTS + (
        "port = int(sys.argv[1])\nFLOOD = b'flood' + b' ' * 500 + b'\\n'\n"
        "os.write(1, b'from the grandchild\\n')\n" + GRANDCHILDREN[does]
    )
    code = IMPORTS + (
        "subprocess.Popen([sys.executable, '-c', sys.argv[2], sys.argv[1]])\n"
        "gates.pass_through(int(sys.argv[1]))\n"
        "os.write(1, b'last words\\n')\n"
        "os.write(2, b'last complaint\\n')\n"
    )
    process = start(code, gate.port, grandchild)
    visitors = {visitor.pid: visitor for visitor in (gate.wait(), gate.wait())}
    visitors[process.pid].let_go()
    process._process.wait(LIMIT)
    exited = time.monotonic()
    returned: list[float] = []
    waiting = Task(lambda: (process.wait(), returned.append(time.monotonic())))
    waiting._thread.join(WAIT_LIMIT + 1)
    shown = [line for line in records.lines[:] if not line.startswith(("tick", "flood"))]
    process.kill()  # The grandchild as well, else its output would never end.
    waiting.result()
    assert returned[0] - exited < WAIT_LIMIT
    assert process.returncode == 0
    assert sorted(shown) == ["from the grandchild", "last complaint", "last words"]


# Loggers.

MANY = 15_000
PRINT_MANY = f"for n in range({MANY}): print('line', n)"


class Collector:
    """A handler's callback that keeps the lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        every = RegexCallback([re.compile(".")], lambda match: self.lines.append(match.string))
        self.handler = RegexHandler([every])


@pytest.mark.parametrize("part", ["handler", "filter"])
def test_a_handler_or_filter_that_raises_loses_no_other_line(
    start: Start, logger: logging.Logger, records: Records, part: str
) -> None:
    """The caller's logging may raise at a line; all others are logged and seen by callbacks."""

    def raise_at_3(record: logging.LogRecord) -> bool:
        if record.getMessage() == "line 3":
            raise OSError("disk full")
        return True

    if part == "handler":
        broken = logging.Handler()
        broken.emit = raise_at_3  # type: ignore[assignment, method-assign]
        logger.addHandler(broken)
    else:
        logger.addFilter(raise_at_3)
    collector = Collector()
    process = start(PRINT_MANY, stdout_handler=collector.handler)
    Task(process.wait).result()
    every = [f"line {n}" for n in range(MANY)]
    assert [line for line in records.lines if line != "line 3"] == every[:3] + every[4:]
    assert collector.lines == every


@pytest.mark.parametrize("method", ["handle", "callHandlers", "makeRecord"])
def test_a_logger_of_another_class(start: Start, method: str) -> None:
    """What a logger's class does with each record, it does with each line of an application."""
    calls: list[object] = []

    def overridden(self: logging.Logger, *args: Any, **options: Any) -> Any:
        calls.append(args)
        return getattr(logging.Logger, method)(self, *args, **options)

    made: logging.Logger = type("Logger", (logging.Logger,), {method: overridden})("test.own")
    shown: list[str] = []
    made.addHandler(LogHandler(Output(shown.append)))
    process = start("for n in range(100): print(n)", logger=made)
    Task(process.wait).result()
    assert "".join(shown).split("\n")[1:-1] == [f"STDOUT: {n}" for n in range(100)]
    assert len(calls) >= 100


# Engines.

#: What is no message however it is printed by an application.
NEVER = [
    "openjd_env: A=1",
    'openjd_env: "A=1"',
    "openjd_env:A=1",
    "openjd_env",
    "openjd_env\tA=1",
    "OPENJD_ENV: A=1",
    "OpenJD_Env: A=1",
    "openjd_redacted_env: A=1",
    'openjd_redacted_env: "A=1\\n2"',
    "openjd_unset_env: A",
    "OPENJD_UNSET_ENV: A",
    "openjd_session_runtime_loglevel: DEBUG",
]
ALLOWED = [
    "openjd_progress: 50",
    "openjd_progress: 101",
    "openjd_progress: much",
    "openjd_status: fine",
    "openjd_status: openjd_env: A=1",
    "openjd_fail: no",
]
ODD = ["openjd_fail: ", "openjd_fail:", "openjd_status", "STDOUT: openjd_env: A=1", "x", "\u20ac"]
#: White space of all sorts, line ends of others than engines, and what is next to nothing.
BLANKS = [
    *("", " ", "\t", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\xa0", "\u2003"),
    *("\u2028", "\u2029", "\u3000", "\ufeff", "\u200b", "\0", "\b", "\x1b[0m", "\\", '"'),
]
ENDS = ["\n", "\r", "\r\n", "\r\r\n", "\n\r", ""]


def taken(data: bytes) -> list[tuple[str, object]]:
    """The messages that the engine takes from a command's output: its own way of reading it."""
    seen: list[tuple[str, object]] = []
    monitor = ActionMonitoringFilter(
        session_id="s", callback=lambda kind, value, cancel: seen.append((kind.value, value))
    )
    stream = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", errors="backslashreplace")
    for line in iter(lambda: stream.readline(64_000), ""):
        record = logging.makeLogRecord({"msg": line.rstrip("\n\r"), "session_id": "s"})
        monitor.filter(record)
    return seen


def allowed(data: bytes) -> list[tuple[str, object]]:
    """The messages that an application which printed `data` is allowed."""
    seen: list[tuple[str, object]] = []
    text = data.decode("utf-8", "backslashreplace")
    for line in re.split("\r\n|\r|\n", text):
        found = re.match("openjd_(progress|status|fail): (.+)", line, re.DOTALL)
        if not found:
            continue
        kind, value = found.groups()
        if kind == "progress":
            try:
                number = float(value)
            except ValueError:
                continue
            if 0 <= number <= 100:
                seen.append((kind, number))
        else:
            if len(line) > LINE_LIMIT:
                value = value[: LINE_LIMIT - len(LINE_MARK) - len(line) + len(value)] + LINE_MARK
            seen.append((kind, value))
    return seen


def is_same(messages: list[tuple[str, object]], wanted: list[tuple[str, object]]) -> bool:
    """Whether they are; where a line was broken may differ by the character that it may."""

    def form(message: tuple[str, object]) -> tuple[str, object]:
        kind, value = message
        if isinstance(value, str) and value.endswith(LINE_MARK):
            return kind, value[: LINE_LIMIT - 100]
        return message

    return [form(one) for one in messages] == [form(one) for one in wanted]


long = st.integers(-40, 40).map(lambda n: "x" * (LINE_LIMIT - len(LINE_MARK) + n))
fragment = (
    st.sampled_from([*NEVER, *ALLOWED, *ODD])
    | st.sampled_from(BLANKS)
    | st.sampled_from(ENDS)
    | st.text(max_size=3)
)
raw = fragment.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.sampled_from(
    [b"\xff", b"\xe2\x82", b"\xc2", b"\xed\xb2\x80", b"\xef\xbb\xbf"]
)
printed = st.lists(raw, max_size=8).map(b"".join)
with_long_line = st.tuples(printed, st.none() | long, printed).map(
    lambda parts: parts[0] + (parts[1] or "").encode() + parts[2]
)


@with_engine
@given(with_long_line, st.sampled_from(["", "ADAPTOR_OUTPUT: "]), st.booleans(), st.data())
@example(b"x\ropenjd_env: A=1\r\nopenjd_unset_env: A", "", True, None)
@example(b"x" * (LINE_LIMIT - len(LINE_MARK)) + b"openjd_env: A=1\n", "", False, None)
def test_what_an_engine_takes(
    data: bytes, prefix: str, by_records: bool, draw: st.DataObject | None
) -> None:
    """A real engine takes progress, status and failures of an application, and nothing else.

    However lines are ended, begun or broken, by which way they are logged, and in what pieces
    they came.
    """
    shown: list[bytes] = []
    output = Output(lambda block: shown.append(encode_text(block)), prefix)
    buffer = LineBuffer("utf-8")
    cuts = draw.draw(st.lists(st.integers(0, len(data)), max_size=3)) if draw else []
    ends = [*sorted(cuts), len(data)]
    blocks = [buffer.feed(data[a:b]) for a, b in zip([0, *ends], ends)]
    handler = LogHandler(output)
    for block in filter(None, [*blocks, buffer.finish()]):
        if not by_records:
            output.log("STDOUT", block)
            continue
        for line in block[:-1].split("\n"):
            handler.handle(logging.LogRecord("a", STDOUT, "", 0, "%s", (line,), None))
    messages = taken(b"".join(shown))
    assert is_same(messages, allowed(data)), (messages, shown)
    # What fails the action for the engine fails it for us, and nothing else does.
    fails = [value for kind, value in messages if kind == "fail"]
    failure = output.take_failure()
    assert (failure.message if failure else "") == (str(fails[0]) if fails else "")


@with_engine
@pytest.mark.parametrize("where", ["foreground", "daemon"])
def test_what_an_engine_takes_of_a_real_application(host: Host, where: str) -> None:
    """The same, for every spelling that there is a name for, through real commands."""
    lines = [blank + word + end for word in NEVER for blank in BLANKS for end in ("\n", "\r")]
    lines += [word + blank for word in NEVER for blank in BLANKS]
    data = "".join(lines).encode() + b"\r\nopenjd_status: it was said\n" + "".join(NEVER).encode()
    path = host.folder / "printed"
    path.write_bytes(data)
    code = (
        "from openjd.adaptor_runtime.process import LoggingSubprocess\n"
        "code = 'import os, sys; d = open(sys.argv[1], \"rb\").read(); '\n"
        "code += 'fd = int(sys.argv[2])\\nwhile d: d = d[os.write(fd, d):]'\n"
        "for fd in (1, 2):\n"
        f"    args = [sys.executable, '-c', code, {str(path)!r}, str(fd)]\n"
        "    LoggingSubprocess(args=args).wait()\n"
    )
    if where == "foreground":
        ended = host.run("-m", "obedient", "run", "--run-data", json.dumps({"do": code}))
    else:
        session = Session(host)
        session.start()
        ended = session.run(code)
        assert session.stop().status == 0
    assert (ended.status, ended.err) == (0, "")
    assert allowed(data) == [("status", "it was said")]
    assert taken(ended.out.encode()) == [("status", "it was said")] * 2


#: Lines of the adaptor's own that come too late for its task.
LATE = [
    *NEVER,
    *ALLOWED,
    *(f"{blank}openjd_env: A=1" for blank in BLANKS),
    "1 %\ropenjd_env: A=1",
    "1 %\ropenjd_fail: no",
    "\ropenjd_env: A=1",
]


@with_engine
def test_what_an_engine_takes_of_what_is_late(host: Host, gate: Gate) -> None:
    """What was printed while no frontend was there is nothing to the engine, however spelled."""
    path = host.folder / "late"
    path.write_bytes("".join(line + "\n" for line in LATE).encode())
    session = Session(host)
    session.start()
    first = session.run(
        "def later():\n"
        f"    gates.pass_through({gate.port})\n"
        f"    print(open({str(path)!r}, newline='\\n', encoding='utf-8').read(), end='')\n"
        f"    gates.Knock({gate.port}).close()\n"
        "thread = threading.Thread(target=later); thread.start()\n"
    )
    assert first == (0, "", "")
    gate.wait().let_go()
    gate.wait()
    second = session.run("thread.join(); print('openjd_status: mine')")
    assert session.stop().status == 0
    assert (second.status, second.err) == (0, "")
    assert LATE[0] in second.out
    assert taken(second.out.encode()) == [("status", "mine")]
