"""RegexCallback and RegexHandler: call a function for lines that match a pattern."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

from ._guard import Guard, RunawayPattern
from ._plan import Plan


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
        """The match of the first pattern that is found in `msg`, or None.

        Raises:
            RunawayPattern: a pattern takes too long (``(a+)+$``).
        """
        for regex in self.regex_list:
            match = self._guard(regex).search(msg)
            if match:
                return match
        return None

    def _guard(self, regex: re.Pattern[str]) -> Guard:
        # Not made in __init__, which a subclass may leave out.
        guards: dict[re.Pattern[str], Guard] = self.__dict__.setdefault("_guards", {})
        guard = guards.get(regex)
        if guard is None:
            guard = guards[regex] = Guard(regex)
        return guard


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
        self._plan: Plan | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Runs the callbacks for the record's message.

        Raises:
            Exception: what a callback raised.
            RunawayPattern: a pattern took too long; the other callbacks were tried.
        """
        matched = False
        runaway: RunawayPattern | None = None
        message = record.getMessage()
        for regex_callback in self.regex_callbacks:
            if regex_callback.only_run_if_first_matched and matched:
                continue
            try:
                match = regex_callback.get_match(message)
            except RunawayPattern as e:
                runaway = runaway or e
                continue
            if match is None:
                continue
            matched = True
            regex_callback.callback(match)
            if regex_callback.exit_if_matched:
                break
        if runaway is not None:
            raise runaway

    def takes_blocks(self, level: int) -> bool:
        """Whether ``feed_block`` does what ``handle`` would do for each line at `level`."""
        return (
            _function(self.emit) is RegexHandler.emit
            and _function(self.handle) is logging.Handler.handle
            and not self.filters
            and level >= self.level
            and all(
                _function(one.get_match) is RegexCallback.get_match for one in self.regex_callbacks
            )
        )

    def feed_block(self, block: str, log: Callable[[str], Any]) -> None:
        """Logs the lines of `block`, and runs the callbacks as if each line had come by itself.

        Args:
            block: whole lines, each ending in a newline.
            log: called with consecutive parts of `block`, each of whole lines. A line is logged
                before its callbacks run, and the next one after that.

        Raises:
            Exception: the first that a callback raised; the remaining lines were handled.
            RunawayPattern: the same for a pattern that took too long on a line.
        """
        plan = self._plan
        if plan is None or not plan.is_for(self.regex_callbacks):
            plan = self._plan = Plan(self.regex_callbacks)
        logged = 0
        first_error: BaseException | None = None
        for start, end in plan.candidates(block):
            line = block[start:end]
            matched = False
            for step in plan.steps:
                one = step.source
                if one.only_run_if_first_matched and matched:
                    continue
                try:
                    match = step.search(line)
                except RunawayPattern as e:
                    first_error = first_error or e
                    continue
                if match is None:
                    continue
                matched = True
                if logged <= end:
                    log(block[logged : end + 1])
                    logged = end + 1
                try:
                    # As handle() does: a handler may serve both streams.
                    with self.lock or nullcontext():
                        one.callback(match)
                except BaseException as e:
                    first_error = first_error or e
                    break
                if one.exit_if_matched:
                    break
            if matched and not plan.is_for(self.regex_callbacks):
                # A callback has changed what to look for: so in the next line already.
                rest, block = block[logged:], block[:logged]
                try:
                    self.feed_block(rest, log)
                except BaseException as e:
                    first_error = first_error or e
                break
        if logged < len(block):
            log(block[logged:])
        if first_error is not None:
            raise first_error


def _function(method: Any) -> Any:
    """What a method was defined as; None for what was put in its place on the object itself."""
    return getattr(method, "__func__", None)
