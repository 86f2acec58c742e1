"""The charts of a report, drawn as SVG that needs no script.

They are as wide as the page: horizontal places are percentages, so that neither text nor strokes
are stretched. Each mark has a ``<title>``, out of which the page's script makes its tooltips.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from ..._log_reading import Session, Step
from ..._log_reading.model import CANCELED, FAILED
from .figures import Saved, brief, duration, many, moment, part, size, time_ticks, value_ticks

#: Most bars of a session in the timeline: beyond that, tasks next to each other share one.
_MOST_BARS = 400
_MOST_CURVES = 120
_ROW = 64
_LANE = 26
_AXIS = 26
_KINDS = {"start": "start", "run": "task", "stop": "stop", "cleanup": "stop"}
_VERDICTS = {None: "not said", "ok": "went well", FAILED: "failed", CANCELED: "cancelled"}


class Row(NamedTuple):
    """A session in the timeline.

    Attributes:
        zero: the time of its beginning on the axis.
    """

    session: Session
    name: str
    zero: float
    #: The name where there is little room.
    short: str = ""


def percent(value: float, total: float) -> str:
    """Where on a chart a value stands."""
    return f"{100 * min(max(value / total, 0.0), 1.0):.3f}%" if total > 0 else "0%"


def described(step: Step) -> str:
    """A step in words, for a tooltip's first line."""
    if step.kind == "run":
        return f"Task {step.number}" + (f" · {step.name}" if step.name else "")
    words = {"start": "Start", "stop": "Stop", "cleanup": "Cleaning up"}
    return words.get(step.kind, step.kind) + (f" · {step.name}" if step.name else "")


def said(verdict: str | None) -> str:
    """A verdict in words."""
    return _VERDICTS.get(verdict, "not said")


# The timeline.


def timeline(rows: Sequence[Row], total: float, since: str) -> str:
    """Sessions as rows: start, loads, tasks, idle and stop.

    Args:
        total: the length of the axis in seconds.
        since: what its zero is, in words.
    """
    height = _ROW * len(rows) + _AXIS
    pieces = [
        f'<svg class="chart timeline" role="group" tabindex="0" width="100%" height="{height}" '
        f'aria-label="Timeline of {many(len(rows), "session")}, {escape(since)}. '
        'Arrow keys go from step to step.">',
        _HATCHES,
        _time_axis(total, _ROW * len(rows)),
    ]
    for index, row in enumerate(rows):
        pieces += _row(row, total, index * _ROW)
    pieces.append("</svg>")
    return "".join(pieces)


_HATCHES = (
    '<defs><pattern id="idle" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect class="hatch" width="1.5" height="6"/></pattern>'
    '<pattern id="bad" width="7" height="7" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect class="bad-ground" width="7" height="7"/>'
    '<rect class="bad-line" width="2" height="7"/></pattern></defs>'
)


def _time_axis(total: float, bottom: float) -> str:
    ticks = time_ticks(total)
    pieces = ['<g class="axis" aria-hidden="true">']
    for index, (value, text) in enumerate(ticks):
        at = percent(value, total)
        minor = " minor" if index % 2 else ""
        # The last ones end where they stand, and so stay in the picture.
        anchor = "start" if index == 0 else "end" if value > 0.93 * total else "middle"
        pieces.append(f'<line class="grid" x1="{at}" x2="{at}" y1="0" y2="{bottom}"/>')
        pieces.append(
            f'<text class="tick{minor}" x="{at}" y="{bottom + 18}" text-anchor="{anchor}">'
            f"{text}</text>"
        )
    return "".join([*pieces, "</g>"])


def _row(row: Row, total: float, top: float) -> Iterable[str]:
    session = row.session
    lane = top + 30
    yield _row_name(row.name, row.short or row.name, top + 14)
    begin, end = session.begin, session.end
    if begin is not None and end is not None and end > begin:
        # What is not covered by a step is idle.
        yield _bar(
            "idle",
            begin - row.zero,
            end - begin,
            total,
            lane + 9,
            _LANE - 18,
            "Between steps: idle",
        )
    for steps in _bundles(session.steps):
        yield from _bars(steps, row.zero, total, lane)


def _row_name(name: str, short: str, y: float) -> str:
    return "".join(
        f'<text class="row-name {kind}" x="0" y="{y}">{escape(text)}</text>'
        for kind, text in (("wide", name), ("slim", short))
    )


def _bundles(steps: Sequence[Step]) -> Iterable[list[Step]]:
    """The steps one by one, or, of many, those that went well next to each other."""
    timed = [step for step in steps if step.seconds is not None]
    together = -(-len(timed) // _MOST_BARS)
    bundle: list[Step] = []
    for step in timed:
        if together > 1 and step.kind == "run" and step.verdict == "ok":
            bundle.append(step)
            if len(bundle) >= together:
                yield bundle
                bundle = []
            continue
        if bundle:
            yield bundle
            bundle = []
        yield [step]
    if bundle:
        yield bundle


def _bars(steps: list[Step], zero: float, total: float, lane: float) -> Iterable[str]:
    first, last = steps[0], steps[-1]
    assert first.begin is not None and last.end is not None
    at, length = first.begin - zero, max(last.end - first.begin, 0.0)
    if len(steps) > 1:
        times = sorted(step.seconds or 0.0 for step in steps)
        title = (
            f"Tasks {first.number} to {last.number}\nall went well\n"
            f"median {duration(times[len(times) // 2])}, slowest {duration(times[-1])}"
        )
        yield _bar("task", at, length, total, lane, _LANE, title)
        return
    failed = first.verdict == FAILED
    kind = "failed" if failed else _KINDS.get(first.kind, "stop")
    yield _bar(kind, at, length, total, lane, _LANE, _title(first))
    share = length / total if total else 0
    for span in first.spans:
        if span.end is not None and span.end > span.begin and span.name != _LAUNCH:
            title = f"{span.name}\n{duration(span.end - span.begin)}"
            if first.kind == "start":
                length = span.end - span.begin
                yield _bar("load", span.begin - zero, length, total, lane, _LANE, title)
                if length > 0.012 * len(span.name) * total:
                    yield _in_bar(span.begin - zero + length / 2, total, lane, span.name, True)
            elif 0.004 * total < span.end - span.begin < 0.9 * length:
                yield _bar(
                    "part",
                    span.begin - zero,
                    span.end - span.begin,
                    total,
                    lane + _LANE - 5,
                    5,
                    title,
                )
    if failed:
        yield (
            f'<text class="cross" x="{percent(at + length / 2, total)}" y="{lane - 3}" '
            'text-anchor="middle" aria-hidden="true">✕</text>'
        )
    if first.kind == "run" and share > 0.025:
        yield _in_bar(at + length / 2, total, lane, str(first.number), share < 0.075)


def _in_bar(at: float, total: float, lane: float, text: str, minor: bool) -> str:
    return (
        f'<text class="in-bar{" minor" if minor else ""}" x="{percent(at, total)}" '
        f'y="{lane + _LANE / 2 + 4}" text-anchor="middle" aria-hidden="true">{escape(text)}</text>'
    )


_LAUNCH = "starting the application"


def _title(step: Step) -> str:
    lines = [described(step), f"{duration(step.seconds)}, {said(step.verdict)}"]
    if step.status:
        lines.append(step.status)
    if step.error:
        lines.append(brief(step.error)[:200])
    elif step.warnings.count:
        lines.append(many(step.warnings.count, "warning"))
    return "\n".join(lines)


def _bar(
    kind: str, at: float, length: float, total: float, y: float, height: float, title: str
) -> str:
    width = percent(length, total)
    if length < 0.005 * total:
        kind += " thin"
    return (
        f'<rect class="mark {kind}" x="{percent(at, total)}" y="{y}" rx="2" width="{width}" '
        f'height="{height}" style="width:max(2px,{width})"><title>{escape(title)}</title></rect>'
    )


# Progress over time, one curve for each task.


class Curve(NamedTuple):
    """The progress of a task; `role` is ``median``, ``slowest``, ``failed`` or ""."""

    step: Step
    role: str
    key: str


def curves_of(sessions: Sequence[Session]) -> list[Curve]:
    """The tasks whose progress is known, with those marked that matter; bounded in number."""
    keys = {
        id(task): f"{number}-{task.number}"
        for number, session in enumerate(sessions)
        for task in session.tasks
        if task.seconds is not None and len(task.progress)
    }
    tasks = [task for session in sessions for task in session.tasks if id(task) in keys]
    if not tasks:
        return []
    well = sorted((task for task in tasks if task.verdict != FAILED), key=lambda t: t.seconds or 0)
    roles: dict[int, str] = {id(task): "failed" for task in tasks if task.verdict == FAILED}
    if len(well) > 2:
        roles[id(well[len(well) // 2])] = "median"
    if len(well) > 1:
        roles[id(well[-1])] = "slowest"
    every = -(-len(tasks) // _MOST_CURVES)
    shown = [
        t
        for n, t in enumerate(tasks)
        if n % every == 0 or roles.get(id(t)) in ("median", "slowest")
    ]
    shown += [t for t in tasks if roles.get(id(t)) == "failed" and t not in shown][:20]
    return sorted(
        (Curve(task, roles.get(id(task), ""), keys[id(task)]) for task in shown),
        key=lambda curve: bool(curve.role),
    )


def progress(curves: Sequence[Curve]) -> str:
    """Progress (percent) over the time since each task's begin."""
    total = max(curve.step.seconds or 0.0 for curve in curves) or 1.0
    height = 240
    top, bottom = 22, height - _AXIS
    pieces = [
        f'<svg class="chart" role="group" tabindex="0" width="100%" height="{height}" '
        f'aria-label="Progress of {many(len(curves), "task")} over time. '
        'Arrow keys go from task to task.">',
        _time_axis(total, bottom),
        '<g class="axis" aria-hidden="true">',
    ]
    for value in (0, 50, 100):
        y = bottom - (bottom - top) * value / 100
        pieces.append(f'<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>')
        pieces.append(f'<text class="tick" x="0" y="{y - 5}">{value} %</text>')
    pieces.append("</g>")
    pieces.append(
        f'<svg x="0" y="{top}" width="100%" height="{bottom - top}" viewBox="0 0 1000 100" '
        'preserveAspectRatio="none" overflow="visible">'
    )
    for curve in curves:
        step = curve.step
        role = f" {curve.role}" if curve.role else ""
        title = f"{described(step)}\n{duration(step.seconds)}, {said(step.verdict)}"
        pieces.append(
            f'<path class="mark curve{role}" data-task="{curve.key}" d="{_path(step, total)}">'
            f"<title>{escape(title)}</title></path>"
        )
    pieces.append("</svg></svg>")
    return "".join(pieces)


def _path(step: Step, total: float) -> str:
    assert step.begin is not None and step.seconds is not None
    points = [(0.0, 0.0)]
    points += [
        (min(max(time - step.begin, 0.0), total), min(max(value, 0.0), 100.0))
        for time, value in step.progress.points
    ]
    points.append((step.seconds, points[-1][1]))
    every = -(-len(points) // 400)
    points = points[::every] + points[-1:]
    places = (f"{1000 * x / total:.1f} {100 - y:.1f}" for x, y in points)
    return "M" + "L".join(places)


# Memory over time.


def memory(rows: Sequence[Row], total: float) -> str:
    """Resident memory over time, one area for each session."""
    rows = [row for row in rows if len(row.session.memory) > 1]
    highest = max(row.session.memory.highest for row in rows) or 1.0
    height = 240
    top, bottom = 22, height - _AXIS
    pieces = [
        f'<svg class="chart" role="group" tabindex="0" width="100%" height="{height}" '
        f'aria-label="Memory over time, at most {size(highest)}. Arrow keys go along it.">',
        _time_axis(total, bottom),
        '<g class="axis" aria-hidden="true">',
    ]
    for value in value_ticks(highest):
        y = bottom - (bottom - top) * value / highest
        pieces.append(f'<line class="grid" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>')
        pieces.append(f'<text class="tick" x="0" y="{y - 5:.1f}">{size(value)}</text>')
    pieces.append("</g>")
    for row in rows:
        pieces += _area(row, total, highest, top, bottom)
    return "".join([*pieces, "</svg>"])


def _area(row: Row, total: float, highest: float, top: float, bottom: float) -> Iterable[str]:
    points = row.session.memory.points
    places = [
        (1000 * min(max((time - row.zero) / total, 0.0), 1.0), 100 - 100 * value / highest)
        for time, value in points
    ]
    line = "M" + "L".join(f"{x:.1f} {y:.2f}" for x, y in places)
    yield (
        f'<svg x="0" y="{top}" width="100%" height="{bottom - top}" viewBox="0 0 1000 100" '
        'preserveAspectRatio="none" overflow="visible" aria-hidden="true">'
        f'<path class="area" d="{line}L{places[-1][0]:.1f} 100L{places[0][0]:.1f} 100Z"/>'
        f'<path class="line" d="{line}"/></svg>'
    )
    every = -(-len(points) // 60)
    peak = max(range(len(points)), key=lambda n: points[n][1])
    for n in sorted({*range(0, len(points), every), peak}):
        time, value = points[n]
        y = bottom - (bottom - top) * value / highest
        x = percent(time - row.zero, total)
        title = f"{size(value)}\n{duration(max(time - row.zero, 0))} after the beginning"
        if n == peak and value == highest:
            # The highest of all; those of several sessions would stand upon each other.
            anchor = "end" if (time - row.zero) > 0.7 * total else "start"
            yield (
                f'<text class="peak" x="{x}" y="{max(y - 8, 12):.1f}" text-anchor="{anchor}" '
                f'aria-hidden="true">peak {size(value)}</text>'
            )
        kind = " at-peak" if n == peak else ""
        yield (
            f'<circle class="mark dot{kind}" cx="{x}" cy="{y:.1f}" r="4">'
            f"<title>{escape(title)}</title></circle>"
        )


# What was saved.


def saved(one: Saved) -> str:
    """Two bars: as it ran, and with a start for each task."""
    count = one.number
    starts, stops = one.start, one.stop
    # Per session: the start and the stop that each of its tasks would have had.
    ratio = (one.apart - one.tasks) / (starts + stops) if starts + stops else 0
    longest = max(one.apart, one.together) or 1.0
    height = 2 * 56 + _AXIS
    pieces = [
        f'<svg class="chart" role="group" tabindex="0" width="100%" height="{height}" '
        f'aria-label="As it ran: {duration(one.together)}. A start for each task: '
        f'{duration(one.apart)}. Arrow keys go from part to part.">',
        _time_axis(longest, 2 * 56),
    ]
    for index, (name, short, parts) in enumerate(
        (
            (
                f"As it ran: {duration(one.together)}",
                f"As it ran: {duration(one.together)}",
                (
                    ("start", starts, "Start"),
                    ("task", one.tasks, many(count, "task")),
                    ("stop", stops, "Stop"),
                ),
            ),
            (
                f"A start and a stop for each task: {duration(one.apart)}",
                f"A start for each: {duration(one.apart)}",
                (
                    ("start", starts * ratio, "Starts"),
                    ("task", one.tasks, many(count, "task")),
                    ("stop", stops * ratio, "Stops"),
                ),
            ),
        )
    ):
        y = index * 56
        pieces.append(_row_name(name, short, y + 16))
        at = 0.0
        for kind, length, what in parts:
            pieces.append(
                _bar(kind, at, length, longest, y + 24, 24, f"{what}\n{duration(length)}")
            )
            at += length
    return "".join([*pieces, "</svg>"])


def summary_of(session: Session, dated: bool = True) -> str:
    """A session in a line."""
    words = [many(len(session.tasks) + session.more_steps, "task")]
    start = part(session, "start")
    if start is not None:
        words.append(f"start {duration(start)}")
    if session.seconds is not None:
        words.append(f"{duration(session.seconds)} in all")
    if dated and session.begin is not None and session.begin > 1e8:
        words.append(moment(session.begin))
    return " · ".join(words)
