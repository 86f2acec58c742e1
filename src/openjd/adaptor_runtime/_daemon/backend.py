"""The backend: the daemon's process, in which the adaptor lives.

Threads: the main thread waits for events (signals, the end); one accepts connections; each
connection has one that reads it; the session's worker runs the adaptor's code; the spool's
delivers output; a cancel, a stop, each answer and each follower have one of their own, so that
neither an adaptor that is busy nor a frontend that does not read holds up anything else.
"""

from __future__ import annotations

import atexit
import errno
import faulthandler
import json
import math
import os
import sys
import threading
import time
from queue import Empty, SimpleQueue
from typing import IO, TYPE_CHECKING, Any

from openjd.adaptor_runtime_client.wire import messages
from openjd.adaptor_runtime_client.wire.errors import ConnectionLost, WireError
from openjd.adaptor_runtime_client.wire.transport import Connection, listen

from .. import _journal, _output, _platform, _session_folder, _vital
from .._cancel_info import LONGEST
from .._data import DataError, parse
from .._logging import configure_logging
from .._platform import on_cancel_signals, path_watch, private_opener
from .._session import (
    RUN,
    START,
    STOP,
    Outcome,
    Session,
    Step,
    new_adaptor,
)
from .._stacks import describe_threads
from .._vital import start_vital
from ..adaptors.configuration import runtime_configuration_manager
from ..adaptors.configuration.configuration import ConfigurationError
from ..process._pump import Pump
from . import bootstrap, connection_file, guardian
from .connection_file import ConnectionFileError, ConnectionInfo
from .followers import Follower, Followers, last_lines
from .spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable

    from .. import EntryPoint
    from ..adaptors import BaseAdaptor

PREFIX = "ADAPTOR_OUTPUT: "
# How long a frontend may take to read its last output before a stop goes on without it, and how
# long exit functions of the adaptor's may take (seconds).
ANSWER_GRACE = 5.0
# How long what was written to descriptor 1 may take to be seen (seconds). It takes no time,
# unless a pipe is stuck; a task must not hang for that.
SETTLE_LIMIT = 2.0
EXIT_GRACE = 5.0
# How long the end of a session waits for followers that do not read, and for those that do, but
# slowly (seconds).
FOLLOWER_GRACE, FOLLOWER_LIMIT = 0.5, 5.0
# How many of the last lines a status has.
STATUS_LINES = 10
# The parts of the time for a cancelled stop: at most for the task that it waits for, and for that
# task's frontend to read its last output.
TASK_SHARE, ANSWER_SHARE = 0.5, 0.05
# Where the engine keeps what belongs to a session, and removes it at the session's end
# (specification, "Session working directory").
WORKING_DIRECTORY_VARIABLE = "OPENJD_SESSION_WORKING_DIR"

# What the main thread waits for.
SIGNAL, GONE, IDLE, END = "signal", "gone", "idle", "end"


class _Task:
    """A request that owns its connection until it is answered."""

    def __init__(self, connection: Connection, step: Step) -> None:
        self.connection = connection
        self.step = step
        self.answered = threading.Event()

    def send(self, chunk: bytes) -> bool:
        """What the spool delivers with; see there."""
        try:
            if chunk:
                self.connection.send_output(chunk)
            else:
                self.connection.flush()
        except ConnectionLost:
            return False
        return True

    def offer(self, chunk: bytes) -> bool | None:
        """What the spool tries first."""
        return self.connection.offer_output(chunk)


def serve(entry_point: EntryPoint) -> int:
    """The command ``daemon _serve``: reads the bootstrap data and serves until stopped.

    Returns:
        The exit status of the process.
    """
    name, lifeline = guardian.join()
    _platform.contain_descendants()
    ready = os.dup(1)
    # Read by descriptor: what the adaptor's module made of sys.stdin is its own affair.
    frontend = open(os.dup(0), "rb")  # noqa: SIM115
    start = json.loads(frontend.readline())
    token = start["token"]
    # From here on a signal ends this in good order: nothing has been made yet.
    events: SimpleQueue[str] = SimpleQueue()
    on_cancel_signals(lambda: events.put(SIGNAL))
    try:
        backend = Backend(entry_point, start, events, name)
    except (DataError, ConfigurationError, ConnectionFileError, OSError) as e:
        os.write(ready, bootstrap.encode_record(token, {"error": str(e)}))
        return 1
    if lifeline is not None:
        backend.watch_guardian(lifeline)
    return backend.serve(ready, token, frontend)


class Backend:
    """The daemon of one session.

    Args:
        entry_point: knows the adaptor's class.
        start: what the frontend sent; see ``bootstrap``.
        events: SIGNAL when this process is told to end.
        name: that of the private folder, where a guardian has chosen it.

    Raises:
        DataError: the init data or the path mapping rules cannot be used.
        ConfigurationError: the runtime's configuration cannot be used.
        ConnectionFileError: the connection file cannot be written.
        OSError: the temporary folder cannot be used.
    """

    def __init__(
        self,
        entry_point: EntryPoint,
        start: dict[str, Any],
        events: SimpleQueue[str],
        name: str | None = None,
    ) -> None:
        self._entry_point = entry_point
        self._init_data = parse(*start["init_data"])
        rules = start["path_mapping_rules"]
        self._path_mapping_data = parse(*rules) if rules else {}
        self._config = runtime_configuration_manager().build_config()
        self._connection_path: str | None = start["connection_file"]
        self._events = events
        self._lock = threading.Lock()
        self._task: _Task | None = None
        self._stop_task: _Task | None = None
        self._started = False
        self._finished = False
        self._told = False
        self._exit_status = 0
        # Where there is no request for so long, there is no session any more (seconds).
        self._lease = self._config.lease_seconds
        self._last_request = time.monotonic()
        #: Why the session ends although nobody has asked for it.
        self._given_up = ""
        self._over_early = ""
        #: What it is called, its path, and whether it is gone.
        self._watched: list[tuple[str, str, Callable[[], bool]]] = []
        self._folder = _platform.make_private_folder(name=name)
        try:
            folder = _session_folder.current = _session_folder.SessionFolder(self._folder)
            if name is not None:
                folder.enter(_session_folder.GUARDIAN, os.getppid())
            folder.enter(_session_folder.DAEMON, os.getpid())
            self._listener = listen(self._folder)
            started = _platform.start_time(os.getpid())
            self.info = ConnectionInfo(self._listener.address, os.getpid(), started, self._folder)
            if self._connection_path:
                connection_file.write(self._connection_path, self.info)
            # The interpreter itself writes here what its threads did when it was brought down.
            # Opened now: nothing can be opened in a crash.
            path = os.path.join(self._folder, _session_folder.CRASH_FILE)
            self._crash_file = open(path, "xb", buffering=0, opener=private_opener)  # noqa: SIM115
        except BaseException:
            # With the record, which Windows removes when it is closed.
            _session_folder.close()
            _session_folder.remove(self._folder)
            raise
        self._spool = Spool(self._folder)
        self._output = _output.Output(self._to_spool, PREFIX)
        log = self._config.session_log
        self._journal = _journal.begin(entry_point, "daemon", self._output, log)
        self._followers = Followers(self._journal)

    def _crash_to(self, fd: int) -> None:
        """From now on what the threads do is written there when this process is brought down."""
        self._crash_fd = fd
        faulthandler.enable(fd)

    def _say_last_words(self, error: BaseException) -> None:
        """In a thread that the session needs and that cannot go on."""
        os.write(self._crash_fd, f"{type(error).__name__}: {error}\n".encode())
        faulthandler.dump_traceback(self._crash_fd)

    def serve(self, ready: int, token: str, frontend: IO[bytes]) -> int:
        """Runs until the session has ended, and returns the exit status.

        Args:
            ready: the descriptor of the bootstrap pipe; the record that says where this listens
                goes there, last of all.
            token: what the record begins with.
            frontend: ends when the frontend that starts this daemon does.
        """
        # Until there is a session to ask about, the frontend hears how this ends by the pipe.
        self._crash_to(ready)
        _vital.last_words = self._say_last_words
        _output.set_current(self._output)
        self._redirect_standard_streams()
        configure_logging(self._output, self._config.log_level, self._entry_point.module)
        self._session = Session(self._make_adaptor, self._output, self._stuck, self._settle)
        start_vital("accept", self._accept)
        self._watch_paths()
        for callback in list(self._entry_point.on_bootstrap_complete):
            callback()
        start_vital("bootstrap", self._watch, frontend)
        try:
            os.write(ready, bootstrap.encode_record(token, {"info": self.info._asdict()}))
        except OSError:
            pass  # The frontend is gone, which is seen by the other pipe.
        self._crash_to(self._crash_file.fileno())
        os.close(ready)
        # A method written in C: it needs no memory of the thread that calls it.
        sys.unraisablehook = self._events.put  # type: ignore[assignment]
        while (event := self._next_event()) != END:
            if event == SIGNAL:
                self._stop(None)
            elif event != IDLE and not self._finished:
                self._give_up_session(event)
        # Threads that the adaptor left behind must not keep the process; what it registered to
        # be done at exit is done, within limits.
        watchdog = threading.Timer(EXIT_GRACE, os._exit, (self._exit_status,))
        watchdog.daemon = True
        watchdog.start()
        atexit._run_exitfuncs()
        os._exit(self._exit_status)

    def _to_spool(self, block: str) -> None:
        self._spool.write(messages.encode_text(block))

    def _redirect_standard_streams(self) -> None:
        """Reads the null device, and sees what is written to descriptors 1 and 2 by any means."""
        # Kept: at the end there may be no other descriptor to be had.
        self._null = os.open(os.devnull, os.O_RDWR)
        os.dup2(self._null, 0)
        reader, writer = os.pipe()
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        # The adaptor may put something else in the place of descriptor 1; not of this one.
        self._mark_fd = writer
        self._mark = bootstrap.new_token()
        self._marked = threading.Event()
        stream: IO[bytes] = open(reader, "rb", buffering=0)  # noqa: SIM115
        self._pump = Pump(stream, "utf-8", self._written, lambda error: None, "descriptors 1 and 2")
        self._pump.start()
        sys.stdout = _output.PrintStream(self._output, 1)
        sys.stderr = _output.PrintStream(self._output, 2)

    def _written(self, block: str) -> None:
        """In the pump's thread: lines that came by descriptor 1 or 2."""
        if self._mark in block:
            # The line's end before the mark is the mark's own, unless a line was not ended.
            mark = f"{self._mark}\n"
            if block.startswith("\n" + mark):
                block = block[1:]
            block = block.replace("\n\n" + mark, "\n").replace(mark, "")
            self._marked.set()
        if block:
            self._output.log("STDOUT", block)

    def _settle(self) -> None:
        """Has seen everything that was written to descriptor 1 before it was called."""
        self._marked.clear()
        os.write(self._mark_fd, f"\n{self._mark}\n".encode())
        self._marked.wait(SETTLE_LIMIT)

    def _make_adaptor(self) -> BaseAdaptor[Any]:
        return new_adaptor(
            self._entry_point, self._init_data, self._path_mapping_data, self._config
        )

    def _watch(self, frontend: IO[bytes]) -> None:
        """A frontend that dies before it asks for the start leaves a daemon nobody knows of."""
        frontend.read()
        frontend.close()
        if not self._started:
            self._events.put(SIGNAL)

    # The ends of a session that nobody tells of.

    def _next_event(self) -> str:
        """What the main thread has to see to; what ends the session is said in words."""
        while True:
            try:
                event = self._events.get(timeout=self._lease_left())
            except Empty:
                if self._lease_left() == 0:
                    return f"there was no request for {self._lease:g} seconds (lease_seconds)"
                continue
            if not isinstance(event, str):
                # A thread that finds no memory for its first instruction is waited for for ever
                # by whoever started it, the worker among others.
                if isinstance(event.exc_value, MemoryError):
                    _vital.end(event.exc_value)
                sys.__unraisablehook__(event)
                continue
            if event != GONE:
                return event
            if gone := self._gone():
                return gone

    def _gone(self) -> str:
        """What of the session is gone, in words."""
        for what, path, is_gone in self._watched:
            if is_gone():
                return f"{what} {path} is gone"
        return ""

    def _lease_left(self) -> float | None:
        """Seconds; None where there is no lease, or it does not run."""
        if not self._lease or self._task is not None or self._stop_task is not None:
            return None
        return max(self._last_request + self._lease - time.monotonic(), 0)

    def watch_guardian(self, lifeline: int) -> None:
        """Ends the session when the pipe `lifeline` does: nobody would see to what it leaves."""

        def watch() -> None:
            os.read(lifeline, 1)
            self._events.put("the daemon's guardian is gone")

        start_vital("guardian", watch)

    def _watch_paths(self) -> None:
        """Sees when what the session consists of is removed: it is over then."""
        address, file = self._listener.address, self._connection_path
        # A pipe is no file, and must not be looked at like one.
        if os.path.dirname(address) == self._folder:
            self._watched.append(("the socket", address, lambda: _is_gone(address)))
        if file is not None:
            self._watched.append(
                ("the connection file", file, lambda: not connection_file.holds(file, self.info))
            )
        try:
            folder = os.environ.get(WORKING_DIRECTORY_VARIABLE) or os.getcwd()
        except OSError:
            pass  # It is gone, and never was the session's.
        else:
            if not _is_gone(folder):
                self._watched.append(
                    ("the session's working directory", folder, lambda: _is_gone(folder))
                )
        paths = [path for _, path, _ in self._watched]
        try:
            # Kept: who watches ends with it.
            self._path_watch = path_watch(paths, lambda: self._events.put(GONE))
        except OSError as e:
            error: str | None = e.strerror
        else:
            error = None
        # Whatever went before it was watched.
        self._over_early = self._gone()
        if error and not self._over_early:
            self._output.log(
                "WARNING",
                f"that the session is removed will not be noticed ({error}); its daemon "
                f"ends when it is stopped, or after {self._lease:g} seconds without a request\n",
            )

    def _give_up_session(self, reason: str) -> None:
        if self._given_up:
            return
        with self._lock:
            if not self._started:
                # Who starts this daemon is about to ask for that, and is the one to be told.
                self._over_early = reason
                return
            busy = self._task
        self._give_up(reason, busy.step if busy is not None else None)
        self._stop(None)

    def _give_up(self, reason: str, step: Step | None) -> None:
        self._given_up = reason
        if step is not None:
            step.lost = reason
        self._output.write(f"openjd_fail: the session is over: {reason}\n")

    # Connections.

    def _accept(self) -> None:
        while True:
            stream = self._listener.accept()
            if stream is None:
                return
            connection = Connection(stream, {"folder": self._folder})
            try:
                threading.Thread(
                    target=self._converse, args=(connection,), name="frontend", daemon=True
                ).start()
            except (RuntimeError, MemoryError):
                # It sees that nobody talks to it.
                connection.close()

    def _converse(self, connection: Connection) -> None:
        task: _Task | None = None
        follower: Follower | None = None
        try:
            connection.flush()
            while True:
                message = connection.receive()
                if message is None:
                    return
                self._last_request = time.monotonic()
                kind = None if isinstance(message, bytes) else message["type"]
                if kind == messages.STATUS:
                    connection.send(self._status())
                elif kind == messages.LOGS and task is None and follower is None:
                    assert not isinstance(message, bytes)
                    follower = self._show_logs(connection, message)
                elif kind == messages.CANCEL and task is not None:
                    assert not isinstance(message, bytes)
                    self._cancel(task, message.get("hurry") is True, message.get("seconds"))
                elif kind in (START, RUN, STOP) and task is None and follower is None:
                    assert not isinstance(message, bytes)
                    task = self._begin(connection, message)
                else:
                    connection.send(
                        {"type": messages.ERROR, "message": f"request {kind!r} makes no sense now"}
                    )
                    return
        except WireError:
            # A peer that breaks off or talks nonsense hurts itself alone.
            pass
        finally:
            if follower is not None:
                self._followers.remove(follower)
            if task is not None:
                self._spool.detach(task.send)
                if task.step.name != STOP:
                    # The frontend is gone: whoever waited for this does so no more.
                    self._session.cancel(task.step)
            connection.close()

    def _cancel(self, task: _Task, hurry: bool, seconds: object) -> None:
        """A frontend has had a signal. One that stops hurries the task that it waits for."""
        left = None
        if isinstance(seconds, (int, float)) and 0 <= seconds <= LONGEST:
            left = float(seconds)
        busy = self._task
        if task.step.name == STOP and busy is not None:
            if left is None:
                self._session.cancel(busy.step, hurry=True)
            else:
                self._session.cancel(busy.step, seconds=left * TASK_SHARE)
                if busy.step.done.is_set():
                    cut = threading.Timer(min(ANSWER_GRACE, left * ANSWER_SHARE), _let_go, (busy,))
                    cut.daemon = True
                    cut.start()
        self._session.cancel(task.step, hurry, left)

    def _begin(self, connection: Connection, message: messages.Message) -> _Task | None:
        kind = message["type"]
        if kind == STOP:
            return self._stop(connection)
        run_data: dict[str, Any] = {}
        try:
            if kind == RUN:
                run_data = parse(str(message.get("text")), str(message.get("name")))
        except DataError as e:
            self._refuse(connection, str(e))
            return None
        with self._lock:
            busy = self._task
            if busy is None and self._stop_task is None and not self._finished:
                step = Step(kind, self._answer, run_data)
                task = self._task = _Task(connection, step)
                self._started = True
            else:
                task = None
        if task is None:
            reason = "is being stopped"
            if self._given_up:
                reason = f"is ending its session: {self._given_up}"
            elif busy is not None:
                seconds = time.monotonic() - busy.step.began
                reason = f"is busy with another request since {seconds:.0f} seconds"
            self._refuse(connection, f"the adaptor's daemon {reason}")
            return None
        self._spool.attach(task.send, task.offer)
        if self._over_early:
            self._give_up(self._over_early, step)
            # Before it begins; like any start that fails it ends the daemon.
            self._session.cancel(step)
        self._session.submit(step)
        return task

    def _refuse(self, connection: Connection, reason: str) -> None:
        connection.send(_final(Outcome(False, error=reason), told=False))

    def _status(self) -> messages.Message:
        step = self._session.current
        return {
            "type": messages.STATUS,
            "pid": os.getpid(),
            "state": self._session.state.value,
            "busy": step.name if step else None,
            "busy_seconds": round(time.monotonic() - step.began, 3) if step else None,
            "tasks_done": self._session.tasks_done,
            **self._journal.snapshot(STATUS_LINES),
        }

    def _show_logs(self, connection: Connection, message: messages.Message) -> Follower | None:
        lines = message.get("lines")
        count = lines if type(lines) is int and lines > 0 else 0
        if message.get("follow") is True:
            try:
                return self._followers.add(connection, count)
            except (RuntimeError, MemoryError):
                # No thread can be started. It sees that nobody talks to it.
                connection.close()
                return None
        connection.send_frame(last_lines(self._journal.last_lines(count)))
        return None

    # The ends of things.

    def _answer(self, outcome: Outcome) -> None:
        """In the worker: the step under way has ended; it must not wait for a frontend."""
        task = self._task
        assert task is not None
        if task.step.name == START and not outcome.ok:
            # A session whose start failed has nothing to keep the daemon for.
            start_vital("finish", self._finish, outcome)
        else:
            start_vital("answer", self._tell, task, outcome)

    def _tell(self, task: _Task, outcome: Outcome) -> None:
        self._spool.drain()
        with self._lock:
            if self._task is task:
                self._task = None
        self._spool.detach(task.send)
        try:
            task.connection.send(_final(outcome))
        except WireError:
            if task.step.name == START:
                # For all that the scheduler knows there is no session.
                self._events.put("nobody waits for the end of the start any more")
        task.answered.set()
        # The lease runs from now on.
        self._last_request = time.monotonic()
        self._events.put(IDLE)

    def _stop(self, connection: Connection | None) -> _Task | None:
        """Begins to stop, for a frontend or (None) for a signal."""
        with self._lock:
            stopping, busy = self._stop_task, self._task
            task = None
            if stopping is None and not self._finished:
                step = Step(STOP, self._finish)
                # A signal has no connection to answer; the task stands for it all the same.
                task = self._stop_task = _Task(connection, step) if connection else _NoTask(step)
            elif connection is not None and isinstance(stopping, _NoTask) and not self._told:
                # The daemon stops by itself: whoever asks for that now sees what it says.
                taken_over = self._stop_task = _Task(connection, stopping.step)
                if busy is None or busy.answered.is_set():
                    self._spool.attach(taken_over.send, taken_over.offer)
                return taken_over
        if task is None:
            if connection is not None:
                # Somebody else's stop is under way: waiting for the process's end is enough.
                connection.send(_final(Outcome(True)))
            elif stopping is not None:
                self._session.cancel(stopping.step, hurry=True)
                if busy is not None:
                    self._session.cancel(busy.step, hurry=True)
            return None
        if busy is not None:
            self._session.cancel(busy.step)
        start_vital("stop", self._stop_after, busy, task)
        return task

    def _stop_after(self, busy: _Task | None, task: _Task) -> None:
        if busy is not None:
            # Its cancel sees to it that it ends, or else that this process does.
            busy.step.done.wait()
            phases = task.step.phases
            left = phases.give_up - time.monotonic() if phases else math.inf
            busy.answered.wait(min(ANSWER_GRACE, max(left * ANSWER_SHARE, 0)))
            _let_go(busy)
        with self._lock:
            task = self._stop_task or task
            self._spool.attach(task.send, task.offer)
        self._session.submit(task.step)

    def _stuck(self, step: Step) -> None:
        """Nothing helps any more: show what the threads do, and end without the worker."""
        error = f"{step.stuck_because}; its daemon is ended without cleaning up"
        self._output.log("ERROR", f"{error}. What its threads do:\n")
        for thread in describe_threads():
            self._output.log("ERROR", f"{thread}\n")
        if not step.given_up:
            # What was given up has been told of.
            self._output.write(f"openjd_fail: {error}\n")
        self._exit_status = 1
        self._finish(Outcome(False, error=error))

    def _finish(self, outcome: Outcome) -> None:
        """The session is over: leave nothing behind, tell whoever waits, end the process."""
        with self._lock:
            if self._finished:
                return
            self._finished = True
        self._session.close()
        self._end_pump()
        if self._connection_path:
            connection_file.remove(self._connection_path, self.info)
        self._listener.close()
        with self._lock:
            # From here on nobody comes who could be told.
            self._told = True
            task, stop_task = self._task, self._stop_task
        audience = task if stop_task is None or isinstance(stop_task, _NoTask) else stop_task
        if audience is not None:
            self._spool.attach(audience.send, audience.offer)
        # A cancel has no time to give away.
        hurried = any(t is not None and t.step.phases is not None for t in (task, stop_task))
        _journal.end(hurried)
        self._followers.end(FOLLOWER_GRACE, FOLLOWER_GRACE if hurried else FOLLOWER_LIMIT)
        self._spool.drain()
        self._spool.close()
        faulthandler.disable()
        self._crash_file.close()
        _session_folder.close()
        for waiting in (task, stop_task):
            if waiting is not None and not waiting.answered.is_set():
                try:
                    waiting.connection.send(_final(outcome))
                except WireError:
                    pass
        self._events.put(END)

    def _end_pump(self) -> None:
        """Takes what is left in the pipe of descriptors 1 and 2."""
        os.dup2(self._null, 1)
        os.dup2(self._null, 2)
        os.close(self._null)
        os.close(self._mark_fd)
        self._pump.drain(self._pump.end_of_drain(1.0))


def _let_go(task: _Task) -> None:
    """Whoever does not read leaves what it has not read to the next."""
    if not task.answered.is_set():
        task.connection.close()


class _NoTask(_Task):
    """A stop that nobody waits for."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.answered = threading.Event()
        self.answered.set()

    def send(self, chunk: bytes) -> bool:
        return False

    def offer(self, chunk: bytes) -> bool | None:
        return False


def _is_gone(path: str) -> bool:
    """Whether nothing has that name; a disk that does not answer says nothing."""
    try:
        os.stat(path, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError as e:
        return e.errno == errno.ESTALE
    return False


def _final(outcome: Outcome, told: bool = True) -> messages.Message:
    """The answer to a request; `told` says that the scheduler has had its openjd_fail line."""
    return {
        "type": messages.FINAL,
        "ok": outcome.ok,
        "canceled": outcome.canceled,
        "error": outcome.error,
        "told": told,
    }
