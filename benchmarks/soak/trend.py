"""Whether a series grows, or only moves: a line through it, and how far that can be believed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Trend:
    """A line through a series by least squares.

    ``slope`` is in the series' unit per task, ``error`` half the width of its 95 % confidence
    interval, ``noise`` the standard deviation from the line, ``span`` how many tasks it covers.
    """

    slope: float
    error: float
    noise: float
    span: float

    @property
    def growth(self) -> float:
        """What the line rises over the series, in its unit."""
        return self.slope * self.span

    @property
    def most(self) -> float:
        """What it may rise, by the interval's upper end."""
        return (self.slope + self.error) * self.span

    def beyond_noise(self, least: float) -> bool:
        """Whether it grows by `least` or more, and certainly not by chance."""
        return self.slope - self.error > 0 and self.growth >= least


def trend(groups: Iterable[Sequence[tuple[float, float]]]) -> Trend | None:
    """The common slope of groups of (task, value), each with a level of its own.

    Memory grows in steps, so that neighbours depend on each other. The interval is widened by
    that: the number of values is taken for what the correlation of neighbours leaves of it.

    Returns:
        None where there are too few values.
    """
    points: list[tuple[float, float]] = []
    levels = 0
    span = 0.0
    for group in groups:
        if len(group) < 2:
            continue
        levels += 1
        x_mean = statistics.fmean(x for x, _ in group)
        y_mean = statistics.fmean(y for _, y in group)
        points += [(x - x_mean, y - y_mean) for x, y in group]
        span = max(span, max(x for x, _ in group) - min(x for x, _ in group))
    spread = sum(x * x for x, _ in points)
    if len(points) - levels < 3 or not spread:
        return None
    slope = sum(x * y for x, y in points) / spread
    rest = [y - slope * x for x, y in points]
    squares = sum(r * r for r in rest)
    neighbours = sum(a * b for a, b in zip(rest, rest[1:]))
    correlation = min(max(neighbours / squares, 0.0), 0.99) if squares else 0.0
    count = len(points) * (1 - correlation) / (1 + correlation)
    freedom = max(count - levels - 1, 1.0)
    variance = squares / (len(points) - levels - 1)
    # The spread of as many independent values over the same range.
    error = math.sqrt(variance / spread * len(points) / count)
    return Trend(slope, _quantile(freedom) * error, math.sqrt(variance), span)


def _quantile(freedom: float) -> float:
    """Of Student's distribution, for an interval with both sides (Hill's expansion is close)."""
    if freedom < 3:
        # By the closed forms for 1 and 2 degrees, and between them.
        one = math.tan(math.pi * (_CONFIDENCE / 2))
        two = _CONFIDENCE * math.sqrt(2 / (1 - _CONFIDENCE**2))
        return one + (two - one) * min(freedom - 1, 1.0)
    z = statistics.NormalDist().inv_cdf(0.5 + _CONFIDENCE / 2)
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
