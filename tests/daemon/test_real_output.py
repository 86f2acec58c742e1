"""Output of real applications through real sessions: much of it, unread, lost and dropped."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from apps.drive import Command, Ended, Host, Session
from apps.gates import LIMIT, Gate, Visitor
from bounded import Task

from openjd.adaptor_runtime._daemon.spool import Spool
from openjd.adaptor_runtime._output import LINE_MARK
from openjd.adaptor_runtime_client.wire import framing, messages
from openjd.adaptor_runtime_client.wire.transport import connect

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc for peaks of memory")
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="limits and signals of POSIX")

MIB = 1024 * 1024
PREFIX = "ADAPTOR_OUTPUT: "
SHOWN = f"{PREFIX}STDOUT: "
#: In a task: runs code as an application, to its end.
APPLY = (
    "from openjd.adaptor_runtime.process import LoggingSubprocess\n"
    "def apply(code, *arguments):\n"
    "    command = [sys.executable, '-c', code, *map(str, arguments)]\n"
    "    LoggingSubprocess(args=command).wait()\n"
)


def peak(pid: int) -> int:
    """The most memory that the process has had so far, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024


def begin_foreground(host: Host, do: str, **options: object) -> Command:
    """Starts the command ``run`` whose task executes `do`."""
    return host.begin("-m", "obedient", "run", "--run-data", json.dumps({"do": do}), **options)


Begin = Callable[..., Command]


@pytest.fixture(scope="module")
def shared_session(shared_host: Host) -> Iterator[Session]:
    session = Session(shared_host)
    session.start()
    yield session
    assert session.stop() == (0, "", "")


@pytest.fixture(params=["daemon", "foreground"])
def begin(request: pytest.FixtureRequest, shared_session: Session) -> Begin:
    """Begins a task, in the shared daemon or in the foreground."""
    if request.param == "daemon":
        return shared_session.begin_run
    return lambda do, **options: begin_foreground(shared_session.host, do, **options)


def of_application(lines: list[str], stream: str = "STDOUT") -> list[str]:
    """What an application printed to that stream, of the lines that a session shows."""
    found = [re.match(f"(?:{PREFIX})?{stream}: (.*)", line, re.DOTALL) for line in lines]
    return [match[1] for match in found if match]


def lines_of(ended: Ended) -> list[str]:
    """Its lines as engines read them; splitlines() ends lines where engines do not."""
    assert ended.out == "" or ended.out[-1] == "\n"
    return ended.out.split("\n")[:-1]


# What applications print.


def test_odd_bytes(begin: Begin) -> None:
    r"""Bytes that are no text, NUL, \r, an end without a line break: all shown, in order."""
    data = (
        b"\xff\xfe caf\xe9\n\0nul\0\n\n1 %\r2 %\r\n3 %\r\r\nlone \xc3\n"
        + "a\x0bb\x0cc\x85d\u2028e\ufeff\n".encode()
        + b"half a character \xe2\x82"
    )
    ended = begin(
        APPLY + "for fd in (1, 2):\n"
        "    code = 'import os, sys; os.write(int(sys.argv[2]), bytes.fromhex(sys.argv[1]))'\n"
        f"    apply(code, {data.hex()!r}, fd)\n"
    ).end()
    assert (ended.status, ended.err) == (0, "")
    for stream in ("STDOUT", "STDERR"):
        assert of_application(lines_of(ended), stream) == [
            *("\\xff\\xfe caf\\xe9", "\0nul\0", "", "1 %", "2 %", "3 %", "", "lone \\xc3"),
            *("a\x0bb\x0cc\x85d\u2028e\ufeff", "half a character \\xe2\\x82"),
        ]


def test_two_streams_at_once(begin: Begin) -> None:
    """Lines of both streams are whole, all there, and in order within their stream."""
    count = 30_000
    code = (
        "import os, sys, threading\n"
        "def flood(fd):\n"
        f"    for first in range(0, {count}, 500):\n"
        "        lines = [f'{fd} {n:06d} ' + 'x' * 50 for n in range(first, first + 500)]\n"
        "        data = ('\\n'.join(lines) + '\\n').encode()\n"
        "        while data: data = data[os.write(fd, data):]\n"
        "threads = [threading.Thread(target=flood, args=(fd,)) for fd in (1, 2)]\n"
        "for t in threads: t.start()\n"
        "for t in threads: t.join()\n"
    )
    ended = begin(APPLY + f"apply({code!r})").end()
    assert (ended.status, ended.err) == (0, "")
    for fd, stream in ((1, "STDOUT"), (2, "STDERR")):
        lines = of_application(lines_of(ended), stream)
        assert lines == [f"{fd} {n:06d} {'x' * 50}" for n in range(count)]


def test_a_flood_that_never_reads_stdin(begin: Begin) -> None:
    """The command's own stdin, open and silent, is none of the application's."""
    code = (
        "import sys\n"
        "for n in range(50_000): print(n, 'x' * 90)\n"
        "print('then reads', repr(sys.stdin.read()))\n"
    )
    ended = begin(APPLY + f"apply({code!r})", stdin=subprocess.PIPE).end()
    assert (ended.status, ended.err) == (0, "")
    *flood, last = of_application(ended.lines)
    assert flood == [f"{n} {'x' * 90}" for n in range(50_000)]
    assert last == "then reads ''"


FAILURES = {
    "without a line's end": b"openjd_fail: no licence",
    "after progress": b"1 %\r99 %\ropenjd_fail: no licence\r\n100 %\n",
    "in the middle of much": b"x\n" * 5000 + b"openjd_fail: no licence\n" + b"x\n" * 5000,
}


@pytest.mark.parametrize(
    ("how", "fd"),
    [
        ("without a line's end", 1),
        ("without a line's end", 2),
        ("after progress", 2),
        ("in the middle of much", 1),
    ],
)
def test_a_failure_of_an_application(host: Host, how: str, fd: int) -> None:
    """openjd_fail fails the run though the application ends with exit code 0."""
    path = host.folder / "printed"
    path.write_bytes(FAILURES[how])
    code = "import os, sys; os.write(int(sys.argv[2]), open(sys.argv[1], 'rb').read())"
    ended = begin_foreground(host, APPLY + f"apply({code!r}, {str(path)!r}, {fd})").end()
    assert ended.fails() == "no licence"


def test_a_failure_where_no_lines_are_shown(session: Session) -> None:
    """It fails the task, and is told, though the log level hides what applications print."""
    config = session.host.folder / "configuration.json"
    config.write_text('{"log_level": "CRITICAL"}')
    session.variables["RUNTIME_CONFIG_PATH"] = str(config)
    session.start()
    ended = session.run("application('say', 'x', 'openjd_fail: no licence').wait()")
    assert session.stop().status == 0
    assert ended.fails() == "no licence"


def test_a_handler_of_the_adaptors_own(begin: Begin) -> None:
    """It gets a record per line, in order, and the session shows what it always does."""
    code = (
        "import sys\nfor n in range(5000):\n"
        "    print('line', n)\n"
        "    if n % 1000 == 0: print('complaint', n, file=sys.stderr)\n"
    )
    ended = begin(
        APPLY + "import logging\n"
        "class Keep(logging.Handler):\n"
        "    def emit(self, record):\n"
        "        kept.setdefault(record.levelname, []).append(record.getMessage())\n"
        "kept = {}\n"
        "logger = logging.getLogger('openjd')\n"
        "logger.addHandler(Keep())\n"
        f"try: apply({code!r})\n"
        "finally: logger.handlers.clear()\n"
        "assert kept['STDOUT'] == [f'line {n}' for n in range(5000)]\n"
        "assert kept['STDERR'] == [f'complaint {n}' for n in range(0, 5000, 1000)]\n"
    ).end()
    assert (ended.status, ended.err) == (0, "")
    assert of_application(ended.lines) == [f"line {n}" for n in range(5000)]
    assert len(of_application(ended.lines, "STDERR")) == 5


def test_a_line_that_is_not_ended_by_thread_or_callback(begin: Begin) -> None:
    """What the adaptor prints without a line's end is shown, whichever thread printed it."""
    ended = begin(
        "import re\n"
        "from openjd.adaptor_runtime.app_handlers import RegexCallback, RegexHandler\n"
        "from openjd.adaptor_runtime.process import LoggingSubprocess\n"
        "thread = threading.Thread(target=lambda: print('by a thread', end=''))\n"
        "thread.start(); thread.join()\n"
        "see = RegexCallback([re.compile('frame')], lambda m: print('by a callback', end=''))\n"
        "LoggingSubprocess(args=child_command('say', 'frame'),\n"
        "                  stdout_handler=RegexHandler([see])).wait()\n"
    ).end()
    assert (ended.status, ended.err) == (0, "")
    assert {"by a thread", "by a callback"} <= set(ended.lines)


@pytest.mark.parametrize("length", [62_970, 63_000])
def test_a_long_line_by_descriptor_that_is_not_ended(session: Session, length: int) -> None:
    """It is shown, in pieces if it must be, and nothing that nobody wrote is shown with it."""
    session.start()
    ended = session.run(f"data = b'x' * {length}\nwhile data: data = data[os.write(1, data):]")
    assert session.stop().status == 0
    assert (ended.status, ended.err) == (0, "")
    pieces = [piece.replace(LINE_MARK, "") for piece in of_application(ended.lines)]
    assert "".join(pieces) == "x" * length


@linux_only
def test_50_mb_without_a_line_break(session: Session) -> None:
    """The task goes well, all of it is shown, and the daemon needs next to no memory for it."""
    session.start()
    session.run(APPLY + "apply('print(1)')")
    daemon = session.daemon().pid
    before = peak(daemon)
    code = "import sys\nfor _ in range(50): sys.stdout.write('x' * 1_000_000)"
    ended = session.run(f"apply({code!r})")
    assert (ended.status, ended.err) == (0, "")
    assert peak(daemon) - before <= 48 * MIB
    pieces = of_application(lines_of(ended))
    assert sum(piece.count("x") for piece in pieces) == 50_000_000
    assert max(map(len, lines_of(ended))) <= 64_000
    assert session.stop().status == 0


# What nobody reads.


@linux_only
def test_100_mb_to_a_frontend_that_is_not_read(session: Session, gate: Gate) -> None:
    """The application writes all of it and ends, status is answered, memory is bounded."""
    count = 100_000
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}; import gates\n"
        f"for first in range(0, {count}, 100):\n"
        "    print('\\n'.join(f'{n:07d} ' + 'x' * 991 for n in range(first, first + 100)))\n"
        "sys.stdout.flush()\n"
        "gates.Knock(int(sys.argv[1])).close()\n"
    )
    session.start()
    session.run(APPLY + "apply('print(1)')")
    daemon = session.daemon().pid
    before = peak(daemon)
    task = session.begin_run(
        f"apply({code!r}, {gate.port})\ngates.pass_through({gate.port})", held_back=True
    )
    gate.wait().gone()
    in_task = gate.wait()  # The application has ended.
    assert session.status()["busy"] == "run"
    assert peak(daemon) - before <= 64 * MIB
    in_task.let_go()
    ended = task.end()
    assert (ended.status, ended.err) == (0, "")
    lines = of_application(ended.lines)
    assert [line[:7] for line in lines] == [f"{n:07d}" for n in range(count)]
    assert {len(line) for line in lines} == {999}
    assert session.stop().status == 0


@pytest.fixture
def stalled(session: Session, gate: Gate) -> Iterator[tuple[Command, Visitor]]:
    """A frontend whose stdout is full, and the task that it waits for, which knows a cancel."""
    session.start(cancel="canceled.set()", start="canceled = threading.Event()")
    task = session.begin_run(
        f"application('flood', 20_000, {gate.port}).wait()\n"
        f"knock = gates.Knock({gate.port}); canceled.wait(); knock.close()",
        held_back=True,
    )
    gate.wait()
    yield task, gate.wait()
    assert session.stop().status == 0


def test_a_signal_to_a_frontend_that_is_not_read(stalled: tuple[Command, Visitor]) -> None:
    """It cancels the task although the frontend's stdout is full."""
    frontend, in_task = stalled
    frontend.cancel()
    canceled = Task(in_task.gone)
    reached = canceled.ended_within(LIMIT / 6)
    ended = frontend.end()  # It is read from now on.
    canceled.result()
    assert ended.status == 1
    assert reached, "the cancel reached the task only once somebody read the frontend's stdout"


def test_a_signal_tears_no_line(stalled: tuple[Command, Visitor]) -> None:
    """What the frontend itself has to say stands between whole lines of output.

    Torn, a line would go on at the start of a line, where an engine looks for messages.
    """
    frontend, in_task = stalled
    frontend.cancel()
    ended = frontend.end()
    in_task.gone()
    assert ended.status == 1
    assert of_application(ended.lines) == [f"line {n:07d} {'x' * 86}" for n in range(20_000)]
    assert "INFO: Interruption signal received" in ended.lines


@linux_only
def test_many_short_lines_that_nobody_reads(session: Session, gate: Gate) -> None:
    """Half a million while nobody is there: bounded memory, then all of them, in order.

    That is 22 MB as they are shown; the benchmarks do the same with ten million lines.
    """
    count = 500_000
    code = (
        f"import sys\nfor first in range(0, {count}, 1000):\n"
        "    print('\\n'.join(f'line {n:014d}' for n in range(first, first + 1000)))\n"
    )
    session.start()
    session.run(APPLY + "apply('print(1)')")
    daemon = session.daemon().pid
    before = peak(daemon)
    first = session.run(
        "def later():\n"
        f"    gates.pass_through({gate.port})\n"
        f"    apply({code!r})\n"
        f"    gates.pass_through({gate.port})\n"
        "thread = threading.Thread(target=later); thread.start()\n"
    )
    assert first == (0, "", "")
    gate.wait().let_go()
    gate.wait().let_go()  # All of it has been printed.
    assert peak(daemon) - before <= 64 * MIB
    shown = session.host.folder / "shown"
    with shown.open("wb") as file:
        second = session.begin_run("thread.join(); print('next')", stdout=file).end()
    assert (second.status, second.err) == (0, "")
    assert peak(daemon) - before <= 64 * MIB
    text = shown.read_text()
    wanted = "".join(f"{SHOWN}line {n:014d}\n" for n in range(count)) + "next\n"
    assert len(text) > len(wanted)
    assert text[text.index(SHOWN) :] == wanted
    assert session.stop().status == 0


@linux_only
def test_many_prints_that_nobody_reads(session: Session, gate: Gate) -> None:
    """The adaptor's own shortest lines, one by one, keep to the memory that is meant for them.

    These are 600 kB of text.
    """
    count = 300_000
    session.start()
    daemon = session.daemon().pid
    before = peak(daemon)
    first = session.run(
        "def later():\n"
        f"    gates.pass_through({gate.port})\n"
        f"    for n in range({count}): sys.stdout.write('x\\n')\n"
        f"    gates.pass_through({gate.port})\n"
        "thread = threading.Thread(target=later); thread.start()\n"
    )
    assert first == (0, "", "")
    gate.wait().let_go()
    gate.wait().let_go()
    grown = peak(daemon) - before
    assert session.stop().out == "x\n" * count
    assert grown <= 8 * MIB


def test_a_task_ends_while_an_application_goes_on_printing(session: Session, gate: Gate) -> None:
    """What is printed after the end of a task, faster than it is read, does not hold it up."""
    block = 256 * 1024
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}; import gates, os\n"
        "while True:\n"
        f"    data = (b'x' * 63 + b'\\n') * {block // 64}\n"
        "    while data: data = data[os.write(1, data):]\n"
        "    gates.pass_through(int(sys.argv[1]))\n"
    )
    session.start()
    with Gate() as end_of_task:
        task = session.begin_run(
            "from openjd.adaptor_runtime.process import LoggingSubprocess\n"
            f"LoggingSubprocess(args=[sys.executable, '-c', {code!r}, {str(gate.port)!r}])\n"
            f"gates.pass_through({end_of_task.port})\n",
            held_back=True,
        )
        for _ in range(8):
            gate.wait().let_go()
        end_of_task.wait().let_go()
    assert task.process.stdout is not None
    read, limit = 0, 8 * MIB
    while read < limit:
        # For each part that is read there is always more.
        gate.wait().let_go()
        data = os.read(task.process.stdout.fileno(), block // 4)
        if not data:
            break
        read += len(data)
    task.kill()
    assert session.stop().status == 0
    assert read < limit, "the task ends only when nothing is printed any more"


# A full disk.

DROPPED = re.compile(rf"{PREFIX}WARNING: ([\d,]+) bytes of output were dropped")
COUNT = 150_000
NUMBERED = [f"{SHOWN}line {n:07d} {'x' * 86}" for n in range(COUNT)]
SIZE = len(NUMBERED[0]) + 1


BY_LIMIT = "a limit of the process"


@pytest.fixture(params=[BY_LIMIT, "a small file system"])
def small(request: pytest.FixtureRequest, host: Host) -> Iterator[Session]:
    """A started session whose daemon can write one or two megabytes to files."""
    if sys.platform == "win32":
        pytest.skip("limits and file systems of POSIX")
    if request.param == BY_LIMIT:
        session = Session(host)
        session.start(
            start="import resource\n"
            "hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))\n"
        )
        yield session
        return
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("a file system of its own takes Linux and root")
    folder = host.folder / "small"
    folder.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, timeout=LIMIT)
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        session = Session(host, TMPDIR=str(folder))
        session.start()
        yield session
        assert list(folder.iterdir()) == []
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, timeout=LIMIT)


def check_what_is_left(lines: list[str]) -> None:
    """Each line was delivered or counted as dropped; what was is in order, and the newest is."""
    notices = [found for found in map(DROPPED.fullmatch, lines) if found]
    kept = [line for line in lines if not DROPPED.fullmatch(line)]
    assert notices
    assert kept[-1] == NUMBERED[-1]
    assert kept == sorted(set(kept))
    assert set(kept) <= set(NUMBERED)
    # In memory there is always room for the newest.
    newest = lines[lines.index(notices[-1][0]) + 1 :]
    assert newest == NUMBERED[-len(newest) :]
    assert len(newest) * SIZE > 4 * MIB
    dropped = sum(int(notice[1].replace(",", "")) for notice in notices)
    assert dropped + len(kept) * SIZE == COUNT * SIZE


def test_a_full_disk_and_nobody_there(small: Session, gate: Gate) -> None:
    """The oldest is dropped and counted, the newest is there, and the session goes on."""
    # By descriptor 1: so nothing but the flood itself is shown.
    first = small.run(
        "def later():\n"
        f"    gates.pass_through({gate.port})\n"
        f"    subprocess.run(child_command('flood', {COUNT}, {gate.port}))\n"
        "thread = threading.Thread(target=later); thread.start()\n"
    )
    assert first == (0, "", "")
    gate.wait().let_go()
    gate.wait()
    second = small.run("thread.join(); os.write(1, b'next\\n')")
    third = small.run("print('third')")
    stopped = small.stop()
    assert (second.status, second.err) == (0, "")
    assert second.lines[-1] == f"{SHOWN}next"
    check_what_is_left(second.lines[:-1])
    assert third == (0, "third\n", "")
    assert stopped == (0, "", "")


@pytest.mark.parametrize("small", [BY_LIMIT], indirect=True)
def test_a_full_disk_and_a_frontend_that_is_not_read(small: Session, gate: Gate) -> None:
    """The same, while a frontend is attached."""
    task = small.begin_run(
        f"subprocess.run(child_command('flood', {COUNT}, {gate.port}))", held_back=True
    )
    gate.wait()
    # Whatever the pump had not read yet comes while the frontend is read.
    ended = task.end()
    stopped = small.stop()
    assert (ended.status, ended.err) == (0, "")
    assert stopped == (0, "", "")
    check_what_is_left(ended.lines)


@pytest.mark.parametrize("small", [BY_LIMIT], indirect=True)
def test_messages_while_nobody_is_there_and_the_disk_is_full(small: Session, gate: Gate) -> None:
    """What is left of them is no message of the next task's, however much was dropped."""
    first = small.run(
        "def later():\n"
        f"    gates.pass_through({gate.port})\n"
        "    for n in range(25): print('openjd_env: A=10\\n' * 30_000, end='')\n"
        f"    gates.pass_through({gate.port})\n"
        "thread = threading.Thread(target=later); thread.start()\n"
    )
    assert first == (0, "", "")
    gate.wait().let_go()
    gate.wait().let_go()
    second = small.run("print('openjd_status: mine')")
    stopped = small.stop()
    assert (second.status, second.err) == (0, "")
    assert stopped.status == 0
    assert any(map(DROPPED.fullmatch, second.lines))
    assert {line for line in second.lines if line.startswith("openjd_")} == {"openjd_status: mine"}


# Frontends that are killed.

LINE = "line {:07d} " + "x" * 86


def test_a_frontend_that_is_killed_between_two_lines(session: Session, gate: Gate) -> None:
    """What it has shown is not shown again; all that is printed once it is gone is kept."""
    session.start(start="canceled = threading.Event()", cancel="canceled.set()")
    task = session.begin_run(
        APPLY + "code = '''if True:\n"
        f"    import sys; sys.path[:0] = {sys.path!r}; import gates\n"
        "    for n in range(2000):\n"
        "        print(n, flush=True)\n"
        "        if n == 999: gates.pass_through(int(sys.argv[1]))\n"
        "'''\n"
        f"thread = threading.Thread(target=apply, args=(code, {gate.port})); thread.start()\n"
        f"canceled.wait(); gates.pass_through({gate.port}); thread.join()\n"
    )
    application = gate.wait()
    task.until(f"{SHOWN}999")
    task.kill()
    gate.wait().let_go()  # The daemon has noticed.
    application.let_go()
    ended = task.end()
    stopped = session.stop()
    assert of_application(ended.lines) == [str(n) for n in range(1000)]
    assert of_application(stopped.lines) == [str(n) for n in range(1000, 2000)]
    assert stopped.status == 0


@pytest.mark.parametrize("reads", ["it is read", "it is not read"])
def test_a_frontend_that_is_killed_within_output(session: Session, gate: Gate, reads: str) -> None:
    """Nothing is doubled, and no more is lost than was on its way to it.

    That is what the system holds between two processes, and one block in the frontend's hands.
    """
    count, on_its_way = 50_000, 1 * MIB
    session.start(start="canceled = threading.Event()", cancel="canceled.set()")
    task = session.begin_run(
        f"application('flood', {count}, {gate.port}).wait()\ncanceled.wait()",
        held_back=reads == "it is not read",
    )
    if reads == "it is read":
        task.until("line 0020000")
    else:
        gate.wait()
    task.kill()
    ended = task.end()
    stopped = session.stop()
    assert stopped.status == 0
    every = [f"{SHOWN}{LINE.format(n)}" for n in range(count)]
    shown = ended.lines[1:]
    if shown and shown[-1] != every[len(shown) - 1]:
        assert every[len(shown) - 1].startswith(shown.pop())
    assert shown == every[: len(shown)]
    later = [line for line in stopped.lines if line.startswith(SHOWN)]
    assert later == every[len(every) - len(later) :]
    lost = count - len(shown) - len(later)
    assert 0 <= lost <= on_its_way // len(every[0])


@posix_only
@pytest.mark.parametrize("block", [1000, 100_000])
def test_what_did_not_reach_a_frontend_whole(session: Session, gate: Gate, block: int) -> None:
    """Lines of which a frontend that is gone had no whole frame go to the next one.

    A frontend shows whole frames alone, so that these lines were not shown.
    """
    total = 2_000_000
    session.start(start="canceled = threading.Event()", cancel="canceled.set()")
    address = json.loads(session.file.read_text())["socket"]
    connection = connect(address)
    code = (
        f"for n in range({total // block}):\n"
        f"    sys.stdout.write(''.join(f'{{n:04d}} {{m:04d}}\\n' for m in range({block // 10})))\n"
        f"gates.pass_through({gate.port}); canceled.wait()\n"
    )
    run = {"type": messages.RUN, "text": json.dumps({"do": code}), "name": "--run-data"}
    connection.send(run)
    gate.wait().let_go()
    # It goes, without having read a byte; what the system has of the daemon's words is left.
    stream = connection._stream._socket
    stream.shutdown(1)
    stopped = session.stop()
    arrived = bytearray()
    while True:
        data = connection._stream.read(1 << 20)
        if not data:
            break
        arrived += data
    connection.close()
    assert stopped.status == 0
    framer = framing.Framer()
    framer.receive_data(bytes(arrived))
    whole = []
    while isinstance(event := framer.next_event(), (bytes, dict)):
        if isinstance(event, bytes):
            whole.append(event)
    words = [line for line in stopped.lines if not line.startswith((PREFIX, "INFO: "))]
    every = [f"{n:04d} {m:04d}" for n in range(total // block) for m in range(block // 10)]
    assert b"".join(whole).decode().splitlines() + words == every


# The spool alone, where the order of events is not to be had from outside.


def contents(spool: Spool) -> bytes:
    """What the next frontend gets."""
    got: list[bytes] = []

    def send(chunk: bytes) -> bool:
        got.append(chunk)
        return True

    spool.attach(send)
    Task(spool.drain).result()
    spool.detach(send)
    return b"".join(got)


def test_messages_under_way_to_a_frontend_that_dies(tmp_path: Path) -> None:
    """They come back when it is known that it is dead; the next may be attached by then."""
    spool = Spool(str(tmp_path))
    sending, die = threading.Event(), threading.Event()

    def dead(chunk: bytes) -> bool:
        sending.set()
        assert die.wait(LIMIT)
        return False

    got: list[bytes] = []

    def alive(chunk: bytes) -> bool:
        got.append(chunk)
        return True

    spool.attach(dead)
    spool.write(b"openjd_env: A=1\n")
    assert sending.wait(LIMIT)
    spool.write(b"openjd_env: B=1\n")
    spool.attach(alive)
    die.set()
    Task(spool.drain).result()
    spool.close()
    assert b"".join(got) == (b"ADAPTOR_OUTPUT: openjd_env: A=1\nADAPTOR_OUTPUT: openjd_env: B=1\n")


def test_a_notice_that_does_not_arrive(tmp_path: Path) -> None:
    """How much was dropped is not forgotten with the frontend that was to be told."""
    spool = Spool(str(tmp_path / "no such folder"), memory_limit=1000)
    line, count = b"line %06d\n", 2000
    gone = threading.Event()

    def dead(chunk: bytes) -> bool:
        gone.set()
        return False

    for n in range(count // 2):
        spool.write(line % n)
    spool.attach(dead)
    assert gone.wait(LIMIT)
    Task(spool.drain).result()  # It is detached.
    for n in range(count // 2, count):
        spool.write(line % n)
    shown = contents(spool).decode().splitlines()
    spool.close()
    dropped = sum(
        int(found[1].replace(",", "")) for found in map(DROPPED.fullmatch, shown) if found
    )
    kept = [text for text in shown if text.startswith("line ")]
    assert kept == sorted(kept)
    assert dropped + len(kept) * len(line % 0) == count * len(line % 0)


def test_the_order_where_there_is_no_file(tmp_path: Path) -> None:
    """Where no file can be made at all, the newest is kept, in order."""
    spool = Spool(str(tmp_path / "no such folder"), memory_limit=1000)
    for n in range(1000):
        spool.write(b"line %06d\n" % n)
    notice, *kept = contents(spool).decode().splitlines()
    spool.close()
    assert DROPPED.fullmatch(notice)
    assert kept == [f"line {n:06d}" for n in range(1000 - len(kept), 1000)]
