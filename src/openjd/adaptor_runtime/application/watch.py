"""The watch: sees that a step stays within its limits."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterable

from .._platform import resident_bytes
from .settings import Limits

# Memory and free disk have no event to wait for: they are looked at this often (seconds), and
# only while a step with such a limit is under way.
SAMPLE_SECONDS = 2.0
_MIB = 1024 * 1024


class Watch:
    """Waits, in a thread of its own, for the next limit to be reached.

    Args:
        limits: the limits.
        tripped: called in the watch's thread with what was exceeded, in words that end a
            sentence, and the name of the limit; at most once for each step.
        pids: the processes whose memory counts.
        folders: where there must be room.
    """

    def __init__(
        self,
        limits: Limits,
        tripped: Callable[[str, str], None],
        pids: Callable[[], Iterable[int]],
        folders: Callable[[], Iterable[str]],
    ) -> None:
        self._limits = limits
        self._tripped = tripped
        self._pids = pids
        self._folders = folders
        self._changed = threading.Condition()
        self._phase = ""
        self._closed = False
        self._began = self._heard = self._grew = self._sampled = 0.0
        self._thread: threading.Thread | None = None

    def begin(self, phase: str) -> None:
        """A step begins: ``start``, ``run`` or ``stop``."""
        with self._changed:
            self._phase = phase
            self._began = self._heard = self._grew = time.monotonic()
            # The first look is at once: a disk that is full already needs no waiting for.
            self._sampled = -math.inf
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def end(self) -> None:
        """The step has ended; nothing is watched until the next begins."""
        with self._changed:
            self._phase = ""
            self._changed.notify_all()

    def heard(self) -> None:
        """The application has shown that it lives."""
        # No lock, no wake-up: this is called for each block of output, and a limit only moves
        # away by it. The watch looks again when the old one is reached.
        self._heard = time.monotonic()

    def grew(self) -> None:
        """The progress of the task has grown."""
        self._heard = self._grew = time.monotonic()

    def close(self) -> None:
        """Ends the watch."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                now = time.monotonic()
                found, wait = self._look(now) if self._phase else (None, None)
                sample = self._phase and wait is not None and self._sampled_until(now) <= 0
                if found is None and not sample:
                    self._changed.wait(None if wait is None else min(wait, threading.TIMEOUT_MAX))
                    continue
                phase, began = self._phase, self._began
            if found is None:
                found = self._sample()
            with self._changed:
                # While samples were taken the step may have ended.
                if found is None or (phase, began) != (self._phase, self._began):
                    continue
                self._phase = ""
            self._tripped(*found)

    def _look(self, now: float) -> tuple[tuple[str, str] | None, float | None]:
        """The limit that is exceeded, or for how long nothing can be."""
        limits = self._limits
        phase = self._phase
        total = getattr(limits, phase)
        least: list[float] = []
        for name, limit, since, words in (
            (phase, total, self._began, f"took longer than {shown(total)} seconds"),
            (
                "silence",
                limits.silence,
                self._heard,
                f"was silent for {shown(limits.silence)} seconds",
            ),
            (
                "no_progress",
                limits.no_progress if phase == "run" else 0,
                self._grew,
                f"made no progress for {shown(limits.no_progress)} seconds",
            ),
        ):
            if not limit:
                continue
            left = since + limit - now
            if left <= 0:
                return (words, name), None
            least.append(left)
        if self._has_samples():
            least.append(max(self._sampled_until(now), 0))
        return None, min(least, default=None)

    def _sampled_until(self, now: float) -> float:
        if not self._has_samples():
            return math.inf
        return self._sampled + SAMPLE_SECONDS - now

    def _has_samples(self) -> bool:
        # A session whose tasks are done shall end well, however full the disk is.
        free = self._limits.free_disk_mib if self._phase == "run" else 0
        return bool(self._limits.memory_mib or free)

    def _sample(self) -> tuple[str, str] | None:
        self._sampled = time.monotonic()
        limit = self._limits.memory_mib
        if limit:
            used = resident_bytes(self._pids()) / _MIB
            if used > limit:
                return f"had {used:,.0f} MiB of memory, more than {shown(limit)}", "memory_mib"
        limit = self._limits.free_disk_mib if self._phase == "run" else 0
        for folder in self._folders() if limit else ():
            free = _free_bytes(folder)
            if free is not None and free < limit * _MIB:
                return (
                    f"had only {free // _MIB:,} MiB left on the disk of {folder}, "
                    f"less than {shown(limit)}",
                    "free_disk_mib",
                )
        return None


def shown(number: float) -> str:
    """A number for people: 64, 2.5, 1,000,000."""
    return f"{number:,.0f}" if number == int(number) else f"{number:,}"


def _free_bytes(folder: str) -> int | None:
    """The free bytes where `folder` is, or will be; None where nobody can tell."""
    while folder and not os.path.isdir(folder):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    # Not at the top: it brings compression with it, and a frontend may import this.
    import shutil

    try:
        return shutil.disk_usage(folder or ".").free
    except OSError:
        return None
