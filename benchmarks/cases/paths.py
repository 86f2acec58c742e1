"""map_path on both sides, microseconds per call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from ..environments import Runtime
from ..model import OURS, Benchmark, Figure, Sampler
from ..workspace import Workspace
from .actions import CLIENT

_RULES = (10, 1_000)
# The peer takes a second per call with these.
_RULES_OURS = (100_000,)


def _timing(workspace: Workspace) -> dict[str, Any]:
    return {"repeats": workspace.scaled(5), "limit_s": 0.1}


class MapPathAdaptor(Benchmark):
    name = "map-path-adaptor"
    title = "map_path in the adaptor, POSIX and WINDOWS rules mixed"
    meaning = (
        "One call of the adaptor's `map_path`; one path in four matches no rule. Floor: one prefix"
        " compared and replaced."
    )
    rounds = 3
    quick_rounds = 1
    warm_up = False
    figures = tuple(
        Figure(
            f"map_path_adaptor.{count}",
            f"{count:,} rules",
            "us",
            str(count),
            goal=5,
            floor_series="floor",
            peer_spared="" if count in _RULES else "a second a call",
        )
        for count in _RULES + _RULES_OURS
    )

    @contextmanager
    def sampler(self, runtime: Runtime, workspace: Workspace) -> Iterator[Sampler]:
        rules = _RULES + (_RULES_OURS if runtime.name == OURS else ())
        config = {**_timing(workspace), "rules": rules}
        yield lambda: workspace.run_probe(runtime, "map_paths.py", config)

    def floor(self, workspace: Workspace) -> AbstractContextManager[Sampler]:
        return _floor(workspace)


class MapPathApplication(Benchmark):
    name = "map-path-client"
    title = "map_path in the application"
    meaning = (
        "One call of the client's `map_path`, with the adaptor's server at the other end. Floor:"
        " one prefix compared and replaced."
    )
    rounds = 3
    quick_rounds = 1
    warm_up = False
    figures = (
        *(
            Figure(
                f"map_path_client.{count}",
                f"{count:,} rules",
                "us",
                f"call {count}",
                goal=5,
                floor_series="floor",
            )
            for count in _RULES
        ),
        Figure(
            "map_path_client.first",
            "the first call of a client, 1,000 rules",
            "ms",
            "first 1000",
        ),
    )

    @contextmanager
    def sampler(self, runtime: Runtime, workspace: Workspace) -> Iterator[Sampler]:
        def sample() -> Mapping[str, list[float]]:
            values: dict[str, list[float]] = {}
            for count in _RULES:
                config = {
                    **_timing(workspace),
                    "mode": "map_path",
                    "rules": count,
                    "client": CLIENT,
                }
                measured = workspace.run_probe(runtime, "serve_application.py", config)
                for series in ("call", "first"):
                    values[f"{series} {count}"] = measured[series]
            return values

        yield sample

    def floor(self, workspace: Workspace) -> AbstractContextManager[Sampler]:
        return _floor(workspace)


@contextmanager
def _floor(workspace: Workspace) -> Iterator[Sampler]:
    config = _timing(workspace)
    yield lambda: workspace.run_probe(None, "map_paths_floor.py", config)
