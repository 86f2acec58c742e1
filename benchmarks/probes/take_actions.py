"""The application of the application benchmarks."""

from __future__ import annotations

import json
import sys
import time
from types import FrameType
from typing import Any, Optional

from path_subject import check, make_paths, microseconds_per_call  # type: ignore[import-not-found]

from openjd.adaptor_runtime_client import ClientInterface

_Args = Optional[dict[str, Any]]


class _Client(ClientInterface):
    def __init__(self, server_path: str, result: str) -> None:
        super().__init__(server_path)
        self.actions.update(
            greet=self.greet, stamp=self.stamp, tick=self.tick, map_path=self.measure_map_path
        )
        self._result = result
        self._latencies: list[float] = []
        self._ticks: list[int] = []
        self._map_times: dict[str, list[float]] = {}

    def greet(self, args: _Args) -> None:
        pass

    def stamp(self, args: _Args) -> None:
        now = time.perf_counter_ns()
        assert args is not None
        self._latencies.append((now - args["ns"]) / 1e6)

    def tick(self, args: _Args) -> None:
        assert args is not None
        if args["number"] != len(self._ticks):
            sys.exit(f"error: action {args['number']} came as number {len(self._ticks)}")
        self._ticks.append(time.perf_counter_ns())

    def measure_map_path(self, args: _Args) -> None:
        assert args is not None
        paths = make_paths(args["rules"])
        started = time.perf_counter()
        self.map_path(paths[0][0])
        first = time.perf_counter() - started
        check(self.map_path, paths)
        times = microseconds_per_call(self.map_path, paths, args["repeats"], args["limit_s"])
        self._map_times = {"call": list(times), "first": [1e3 * first]}

    def close(self, args: _Args) -> None:
        measured: dict[str, Any] = {"latency": self._latencies, **self._map_times}
        if len(self._ticks) > 1:
            seconds = (self._ticks[-1] - self._ticks[0]) / 1e9
            measured["rate"] = [(len(self._ticks) - 1) / seconds]
        with open(self._result, "w") as file:
            json.dump(measured, file)

    def graceful_shutdown(self, signum: int, frame: FrameType | None) -> None:
        sys.exit(1)


if __name__ == "__main__":
    _Client(sys.argv[1], sys.argv[2]).poll()
