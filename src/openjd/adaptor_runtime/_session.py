"""A session as the runtime sees it: an adaptor, the one thread that runs its code, the cancel.

The foreground command and the daemon drive the same Session; they differ in who asks and in
where the output goes.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import traceback
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

from ._output import Output, PrintStream
from .adaptors import BaseAdaptor
from .adaptors.lifecycle import DOING, AdaptorRunner, AdaptorState, describe, origin
from .process import logging_subprocess

if TYPE_CHECKING:
    from collections.abc import Callable

    from . import EntryPoint
    from .adaptors.configuration import RuntimeConfiguration

_logger = logging.getLogger(__name__)

# What on_cancel is given before the runtime ends the applications itself (seconds), and what
# the adaptor's code is given after that before the session is given up.
CANCEL_GRACE = 20.0
KILLED_GRACE = 5.0

START, RUN, STOP, CLEANUP = "start", "run", "stop", "cleanup"


_STOPPABLE = (AdaptorState.START, AdaptorState.RUN, AdaptorState.CANCELED)


class Outcome(NamedTuple):
    """How a step ended."""

    ok: bool
    canceled: bool = False
    #: What went wrong, in one line; None where it went well.
    error: str | None = None
    #: The traceback of the exception behind it, for log_level DEBUG.
    traceback: str | None = None


class Step:
    """One thing that the adaptor is asked to do.

    Args:
        name: START, RUN, STOP (which cleans up as well) or CLEANUP (alone, after an error).
        run_data: for RUN.
        on_done: called in the worker thread with the outcome.
    """

    def __init__(
        self, name: str, on_done: Callable[[Outcome], None], run_data: dict[str, Any] | None = None
    ) -> None:
        self.name = name
        self.run_data = run_data or {}
        self.on_done = on_done
        self.canceled = False
        self.hurry = threading.Event()
        self.done = threading.Event()
        self.began = time.monotonic()


class Session:
    """Runs the adaptor's code, step by step, in one worker thread.

    Args:
        make_adaptor: makes the adaptor; called in the worker when the START step begins.
        output: where output goes, and where failures in it are noticed.
        on_stuck: called when the adaptor's code goes on although it was cancelled and its
            applications were killed: nothing more can be done from inside the process.
        settle: called when the adaptor's code for a step has ended; returns when all output
            that it caused by other ways than Python's has been seen.
    """

    def __init__(
        self,
        make_adaptor: Callable[[], BaseAdaptor[Any]],
        output: Output,
        on_stuck: Callable[[Step], None],
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        self._make_adaptor = make_adaptor
        self._output = output
        self._on_stuck = on_stuck
        self._settle = settle
        self._steps: SimpleQueue[Step | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._current: Step | None = None
        self._runner: AdaptorRunner | None = None
        self.tasks_done = 0
        self._worker = threading.Thread(target=self._work, name="adaptor", daemon=True)
        self._worker.start()

    @property
    def state(self) -> AdaptorState:
        """The adaptor's state."""
        return self._runner.state if self._runner else AdaptorState.NOT_STARTED

    @property
    def current(self) -> Step | None:
        """The step under way."""
        return self._current

    def submit(self, step: Step) -> None:
        """Has the worker do `step` once it has done what it was asked before."""
        self._steps.put(step)

    def close(self) -> None:
        """Ends the worker after the step under way, and every application that still lives."""
        self._steps.put(None)
        end_applications()

    def cancel(self, step: Step, hurry: bool = False) -> None:
        """Cancels `step`, if it is under way; returns at once. A second time it hurries.

        The adaptor's ``on_cancel`` is called. What it does not end within CANCEL_GRACE seconds
        (at once, if `hurry`) is killed with everything that it has started.
        """
        with self._lock:
            if step.done.is_set():
                return
            if step.name not in (START, RUN) and self._current is not step:
                # The end of a session is not called off; what it waits for may be hurried.
                return
            if hurry or step.canceled:
                step.hurry.set()
            if step.canceled:
                return
            step.canceled = True
            if self._current is not step:
                return
        threading.Thread(target=self._cancel, args=(step,), name="cancel", daemon=True).start()

    def _cancel(self, step: Step) -> None:
        _logger.info("Canceling: the adaptor is asked to end what it does")
        threading.Thread(target=self._ask, args=(step,), name="on_cancel", daemon=True).start()
        # done sets hurry as well, so that this one wait sees whichever comes first.
        step.hurry.wait(CANCEL_GRACE)
        if step.done.is_set():
            return
        end_applications()
        if not step.done.wait(KILLED_GRACE):
            self._on_stuck(step)

    def _ask(self, step: Step) -> None:
        runner = self._runner
        if runner is None or step.done.is_set():
            return
        try:
            runner._cancel()
        except Exception as e:
            _logger.error("on_cancel failed: %s (%s)", describe(e), origin(e))
        if type(runner.adaptor).on_cancel is BaseAdaptor.on_cancel:
            # Nobody else will: ask the applications themselves.
            for application in logging_subprocess.running():
                # What runs by now may be the next task's.
                if step.done.is_set():
                    return
                application.terminate(CANCEL_GRACE)

    def _work(self) -> None:
        while True:
            step = self._steps.get()
            if step is None:
                return
            with self._lock:
                self._current = step
                canceled = step.canceled
            step.began = time.monotonic()
            outcome = Outcome(False, True, "canceled") if canceled else self._do(step)
            with self._lock:
                self._current = None
                step.done.set()
                step.hurry.set()
            step.on_done(outcome)

    def _do(self, step: Step) -> Outcome:
        # A failure that was printed between two tasks belongs to neither.
        self._output.take_failure()
        error: BaseException | None = None
        try:
            if step.name == START:
                self._start(step)
            elif step.name == RUN:
                runner = self._require_runner()
                runner.adaptor._step_canceled = lambda: step.canceled
                runner._run(step.run_data)
            elif step.name == STOP:
                if self._runner is not None:
                    self._runner.adaptor._step_canceled = None
                self._stop()
            elif self._runner is not None:
                self._runner._cleanup()
        except BaseException as e:
            error = e
        self._finish_prints()
        self._settle()
        outcome = self._judge(step, error)
        if step.name == START and not outcome.ok:
            self._clean_up()
        if step.name == RUN:
            self.tasks_done += 1
        return outcome

    def _judge(self, step: Step, error: BaseException | None) -> Outcome:
        failure = self._output.take_failure()
        trace = None
        if error is not None:
            trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        with self._lock:
            canceled = step.canceled
        if canceled and step.name in (START, RUN):
            return Outcome(False, True, "canceled", trace)
        if error is None and failure is None:
            return Outcome(True)
        if error is not None:
            message = describe(error)
        else:
            assert failure is not None
            message = failure.message
        if failure is None or not failure.told:
            # What the runner does not catch (SystemExit), or happened before it existed, or
            # beside the adaptor's code.
            doing = DOING[AdaptorState(step.name)]
            line = " ".join(f"Error encountered while {doing} adaptor: {message}".splitlines())
            self._output.write(f"openjd_fail: {line}\n")
            self._output.take_failure()
        if error is not None:
            place = origin(error)
            if place is not None:
                _logger.error("%s", place)
            _logger.debug("%s", trace)
        return Outcome(False, False, message, trace)

    def _start(self, step: Step) -> None:
        adaptor = self._make_adaptor()
        adaptor._step_canceled = lambda: step.canceled
        self._runner = AdaptorRunner(adaptor=adaptor)
        # A cancel that came before had nobody to tell.
        if not step.canceled:
            self._runner._start()

    def _stop(self) -> None:
        runner = self._runner
        if runner is None:
            return
        try:
            if runner.state in _STOPPABLE:
                runner._stop()
        except BaseException:
            # The first error is the one to report.
            self._clean_up()
            raise
        runner._cleanup()

    def _clean_up(self) -> None:
        if self._runner is None:
            return
        try:
            self._runner._cleanup()
        except Exception as e:
            _logger.error("cleaning up failed too: %s (%s)", describe(e), origin(e))
        self._finish_prints()

    def _require_runner(self) -> AdaptorRunner:
        if self._runner is None:
            raise RuntimeError("the adaptor was not started")
        return self._runner

    def _finish_prints(self) -> None:
        if isinstance(sys.stdout, PrintStream):
            sys.stdout.finish()


def new_adaptor(
    entry_point: EntryPoint,
    init_data: dict[str, Any],
    path_mapping_data: dict[str, Any],
    config: RuntimeConfiguration,
) -> BaseAdaptor[Any]:
    """The adaptor for a session; its configuration's log level applies to its package's loggers.

    Maps the paths in the environment variables that the configuration names.

    Raises:
        ConfigurationError: a configuration file cannot be used.
        Exception: whatever the adaptor's constructor raises.
    """
    adaptor = entry_point.load()(init_data, path_mapping_data=path_mapping_data)
    logging.getLogger(entry_point.module.partition(".")[0]).setLevel(adaptor.config.log_level)
    if config.warn_unmapped_paths:
        adaptor._warn_of_unmapped_paths()
    names = adaptor.config.map_environment
    if names:
        _map_environment(adaptor, names)
    return adaptor


def _map_environment(adaptor: BaseAdaptor[Any], names: list[str]) -> None:
    """Maps the paths in these variables of this process, whose applications inherit them."""
    from openjd.adaptor_runtime_client.path_mapping import PathMapper

    from .adaptors.data_paths import map_list

    # The text of a list is asked about as well, and must not be warned of as a path.
    map_whole = PathMapper(adaptor.path_mapping_rules).map
    for name in names:
        value = os.environ.get(name, "")
        mapped = map_list(value, adaptor.map_path, map_whole)
        if mapped != value:
            os.environ[name] = mapped
            _logger.debug("environment variable %s: %s is mapped to %s", name, value, mapped)


def end_applications() -> None:
    """Kills every application that the adaptor started and that still lives, with its tree."""
    for application in logging_subprocess.running():
        application.kill()
