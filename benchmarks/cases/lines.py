"""From a line that an application writes to the stdout of ``daemon run``."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager

from ..environments import Runtime
from ..model import Benchmark, BenchmarkError, Figure, Sampler
from ..workspace import PROBES, Workspace, describe_failure, open_session

_STAMP = re.compile(rb"stamp=(\d+)")


class LineLatency(Benchmark):
    """A child of the adaptor writes stamped lines; they are read where an engine would."""

    name = "line-latency"
    title = "an application's line -> the frontend's stdout"
    rounds = 4
    quick_rounds = 1
    warm_up = False
    lines_per_round = 250
    mean_pause_s = 0.012
    figures = (
        Figure("line_latency.p50", "p50", "ms", "latency", goal=1),
        Figure("line_latency.p99", "p99", "ms", "latency", goal=5, statistic="p99"),
    )

    @contextmanager
    def sampler(self, runtime: Runtime, workspace: Workspace) -> Iterator[Sampler]:
        with open_session(workspace, runtime, "adaptor_by_class") as session:
            seeds = itertools.count(1)

            def sample() -> Mapping[str, list[float]]:
                task = {"command": self._writer(str(runtime.python), next(seeds), workspace)}
                command = session.command("run", "--run-data", json.dumps(task))
                return {"latency": self._read(command, session.environ(), workspace)}

            yield sample

    def floor(self, workspace: Workspace) -> AbstractContextManager[Sampler]:
        return self._floor(workspace)

    @contextmanager
    def _floor(self, workspace: Workspace) -> Iterator[Sampler]:
        seeds = itertools.count(1)

        def sample() -> Mapping[str, list[float]]:
            command = self._writer(workspace.floor_python, next(seeds), workspace)
            return {"latency": self._read(command, workspace.environ(None), workspace)}

        yield sample

    def _writer(self, python: str, seed: int, workspace: Workspace) -> list[str]:
        count = str(workspace.scaled(self.lines_per_round))
        script = str(PROBES / "write_lines.py")
        return [python, "-I", script, count, str(seed), str(self.mean_pause_s)]

    def _read(
        self, command: Sequence[str], environ: Mapping[str, str], workspace: Workspace
    ) -> list[float]:
        """Milliseconds of each line; a lost line is a failure."""
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environ,
        )
        assert process.stdout is not None
        latencies: list[float] = []
        rest = output = b""
        with workspace.watched(process):
            while chunk := os.read(process.stdout.fileno(), 65536):
                now = time.perf_counter_ns()
                # A chunk may end within a stamp.
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    latencies += [(now - int(stamp)) / 1e6 for stamp in _STAMP.findall(line)]
                output = (output + chunk)[-4096:]
            returncode = process.wait()
            process.stdout.close()
        if returncode != 0:
            text = output.decode("utf-8", "backslashreplace")
            raise BenchmarkError(describe_failure(command, returncode, text))
        expected = workspace.scaled(self.lines_per_round)
        if len(latencies) != expected:
            raise BenchmarkError(f"{len(latencies)} lines came of {expected}")
        return latencies
