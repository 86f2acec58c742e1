"""Long lines on their way to the session: broken, but never into what they were not."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openjd.adaptor_runtime import _output
from openjd.adaptor_runtime._output import LINE_MARK, Output
from openjd.adaptor_runtime.process import _pump
from openjd.adaptor_runtime.process._pump import LineBuffer

PREFIX = "ADAPTOR_OUTPUT: STDOUT: "
MESSAGE = re.compile("openjd_(progress|status|fail): ")
SMALL = 60

word = st.sampled_from(["openjd_env: A=b", "openjd_progress: 5", "openjd_fail: no", "x", "yy "])
line = st.lists(word | st.integers(1, 2 * SMALL).map("x".__mul__), max_size=5).map("".join)


def shown(*blocks: str) -> list[str]:
    """The lines that a session shows of blocks that an application printed."""
    parts: list[str] = []
    output = Output(parts.append, prefix="ADAPTOR_OUTPUT: ")
    for block in blocks:
        if block:
            output.log("STDOUT", block)
    text = "".join(parts)
    assert text == "" or text[-1] == "\n"
    return text.split("\n")[:-1]


def check(lines: list[str], seen: list[str]) -> None:
    """Every line of `lines` is in `seen`, in pieces, with its prefix or as a message."""
    rest = iter(seen)
    for whole in lines:
        piece = next(rest)
        message = MESSAGE.match(whole) is not None
        text = ""
        while True:
            if not (message and not text and not piece.startswith(PREFIX)):
                assert piece.startswith(PREFIX), piece
                piece = piece[len(PREFIX) :]
            if piece.endswith(LINE_MARK):
                text += piece[: -len(LINE_MARK)]
                piece = next(rest)
            else:
                break
        assert text + piece == whole
    assert list(rest) == []


@given(st.lists(line, min_size=1, max_size=4), st.data())
@example(["x" * SMALL + "openjd_env: A=b"], None)
@example(["x" * (SMALL - len(PREFIX)) + "openjd_env: A=b"], None)
@example(["x" * SMALL + "openjd_fail: no"], None)
@example(["x" * (SMALL - len(PREFIX)) + "openjd_fail: no"], None)
def test_pieces_have_the_prefix(lines: list[str], draw: st.DataObject | None) -> None:
    """Wherever a line is broken, no piece of it stands at the start of a line by itself."""
    data = "".join(text + "\n" for text in lines).encode()
    cuts = [] if draw is None else draw.draw(st.lists(st.integers(0, len(data)), max_size=4))
    with pytest.MonkeyPatch.context() as patch:
        for module in (_pump, _output):
            patch.setattr(module, "LINE_LIMIT", SMALL)
        buffer = LineBuffer("utf-8")
        ends = [*sorted(cuts), len(data)]
        blocks = [buffer.feed(data[a:b]) for a, b in zip([0, *ends], ends)]
        seen = shown(*blocks, buffer.finish())
    check(lines, seen)
    assert max(map(len, seen)) <= SMALL + len(PREFIX) + len(LINE_MARK)


@pytest.mark.parametrize("length", [62_990, 63_000, 63_001, 126_000, 500_000])
def test_real_lengths(length: int) -> None:
    """Around the real limit each line is whole again once its pieces are put together."""
    text = ("openjd_env: A=b " * (length // 16 + 1))[:length]
    buffer = LineBuffer("utf-8")
    seen = shown(buffer.feed(text.encode() + b"\nafter\n"), buffer.finish())
    check([text, "after"], seen)
    assert max(map(len, seen)) <= 64_000
