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
from dataclasses import dataclass

from ..environments import Runtime
from ..model import Benchmark, BenchmarkError, Figure, Sampler
from ..workspace import PROBES, Workspace, describe_failure, open_session

_STAMP = re.compile(rb"stamp=(\d+)")


class LineLatency(Benchmark):
    """A child of the adaptor writes stamped lines; they are read where an engine would."""

    name = "line-latency"
    title = "an application's line -> the frontend's stdout"
    meaning = (
        "From the moment that an application writes a line to the moment that the reader of"
        " `daemon run` has it. Floor: the application's own pipe."
    )
    rounds = 4
    quick_rounds = 1
    warm_up = False
    lines_per_round = 250
    mean_pause_s = 0.012
    figures: tuple[Figure, ...] = (
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
                return self._values(_read(command, session.environ(), workspace), workspace)

            yield sample

    def floor(self, workspace: Workspace) -> AbstractContextManager[Sampler]:
        return self._floor(workspace)

    @contextmanager
    def _floor(self, workspace: Workspace) -> Iterator[Sampler]:
        seeds = itertools.count(1)

        def sample() -> Mapping[str, list[float]]:
            command = self._writer(workspace.floor_python, next(seeds), workspace)
            return self._values(_read(command, workspace.environ(None), workspace), workspace)

        yield sample

    def _writer(self, python: str, seed: int, workspace: Workspace) -> list[str]:
        count = str(workspace.scaled(self.lines_per_round))
        script = str(PROBES / "write_lines.py")
        return [python, "-I", script, count, str(seed), str(self.mean_pause_s)]

    def _values(self, reading: _Reading, workspace: Workspace) -> dict[str, list[float]]:
        """The samples by series; a lost line is a failure."""
        expected = workspace.scaled(self.lines_per_round)
        if len(reading.latencies) != expected:
            raise BenchmarkError(f"{len(reading.latencies)} lines came of {expected}")
        return {"latency": reading.latencies}


class LoadedLineLatency(LineLatency):
    """The same while much other output flows."""

    name = "line-latency-load"
    title = "a line -> the frontend's stdout while 50,000 lines a second flow"
    meaning = (
        "The way of a line while the application writes 50,000 lines of 120 bytes a second, 100 of"
        " them every 2 ms; the first of each 100 is timed. What holds its writer up shows as a"
        " lower rate. Floor: the application's own pipe."
    )
    rounds = 3
    bursts = 1_000
    figures = (
        Figure("line_latency_load.p50", "p50", "ms", "latency"),
        Figure("line_latency_load.p99", "p99", "ms", "latency", goal=20, statistic="p99"),
        Figure(
            "line_latency_load.rate",
            "lines that the application got rid of",
            "per s",
            "rate",
            better="higher",
        ),
    )

    def _writer(self, python: str, seed: int, workspace: Workspace) -> list[str]:
        script = str(PROBES / "write_steadily.py")
        return [python, "-I", script, str(workspace.scaled(self.bursts))]

    def _values(self, reading: _Reading, workspace: Workspace) -> dict[str, list[float]]:
        bursts = workspace.scaled(self.bursts)
        numbers = list(map(int, re.findall(rb"(?m)^.*\bload (\d+) ", reading.output)))
        if numbers != list(range(100 * bursts)):
            wrong = next(
                (n for n, number in enumerate(numbers) if number != n),
                min(len(numbers), 100 * bursts),
            )
            raise BenchmarkError(f"{len(numbers)} lines came of {100 * bursts}; wrong from {wrong}")
        rate = re.search(rb"wrote (\d+) lines a second", reading.output)
        if rate is None or len(reading.latencies) != bursts:
            raise BenchmarkError("a line with a stamp, or the last line, did not come")
        return {"latency": reading.latencies, "rate": [float(rate.group(1))]}


@dataclass(frozen=True)
class _Reading:
    """All that a command printed, and the milliseconds that each stamp in it took."""

    output: bytes
    latencies: list[float]


def _read(command: Sequence[str], environ: Mapping[str, str], workspace: Workspace) -> _Reading:
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environ,
    )
    assert process.stdout is not None
    latencies: list[float] = []
    chunks: list[bytes] = []
    rest = b""
    with workspace.watched(process):
        while chunk := os.read(process.stdout.fileno(), 65536):
            now = time.perf_counter_ns()
            chunks.append(chunk)
            # A chunk may end within a stamp.
            lines, newline, last = chunk.rpartition(b"\n")
            if newline:
                latencies += [(now - int(stamp)) / 1e6 for stamp in _STAMP.findall(rest + lines)]
                rest = last
            else:
                rest += last
        returncode = process.wait()
        process.stdout.close()
    output = b"".join(chunks)
    if returncode != 0:
        text = output.decode("utf-8", "backslashreplace")
        raise BenchmarkError(describe_failure(command, returncode, text))
    return _Reading(output, latencies)
