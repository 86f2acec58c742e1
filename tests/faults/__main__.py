"""``python -m tests.faults``: plays seeds, says what does not hold, and counts."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from .faults import BY_NAME, SHAPES
from .oracle import COLUMNS, VERDICT, Finding, judge
from .plan import Plan, draw
from .stage import Record, Stage

_SLOW = 10.0


def play(plan: Plan, keep: bool = False, following: bool = True) -> Record:
    """Plays a plan in a place of its own."""
    fault = BY_NAME[plan.fault]
    missing = fault.missing()
    if missing:
        return Record(plan, (), False, {}, skipped=missing)
    with Stage(plan, fault, keep, following) as stage:
        record = stage.play()
        if keep:
            for said in record.commands + (record.next or ()):
                print(f"--- {said.name} ({said.seconds:.2f} s): {said.status}")
                print(said.out if len(said.out) < 20000 else f"{said.out[:20000]}…")
                print(said.err, end="")
            print(f"--- {stage.notes} {record.journals}"[:3000])
            print(f"--- {stage.place}")
        return record


def table(records: list[tuple[Record, list[Finding]]]) -> Iterator[list[str]]:
    """The rows: fault, times injected, and the findings of each kind."""
    yield ["fault", "sessions", "times injected", *COLUMNS]
    totals: Counter[str] = Counter()
    for name in SHAPES:
        mine = [(r, f) for r, f in records if r.plan.fault == name]
        if not mine:
            continue
        skipped = next((r.skipped for r, _ in mine if r.skipped), "")
        counts = Counter(finding.kind for _, found in mine for finding in found)
        counts["sessions"] = sum(1 for r, _ in mine if not r.skipped)
        counts["times injected"] = sum(r.injected for r, _ in mine)
        totals.update(counts)
        what = f"{name} (skipped: {skipped})" if skipped else name
        yield [what, *(str(counts[c]) for c in ("sessions", "times injected", *COLUMNS))]
    yield ["all", *(str(totals[c]) for c in ("sessions", "times injected", *COLUMNS))]


def _shown(rows: list[list[str]], markdown: bool) -> str:
    if markdown:
        rows = [rows[0], ["---", *["---:"] * (len(rows[0]) - 1)], *rows[1:]]
        return "".join(f"| {' | '.join(row)} |\n" for row in rows)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:]))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join([*lines, ""])


def main(arguments: list[str]) -> int:
    """Returns the exit status: 0 where nothing was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, metavar="N", help="how many seeds")
    parser.add_argument("--first", type=int, default=1, metavar="K", help="the first of them")
    parser.add_argument("--seed", type=int, metavar="S", help="this seed alone")
    parser.add_argument("--fault", choices=sorted(SHAPES), help="this fault in every seed")
    parser.add_argument("--jobs", type=int, default=2, metavar="J", help="sessions at a time")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="writes the table there")
    parser.add_argument(
        "--keep", action="store_true", help="shows what was said, and keeps the files"
    )
    parser.add_argument("--verbose", action="store_true", help="says what each seed did")
    options = parser.parse_args(arguments)
    seeds = range(options.first, options.first + options.seeds)
    if options.seed is not None:
        seeds = range(options.seed, options.seed + 1)
    began = time.monotonic()
    records: list[tuple[Record, list[Finding]]] = []
    failed = 0
    interrupted = False
    lock = threading.Lock()

    def one(seed: int) -> None:
        nonlocal failed
        plan = draw(seed, SHAPES, options.fault)
        try:
            record = play(plan, options.keep)
            found = [] if record.skipped else judge(record)
        except Exception:
            text = " ".join(traceback.format_exc().split())
            record = Record(plan, (), False, {})
            found = [Finding(VERDICT, f"the driver itself failed: {text}")]
        # What was said is large, and is not needed any more.
        record = record._replace(commands=(), next=None, journals={})
        with lock:
            records.append((record, found))
            failed += bool(found)
            if options.verbose or record.seconds > _SLOW:
                injected = "" if record.injected else ", not injected"
                print(f"seed {seed}: {record.seconds:.1f} s{injected}: {plan}", flush=True)
            if found:
                asked = f" --fault {options.fault}" if options.fault else ""
                what = "; ".join(f"{finding.kind}: {finding.text}" for finding in found)
                print(
                    f"FAILED seed {seed}: {plan}: {what}; "
                    f"replay: python -m tests.faults --seed {seed}{asked} --keep",
                    flush=True,
                )

    with ThreadPoolExecutor(options.jobs) as pool:
        results = [pool.submit(one, seed) for seed in seeds]
        try:
            for result in results:
                result.result()
        except KeyboardInterrupt:
            # What is under way comes to its end, and leaves nothing behind; the rest is not begun.
            for signum in (signal.SIGINT, signal.SIGTERM):
                signal.signal(signum, signal.SIG_IGN)
            pool.shutdown(wait=True, cancel_futures=True)
            interrupted = True
    rows = list(table(records))
    print(_shown(rows, False), end="")
    print(f"{len(records)} seeds, {failed} failed, {time.monotonic() - began:.0f} seconds")
    if options.markdown:
        options.markdown.write_text(_shown(rows, True), encoding="utf-8")
    if interrupted:
        return 130
    return 1 if failed else 0


if __name__ == "__main__":
    # As a signal of the keyboard does: sessions that are under way are cleaned up.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
