"""The application of the latency benchmark under load: bursts of lines at a steady rate.

Its first argument is the number of bursts. The first line of each has the time before the burst
is written, and the last line of all tells the rate that was reached.
"""

from __future__ import annotations

import os
import sys
import time

BURST = 100
PERIOD_S = 0.002
WIDTH = 120

bursts = int(sys.argv[1])
began = time.perf_counter()
for number in range(bursts):
    # Late is made up for: the rate is what is held.
    pause = began + number * PERIOD_S - time.perf_counter()
    if pause > 0:
        time.sleep(pause)
    first = number * BURST
    stamp = f"load {first:07d} stamp={time.perf_counter_ns()} "
    lines = [stamp.ljust(WIDTH - 1, "x")]
    lines += [f"load {first + n:07d} ".ljust(WIDTH - 1, "x") for n in range(1, BURST)]
    data = ("\n".join(lines) + "\n").encode("ascii")
    while data:
        data = data[os.write(1, data) :]
seconds = time.perf_counter() - began
os.write(1, f"wrote {bursts * BURST / seconds:.0f} lines a second\n".encode("ascii"))
