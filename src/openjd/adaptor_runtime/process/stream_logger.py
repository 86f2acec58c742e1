"""StreamLogger: a thread that logs the lines of a text stream."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import IO, Any


class StreamLogger(threading.Thread):
    """Logs each line of `stream` to each of `loggers`, until the stream ends.

    Args:
        stream: text to read, line by line.
        loggers: where each line goes.
        level: the level of the records.
        *args: those of ``threading.Thread``.
        **kwargs: those of ``threading.Thread``.
    """

    def __init__(
        self,
        *args: Any,
        stream: IO[str],
        loggers: Sequence[logging.Logger],
        level: int = logging.INFO,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._stream = stream
        self._loggers = list(loggers)
        self._level = level

    def run(self) -> None:
        """Reads the stream to its end; a stream that is closed meanwhile has ended."""
        try:
            for line in self._stream:
                text = line.rstrip("\n\r")
                for logger in self._loggers:
                    logger.log(self._level, "%s", text)
        except ValueError:
            if not self._stream.closed:
                raise
