"""Path mapping rules, paths for them, and the timing of calls; used by both sides' probes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

# More than any plausible cache of answers.
_PATHS = 4096
# Read the clock once per so many calls, then stop when the time is up.
_STRIDE = 32


def make_rules(count: int) -> list[dict[str, str]]:
    """Rules as a farm with POSIX and Windows workstations has them, in no order."""
    rules = []
    for number in range(count):
        if number % 2:
            source, kind = f"P:\\projects\\show{number:06d}\\shots", "WINDOWS"
        else:
            source, kind = f"/mnt/projects/show{number:06d}/shots", "POSIX"
        rules.append(
            {
                "source_path_format": kind,
                "source_path": source,
                "destination_path": f"/local/assets/{number:06d}",
            }
        )
    random.Random(7).shuffle(rules)
    return rules


def make_paths(count: int) -> list[tuple[str, str]]:
    """Different paths for `count` rules, each with what it maps to; one in four matches none."""
    chosen = random.Random(11)
    paths = []
    for _ in range(_PATHS):
        number = chosen.randrange(count)
        parts = ["shots", f"sq{chosen.randrange(1000):03d}", "render", "beauty.0001.exr"]
        if chosen.randrange(4) == 0:
            path = expected = "/".join(["/mnt/projects", f"film{number:06d}", *parts])
        else:
            expected = "/".join([f"/local/assets/{number:06d}", *parts[1:]])
            if number % 2:
                path = "\\".join(["P:\\projects", f"show{number:06d}", *parts])
            else:
                path = "/".join(["/mnt/projects", f"show{number:06d}", *parts])
        paths.append((path, expected))
    return paths


def check(map_path: Callable[[str], str], paths: list[tuple[str, str]]) -> None:
    """A fast wrong answer is none."""
    for path, expected in paths[:16]:
        mapped = map_path(path)
        if mapped != expected:
            raise SystemExit(f"error: {path!r} was mapped to {mapped!r}, not to {expected!r}")


def microseconds_per_call(
    map_path: Callable[[str], str],
    paths: list[tuple[str, str]],
    repeats: int,
    limit_s: float,
) -> Iterator[float]:
    """One mean per repeat, each over as many calls as `limit_s` allows."""
    sources = [path for path, _ in paths]
    for _ in range(repeats):
        calls = 0
        taken = 0.0
        while taken < limit_s and calls < len(sources):
            batch = sources[calls : calls + _STRIDE]
            started = time.perf_counter()
            for path in batch:
                map_path(path)
            taken += time.perf_counter() - started
            calls += len(batch)
        yield 1e6 * taken / calls
