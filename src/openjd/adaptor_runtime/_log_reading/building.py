"""Makes the model of what the readers find, event by event."""

from __future__ import annotations

from .model import (
    CANCELED,
    FAILED,
    MOST_FAILED,
    MOST_STEPS,
    OK,
    Application,
    Line,
    Log,
    Session,
    Step,
)

_MOST_SESSIONS = 500
_MOST_APPLICATIONS = 500


class Builder:
    """A log under construction.

    Attributes:
        session: the session that the log is about at this place.
        step: the step of it that is under way, if there is one.
    """

    def __init__(self, log: Log, source: str) -> None:
        self.log = log
        self.source = source
        self.session: Session | None = None
        self.step: Step | None = None
        self._tasks = 0

    # Sessions.

    def begin_session(self, time: float | None) -> Session:
        """A session begins; one that has not ended is over."""
        self.end_session(time=None, ended=False)
        self.session = Session(self.log.path, self.source, begin=time)
        self._tasks = 0
        if len(self.log.sessions) < _MOST_SESSIONS:
            self.log.sessions.append(self.session)
        elif len(self.log.sessions) == _MOST_SESSIONS:
            self.log.notes.append(f"only its first {_MOST_SESSIONS} sessions are looked at")
        return self.session

    def current(self, time: float | None = None) -> Session:
        """The session that the log is about; made where nothing has said that it begins."""
        return self.session or self.begin_session(time)

    def end_session(self, time: float | None, ended: bool = True) -> None:
        """The session is over; not `ended`: the log says nothing of its end."""
        if self.session is None:
            return
        if self.step is not None:
            self._leave_step(None)
        self.session.ended = self.session.ended or ended
        if time is not None:
            self.session.end = time
        self.session = None

    def finish_session(self, time: float | None) -> None:
        """The session has ended; what the log has to say yet is about it."""
        session = self.current(time)
        if self.step is not None:
            self._leave_step(time)
        session.ended = True
        session.end = time if time is not None else session.end

    # Steps.

    def begin_step(
        self, kind: str, time: float | None, number: int | None = None, name: str = ""
    ) -> Step:
        """A step begins; one that has not ended is over."""
        session = self.current(time)
        if self.step is not None:
            self._leave_step(time)
        session.reach(time)
        if kind == "run":
            self._tasks = self._tasks + 1 if number is None else number
        self.step = Step(kind, self._tasks if kind == "run" else 0, name, begin=time)
        if len(session.steps) < MOST_STEPS:
            session.steps.append(self.step)
        else:
            session.more_steps += 1
        return self.step

    def end_step(
        self, time: float | None, verdict: str | None, error: str = "", status: int | None = None
    ) -> None:
        """The step that is under way has ended."""
        step = self.step
        if step is None:
            return
        step.error = step.error or error
        step.exit_status = status
        if step.fails.count and verdict != CANCELED:
            verdict = FAILED
        step.verdict = verdict
        self._leave_step(time)

    def _leave_step(self, time: float | None) -> None:
        session, step = self.session, self.step
        assert session is not None and step is not None
        step.end = time
        session.reach(time)
        step.close_span(time)
        if step.verdict is None and step.fails.count:
            step.verdict = FAILED
        if not step.before and step.verdict in (FAILED, CANCELED, None):
            step.before = list(step.tail)
        step.slim()
        if session.more_steps and step is not session.steps[-1] and step.verdict == FAILED:
            if len(session.steps) < MOST_STEPS + MOST_FAILED:
                session.steps.append(step)
                session.more_steps -= 1
            else:
                session.more_failed += 1
        self.step = None

    # What happens.

    def take(self, line: Line) -> None:
        """A line, whatever it says."""
        session = self.current(line.time)
        step = self.step or session.outside
        step.take(line)
        session.reach(line.time)
        if line.level in ("WARNING", "ERROR", "CRITICAL"):
            step.warnings.add(line)

    def fail(self, line: Line) -> None:
        """The scheduler was told of a failure."""
        (self.step or self.current(line.time).outside).fail(line)

    def progress(self, time: float | None, percent: float) -> None:
        """How far the task is."""
        if self.step is not None:
            self.step.progress.add(time, percent)

    def status(self, time: float | None, text: str) -> None:
        """What the adaptor or the application does."""
        if self.step is None:
            return
        self.step.status = text
        if self.step.kind == "start":
            self.step.open_span(text, time)

    def application(self, time: float | None, pid: int, command: str) -> None:
        """An application starts."""
        session = self.current(time)
        session.application_starts += 1
        if len(session.applications) < _MOST_APPLICATIONS:
            session.applications.append(Application(time, pid, command))
        if self.step is not None and self.step.kind == "start":
            self.step.open_span("starting the application", time)

    def application_ended(self, time: float | None, pid: int, status: int | None) -> None:
        """An application has ended."""
        for one in reversed(self.current(time).applications):
            if one.pid == pid and one.end is None:
                one.end, one.status = time, status
                return

    def went_on(self) -> None:
        """What is under way has gone well: the log goes on with something else."""
        if self.step is not None and self.step.verdict is None and not self.step.fails.count:
            self.step.verdict = OK
