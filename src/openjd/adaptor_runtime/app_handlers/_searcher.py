"""Searches lines for a pattern in a process of its own, which ends when that takes too long.

Run by path, with a pipe for stdin and one for stdout. A request is a line of JSON,
``{"pattern": …, "flags": …, "lines": […]}``. The answer is one byte per line, as soon as it is
known: ``1`` where the pattern is found, else ``0``. The process ends with its stdin.
"""

from __future__ import annotations

import faulthandler
import json
import os
import re
import signal
import sys

# What one line may take: seconds of CPU, so that a busy machine makes no difference; where the
# system does not count those, more seconds by the clock.
CPU_SECONDS = 1.0
CLOCK_SECONDS = 5.0
_set_timer = getattr(signal, "setitimer", None)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        regex = re.compile(request["pattern"], request["flags"])
        for text in request["lines"]:
            _limit()
            os.write(1, b"1" if regex.search(text) else b"0")
        _limit(off=True)


def _limit(off: bool = False) -> None:
    """Has the system end this process if it is not called again in time."""
    if _set_timer is not None:
        _set_timer(getattr(signal, "ITIMER_VIRTUAL"), 0 if off else CPU_SECONDS)  # noqa: B009
    elif off:
        faulthandler.cancel_dump_traceback_later()
    else:
        # It has a thread that needs no interpreter, which is busy.
        faulthandler.dump_traceback_later(CLOCK_SECONDS, exit=True, file=sys.stderr)


if __name__ == "__main__":
    main()
