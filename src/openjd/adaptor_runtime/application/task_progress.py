"""TaskProgress: the progress of a task out of that of its parts."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable


class TaskProgress:
    """Puts the progress of a task together; never goes back and stays in 0..100.

    Any thread may call its methods.

    Args:
        emit: called with the progress of the task, percent with one decimal, whenever it has
            grown by 0.1 or more. One call at a time, in order; it must not wait for another
            thread that reports progress.
    """

    def __init__(self, emit: Callable[[float], None]) -> None:
        self._emit = emit
        # Held during `emit`, so that what is told is in order; `emit` may call in here.
        self._lock = threading.RLock()
        self._parts = 1
        self._index = 0
        self._told = 0  # in tenths of a percent, which are exact

    def begin(self, parts: int = 1) -> None:
        """A new task begins, at 0, which is not emitted.

        Args:
            parts: how many equal parts it has (frames, say); less than 1 counts as 1.
        """
        with self._lock:
            self._told = 0
            self.split(parts)

    def split(self, parts: int) -> None:
        """The task under way has `parts` parts, of which the first begins; nothing goes back."""
        with self._lock:
            self._parts = max(parts, 1)
            self._index = 0

    def enter(self, index: int) -> None:
        """Part `index` begins (from 0); those before it are done.

        An index beyond the parts counts as the last one's, one below 0 as the first's.
        """
        with self._lock:
            self._index = min(max(index, 0), self._parts - 1)
            self._tell(0.0)

    def update(self, percent: float) -> None:
        """The part under way is `percent` done; clamped to 0..100, ignored if not finite."""
        if not math.isfinite(percent):
            return
        with self._lock:
            self._tell(min(max(percent, 0.0), 100.0))

    def finish(self) -> None:
        """The task is done: 100."""
        with self._lock:
            self._index = self._parts - 1
            self._tell(100.0)

    def _tell(self, percent: float) -> None:
        whole = (self._index + percent / 100) / self._parts
        # 0.29 * 1000 is a little less than 290.
        tenths = min(int(whole * 1000 + 1e-6), 1000)
        if tenths > self._told:
            self._told = tenths
            self._emit(tenths / 10)
