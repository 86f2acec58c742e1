"""AdaptorSession: the life of an adaptor, driven by a test, in this process or in a daemon."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from .._cancel_info import VARIABLE
from ._commands import Commands
from ._place import Place
from ._target import Target
from .application import FakeApplication
from .results import SHOWN_LINES, Result
from .script import Script

if TYPE_CHECKING:
    from ..adaptors import BaseAdaptor
    from ._in_process import InProcess

#: The ways to drive an adaptor, for ``pytest.mark.parametrize("mode", MODES)``.
MODES = ("in-process", "daemon")

_TOML_ENTRY = "openjd.adaptor_runtime._toml_entry_point"
_ENTRY = "openjd.adaptor_runtime.testing._entry"


class _Step(Protocol):
    @property
    def text(self) -> str: ...
    def until(self, shown: Callable[[str], bool]) -> bool: ...
    def cancel(self, seconds: float | None) -> None: ...
    def wait(self) -> Result: ...


class AdaptorSession:
    """A session of an adaptor: start, any number of runs, stop, through its real lifecycle.

    A context manager: at the end of the block the adaptor is stopped, if it was started and was not
    stopped, and whatever the session has left behind (processes, files in the temporary folder)
    raises an AssertionError.

    Home, temporary folder and working folder are the session's own, so that nothing depends on the
    configuration of the one who runs the tests.

    Args:
        adaptor: its class, ``"package.module:Class"``, or the path of a TOML file.
        init_data: for ``start``.
        path_mapping: the session's rules: what a scheduler gives (``{"path_mapping_rules": …}``),
            or ``{source: destination}``.
        mode: ``"in-process"``, where a debugger sees the adaptor's code; or ``"daemon"``, the real
            commands and a real daemon.
        application: what plays the part of the application: every program that the adaptor starts
            is this fake, whatever it is called. (One that the adaptor finds by its name on PATH can
            be replaced by a ``FakeApplication`` with that name as well.)
        config: the adaptor's configuration, as a site would set it.
        runtime_config: the runtime's.
        variables: environment variables for the session.
        folder: where the session works; one that is removed at the end if None.
        command: what the adaptor's commands begin with, such as ``["my-adaptor"]`` or ``[python,
            "-m", "my_adaptor"]``, for the mode ``"daemon"``; found out by default.
        may_leave: patterns of names that the session may leave in its temporary folder.
        limit: seconds that a step may take, at most.

    Raises:
        ValueError: these do not go together.
        ScriptError: the script of the application cannot be used.
    """

    def __init__(
        self,
        adaptor: type[BaseAdaptor[Any]] | str | os.PathLike[str],
        init_data: Mapping[str, Any] | None = None,
        *,
        path_mapping: Mapping[str, Any] | None = None,
        mode: str = "in-process",
        application: FakeApplication | Script | str | os.PathLike[str] | None = None,
        config: Mapping[str, Any] | None = None,
        runtime_config: Mapping[str, Any] | None = None,
        variables: Mapping[str, str] | None = None,
        folder: str | os.PathLike[str] | None = None,
        command: Iterable[str] | None = None,
        may_leave: Iterable[str] = (),
        limit: float = 60.0,
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"mode is {' or '.join(map(repr, MODES))}, not {mode!r}")
        if command is not None and (mode != "daemon" or application is not None):
            raise ValueError(
                "command= is for mode='daemon', and without application=: of the adaptor's own "
                "command the programs cannot be replaced but by a FakeApplication with a name"
            )
        #: ``"in-process"`` or ``"daemon"``.
        self.mode = mode
        self._target = Target.of(adaptor)
        if mode == "daemon" and command is None:
            self._target.check_reachable()
        self._own_fake = application is not None and not isinstance(application, FakeApplication)
        #: The application, if the session has a fake one.
        self.application: FakeApplication | None = None
        if isinstance(application, FakeApplication):
            self.application = application
        elif application is not None:
            self.application = FakeApplication(application)
        if self.application is not None:
            self._target.application = self.application.command
        self._may_leave = tuple(may_leave)
        self._limit = limit
        self._place = Place(
            self._target.configuration_name, config, runtime_config, variables or {}, folder
        )
        self._place.environment.setdefault(VARIABLE, str(self._place.work))
        data = json.loads(json.dumps(dict(init_data or {})))
        self._data = data, _rules(path_mapping or {})
        self._command = list(command) if command is not None else None
        self._driver: InProcess | Commands | None = None
        self._steps: list[Result] = []
        self._state = "new"

    @property
    def folder(self) -> Path:
        """Where the session works: relative paths begin here."""
        return self._place.work

    @property
    def results(self) -> list[Result]:
        """Those of all steps until now."""
        return list(self._steps)

    def start(self) -> Result:
        """Starts the adaptor; says how that went."""
        return self.begin_start().end()

    def run(self, run_data: Mapping[str, Any] | None = None) -> Result:
        """Runs a task; says how that went. Starts the adaptor first if nobody has.

        Args:
            run_data: the task's data; anything that JSON can express.

        Raises:
            AssertionError: the start that this made necessary failed.
        """
        __tracebackhide__ = True
        return self.begin_run(run_data).end()

    def stop(self) -> Result:
        """Stops the adaptor, which cleans up; says how that went."""
        return self.begin_stop().end()

    def begin_start(self) -> Running:
        """Begins to start the adaptor."""
        if self._state != "new":
            raise RuntimeError("the session was started already; make another")
        self._state = "started"
        return self._begin("start")

    def begin_run(self, run_data: Mapping[str, Any] | None = None) -> Running:
        """Begins a task with `run_data`; see ``run``."""
        __tracebackhide__ = True
        if self._state == "new":
            self.start().assert_ok()
        self._require_started()
        # What a scheduler hands over is JSON.
        return self._begin("run", json.loads(json.dumps(dict(run_data or {}))))

    def begin_stop(self) -> Running:
        """Begins to stop the adaptor."""
        self._require_started()
        self._state = "stopped"
        return self._begin("stop")

    def _require_started(self) -> None:
        if self._state != "started":
            raise RuntimeError(f"the session is {self._state}: there is no adaptor in it")

    def _begin(self, name: str, run_data: dict[str, Any] | None = None) -> Running:
        if self._driver is None:
            self._driver = self._make_driver()
        return Running(self, self._driver.begin(name, run_data), name)

    def _make_driver(self) -> InProcess | Commands:
        if self.mode == "in-process":
            from ._in_process import InProcess

            return InProcess(self._target, self._place, *self._data, self._limit)
        command = self._command
        if command is None and self._target.application is None and self._target.name == "":
            command = [sys.executable, "-m", _TOML_ENTRY, str(self._target.file)]
        elif command is None:
            spec = self._place.base / "adaptor.json"
            spec.write_text(json.dumps(self._target.to_dict()), encoding="utf-8")
            command = [sys.executable, "-m", _ENTRY, str(spec)]
        return Commands(command, self._place, *self._data, self._limit)

    def close(self) -> None:
        """Stops the adaptor, if it was not stopped, and removes what is the session's.

        Raises:
            AssertionError: the stop failed, or something is left behind.
        """
        if self._state == "closed":
            return
        try:
            failed_start = bool(self._steps) and self._steps[0].step == "start"
            failed_start = failed_start and not self._steps[0].ok
            if self._state == "started" and not failed_start:
                self.stop().assert_ok()
        finally:
            problems = self._leave()
        if problems:
            raise AssertionError("the session left something behind:\n  " + "\n  ".join(problems))

    def _leave(self) -> list[str]:
        self._state = "closed"
        try:
            if self._driver is not None:
                self._driver.close()
        finally:
            problems = self._place.leave(self._may_leave)
            if self._own_fake and self.application is not None:
                self.application.close()
        return problems

    def __enter__(self) -> AdaptorSession:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        __tracebackhide__ = True
        if exc_type is None:
            self.close()
        else:
            # What went wrong first says more.
            self._leave()


class Running:
    """A step under way."""

    def __init__(self, session: AdaptorSession, step: _Step, name: str) -> None:
        self._session = session
        self._step = step
        self._name = name
        self._result: Result | None = None

    def until(self, text: str | re.Pattern[str]) -> Running:
        """Blocks until it shows a line that says `text`: a part of it, or a pattern found in it.

        Raises:
            AssertionError: it ends without, or takes longer than a step may.
        """
        __tracebackhide__ = True

        def shown(whole: str) -> bool:
            return text in whole if isinstance(text, str) else text.search(whole) is not None

        if not self._step.until(shown):
            wanted = repr(text) if isinstance(text, str) else f"the pattern {text.pattern!r}"
            raise AssertionError(f"the {self._name} does not show {wanted}{self._so_far()}")
        return self

    def cancel(self, seconds: float | None = None) -> Running:
        """Cancels it, as a scheduler does.

        Args:
            seconds: what the scheduler leaves for it; unknown if None.
        """
        self._step.cancel(seconds)
        return self

    def end(self) -> Result:
        """Waits for its end; says how it went.

        Raises:
            AssertionError: it takes longer than a step may.
        """
        __tracebackhide__ = True
        if self._result is None:
            try:
                self._result = self._step.wait()
            except TimeoutError:
                limit = f"{self._session._limit:g} seconds"
                raise AssertionError(
                    f"the {self._name} does not end within {limit}{self._so_far()}"
                ) from None
            self._session._steps.append(self._result)
        return self._result

    def _so_far(self) -> str:
        lines = self._step.text.splitlines()[-SHOWN_LINES:]
        shown = "\n".join(f"  {line}" for line in lines) or "  (nothing)"
        return f"\n--- the last that it showed ---\n{shown}"


def _rules(given: Mapping[str, Any]) -> dict[str, Any]:
    if not given or "path_mapping_rules" in given:
        return dict(given)
    rules = []
    for source, destination in given.items():
        if re.match(r"[A-Za-z][\w+.-]+://", source):
            form = "URI"
        else:
            form = "POSIX" if source.startswith("/") else "WINDOWS"
        rule = {"source_path_format": form, "source_path": source}
        rules.append({**rule, "destination_path": os.fspath(destination)})
    return {"version": "pathmapping-1.0", "path_mapping_rules": rules}
