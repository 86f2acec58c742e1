"""StreamLogger: lines of a text stream to loggers."""

from __future__ import annotations

import io
import logging
import os

from bounded import LIMIT

from openjd.adaptor_runtime.process import StreamLogger


class Lines(logging.Handler):
    """Keeps levels and messages."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.levelno, record.getMessage()))


def logger_with(handler: logging.Handler) -> logging.Logger:
    """A logger with that handler alone."""
    logger = logging.Logger("test", logging.DEBUG)
    logger.addHandler(handler)
    return logger


def test_each_line_to_each_logger() -> None:
    """Each line goes to each logger, at the level given, without its end."""
    first, second = Lines(), Lines()
    stream = io.StringIO("one\ntwo %s\n\nthree")
    thread = StreamLogger(
        stream=stream, loggers=[logger_with(first), logger_with(second)], level=logging.WARNING
    )
    thread.start()
    thread.join(LIMIT)
    assert not thread.is_alive()
    wanted = [(logging.WARNING, line) for line in ("one", "two %s", "", "three")]
    assert first.lines == second.lines == wanted


def test_info_by_default() -> None:
    """Without a level, lines are information."""
    lines = Lines()
    StreamLogger(stream=io.StringIO("a\n"), loggers=[logger_with(lines)]).run()
    assert lines.lines == [(logging.INFO, "a")]


def test_arguments_of_a_thread() -> None:
    """It is a thread, and takes a thread's arguments."""
    thread = StreamLogger(stream=io.StringIO(), loggers=[], name="reader", daemon=True)
    assert thread.name == "reader"
    assert thread.daemon


def test_a_pipe_to_its_end() -> None:
    """Lines are read from a pipe until its writers are gone."""
    lines = Lines()
    reading, writing = os.pipe()
    with open(reading, encoding="utf-8") as stream:
        thread = StreamLogger(stream=stream, loggers=[logger_with(lines)])
        thread.start()
        os.write(writing, b"one\n")
        os.write(writing, b"two\n")
        os.close(writing)
        thread.join(LIMIT)
        assert not thread.is_alive()
    assert [text for _, text in lines.lines] == ["one", "two"]


def test_a_closed_stream_has_ended() -> None:
    """A stream that is closed is an end, not an error."""
    stream = io.StringIO("a\n")
    stream.close()
    StreamLogger(stream=stream, loggers=[]).run()
