"""IntRange: the grammar, the sequence, and agreement with openjd-model's own parser.

Where the two disagree, IntRange follows "Task chunking" of the specification, by which values
increase as they are written. openjd-model refuses nothing that IntRange takes, and takes besides

- items in any order, which it sorts: ``15,1-10``;
- a negative step with more than one value: ``10-1:-1``;
- numbers of more than 18 digits.

Both take adjacent ranges (``1-3,4-6``) and a negative step that reaches one value (``5-5:-1``), and
both refuse duplicates, overlapping values and interleaved ranges.
"""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Sequence
from itertools import islice
from typing import Any, Callable

import pytest
from bounded import LIMIT
from hypothesis import example, given
from hypothesis import strategies as st

from openjd.adaptor_runtime.adaptors import IntRange

try:
    from openjd.model import IntRangeExpr
except ImportError:
    IntRangeExpr = None  # type: ignore[assignment,misc]

NINES = 10**18 - 1


def values(text: str) -> list[int]:
    """What `text` says, expanded."""
    return list(IntRange.parse(text))


@pytest.mark.parametrize(
    ("text", "expected", "canonical"),
    [
        ("1", [1], "1"),
        ("0", [0], "0"),
        ("-0", [0], "0"),
        ("007", [7], "7"),
        ("0" * 10_000 + "7", [7], "7"),
        ("5-5", [5], "5"),
        ("1-3", [1, 2, 3], "1-3"),
        ("1-2", [1, 2], "1,2"),
        ("1-10:2", [1, 3, 5, 7, 9], "1-9:2"),
        ("1-10:2,15", [1, 3, 5, 7, 9, 15], "1-9:2,15"),
        ("1-10:4", [1, 5, 9], "1-9:4"),
        ("1-2:5", [1], "1"),
        ("5-5:7", [5], "5"),
        ("5-5:-1", [5], "5"),
        ("10-9:-5", [10], "10"),
        ("1-10:2,10", [1, 3, 5, 7, 9, 10], "1-9:2,10"),
        ("1-3,4-6", [1, 2, 3, 4, 5, 6], "1-6"),
        ("1,2,3,4", [1, 2, 3, 4], "1-4"),
        ("1,5,6,7", [1, 5, 6, 7], "1,5-7"),
        ("-1 - 1", [-1, 0, 1], "-1-1"),
        ("-3--1", [-3, -2, -1], "-3--1"),
        ("- 3 - - 1", [-3, -2, -1], "-3--1"),
        ("-5--1:2", [-5, -3, -1], "-5--1:2"),
        (" 1 - 5 : 2 , 8 ", [1, 3, 5, 8], "1-5:2,8"),
        ("\t1\t-\t3\n", [1, 2, 3], "1-3"),
        (f"{-NINES},{NINES}", [-NINES, NINES], f"{-NINES},{NINES}"),
    ],
)
def test_valid(text: str, expected: list[int], canonical: str) -> None:
    """A text of the grammar has just these values, and its canonical text says the same."""
    parsed = IntRange.parse(text)
    assert list(parsed) == expected
    assert str(parsed) == canonical
    assert IntRange.parse(canonical) == parsed


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        ("", 1, "a number is expected, not the end of the text"),
        ("  ", 1, "a number is expected, not the end of the text"),
        (",1", 1, "a number is expected, not ','"),
        ("1,", 3, "a number is expected, not the end of the text"),
        ("1,,2", 3, "a number is expected, not ','"),
        ("1-", 3, "a number is expected, not the end of the text"),
        ("1-5:", 5, "a number is expected, not the end of the text"),
        ("+1", 1, "a number is expected, not '+'"),
        ("--1", 2, "a number is expected, not '-'"),
        ("a", 1, "a number is expected, not 'a'"),
        ("\uff11", 1, "a number is expected, not '\uff11'"),
        ("\u0663", 1, "a number is expected, not '\u0663'"),
        ("1 2", 3, "',' or '-' is expected, not '2'"),
        ("1.0", 2, "',' or '-' is expected, not '.'"),
        ("1_0", 2, "',' or '-' is expected, not '_'"),
        ("1e3", 2, "',' or '-' is expected, not 'e'"),
        ("1:2", 2, "',' or '-' is expected, not ':'"),
        ("1-2-3", 4, "',' or ':' is expected, not '-'"),
        ("1-5:2:2", 6, "',' is expected, not ':'"),
        ("1-5:+2", 5, "a number is expected, not '+'"),
        ("1\x00", 2, "',' or '-' is expected, not '\\x00'"),
        ("1-10:0", 6, "a step of 0, where 1 or more is expected"),
        ("1-10:-0", 6, "a step of 0, where 1 or more is expected"),
        ("1-10:-1", 6, "a step of -1 does not lead from 1 to 10"),
        ("10-1", 1, "it ends at 1, before it starts; values must increase"),
        ("10-1:2", 1, "it ends at 1, before it starts; values must increase"),
        ("3,10-1:-3", 8, "with a step of -3 values decrease; 1-10:3 is expected"),
        ("1,1", 3, "1 comes after 1; values must increase and not overlap"),
        ("15,1-10", 4, "1 comes after 15; values must increase and not overlap"),
        ("1-3, 3-5", 6, "3 comes after 3; values must increase and not overlap"),
        ("1-10:2,2-10:2", 8, "2 comes after 9; values must increase and not overlap"),
        ("1-" + "9" * 19, 3, "a number of 19 digits, where at most 18 are allowed"),
        ("-" + "9" * 19, 2, "a number of 19 digits, where at most 18 are allowed"),
    ],
)
def test_invalid(text: str, column: int, what: str) -> None:
    """What is no range is refused in one line: the text, the column, what is wrong with it."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        IntRange.parse(text)
    assert str(caught.value) == f"the range {text!r} is not valid at column {column}: {what}"
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("value", [5, None, b"1-5", [1]])
def test_no_string(value: Any) -> None:
    """YAML reads an unquoted ``5`` as a number: the error says what to do."""
    with pytest.raises(TypeError, match=r"type (int|NoneType|bytes|list); .* in quotes$"):
        IntRange.parse(value)


MEGABYTES = 3_000_000


@pytest.mark.parametrize(
    "text",
    [
        "9" * MEGABYTES,
        "1-" + "9" * MEGABYTES,
        " " * MEGABYTES,
        "-" + " " * MEGABYTES,
        "1" + " " * MEGABYTES + "-" + " " * MEGABYTES + ";",
        "-" * MEGABYTES,
        "1," * (MEGABYTES // 2),
        ",".join(map(str, range(0, MEGABYTES // 10, 3))) + ",",
        "x" * MEGABYTES,
        "\n" * MEGABYTES + "\x1b",
    ],
    ids=range(10),
)
def test_hostile(text: str) -> None:
    """Megabytes are refused before this test's timeout, in a line that does not repeat them."""
    with pytest.raises(ValueError, match=r"^the range '.*' is not valid at column \d+: ") as caught:
        IntRange.parse(text)
    assert len(str(caught.value)) < 600
    assert len(str(caught.value).splitlines()) == 1


def test_long_texts() -> None:
    """A long text that is valid is read, however many items or white space it has."""
    items = list(range(0, MEGABYTES, 20))
    parsed = IntRange.parse(",".join(f"{item}-{item + item % 3}" for item in items))
    assert (parsed.first, parsed.last) == (0, items[-1] + items[-1] % 3)
    assert len(parsed) == sum(1 + item % 3 for item in items)
    assert values(" " * MEGABYTES + "1" + " " * MEGABYTES + ", 2" + " " * MEGABYTES) == [1, 2]
    assert values("1-" + "0" * MEGABYTES + "2") == [1, 2]


class TestLazy:
    """Nothing depends on how many values there are: expanded, these would fill any memory."""

    HUGE = IntRange.parse(f"{-NINES}-{NINES}")
    STEPS = IntRange.parse(f"{-NINES}-{NINES}:2")

    def test_length_and_ends(self) -> None:
        """The greatest range there is has a length, which fits into 64 bits."""
        assert self.HUGE.first == -NINES
        assert self.HUGE.last == NINES
        assert bool(self.HUGE)
        if sys.maxsize > 2**32:
            assert len(self.HUGE) == 2 * NINES + 1
            assert len(self.STEPS) == NINES + 1

    def test_membership(self) -> None:
        """A value is found, and a stranger is not, by its number alone."""
        assert 12345 in self.HUGE and NINES + 1 not in self.HUGE and -NINES - 1 not in self.HUGE
        assert 1 in self.STEPS and 2 not in self.STEPS
        assert self.HUGE.index(0) == NINES
        assert self.STEPS.count(2) == 0
        for stranger in (None, "1", 1.5, [1]):
            assert stranger not in self.HUGE

    def test_index_and_slice(self) -> None:
        """Positions and slices far inside are reached directly."""
        assert self.HUGE[NINES] == 0
        assert self.HUGE[-2] == NINES - 1
        assert str(self.HUGE[10::2]) == f"{10 - NINES}-{NINES}:2"
        assert list(self.STEPS[NINES : NINES + 1]) == [NINES]

    def test_iteration(self) -> None:
        """Iteration begins at once, from either end."""
        assert list(islice(self.HUGE, 2)) == [-NINES, 1 - NINES]
        assert list(islice(reversed(self.STEPS), 2)) == [NINES, NINES - 2]
        assert list(self.HUGE.contiguous_blocks()) == [(-NINES, NINES)]
        assert list(islice(self.STEPS.contiguous_blocks(), 2)) == [
            (-NINES, -NINES),
            (2 - NINES, 2 - NINES),
        ]

    def test_equality(self) -> None:
        """Large ranges are compared and hashed, and text is made of them."""
        assert IntRange.parse(f"{-NINES}-0,1-{NINES}") == self.HUGE
        assert hash(self.HUGE) == hash(IntRange.of(range(-NINES, NINES + 1)))
        assert self.HUGE != self.STEPS
        assert str(self.HUGE) == f"{-NINES}-{NINES}"


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("5", [(5, 5)]),
        ("1-10:2", [(1, 1), (3, 3), (5, 5), (7, 7), (9, 9)]),
        ("1-3,4-6", [(1, 6)]),
        ("1-3,5-6,8", [(1, 3), (5, 6), (8, 8)]),
        ("1-5:2,6-8", [(1, 1), (3, 3), (5, 8)]),
        ("-1,0,1-9:4", [(-1, 1), (5, 5), (9, 9)]),
    ],
)
def test_contiguous_blocks(text: str, blocks: list[tuple[int, int]]) -> None:
    """The blocks are the longest runs of consecutive integers, in order."""
    assert list(IntRange.parse(text).contiguous_blocks()) == blocks


class TestEmpty:
    """A slice may be empty, and so may what a range is made of; a text never is."""

    def test_empty(self) -> None:
        """An empty range is false, has no values and no ends, and its text is empty."""
        empty = IntRange()
        assert IntRange.of([]) == IntRange.of(range(5, 1)) == IntRange.parse("1-5")[5:] == empty
        assert not empty and len(empty) == 0 and list(empty) == list(reversed(empty)) == []
        assert (str(empty), repr(empty)) == ("", "IntRange()")
        assert list(empty.contiguous_blocks()) == [] and 0 not in empty

    @pytest.mark.parametrize("end", ["first", "last"])
    def test_no_ends(self, end: str) -> None:
        """Its ends are an IndexError."""
        with pytest.raises(IndexError, match="the range has 0"):
            getattr(IntRange(), end)


class TestOf:
    def test_any_order_and_duplicates(self) -> None:
        """Values may come in any order, from anything that yields them, and more than once."""
        assert str(IntRange.of(iter([15, 3, 1, 5, 9, 7, 7, 3]))) == "1-9:2,15"
        assert str(IntRange.of(range(10, 0, -1))) == "1-10"
        made = IntRange.parse("1-5")
        assert IntRange.of(made) is made

    @pytest.mark.parametrize("given_values", ["12", [1.0], [None], 5])
    def test_no_integers(self, given_values: Any) -> None:
        """What is no integer is a TypeError."""
        with pytest.raises(TypeError):
            IntRange.of(given_values)

    @pytest.mark.parametrize("number", [10**18, -(10**18), 10**5000], ids=["19", "-19", "5001"])
    @pytest.mark.parametrize("form", [lambda n: [0, n], lambda n: range(n, n + 1)], ids="lr")
    def test_too_large(self, number: int, form: Callable[[int], Any]) -> None:
        """What `parse` would not take cannot be in a range, since its text must parse."""
        with pytest.raises(ValueError, match="more than 18 digits"):
            IntRange.of(form(number))


class TestImmutable:
    def test_attributes(self) -> None:
        """Nothing can be set on a range, and it has no items to assign."""
        parsed: Any = IntRange.parse("1-5")
        for name in ("first", "last", "other"):
            with pytest.raises(AttributeError):
                setattr(parsed, name, 1)
        with pytest.raises(TypeError):
            parsed[0] = 1

    def test_copies(self) -> None:
        """A copy is equal, and so is what was pickled; a range is a key of a dictionary."""
        parsed = IntRange.parse("1-10:2,15")
        assert copy.copy(parsed) == copy.deepcopy(parsed) == pickle.loads(pickle.dumps(parsed))
        assert {parsed: 1}[IntRange.parse("1-7:2,9,15")] == 1
        assert eval(repr(parsed)) == parsed

    def test_other_types(self) -> None:
        """A range equals no other kind of sequence; it is one, all the same."""
        assert IntRange.parse("1-3") != [1, 2, 3]
        assert IntRange.parse("1-3") != range(1, 4)
        assert isinstance(IntRange(), Sequence)


numbers = st.sets(st.integers(-30, 30)) | st.sets(st.integers(-NINES, NINES), max_size=6)


@given(numbers, st.data())
def test_is_a_sequence(members: set[int], data: st.DataObject) -> None:
    """A range does what the sorted list of its values does, in every operation."""
    ordered, made = sorted(members), IntRange.of(members)
    assert list(made) == ordered
    assert list(reversed(made)) == ordered[::-1]
    assert len(made) == len(ordered)
    assert bool(made) == bool(ordered)
    for position, value in enumerate(ordered):
        assert made[position] == made[position - len(ordered)] == value
        assert made.index(value) == position
        assert value in made and made.count(value) == 1
        if value + 1 not in members:
            assert value + 1 not in made
    for outside in (len(ordered), -len(ordered) - 1, 10**5000):
        with pytest.raises(IndexError, match=f"the range has {len(ordered)} values"):
            made[outside]
    bounds = st.none() | st.integers(-70, 70)
    piece = slice(data.draw(bounds), data.draw(bounds), data.draw(st.none() | st.integers(1, 9)))
    assert list(made[piece]) == ordered[piece]
    assert made[piece] == IntRange.of(ordered[piece])
    if ordered:
        assert (made.first, made.last) == (ordered[0], ordered[-1])
        wanted = data.draw(st.sampled_from(ordered))
        low, high = data.draw(st.integers(-70, 70)), data.draw(st.integers(-70, 70))
        try:
            expected = ordered.index(wanted, low, high)
        except ValueError:
            with pytest.raises(ValueError, match="is not in the range"):
                made.index(wanted, low, high)
        else:
            assert made.index(wanted, low, high) == expected


def test_no_slice_backwards() -> None:
    """Values increase: a slice that would turn them round is refused, with what to do."""
    with pytest.raises(ValueError, match=r"reversed\(\)"):
        IntRange.parse("1-5")[::-1]


@given(numbers.filter(bool), st.data())
def test_one_text_for_equal_values(members: set[int], data: st.DataObject) -> None:
    """However values are written, the range is the same, and so are hash, text and blocks."""
    ordered, made = sorted(members), IntRange.of(members)
    items, at = [], 0
    while at < len(ordered):  # any values with equal differences may be written as one item
        end = at + 1
        if end < len(ordered) and data.draw(st.booleans()):
            step = ordered[end] - ordered[at]
            end += 1
            while end < len(ordered) and ordered[end] - ordered[end - 1] == step:
                if data.draw(st.booleans()):
                    break
                end += 1
            beyond = data.draw(st.integers(0, min(step - 1, NINES - ordered[end - 1])))
            written = f"{ordered[at]}-{ordered[end - 1] + beyond}"
            short = len(str(step)) <= 18
            items.append(f"{written}:{step}" if short else f"{ordered[at]},{ordered[end - 1]}")
        else:
            items.append(str(ordered[at]))
        at = end
    parsed = IntRange.parse(" , ".join(items))
    assert parsed == made and hash(parsed) == hash(made) and str(parsed) == str(made)
    assert IntRange.parse(str(made)) == made
    assert str(made).count(",") <= len(items) * 2 - 1  # a pair is written as two
    blocks = list(made.contiguous_blocks())
    assert blocks == list(parsed.contiguous_blocks())
    assert sum(last - first + 1 for first, last in blocks) == len(members)
    for (_, before), (after, _) in zip(blocks, blocks[1:]):
        assert after > before + 1
    assert {end for block in blocks for end in block} <= members


@given(st.sets(st.integers(-2, 3)), st.sets(st.integers(-2, 3)))
def test_unequal_values(one: set[int], other: set[int]) -> None:
    """Ranges are equal if and only if their values are."""
    assert (IntRange.of(one) == IntRange.of(other)) == (one == other)


spaces = st.sampled_from(["", "", "", " ", "  ", "\t"])


@st.composite
def written(draw: Callable[[Any], Any]) -> str:
    """A text that looks like a range: often valid, often nearly so."""
    items, low = [], draw(st.integers(-20, 20))
    for _ in range(draw(st.integers(1, 4))):
        start = low + draw(st.integers(-1, 6))
        end = start + draw(st.integers(-2, 8))
        step = draw(st.sampled_from([1, 2, 3, 5, 0, -1, -3]))
        parts = [str(start), "-", str(end), ":", str(step)][: draw(st.sampled_from([1, 3, 5]))]
        items.append("".join(draw(spaces) + part + draw(spaces) for part in parts))
        low = max(start, end) + 1
    text = ",".join(items)
    if draw(st.integers(0, 3)) == 0:  # one character lost, doubled or put in
        at = draw(st.integers(0, len(text)))
        put_in = draw(st.sampled_from(["", "-", ",", ":", "0", " ", "+", "x", "\uff11", "\n"]))
        text = text[:at] + put_in + text[at + draw(st.integers(0, 1)) :]
    return text


@pytest.mark.skipif(IntRangeExpr is None, reason="openjd-model is not installed")
class TestOpenjdModel:
    """What openjd-model makes of the same texts; see this module's docstring."""

    @staticmethod
    def theirs(text: str) -> Any:
        """Their range, or None if they refuse `text`."""
        try:
            return IntRangeExpr.from_str(text)
        except ValueError:
            return None

    def compare(self, text: str) -> None:
        """Ours and theirs agree about `text`, or differ only in the order that is written."""
        theirs = self.theirs(text)
        try:
            ours = IntRange.parse(text)
        except ValueError:
            assert theirs is None or self.out_of_order(text), text
            return
        assert theirs is not None, text
        assert (len(ours), ours.first, ours.last) == (len(theirs), theirs[0], theirs[-1])
        positions = range(len(ours)) if len(ours) < 500 else range(0, len(ours), len(ours) // 100)
        assert [ours[at] for at in positions] == [theirs[at] for at in positions]

    def out_of_order(self, text: str) -> bool:
        """Whether the values decrease somewhere, as `text` has them, by their own reading."""
        last: int | None = None
        for item in text.split(","):
            part = self.theirs(item)
            first, end = part[0], part[-1]
            if first > end or (last is not None and first <= last):
                return True
            last = end
        return False

    @given(written())
    @example("1-10:2,15")
    @example("-1 - 1")
    @example("5-5:-1,6")
    @example("10-1:-1")
    @example("10-1:-1,11")
    @example("2,1")
    def test_like_ranges(self, text: str) -> None:
        """Texts that are ranges, or nearly: both take them, with the same values, or neither."""
        self.compare(text)

    @given(st.text("0123456789-,: \t", max_size=12))
    def test_any_text(self, text: str) -> None:
        """Any text of the grammar's characters."""
        self.compare(text)

    @given(st.text(max_size=6).map(lambda noise: f"1{noise}-2"))
    def test_any_characters(self, text: str) -> None:
        """Any characters at all, of which many are white space or digits to Unicode."""
        self.compare(text)

    @given(st.sets(st.integers(-60, 60), min_size=1))
    def test_reads_what_we_write(self, members: set[int]) -> None:
        """Their canonical text is read here, and ours there, as the same values."""
        theirs = IntRangeExpr.from_list(sorted(members))
        assert values(str(theirs)) == sorted(members)
        assert list(IntRangeExpr.from_str(str(IntRange.of(members)))) == sorted(members)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2,1", [1, 2]),
            ("10-15:2,1-5", [1, 2, 3, 4, 5, 10, 12, 14]),
            ("3-1:-1", [1, 2, 3]),
            ("1" + "0" * 18, [10**18]),
        ],
    )
    def test_where_we_follow_the_specification(self, text: str, expected: list[int]) -> None:
        """They take these, which are no ranges by the specification: there, values increase."""
        assert sorted(self.theirs(text)) == expected
        with pytest.raises(ValueError, match="is not valid at column"):
            IntRange.parse(text)


def test_loads_little() -> None:
    """The module needs the standard library alone, and none of the runtime's other modules."""
    code = (
        "import sys\n"
        "import openjd.adaptor_runtime.ranges as ranges\n"
        "assert str(ranges.IntRange.parse('1-3')) == '1-3'\n"
        "print(sorted(n for n in sys.modules if n.startswith('openjd.')))\n"
        "print([n for n in ('yaml', 'jsonschema', 'psutil', 'logging') if n in sys.modules])\n"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    loaded, heavy = ended.stdout.splitlines()
    assert loaded == "['openjd.adaptor_runtime', 'openjd.adaptor_runtime.ranges']"
    assert heavy == "[]"
