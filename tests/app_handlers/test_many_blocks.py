"""Ten thousand generated blocks mean what their lines mean, one after the other."""

from __future__ import annotations

import logging
import random
import re
from typing import Any

import pytest

from openjd.adaptor_runtime.app_handlers import RegexCallback, RegexHandler

# Few letters, so that patterns and lines meet often; with letters whose case is a trap: the
# Kelvin sign, the long s, the dotted and the dotless i.
LETTERS = "abkKsiI \u212a\u017f\u0130\u0131é."


def compiled(specification: Any) -> list[tuple[list[re.Pattern[str]], bool, bool]] | None:
    """The callbacks' regexes and flags; None where a pattern is not valid."""
    try:
        return [
            ([re.compile(pattern, flags) for pattern, flags in regexes], leave, first)
            for regexes, leave, first in specification
        ]
    except (re.error, RecursionError, FutureWarning, DeprecationWarning):
        return None


def callbacks(of: Any, seen: list[Any], failing: bool = False) -> list[RegexCallback]:
    """Callbacks that write down what they are called with."""

    def make(index: int) -> Any:
        def call(match: re.Match[str]) -> None:
            seen.append((index, match.string, match.span(), match.re.pattern))
            if failing and index == 1:
                raise ValueError(index)

        return call

    return [
        RegexCallback(regexes, make(index), exit_if_matched=leave, only_run_if_first_matched=first)
        for index, (regexes, leave, first) in enumerate(of)
    ]


def one_by_one(of: Any, lines: list[str], failing: bool) -> list[Any]:
    """What 0.9 does: each line is logged, and then searched by each callback in order."""
    seen: list[Any] = []
    for line in lines:
        seen.append(line)
        matched = False
        for one in callbacks(of, seen, failing):
            if one.only_run_if_first_matched and matched:
                continue
            match = one.get_match(line)
            if match is None:
                continue
            matched = True
            try:
                one.callback(match)
            except ValueError:
                break
            if one.exit_if_matched:
                break
    return seen


def compare(specification: Any, lines: list[str], failing: bool) -> bool:
    """Whether the patterns were valid; then both ways have given the same."""
    of = compiled(specification)
    if of is None:
        return False
    seen: list[Any] = []
    handler = RegexHandler(callbacks(of, seen, failing))
    assert handler.takes_blocks(logging.ERROR + 1)
    try:
        handler.feed_block(
            "".join(line + "\n" for line in lines), lambda part: seen.extend(part[:-1].split("\n"))
        )
    except ValueError:
        assert failing
    assert seen == one_by_one(of, lines, failing), (specification, lines, failing)
    return True


@pytest.mark.timeout(240)
def test_ten_thousand_blocks() -> None:
    """The same for ten thousand cases that a seeded generator makes: many in little time."""
    chance = random.Random(20261123)
    done = 0
    while done < 10_000:
        specification = [
            (
                [(a_pattern(chance, 3), chance.choice([0, 0, re.I, re.M])) for _ in "ab"[: n + 1]],
                chance.random() < 0.3,
                chance.random() < 0.3,
            )
            for n in (chance.randrange(2) for _ in range(chance.randrange(1, 4)))
        ]
        lines = [a_text(chance, 10) for _ in range(chance.randrange(1, 5))]
        done += compare(specification, lines, chance.random() < 0.2)


def a_text(chance: random.Random, longest: int) -> str:
    """A text of letters that meet often."""
    return "".join(chance.choice(LETTERS) for _ in range(chance.randrange(longest + 1)))


def a_pattern(chance: random.Random, depth: int) -> str:
    """A pattern, mostly a valid one."""
    if depth == 0 or chance.random() < 0.3:
        if chance.random() < 0.7:
            return re.escape(a_text(chance, 3))
        return chance.choice([".", r"\s", r"\w", "[ab]", "[^a]", "^", "$", r"\b", r"\A", r"\Z"])
    inner, other = a_pattern(chance, depth - 1), a_pattern(chance, depth - 1)
    return chance.choice(
        [
            inner + other,
            inner + other,
            f"{inner}|{other}",
            f"({inner})",
            f"(?:{inner})?",
            f"(?:{inner})*",
            f"(?:{inner})+?{other}",
            f"(?:{inner}){{2}}",
            f"(?={inner}){other}",
            f"(?!{inner}){other}",
            f"(?i:{inner}){other}",
            f"({inner}){other}\\1",
        ]
    )
