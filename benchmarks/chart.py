"""The figures as a picture: an SVG of horizontal bars on logarithmic scales. No I/O here."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from .model import FLOOR, NOT_MEASURED, OURS, PEER, Outcome, Row

WIDTH = 760
_LEFT = 262
_RIGHT = 668
_EDGE = 14
# Of an average letter of the labels, in pixels; generous, as fonts differ.
_LETTER = 6.1
_LABEL_LETTERS = int((_LEFT - _EDGE - 14) / _LETTER)
_TITLE_LETTERS = int((WIDTH - 2 * _EDGE) / 6.9)
_LINE = 13
# Column -> how thick its bar is; each has a slot that its value fits into.
_BARS = ((OURS, 9), (PEER, 9), (FLOOR, 4))
_SLOT = 11
_DIGIT = 6.2

_COLOURS = {
    # What has it: (in the light, in the dark).
    ".paper": ("fill: #ffffff", "fill: #0d1117"),
    ".grid": ("stroke: #e3e6ea", "stroke: #2a313a"),
    "text": ("fill: #1f2328", "fill: #e6edf3"),
    ".axis, .value": ("fill: #59636e", "fill: #9aa4af"),
    ".ours": ("fill: #1a7f5a", "fill: #3fb887"),
    ".peer": ("fill: #d1752a", "fill: #e08e4a"),
    ".floor": ("fill: #8c959f", "fill: #6e7681"),
    # The edge keeps it apart from the bar that it stands on.
    ".goal": ("fill: #8250df; stroke: #ffffff", "fill: #c297ff; stroke: #0d1117"),
}
_STYLE = "\n".join(
    [
        'text { font: 11px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif }',
        ".panel { font-size: 14px; font-weight: 600 } .title { font-weight: 600 }",
        ".axis, .value { font-size: 10px } .axis { text-anchor: middle }",
        ".label { text-anchor: end }",
        *(f"{selector} {{ {light} }}" for selector, (light, _) in _COLOURS.items()),
        "@media (prefers-color-scheme: dark) {",
        *(f"{selector} {{ {dark} }}" for selector, (_, dark) in _COLOURS.items()),
        "}",
    ]
)


@dataclass(frozen=True)
class _Scale:
    """What is drawn on one axis: units that are powers of ten of each other."""

    title: str
    # Value in the figure's unit, times this, is the value on the axis.
    factors: Mapping[str, float]
    tick: Callable[[float], str]


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= 0.999 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds / 1e-6:.3g} us"


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


_SCALES = (
    _Scale("Time: shorter is better", {"s": 1.0, "ms": 1e-3, "us": 1e-6}, _time),
    _Scale("Rate, per second: longer is better", {"per s": 1.0}, _plain),
    _Scale("Memory, MiB: shorter is better", {"MiB": 1.0}, _plain),
    _Scale("Number of modules: shorter is better", {"": 1.0}, _plain),
)


def draw(
    outcomes: Sequence[Outcome],
    names: Mapping[str, str],
    quantity: Callable[[float, str], str],
) -> str:
    """The picture, light or dark as its viewer is.

    Args:
        outcomes: rows without any value are left out.
        names: what the legend calls each column.
        quantity: a value and its unit as text.
    """
    picture = _Picture(quantity)
    picture.legend(names)
    for scale in _SCALES:
        groups = [
            (outcome.benchmark.title, rows)
            for outcome in outcomes
            if (rows := [row for row in outcome.rows if row.columns and _fits(row, scale)])
        ]
        if groups:
            picture.panel(scale, groups)
    return picture.finish()


def _fits(row: Row, scale: _Scale) -> bool:
    return row.figure.unit in scale.factors


class _Picture:
    """Grows downwards."""

    def __init__(self, quantity: Callable[[float, str], str]) -> None:
        self._quantity = quantity
        self._parts: list[str] = []
        self._y = 14.0

    def legend(self, names: Mapping[str, str]) -> None:
        x: float = _EDGE
        for column, _ in _BARS:
            if column in names:
                self._rect(column, x, self._y, 14, 9)
                self._text("", x + 19, self._y + 9, names[column])
                x += 19 + 7 * len(names[column]) + 18
        self._goal(x + 4, self._y - 3, 15)
        self._text("", x + 13, self._y + 9, "goal")
        self._y += 26

    def panel(self, scale: _Scale, groups: Sequence[tuple[str, Sequence[Row]]]) -> None:
        """One axis, and below it the rows of each benchmark that are drawn on it."""
        axis = _Axis.of(scale, [row for _, rows in groups for row in rows])
        self._y += 30
        self._text("panel", _EDGE, self._y, scale.title)
        self._y += 20
        ticks = list(axis.ticks())
        for value, x in ticks:
            self._text("axis", x, self._y, scale.tick(value))
        self._y += 5
        top = self._y
        hole = len(self._parts)
        for title, rows in groups:
            self._group(axis, title, rows)
        # Behind what was drawn since, and as long as that became.
        self._parts[hole:hole] = [
            f'<line class="grid" x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{self._y:.1f}"/>'
            for _, x in ticks
        ]

    def finish(self) -> str:
        """The file's text."""
        height = math.ceil(self._y + 12)
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
                f' viewBox="0 0 {WIDTH} {height}" role="img">',
                "<title>Figures as bars; the page that shows this has them as tables</title>",
                f"<style>\n{_STYLE}\n</style>",
                f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
                *self._parts,
                "</svg>\n",
            ]
        )

    def _group(self, axis: _Axis, title: str, rows: Sequence[Row]) -> None:
        self._y += 17
        # The grid must not cross it.
        lines = textwrap.wrap(title, _TITLE_LETTERS)
        height = 15 * len(lines)
        self._rect("paper", _EDGE, self._y - 11, WIDTH - 2 * _EDGE, height)
        for line in lines:
            self._text("title", _EDGE, self._y, line)
            self._y += 15
        self._y -= 7
        for row in rows:
            self._row(axis, row)

    def _row(self, axis: _Axis, row: Row) -> None:
        label = textwrap.wrap(row.figure.title, _LABEL_LETTERS) or [""]
        bars = [bar for bar in _BARS if bar[0] in row.columns or bar[0] in row.absences]
        height = max(_SLOT * len(bars), _LINE * len(label))
        y = self._y + (height - _LINE * len(label)) / 2 + 10
        for line in label:
            self._text("label", _LEFT - 8, y, line)
            y += _LINE
        unit = row.figure.unit
        goal = None if row.figure.goal is None else axis.x(row.figure.goal, unit)
        y = self._y + (height - _SLOT * len(bars)) / 2
        goal_top = y - 2
        for column, thickness in bars:
            value = row.value(column)
            if value is None:
                x, told = _LEFT + 5.0, _told(row, column)
            else:
                x, told = axis.x(value, unit) + 5, self._quantity(value, unit)
                top = y + (_SLOT - thickness) / 2
                self._rect(column, _LEFT, top, max(x - 5 - _LEFT, 1.5), thickness)
            # The mark of the goal stands in the first slot, and is not to be written across.
            crossed = goal is not None and x - 7 < goal < x + _DIGIT * len(told) + 4
            if goal is not None and crossed and y < goal_top + _SLOT:
                x = goal + 6
            self._text("value", x, y + _SLOT / 2 + 3.5, told)
            y += _SLOT
        if goal is not None:
            self._goal(goal, goal_top, _SLOT + 2)
        self._y += height + 7

    def _goal(self, x: float, y: float, height: float) -> None:
        self._rect("goal", x - 1.75, y, 3.5, height)

    def _rect(self, kind: str, x: float, y: float, width: float, height: float) -> None:
        self._parts.append(
            f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}"'
            f' height="{height:.1f}"/>'
        )

    def _text(self, kind: str, x: float, y: float, text: str) -> None:
        marked = f' class="{kind}"' if kind else ""
        self._parts.append(f'<text{marked} x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>')


def _told(row: Row, column: str) -> str:
    absence = row.absences[column]
    known = {OURS: "ours", PEER: "peer", FLOOR: "floor"}.get(column, column)
    told = f"{known}: {absence.word}"
    return f"{told}, {absence.reason}" if absence.word == NOT_MEASURED and absence.reason else told


@dataclass(frozen=True)
class _Axis:
    """Values -> pixels, from a power of ten to a little more than the largest value."""

    scale: _Scale
    low: int
    high: float

    @classmethod
    def of(cls, scale: _Scale, rows: Sequence[Row]) -> _Axis:
        values = []
        for row in rows:
            factor = scale.factors[row.figure.unit]
            found = [row.value(column) for column, _ in _BARS]
            values += [v * factor for v in [*found, row.figure.goal] if v is not None and v > 0]
        low = math.floor(math.log10(min(values, default=1)) + 1e-9)
        high = math.log10(max(values, default=10)) + 0.02
        # A bar that is as long as nothing says nothing.
        if values and min(values) < 1.5 * 10**low:
            low -= 1
        return cls(scale, low, max(high, low + 1.0))

    def x(self, value: float, unit: str) -> float:
        """Where `value` is; at the left edge all that is too small for it, nothing included."""
        on_axis = value * self.scale.factors[unit]
        power = math.log10(on_axis) if on_axis > 0 else self.low
        part = (power - self.low) / (self.high - self.low)
        return _LEFT + (_RIGHT - _LEFT) * min(max(part, 0.0), 1.0)

    def ticks(self) -> Iterator[tuple[float, float]]:
        """(value on the axis, pixel) of each power of ten."""
        for power in range(self.low, math.floor(self.high) + 1):
            part = (power - self.low) / (self.high - self.low)
            yield 10.0**power, _LEFT + (_RIGHT - _LEFT) * part
