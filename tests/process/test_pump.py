"""The pump by itself, on a real pipe that somebody holds open."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from bounded import LIMIT, Task

from openjd.adaptor_runtime.process import _pump
from openjd.adaptor_runtime.process._pump import Pump

#: More than it takes to read all that is there, but for a reader that gets its turn late.
SECONDS = 0.2
LINES = [f"line {n}\n" for n in range(200)]


@pytest.fixture
def pipe() -> Iterator[tuple[int, list[str], Pump]]:
    """What is written, what of it is delivered, and the pump between."""
    reader, writer = os.pipe()
    delivered: list[str] = []
    pump = Pump(os.fdopen(reader, "rb", buffering=0), "utf-8", delivered.append, print, "pump")
    yield writer, delivered, pump
    os.close(writer)
    pump.join()


def test_a_reader_that_gets_its_turn_late(
    pipe: tuple[int, list[str], Pump], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was in the pipe when the drain began is delivered, however long the reading takes.

    Time in which there is something to read is not time in which nothing came.
    """
    writer, delivered, pump = pipe
    late = threading.Event()

    def slow(fd: int, size: int) -> bytes:
        late.wait(SECONDS / 4)
        return os.read(fd, 200)

    monkeypatch.setattr(_pump, "os", SimpleNamespace(read=slow))
    os.write(writer, "".join(LINES).encode())
    pump.start()
    pump.drain(pump.end_of_drain(SECONDS))
    assert "".join(delivered) == "".join(LINES)
    late.set()


def test_a_handler_that_takes_long() -> None:
    """Nor is the time that the handling of what came takes, until it is done."""
    delivered: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def handle(block: str) -> None:
        begun.set()
        assert go_on.wait(SECONDS * 2) is False
        delivered.append(block)

    reader, held = os.pipe()
    pump = Pump(os.fdopen(reader, "rb", buffering=0), "utf-8", handle, print, "pump")
    pump.start()
    os.write(held, b"line\n")
    assert begun.wait(10)
    pump.drain(pump.end_of_drain(SECONDS))
    assert delivered == ["line\n"]
    os.close(held)
    pump.join()


def test_a_pipe_that_is_held_open(pipe: tuple[int, list[str], Pump]) -> None:
    """Nothing comes any more: the drain ends, though the pipe does not."""
    writer, delivered, pump = pipe
    os.write(writer, b"line\n")
    pump.start()
    pump.drain(pump.end_of_drain(SECONDS))
    assert delivered == ["line\n"]
    assert pump.is_alive()


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe that takes what it has room for")
def test_a_full_pipe_and_a_read_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that was written before the drain began is handled, though it is more than a pipe holds.

    A read that is under way has made room for as much again, and has not counted it yet.
    """
    reader, writer = os.pipe()
    delivered: list[str] = []
    taken, go_on, never = threading.Event(), threading.Event(), threading.Event()

    def handle(block: str) -> None:
        never.wait(SECONDS / 4)
        delivered.append(block)

    def read(fd: int, size: int) -> bytes:
        data = os.read(fd, size)
        if size > _pump.SMALL_READ_SIZE and not taken.is_set():
            taken.set()
            assert go_on.wait(LIMIT)
        return data

    monkeypatch.setattr(_pump, "os", SimpleNamespace(read=read))
    pump = Pump(os.fdopen(reader, "rb", buffering=0), "utf-8", handle, print, "pump")
    pump.start()
    line = b"x" * 99 + b"\n"
    written = 0
    # Never a write that waits: the reader waits for this thread.
    os.set_blocking(writer, False)
    while True:
        full = taken.is_set()
        try:
            written += os.write(writer, line * 5)
        except BlockingIOError:
            if full:
                break
            assert taken.wait(LIMIT)
    end = pump.end_of_drain(0.0)
    assert end.time <= time.monotonic()
    drain = Task(pump.drain, end)
    go_on.set()
    drain.result()
    assert sum(map(len, delivered)) // len(line) == written // len(line)
    os.close(writer)
    pump.join()


def test_what_comes_without_end() -> None:
    """A drain of a pipe that is never empty ends, but not before what was read is handled."""
    reader, writer = os.pipe()
    delivered: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def handle(block: str) -> None:
        begun.set()
        assert go_on.wait(LIMIT)
        delivered.append(block)

    pump = Pump(os.fdopen(reader, "rb", buffering=0), "utf-8", handle, print, "pump")
    pump.start()
    os.write(writer, b"line\n")
    assert begun.wait(LIMIT)
    # It has been read, and is more than this drain waits for; it is not handled.
    drain = Task(pump.drain, _pump.DrainEnd(idle=3600, time=time.monotonic(), handled=4))
    assert not drain.ended_within(SECONDS)
    assert delivered == []
    go_on.set()
    drain.result()
    assert delivered == ["line\n"]
    os.close(writer)
    pump.join()
