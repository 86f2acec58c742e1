"""Actions: from the adaptor's queue to the application that takes them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from ..environments import Runtime
from ..model import Benchmark, Figure, Sampler
from ..workspace import PROBES, Workspace

CLIENT = str(PROBES / "take_actions.py")


class _Actions(Benchmark):
    """One server and one client process per round."""

    mode: str
    count: int
    mean_pause_s = 0.0
    warm_up = False

    def _config(self, seed: int, workspace: Workspace) -> dict[str, Any]:
        return {
            "mode": self.mode,
            "count": workspace.scaled(self.count),
            "seed": seed,
            "mean_s": self.mean_pause_s,
            "client": CLIENT,
        }

    @contextmanager
    def sampler(self, runtime: Runtime, workspace: Workspace) -> Iterator[Sampler]:
        seeds = itertools.count(1)

        def sample() -> Mapping[str, list[float]]:
            config = self._config(next(seeds), workspace)
            measured = workspace.run_probe(runtime, "serve_application.py", config)
            return {self.mode: measured[self.mode]}

        yield sample

    def floor(self, workspace: Workspace) -> AbstractContextManager[Sampler]:
        return self._floor(workspace)

    @contextmanager
    def _floor(self, workspace: Workspace) -> Iterator[Sampler]:
        seeds = itertools.count(1)
        yield lambda: workspace.run_probe(
            None, "actions_floor.py", self._config(next(seeds), workspace)
        )


class ActionLatency(_Actions):
    name = "action-latency"
    title = "an action enqueued -> the application, which waits for it"
    meaning = (
        "From `enqueue_action` in the adaptor to the call of the action's method in the"
        " application. Floor: two processes that answer each other over pipes."
    )
    mode = "latency"
    rounds = 4
    quick_rounds = 1
    count = 250
    # Longer than the peer polls: each action finds the client waiting.
    mean_pause_s = 0.02
    figures = (
        Figure("action_latency.p50", "p50", "ms", "latency", goal=0.15),
        Figure("action_latency.p99", "p99", "ms", "latency", goal=1, statistic="p99"),
    )


class ActionRate(_Actions):
    name = "action-rate"
    title = "actions taken one at a time"
    meaning = (
        "20,000 actions wait when the application comes; how many of them it takes in a second."
        " Floor: two processes that answer each other over pipes."
    )
    mode = "rate"
    rounds = 3
    quick_rounds = 1
    count = 20_000
    figures = (Figure("action_rate", "actions", "per s", "rate", goal=15_000, better="higher"),)
