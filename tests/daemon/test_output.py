"""The form of what a session shows: the same in the daemon, but for a prefix, as in `run`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from apps.drive import Ended, Host, Session

#: Executes code in on_run; the output has ``P:`` where the daemon has ``ADAPTOR_OUTPUT: ``.
Run = Callable[[str], Ended]

PREFIX = "ADAPTOR_OUTPUT: "


@pytest.fixture(scope="module")
def shared_session(shared_host: Host) -> Iterator[Session]:
    session = Session(shared_host)
    session.start()
    yield session
    assert session.stop().status == 0


@pytest.fixture(params=["daemon", "foreground"])
def run(request: pytest.FixtureRequest, shared_session: Session) -> Run:
    """Runs code as a task, in the shared daemon or in the foreground."""

    def in_daemon(code: str) -> Ended:
        ended = shared_session.run(code)
        lines = [
            line.replace(PREFIX, "P:", 1) if line.startswith(PREFIX) else line
            for line in ended.out.splitlines(keepends=True)
        ]
        return ended._replace(out="".join(lines))

    def in_foreground(code: str) -> Ended:
        ended = shared_session.host.run(
            "-m", "obedient", "run", "--run-data", json.dumps({"do": code})
        )
        levels = ("INFO: ", "WARNING: ", "ERROR: ", "DEBUG: ", "STDOUT: ", "STDERR: ")
        lines = [
            "P:" + line if line.startswith(levels) else line
            for line in ended.out.splitlines(keepends=True)
        ]
        return ended._replace(out="".join(lines))

    return in_daemon if request.param == "daemon" else in_foreground


@pytest.fixture
def in_daemon(shared_session: Session) -> Run:
    """Runs code as a task in the shared daemon."""
    return shared_session.run


def test_log_records(run: Run) -> None:
    """Level and text, on each line of the message; what is below the level is not shown."""
    ended = run(
        "import logging\n"
        "log.info('hello %s', 'world')\n"
        "log.warning('two\\nlines')\n"
        "log.debug('not shown')\n"
        "log.error('')\n"
        "logging.getLogger('openjd.adaptor_runtime.somewhere').info('the runtime')\n"
    )
    assert ended == (
        0,
        "P:INFO: hello world\nP:WARNING: two\nP:WARNING: lines\nP:ERROR: \nP:INFO: the runtime\n",
        "",
    )


def test_log_records_with_exceptions(run: Run) -> None:
    """The adaptor's own log.exception shows its traceback, each line with the prefix."""
    ended = run("try: 1/0\nexcept ZeroDivisionError: log.exception('caught')\n")
    assert ended.status == 0
    assert ended.lines[:2] == ["P:ERROR: caught", "P:ERROR: Traceback (most recent call last):"]
    assert all(line.startswith("P:ERROR: ") for line in ended.lines)
    assert ended.lines[-1] == "P:ERROR: ZeroDivisionError: division by zero"


def test_a_log_record_that_cannot_be_formatted(run: Run) -> None:
    """Shown as it is; logging never fails a task."""
    ended = run("log.info('%d frames', 'no')")
    assert ended.status == 0
    (line,) = ended.lines
    assert line.startswith("P:INFO: %d frames")


def test_prints(run: Run) -> None:
    """What the adaptor prints stands as it is, in whole lines, in order with what it logs."""
    ended = run(
        "print('one')\n"
        "log.info('two')\n"
        "print('th', end=''); print('ree')\n"
        "sys.stdout.write('four\\nfi'); sys.stdout.write('ve\\n')\n"
        "sys.stdout.buffer.write('größe\\n'.encode()); sys.stdout.flush()\n"
        "print('\\udc80 surrogate')\n"
        "print('the end has no line break', end='')\n"
    )
    assert ended == (
        0,
        "one\nP:INFO: two\nthree\nfour\nfive\ngröße\n\\udc80 surrogate\n"
        "the end has no line break\n",
        "",
    )


def test_prints_to_stderr_are_shown(in_daemon: Run) -> None:
    """print(file=sys.stderr) in the daemon reaches the frontend."""
    assert in_daemon("print('oops', file=sys.stderr)") == (0, "oops\n", "")


def test_messages_of_the_adaptor(run: Run) -> None:
    """update_status makes messages that stand alone; so does what the adaptor itself prints."""
    ended = run(
        "adaptor.update_status(progress=50, status_message='half\\nway')\n"
        "adaptor.update_status(progress=float('nan'))\n"
        "print('openjd_env: SEEN=yes')\n"
    )
    assert ended.status == 0
    assert ended.lines[:2] == ["openjd_progress: 50", "openjd_status: half way"]
    assert ended.lines[2].startswith("P:WARNING: ")
    assert ended.lines[3:] == ["openjd_env: SEEN=yes"]


def test_messages_in_log_records(run: Run) -> None:
    """Progress and status pass; what would set a variable cannot, not even on a second line."""
    ended = run(
        "log.info('openjd_progress: 7')\n"
        "log.info('openjd_status: fine')\n"
        "log.info('openjd_env: A=1')\n"
        "log.info('no\\nopenjd_env: A=1\\nopenjd_redacted_env: B=2\\r\\nopenjd_unset_env: C')\n"
        "log.info('not openjd_progress: 7')\n"
    )
    assert ended.status == 0
    assert ended.lines == [
        "openjd_progress: 7",
        "openjd_status: fine",
        "P:INFO: openjd_env: A=1",
        "P:INFO: no",
        "P:INFO: openjd_env: A=1",
        "P:INFO: openjd_redacted_env: B=2",
        "P:INFO: openjd_unset_env: C",
        "P:INFO: not openjd_progress: 7",
    ]


ENVIRONMENT_LINES = [
    "openjd_env: A=1",
    'openjd_env: "A=1"',
    "openjd_redacted_env: A=1",
    "openjd_unset_env: A",
    "openjd_env:A=1",
    "openjd_env",
    "openjd_envy: A=1",
    "openjd_session_runtime_loglevel: DEBUG",
]


def test_environment_lines_of_an_application(run: Run) -> None:
    """An application cannot set variables of the session, by whatever form or stream."""
    ended = run(
        f"lines = {ENVIRONMENT_LINES}\n"
        "a = application('say', *lines); a.wait()\n"
        "a = application('complain', *lines); a.wait()\n"
        "a = application('spin'); a.wait()\n"
    )
    assert ended.status == 0
    assert [line for line in ended.lines if not line.startswith("P:INFO: Running command: ")] == [
        *("P:STDOUT: " + line for line in ENVIRONMENT_LINES),
        *("P:STDERR: " + line for line in ENVIRONMENT_LINES),
        "P:STDOUT: 99 %",
        "P:STDOUT: openjd_env: A=1",
        "P:STDOUT: openjd_env: B=1",
    ]


def test_messages_of_an_application(run: Run) -> None:
    """Progress and status that an application prints pass as they are, from either stream."""
    ended = run(
        "a = application('say', 'openjd_progress: 5', 'rendering', 'openjd_status: x'); a.wait()\n"
        "a = application('complain', 'openjd_progress: 6', 'hm'); a.wait()\n"
    )
    assert ended.status == 0
    assert [line for line in ended.lines if "Running command" not in line] == [
        "openjd_progress: 5",
        "P:STDOUT: rendering",
        "openjd_status: x",
        "openjd_progress: 6",
        "P:STDERR: hm",
    ]


def test_bytes_that_are_no_text(run: Run) -> None:
    """They are shown escaped, and what comes after them is read."""
    ended = run("application('binary').wait()")
    assert ended.status == 0
    assert ended.lines[1:] == [
        "P:STDOUT: before",
        "P:STDOUT: \\xff\\xfe caf\\xe9",
        "P:STDOUT: after",
    ]


def test_inherited_stdout(in_daemon: Run) -> None:
    """What a subprocess prints to the stdout that it inherits is shown, and is harmless."""
    ended = in_daemon(
        "subprocess.run(child_command('say', 'hello', 'openjd_env: A=1', 'openjd_progress: 4'))\n"
        "subprocess.run(child_command('complain', 'openjd_unset_env: A'))\n"
    )
    assert ended.status == 0
    assert ended.lines == [
        f"{PREFIX}STDOUT: hello",
        f"{PREFIX}STDOUT: openjd_env: A=1",
        "openjd_progress: 4",
        f"{PREFIX}STDOUT: openjd_unset_env: A",
    ]


def test_inherited_stdout_belongs_to_its_task(in_daemon: Run) -> None:
    """What was written to the descriptor before on_run returned is this task's output."""
    for n in range(5):
        ended = in_daemon(f"os.write(1, b'written by task {n}\\n')")
        assert ended == (0, f"{PREFIX}STDOUT: written by task {n}\n", "")


def test_a_failure_on_inherited_stdout_fails_its_task(in_daemon: Run) -> None:
    """openjd_fail that a subprocess writes to the stdout that it inherits is not missed."""
    for _ in range(5):
        ended = in_daemon("os.write(1, b'openjd_fail: the sky is falling\\n')")
        assert ended.fails() == "the sky is falling"
    assert in_daemon("print('fine')") == (0, "fine\n", "")


@pytest.mark.parametrize(
    "code",
    [
        "print('openjd_fail: the sky is falling')",
        "print('fine so far\\nopenjd_fail: the sky is falling')",
        "log.error('openjd_fail: the sky is falling')",
        "application('say', 'openjd_fail: the sky is falling').wait()",
        "application('complain', 'openjd_fail: the sky is falling').wait()",
    ],
    ids=["print", "second-line", "log", "application", "application-stderr"],
)
def test_a_printed_failure_fails_the_task(run: Run, code: str) -> None:
    """openjd_fail fails the task though on_run returns, and is shown once."""
    assert run(code).fails() == "the sky is falling"


def test_a_failure_of_one_task_is_not_the_next_ones(in_daemon: Run) -> None:
    """After a task that failed by a printed line, the next one may go well."""
    assert in_daemon("print('openjd_fail: once')").status != 0
    assert in_daemon("print('fine')") == (0, "fine\n", "")


def test_no_failure_without_the_form(run: Run) -> None:
    """A line that only looks like openjd_fail does not fail the task."""
    ended = run("print('openjd_failure: no'); print(' openjd_fail: no'); print('openjd_fail')")
    assert ended == (0, "openjd_failure: no\n openjd_fail: no\nopenjd_fail\n", "")


def test_threads_print_whole_lines(run: Run) -> None:
    """Lines of several threads are neither mixed nor lost, and each thread's are in order."""
    ended = run(
        "def speak(name):\n"
        "    for n in range(500):\n"
        "        print(name, end=' '); print(n)\n"
        "threads = [threading.Thread(target=speak, args=(name,)) for name in 'abcd']\n"
        "for t in threads: t.start()\n"
        "for t in threads: t.join()\n"
    )
    assert ended.status == 0
    assert len(ended.lines) == 2000
    for name in "abcd":
        own = [line for line in ended.lines if line.startswith(name)]
        assert own == [f"{name} {n}" for n in range(500)]


def test_a_very_long_line(in_daemon: Run) -> None:
    """50 MB on one line are broken into lines that engines can read; nothing is lost."""
    ended = in_daemon("application('endless', 50).wait()")
    assert ended.status == 0
    assert ended.out.count("x") == 50_000_000 + ended.lines[0].count("x")
    assert max(map(len, ended.lines)) <= 64_000


def test_utf8_whatever_the_locale(shared_host: Host) -> None:
    """Output is UTF-8, errors included, where the locale and its variables say otherwise."""
    ended = shared_host.run(
        *("-m", "obedient", "run"),
        *("--run-data", json.dumps({"do": "print('Größe'); raise ValueError('Größe')"})),
        variables={"PYTHONIOENCODING": "ascii:strict", "LC_ALL": "C", "PYTHONUTF8": "0"},
    )
    assert ended.status == 1
    assert ended.lines[0] == "Größe"
    assert ended.fails().endswith("Größe")


@pytest.mark.parametrize("step", ["run", "stop"])
def test_messages_are_utf8_whatever_the_locale(shared_host: Host, step: str) -> None:
    """So is the one line about a connection file whose name the locale cannot express."""
    ended = shared_host.run(
        *("-m", "obedient", "daemon", step, "--connection-file", "Größe.json"),
        variables={"PYTHONIOENCODING": "ascii:strict", "LC_ALL": "C", "PYTHONUTF8": "0"},
    )
    assert ended.status == (0 if step == "stop" else 1)
    (line,) = ended.text.splitlines()
    assert "Größe.json" in line
