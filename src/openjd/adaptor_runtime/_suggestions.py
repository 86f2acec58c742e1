"""What somebody probably meant who wrote a name that is not known: "did you mean 'frame'?".

Imported once a mistake has been found: whoever makes none does not pay for it.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself costs a frontend more than this module
if TYPE_CHECKING:
    from collections.abc import Iterable

# To compare takes time that grows with the product of the lengths: nobody mistypes longer names,
# and hostile data has names of a megabyte.
_LONGEST = 100
# So many names at most are compared, or listed.
_MOST = 500
_MOST_LISTED = 20
# How much alike two names must be (0 to 1).
_ALIKE = 0.6


def closest(name: str, known: Iterable[str], alike: float = _ALIKE) -> str | None:
    """The one of the names that are known which `name` most probably stands for; None if none does.

    Args:
        name: what was written.
        known: what could have been.
        alike: how much they must be alike, 0 to 1.
    """
    from difflib import SequenceMatcher
    from itertools import islice

    if len(name) > _LONGEST:
        return None
    plain = _plain(name)
    best: tuple[float, str] | None = None
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(plain)
    for one in islice(known, _MOST):
        if len(one) > _LONGEST or one == name:
            continue
        matcher.set_seq1(_plain(one))
        if matcher.real_quick_ratio() < alike or matcher.quick_ratio() < alike:
            continue
        ratio = matcher.ratio()
        if ratio >= alike and (best is None or ratio > best[0]):
            best = (ratio, one)
    return best[1] if best else None


def suggestion(name: str, known: Iterable[str]) -> str:
    """What to say behind the word that a name is not known.

    Returns:
        "; did you mean 'frame'?", or "; there are ..." with the names that are known.
    """
    known = list(known)
    meant = closest(name, known)
    if meant is not None:
        return f"; did you mean {meant!r}?"
    return there_are(known)


def there_are(known: Iterable[str]) -> str:
    """The names that are known, as they may stand behind the word that one is not."""
    known = list(known)
    if not known:
        return "; there are none"
    more = f" and {len(known) - _MOST_LISTED} more" if len(known) > _MOST_LISTED else ""
    return f"; there are {', '.join(known[:_MOST_LISTED])}{more}"


def _plain(name: str) -> str:
    """A name without what people mix up: capitals, and the signs between words."""
    return name.casefold().replace("_", "-")
