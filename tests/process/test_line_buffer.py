"""LineBuffer: bytes in any pieces, whole lines out; no process."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openjd.adaptor_runtime import _output
from openjd.adaptor_runtime._output import LINE_MARK
from openjd.adaptor_runtime.process import _pump
from openjd.adaptor_runtime.process._pump import LineBuffer

output = st.lists(
    st.binary(max_size=8)
    | st.text(max_size=8).map(lambda text: text.encode("utf-8", "replace"))
    | st.sampled_from([b"\n", b"\r", b"\r\n", b"\r\r\n", b"\n\r", b"\xe2\x82\xac", b"\xe2\x82"]),
    max_size=12,
).map(b"".join)


def lines_of(*pieces: bytes, encoding: str = "utf-8") -> str:
    """Everything that a buffer gives out for these pieces."""
    buffer = LineBuffer(encoding)
    blocks = [buffer.feed(piece) for piece in pieces]
    blocks.append(buffer.finish())
    assert all(block == "" or block[-1] == "\n" for block in blocks)
    return "".join(blocks)


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"a", ["a"]),
        (b"a\n", ["a"]),
        (b"a\nb", ["a", "b"]),
        (b"\n\na\n\n", ["", "", "a", ""]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"1%\r2%\r3%\n", ["1%", "2%", "3%"]),
        (b"1%\r2%\r", ["1%", "2%"]),
        (b"a\r\r\nb", ["a", "", "b"]),
        (b"a\n\rb", ["a", "", "b"]),
        (b"a\0b\n", ["a\0b"]),
        (b"caf\xe9\n\xff\xfe\n", ["caf\\xe9", "\\xff\\xfe"]),
        (b"\xe2\x82\n", ["\\xe2\\x82"]),
        (b"\xe2\x82", ["\\xe2\\x82"]),
        (b"a\x0bb\x0cc\xc2\x85d\xe2\x80\xa8e\n", ["a\x0bb\x0cc\x85d\u2028e"]),
    ],
)
def test_lines(data: bytes, lines: list[str]) -> None:
    r"""Lines end at ``\n``, ``\r\n`` and ``\r`` alone; what does not decode is escaped."""
    assert lines_of(data) == "".join(line + "\n" for line in lines)


def test_a_line_is_there_with_its_end() -> None:
    """A line is given out with its end, not with the next line's beginning."""
    buffer = LineBuffer("utf-8")
    assert buffer.feed(b"one\ntw") == "one\n"
    assert buffer.feed(b"o\n") == "two\n"
    assert buffer.feed(b"50%\r") == "50%\n"
    assert buffer.feed(b"\n") == ""
    assert buffer.feed(b"\n") == "\n"
    assert buffer.finish() == ""


@given(output, st.data())
@example(b"a\r\nb", None)
def test_any_pieces_give_the_same_lines(data: bytes, draw: st.DataObject | None) -> None:
    """However the bytes are cut into pieces, the lines are those of all of them at once."""
    whole = lines_of(data)
    assert lines_of(*[data[i : i + 1] for i in range(len(data))]) == whole
    if draw is not None:
        cuts = draw.draw(st.lists(st.integers(0, len(data)), max_size=6).map(sorted))
        assert lines_of(*[data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)])]) == whole


@given(output)
def test_lines_are_those_of_the_text(data: bytes) -> None:
    """The lines are those of the decoded text."""
    text = re.sub("\r\n|\r", "\n", data.decode("utf-8", "backslashreplace"))
    if text and text[-1] != "\n":
        text += "\n"
    assert lines_of(data) == text


@given(output, st.data())
def test_long_lines_in_any_pieces(data: bytes, draw: st.DataObject) -> None:
    """Lines over the limit are broken, the same wherever the bytes were cut; nothing is lost."""
    whole_text = lines_of(data)
    with pytest.MonkeyPatch.context() as patch:
        for module in (_pump, _output):
            patch.setattr(module, "LINE_LIMIT", 5)
        whole = lines_of(data)
        cuts = draw.draw(st.lists(st.integers(0, len(data)), max_size=6).map(sorted))
        pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)])]
        assert lines_of(*pieces) == whole
        assert lines_of(*[data[i : i + 1] for i in range(len(data))]) == whole
    assert whole.replace(LINE_MARK + "\n", "") == whole_text.replace(LINE_MARK + "\n", "")
    assert max(map(len, whole.split("\n"))) <= 5 + len(LINE_MARK)


def test_an_endless_line_costs_no_memory() -> None:
    """What is kept of a line without end is less than the limit, however much comes."""
    buffer = LineBuffer("utf-8")
    size = 0
    for _ in range(100):
        size += buffer.feed(b"x" * 100_000).count("x")
        assert len(buffer._rest) <= _pump.LINE_LIMIT
    assert size + buffer.finish().count("x") == 10_000_000


def test_broken_lines_fit_into_what_engines_take() -> None:
    """With its mark, and a prefix before it, a piece stays within 64,000 characters."""
    assert max(map(len, lines_of(b"x" * 1_000_000).split("\n"))) <= 63_900


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le", "cp932"])
def test_other_encodings(encoding: str) -> None:
    """Any encoding of Python's works, also one whose newline is two bytes."""
    data = "erste\r\nzweite\n".encode(encoding)
    for size in (1, 3, 100):
        pieces = [data[i : i + size] for i in range(0, len(data), size)]
        assert lines_of(*pieces, encoding=encoding) == "erste\nzweite\n"
