"""Which text any match of a pattern must contain, so that most lines never meet the pattern.

Searching a block of a thousand lines for a word costs less than starting one regular expression.
What is derived here is a necessary condition and nothing more: where it cannot be derived with
certainty there is none, and every line is a candidate.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from ._sre import sre

# More alternatives than these cost more to look for than they save.
_MOST_ALTERNATIVES = 16


class Needles(NamedTuple):
    """One of these is in every line that the pattern matches."""

    texts: frozenset[str]
    #: Whether upper and lower case count as the same; the texts are in lower case then.
    fold_case: bool


def needles(regex: re.Pattern[str]) -> Needles | None:
    """What any line in which ``regex.search`` finds something must contain; None if unknown."""
    if not isinstance(regex, re.Pattern) or not isinstance(regex.pattern, str):
        return None
    fold_case = bool(regex.flags & re.IGNORECASE)
    try:
        texts = _required(list(sre.parse(regex.pattern, regex.flags)))
    except Exception:
        return None
    if texts is None or any("\n" in text for text in texts):
        return None
    if fold_case:
        # Beyond ASCII, case is a matter of more than one letter for one.
        if not all(text.isascii() for text in texts):
            return None
        texts = frozenset(text.lower() for text in texts)
    return Needles(texts, fold_case)


def _required(items: list[Any]) -> frozenset[str] | None:
    """The best of the conditions that the items of a sequence impose, each for itself."""
    best: frozenset[str] | None = None
    run = ""
    for item in [*_flat(items), None]:
        if item is not None and item[0] is sre.LITERAL:
            run += chr(item[1])
            continue
        if run:
            best = _better(best, frozenset({run}))
            run = ""
        if item is not None:
            best = _better(best, _of_item(item))
    return best


def _flat(items: list[Any]) -> list[Any]:
    """The items with those of plain groups in the place of the groups: "ab(cd)" is one text."""
    flat: list[Any] = []
    for item in items:
        if item[0] is sre.SUBPATTERN and not item[1][1] and not item[1][2]:
            flat += _flat(list(item[1][3]))
        else:
            flat.append(item)
    return flat


def _of_item(item: Any) -> frozenset[str] | None:
    operation, argument = item
    if operation in (sre.MAX_REPEAT, sre.MIN_REPEAT, getattr(sre, "POSSESSIVE_REPEAT", None)):
        least, _, inner = argument
        return _required(list(inner)) if least > 0 else None
    if operation is getattr(sre, "ATOMIC_GROUP", None):
        return _required(list(argument))
    if operation is sre.BRANCH:
        texts: frozenset[str] = frozenset()
        for branch in argument[1]:
            required = _required(list(branch))
            if required is None:
                return None
            texts |= required
        return texts if len(texts) <= _MOST_ALTERNATIVES else None
    # Classes, assertions, references, and groups that change flags impose nothing certain.
    return None


def _better(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None:
        return one or other
    # A long text is rare, and few of them are found faster.
    return max(one, other, key=lambda texts: (min(map(len, texts)), -len(texts)))
