"""``python -m tests.check``: every seeded mistake, not only those of the default suite.

Each is planted in a healthy adaptor, and must be found by its code, with nothing else beside it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from check.checking import found_in
from check.seeds import HEALTHY, KINDS, SEEDS, Seed

#: Seconds for what hangs.
_SHORT = 5.0


def wrong_with(seed: Seed, folder: Path) -> str:
    """What a check of that mistake should have said, and did not; "" if all is well."""
    hangs = seed.code in ("A102", "E153")
    found, notes = found_in(
        seed.plant(folder), dry_run=seed.by_dry_run, limit=_SHORT if hangs else 120
    )
    codes = [finding.code for finding in found]
    if codes == [seed.code] or (hangs and set(codes) == {seed.code}):
        return ""
    return f"{codes} instead of {seed.code}: {[f.message for f in found]} {notes}"


def main() -> int:
    """Tries all, and returns the exit status."""
    wanted = sys.argv[1:]
    failed, tried, begin = 0, 0, time.monotonic()
    for seed in SEEDS:
        if wanted and not any(word in (seed.code, seed.name, seed.kind) for word in wanted):
            continue
        tried += 1
        with tempfile.TemporaryDirectory(prefix="check-") as folder:
            wrong = wrong_with(seed, Path(folder).resolve())
        failed += bool(wrong)
        word = "FAILED" if wrong else "found "
        print(f"{word} {seed.code} {seed.kind}: {seed.name} {wrong}".rstrip())
    for kind in KINDS if not wanted else ():
        found, notes = found_in(HEALTHY / kind, dry_run=True, limit=120)
        tried += 1
        failed += bool(found or notes)
        word = "FAILED" if found or notes else "clean "
        print(f"{word} {kind} {found or ''} {notes or ''}".rstrip())
    seconds = time.monotonic() - begin
    print(f"{tried - failed} of {tried} as they should be, {seconds:.0f} seconds")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
