"""What adaptors for applications share: rules for output, limits, progress, the verdict."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from .. import _journal
from .._output import has_failed
from .._stacks import describe_threads
from ..adaptors import Adaptor, AdaptorConfigurationOptions, BaseAdaptor
from ..application_ipc import ApplicationError
from ..process import LoggingSubprocess
from ..ranges import IntRange
from .outputs import OutputCheck
from .rules import Rule, RuleBook
from .settings import ApplicationConfiguration, Limits
from .task_progress import TaskProgress
from .watch import Watch, shown

_logger = logging.getLogger(__name__)

#: How many lines of the application's are shown when it is given up.
LAST_LINES = 20
#: Seconds that an application which is given up has between being asked to end and its end.
GIVE_UP_GRACE = 5.0

# What the end of an application that was given up may take (seconds), with a report about it; a
# process that even the system cannot end must not keep the session.
_BURIAL_LIMIT = 30.0
# A chunk of a thousand frames needs no line of a thousand names.
_MOST_PROBLEMS = 5
_DOING = {"start": "starting", "run": "running", "stop": "stopping"}
# What is meant for this process's Python, and would change that of the application.
_OWN_VARIABLES = frozenset(
    {"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__"}
)


class SupervisedAdaptor(Adaptor[ApplicationConfiguration]):
    """An adaptor whose application is watched: by rules for its output, and by limits."""

    #: The application's name, for messages; made of the class's name by default.
    application_name: str = "the application"
    #: What lines of the application's output mean.
    rules: Sequence[Rule] = ()
    #: When it is given up. The configuration (``limits``) goes before it.
    limits: Limits = Limits()
    #: The exit codes with which the application says that all went well.
    success_exit_codes: Collection[int] = (0,)

    def __init__(
        self,
        init_data: dict[str, Any],
        *,
        config_opts: AdaptorConfigurationOptions[ApplicationConfiguration] | None = None,
        path_mapping_data: dict[str, Any] | None = None,
    ) -> None:
        if config_opts is None:
            config_opts = AdaptorConfigurationOptions(config_cls=ApplicationConfiguration)
        super().__init__(init_data, config_opts=config_opts, path_mapping_data=path_mapping_data)
        if self.application_name == SupervisedAdaptor.application_name:
            name = type(self).__name__
            self.application_name = name.replace("Adaptor", "") or name
        self._lock = threading.Lock()
        self._last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self._phase = ""
        self._given_up: ApplicationError | None = None
        # Set when the application of a step that was given up has been ended.
        self._buried = threading.Event()
        self._cancel_called = False
        # Until an application is started anew.
        self._was_canceled = False
        self._status = ""
        self._folders: list[str] = []
        self._progress = TaskProgress(self._show_progress)
        self._book: RuleBook | None = None
        self._watch: Watch | None = None
        self._process: LoggingSubprocess | None = None

    # For authors.

    def environment(self) -> Mapping[str, str | None]:
        """Environment variables for the application, beside those of this process; None unsets.

        Asked for each time that an application is started.

        PYTHONPATH and the like are meant for the adaptor, and stay here unless they are named.
        """
        return {}

    def working_directory(self) -> str | None:
        """The folder to run the application in; this process's own unless overridden."""
        return None

    def outputs(self, run_data: dict[str, Any]) -> Sequence[str]:
        """Paths or globs of what a task writes.

        When ``on_run`` has returned, each must exist, be written by this task, and not be empty;
        otherwise the task has failed, whatever the application says.

        Args:
            run_data: the task's data.

        Returns:
            paths of files or folders, or globs; relative ones begin at this process's folder.
        """
        return ()

    def frames(self, expression: str | int) -> Iterator[int]:
        """The numbers of a chunk, one after the other.

        What is reported as progress meanwhile is that of one number; the task's progress is put
        together from it.

        Args:
            expression: a range expression such as ``"1-10:2,15"``, or one number.

        Raises:
            ValueError: it is no range expression (specification, "Task chunking").
        """
        chunk = IntRange.parse(str(expression))
        self._progress.split(len(chunk))
        for index, number in enumerate(chunk):
            self._progress.enter(index)
            if self._watch is not None:
                # One number of ten thousand is progress, if less than what is told of.
                self._watch.grew()
            yield number

    # The lifecycle.

    def cancel(self) -> None:
        """Cancels what the adaptor does; without an ``on_cancel`` its application is ended."""
        self._cancel_called = self._was_canceled = True
        super().cancel()

    @property
    def _canceled(self) -> bool:
        # The session knows also of a cancel that came before the step had begun here.
        asked = self._step_canceled
        return self._cancel_called or (asked is not None and asked())

    def _check_wanted(self) -> None:
        """Whether the step goes on.

        Raises:
            ApplicationError: it was cancelled, or given up.
        """
        with self._lock:
            given_up = self._given_up
        if given_up is not None:
            raise given_up
        if self._canceled:
            raise ApplicationError("canceled")

    @contextmanager
    def _step(self, phase: str) -> Iterator[None]:
        """A step under supervision.

        Raises:
            ApplicationError: something else than the code of the step says that it has failed.
        """
        book, watch = self._supervisors()
        with self._lock:
            self._phase = phase
            self._given_up = None
            self._cancel_called = False
        self._status = ""
        self._last_lines.clear()
        self._progress.begin()
        book.begin(phase)
        watch.begin(phase)
        error: Exception | None = None
        try:
            yield
        except Exception as e:
            error = e
            raise
        finally:
            watch.end()
            with self._lock:
                # From here on nothing gives up this step: the next must not find its
                # application on the way to its end.
                self._phase = ""
                given_up = self._given_up is not None
            self._await_burial(given_up, error)
            summary = book.summary()
            if summary:
                _logger.info("%s", summary)
            self._judge(error)

    def _await_burial(self, given_up: bool, error: Exception | None) -> None:
        """A step has ended; returns when what must not live on for the next one has ended, too.

        Args:
            given_up: somebody has begun to end the application.
            error: what the step's code raised.
        """
        if given_up:
            self._buried.wait(_BURIAL_LIMIT)
        elif self._canceled and type(self).on_cancel is BaseAdaptor.on_cancel:
            # The session ends it, first by asking.
            process = self._process
            if process is not None:
                process.wait()

    def _supervisors(self) -> tuple[RuleBook, Watch]:
        config = self.config
        if self._book is None:
            self._book = RuleBook(
                self.rules,
                self,
                severities=config.rules,
                continue_on_error=config.continue_on_error,
            )
        if self._watch is None:
            self.limits = self.limits._replace(**config.limits)
            self._watch = Watch(self.limits, self._tripped, self._pids, self._written_folders)
        return self._book, self._watch

    def _judge(self, error: Exception | None) -> None:
        """What rules and limits say of the step goes before what its code says."""
        if self._canceled:
            # That what was cancelled has ended is no failure to tell of.
            if error is not None:
                error.told = True  # type: ignore[attr-defined]
            return
        with self._lock:
            given_up = self._given_up
        if given_up is not None:
            if error is not given_up:
                raise given_up from error
            return
        failure = self._book.failure if self._book else None
        if failure is None:
            return
        if isinstance(error, ApplicationError) and error.message == failure:
            return
        if error is None:
            raise self._failure(failure)
        if isinstance(error, ApplicationError) and error.remote_type is not None:
            # The application's own exception says it better.
            return
        raise self._failure(f"{failure} ({error})") from error

    def _task(self, run_data: dict[str, Any]) -> OutputCheck:
        """What a task must have written in its end; made before it begins."""
        check = OutputCheck(self.outputs(run_data))
        self._folders = [os.path.dirname(os.path.abspath(path)) for path in check.paths]
        return check

    def _verify(self, check: OutputCheck) -> None:
        problems = check.verify()
        if (journal := _journal.current()) is not None:
            for file in check.found:
                journal.output(file)
        if problems:
            more = len(problems) - _MOST_PROBLEMS
            told = problems[:_MOST_PROBLEMS] + ([f"and {more} more"] if more > 0 else [])
            raise self._failure(
                f"{self.application_name} said that all went well, but: {'; '.join(told)}"
            )

    def _finish_progress(self) -> None:
        """The task is done, and rules have had their say: one that has failed is not at 100 %."""
        if not has_failed():
            self._progress.finish()

    def _cleanup(self) -> None:
        try:
            super()._cleanup()
        finally:
            if self._watch is not None:
                self._watch.close()

    # What the supervisors tell.

    def on_progress(self, percent: float) -> None:
        """A rule has seen how far the application is (percent)."""
        self._progress.update(percent)

    def on_status(self, text: str) -> None:
        """A rule has seen what the application does; `text` is one line about it."""
        if text != self._status:
            self._status = text
            self.update_status(status_message=text)

    def on_warning(self, rule_id: str, line: str) -> None:
        """The rule `rule_id` has seen something to warn of; `line` is what it has to say."""
        _logger.warning("rule %s: %s", rule_id, line)

    def on_failure(self, message: str, stop: bool) -> None:
        """A rule has seen that the task has failed, for the reason in `message`.

        `stop` says that nothing good will follow: the application is given up.
        """
        if stop:
            self._give_up(message)

    def _show_progress(self, percent: float) -> None:
        if self._watch is not None:
            self._watch.grew()
        self.update_status(progress=round(percent, 1))

    def _tripped(self, words: str, limit: str) -> None:
        """In the watch's thread: a limit was exceeded."""
        value = getattr(self.limits, limit)
        message = (
            f"{self.application_name} {words} while {self._doing()} (limit {limit}: {shown(value)})"
        )
        if not self._give_up(message, at_once=False):
            return
        try:
            # Indented: a line of it that is a message to the scheduler is not to be one again.
            lines = "\n".join(f"  {line}" for line in list(self._last_lines) or ["(none)"])
            _logger.error("The last lines of %s:\n%s", self.application_name, lines)
            for thread in describe_threads():
                _logger.error("%s", thread)
            self._show_stacks()
        finally:
            self._bury()

    def _give_up(self, message: str, at_once: bool = True) -> bool:
        """The step has failed: tells the scheduler, and ends what waits for the application.

        Once for each step; says whether this was the first time. The application's process is
        ended as well, if `at_once`.
        """
        with self._lock:
            if self._given_up is not None or not self._phase:
                return False
            doing = _DOING[self._phase]
            error = self._failure(message)
            error.told = True
            self._given_up = error
            buried = self._buried = threading.Event()
            tell_session = self._step_given_up
        if not self._canceled:
            line = " ".join(message.splitlines())
            sys.stdout.write(f"openjd_fail: Error encountered while {doing} adaptor: {line}\n")
            sys.stdout.flush()
        if tell_session is not None:
            # Ending the application may not be enough to have the step's code return.
            tell_session(buried)
        if at_once:
            # Not in this thread, which may be one that reads the application's output.
            threading.Thread(target=self._bury, name="give up", daemon=True).start()
        return True

    def _bury(self) -> None:
        try:
            self._end_application()
        finally:
            self._buried.set()

    def _end_application(self) -> None:
        """Ends the application, its tree and all that waits for it."""
        process = self._process
        if process is not None:
            process.terminate(GIVE_UP_GRACE)

    def _doing(self) -> str:
        return _DOING.get(self._phase, "idle")

    def _show_stacks(self) -> None:
        """Shows what the application's own Python does, where that can be known."""

    def _pids(self) -> list[int]:
        process = self._process
        return [process.pid] if process is not None else []

    def _written_folders(self) -> list[str]:
        return sorted(set(self._folders)) or [os.getcwd()]

    def _failure(self, message: str, exit_status: int | None = None) -> ApplicationError:
        """An error with what the application printed last."""
        return ApplicationError(message, exit_status=exit_status, last_lines=list(self._last_lines))

    # The application's process.

    def _start_process(
        self, command: list[str], variables: Mapping[str, str | None] | None = None
    ) -> LoggingSubprocess:
        """Starts the application, with its rules, its environment and these variables."""
        book, _ = self._supervisors()
        process = self._process = LoggingSubprocess(
            args=command,
            startup_directory=self.working_directory(),
            stdout_handler=book.handler,
            stderr_handler=book.handler,
            environment=self._variables(variables or {}),
            observer=self,
        )
        return process

    def _variables(self, extra: Mapping[str, str | None]) -> dict[str, str]:
        variables = {k: v for k, v in os.environ.items() if k not in _OWN_VARIABLES}
        for name, value in {**extra, **self.environment()}.items():
            if value is None:
                variables.pop(name, None)
            else:
                variables[name] = value
        return variables

    def before(self, level: int, block: str) -> str:
        """See ``OutputObserver``."""
        if self._watch is not None:
            self._watch.heard()
        lines = block.rsplit("\n", LAST_LINES + 1)[1:] if block.count("\n") > LAST_LINES else (
            block.split("\n")
        )  # fmt: skip
        self._last_lines.extend(line[:500] for line in lines if line)
        return block

    def after(self, level: int) -> None:
        """See ``OutputObserver``."""


def describe_end(returncode: int | None) -> str:
    """How a process ended, for people: ``exit code 3``, ``signal 11 (SIGSEGV)``…"""
    if returncode is None:
        return "no exit code"
    number = -returncode
    # What a shell makes of a child that a signal ended.
    if 128 < returncode < 160:
        number = returncode - 128
    if number > 0:
        import signal

        try:
            name = signal.Signals(number).name
        except ValueError:
            return f"exit code {returncode}"
        hint = {"SIGKILL": ": the system may have been out of memory", "SIGSEGV": ": it crashed"}
        form = f"signal {number}" if returncode < 0 else f"exit code {returncode}"
        return f"{form} ({name}{hint.get(name, '')})"
    # Windows, whose exit codes have 32 bits: what the system ends a process with, or a -1.
    if returncode == 0xC000013A:
        return f"exit code {returncode:#x} (it was told to end, by Ctrl-C or Ctrl-Break)"
    if 0xC0000000 < returncode < 0xF0000000:
        return f"exit code {returncode:#x} (it crashed)"
    if returncode >= 1 << 31:
        return f"exit code {returncode - (1 << 32)} ({returncode:#x})"
    return f"exit code {returncode}"
