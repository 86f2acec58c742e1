"""Searches that cannot stop the process: what may take long is tried in another one first."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence

from .._platform import detached_options
from . import _searcher
from ._effort import longest_line

# How often a pattern may have its time on one line before it is not tried any more.
_MOST_FAILURES = 3
_BATCH = 1000


class RunawayPattern(Exception):
    """A pattern took too long on a line; nobody knows whether the line matches it."""


class Guard:
    """Searches for one pattern, within limits.

    Args:
        regex: the pattern.
    """

    def __init__(self, regex: re.Pattern[str]) -> None:
        self._regex = regex
        #: A line of up to so many characters is searched at once, here.
        self.longest = longest_line(regex)
        self._failures = 0
        self._known: dict[str, bool | None] = {}

    def screen(self, lines: Sequence[str]) -> None:
        """Finds out in one go, in the other process, what ``search`` has to know of `lines`."""
        self._known = {}
        for start in range(0, len(lines), _BATCH):
            batch = lines[start : start + _BATCH]
            self._known.update(zip(batch, self._verdicts(batch)))

    def search(self, line: str) -> re.Match[str] | None:
        """The first match in `line`, or None.

        Raises:
            RunawayPattern: that cannot be found out in reasonable time.
        """
        if len(line) > self.longest:
            found = self._known[line] if line in self._known else self._verdicts([line])[0]
            if found is None:
                raise RunawayPattern(
                    f"the pattern {self._regex.pattern!r} takes too long on a line of "
                    f"{len(line):,} characters, and whether it matches is not known; mend the "
                    f"pattern (repeats within repeats?). The line begins: {line[:80]!r}"
                )
            if not found:
                return None
        return self._regex.search(line)

    def _verdicts(self, lines: Sequence[str]) -> list[bool | None]:
        """For each line whether the pattern is found in it; None where it took too long."""
        verdicts: list[bool | None] = []
        suspect = False
        while len(verdicts) < len(lines):
            rest = lines[len(verdicts) :]
            if self._failures >= _MOST_FAILURES:
                return [*verdicts, *[None] * len(rest)]
            try:
                searcher = _take_searcher()
            except OSError:
                # No process can be started, or this package is no folder: better late than never.
                return [*verdicts, *(bool(self._regex.search(line)) for line in rest)]
            asked = rest[:1] if suspect else rest
            is_new = searcher.is_new
            found = searcher.ask(self._regex, asked)
            verdicts += found
            if len(found) == len(asked):
                _idle.append(searcher)
                suspect = False
                continue
            searcher.close()
            suspect = suspect or (is_new and len(asked) == 1)
            if suspect:
                # It was asked about this line alone, or is the second to die over it.
                self._failures += 1
                verdicts.append(None)
            suspect = not suspect
        return verdicts


class _Searcher:
    """The other process."""

    def __init__(self) -> None:
        self.is_new = True
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", _searcher.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            **detached_options(),
        )

    def ask(self, regex: re.Pattern[str], lines: Sequence[str]) -> list[bool]:
        """The verdicts on as many of the lines as it lived to give."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        request = {"pattern": regex.pattern, "flags": regex.flags, "lines": lines}
        answer = b""
        self.is_new = False
        try:
            view = memoryview(json.dumps(request).encode() + b"\n")
            while view:
                view = view[stdin.write(view) or 0 :]
            while len(answer) < len(lines):
                data = os.read(stdout.fileno(), _BATCH)
                if not data:
                    break
                answer += data
        except OSError:
            pass  # It is gone, as after an answer that is too short.
        return [byte == ord("1") for byte in answer]

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


# Each thread that searches has one for the time of its question: an application's two streams do
# not wait for each other. They end with this process, whose end closes their stdin.
_idle: list[_Searcher] = []


def _take_searcher() -> _Searcher:
    try:
        return _idle.pop()
    except IndexError:
        if not os.path.isfile(_searcher.__file__):
            raise FileNotFoundError(_searcher.__file__) from None
        return _Searcher()


def close_idle() -> None:
    """Ends the processes that wait for the next search."""
    while _idle:
        _idle.pop().close()
