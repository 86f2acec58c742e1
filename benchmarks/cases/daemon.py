"""Whole commands, timed from outside: ``daemon start``, ``daemon run``, ``daemon stop``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, ClassVar

from ..environments import Runtime
from ..model import Benchmark, Figure, Sampler
from ..workspace import DaemonSession, Workspace, open_session

BY_CLASS = "by_class"
BY_NAME = "by_name"
BY_CLASS_SCRIPT = "by_class_script"
BY_NAME_SCRIPT = "by_name_script"
PUBLISHED = "published"
_FLOOR = "bare"


def adaptors_of(runtime: Runtime, figures: tuple[Figure, ...]) -> dict[str, str]:
    """Series name -> what starts its adaptor: all that `figures` read and this runtime has."""
    adaptors = {
        BY_CLASS: "adaptor_by_class",
        BY_CLASS_SCRIPT: "console_script_by_class.py",
        PUBLISHED: "adaptor_published",
    }
    if runtime.takes_adaptor_by_name:
        adaptors[BY_NAME] = "adaptor_by_name"
        adaptors[BY_NAME_SCRIPT] = "console_script_by_name.py"
    wanted = {figure.series_of(runtime.name) for figure in figures}
    return {series: adaptor for series, adaptor in adaptors.items() if series in wanted}


@contextmanager
def bare_interpreter(workspace: Workspace, code: str = "pass") -> Iterator[Sampler]:
    """Milliseconds of an interpreter that imports nothing."""
    args = [workspace.floor_python, "-I", "-c", code]
    environ = workspace.environ(None)
    yield lambda: {_FLOOR: [1e3 * workspace.run(args, environ).seconds]}


class DaemonStart(Benchmark):
    """A start and a stop, each round a new session."""

    name = "daemon-start"
    title = "daemon start, an adaptor with nothing to do; daemon stop"
    meaning = (
        "The whole command, from outside. The entry point is given its adaptor by name or, as in"
        " 0.9, by class; by name is compared with the peer's by class. Floor: an interpreter that"
        " imports nothing."
    )
    rounds = 7
    figures = (
        Figure(
            "daemon_start.by_name",
            "start, entry point by name",
            "ms",
            BY_NAME,
            goal=150,
            peer_series=BY_CLASS,
            floor_series=_FLOOR,
        ),
        Figure(
            "daemon_start.by_class",
            "start, entry point by class",
            "ms",
            BY_CLASS,
            goal=150,
            floor_series=_FLOOR,
        ),
        Figure("daemon_stop.command", "stop, the command, by class", "ms", "stop"),
        Figure("daemon_stop.gone", "stop, until the daemon is gone, by class", "ms", "gone"),
    )

    @contextmanager
    def sampler(self, runtime: Runtime, workspace: Workspace) -> Iterator[Sampler]:
        adaptors = adaptors_of(runtime, self.figures)

        def sample() -> Mapping[str, list[float]]:
            values: dict[str, list[float]] = {}
            for series, adaptor in adaptors.items():
                session = DaemonSession(workspace, runtime, adaptor)
                values[series] = [1e3 * session.start()]
                stopped, gone = session.stop()
                if series == BY_CLASS:
                    values["stop"], values["gone"] = [1e3 * stopped], [1e3 * gone]
            return values

        yield sample

    def floor(self, workspace: Workspace) -> AbstractContextManager[Sampler]:
        return bare_interpreter(workspace)


class _Task(Benchmark):
    """``daemon run`` of one task, again and again in one session per adaptor package."""

    run_data: ClassVar[Mapping[str, Any]] = {}

    @contextmanager
    def sampler(self, runtime: Runtime, workspace: Workspace) -> Iterator[Sampler]:
        with ExitStack() as stack:
            sessions = {
                series: stack.enter_context(open_session(workspace, runtime, adaptor))
                for series, adaptor in adaptors_of(runtime, self.figures).items()
            }
            yield lambda: {
                series: [1e3 * session.run(self.run_data)] for series, session in sessions.items()
            }


class EmptyTask(_Task):
    name = "empty-task"
    title = "daemon run, an empty task, whole process"
    meaning = (
        "What a task costs that does nothing, from outside. Floor: an interpreter that imports"
        " nothing."
    )
    rounds = 20
    quick_rounds = 4
    figures = (
        Figure(
            "empty_task.by_name",
            "entry point by name",
            "ms",
            BY_NAME,
            goal=40,
            peer_series=BY_CLASS,
            floor_series=_FLOOR,
        ),
        Figure(
            "empty_task.by_name_script",
            "the same as a console script instead of python -m",
            "ms",
            BY_NAME_SCRIPT,
            goal=40,
            peer_series=BY_CLASS_SCRIPT,
            floor_series=_FLOOR,
        ),
        Figure(
            "empty_task.by_class",
            "entry point by class",
            "ms",
            BY_CLASS,
            goal=55,
            floor_series=_FLOOR,
        ),
        Figure(
            "empty_task.published",
            "by class, with a published adaptor's imports",
            "ms",
            PUBLISHED,
            floor_series=_FLOOR,
        ),
    )

    def floor(self, workspace: Workspace) -> AbstractContextManager[Sampler]:
        return bare_interpreter(workspace)


class ShortTask(_Task):
    name = "short-task"
    title = "daemon run, a task of 50 ms, whole process"
    meaning = (
        "What a task costs that takes 50 ms by itself, from outside. Floor: an interpreter that"
        " sleeps 50 ms."
    )
    rounds = 10
    run_data: ClassVar[Mapping[str, Any]] = {"sleep_s": 0.05}
    figures = (
        Figure(
            "short_task.by_name",
            "entry point by name",
            "ms",
            BY_NAME,
            goal=90,
            peer_series=BY_CLASS,
            floor_series=_FLOOR,
        ),
        Figure(
            "short_task.by_class",
            "entry point by class",
            "ms",
            BY_CLASS,
            goal=90,
            floor_series=_FLOOR,
        ),
    )

    def floor(self, workspace: Workspace) -> AbstractContextManager[Sampler]:
        return bare_interpreter(workspace, "import time; time.sleep(0.05)")
