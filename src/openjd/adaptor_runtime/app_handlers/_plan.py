"""The plan of a RegexHandler: which lines of a block are worth a regular expression."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

from ._literals import Needles, needles

if TYPE_CHECKING:
    from .regex_callback import RegexCallback


class _Step:
    """One callback, with what its patterns need."""

    def __init__(self, regex_callback: RegexCallback) -> None:
        # Its options and its function are read from it when they are needed: they may change.
        self.source = regex_callback
        self.regexes = list(regex_callback.regex_list)
        self._tests = [
            (regex_callback._guard(regex), *_words(needles(regex))) for regex in self.regexes
        ]
        #: A line of up to so many characters is searched at once for any of them.
        self.longest = min((guard.longest for guard, _, _ in self._tests), default=inf)

    def search(self, line: str) -> re.Match[str] | None:
        """The match of the first pattern that is found in `line`.

        Raises:
            RunawayPattern: a pattern takes too long.
        """
        for guard, exact, folded in self._tests:
            if _may_match(line, exact, folded):
                match = guard.search(line)
                if match is not None:
                    return match
        return None

    def screen(self, lines: Sequence[str]) -> None:
        """Has what may take long with `lines` found out in one go."""
        for guard, exact, folded in self._tests:
            long = [
                line
                for line in lines
                if len(line) > guard.longest and _may_match(line, exact, folded)
            ]
            if len(long) > 1:
                guard.screen(long)


def _may_match(line: str, exact: list[str], folded: list[str]) -> bool:
    if exact and not any(word in line for word in exact):
        return False
    if folded and line.isascii():
        lower = line.lower()
        return any(word in lower for word in folded)
    return True


def _words(found: Needles | None) -> tuple[list[str], list[str]]:
    """The words to look for as they are, and those to look for in lower case."""
    if found is None:
        return [], []
    return ([], sorted(found.texts)) if found.fold_case else (sorted(found.texts), [])


class Plan:
    """What is known beforehand of the callbacks of one handler."""

    def __init__(self, regex_callbacks: Sequence[RegexCallback]) -> None:
        self._made_for = _identity(regex_callbacks)
        self.steps = [_Step(one) for one in regex_callbacks]
        self._longest = min((step.longest for step in self.steps), default=inf)
        found = [needles(regex) for step in self.steps for regex in step.regexes]
        self._every_line = any(one is None for one in found)
        known = [one for one in found if one is not None]
        self._exact = sorted({t for one in known if not one.fold_case for t in one.texts})
        self._folded = sorted({t for one in known if one.fold_case for t in one.texts})

    def is_for(self, regex_callbacks: Sequence[RegexCallback]) -> bool:
        """Whether the callbacks are still what they were."""
        return self._made_for == _identity(regex_callbacks)

    def candidates(self, block: str) -> Iterable[tuple[int, int]]:
        """(start, end) of each line, without its newline, in which some pattern may be found."""
        lines = self._candidates(block)
        if len(block) > self._longest:
            lines = list(lines)
            texts = [block[start:end] for start, end in lines if end - start > self._longest]
            for step in self.steps if texts else ():
                step.screen(texts)
        return lines

    def _candidates(self, block: str) -> Iterable[tuple[int, int]]:
        # What lower() does to other letters changes their number, and the places with it.
        if self._every_line or (self._folded and not block.isascii()):
            return _all_lines(block)
        lines: dict[int, int] = {}
        for text, words in ((block, self._exact), (block.lower() if self._folded else "",
                                                  self._folded)):  # fmt: skip
            for word in words:
                place = text.find(word)
                while place >= 0:
                    end = text.find("\n", place)
                    lines[text.rfind("\n", 0, place) + 1] = end
                    place = text.find(word, end)
        return sorted(lines.items())


def _all_lines(block: str) -> Iterable[tuple[int, int]]:
    start = 0
    while start < len(block):
        end = block.find("\n", start)
        yield start, end
        start = end + 1


def _identity(regex_callbacks: Sequence[RegexCallback]) -> list[Any]:
    return [(one, tuple(one.regex_list)) for one in regex_callbacks]
