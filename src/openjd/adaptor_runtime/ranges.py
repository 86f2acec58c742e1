"""IntRange: the range expressions that the chunks of a step arrive as."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from operator import index
from typing import Any, overload

__all__ = ["IntRange"]

# Whatever is within this fits into 64 bits, and so does the number of values of any range.
_DIGITS = 18
_BOUND = 10**_DIGITS
# One token at a time, and nothing that can match in two ways: hostile text costs linear time.
_TOKEN = re.compile(r"\s*([0-9]+|[-,:])")
# How much of a text is shown on each side of what is wrong in it.
_AROUND = 40


class IntRange(Sequence[int]):
    """Integers in increasing order, such as ``1-10:2,15``. Immutable and hashable.

    A sequence that is never expanded: ``1-1000000000`` costs no more than ``1-2``. Two ranges are
    equal if they have the same values, however they were written. A slice is a range as well.
    ``IntRange()``, and what has no values otherwise, is empty; a text never is.

    Numbers have at most 18 digits.
    """

    __slots__ = ("_pieces", "_firsts", "_offsets", "_length")

    def __init__(self) -> None:
        self._set(())

    @classmethod
    def parse(cls, text: str) -> IntRange:
        """The range that `text` says: ``n``, ``a-b`` and ``a-b:step``, with commas between them.

        The values must increase, so that none overlap. There may be white space around each
        number and sign. A chunk of one value may be ``5-5`` or ``5``. What is beyond the last
        value that the steps reach is no part of the range: ``1-10:2`` ends at 9.

        Raises:
            TypeError: `text` is no string.
            ValueError: it is no range; the message says in one line where, and what is expected.
        """
        if not isinstance(text, str):
            raise TypeError(
                f"a range is a string such as '1-10:2,15', not of type {type(text).__name__}; "
                "in YAML, write it in quotes"
            )
        return cls._of_pieces(_parse(text))

    @classmethod
    def of(cls, values: Iterable[int]) -> IntRange:
        """The range of `values`, in any order; each counts once however often it is there.

        Raises:
            TypeError: one of them is no integer.
            ValueError: one of them has more than 18 digits.
        """
        if isinstance(values, IntRange):
            return values
        if isinstance(values, range):
            pieces = [values if values.step > 0 else values[::-1]]
            pieces = [piece for piece in pieces if piece]
        else:
            numbers = sorted({index(value) for value in values})
            pieces = [range(number, number + 1) for number in numbers]
        if pieces and not (pieces[0][0] > -_BOUND and pieces[-1][-1] < _BOUND):
            raise ValueError(f"a number with more than {_DIGITS} digits cannot be in a range")
        return cls._of_pieces(pieces)

    @classmethod
    def _of_pieces(cls, pieces: Iterable[range]) -> IntRange:
        made = cls.__new__(cls)
        made._set(tuple(_canonical(pieces)))
        return made

    def _set(self, pieces: tuple[range, ...]) -> None:
        self._pieces = pieces
        self._firsts = [piece.start for piece in pieces]
        self._offsets: list[int] = []
        self._length = 0
        for piece in pieces:
            self._offsets.append(self._length)
            self._length += _size(piece)

    @property
    def first(self) -> int:
        """The least value. Raises IndexError if the range is empty."""
        return self[0]

    @property
    def last(self) -> int:
        """The greatest value. Raises IndexError if the range is empty."""
        return self[-1]

    def contiguous_blocks(self) -> Iterator[tuple[int, int]]:
        """Yields the first and the last number of each run of consecutive integers, in order.

        For applications that take a start and an end: ``1-3,4-6,9`` is (1, 6), (9, 9), and
        ``1-5:2`` is (1, 1), (3, 3), (5, 5).
        """
        current: tuple[int, int] | None = None
        for piece in self._pieces:
            whole = piece.step == 1
            parts = [(piece[0], piece[-1])] if whole else ((value, value) for value in piece)
            for first, last in parts:
                if current is None:
                    current = first, last
                elif first == current[1] + 1:
                    current = current[0], last
                else:
                    yield current
                    current = first, last
        if current is not None:
            yield current

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Where `value` is. Raises ValueError if it is not there, or not in [start:stop]."""
        found = self._find(value)
        if found is None or found not in range(*slice(start, stop).indices(self._length)):
            raise ValueError(f"{value!r} is not in the range")
        return found

    def count(self, value: Any) -> int:
        """1 if `value` is in the range, otherwise 0. How many values there are is ``len()``."""
        return int(value in self)

    def _find(self, value: object) -> int | None:
        try:
            number = index(value)  # type: ignore[arg-type]
        except TypeError:
            return None
        at = bisect_right(self._firsts, number) - 1
        if at < 0 or number > self._pieces[at][-1]:
            return None
        steps, beside = divmod(number - self._firsts[at], self._pieces[at].step)
        return None if beside else self._offsets[at] + steps

    def __contains__(self, value: object) -> bool:
        return self._find(value) is not None

    def __iter__(self) -> Iterator[int]:
        for piece in self._pieces:
            yield from piece

    def __reversed__(self) -> Iterator[int]:
        for piece in reversed(self._pieces):
            yield from reversed(piece)

    def __len__(self) -> int:
        return self._length

    def __bool__(self) -> bool:
        return bool(self._pieces)

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> IntRange: ...
    def __getitem__(self, at: int | slice) -> int | IntRange:
        if isinstance(at, slice):
            return self._of_pieces(self._sliced(*at.indices(self._length)))
        position = index(at)
        if position < 0:
            position += self._length
        if not 0 <= position < self._length:
            raise IndexError(f"index out of bounds: the range has {self._length} values")
        which = bisect_right(self._offsets, position) - 1
        return self._pieces[which][position - self._offsets[which]]

    def _sliced(self, start: int, stop: int, step: int) -> Iterator[range]:
        if step < 0:
            raise ValueError("a slice of a range cannot go backwards; use reversed()")
        for offset, piece in zip(self._offsets, self._pieces):
            low = max(start, offset)
            low += (start - low) % step
            high = min(stop, offset + _size(piece))
            if low < high:
                yield piece[low - offset : high - offset : step]

    def __eq__(self, other: object) -> bool:
        return self._pieces == other._pieces if isinstance(other, IntRange) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._pieces)

    def __str__(self) -> str:
        """The range as `parse` takes it: the same for equal ranges; empty if the range is."""
        return ",".join(map(_text, self._pieces))

    def __repr__(self) -> str:
        return f"IntRange.parse({str(self)!r})" if self else "IntRange()"


def _size(piece: range) -> int:
    """``len()``, which some systems limit to 31 bits."""
    return (piece.stop - piece.start + piece.step - 1) // piece.step


def _text(piece: range) -> str:
    if _size(piece) == 1:
        return str(piece[0])
    step = "" if piece.step == 1 else f":{piece.step}"
    return f"{piece[0]}-{piece[-1]}{step}"


def _canonical(pieces: Iterable[range]) -> Iterator[range]:
    """The values of `pieces`, which increase, in pieces that depend on the values alone.

    As if the values came one by one: each joins the piece before it if it continues its step. A
    piece of two values is not worth it: its second value may begin a longer one.
    """
    start = last = step = count = 0
    for piece in pieces:
        size = _size(piece)
        # After three values the piece at hand has the step of these; the others only continue it.
        for value in piece[:3]:
            if count == 0:
                start, count = value, 1
            elif count == 1:
                step, count = value - start, 2
            elif value == last + step:
                count += 1
            elif count == 2:
                yield range(start, start + 1)
                start, step = last, value - last
            else:
                yield range(start, last + 1, step)
                start, count = value, 1
            last = value
        if size > 3:
            last, count = piece[-1], count + size - 3
    if count == 2:
        yield range(start, start + 1)
        start, count = last, 1
    if count:
        yield range(start, last + 1, step if count > 1 else 1)


def _parse(text: str) -> Iterator[range]:
    """The pieces of `text` as they are written. Raises ValueError."""
    scanner = _Scanner(text)
    last: int | None = None
    while True:
        begin = scanner.start
        start = scanner.number()
        end, step, expected = start, 1, "',' or '-'"
        if scanner.take("-"):
            at = scanner.start
            end, expected = scanner.number(), "',' or ':'"
            if scanner.take(":"):
                at = scanner.start
                step, expected = scanner.number(), "','"
            if step == 0:
                raise scanner.error(at, "a step of 0, where 1 or more is expected")
            steps = (end - start) // step
            if steps < 0 and step > 0:
                at = begin
                raise scanner.error(at, f"it ends at {end}, before it starts; values must increase")
            if steps < 0:
                raise scanner.error(at, f"a step of {step} does not lead from {start} to {end}")
            if steps > 0 and step < 0:
                upwards = _text(range(start + steps * step, start + 1, -step))
                raise scanner.error(
                    at, f"with a step of {step} values decrease; {upwards} is expected"
                )
            end, step = start + steps * step, abs(step)
        if last is not None and start <= last:
            raise scanner.error(
                begin, f"{start} comes after {last}; values must increase and not overlap"
            )
        yield range(start, end + 1, step)
        last = end
        if scanner.at_end:
            return
        if not scanner.take(","):
            raise scanner.error(scanner.start, f"{expected} is expected, not {scanner.found}")


class _Scanner:
    """The tokens of a text: runs of digits, and the three signs."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._end = len(text.rstrip())
        self._next = 0
        self._advance()

    def _advance(self) -> None:
        match = _TOKEN.match(self._text, self._next, self._end)
        if match is not None:
            self.token, self.start, self._next = match[1], match.start(1), match.end()
        else:
            # The end, or what is no token.
            rest = self._end - len(self._text[self._next : self._end].lstrip())
            self.token, self.start = "", rest

    @property
    def at_end(self) -> bool:
        return self.start >= self._end

    @property
    def found(self) -> str:
        return "the end of the text" if self.at_end else repr(self._text[self.start])

    def take(self, sign: str) -> bool:
        """Whether `sign` is next; if so, goes on behind it."""
        if self.token != sign:
            return False
        self._advance()
        return True

    def number(self) -> int:
        negative = self.take("-")
        if not self.token.isdigit():
            raise self.error(self.start, f"a number is expected, not {self.found}")
        # int() takes quadratic time for many digits, and refuses more than some thousands.
        digits = self.token.lstrip("0")
        if len(digits) > _DIGITS:
            raise self.error(
                self.start, f"a number of {len(digits)} digits, where at most {_DIGITS} are allowed"
            )
        self._advance()
        value = int(digits or "0")
        return -value if negative else value

    def error(self, at: int, what: str) -> ValueError:
        low, high = max(0, at - _AROUND), at + _AROUND
        dots = ("..." if low else "", "..." if high < len(self._text) else "")
        shown = dots[0] + self._text[low:high] + dots[1]
        return ValueError(f"the range {shown!r} is not valid at column {at + 1}: {what}")
