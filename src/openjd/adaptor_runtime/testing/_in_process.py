"""Drives an adaptor in this process, through the session that daemon and foreground have."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TextIO

from .. import _output
from .._logging import RUNTIME_LOGGER, configure_logging
from .._session import CLEANUP, Outcome, Session, Step, new_adaptor
from ..adaptors.configuration import runtime_configuration_manager
from ..adaptors.lifecycle import AdaptorState
from ._place import Inside, Place
from ._target import Target, stand_in
from .results import CANCELED, FAILED, OK, Result

if TYPE_CHECKING:
    from .. import EntryPoint

_only_one = threading.Lock()


class InProcess:
    """A session in this process. There is one at a time: it takes the process's stdout.

    Args:
        target: the adaptor.
        place: where it lives.
        init_data: for it.
        path_mapping: the session's rules.
        limit: seconds that a step may take.

    Raises:
        RuntimeError: there is one already.
    """

    def __init__(
        self,
        target: Target,
        place: Place,
        init_data: dict[str, Any],
        path_mapping: dict[str, Any],
        limit: float,
    ) -> None:
        if not _only_one.acquire(False):
            raise RuntimeError(
                "another session runs in this process; close it first, or use mode='daemon'"
            )
        self._target = target
        self._inside = Inside(place)
        self._data = init_data, path_mapping
        self._limit = limit
        self._text: list[str] = []
        self._changed = threading.Condition()
        self._output = _output.Output(self._add)
        self._session: Session | None = None
        self._stdout: TextIO | None = None
        self._undo: list[Callable[[], object]] = [_only_one.release]

    def _add(self, block: str) -> None:
        with self._changed:
            self._text.append(block)
            self._changed.notify_all()

    @property
    def text(self) -> str:
        """All that the session has shown."""
        with self._changed:
            return "".join(self._text)

    def begin(self, name: str, run_data: dict[str, Any] | None = None) -> InProcessStep:
        """Begins a step."""
        self._enter()
        try:
            if self._session is None:
                self._session = self._make()
        except BaseException:
            self.step_ended()
            raise
        return InProcessStep(self, self._session, name, run_data, self._limit)

    def _make(self) -> Session:
        config = runtime_configuration_manager().build_config()
        levels = [
            (logging.getLogger(name), logging.getLogger(name).level)
            for name in {RUNTIME_LOGGER, self._target.module.partition(".")[0]}
        ]
        configure_logging(self._output, config.log_level, self._target.module)
        self._undo.append(lambda: _forget_logging(levels))
        _output.set_current(self._output)
        self._undo.append(lambda: _output.set_current(None))
        if self._target.application is not None:
            self._undo.append(stand_in(self._target.application))
        init_data, path_mapping = self._data

        def make_adaptor() -> Any:
            entry_point: EntryPoint = self._target  # type: ignore[assignment]
            return new_adaptor(entry_point, init_data, path_mapping, config)

        return Session(make_adaptor, self._output, self._on_stuck)

    def _on_stuck(self, step: Step) -> None:
        error = f"{step.stuck_because}; it is left alone"
        if not step.given_up:
            self._output.write(f"openjd_fail: {error}\n")
        step.on_done(Outcome(False, error=error))

    def _enter(self) -> None:
        self._inside.enter()
        if self._stdout is None:
            self._stdout = sys.stdout
            sys.stdout = _output.PrintStream(self._output, 1)

    def step_ended(self) -> None:
        """This process is its own again."""
        if self._stdout is not None:
            if isinstance(sys.stdout, _output.PrintStream):
                sys.stdout.finish()
            sys.stdout, self._stdout = self._stdout, None
        self._inside.leave()

    def close(self) -> None:
        """Ends the session, wherever it is."""
        session = self._session
        if session is not None:
            step = session.current
            if step is not None:
                # The test has not waited for it.
                session.cancel(step, hurry=True)
                step.done.wait(self._limit)
                self.step_ended()
            if session.state not in (AdaptorState.CLEANUP, AdaptorState.NOT_STARTED):
                try:
                    self.begin(CLEANUP).wait()
                except TimeoutError:
                    pass
            session.close()
        guard = sys.modules.get("openjd.adaptor_runtime.app_handlers._guard")
        if guard is not None:
            guard.close_idle()
        while self._undo:
            self._undo.pop()()


class InProcessStep:
    """A step under way."""

    def __init__(
        self,
        driver: InProcess,
        session: Session,
        name: str,
        run_data: dict[str, Any] | None,
        limit: float,
    ) -> None:
        self._driver = driver
        self._session = session
        self._limit = limit
        self._from = len(driver.text)
        self._done: SimpleQueue[Outcome] = SimpleQueue()
        self._ended = False
        self._step = Step(name, self._on_done, run_data)
        session.submit(self._step)

    def _on_done(self, outcome: Outcome) -> None:
        self._done.put(outcome)
        with self._driver._changed:
            self._ended = True
            self._driver._changed.notify_all()

    @property
    def text(self) -> str:
        """What it has shown until now."""
        return self._driver.text[self._from :]

    def until(self, shown: Callable[[str], bool]) -> bool:
        """Blocks until what was shown is as wanted; False if it ends, or takes too long."""
        changed = self._driver._changed
        with changed:
            changed.wait_for(
                lambda: self._ended or shown("".join(self._driver._text)[self._from :]), self._limit
            )
            return shown("".join(self._driver._text)[self._from :])

    def cancel(self, seconds: float | None) -> None:
        """Cancels it, as a signal does."""
        self._session.cancel(self._step, seconds=seconds)

    def wait(self) -> Result:
        """How it ends.

        Raises:
            TimeoutError: it does not.
        """
        try:
            outcome = self._done.get(timeout=self._limit)
        except Empty:
            self._session.cancel(self._step, hurry=True)
            raise TimeoutError from None
        finally:
            self._driver.step_ended()
        verdict = OK if outcome.ok else CANCELED if outcome.canceled else FAILED
        name = "stop" if self._step.name == CLEANUP else self._step.name
        return Result(name, verdict, self.text)


def _forget_logging(levels: list[tuple[logging.Logger, int]]) -> None:
    for logger, level in levels:
        logger.setLevel(level)
        for handler in [h for h in logger.handlers if type(h) is _output.LogHandler]:
            logger.removeHandler(handler)
