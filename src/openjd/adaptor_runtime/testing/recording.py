"""The recorder: makes the script of a fake application out of the log of a real run."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any

from .._log_reading.texts import NotText, Text
from . import _logs
from ._logs import Event
from .script import SIGNALS, Part, Script, ScriptError

# Less than that is no delay (seconds).
_LEAST_WAIT = 0.01
# So many lines stand in one step at most.
_LINES_AT_ONCE = 100
_RAISED = re.compile(
    r"^(?P<name>\S+) failed in the application: (?P<type>\w+): (?P<message>.*)", re.DOTALL
)
_DIED = re.compile(r" ended with .* while (?:performing|starting)")
# A script is held as a whole, and so are the events that it is made of: so much of them at most
# (characters), for which some hundred megabytes of memory are needed.
_MOST = 100_000_000
# As the runtime shows it, for what a rule has found in a line.
_PROGRESS_OF_RULES = re.compile(r"\d+\.\d")


class RecordError(ValueError):
    """No script can be made of a log; the message says why."""


def record(
    log: str | os.PathLike[str],
    *,
    scale: float = 1.0,
    writes: Iterable[str] = (),
) -> Script:
    """The script of a fake application that does what the application did in a real run.

    Args:
        log: a file: the session log (setting ``session_log``, JSON lines), which says most; what an
            adaptor's commands printed; or what ``openjd run`` printed.
        scale: what delays are multiplied by; 0 leaves them out. A log without times has none.
        writes: paths of files that each command writes, where the log does not tell; in the form
            of ``Part.writes``.

    Raises:
        RecordError: there is no application in the log, or it does not say what it did.
        OSError: the file cannot be read.
    """
    try:
        with open(log, "rb") as file:
            return _record(Text(file), scale, writes)
    except NotText as e:
        raise RecordError(f"{os.fspath(log)}: it {e}") from None
    except RecordError as e:
        raise RecordError(f"{os.fspath(log)}: {e}") from None


def record_text(text: str, *, scale: float = 1.0, writes: Iterable[str] = ()) -> Script:
    """The same, of a log's text.

    Raises:
        RecordError: see ``record``.
    """
    return _record(text.splitlines(), scale, writes)


def _record(lines: Iterable[str], scale: float, writes: Iterable[str]) -> Script:
    if not 0 <= scale < float("inf"):
        raise RecordError(f"a scale is 0 or more, not {scale!r}")
    try:
        found = list(_bounded(_logs.events(lines)))
    except ValueError as e:
        raise RecordError(str(e)) from None
    runs = _runs(found)
    if not runs:
        raise RecordError(
            "it tells of no application; a session log, the output of an adaptor's commands or of "
            "'openjd run' is expected, with its lines 'INFO: Running command: …'"
        )
    script = Script()
    knows_steps = any(event.kind == "begin" for event in found)
    recorder = _Recorder(script, scale, list(writes), knows_steps)
    try:
        for run in runs:
            recorder.add(run)
        recorder.finish()
    except ScriptError as e:
        raise RecordError(str(e)) from None
    return script


def _bounded(events: Iterable[Event]) -> Iterator[Event]:
    size = 0
    for event in events:
        size += 100 + (len(event.value) if isinstance(event.value, str) else 0)
        if size > _MOST:
            raise ValueError("it is too long to make a script of; record a shorter run")
        yield event


class _Run:
    """An application: what happened from its start to the next one's."""

    def __init__(self, start: Event) -> None:
        self.start = start
        self.arguments = _logs.arguments(start.value)[1:]
        self.events: list[Event] = []
        #: The files that were found when its task had ended.
        self.outputs: list[str] = []

    @property
    def has_client(self) -> bool:
        """Whether it answers actions."""
        if any(event.kind == "phase" for event in self.events):
            return True
        return any(
            PurePath(one.replace("\\", "/")).parts[-2:]
            == ("adaptor_runtime_client", "bootstrap.py")
            for one in self.arguments
        )

    @property
    def status(self) -> int | None:
        """Its exit status; None if the log does not say."""
        return next((event.value for event in self.events if event.kind == "end"), None)


def _runs(found: list[Event]) -> list[_Run]:
    runs: list[_Run] = []
    of_step = 0
    for event in found:
        if event.kind == "start":
            runs.append(_Run(event))
            continue
        if event.kind == "begin":
            of_step = len(runs)
        if event.kind == "output" and runs:
            # They are looked for when all commands of a task have run.
            of_task = [run for run in runs[of_step:] if _place(run.arguments, event.value)]
            (of_task or runs)[-1].outputs.append(event.value)
        if runs:
            runs[-1].events.append(event)
    return runs


class _Action:
    """An action that an application performed, and what happened meanwhile."""

    def __init__(self, name: str, began: float | None, step: int) -> None:
        self.name = name
        self.began = began
        #: The number of the step that it was performed in.
        self.step = step
        self.events: list[Event] = []
        #: How it ended, if it has not answered: the arguments of a method of ``Part``.
        self.end: tuple[str, tuple[Any, ...]] | None = None
        #: Which of the equal parts of a task it was, and of how many.
        self.index, self.parts = 0, 1


class _Recorder:
    """Makes the parts of a script.

    Args:
        script: what they are added to.
        scale: what delays are multiplied by.
        writes: what each command writes, where the log does not say.
        knows_steps: whether the log says when the session's steps begin and end.
    """

    def __init__(self, script: Script, scale: float, writes: list[str], knows_steps: bool) -> None:
        self._script = script
        self._scale = scale
        self._writes = writes
        self._knows_steps = knows_steps
        self._has_client = False

    def add(self, run: _Run) -> None:
        """Adds what an application did.

        Raises:
            RecordError: the log does not say it.
        """
        part = self._script.command(times=1)
        if not run.has_client:
            self._add_command(run, part)
            return
        if not self._knows_steps:
            raise RecordError(
                "its application has answered actions, and the log does not say which; the session "
                "log does: run it with OPENJD_ADAPTOR_SESSION_LOG=FILE in the environment"
            )
        self._has_client = True
        self._add_client(run, part)

    def finish(self) -> None:
        """What comes after all that was recorded."""
        # A further command is like the last one.
        self._script._commands[-1]._head.pop("times")
        if self._has_client:
            # Actions that were over at once do not stand in a log.
            self._script.action("*")

    def _add_command(self, run: _Run, part: Part) -> None:
        steps = _Steps(part, run.start.t, self._scale)
        asked = False
        # Whether what comes now may have been found by a rule, in the line before.
        found = False
        events = _until_end(run.events)
        for event in events:
            if event.kind in ("out", "err"):
                steps.line(event)
                found = True
            elif event.kind == "progress":
                # What a rule has found it will find again.
                if not found or not _PROGRESS_OF_RULES.fullmatch(event.value):
                    steps.line(event._replace(kind="out", value=f"openjd_progress: {event.value}"))
            elif event.kind != "status":
                asked = asked or event.kind == "asked"
                found = False
        verdicts = [event.value[0] for event in run.events if event.kind == "verdict"]
        if asked or verdicts[:1] == ["canceled"]:
            steps.end("hangs")
            return
        steps.pause(next((event.t for event in run.events if event.kind == "end"), None))
        end = _ending(run.status)
        places = [_place(run.arguments, path) for path in run.outputs]
        told = [place for place in places if place]
        for path in told or (self._writes if end is None and "failed" not in verdicts[:1] else []):
            steps.do("writes", path)
        if end is not None:
            steps.end(end[0], *end[1])
        steps.flush()

    def _add_client(self, run: _Run, part: Part) -> None:
        for action in _actions(run):
            if action.name:
                part = self._script.action(action.name, times=1)
            steps = _Steps(part, action.began, self._scale)
            for event in action.events:
                if event.kind in ("out", "err"):
                    steps.line(event)
                elif event.kind == "write":
                    steps.do("writes", event.value)
                elif event.kind == "status":
                    steps.pause(event.t)
                    steps.do("status", event.value)
                elif event.kind == "progress" and _number(event.value) is not None:
                    steps.pause(event.t)
                    percent = _number(event.value) or 0.0
                    own = percent * action.parts - 100 * action.index
                    steps.do("progress", round(min(max(own, 0.0), 100.0), 6))
                elif event.kind == "answer":
                    steps.pause(event.t)
            if action.end is not None:
                steps.end(action.end[0], *action.end[1])
            steps.flush()


def _until_end(events: list[Event]) -> list[Event]:
    """The events up to the application's end."""
    kinds = [event.kind for event in events]
    ends = [kinds.index(kind) for kind in ("end", "verdict") if kind in kinds]
    events = events[: min(ends)] if ends else list(events)
    if ends and kinds[min(ends)] == "end" and kinds.count("begin") == 0:
        # In a log without steps, the runtime's own word about a task that is done stands before.
        told = [at for at, event in enumerate(events) if event.kind == "progress"]
        if told and events[told[-1]].value == "100.0":
            del events[told[-1]]
    return events


def _actions(run: _Run) -> list[_Action]:
    """The application's beginning, as one without a name, and the actions that it performed."""
    current = _Action("", run.start.t, 0)
    actions = [current]
    outputs: dict[int, list[str]] = {}
    # Whether it is under way.
    active = True
    step = 0
    for event in run.events:
        if event.kind == "phase":
            if active and current.name:
                current.events.append(event._replace(kind="answer"))
            active = bool(event.value)
            if active:
                current = _Action(event.value, event.t, step)
                actions.append(current)
        elif event.kind in ("out", "err"):
            current.events.append(event)
        elif event.kind in ("progress", "status"):
            if active and current.name:
                current.events.append(event)
        elif event.kind == "output":
            outputs.setdefault(step, []).append(event.value)
        elif event.kind == "asked" and active and current.end is None:
            current.end = ("hangs", ())
        elif event.kind == "end" and active and current.end is None:
            current.end = _ending(event.value) or ("exits", (0,))
        elif event.kind == "verdict":
            current = _judge(event, current, actions, step, run)
            active = False
        elif event.kind == "begin":
            step += 1
    for number in range(step + 1):
        frames = _of_frames([one for one in actions if one.step == number and one.name])
        _split_task(frames)
        for action, path in zip(frames, outputs.get(number, [])):
            ending = PurePath(path).suffix
            if ending:
                # What its parameter is called the log does not say.
                action.events.insert(0, Event(None, "write", f"{{*{ending}}}"))
    return actions


def _judge(event: Event, current: _Action, actions: list[_Action], step: int, run: _Run) -> _Action:
    """What the verdict on a step says of its last action."""
    verdict, error = event.value
    if verdict != "failed" or not isinstance(error, str):
        return current
    raised = _RAISED.match(error)
    if raised:
        if current.name != raised["name"] or current.step != step:
            current = _Action(raised["name"], event.t, step)
            actions.append(current)
        current.end = ("raises", (raised["message"], raised["type"]))
    elif _DIED.search(error) and current.end is None:
        current.end = _ending(run.status) or ("exits", (0,))
    return current


def _split_task(frames: list[_Action]) -> None:
    """Finds out whether the progress of a task was put together of that of equal parts."""
    size = 100 / max(len(frames), 1)
    for index, action in enumerate(frames):
        told = [_number(e.value) or 0.0 for e in action.events if e.kind == "progress"]
        if any(not index * size - 0.1 <= one <= (index + 1) * size + 0.1 for one in told):
            return
    for index, action in enumerate(frames):
        action.index, action.parts = index, len(frames)


def _of_frames(actions: list[_Action]) -> list[_Action]:
    """Those with the name that most of them have: a frame each, say. Of as many, the last."""
    names = [action.name for action in actions]
    if not names:
        return []
    # What loads a scene stands before what is done with it.
    most = max(reversed(names), key=names.count)
    return [action for action in actions if action.name == most]


class _Steps:
    """Adds steps to a part, with what passed between them.

    Args:
        part: what they are added to.
        began: when it did (seconds), if that is known.
        scale: what delays are multiplied by.
    """

    def __init__(self, part: Part, began: float | None, scale: float) -> None:
        self._part = part
        self._last = began
        self._scale = scale
        self._verb = ""
        self._lines: list[str] = []

    def line(self, event: Event) -> None:
        """A line that was printed."""
        self.pause(event.t)
        verb = "print" if event.kind == "out" else "print_error"
        if verb != self._verb or len(self._lines) >= _LINES_AT_ONCE:
            self.flush()
        self._verb = verb
        self._lines.append(event.value)

    def pause(self, t: float | None) -> None:
        """It has become `t`."""
        if t is None or self._last is None:
            self._last = t if t is not None else self._last
            return
        seconds = (t - self._last) * self._scale
        if seconds >= _LEAST_WAIT:
            self.flush()
            self._part.waits(round(seconds, 3))
            self._last = t

    def do(self, method: str, *arguments: Any) -> None:
        """Another step, by the name of its method of ``Part``."""
        self.flush()
        getattr(self._part, method)(*arguments)

    end = do

    def flush(self) -> None:
        """Adds the lines that were held back to be one step."""
        if self._lines:
            verb = self._part.prints if self._verb == "print" else self._part.prints_error
            verb(*self._lines)
            self._lines = []


def _ending(status: int | None) -> tuple[str, tuple[Any, ...]] | None:
    """How an application ends with that exit status; None: by itself, when it is done."""
    if not status:
        return None
    if status < 0:
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = ""
        return ("crashes", (name,)) if name in SIGNALS else ("exits", (128 - status,))
    return "exits", (status,)


def _place(arguments: list[str], path: str) -> str | None:
    """Where arguments name a file, in the form of a script; None if they do not."""
    for at, argument in reversed(list(enumerate(arguments))):
        name, separator, value = argument.partition("=")
        if separator and name.startswith("-") and _is(value, path):
            return f"{{{name}}}"
        if _is(argument, path):
            before = arguments[at - 1] if at else ""
            if at == len(arguments) - 1:
                return "{-1}"
            if before.startswith("-") and arguments.index(before) == at - 1:
                return f"{{{before}}}"
            return f"{{{at + 1}}}"
    return None


def _is(argument: str, path: str) -> bool:
    argument = argument[len("file:") :] if argument.startswith("file:") else argument
    # A relative one begins at a folder that the log does not tell.
    return bool(argument) and (argument == path or path.endswith("/" + argument.lstrip("./")))


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value <= 100 else None
