"""LoggingSubprocess: an application, started, read, and ended with all that it started."""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import IO, Protocol

from .. import _journal, _session_folder
from .._output import LogHandler, pass_messages, report_failure
from .._platform import ProcessHandle, ProcessTree, own_group_options
from .._session_folder import APPLICATION, SessionFolder
from ..app_handlers import RegexHandler
from ._levels import STDERR, STDOUT
from ._pump import Pump

_logger = logging.getLogger(__name__)

# How long wait() lets output come after the application's end: a child of its that holds the
# pipe open must not keep a task from ending.
DRAIN_SECONDS = 1.0

# Those of which something may live: the end of the session is theirs as well.
_running: set[LoggingSubprocess] = set()
_running_lock = threading.Lock()


class OutputObserver(Protocol):
    """What an application's output passes, block by block, on the threads that read it."""

    def before(self, level: int, block: str) -> str:
        """Sees a block of whole lines of a stream (STDOUT or STDERR); what is left of it."""

    def after(self, level: int) -> None:
        """Called when that block has been logged, and its callbacks have run."""


class LoggingSubprocess:
    """Starts a command at once and logs each line that it prints.

    The command runs in a process group of its own and reads the null device. Its lines go to
    `logger`, at level STDOUT (ERROR + 1) or STDERR (ERROR + 2), and then to the handler.

    Args:
        args: the program and its arguments; no shell reads them.
        startup_directory: the folder to run it in; this process's own by default.
        logger: where its lines are logged.
        stdout_handler: called for each line of stdout, on the thread that reads it.
        stderr_handler: the same for stderr; may be the same object.
        encoding: of its output. Bytes that do not decode are shown as ``\\xNN``.
        environment: its variables; those of this process if None.
        observer: sees each block of lines before it is logged, and its end.

    Raises:
        ValueError: `args` is empty.
        LookupError: there is no such encoding.
        FileNotFoundError: the program or the startup directory does not exist.
        OSError: the system cannot start the program.
    """

    # The journal that has been told of the start, and not of the end.
    _noted: _journal.Journal | None = None

    def __init__(
        self,
        *,
        args: Sequence[str],
        startup_directory: str | None = None,
        logger: logging.Logger = _logger,
        stdout_handler: RegexHandler | None = None,
        stderr_handler: RegexHandler | None = None,
        encoding: str = "utf-8",
        environment: Mapping[str, str] | None = None,
        observer: OutputObserver | None = None,
    ) -> None:
        if not args:
            raise ValueError("args is empty: there is no program to start")
        _check_encoding(encoding)
        self._logger = logger
        session = _session()
        tree = session.new_tree() if session else os.urandom(8).hex()
        variables = dict(os.environ if environment is None else environment)
        variables[_session_folder.TREE_VARIABLE] = tree
        command = subprocess.list2cmdline(list(args))
        logger.info("Running command: %s", command)
        try:
            process: subprocess.Popen[bytes] = subprocess.Popen(
                list(args),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=startup_directory,
                env=variables,
                bufsize=0,
                **own_group_options(),
            )
        except OSError as e:
            if startup_directory is not None and not os.path.isdir(startup_directory):
                raise FileNotFoundError(
                    errno.ENOENT, "the startup directory does not exist", startup_directory
                ) from e
            if not isinstance(e, FileNotFoundError):
                if e.filename is None:
                    # Windows does not say which program it is that it cannot start.
                    reason = (e.strerror or str(e)).replace("%1", "the program")
                    raise OSError(e.errno, reason, args[0], getattr(e, "winerror", None)) from e
                raise
            raise FileNotFoundError(
                f"Could not find the specified command: {args[0]}. "
                "Ensure that it is available from the PATH environment variable."
            ) from e
        self._process = process
        try:
            self._tree = ProcessTree(process, f"{_session_folder.TREE_VARIABLE}={tree}")
            self._session = session
            self._place = None if session is None else session.enter(APPLICATION, process.pid)
            self._observer = observer
            self._callback_error: BaseException | None = None
            self._drained = False
            self._pumps: list[Pump] = []
            self._noted = _journal.current()
            if self._noted is not None:
                # Before the first line of it.
                self._noted.application_started(process.pid, command)
            for stream, level, handler in (
                (process.stdout, STDOUT, stdout_handler),
                (process.stderr, STDERR, stderr_handler),
            ):
                assert stream is not None
                self._pumps.append(self._start_pump(stream, level, handler, encoding))
        except BaseException:
            # No thread can be started, say: nobody would read what it prints.
            process.kill()
            process.wait()
            self._note_end()
            raise
        with _running_lock:
            _running.add(self)

    def _start_pump(
        self, stream: IO[bytes], level: int, handler: RegexHandler | None, encoding: str
    ) -> Pump:
        def deliver(block: str) -> None:
            if self._observer is None:
                self._deliver(block, level, handler)
                return
            block = self._observer.before(level, block)
            try:
                if block:
                    self._deliver(block, level, handler)
            finally:
                self._observer.after(level)

        name = f"{logging.getLevelName(level)} of {self._process.pid}"
        pump = Pump(stream, encoding, deliver, self._callback_failed, name)
        pump.start()
        return pump

    def _deliver(self, block: str, level: int, handler: RegexHandler | None) -> None:
        log_handler = _only_handler(self._logger, level)
        if log_handler is not None and (handler is None or handler.takes_blocks(level)):
            log = partial(log_handler.output.log, logging.getLevelName(level))
            if handler is None:
                log(block)
            else:
                handler.feed_block(block, log)
            return
        if not self._logger.isEnabledFor(level):
            pass_messages(block)
        takers = [self._handle] if handler is None else [self._handle, handler.handle]
        first_error: BaseException | None = None
        for line in block[:-1].split("\n"):
            record = self._logger.makeRecord(
                self._logger.name, level, __file__, 0, "%s", (line,), None
            )
            for taker in takers:
                try:
                    taker(record)
                except BaseException as e:
                    first_error = first_error or e
        if first_error is not None:
            raise first_error

    def _handle(self, record: logging.LogRecord) -> None:
        if self._logger.isEnabledFor(record.levelno):
            self._logger.handle(record)

    def _callback_failed(self, error: BaseException) -> None:
        # Adaptors raise the same exception again from each later callback.
        if error is self._callback_error:
            return
        self._callback_error = error
        message = f"a callback for the application's output failed: {type(error).__name__}: {error}"
        self._logger.error(message)
        self._logger.debug("in the callback:", exc_info=error)
        report_failure(message)

    @property
    def pid(self) -> int:
        """The process id of the command."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code; -N where signal N ended it (POSIX); None while it runs."""
        return self._process.poll()

    @property
    def is_running(self) -> bool:
        """Whether the command has not ended yet, or has output that was not handled yet.

        So whoever sees the end has seen, through the handlers, what led to it.
        """
        if self._process.poll() is None:
            return True
        if threading.current_thread() not in self._pumps:
            self._drain()
        return False

    def wait(self) -> None:
        """Blocks until the command has ended and what it printed has been handled.

        A process that it left behind with its output open is not waited for: output that comes
        within a second is still shown before this returns.
        """
        self._process.wait()
        self._drain()

    def terminate(self, grace_time_s: float = 60) -> None:
        """Ends the command and every process that it started.

        Args:
            grace_time_s: seconds between asking (SIGTERM to its process group; CTRL_BREAK on
                Windows) and killing; 0 kills at once.
        """
        if self._process.poll() is None and grace_time_s > 0:
            self._logger.info(
                "Asking process %d to end, and waiting %g seconds for it", self.pid, grace_time_s
            )
            self._tree.notify()
            if not self._ends_within(grace_time_s):
                self._logger.warning(
                    "Process %d did not end within %g seconds: killing it", self.pid, grace_time_s
                )
        # Also when it has ended: what it started may live on.
        self._tree.kill()
        self._process.wait()
        self._drain()

    def _ends_within(self, seconds: float) -> bool:
        # Popen.wait() polls where it is given a limit.
        try:
            handle = ProcessHandle(self.pid)
        except ProcessLookupError:
            return True
        except OSError:
            # An old kernel, with no handles on processes.
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                return False
            return True
        try:
            return handle.wait(seconds)
        finally:
            handle.close()

    def kill(self) -> None:
        """Kills the whole tree at once, even while ``terminate`` waits in another thread."""
        self._tree.kill()

    def _drain(self) -> None:
        if not self._drained:
            # Both at the same time: their seconds do not add up.
            ends = [pump.end_of_drain(DRAIN_SECONDS) for pump in self._pumps]
            for pump, end in zip(self._pumps, ends):
                if pump is not threading.current_thread():
                    pump.drain(end)
        # Only the first to ask waits for a process that holds the pipe.
        self._drained = True
        self._note_end()
        if self._process.poll() is not None and self._tree.is_gone():
            self._tree.close()
            with _running_lock:
                place, self._place = self._place, None
                _running.discard(self)
            if self._session is not None:
                self._session.leave(place)

    def _note_end(self) -> None:
        status = self._process.poll()
        if status is not None:
            noted, self._noted = self._noted, None
            if noted is not None:
                noted.application_ended(self.pid, status)

    def __enter__(self) -> LoggingSubprocess:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.wait()


def running() -> list[LoggingSubprocess]:
    """The subprocesses of this process of which something may still live."""
    with _running_lock:
        return list(_running)


def _session() -> SessionFolder | None:
    """The session's folder, in which applications are recorded."""
    try:
        return _session_folder.get()
    except OSError as e:
        _logger.warning("applications cannot be ended should this process be killed: %s", e)
        return None


def _check_encoding(encoding: str) -> None:
    """Raises LookupError for what is no encoding of text (such as "hex")."""
    try:
        b"x".decode(encoding, "replace")
    except UnicodeError:
        pass  # It is one, and wants more than this.


def _only_handler(logger: logging.Logger, level: int) -> LogHandler | None:
    """Our own handler, where it alone would see a record: then none needs to be made."""
    # A class of the caller's own may do anything with a record.
    if type(logger) not in (logging.Logger, logging.RootLogger):
        return None
    if not logger.isEnabledFor(level) or logging.getLogRecordFactory() is not logging.LogRecord:
        return None
    found: LogHandler | None = None
    current: logging.Logger | None = logger
    while current is not None:
        if current is logger and current.filters:
            return None
        for handler in current.handlers:
            if type(handler) is not LogHandler or handler.filters or found is not None:
                return None
            if level < handler.level or handler.formatter is not None:
                return None
            found = handler
        current = current.parent if current.propagate else None
    return found
