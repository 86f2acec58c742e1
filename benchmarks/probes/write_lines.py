"""The application of the line latency benchmark: a line with the time now and then.

`perf_counter` has one zero for all processes of a machine on Linux, macOS and Windows.
"""

from __future__ import annotations

import random
import sys
import time

count, seed, mean_s = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
# Irregular, so that it cannot run in step with a reader that polls.
pauses = random.Random(seed)
for _ in range(count):
    time.sleep(pauses.uniform(0.05, 1.95) * mean_s)
    sys.stdout.write(f"a line of ordinary length stamp={time.perf_counter_ns()}\n")
    sys.stdout.flush()
