"""The lifecycle: the states of an adaptor, and which may follow which."""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from .base import BaseAdaptor
    from .data_validators import SessionData

_logger = logging.getLogger(__name__)


class AdaptorState(str, Enum):
    """Where an adaptor is in its life."""

    NOT_STARTED = "not_started"
    START = "start"
    RUN = "run"
    STOP = "stop"
    CLEANUP = "cleanup"
    CANCELED = "canceled"


_S = AdaptorState

#: State -> the states that may follow it. A cancelled adaptor may run again: whether its
#: application lived through the cancel is the adaptor's to say.
TRANSITIONS: dict[AdaptorState, frozenset[AdaptorState]] = {
    _S.NOT_STARTED: frozenset({_S.START, _S.CLEANUP, _S.CANCELED}),
    _S.START: frozenset({_S.RUN, _S.STOP, _S.CLEANUP, _S.CANCELED}),
    _S.RUN: frozenset({_S.RUN, _S.STOP, _S.CLEANUP, _S.CANCELED}),
    _S.CANCELED: frozenset({_S.RUN, _S.STOP, _S.CLEANUP, _S.CANCELED}),
    _S.STOP: frozenset({_S.CLEANUP, _S.CANCELED}),
    _S.CLEANUP: frozenset(),
}

#: What the adaptor was doing in a state, for messages.
DOING = {
    _S.START: "starting",
    _S.RUN: "running",
    _S.STOP: "stopping",
    _S.CLEANUP: "cleaning up",
    _S.CANCELED: "canceling the",
}
# What a cancel calls off.
_CANCELABLE = (_S.START, _S.RUN)


class LifecycleError(RuntimeError):
    """A state was asked for that cannot follow the adaptor's present one."""


class AdaptorRunner:
    """Moves an adaptor through its states, and says so to the scheduler when one fails.

    Args:
        adaptor: the adaptor.
    """

    def __init__(self, *, adaptor: BaseAdaptor[Any]) -> None:
        self.adaptor = adaptor
        self.state = AdaptorState.NOT_STARTED
        self._lock = threading.Lock()

    def _start(self) -> None:
        self._enter(AdaptorState.START, self._start_with_data)

    def _run(self, run_data: dict[str, Any]) -> None:
        self._enter(AdaptorState.RUN, lambda: self._run_with_data(run_data))

    def _stop(self) -> None:
        self._enter(AdaptorState.STOP, self.adaptor._stop)

    def _cleanup(self) -> None:
        self._enter(AdaptorState.CLEANUP, self.adaptor._cleanup)

    def _cancel(self) -> None:
        self._enter(AdaptorState.CANCELED, self.adaptor.cancel)

    def _start_with_data(self) -> None:
        data = self._session_data()
        if data is not None:
            data.prepare_init_data()
        self.adaptor._start()

    def _run_with_data(self, run_data: dict[str, Any]) -> None:
        data = self._session_data()
        self.adaptor._run(run_data if data is None else data.prepared_run_data(run_data))

    def _session_data(self) -> SessionData | None:
        """What checks and maps the data of an adaptor that says where its schemas are."""
        adaptor = self.adaptor
        if adaptor._session_data is None and adaptor.data_schemas is not None:
            from .data_validators import SessionData

            adaptor._session_data = SessionData(adaptor)
        return adaptor._session_data

    def _enter(self, state: AdaptorState, action: Callable[[], None]) -> None:
        """Enters `state` and does what belongs to it.

        Raises:
            LifecycleError: `state` cannot follow the present one.
            Exception: whatever the adaptor raises, after the scheduler has been told.
        """
        with self._lock:
            if state not in TRANSITIONS[self.state]:
                raise LifecycleError(
                    f"an adaptor in state {self.state.value} cannot enter state {state.value}"
                )
            self.state = state
        _logger.debug("entering state %s", state.value)
        try:
            action()
        except Exception as e:
            if getattr(e, "told", False):
                # Whoever raised it has told the scheduler when it happened.
                raise
            message = " ".join(describe(e).splitlines())
            canceled = self.adaptor._step_canceled
            if state in _CANCELABLE and canceled is not None and canceled():
                # That what was cancelled has ended is no failure to tell the scheduler of.
                _logger.info("The cancel ended %s adaptor: %s", DOING[state], message)
                raise
            sys.stdout.write(
                f"openjd_fail: Error encountered while {DOING[state]} adaptor: {message}\n"
            )
            sys.stdout.flush()
            raise


def describe(error: BaseException) -> str:
    """What went wrong, in words for somebody who does not know the code."""
    if type(error).__module__.startswith("jsonschema") and hasattr(error, "message"):
        # str() of these prints the whole schema and the whole data.
        return str(error.message)
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:
        text = ""
    if not isinstance(error, Exception):
        # SystemExit(0) reads like success.
        return f"{name}: {text}"
    # The text of many exceptions means nothing without their names: KeyError: 'frame'.
    if not text or isinstance(error, (LookupError, AssertionError, AttributeError, TypeError)):
        return f"{name}: {text}" if text else name
    return text


def origin(error: BaseException) -> str | None:
    """The exception's name and the last place in code of the adaptor's: one line.

    None where none of the adaptor's code is in it: then its name says nothing more than its text.
    """
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    library = os.path.dirname(os.path.abspath(os.__file__))
    place = None
    for frame in traceback.extract_tb(error.__traceback__):
        path = os.path.abspath(frame.filename)
        if frame.filename.startswith("<frozen ") or path.startswith(here):
            continue
        # The library's own code is not where to look, unless it calls the adaptor's.
        if path.startswith(library) and "-packages" not in path:
            continue
        place = frame
    if place is None:
        return origin(error.__cause__) if error.__cause__ is not None else None
    name = type(error).__name__
    return f"{name} at {place.filename}, line {place.lineno}, in {place.name}"
