"""The notice of a cancel as the engine writes it, and how the time that it leaves is spread."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openjd.adaptor_runtime._cancel_info import (
    BUDGET,
    LONGEST,
    Notices,
    parse_time,
    read_stamp,
)
from openjd.adaptor_runtime._session import Phases

seconds = st.floats(0, LONGEST)
nows = st.floats(0, 1e8)


@pytest.fixture
def folder(private_place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The session's working directory."""
    monkeypatch.setenv("OPENJD_SESSION_WORKING_DIR", str(private_place))
    return private_place


def write(folder: Path, data: bytes) -> Path:
    """Writes cancel_info.json."""
    path = folder / "cancel_info.json"
    path.write_bytes(data)
    return path


def notify_end(folder: Path, left: float) -> None:
    """Writes it as an engine does, for an end so many seconds from now."""
    end = datetime.now(timezone.utc) + timedelta(seconds=left)
    write(folder, json.dumps({"NotifyEnd": end.isoformat()}).encode())


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1)),
    st.integers(-23 * 60, 23 * 60),
    st.sampled_from("Tt "),
    st.sampled_from([":", ""]),
    st.integers(0, 9),
)
def test_times(naive: datetime, minutes: int, between: str, colon: str, digits: int) -> None:
    """Any date and time with a zone is that moment; fractions have any number of digits."""
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    fraction = f".{moment.microsecond:06d}000"[: digits + 1] if digits else ""
    sign, ahead = "-" if minutes < 0 else "+", abs(minutes)
    text = f"{naive:%Y-%m-%d}{between}{naive:%H:%M:%S}{fraction}"
    zone = f"{sign}{ahead // 60:02d}{colon}{ahead % 60:02d}"
    whole = moment.replace(microsecond=0).timestamp()
    assert parse_time(text + zone) == pytest.approx(
        whole + float("0" + (fraction or ".0")), abs=1e-6
    )
    if minutes == 0:
        assert parse_time(text + "Z") == parse_time(text + zone)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2026-01-31",
        "2026-01-31T12:00:00",  # in which zone?
        "2026-02-31T12:00:00Z",
        "2026-01-31T25:00:00Z",
        "2026-01-31T12:00:00+99:00",
        "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00Z and more",
        "\u0662026-01-31T12:00:00Z",
    ],
)
def test_what_is_no_time(text: str) -> None:
    """Is refused."""
    with pytest.raises(ValueError, match=r"no date and time|must be in|out of range|strictly"):
        parse_time(text)


NOW = time.monotonic()
GOOD = '{"NotifyEnd": "2026-01-31T12:00:00Z"}'


def test_a_good_file(folder: Path) -> None:
    """The time that it says."""
    write(folder, GOOD.encode())
    expected = datetime(2026, 1, 31, 12, tzinfo=timezone.utc).timestamp()
    assert read_stamp(time.monotonic()) == expected
    write(folder, GOOD.encode("utf-8-sig"))
    assert read_stamp(time.monotonic()) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"17",
        b'"NotifyEnd"',
        b"\xff\xfe\x00",
        b"{}",
        b'{"NotifyEnd": null}',
        b'{"NotifyEnd": 1769860800}',
        b'{"NotifyEnd": ["2026-01-31T12:00:00Z"]}',
        b'{"NotifyEnd": "2026-01-31T12:00:00"}',
        b"[" * 60_000,
        b"1" * 60_000,
        GOOD.encode() + b" " * 70_000,
    ],
    ids=lambda data: repr(data[:40]),
)
def test_a_file_that_says_nothing(folder: Path, data: bytes) -> None:
    """Is as good as none, whatever is in it."""
    write(folder, data)
    assert read_stamp(time.monotonic()) is None


@given(st.binary(max_size=200))
def test_any_file(folder: Path, data: bytes) -> None:
    """Nothing in the file fails the command."""
    write(folder, data)
    read_stamp(time.monotonic())


def test_no_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file, a folder in its place, no session: all the same."""
    assert read_stamp(NOW) is None
    (folder / "cancel_info.json").mkdir()
    assert read_stamp(NOW) is None
    monkeypatch.setenv("OPENJD_SESSION_WORKING_DIR", str(folder / "gone"))
    assert read_stamp(NOW) is None
    monkeypatch.delenv("OPENJD_SESSION_WORKING_DIR")
    assert read_stamp(NOW) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes of POSIX")
def test_a_pipe_in_its_place(folder: Path) -> None:
    """Is not waited for."""
    os.mkfifo(folder / "cancel_info.json")
    assert read_stamp(NOW) is None


def test_a_file_of_100_megabytes(folder: Path) -> None:
    """Is not read."""
    path = write(folder, GOOD.encode())
    os.truncate(path, 100_000_000)
    assert read_stamp(time.monotonic()) is None


def test_a_stale_file(folder: Path) -> None:
    """What was written before the command began was meant for another."""
    path = write(folder, GOOD.encode())
    assert read_stamp(time.monotonic()) is not None
    earlier = time.time() - 10
    os.utime(path, (earlier, earlier))
    assert read_stamp(time.monotonic()) is None
    # For a command that began before, it is not.
    assert read_stamp(time.monotonic() - 20) is not None


def test_notices(folder: Path) -> None:
    """Only an earlier end is another notice, where the end is known."""
    notices = Notices(time.monotonic())
    notify_end(folder, 100)
    first = notices.take()
    assert first is not None and not first.hurry
    assert first.seconds == pytest.approx(100, abs=30)
    assert str(first).startswith("Interruption signal received, ")
    end = notices.end
    assert end is not None and notices.answer_by is not None
    assert notices.answer_by < end
    assert notices.take() is None  # the same, sent to the group as well
    notify_end(folder, 300)
    assert notices.take() is None
    assert notices.end == end
    notify_end(folder, 50)
    nearer = notices.take()
    assert nearer is not None and not nearer.hurry and nearer.seconds is not None
    assert nearer.seconds <= 50
    assert notices.end < end
    end = notices.end
    # Read in the moment in which it is written anew.
    write(folder, b"")
    assert notices.take() is None
    assert notices.end == end


def test_notices_without_an_end(folder: Path) -> None:
    """The second signal hurries; an end that comes to be known counts from then on."""
    notices = Notices(time.monotonic())
    first, second = notices.take(), notices.take()
    assert first is not None and not first.hurry
    assert second is not None and second.hurry
    assert notices.answer_by is None
    notify_end(folder, 20)
    third = notices.take()
    assert third is not None and not third.hurry and third.seconds is not None


@pytest.mark.parametrize(("left", "seconds"), [(-1000, 0), (-1, 0), (100_000, LONGEST)])
def test_ends_beyond_reason(folder: Path, left: float, seconds: float) -> None:
    """The end is taken to be now at the earliest, and ten minutes from now at the latest."""
    notices = Notices(time.monotonic())
    notify_end(folder, left)
    notice = notices.take()
    assert notice is not None
    assert notice.seconds == seconds


@given(nows, seconds)
def test_phases(now: float, seconds: float) -> None:
    """In order, none in the past, and over before the end; the first steps get the most time."""
    phases = Phases.spread(now, seconds)
    left = max(seconds, 1)
    assert now <= phases.terminate <= phases.kill <= phases.give_up <= now + left
    slack = 1e-6 * now + 1e-9
    assert now + left - phases.give_up >= min(2, 0.2 * left) - slack
    assert phases.give_up - phases.kill >= min(5, 0.2 * left) - slack
    assert phases.kill - now >= 0.6 * left - slack
    assert phases.kill - now >= left - 7 - slack


@given(nows, seconds, st.floats(0, 100), seconds)
def test_phases_only_come_nearer(now: float, first: float, later: float, second: float) -> None:
    """Whatever a second notice says, nothing happens later than after the first."""
    before = Phases.spread(now, first)
    for other in (Phases.spread(now + later, second), Phases.hurried(now + later)):
        after = before.nearer(other)
        assert all(a <= b for a, b in zip(after, before))
        assert after.terminate <= after.kill <= after.give_up
        assert after == other.nearer(before)


def test_the_default() -> None:
    """Where nobody says how long: what the documentation says."""
    assert Phases.spread(0, BUDGET) == pytest.approx((10.8, 18, 23))
