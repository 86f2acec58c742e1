"""The times in front of lines: of ``openjd run``, of ``ts``, of log collectors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class Form(NamedTuple):
    """A way to write times.

    Attributes:
        regex: the time and what separates it from the line.
        seconds: the time of a match in seconds; None if it is no time.
        dated: whether it is since the Unix epoch.
    """

    regex: re.Pattern[str]
    seconds: Callable[[re.Match[str]], float | None]
    dated: bool


def _since_start(match: re.Match[str]) -> float:
    days, hours, minutes, seconds = match.groups()
    return int(days or 0) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _date(match: re.Match[str]) -> float | None:
    day, slash, clock, fraction, zone = match.groups()
    # What Python 3.9 can read: six digits of a fraction, a zone with a colon.
    text = f"{day.replace(slash, '-')}T{clock}.{(fraction or '0')[:6]:0<6}"
    if zone and zone != "Z":
        text += zone if ":" in zone else f"{zone[:3]}:{zone[3:] or '00'}"
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            # It says nothing of a zone: shown as it was written, if that of UTC is shown.
            moment = moment.replace(tzinfo=timezone.utc)
        return moment.timestamp()
    except (ValueError, OverflowError):
        return None


def date_of(text: str) -> float | None:
    """The moment of a date as ISO 8601 writes it; None if the text is none."""
    match = _FORMS[1].regex.match(text)
    return _date(match) if match is not None else None


def _of_ts(match: re.Match[str]) -> float | None:
    month, day, clock = match.groups()
    hours, minutes, seconds = clock.split(":")
    try:
        # The year is not written; a leap year has all days.
        start = datetime(2024, _MONTHS.index(month) + 1, int(day), tzinfo=timezone.utc)
        at = start + timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))
    except (ValueError, OverflowError):
        return None
    return at.timestamp()


_FORMS = (
    Form(re.compile(r"(?:(\d+) days?, )?(\d+):(\d\d):(\d\d(?:\.\d+)?)[\t ]"), _since_start, False),
    Form(
        re.compile(
            r"\[?(\d{4}([-/])\d\d\2\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d+))?"
            r" ?(Z|[+-]\d\d:?(?:\d\d)?)?\]?:?(?:[\t ]|$)"
        ),
        _date,
        True,
    ),
    Form(
        re.compile(r"([A-Z][a-z][a-z]) {1,2}(\d{1,2}) (\d\d:\d\d:\d\d(?:\.\d+)?)[\t ]"),
        _of_ts,
        False,
    ),
    Form(re.compile(r"(1\d{9}(?:\.\d+)?)[\t ]"), lambda match: float(match[1]), True),
)


def form_of(lines: Iterable[str]) -> Form | None:
    """The form of the times in front of these lines; None if they have none."""
    lines = [line for line in lines if line.strip()]
    best: tuple[int, Form] | None = None
    for form in _FORMS:
        count = 0
        for line in lines:
            match = form.regex.match(line)
            count += match is not None and form.seconds(match) is not None
        if count and (best is None or count > best[0]):
            best = (count, form)
    # The lines of a script that an engine shows have none, so not all of them need have.
    return best[1] if best is not None and best[0] * 3 >= len(lines) else None
