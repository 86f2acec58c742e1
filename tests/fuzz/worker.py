"""Fuzzes one target in this process, for so long: ``python -m tests.fuzz.worker OPTIONS``.

With atheris the inputs are made from what they reach in the code; without it, with hypothesis, by
changing the inputs that are kept. Ends with 0 where all was well. Otherwise the input is in a file
in ``--findings``, and what happened is on stderr.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import importlib
import os
import random
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

MEMORY_MIB = 1024


def main() -> None:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--module", required=True)
    parser.add_argument("--target", required=True)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--findings")
    parser.add_argument("--dictionary")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--as-program", help="what libFuzzer starts again, with its own arguments")
    # What is left are folders, of which the first is written to; or libFuzzer's arguments.
    options, options.rest = parser.parse_known_args()
    # What a pattern may mean one day is nothing to stop at, or to write down each time.
    warnings.simplefilter("ignore")
    if options.plain:
        _with_hypothesis(options)
    else:
        _with_atheris(options)


def _target(options: argparse.Namespace) -> Any:
    return importlib.import_module(options.module).TARGETS[options.target]


def _with_atheris(options: argparse.Namespace) -> None:
    import atheris

    with atheris.instrument_imports(include=["openjd"]):
        target = _target(options)
    if options.as_program:
        arguments = [options.as_program]
    else:
        arguments = [sys.argv[0], *_arguments(target, options)]
    atheris.Setup([*arguments, *options.rest], target.run)
    atheris.Fuzz()


def _arguments(target: Any, options: argparse.Namespace) -> list[str]:
    return [
        f"-max_total_time={max(1, int(options.seconds))}",
        f"-timeout={target.seconds}",
        f"-rss_limit_mb={MEMORY_MIB}",
        f"-max_len={target.longest}",
        f"-dict={options.dictionary}",
        f"-artifact_prefix={options.findings}{os.sep}",
        "-print_final_stats=1",
    ]


def _with_hypothesis(options: argparse.Namespace) -> None:
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    target = _target(options)
    seeds = sorted({p.read_bytes() for folder in options.rest for p in Path(folder).iterdir()})
    seeds = seeds or [b""]
    words = [word.encode("utf-8", "surrogatepass") for word in target.words]

    def changed(chance: random.Random) -> bytes:
        data = chance.choice(seeds)
        for _ in range(chance.randrange(6)):
            at = chance.randrange(len(data) + 1)
            put = chance.choice(
                [chance.randbytes(chance.randrange(4)), *chance.sample(words, min(2, len(words)))]
            )
            if chance.random() < 0.1:
                put = chance.choice(seeds)
            data = data[:at] + put + data[at + chance.choice([0, 0, 1, 2, 8]) :]
        return data[: target.longest]

    _limit_memory()
    current = Path(options.findings, "current")
    count = 0
    end = time.monotonic() + options.seconds
    with open(current, "wb", buffering=0) as file:

        def run(data: bytes) -> None:
            nonlocal count
            count += 1
            file.seek(0)
            file.truncate()
            file.write(data)
            # Where it hangs, what it does is shown, and this process ends.
            faulthandler.dump_traceback_later(target.seconds, exit=True)
            target.run(data)

        def run_some(seed: int) -> None:
            chance = random.Random(seed)
            for _ in range(20):
                run(changed(chance))

        try:
            while time.monotonic() < end:
                plan = settings(
                    max_examples=100,
                    deadline=None,
                    database=None,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )
                test: Callable[[], None] = plan(given(st.integers(0, 2**64))(run_some))
                test._hypothesis_internal_use_seed = random.getrandbits(64)  # type: ignore
                test()
        except BaseException:
            faulthandler.cancel_dump_traceback_later()
            traceback.print_exc()
            print(f"stat::number_of_executed_units: {count}", file=sys.stderr)
            sys.exit(77)
        faulthandler.cancel_dump_traceback_later()
    current.unlink()
    print(f"stat::number_of_executed_units: {count}", file=sys.stderr)


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # on Windows
        return
    with contextlib.suppress(ValueError, OSError):
        limit = MEMORY_MIB * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


if __name__ == "__main__":
    main()
