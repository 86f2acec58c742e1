"""How much work a pattern can make: a regular expression stops every thread while it searches.

What is derived is a bound from above, of the form ``factor * n ** degree`` steps for a line of n
characters, or none at all (``(a+)+$``). It may say too much, never too little: from where it says
more than a moment's work, the search is done in another process (see ``_guard``).

The number of steps is that of the ways in which the beginning of a pattern can match. A repeat
has one way where what follows it cannot begin with what it repeats (``\\d+ of``), and as many as
the line has characters where it can (``.*of``). A repeat whose body has several ways is endless.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from ._sre import sre

#: Steps that may be made at once: a tenth of a second, or two.
STEPS = 5e6
# More repetitions than these count as without bound.
_MANY = 64

# Sets of characters: one bit for each of ASCII, four for what lies beyond it.
_ASCII = (1 << 128) - 1
_DIGIT, _LETTER, _SPACE, _OTHER = (1 << 128 + n for n in range(4))
_BEYOND = _DIGIT | _LETTER | _SPACE | _OTHER
_ANY = _ASCII | _BEYOND


def _ascii_where(test: Any) -> int:
    return sum(1 << code for code in range(128) if test(chr(code)))


_DIGITS = _ascii_where(str.isdigit)
_WORDS = _ascii_where(lambda c: c.isalnum() or c == "_")
_SPACES = _ascii_where(lambda c: re.match(r"\s", c))
# Letters that have a relative beyond ASCII when case does not count.
_RELATED = _ascii_where(lambda c: c in "iksIKS")


class Endless(Exception):
    """There is no bound of that form.

    The empty line may be too long already: ``(a*|b*){64}c`` matches nothing in 2 ** 64 ways.
    """


class _Cost(NamedTuple):
    """What a part of a pattern costs from one place in the line, with n its characters."""

    #: It can match in up to ``factor * n ** ways`` ways.
    ways: int
    factor: float
    #: Finding them takes about ``n ** work`` steps for each.
    work: int


@lru_cache(maxsize=512)
def longest_line(regex: re.Pattern[str]) -> float:
    """Up to how many characters of a line a search is a moment's work (inf: always; -1: never)."""
    if not isinstance(regex, re.Pattern) or not isinstance(regex.pattern, str):
        return float("inf")
    try:
        items = list(sre.parse(regex.pattern, regex.flags))
        cost = _sequence(items, _Flags(regex.flags), 0)
    except Endless:
        return -1
    except Exception:
        # The parser, which is the interpreter's own, has something new.
        return -1
    # A search begins at each character, unless the pattern says where.
    degree = cost.work + (0 if _is_anchored(items, regex.flags) else 1)
    if degree == 0:
        return float("inf")
    return float((STEPS / cost.factor) ** (1 / degree))


class _Flags:
    """The flags that decide what a set contains."""

    def __init__(self, flags: int) -> None:
        self.fold = bool(flags & re.IGNORECASE)
        self.ascii = bool(flags & re.ASCII)

    def changed(self, add: int, remove: int) -> _Flags:
        flags = (re.IGNORECASE if self.fold else 0) | (re.ASCII if self.ascii else 0)
        return _Flags((flags | add) & ~remove)


def _is_anchored(items: list[Any], flags: int) -> bool:
    if not items or items[0][0] is not sre.AT:
        return False
    at = items[0][1]
    return at is sre.AT_BEGINNING_STRING or (at is sre.AT_BEGINNING and not flags & re.MULTILINE)


def _sequence(items: list[Any], flags: _Flags, follow: int) -> _Cost:
    """What the items cost one after the other.

    `follow` is what can stand behind them; nothing where their match is the end of it all.
    """
    behind = [follow]
    for item in reversed(items):
        first, empty = _first(item, flags)
        behind.append(first | behind[-1] if empty else first)
    behind.reverse()
    # From here on nothing can fail any more, so that it is done but once.
    sure = len(items)
    while not follow and sure and _is_optional(items[sure - 1]):
        sure -= 1
    ways, factor, work = 0, 1.0, 0
    for index, item in enumerate(items):
        cost = _item(item, flags, behind[index + 1])
        work = max(work, cost.work if index >= sure else ways + cost.work)
        ways += cost.ways
        factor *= cost.factor
        if factor > STEPS:
            raise Endless
    return _Cost(ways, factor, work)


def _item(item: Any, flags: _Flags, follow: int) -> _Cost:
    operation, argument = item
    if operation in _REPEATS:
        return _repeat(operation, argument, flags, follow)
    if operation is sre.SUBPATTERN:
        _, add, remove, inner = argument
        return _sequence(list(inner), flags.changed(add, remove), follow)
    if operation is sre.BRANCH:
        return _branch([list(one) for one in argument[1]], flags, follow)
    if operation is sre.GROUPREF_EXISTS:
        _, yes, no = argument
        return _branch([list(yes), list(no or [])], flags, follow)
    if operation is _ATOMIC_GROUP:
        return _Cost(0, *_sequence(list(argument), flags, 0)[1:])
    if operation in (sre.ASSERT, sre.ASSERT_NOT):
        return _Cost(0, *_sequence(list(argument[1]), flags, 0)[1:])
    # A reference compares as many characters as its group had.
    return _Cost(0, 1, 1 if operation is sre.GROUPREF else 0)


def _is_optional(item: Any) -> bool:
    return item[0] in (sre.MAX_REPEAT, sre.MIN_REPEAT) and item[1][0] == 0


def _repeat(operation: Any, argument: Any, flags: _Flags, follow: int) -> _Cost:
    least, most, inner = argument
    body = list(inner)
    many = most is sre.MAXREPEAT or most > _MANY
    first = 0
    for item in reversed(body):
        starts, empty = _first(item, flags)
        first = starts | first if empty else starts
    cost = _sequence(body, flags, first | follow if most is sre.MAXREPEAT or most > 1 else follow)
    if operation is _POSSESSIVE_REPEAT:
        # It never gives back what it took, but its body's ways are tried.
        cost = _Cost(0, cost.factor, cost.work)
        chosen = True
    else:
        chosen = not first & follow
    if many:
        if cost.ways or cost.factor > 1 or inner.getwidth()[0] == 0:
            # The ways to cut n characters into pieces double with each character, and so do
            # those of a repeat around this one.
            raise Endless
        return _Cost(0 if chosen else 1, 1, 1 + cost.work)
    if cost.ways and most > 4:
        raise Endless
    factor = cost.factor ** max(most, 1) * (1 if chosen else most - least + 1)
    return _Cost(cost.ways * most, factor, cost.work + cost.ways * max(most - 1, 0))


def _branch(branches: list[list[Any]], flags: _Flags, follow: int) -> _Cost:
    seen = 0
    overlap = False
    costs = []
    for branch in branches:
        first = follow
        for item in reversed(branch):
            starts, empty = _first(item, flags)
            first = starts | first if empty else starts
        overlap = overlap or bool(seen & first) or not branch
        seen |= first
        costs.append(_sequence(branch, flags, follow))
    factor = sum(c.factor for c in costs) if overlap else max(c.factor for c in costs)
    return _Cost(max(c.ways for c in costs), factor, max(c.work for c in costs))


def _first(item: Any, flags: _Flags) -> tuple[int, bool]:
    """The characters that a match of the item can begin with, and whether it can be empty."""
    operation, argument = item
    if operation in _REPEATS:
        least, _, inner = argument
        first, empty = _first_of(list(inner), flags)
        return first, empty or least == 0
    if operation is sre.SUBPATTERN:
        _, add, remove, inner = argument
        return _first_of(list(inner), flags.changed(add, remove))
    if operation is _ATOMIC_GROUP:
        return _first_of(list(argument), flags)
    if operation is sre.BRANCH:
        found = [_first_of(list(one), flags) for one in argument[1]]
        return _union(one[0] for one in found), any(one[1] for one in found)
    if operation is sre.AT and argument in (sre.AT_END, sre.AT_END_STRING):
        # Behind it there is nothing, or the line's end.
        return 1 << ord("\n"), False
    if operation is sre.AT:
        return 0, True
    if operation in (sre.ASSERT, sre.ASSERT_NOT, sre.GROUPREF, sre.GROUPREF_EXISTS):
        # What is looked for at each place is work at each place: not a choice made at once.
        return _ANY, True
    return _set_of(operation, argument, flags), False


def _first_of(items: list[Any], flags: _Flags) -> tuple[int, bool]:
    first = 0
    for item in items:
        starts, empty = _first(item, flags)
        first |= starts
        if not empty:
            return first, False
    return first, True


def _union(sets: Any) -> int:
    union = 0
    for one in sets:
        union |= one
    return union


def _set_of(operation: Any, argument: Any, flags: _Flags) -> int:
    """The characters that an item of one character stands for, or more than these."""
    if operation is sre.LITERAL:
        return _folded(_character(argument), flags)
    if operation is sre.NOT_LITERAL:
        return _ANY if flags.fold or argument > 127 else _ANY & ~(1 << argument)
    if operation is sre.IN:
        negated = argument[0][0] is sre.NEGATE
        found = 0
        for kind, value in argument:
            if kind is sre.LITERAL:
                # Of what lies beyond ASCII, one letter is not all of its kind.
                found |= _character(value) if not negated or value < 128 else 0
            elif kind is sre.RANGE:
                low, high = value
                found |= _union(1 << code for code in range(low, min(high, 127) + 1))
                found |= _BEYOND if high > 127 and not negated else 0
            elif kind is sre.CATEGORY:
                found |= _category(value, flags)
        if negated:
            # What has other spellings in another case is only surely out without that flag.
            return _ANY & ~found if not flags.fold else _ANY & ~(found & ~_cased(found))
        return _folded(found, flags)
    if operation is sre.CATEGORY:
        return _category(argument, flags)
    return _ANY


def _character(code: int) -> int:
    if code < 128:
        return 1 << code
    character = chr(code)
    if character.isdigit() or character.isdecimal():
        return _DIGIT
    if character.isspace():
        return _SPACE
    return _LETTER if character.isalnum() else _OTHER


def _category(category: Any, flags: _Flags) -> int:
    name = str(category).rpartition("CATEGORY_")[2]
    negated = name.startswith("NOT_")
    beyond = 0 if flags.ascii else _BEYOND
    found = {
        # A number that is no decimal digit is a letter to some and a digit to others.
        "DIGIT": _DIGITS | _DIGIT & beyond,
        "WORD": _WORDS | (_DIGIT | _LETTER) & beyond,
        "SPACE": _SPACES | _SPACE & beyond,
    }.get(name.replace("NOT_", ""))
    if found is None:
        return _ANY
    if not negated:
        return found
    # Not every digit to isdigit() is one to \d.
    return _ANY & ~found | (_DIGIT if "DIGIT" in name else 0)


def _cased(found: int) -> int:
    return found & _ascii_where(str.isalpha)


def _folded(found: int, flags: _Flags) -> int:
    if not flags.fold:
        return found
    upper = _ascii_where(str.isupper)
    folded = found | (found & upper) << 32 | (found & upper << 32) >> 32
    if folded & _RELATED and not flags.ascii:
        folded |= _LETTER
    if found & _LETTER:
        folded |= _RELATED
    return folded


_POSSESSIVE_REPEAT = getattr(sre, "POSSESSIVE_REPEAT", None)
_ATOMIC_GROUP = getattr(sre, "ATOMIC_GROUP", None)
_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, _POSSESSIVE_REPEAT)
