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
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _journal
from ._cancel_info import BUDGET, LEAST
from ._output import Output, PrintStream
from ._vital import start_vital
from .adaptors import BaseAdaptor
from .adaptors.lifecycle import DOING, AdaptorRunner, AdaptorState, describe, origin
from .process import logging_subprocess

if TYPE_CHECKING:
    from collections.abc import Callable

    from . import EntryPoint
    from .adaptors.configuration import RuntimeConfiguration
    from .process import LoggingSubprocess

_logger = logging.getLogger(__name__)

# Of the time for a cancel the end is kept for the answer and the end of processes, and what comes
# before that for the adaptor's code, when its applications are dead (seconds at most, and share).
ANSWER_RESERVE, ANSWER_SHARE = 2.0, 0.2
CODE_RESERVE, CODE_SHARE = 5.0, 0.2
# When the applications are asked to end, whatever on_cancel does: so far into the rest of it.
TERMINATE_SHARE = 0.6

# What the end of an application that was given up may take, with a report about it, and what the
# adaptor's code is given after that (seconds).
BURIAL_LIMIT = 30.0
GIVEN_UP_GRACE = 30.0

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


class Phases(NamedTuple):
    """When what happens in a cancel: times of ``time.monotonic``, in this order."""

    #: The applications are asked to end, if nobody has done so yet.
    terminate: float
    #: They are killed.
    kill: float
    #: The adaptor's code has not ended either: the session is given up.
    give_up: float

    @classmethod
    def spread(cls, now: float, seconds: float) -> Phases:
        """Those of a cancel for which `seconds` are left."""
        seconds = max(seconds, LEAST)
        give_up = now + seconds - min(ANSWER_RESERVE, ANSWER_SHARE * seconds)
        kill = give_up - min(CODE_RESERVE, CODE_SHARE * seconds)
        return cls(now + TERMINATE_SHARE * (kill - now), kill, give_up)

    @classmethod
    def hurried(cls, now: float) -> Phases:
        """Those of one that has to hurry."""
        return cls(now, now, now + CODE_RESERVE)

    def nearer(self, other: Phases) -> Phases:
        """Of each time the earlier one."""
        return Phases(*map(min, self, other))


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
        #: Whether it is called off: a START or RUN that was cancelled.
        self.canceled = False
        #: Why nobody waits for it any more, if it is not the scheduler that has called it off.
        self.lost: str | None = None
        #: When what happens, once it was cancelled.
        self.phases: Phases | None = None
        #: The applications that were asked to end because of that.
        self.asked: set[LoggingSubprocess] = set()
        #: Whether it has failed, and is to end because its application was ended.
        self.given_up = False
        self.stuck = False
        #: Whether on_cancel is under way.
        self.asking = False
        #: Whether its own code has ended; done as well once it can be answered.
        self.ended = False
        self.done = threading.Event()
        self.began = time.monotonic()

    @property
    def stuck_because(self) -> str:
        """Why the session was given up with this step, as the beginning of a sentence."""
        if self.given_up:
            return (
                f"the adaptor's {self.name} step did not end within {GIVEN_UP_GRACE:g} seconds "
                "although its application was ended"
            )
        return f"the adaptor did not react to the cancel while its {self.name} step was under way"


class Session:
    """Runs the adaptor's code, step by step, in one worker thread.

    Args:
        make_adaptor: makes the adaptor; called in the worker when the START step begins.
        output: where output goes, and where failures in it are noticed.
        on_stuck: called, once for a step, when the adaptor's code goes on although it was
            cancelled (or given up) and its applications were killed: nothing more can be done
            from inside the process.
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
        # Notified when the end of a cancel has moved nearer, and when a step has ended.
        self._news = threading.Condition(self._lock)
        self._current: Step | None = None
        self._runner: AdaptorRunner | None = None
        self.tasks_done = 0
        start_vital("adaptor", self._work)

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

    def cancel(self, step: Step, hurry: bool = False, seconds: float | None = None) -> None:
        """Cancels `step`, if it has not ended; returns at once.

        The adaptor's ``on_cancel`` is called, or, where it has none, its applications are asked to
        end. What does not end is killed with everything that it has started, in time for all to be
        over within `seconds`. The end of a session is not called off: all this is then about
        what it waits for, and about what it does from the time on when the rest are asked to end.

        Args:
            hurry: applications are killed at once.
            seconds: what is left for it; BUDGET if None. A second cancel can shorten that, and
                hurries if it does not say how long.
        """
        with self._lock:
            if step.done.is_set():
                return
            now = time.monotonic()
            phases = Phases.spread(now, BUDGET if seconds is None else seconds)
            current = self._current is step
            off = step.name in (START, RUN)
            # The end of a session that has not begun yet has its time all the same.
            if (off or current) and (hurry or (step.phases is not None and seconds is None)):
                phases = Phases.hurried(now)
            first = step.phases is None
            step.phases = phases if step.phases is None else step.phases.nearer(phases)
            step.canceled = off
            self._news.notify_all()
            current = current and not step.ended
        if first and current:
            self._begin_cancel(step, self._ask)

    def _begin_cancel(self, step: Step, first: Callable[[Step], None] | None = None) -> None:
        start_vital("cancel", self._cancel, step, first)

    def _cancel(self, step: Step, first: Callable[[Step], None] | None) -> None:
        if first is not None:
            first(step)
        if not self._comes(step, "terminate"):
            return
        if first is None:
            self._ask(step)
        self._terminate(step)
        if not self._comes(step, "kill"):
            return
        end_applications()
        if self._comes(step, "give_up"):
            self._stuck(step)

    def _comes(self, step: Step, phase: str) -> bool:
        """Waits for a time of the step's cancel; False if the step's code ends before."""
        with self._news:
            while not step.ended:
                left = getattr(step.phases, phase) - time.monotonic()
                if left <= 0:
                    return True
                self._news.wait(left)
        return False

    def _ask(self, step: Step) -> None:
        _logger.info("Canceling: the adaptor is asked to end what it does")
        start_vital("on_cancel", self._call, step)

    def _call(self, step: Step) -> None:
        runner = self._runner
        with self._lock:
            if runner is None or step.ended:
                return
            step.asking = True
        try:
            runner._cancel()
        except Exception as e:
            _logger.error("on_cancel failed: %s (%s)", describe(e), origin(e))
        finally:
            with self._news:
                step.asking = False
                self._news.notify_all()
        if type(runner.adaptor).on_cancel is BaseAdaptor.on_cancel:
            # Nobody else will: ask the applications themselves.
            self._terminate(step)

    def _terminate(self, step: Step) -> None:
        """Asks the applications to end; what is left of one that has is killed."""
        for application in logging_subprocess.running():
            with self._lock:
                # What runs by now may be the next task's.
                if step.ended or application in step.asked:
                    continue
                assert step.phases is not None
                step.asked.add(application)
                grace = step.phases.kill - time.monotonic()
            if grace > 0:
                threading.Thread(
                    target=application.terminate,
                    args=(round(grace, None if grace > CODE_RESERVE else 1),),
                    name="terminate",
                    daemon=True,
                ).start()

    def _watch_given_up(self, step: Step, buried: threading.Event) -> None:
        """A step has failed, and its application is being ended: the step is to end as well."""
        start_vital("given up", self._await_given_up, step, buried)

    def _await_given_up(self, step: Step, buried: threading.Event) -> None:
        buried.wait(BURIAL_LIMIT)
        if not step.done.wait(GIVEN_UP_GRACE):
            step.given_up = True
            end_applications()
            self._stuck(step)

    def _stuck(self, step: Step) -> None:
        with self._lock:
            if step.stuck or step.done.is_set():
                return
            step.stuck = True
        _note_end(Outcome(False, error=step.stuck_because))
        self._on_stuck(step)

    def _work(self) -> None:
        while True:
            step = self._steps.get()
            if step is None:
                return
            with self._lock:
                self._current = step
                canceled = step.canceled
                hastened = step.phases is not None and not canceled
            step.began = time.monotonic()
            if hastened:
                # It was cancelled before it began; it is let alone until the time is short.
                self._begin_cancel(step)
            task = self.tasks_done + 1 if step.name == RUN else None
            if (journal := _journal.current()) is not None:
                journal.step_begins(step.name, task)
            outcome = _called_off(step) if canceled else self._do(step)
            _note_end(outcome)
            with self._news:
                step.ended = True
                self._news.notify_all()
                # What on_cancel says belongs to this step, and it must not meet the next one.
                while step.asking and step.phases is not None:
                    left = step.phases.kill - time.monotonic()
                    if left <= 0:
                        break
                    self._news.wait(left)
                self._current = None
                step.done.set()
                self._news.notify_all()
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
                self._show(step, runner.adaptor)
                runner._run(step.run_data)
            elif step.name == STOP:
                if self._runner is not None:
                    self._show(step, self._runner.adaptor)
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
            return _called_off(step, trace)
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
        self._show(step, adaptor)
        self._runner = AdaptorRunner(adaptor=adaptor)
        # A cancel that came before had nobody to tell.
        if not step.canceled:
            self._runner._start()

    def _show(self, step: Step, adaptor: BaseAdaptor[Any]) -> None:
        """Lets the adaptor know of the step what is to be known."""
        adaptor._step_canceled = lambda: step.canceled
        adaptor._step_given_up = partial(self._watch_given_up, step)

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


def _note_end(outcome: Outcome) -> None:
    """Has the journal know how the step under way ended."""
    if (journal := _journal.current()) is not None:
        verdict = "ok" if outcome.ok else "canceled" if outcome.canceled else "failed"
        journal.step_ends(verdict, outcome.error)


def _called_off(step: Step, trace: str | None = None) -> Outcome:
    if step.lost is not None:
        return Outcome(False, False, step.lost, trace)
    return Outcome(False, True, "canceled", trace)


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
