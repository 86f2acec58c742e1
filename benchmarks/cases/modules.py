"""What the short-lived frontend and the application must load."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from ..environments import Runtime
from ..model import Benchmark, Figure, Sampler
from ..workspace import PROBES, Workspace, open_session
from .daemon import BY_CLASS, BY_CLASS_SCRIPT, BY_NAME, BY_NAME_SCRIPT, PUBLISHED, adaptors_of

_HOOK = str(PROBES / "module_hook")


class LoadedModules(Benchmark):
    """``len(sys.modules)`` at the end of a process, and what loading the client costs."""

    name = "modules"
    title = "modules loaded when the process ends"
    meaning = (
        "`len(sys.modules)` at the end of `daemon run`, and of an application that has imported the"
        " client; and the time that this import takes. Floor: an interpreter that imports nothing."
    )
    rounds = 5
    quick_rounds = 2
    figures = (
        Figure(
            "modules.frontend_by_name",
            "daemon run, entry point by name",
            "",
            BY_NAME,
            goal=80,
            peer_series=BY_CLASS,
            floor_series="bare",
        ),
        Figure(
            "modules.frontend_by_name_script",
            "the same as a console script instead of python -m",
            "",
            BY_NAME_SCRIPT,
            goal=80,
            peer_series=BY_CLASS_SCRIPT,
            floor_series="bare",
        ),
        Figure(
            "modules.frontend_by_class",
            "daemon run, entry point by class",
            "",
            BY_CLASS,
            goal=115,
            floor_series="bare",
        ),
        Figure(
            "modules.frontend_published",
            "by class, with a published adaptor's imports",
            "",
            PUBLISHED,
            floor_series="bare",
        ),
        Figure("modules.client", "client", "", "client", goal=80, floor_series="bare"),
        Figure(
            "client_import",
            "an interpreter that imports the client, whole process",
            "ms",
            "client_import",
            floor_series="bare_ms",
        ),
    )

    @contextmanager
    def sampler(self, runtime: Runtime, workspace: Workspace) -> Iterator[Sampler]:
        with ExitStack() as stack:
            sessions = {
                series: stack.enter_context(open_session(workspace, runtime, adaptor))
                for series, adaptor in adaptors_of(runtime, self.figures).items()
            }

            def sample() -> Mapping[str, list[float]]:
                values = {}
                for series, session in sessions.items():
                    path = workspace.new_path("modules")
                    session.run({}, _hooked(path, session.environ()))
                    values[series] = [_count(path)]
                path = workspace.new_path("modules")
                config = {
                    "mode": "close",
                    "client": str(PROBES / "bare_client.py"),
                    "client_environ": _hooked(path, workspace.environ(runtime)),
                }
                workspace.run_probe(runtime, "serve_application.py", config)
                values["client"] = [_count(path)]
                code = "from openjd.adaptor_runtime_client import ClientInterface"
                args = [str(runtime.python), "-I", "-c", code]
                seconds = workspace.run(args, workspace.environ(runtime)).seconds
                values["client_import"] = [1e3 * seconds]
                return values

            yield sample

    def floor(self, workspace: Workspace) -> AbstractContextManager[Sampler]:
        return _floor(workspace)


@contextmanager
def _floor(workspace: Workspace) -> Iterator[Sampler]:
    args = [workspace.floor_python, "-c", "pass"]

    def sample() -> Mapping[str, list[float]]:
        path = workspace.new_path("modules")
        environ = workspace.environ(None)
        workspace.run(args, {**environ, **_hooked(path, environ)})
        seconds = workspace.run(args, environ).seconds
        return {"bare": [_count(path)], "bare_ms": [1e3 * seconds]}

    yield sample


def _hooked(path: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that make a process count its modules into `path`."""
    search = [_HOOK, *filter(None, [environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(search), "OPENJD_BENCHMARK_MODULES": str(path)}


def _count(path: Path) -> float:
    return len(path.read_text(encoding="utf-8").splitlines())
