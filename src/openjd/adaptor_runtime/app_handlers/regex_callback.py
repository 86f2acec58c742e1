"""RegexCallback and RegexHandler: call a function for lines that match a pattern."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from typing import Any


class RegexCallback:
    """Patterns, and what to call with the match of the first that is found in a line.

    Args:
        regex_list: tried in order with ``search``.
        callback: called with the match.
        exit_if_matched: no later callback of the handler sees the line that matched.
        only_run_if_first_matched: run only where this is the first of the handler's callbacks
            that matches the line.
    """

    def __init__(
        self,
        regex_list: Sequence[re.Pattern[str]],
        callback: Callable[[re.Match[str]], Any],
        exit_if_matched: bool = False,
        only_run_if_first_matched: bool = False,
    ) -> None:
        self.regex_list = regex_list
        self.callback = callback
        self.exit_if_matched = exit_if_matched
        self.only_run_if_first_matched = only_run_if_first_matched

    def get_match(self, msg: str) -> re.Match[str] | None:
        """The match of the first pattern that is found in `msg`, or None."""
        for regex in self.regex_list:
            match = regex.search(msg)
            if match:
                return match
        return None


class RegexHandler(logging.Handler):
    """Calls the callbacks whose patterns are found in a record's message, in order.

    Callbacks run on the thread that reads the application's output.

    Args:
        regex_callbacks: in the order in which they are tried.
        level: records below it are not looked at.
    """

    regex_callbacks: Sequence[RegexCallback]

    def __init__(
        self, regex_callbacks: Sequence[RegexCallback], level: int = logging.NOTSET
    ) -> None:
        super().__init__(level)
        self.regex_callbacks = regex_callbacks

    def emit(self, record: logging.LogRecord) -> None:
        """Runs the callbacks for the record's message."""
        self.feed(record.getMessage())

    def feed(self, line: str) -> None:
        """Runs the callbacks for one line.

        Raises:
            Exception: whatever a callback raises.
        """
        matched = False
        for regex_callback in self.regex_callbacks:
            if regex_callback.only_run_if_first_matched and matched:
                continue
            match = regex_callback.get_match(line)
            if match is None:
                continue
            matched = True
            regex_callback.callback(match)
            if regex_callback.exit_if_matched:
                break
