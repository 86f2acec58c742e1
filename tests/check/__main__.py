"""``python -m tests.check``: every seeded mistake, not only those of the default suite.

Each is planted in a healthy adaptor, and must be found by its code, with nothing else beside it.
Nothing is found in the healthy ones, in the examples, and in what ``openjd-adaptor new`` makes; in
the published adaptors of version 0.9 there are no errors.
Words (codes, kinds) choose among the mistakes; ``--page`` writes the tables of docs/check.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from published import wheels

from check.checking import found_in
from check.page import PAGE, with_tables
from check.seeds import HEALTHY, KINDS, SEEDS, Seed
from openjd.adaptor_runtime._tools.check.findings import Finding

#: Seconds for what hangs; up to there all must go, on a machine under load.
_SHORT = 20.0
ROOT = Path(__file__).resolve().parents[2]
_NEW = "import sys; from openjd.adaptor_runtime._cli.tool import main; sys.exit(main())"


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


def _healthy(folder: str) -> Iterator[str]:
    """What has no mistake."""
    yield from (str(HEALTHY / kind) for kind in KINDS)
    yield from (str(ROOT / "examples" / name) for name in ("blender", "ffmpeg"))
    yield "openjd.adaptor_runtime.examples.turntable"
    for kind in ("application", "command", "plain"):
        made = ["new", f"new-{kind}", "--kind", kind, "--application", "Engraver", "--into", folder]
        subprocess.run([sys.executable, "-c", _NEW, *made], stdout=subprocess.DEVNULL, check=True)
        yield str(Path(folder).resolve() / f"new-{kind}")


def _published(parent: Path) -> Iterator[tuple[str, list[Finding]]]:
    """The published adaptors of version 0.9, and the errors in them; there may be warnings."""
    try:
        folder = wheels.install(parent)
    except wheels.NotAvailable as e:
        print(f"the published adaptors are not to be had: {e}")
        return
    stubs = ROOT / "tests" / "published" / "stubs"
    search = [str(folder), str(stubs)]
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([*search, *([before] if before else [])])
    for main_file in sorted(folder.glob("deadline/*_adaptor/*/__main__.py")):
        found, _ = found_in(main_file.parent, limit=120)
        yield main_file.parent.name, [one for one in found if one.severity == "error"]


def main() -> int:
    """Tries all, and returns the exit status."""
    wanted = sys.argv[1:]
    if wanted == ["--page"]:
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(with_tables(text), encoding="utf-8", newline="\n")
        return 0
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
    with tempfile.TemporaryDirectory(prefix="check-") as folder:
        for adaptor in () if wanted else _healthy(folder):
            found, notes = found_in(adaptor, dry_run=True, limit=120)
            tried += 1
            failed += bool(found or notes)
            word = "FAILED" if found or notes else "clean "
            print(f"{word} {adaptor} {found or ''} {notes or ''}".rstrip())
    with tempfile.TemporaryDirectory(prefix="check-") as folder:
        for name, errors in () if wanted else _published(Path(folder)):
            tried += 1
            failed += bool(errors)
            print(f"{'FAILED' if errors else 'clean '} {name} {errors or ''}".rstrip())
    seconds = time.monotonic() - begin
    print(f"{tried - failed} of {tried} as they should be, {seconds:.0f} seconds")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
