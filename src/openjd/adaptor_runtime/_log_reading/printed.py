"""What was printed: the output of our commands, and the log of ``openjd run`` around it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from . import stamps
from .building import Builder
from .levels import split_level
from .model import CANCELED, FAILED, OK, Line, Log, Step
from .stamps import Form
from .texts import seen

_ENGINE = "Open Job Description CLI: "
_BANNER = re.compile(r"={40,}$")
_TITLE = re.compile(r"-{9} (.*)")
_RULE = re.compile(r"-{40,}$")
_PARAMETER = re.compile(r"(\w+)\(([A-Z\[\]]+)\) = (.*)")
_STARTED = re.compile(r"Command started as pid: \d+$")
_EXITED = re.compile(
    r"Process pid \d+ exited with code: (-?\d+) \(unsigned\) / \S+ \(hex\)(?: / (-?\d+))?"
)
_NOISE = re.compile(r"Phase: |Running command |Output:$|Parameter values:$|Command started as pid")
_DOING = re.compile(r"Error encountered while (starting|running|stopping|cleaning up) adaptor: ")
_OF_DOING = {"starting": "start", "running": "run", "stopping": "stop", "cleaning up": "stop"}
_PROGRESS = "openjd_progress: "
_STATUS = "openjd_status: "
_FAIL = "openjd_fail: "


def read(lines: Iterable[str], log: Log, form: Form | None) -> None:
    """Adds to `log` what the lines say.

    Args:
        form: that of the times in front of the lines.
    """
    log.dated = form is not None and form.dated
    _Printed(log, form).read(lines)


def _is_over(step: Step) -> bool:
    """Whether the task has nothing more to do."""
    return step.fails.count > 0 or (step.progress.last or 0) >= 100


class _Printed:
    def __init__(self, log: Log, form: Form | None) -> None:
        self.log = log
        self.form = form
        self.build = Builder(log, "output")
        self.number = 0
        self.time: float | None = None
        #: What makes a date out of a time since the session's start.
        self.offset = 0.0
        self.guessed = False
        # Of ``openjd run``: it was seen, a banner is open, parameters follow, the step's name.
        self.engine = False
        self.banner = False
        self.parameters: list[str] | None = None

    def read(self, lines: Iterable[str]) -> None:
        for raw in lines:
            self.number += 1
            text = raw
            if self.form is not None:
                match = self.form.regex.match(raw)
                time = self.form.seconds(match) if match is not None else None
                if match is not None and time is not None:
                    self.time = time + self.offset
                    text = raw[match.end() :]
            if text and not text.isspace():
                self.take(text)
        self.log.lines = self.number
        if self.build.step is not None and not self.engine:
            self.build.step.end = self.time
            self.build.end_step(self.time, None)
        self.build.end_session(self.time, ended=False)
        if self.form is None:
            self.log.notes.append(
                "it has no times, so nothing is known of durations "
                "(the setting session_log keeps a log that has)"
            )
        if self.guessed:
            self.log.notes.append(
                "it does not say where tasks begin; each time that progress starts anew "
                "is taken for one"
            )

    def take(self, text: str) -> None:
        """A line, without the time in front of it."""
        text = seen(text)
        if text.startswith(_ENGINE):
            self.by_engine(text[len(_ENGINE) :], text)
            return
        if self.banner or _BANNER.match(text):
            self.in_banner(text)
            return
        if self.engine and self.of_frame(text):
            return
        level, words = split_level(text)
        line = Line(self.number, self.time, level, words)
        if not self.engine:
            self.place(line)
        self.build.take(line)
        if level == "message":
            self.message(line, words)
        elif level == "INFO" and words.startswith("Running command: "):
            self.build.application(self.time, 0, words[len("Running command: ") :])
        elif level == "INFO" and words.startswith("Interruption signal received"):
            self.current_or_outside().interrupted = line
        elif level == "INFO" and words == "Canceled" and not self.engine:
            self.build.end_step(self.time, CANCELED)
        elif level == "" and words.startswith("openjd_env: OPENJD_ADAPTOR_SOCKET="):
            self.build.current(self.time)

    def message(self, line: Line, words: str) -> None:
        """A message for the scheduler."""
        if words.startswith(_PROGRESS):
            try:
                percent = float(words[len(_PROGRESS) :])
            except ValueError:
                return
            if math.isfinite(percent):
                self.build.progress(self.time, percent)
        elif words.startswith(_STATUS):
            self.build.status(self.time, words[len(_STATUS) :][:300])
        elif words.startswith(_FAIL):
            self.build.fail(Line(line.number, line.time, "message", words[len(_FAIL) :]))

    def current_or_outside(self) -> Step:
        """The step under way, or the lines that are in none."""
        return self.build.step or self.build.current(self.time).outside

    # Where nobody says what begins.

    def place(self, line: Line) -> None:
        """Begins a step where this line shows that one begins."""
        step = self.build.step
        if line.level == "INFO" and line.text == "Starting the adaptor's daemon":
            self.build.end_session(self.time, ended=False)
            self.build.begin_session(self.time)
            self.begin("start", self.time)
            return
        doing = _DOING.match(line.text[len(_FAIL) :]) if line.text.startswith(_FAIL) else None
        if doing is not None and line.level == "message":
            kind = _OF_DOING[doing[1]]
            if step is None or step.fails.count or step.kind != kind:
                # What came before it is not known to be of another step.
                tail = (step or self.build.current(self.time).outside).tail
                self.begin(kind, self.time)
                self.current_or_outside().tail.extend(tail)
            return
        if line.level == "message" and line.text.startswith(_PROGRESS):
            try:
                percent = float(line.text[len(_PROGRESS) :])
            except ValueError:
                return
            last = None if step is None else step.progress.last
            if step is None or step.kind == "start" or (last is not None and percent < last):
                self.guess()
        elif line.level == "INFO" and line.text.startswith("Running command: "):
            # In the foreground nothing is said before it.
            if step is None and self.build.session is None:
                self.begin("start", self.time)
            elif step is not None and step.kind == "run" and _is_over(step):
                self.guess()

    def guess(self) -> None:
        """A task begins here, as far as can be seen."""
        self.guessed = True
        self.begin("run", self.time)

    def begin(self, kind: str, time: float | None) -> None:
        """A step begins, which shows that the one before has gone well, if it did not fail."""
        self.build.went_on()
        self.build.begin_step(kind, time)

    # The log of openjd run.

    def by_engine(self, words: str, whole: str) -> None:
        """What the command line of the engine says."""
        self.engine = True
        line = Line(self.number, self.time, "engine", words)
        if words.startswith("Session start"):
            self.build.source = "openjd run"
            self.set_clock(words.rpartition(" ")[2])
            session = self.build.begin_session(self.time)
            session.source = "openjd run"
            return
        session = self.build.current(self.time)
        session.source = "openjd run"
        session.end = self.time if self.time is not None else session.end
        if words.startswith("Running job "):
            session.job = words[len("Running job ") :].strip("'")
        elif words.startswith("Running step ") and " · " not in session.job:
            session.job += " · " + words[len("Running step ") :].strip("'")
        elif words.startswith(("ERROR ", "Session terminated")):
            session.engine_result = line
            session.outside.engine.add(line)
        elif words.startswith("All actions completed successfully"):
            session.engine_result = line
        elif words.startswith("Local Session ended"):
            self.build.finish_session(self.time)

    def set_clock(self, date: str) -> None:
        """Times since the session's start become dates, by the date of its start."""
        if self.form is None or self.form.dated or self.time is None:
            return
        at = stamps.date_of(date)
        if at is not None:
            self.offset = at - (self.time - self.offset)
            self.time = at
            self.log.dated = True

    def in_banner(self, text: str) -> None:
        """A line that may be in a banner: a line of ``=``, a title, a line of ``=``."""
        title = _TITLE.match(text) if self.banner else None
        if title is not None:
            self.engine = True
            self.build.source = "openjd run"
            self.title(title[1])
        self.banner = not self.banner if _BANNER.match(text) else self.banner and title is not None

    def title(self, title: str) -> None:
        """What the engine does next."""
        self.parameters = None
        if title.startswith("Entering Environment: "):
            self.build.begin_step("start", self.time, name=title.partition(": ")[2])
        elif title.startswith("Exiting Environment: "):
            self.build.begin_step("stop", self.time, name=title.partition(": ")[2])
        elif title.startswith("Running Task"):
            self.build.begin_step("run", self.time)
            self.parameters = []
        else:
            self.build.begin_step("cleanup", self.time, name=title)
        self.build.current(self.time).source = "openjd run"

    def of_frame(self, text: str) -> bool:
        """Takes what the engine says around an action; says whether the line was such."""
        step = self.build.step
        if step is None:
            return False
        if self.parameters is not None:
            match = _PARAMETER.match(text)
            if match is not None:
                if len(self.parameters) < 8:
                    self.parameters.append(f"{match[1]} {match[3]}")
                    step.name = ", ".join(self.parameters)[:300]
                return True
        if _STARTED.match(text):
            step.begin = self.time if self.time is not None else step.begin
            self.parameters = None
            return True
        match = _EXITED.match(text)
        if match is not None:
            self.exited(int(match[2] or match[1]))
            return True
        line = Line(self.number, self.time, "engine", text)
        if text.startswith("TIMEOUT - "):
            step.timed_out = line
            step.take(line)
            return True
        if text.startswith(("Canceling subprocess ", "INTERRUPT: ", "Process failed to start: ")):
            if step.interrupted is None and text.startswith("Canceling"):
                step.interrupted = line
            step.engine.add(line)
            step.take(line)
            return True
        return bool(_RULE.match(text) or _NOISE.match(text))

    def exited(self, status: int) -> None:
        """The command of an action has ended."""
        step = self.build.step
        assert step is not None
        if step.timed_out is not None:
            verdict = FAILED
        elif step.interrupted is not None or any(
            line.level == "INFO" and line.text == "Canceled" for line in step.tail
        ):
            verdict = CANCELED
        else:
            verdict = OK if status == 0 else FAILED
        self.build.end_step(self.time, verdict, status=status)
