"""ApplicationAdaptor: an adaptor for an application with Python inside, in tens of lines."""

from __future__ import annotations

import logging
import os
import re
import textwrap
import threading
import time
from collections.abc import Mapping
from typing import Any, ClassVar

import openjd.adaptor_runtime_client

from .._platform import ProcessHandle
from ..adaptors.base import path_beside
from ..application_ipc import (
    ActionsQueue,
    AdaptorServer,
    ApplicationError,
    Call,
    Calls,
    Hello,
)
from ..process import LoggingSubprocess
from ..process._levels import STDERR, STDOUT
from .supervised import GIVE_UP_GRACE, SupervisedAdaptor, describe_end

_logger = logging.getLogger(__name__)

# How long output that the application printed before its answer may take to arrive (seconds). It
# takes no time, unless the application has put something else in the place of its output.
_MARK_LIMIT = 2.0
# How long its last answers may take after its end (seconds): no time, unless a child of its holds
# the connection.
_ANSWERS_LIMIT = 1.0
# How long the application's stacks may take to arrive (seconds), and the silence after them.
_STACKS_LIMIT = 1.0
_STACKS_PAUSE = 0.05
# What ends the application once it has been answered.
_ENDINGS = frozenset({"SystemExit", "KeyboardInterrupt", "GeneratorExit"})


class Application:
    """The application of a session, as its adaptor sees it: ``self.app``, made by the adaptor.

    Args:
        adaptor: whose application it is.
        calls: the calls to it.
    """

    def __init__(self, adaptor: ApplicationAdaptor, calls: Calls) -> None:
        self._adaptor = adaptor
        self._calls = calls
        self._hello: Hello | None = None

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        process = self._adaptor._process
        if process is None or not process.is_running:
            return False
        # While another thread waits for its end, and one does, Popen does not tell of it.
        try:
            handle = ProcessHandle(process.pid)
        except ProcessLookupError:
            ended = True
        except OSError:
            return True  # An old kernel, with no handles on processes.
        else:
            ended = handle.wait(0)
            handle.close()
        if ended:
            process.wait()
        return not ended

    @property
    def pid(self) -> int | None:
        """Its process id; None before it was started."""
        process = self._adaptor._process
        return None if process is None else process.pid

    @property
    def version(self) -> str | None:
        """The application's version, as its client has it."""
        return None if self._hello is None else self._hello.application

    def call(self, action: str, /, *, timeout: float | None = None, **parameters: Any) -> Any:
        """Has the application perform an action, and returns what the action returns.

        Args:
            action: the name of one of the client's actions.
            timeout: seconds that it may take; None for as long as the limits allow.
            parameters: those of the action; anything that JSON can express.

        Raises:
            ApplicationError: the action raised, does not exist, was given wrong parameters or
                took too long; the application ended; a rule or a limit says that it has failed.
        """
        return self.result(self.submit(action, **parameters), timeout)

    def submit(self, action: str, /, **parameters: Any) -> Call:
        """Like ``call``, without waiting: several actions can be under way.

        Args:
            action: the name of one of the client's actions.
            **parameters: those of the action; anything that JSON can express.

        Returns:
            the call, for ``result``.

        Raises:
            ApplicationError: there is no such action, or no application.
        """
        self._adaptor._check_wanted()
        return self._calls.submit(action, parameters)

    def result(self, call: Call, timeout: float | None = None) -> Any:
        """What a call that was submitted returns, once it does.

        Args:
            call: what ``submit`` has returned.
            timeout: seconds that it may take from now; None for as long as the limits allow.

        Raises:
            ApplicationError: as ``call`` does.
        """
        try:
            value = call.result(timeout)
        except TimeoutError:
            raise ApplicationError(f"{call.name} took longer than {timeout:g} seconds") from None
        except ApplicationError as e:
            self._adaptor._wait_for_marks(call.id)
            # What a cancel has ended needs no explanation.
            canceled = self._adaptor._canceled and e.remote_type in _ENDINGS
            if e.remote_traceback and not canceled:
                # Indented: no line of the exception's text is to be a message to the scheduler.
                _logger.error("%s", textwrap.indent(e.remote_traceback.rstrip(), "  "))
            raise
        finally:
            if self._adaptor._watch is not None:
                self._adaptor._watch.heard()
        self._adaptor._wait_for_marks(call.id)
        return value


class ApplicationAdaptor(SupervisedAdaptor):
    """An adaptor for an application that runs a client (``ApplicationClient``) in its Python.

    It starts the application, waits for its client, and ends it; a subclass says with what
    command, and which actions make up a task.

    Args:
        init_data: the session's data.
        **options: those of ``BaseAdaptor``; the runtime gives them.
    """

    #: The script with the client, to run in the application's Python; a relative path begins at
    #: the folder of the module that defines the class. Its ``version`` is compared with
    #: ``minimum_version``.
    client: ClassVar[str]
    #: The least version of the application, such as ``"3.4"``; any will do if empty.
    minimum_version: str = ""

    def __init__(self, init_data: dict[str, Any], **options: Any) -> None:
        super().__init__(init_data, **options)
        self._calls = Calls(self._call_progress, self._call_status)
        #: The application, for ``on_start``, ``on_run`` and ``on_stop``.
        self.app = Application(self, self._calls)
        self._server: AdaptorServer | None = None
        self._server_thread: threading.Thread | None = None
        self._end_thread: threading.Thread | None = None
        self._mark_token = os.urandom(8).hex()
        self._mark = re.compile(rf"(?P<partial>[^\n])?\x1e{self._mark_token} (?P<id>\d+)\n")
        self._marks = threading.Condition()
        self._marks_pending = {STDOUT: 0, STDERR: 0}
        self._marks_seen = {STDOUT: 0, STDERR: 0}
        #: The streams on which marks come.
        self._marked = {STDOUT, STDERR}
        #: Set when the application has printed something on stderr while its stacks are awaited.
        self._stacks: threading.Event | None = None

    # For authors.

    def command(self) -> list[str]:
        """The application's command line: program and arguments. No shell reads them.

        It must have the application's Python run the file ``self.client_script``. Called when a
        session starts, and again for an application that is started anew.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define command()")

    @property
    def client_script(self) -> str:
        """The file that the application's Python is to run. It runs the client."""
        client = os.path.dirname(openjd.adaptor_runtime_client.__file__)
        return os.path.join(client, "bootstrap.py")

    # The lifecycle.

    def _start(self) -> None:
        with self._step("start"):
            self._launch()
            self.on_start()

    def _run(self, run_data: dict[str, Any]) -> None:
        # The connection first: it ends after an action that ends the application.
        if not self._calls.is_connected or not self.app.is_running:
            # A start, with the limits and the rules of one.
            with self._step("start"):
                self._restart()
        with self._step("run"):
            self._check_wanted()
            check = self._task(run_data)
            self.on_run(run_data)
            self._verify(check)
        self._finish_progress()

    def _stop(self) -> None:
        with self._step("stop"):
            self.on_stop()
            self._close()

    def _cleanup(self) -> None:
        try:
            super()._cleanup()
        finally:
            if self._process is not None:
                self._process.kill()
                self._process.wait()
            if self._end_thread is not None:
                self._end_thread.join()
            if self._server is not None and self._server_thread is not None:
                self._server.shutdown()
                self._server_thread.join()

    def _launch(self) -> None:
        """Starts the application and waits for its client."""
        if self._server is None:
            self._server = AdaptorServer(ActionsQueue(), self, self._calls)
            self._server_thread = threading.Thread(
                target=self._server.serve_forever, name="application server", daemon=True
            )
            self._server_thread.start()
        if self._end_thread is not None:
            # What it has to say of the process that was here before is not about the next one.
            self._end_thread.join()
        self._calls.reset()
        self._was_canceled = False
        self.app._hello = None
        self._marked = {STDOUT, STDERR}
        self._marks_pending = dict.fromkeys(self._marks_pending, -1)
        self._marks_seen = dict.fromkeys(self._marks_seen, -1)
        process = self._start_process(self.command(), self._client_variables(self._server))
        self._end_thread = threading.Thread(
            target=self._await_end, args=(process,), name="application's end", daemon=True
        )
        self._end_thread.start()
        # Who ended the step while its process was being started has not seen it.
        self._check_wanted()
        hello = self.app._hello = self._calls.wait_for_client(None)
        self._wait_for_marks(0)
        if self.minimum_version:
            self._check_version(hello)

    def _client_variables(self, server: AdaptorServer) -> Mapping[str, str]:
        cls = type(self)
        if not hasattr(cls, "client"):
            raise NotImplementedError(f"{cls.__name__} does not say what its client is")
        script = path_beside(self, "client")
        if not os.path.exists(script):
            raise FileNotFoundError(f"the client {script} of {cls.__name__} does not exist")
        return {
            "OPENJD_ADAPTOR_SERVER": server.server_path,
            "OPENJD_ADAPTOR_CLIENT_SCRIPT": script,
            "OPENJD_ADAPTOR_MARK": self._mark_token,
        }

    def _check_version(self, hello: Hello) -> None:
        if hello.application is None:
            raise ApplicationError(
                f"the client of {self.application_name} does not say its application's version; "
                f"this adaptor needs {self.minimum_version} or later"
            )
        if _numbers(hello.application) < _numbers(self.minimum_version):
            raise ApplicationError(
                f"this is {self.application_name} {hello.application}, but the adaptor needs "
                f"{self.minimum_version} or later"
            )

    def _restart(self) -> None:
        process = self._process
        what = "has ended"
        if process is not None:
            if self.app.is_running:
                what = "has closed its connection"
                process.terminate(GIVE_UP_GRACE)
            what += f" ({describe_end(process.returncode)})"
            process.kill()
        if not self.config.restart:
            raise ApplicationError(
                f"{self.application_name} {what} and is not started anew (setting restart)"
            )
        _logger.warning("%s %s: it is started anew", self.application_name, what)
        self._launch()
        self.on_start()

    def _close(self) -> None:
        """Has the application end, and sees how it does."""
        process = self._process
        if process is None:
            return
        call = None
        if self.app.is_running:
            try:
                call = self._calls.submit("close", {}) if self._calls.is_connected else None
            except ApplicationError:
                pass  # It has gone this moment.
            if call is None:
                process.terminate(GIVE_UP_GRACE)
        process.wait()
        if call is not None and call.done:
            try:
                call.result(0)
            except ApplicationError as e:
                if e.remote_traceback and e.remote_type not in _ENDINGS:
                    trace = textwrap.indent(e.remote_traceback.rstrip(), "  ")
                    _logger.warning("%s\n%s", e, trace)
        if process.returncode not in self.success_exit_codes and not self._was_canceled:
            # Its work is done; many applications crash on their way out.
            end = describe_end(process.returncode)
            _logger.warning("%s ended with %s", self.application_name, end)

    def _await_end(self, process: LoggingSubprocess) -> None:
        process.wait()
        if process is not self._process:
            return
        # What it answered before its end counts, and has been read when the connection is at its.
        self._calls.wait_until_gone(_ANSWERS_LIMIT)
        end = describe_end(process.returncode)
        self._calls.fail_all(
            self._failure(
                f"{self.application_name} ended with {end} while {self._doing()}",
                exit_status=process.returncode,
            )
        )
        with self._marks:
            self._marked = set()
            self._marks.notify_all()

    def _await_burial(self, given_up: bool, error: Exception | None) -> None:
        """See ``SupervisedAdaptor``; a task that failed leaves nothing under way."""
        super()._await_burial(given_up, error)
        process = self._process
        if given_up or error is None or process is None:
            return
        end = time.monotonic() + GIVE_UP_GRACE
        # What a cancel leaves under way is the affair of whoever handles the cancel.
        for call in () if self._canceled else self._calls.pending:
            # What goes on would be taken for a part of the next task.
            try:
                call.result(max(end - time.monotonic(), 0))
            except ApplicationError:
                pass
            except TimeoutError:
                _logger.warning(
                    "%s is still performing %s: it is ended", self.application_name, call.name
                )
                process.terminate(GIVE_UP_GRACE)
                return
        ends = isinstance(error, ApplicationError) and error.remote_type in _ENDINGS
        if ends and not process._ends_within(GIVE_UP_GRACE):
            process.terminate(0)

    def _end_application(self) -> None:
        with self._lock:
            error = self._given_up
        if error is not None:
            self._calls.fail_all(error)
        super()._end_application()

    def _doing(self) -> str:
        call = self._calls.current
        if call is None:
            return super()._doing()
        parameters = ", ".join(f"{name}={value!r}"[:60] for name, value in call.args.items())
        return f"performing {call.name}({parameters})"

    def _show_stacks(self) -> None:
        from .stacks import show_stacks

        hello = self.app._hello
        process = self._process
        if process is None:
            return
        arrived = self._stacks = threading.Event()
        if show_stacks(process, None if hello is None else hello.pid):
            # What ends the application next must not overtake them.
            end = time.monotonic() + _STACKS_LIMIT
            pause = _STACKS_LIMIT
            while arrived.wait(min(pause, end - time.monotonic())):
                arrived.clear()
                pause = _STACKS_PAUSE
                if time.monotonic() > end:
                    break
        self._stacks = None

    # What comes from the application.

    def _call_progress(self, call: Call, percent: float) -> None:
        if self._watch is not None:
            self._watch.heard()
        self._progress.update(percent)

    def _call_status(self, call: Call, text: str) -> None:
        if self._watch is not None:
            self._watch.heard()
        self.update_status(status_message=text)

    def before(self, level: int, block: str) -> str:
        """See ``OutputObserver``."""
        if "\x1e" in block:
            block = self._mark.sub(lambda mark: self._take_mark(level, mark), block)
        stacks = self._stacks
        if stacks is not None and level == STDERR:
            stacks.set()
        return super().before(level, block) if block else block

    def after(self, level: int) -> None:
        """See ``OutputObserver``."""
        if self._marks_pending[level] != self._marks_seen[level]:
            with self._marks:
                self._marks_seen[level] = self._marks_pending[level]
                self._marked.add(level)
                self._marks.notify_all()

    def _take_mark(self, level: int, mark: re.Match[str]) -> str:
        self._marks_pending[level] = int(mark["id"])
        # What stands before it is a line that was not ended.
        return f"{mark['partial']}\n" if mark["partial"] else ""

    def _wait_for_marks(self, number: int) -> None:
        """Returns when what the application printed before the answer `number` has been seen."""
        with self._marks:
            self._marks.wait_for(lambda: not self._unmarked(number), _MARK_LIMIT)
            # A stream without its mark leads elsewhere: it is not waited for again.
            self._marked -= self._unmarked(number)

    def _unmarked(self, number: int) -> set[int]:
        return {level for level in self._marked if self._marks_seen[level] < number}


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version, for comparison: (3, 4, 1) of "3.4.1 LTS"."""
    leading = re.match(r"[^\d]*(\d+(?:\.\d+)*)", version)
    numbers = [int(part) for part in leading[1].split(".")] if leading else []
    while numbers and not numbers[-1]:
        numbers.pop()  # 3.4.0 is 3.4
    return tuple(numbers)
