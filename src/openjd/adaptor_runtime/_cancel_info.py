"""The notice of a cancel: how much time the engine leaves, which cancel_info.json says.

See the specification, "Cancelation". Loaded only once a signal has come: frontends are short.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False  # typing itself costs a frontend more than this module
if TYPE_CHECKING:
    from typing import Any

#: What a cancel may take where nobody says how long (seconds).
BUDGET = 25.0
#: Less than that is taken for that: nothing can be asked, ended and answered in less (seconds).
LEAST = 1.0
#: The longest that an engine may leave (seconds).
LONGEST = 600.0

VARIABLE = "OPENJD_SESSION_WORKING_DIR"
FILE = "cancel_info.json"

# The file has one short line; what somebody else has put in its place is not read (bytes).
_MOST = 64 * 1024
# By how much a file may seem older than it is: some file systems count in steps of two seconds,
# and the command whose start it is compared with took a moment to begin.
_COARSE = 2.0
# The time between the limit for an answer and the engine's kill (seconds at most, and share): a
# daemon that has not answered must be ended in it.
_MARGIN, _MARGIN_SHARE = 1.0, 0.1


class Notice:
    """What one signal asks for."""

    def __init__(self, hurry: bool, seconds: float | None) -> None:
        #: Whether all is to be ended at once.
        self.hurry = hurry
        #: The seconds until the engine kills, where it says so.
        self.seconds = seconds

    def __str__(self) -> str:
        text = "Interruption signal received"
        if self.seconds is not None:
            return f"{text}, {self.seconds:.0f} seconds left"
        return f"{text}, hurrying" if self.hurry else text


class Notices:
    """The notices that a command gets, one with each signal.

    Args:
        began: when the command did (a time of ``time.monotonic``): what was written before that
            was meant for another.
    """

    def __init__(self, began: float) -> None:
        self._began = began
        self._count = 0
        self._stamp: float | None = None
        #: When the engine kills (a time of ``time.monotonic``), where it says so.
        self.end: float | None = None
        #: By when whoever was asked must have answered, where `end` is known.
        self.answer_by: float | None = None

    def take(self) -> Notice | None:
        """To be called for each signal; None where it says nothing new.

        Engines send the same notice to a process and to its group. Where they say how long they
        wait, only an earlier end is another notice; where they do not, a second signal hurries.
        """
        self._count += 1
        stamp = read_stamp(self._began)
        if stamp is None:
            # An end that was told holds, also while its file is just being written anew.
            return Notice(self._count > 1, None) if self.end is None else None
        # From here on the wall clock may change as it likes.
        now = time.monotonic()
        seconds = min(max(stamp - time.time(), 0.0), LONGEST)
        if self.end is not None and (stamp == self._stamp or now + seconds >= self.end):
            return None
        self._stamp = stamp
        self.end = now + seconds
        usable = max(seconds, LEAST)
        self.answer_by = now + usable - min(_MARGIN, _MARGIN_SHARE * usable)
        return Notice(False, seconds)


def read_stamp(began: float) -> float | None:
    """NotifyEnd, as a time of ``time.time``; None where the engine does not say.

    Args:
        began: see ``Notices``.
    """
    folder = os.environ.get(VARIABLE)
    if not folder:
        return None
    import json

    try:
        data = _read(os.path.join(folder, FILE), began)
        if data is None:
            return None
        info: Any = json.loads(data)
        return parse_time(info["NotifyEnd"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None


def _read(path: str, began: float) -> bytes | None:
    import stat

    # A pipe in its place must not be waited for.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    fd = os.open(path, flags)
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST:
            return None
        # Ages are compared, not times: the wall clock may have been set since the beginning.
        if time.time() - found.st_mtime > time.monotonic() - began + _COARSE:
            return None
        return os.read(fd, _MOST)
    finally:
        os.close(fd)


def parse_time(text: str) -> float:
    """A date and time with its zone (ISO 8601, RFC 3339), as a time of ``time.time``.

    Raises:
        ValueError: it is none.
        TypeError: it is no text.
    """
    import re
    from datetime import datetime, timedelta, timezone

    # Python before 3.11 reads neither Z nor just any number of digits.
    match = re.fullmatch(
        r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?"
        r"(?:[Zz]|([+-])(\d\d):?(\d\d))",
        text,
        re.ASCII,
    )
    if match is None:
        raise ValueError("this is no date and time with a zone")
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    fraction, sign, hours, minutes = match.groups()[6:]
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    zone = timezone(-offset if sign == "-" else offset)
    whole = datetime(year, month, day, hour, minute, second, tzinfo=zone)
    return whole.timestamp() + float(f"0.{fraction or 0}")
