"""``python -m tests.newcomer``: from an empty folder to a running job, for each kind of adaptor.

In a fresh virtual environment into which the wheel of this checkout is installed, somebody types
what the transcripts beside this file say. It must be what happens, within three minutes for each.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from .follow import Newcomer

_HERE = Path(__file__).parent
_PROJECT = _HERE.parents[1]


def main(arguments: list[str]) -> int:
    """Follows the transcripts; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.newcomer", description=__doc__)
    known = sorted(path.stem for path in _HERE.glob("*.txt"))
    parser.add_argument("kind", nargs="*", help=f"which of {', '.join(known)} (default: all)")
    parser.add_argument(
        "--seconds", type=float, default=180.0, help="that each may take (default: 180)"
    )
    options = parser.parse_args(arguments)
    failures, took = [], {}
    with tempfile.TemporaryDirectory(prefix="newcomer-") as scratch:
        constraint = _built(Path(scratch))
        for kind in options.kind or known:
            folder = Path(scratch, kind)
            folder.mkdir()
            print(f"===== {kind}", flush=True)
            began = time.monotonic()
            try:
                Newcomer(folder, constraint).follow(
                    (_HERE / f"{kind}.txt").read_text(encoding="utf-8")
                )
            except AssertionError as e:
                failures.append(f"{kind}: {e}")
                print(f"===== {failures[-1]}", flush=True)
            took[kind] = time.monotonic() - began
    for kind, seconds in took.items():
        if seconds > options.seconds:
            failures.append(f"{kind} took more than {options.seconds:g} seconds")
        print(f"{kind:<12} {seconds:6.1f} s")
    print("\n".join(failures) or "each from an empty folder to a running job, without an edit")
    return 1 if failures else 0


def _built(scratch: Path) -> dict[str, str]:
    """Builds the wheel; the variables by which pip takes it for openjd-adaptor-runtime."""
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", scratch, str(_PROJECT)],
        check=True,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    (wheel,) = scratch.glob("*.whl")
    constraints = scratch / "constraints.txt"
    constraints.write_text(f"openjd-adaptor-runtime @ {wheel.resolve().as_uri()}\n")
    return {"PIP_CONSTRAINT": str(constraints), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
