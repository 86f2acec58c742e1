# ruff: noqa: RUF001 -- signs as people write them
"""The page of a report: one HTML file that needs nothing else, and no network."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from typing import NamedTuple

from ..._log_reading import Line, Log, Session, Step
from ..._log_reading.model import CANCELED, FAILED, OK
from ..._version import version
from ..explaining import Finding, findings, where
from . import charts
from .figures import Figures, brief, duration, figures, many, moment, size
from .pictures import MOST as MOST_PICTURES
from .pictures import Picture, Pictures

_MOST_ROWS = 500
_MOST_WARNINGS = 100
_MOST_NAMES = 100
_MOST_SESSIONS = 60
_ICONS = {OK: "✓", FAILED: "✕", CANCELED: "–", None: "?"}
_CLASSES = {OK: "ok", FAILED: "failed", CANCELED: "canceled", None: "unknown"}


class Report(NamedTuple):
    """What a page is made of."""

    logs: Sequence[Log]
    figures: Figures
    rows: list[charts.Row]
    total: float
    since: str
    found: list[tuple[Session, list[Finding]]]
    pictures: list[Picture]

    @property
    def sessions(self) -> list[Session]:
        """All sessions."""
        return [session for log in self.logs for session in log.sessions]


def page(logs: Sequence[Log], show_pictures: bool = True, more: Iterable[str] = ()) -> str:
    """The page about these logs.

    Args:
        show_pictures: whether to look at the files that the logs name as outputs.
        more: pictures that the logs do not name.
    """
    sessions = [session for log in logs for session in log.sessions]
    rows, total, since = _aligned(logs)
    report = Report(
        logs,
        figures(logs),
        rows,
        total,
        since,
        [pair for log in logs for pair in findings(log)],
        _pictures(sessions, show_pictures, more),
    )
    script = _file("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    # Nothing but this page's own script runs, whatever a log has in it, and nothing is loaded.
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    title = _title(sessions)
    return "".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            '<meta name="referrer" content="no-referrer">\n<link rel="icon" href="data:,">\n',
            f"<title>{escape(title)}: report</title>\n<style>\n{_file('page.css')}</style>\n",
            f"</head>\n<body>\n{_head(report, title)}<main>\n",
            *_sections(report),
            f"</main>\n{_foot(report)}",
            '<div class="tip" role="status" hidden></div>\n',
            f"<script>{script}</script>\n</body>\n</html>\n",
        ]
    )


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _aligned(logs: Sequence[Log]) -> tuple[list[charts.Row], float, str]:
    """The sessions on one axis: by the clock where that makes a picture, else from their begin."""
    timed = [(log, s) for log in logs for s in log.sessions if s.begin is not None and s.seconds]
    timed = timed[:_MOST_SESSIONS]
    if not timed:
        return [], 0.0, ""
    longest = max(session.seconds or 0.0 for _, session in timed)
    first = min(session.begin or 0.0 for _, session in timed)
    last = max(session.end or 0.0 for _, session in timed)
    names = [_row_name(log, session, len(logs), len(timed)) for log, session in timed]
    if all(log.dated for log, _ in timed) and last - first <= 3 * longest * max(len(timed) / 2, 1):
        rows = [charts.Row(s, name, first, _short(s)) for (_, s), name in zip(timed, names)]
        return rows, last - first, f"from {moment(first)}"
    rows = [charts.Row(s, name, s.begin or 0.0, _short(s)) for (_, s), name in zip(timed, names)]
    return rows, longest, "each from its own beginning"


def _row_name(log: Log, session: Session, logs: int, sessions: int) -> str:
    if sessions == 1:
        return charts.summary_of(session, dated=False)
    name = session.adaptor or session.job or "Session"
    file = f" · {os.path.basename(log.path)}" if logs > 1 else ""
    return f"{name}{file} · {charts.summary_of(session)}"[:110]


def _short(session: Session) -> str:
    name = (session.adaptor or session.job)[:24]
    return " · ".join(filter(None, (name, many(len(session.tasks), "task"))))


def _pictures(sessions: Sequence[Session], show: bool, more: Iterable[str]) -> list[Picture]:
    if not show:
        return []
    taker = Pictures()
    taken: dict[str, Picture] = {}
    for session in sessions:
        dates = session.begin is not None and session.begin > 1e8
        begin, end = (session.begin, session.end) if dates else (None, None)
        for step in session.steps:
            for path in step.outputs:
                if path not in taken and len(taken) < 20 * MOST_PICTURES:
                    taken[path] = taker.take(path, begin, end)
    for path in more:
        picture = taker.take_own(path)
        if picture.data and path not in taken:
            taken[path] = picture
    return list(taken.values())


def _title(sessions: Sequence[Session]) -> str:
    names = dict.fromkeys(s.adaptor or s.job for s in sessions if s.adaptor or s.job)
    if not names:
        return many(len(sessions), "session")
    shown = list(names)[:3]
    return ", ".join(shown) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


# From the top to the end of the page.


def _head(report: Report, title: str) -> str:
    sessions = report.sessions
    about = []
    begins = [s.begin for s in sessions if s.begin is not None and s.begin > 1e8]
    if begins:
        about.append(moment(min(begins), "%A, %d %B %Y, %H:%M"))
    adaptors = {f"openjd-adaptor-runtime {s.version}" for s in sessions if s.version}
    about += sorted(adaptors)[:2]
    about.append(", ".join(os.path.basename(log.path) for log in report.logs[:4]))
    if len(report.logs) > 4:
        about.append(f"{len(report.logs) - 4} more logs")
    kind = many(len(sessions), "session")
    return (
        f'<header class="top"><div><p class="kicker">Report on {kind}</p>'
        f'<h1>{escape(title)}</h1><p class="about">{escape(" · ".join(about))}</p></div>'
        '<button type="button" class="theme" hidden aria-label="Light or dark">Dark</button>'
        "</header>\n"
    )


def _sections(report: Report) -> Iterable[str]:
    yield _verdict(report)
    yield _figures(report.figures)
    yield _timeline(report)
    pair = _progress(report) + _memory(report)
    if pair:
        yield f'<div class="pair">{pair}</div>\n'
    yield _saved(report.figures)
    yield _tasks(report)
    yield _shown_pictures(report.pictures)
    yield _warnings(report)


def _section(title: str, lead: str, body: str, kind: str = "") -> str:
    of = f' class="{kind}"' if kind else ""
    text = f'<p class="lead">{lead}</p>' if lead else ""
    return f"<section{of}><h2>{title}</h2>{text}{body}</section>\n"


def _verdict(report: Report) -> str:
    one = report.figures
    found = [finding for _, those in report.found for finding in those]
    of = {id(finding): session for session, those in report.found for finding in those}
    verdicts = [session.verdict for session in report.sessions]
    if not found:
        said = many(one.tasks, "task")
        if OK in verdicts or one.tasks:
            text = "Nothing has failed" if one.unknown else "All went well"
            return _card(OK, f"{text}: {said} in {many(one.sessions, 'session')}.", "")
        return _card(None, "The log does not say how it went.", "")
    first = found[0]
    worst = FAILED if first.step.verdict == FAILED or FAILED in verdicts else first.step.verdict
    name = f"{first.where[0].upper()}{first.where[1:]}"
    verb = {"canceled": "was cancelled", "ends-early": "has no end in the log"}
    title = f"{name} {verb.get(first.cause.id, 'failed')}"
    if len(report.logs) > 1:
        title += f" · {os.path.basename(of[id(first)].path)}"
    body = (
        f"<p>{_marked(first.means)}</p>{_lines(first.lines)}"
        f'<p class="remedy"><b>What to do:</b> {_marked(first.remedy)} '
        f'<span class="see">(docs/{escape(first.see)})</span></p>'
    )
    also = [f"{escape(f.where)}: {_marked(f.means)}" for f in found[1:6]]
    if also:
        more = f"<li>{len(found) - 6:,} more</li>" if len(found) > 6 else ""
        items = "".join(f"<li>{text}</li>" for text in also)
        body += f'<div class="also">Failed as well:<ul class="names">{items}{more}</ul></div>'
    return _card(worst, title, body)


def _marked(text: str) -> str:
    """The text, with what stands in backticks as code."""
    return re.sub("`([^`<>]+)`", r"<code>\1</code>", escape(text))


def _card(verdict: str | None, title: str, body: str) -> str:
    return (
        f'<div class="verdict {_CLASSES.get(verdict, "unknown")}">'
        f'<span class="mark-of" aria-hidden="true">{_ICONS.get(verdict, "?")}</span>'
        f"<div><h2>{escape(title)}</h2>{body}</div></div>\n"
    )


def _lines(lines: Iterable[Line]) -> str:
    items = []
    for line in lines:
        text = line.shown()
        kind = ""
        if text.startswith("openjd_fail: ") or line.level == "ERROR":
            kind = ' class="is-bad"'
        elif line.level == "WARNING":
            kind = ' class="is-warning"'
        items.append(
            f'<li{kind}><span class="at" title="line of the log">{line.number}</span>'
            f"<code>{escape(text[:600])}</code></li>"
        )
    return f'<ol class="lines">{"".join(items)}</ol>' if items else ""


def _figures(one: Figures) -> str:
    states = [many(one.failed, "failed", "failed") if one.failed else ""]
    states += [f"{one.canceled:,} cancelled" if one.canceled else ""]
    well = one.tasks - one.failed - one.canceled - one.unknown
    states = [f"{well:,} went well" if well > 0 else "", *states]
    slowest = one.slowest
    saved = one.saved
    cells = [
        ("In all", duration(one.seconds), many(one.sessions, "session")),
        ("Tasks", f"{one.tasks:,}", ", ".join(filter(None, states))),
        (
            "A task (median)",
            duration(one.median),
            f"slowest {duration(slowest.seconds)}" if slowest is not None else "no times",
        ),
        ("Start and load", duration(one.start), "before the first task"),
        ("Memory", size(one.memory), "at most; the application and what it started")
        if one.memory is not None
        else None,
        (
            "Saved",
            duration(saved.seconds) if saved is not None and saved.seconds > 0 else "–",
            f"{100 * saved.seconds / saved.apart:.0f} % less than a start for each task"
            if saved is not None and saved.seconds > 0 and saved.apart
            else "by starting once",
        ),
    ]
    known = [cell for cell in cells if cell is not None]
    divs = (
        f'<div><dt>{name}</dt><dd class="value">{escape(value)}</dd>'
        f'<dd class="more">{escape(more)}</dd></div>'
        for name, value, more in known
    )
    return f'<dl class="figures">{"".join(divs)}</dl>\n'


def _legend(kinds: Sequence[tuple[str, str]]) -> str:
    items = "".join(
        f'<li><svg width="14" height="14" aria-hidden="true"><rect class="mark {kind}" '
        f'width="14" height="14" rx="2"/></svg>{name}</li>'
        for kind, name in kinds
    )
    return f'<ul class="legend">{items}</ul>'


def _timeline(report: Report) -> str:
    if not report.rows:
        return _section(
            "Timeline", "The log has no times, so there is none. "
            "<code>session_log</code> in the runtime’s configuration keeps a log that has.", "",
        )  # fmt: skip
    kinds = [
        ("start", "start"),
        ("load", "load"),
        ("task", "task"),
        ("stop", "stop"),
        ("idle", "idle"),
    ]
    steps = [step for row in report.rows for step in row.session.steps]
    if not any(step.spans for step in steps if step.kind == "start"):
        kinds.remove(("load", "load"))
    if any(step.verdict == FAILED for step in steps):
        kinds.append(("failed", "failed"))
    chart = charts.timeline(report.rows, report.total or 1.0, report.since)
    hidden = len(report.sessions) - len(report.rows)
    more = f" Without times, or too many, and so not shown: {hidden:,}." if hidden > 0 else ""
    return _section("Timeline", f"Time {escape(report.since)}.{more}", chart + _legend(kinds))


def _progress(report: Report) -> str:
    curves = charts.curves_of(report.sessions)
    if not curves:
        return ""
    roles = {curve.role: curve.step for curve in curves if curve.role}
    keys = []
    for role, style in (
        ("median", 'stroke="var(--task)" stroke-width="3"'),
        ("slowest", 'stroke="var(--ink)" stroke-width="2" stroke-dasharray="5 3"'),
        ("failed", 'stroke="var(--bad)" stroke-width="2.5" stroke-dasharray="2 3"'),
    ):
        step = roles.get(role)
        if step is not None:
            keys.append(
                f'<li><svg width="26" height="10" aria-hidden="true"><line x1="0" y1="5" x2="26" '
                f'y2="5" {style}/></svg>{role}: task {step.number}, {duration(step.seconds)}</li>'
            )
    every = sum(len(session.tasks) for session in report.sessions)
    lead = "Since each task’s beginning; a curve is a task."
    if len(curves) < every:
        lead += f" {len(curves):,} of {many(every, 'task')}."
    return _section(
        "Progress", lead, charts.progress(curves) + f'<ul class="legend">{"".join(keys)}</ul>'
    )


def _memory(report: Report) -> str:
    rows = [row for row in report.rows if len(row.session.memory) > 1]
    if not rows:
        return ""
    lead = "Resident memory of the application and all that it started."
    return _section("Memory", lead, charts.memory(rows, report.total or 1.0))


def _saved(one: Figures) -> str:
    saved = one.saved
    if saved is None or saved.number < 2 or saved.seconds <= 0:
        return ""
    starts = f"start {duration(saved.start)}, stop {duration(saved.stop)}"
    per = saved.seconds / saved.number
    body = charts.saved(saved) + _legend(
        [("start", "start and load"), ("task", "tasks"), ("stop", "stop")]
    )
    body += (
        f'<p class="saving"><b>{duration(saved.seconds)}</b> saved, {duration(per)} for each of '
        f"{many(saved.number, 'task')}.</p>"
    )
    lead = (
        f"To start and load once for {many(saved.number, 'task')} ({starts}), instead of once for "
        "each. This is computed, not measured: the second bar takes each session’s own start and "
        "stop once for each of its tasks, and the tasks as long as they were. Time between steps "
        "is left out of both."
    )
    return _section("What starting once has saved", lead, body)


def _tasks(report: Report) -> str:
    tasks = [
        (number, session, task)
        for number, session in enumerate(report.sessions)
        for task in session.tasks
    ]
    if not tasks:
        return ""
    longest = max((task.seconds or 0.0 for _, _, task in tasks), default=0.0)
    shown = tasks
    if len(tasks) > _MOST_ROWS:
        # Those that somebody looks for: failed, then slow; in the order of the log.
        worst = sorted(tasks, key=lambda t: (t[2].verdict == OK, -(t[2].seconds or 0.0)))
        kept = {id(task) for _, _, task in worst[:_MOST_ROWS]}
        shown = [entry for entry in tasks if id(entry[2]) in kept]
    several = len(report.sessions) > 1
    named = any(task.name for _, _, task in tasks)
    warned = any(task.warnings.count for _, _, task in tasks)
    heads = [
        ("Task", "number"),
        *([("Session", "number")] if several else []),
        *([("Parameters", "")] if named else []),
        ("Verdict", ""),
        ("Duration", ""),
        *([("Warnings", "number wide")] if warned else []),
        ("Last status or error", ""),
    ]
    head = "".join(
        f'<th scope="col" class="{kind}"><button type="button" disabled>{name}</button></th>'
        for name, kind in heads
    )
    body = "".join(_task_row(n, task, longest, several, named, warned) for n, _, task in shown)
    of = f"The {len(shown):,} that failed or took longest, of " if shown is not tasks else ""
    lead = f"{of}{many(report.figures.tasks, 'task')}. Median {duration(report.figures.median)}"
    slowest = report.figures.slowest
    if slowest is not None:
        lead += f", slowest {duration(slowest.seconds)} ({escape(where(slowest))})"
    return _section(
        "Tasks",
        lead + ".",
        '<div class="scroll" tabindex="0" role="region" aria-label="Tasks"><table>'
        f"<thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>",
        "may-break",
    )


def _task_row(
    number: int, task: Step, longest: float, several: bool, named: bool, warned: bool
) -> str:
    seconds = task.seconds
    width = 100 * (seconds or 0) / longest if longest else 0
    kind = _CLASSES.get(task.verdict, "unknown")
    meter = (
        f'<div class="meter"><i>{duration(seconds)}</i><div><span style="width:{width:.1f}%">'
        "</span></div></div>"
        if seconds is not None
        else "–"
    )
    cells = [
        f'<td class="number" data-value="{task.number}">{task.number}</td>',
        f'<td class="number">{number + 1}</td>' if several else "",
        f'<td class="long">{escape(task.name)}</td>' if named else "",
        f'<td><span class="tag {kind}"><span aria-hidden="true">'
        f"{_ICONS.get(task.verdict, '?')}</span>{charts.said(task.verdict)}</span></td>",
        f'<td data-value="{seconds if seconds is not None else -1}">{meter}</td>',
        f'<td class="number wide">{task.warnings.count or ""}</td>' if warned else "",
        f'<td class="long">{escape((brief(task.error) or task.status)[:300])}</td>',
    ]
    failed = ' class="is-failed"' if task.verdict == FAILED else ""
    return f'<tr{failed} data-task="{number}-{task.number}">{"".join(cells)}</tr>'


def _shown_pictures(pictures: Sequence[Picture]) -> str:
    if not pictures:
        return ""
    shown = [picture for picture in pictures if picture.data]
    others = [picture for picture in pictures if not picture.data]
    figures_ = "".join(
        f'<figure><img src="{picture.data}" width="{picture.width}" height="{picture.height}" '
        f'alt="{escape(_name(picture.path), quote=True)}">'
        f"<figcaption>{escape(_name(picture.path))} · {picture.width} × {picture.height}"
        "</figcaption></figure>"
        for picture in shown
    )
    body = f'<div class="pictures">{figures_}</div>' if shown else ""
    if others:
        items = "".join(
            f"<li>{escape(_clean(picture.path))}: {escape(picture.why)}</li>"
            for picture in others[:_MOST_NAMES]
        )
        body += (
            f"<details{'' if shown else ' open'}><summary>{many(len(others), 'output')} that "
            f'{"is" if len(others) == 1 else "are"} not shown</summary><ul class="names">{items}'
            "</ul></details>"
        )
    return _section("Outputs", "", body, "may-break")


def _name(path: str) -> str:
    return _clean(path.replace("\\", "/").rpartition("/")[2])


def _clean(text: str) -> str:
    from ..._log_reading.texts import seen

    return seen(text, 300)


def _warnings(report: Report) -> str:
    entries: list[tuple[Session, Step, Line]] = []
    count = 0
    for session in report.sessions:
        for step in (*session.steps, session.outside):
            count += step.warnings.count + step.fails.count
            entries += [(session, step, line) for line in (*step.warnings, *step.fails)]
    if not entries:
        return ""
    entries.sort(key=lambda entry: (entry[0].path, entry[2].number))
    # The first of each text, and how often it came.
    groups: dict[tuple[str, str], list[tuple[Session, Step, Line]]] = {}
    for entry in entries:
        groups.setdefault((entry[2].level, entry[2].text), []).append(entry)
    items = []
    for group in list(groups.values())[:_MOST_WARNINGS]:
        _, step, line = group[0]
        kind = "is-warning" if line.level == "WARNING" else "is-bad"
        text = f"openjd_fail: {line.text}" if line.level == "message" else line.shown()
        times = (
            f" ({len(group)} times, first in {where(step)})"
            if len(group) > 1
            else f" ({where(step)})"
        )
        items.append(
            f'<li class="{kind}"><span class="at" title="line of the log">{line.number}</span>'
            f'<code>{escape(text[:600])}<span class="see">{escape(times)}</span></code></li>'
        )
    hidden = len(groups) - _MOST_WARNINGS
    more = f'<p class="also">{many(hidden, "text")} more.</p>' if hidden > 0 else ""
    lead = f"{many(count, 'line')}; the same text stands once, with the number of its first line."
    return _section(
        "Warnings and failures", lead, f'<ol class="lines">{"".join(items)}</ol>{more}', "may-break"
    )


def _foot(report: Report) -> str:
    notes = "".join(
        f"<li>{escape(os.path.basename(log.path))}: {escape(note)}.</li>"
        for log in report.logs
        for note in log.notes[:5]
    )
    lines = sum(log.lines for log in report.logs)
    return (
        f"<footer>{f'<ul>{notes}</ul>' if notes else ''}<p>Made of {many(lines, 'line')} by "
        f"openjd-adaptor-runtime {escape(version)}. This file is complete in itself and loads "
        "nothing.</p></footer>\n"
    )
