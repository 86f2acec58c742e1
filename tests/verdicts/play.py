"""Plays a row of the table in a session of this process: real applications, the real Session."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

import psutil
import pytest
from apps.drive import LIMIT, await_end

from openjd.adaptor_runtime import EntryPoint, _output, _session
from openjd.adaptor_runtime._logging import RUNTIME_LOGGER, configure_logging
from openjd.adaptor_runtime._platform import ProcessHandle
from openjd.adaptor_runtime._session import CLEANUP, RUN, START, STOP, Outcome, Session, Step
from openjd.adaptor_runtime.adaptors import AdaptorState
from openjd.adaptor_runtime.adaptors.configuration import runtime_configuration_manager
from openjd.adaptor_runtime.application import adaptor as application_adaptor
from openjd.adaptor_runtime.application import supervised, watch
from openjd.adaptor_runtime.application_ipc import calls
from openjd.adaptor_runtime.process import logging_subprocess

from .table import CANCELED, FAILED, GOOD, OK, Row

MARK = "VERDICTS_MARK"
#: What takes its time, in seconds, takes less here.
_SHORTER = (
    (application_adaptor, "GIVE_UP_GRACE", 0.3),
    (supervised, "GIVE_UP_GRACE", 0.3),
    (application_adaptor, "_MARK_LIMIT", 0.5),
    (calls, "LAST_WORD", 0.5),
    (calls, "HANDOVER", 0.2),
    (logging_subprocess, "DRAIN_SECONDS", 0.3),
    (watch, "SAMPLE_SECONDS", 0.1),
)
FAIL = "openjd_fail: "
# Threads of a session, which end with it.
_THREADS = {"adaptor", "application server", "application's end", "give up", "watch", "calls"}


class Scene(NamedTuple):
    """A step of a session, how it ended, and what was shown meanwhile."""

    name: str
    outcome: Outcome
    text: str

    @property
    def verdict(self) -> str:
        """OK, FAILED or CANCELED."""
        return OK if self.outcome.ok else CANCELED if self.outcome.canceled else FAILED

    @property
    def fails(self) -> list[str]:
        """What the openjd_fail lines say, as an engine finds them."""
        lines = (line.lstrip() for line in self.text.split("\n"))
        return [line[len(FAIL) :] for line in lines if line.startswith(FAIL)]


class Text:
    """All that a session shows."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        #: When each piece came.
        self.times: list[float] = []
        self._changed = threading.Condition()
        self.ended = False

    def add(self, block: str) -> None:
        """The sink of an Output."""
        with self._changed:
            self._pieces.append(block)
            self.times.append(time.monotonic())
            self._changed.notify_all()

    def __str__(self) -> str:
        return "".join(self._pieces)

    def when(self, words: str) -> float:
        """When they were last shown."""
        return next(
            moment
            for moment, piece in zip(reversed(self.times), reversed(self._pieces))
            if words in piece
        )

    def wait(self, words: str) -> None:
        """Blocks until they were shown."""
        with self._changed:
            self._changed.wait_for(lambda: words in str(self) or self.ended, LIMIT)
            assert words in str(self), f"{words!r} does not come: {self}"

    def end(self) -> None:
        """Nothing that a ``wait`` waits for will come any more."""
        with self._changed:
            self.ended = True
            self._changed.notify_all()


def play(row: Row, place: Path, monkeypatch: pytest.MonkeyPatch) -> list[Scene]:
    """Plays the row and returns what came of it; nothing may be left of it.

    Args:
        place: a folder with ``home`` and ``tmp``, which the environment names.
    """
    for module, name, seconds in _SHORTER:
        monkeypatch.setattr(module, name, seconds)
    mark = marking(monkeypatch)
    out = prepare(row, place)
    before = set(threading.enumerate())
    with shown() as (text, output):
        scenes = Stage(row, out, text, output).play()
    _nothing_is_left(mark, place, before, scenes)
    return scenes


def marking(monkeypatch: pytest.MonkeyPatch) -> str:
    """What is started from now on has the mark that is returned."""
    mark = uuid.uuid4().hex
    monkeypatch.setenv(MARK, mark)
    # As in a daemon, where nobody else than the runtime listens.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    # It would keep all of the applications' output from being held back.
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    return mark


def prepare(row: Row, place: Path) -> Path:
    """Makes the folder for outputs, with what is there before, and the site's configuration."""
    out = place / "out"
    out.mkdir()
    for name, content in row.there.items():
        path = out / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    if row.site:
        folder = place / "home" / ".openjd" / "adaptors" / row.adaptor
        folder.mkdir(parents=True)
        (folder / f"{row.adaptor}.json").write_text(json.dumps(row.site))
    return out


def judge(row: Row, scenes: list[Scene]) -> None:
    """The table is right about what was played."""
    shown = "\n".join(f"--- {s.name}: {s.outcome}\n{s.text}" for s in scenes)
    place = {"start": 0, "stop": len(scenes) - 1}.get(row.at, len(row_tasks(row)))
    for index, scene in enumerate(scenes):
        verdict = row.verdict if index == place else OK
        assert scene.verdict == verdict, f"{scene.name} ({index}): {scene.verdict}\n{shown}"
        expected = 1 if verdict == FAILED else 0
        own = row.own_fails if index == place else 0
        # Where the application has told the scheduler, nobody else needs to.
        most = own + expected
        told = len(scene.fails)
        assert max(own, expected) <= told <= most, f"{scene.name} ({index}): {scene.fails}\n{shown}"
    scene = scenes[place]
    for words in row.words:
        found = any(words in line for line in scene.fails)
        assert found, f"{words!r} is not in {scene.fails}\n{shown}"
    for words in row.shows:
        assert words in scene.text, f"{words!r} is not in\n{shown}"
    whole = "".join(s.text for s in scenes)
    for words in row.never:
        assert words not in whole, f"{words!r} is in\n{shown}"
    env = [line for line in whole.split("\n") if line.lstrip().startswith("openjd_env:")]
    assert not env, f"an application has set variables: {env}"


def row_tasks(row: Row) -> list[dict[str, Any]]:
    """The run data of the row's tasks."""
    if row.adaptor == "FakeCommand":
        return [{"task": 0, **row.run_data}]
    return [{"task": index, **row.run_data} for index in range(len(row.tasks))]


class Stage:
    """A session under way."""

    def __init__(self, row: Row, out: Path, text: Text, output: _output.Output) -> None:
        self.row = row
        self.text = text
        self.stuck: SimpleQueue[Step] = SimpleQueue()
        init_data = {"row": row.id, "out": str(out), **row.init_data}
        entry_point = EntryPoint(f"verdicts.stage:{row.adaptor}")
        config = runtime_configuration_manager().build_config()
        self.session = Session(
            lambda: _session.new_adaptor(entry_point, init_data, {}, config), output, self.stuck.put
        )

    def play(self) -> list[Scene]:
        row = self.row
        scenes = []
        try:
            scenes.append(self.step(START, at=row.at == "start"))
            if not scenes[-1].outcome.ok or row.at == "start":
                return scenes
            tasks = row_tasks(row)
            for index, run_data in enumerate(tasks):
                last = index == len(tasks) - 1
                if last and row.between:
                    self.between()
                scenes.append(self.step(RUN, run_data, at=last and row.at == "run"))
            if row.at == "run" and row.then:
                scenes.append(self.step(RUN, {"task": GOOD}))
            scenes.append(self.step(STOP, at=row.at == "stop"))
        finally:
            self.leave()
        return scenes

    def leave(self) -> None:
        """Ends the session, wherever it is."""
        if self.session.state is not AdaptorState.CLEANUP:
            self.session.submit(Step(CLEANUP, lambda outcome: None))
        self.session.close()
        for thread in threading.enumerate():
            if thread.name == "adaptor":
                thread.join(LIMIT)

    def step(self, name: str, run_data: dict[str, Any] | None = None, at: bool = False) -> Scene:
        done: SimpleQueue[Outcome] = SimpleQueue()
        seen = len(str(self.text))

        def on_done(outcome: Outcome) -> None:
            done.put(outcome)
            if at:
                self.text.end()

        step = Step(name, on_done, run_data)
        cancel = self.row.cancel if at else ""
        if cancel == "before":
            self.session.cancel(step)
        self.session.submit(step)
        if cancel in ("ask", "hurry"):
            self.text.wait("READY")
            self.session.cancel(step)
            if cancel == "hurry":
                self.text.wait("Asking process")
                self.session.cancel(step)
        outcome = done.get(timeout=LIMIT)
        return Scene(name, outcome, str(self.text)[seen:])

    def between(self) -> None:
        runner = self.session._runner
        assert runner is not None
        names = {
            "adaptor": runner.adaptor,
            "os": os,
            "signal": signal,
            "text": self.text,
            "gone": _gone,
            "lost": _lost,
        }
        exec(self.row.between, names)


def _gone(pid: int) -> None:
    """Blocks until the process has ended; whether the adaptor has seen that is another matter."""
    try:
        handle = ProcessHandle(pid)
    except ProcessLookupError:
        return
    assert handle.wait(LIMIT)
    handle.close()


def _lost(adaptor: Any) -> None:
    """Blocks until the adaptor has seen that the client is gone."""
    adaptor._calls.wait_until_gone(LIMIT)
    assert not adaptor._calls.is_connected


@contextmanager
def shown() -> Iterator[tuple[Text, _output.Output]]:
    """What ``run`` makes of this process: all output passes the Output."""
    text = Text()
    output = _output.Output(text.add)
    stdout = sys.stdout
    _output.set_current(output)
    sys.stdout = _output.PrintStream(output, 1)
    configure_logging(output, "INFO", "verdicts")
    try:
        yield text, output
    finally:
        for name in (RUNTIME_LOGGER, "verdicts"):
            logger = logging.getLogger(name)
            logger.setLevel(logging.NOTSET)
            for handler in [h for h in logger.handlers if type(h) is _output.LogHandler]:
                logger.removeHandler(handler)
        sys.stdout = stdout
        _output.set_current(None)


def _nothing_is_left(
    mark: str, place: Path, before: set[threading.Thread], scenes: list[Scene]
) -> None:
    for process in marked(mark):
        command = shown_command(process)
        assert _dies(process), f"{command} was left alive\n{scenes}"
    left = sorted(path.name for path in (place / "tmp").iterdir())
    assert left == [], f"files were left: {left}"
    for thread in set(threading.enumerate()) - before:
        if thread.name in _THREADS:
            thread.join(LIMIT)
            assert not thread.is_alive(), f"the thread {thread.name} was left\n{scenes}"


def _dies(process: psutil.Process) -> bool:
    """Whether it was killed, and is on its way; it is dead in any case."""
    try:
        handle = ProcessHandle(process.pid)
    except ProcessLookupError:
        return True
    died = handle.wait(2)
    handle.close()
    if not died:
        process.kill()
        await_end(process)
    return died


def shown_command(process: psutil.Process) -> str:
    """Its command line, if it has not ended meanwhile."""
    try:
        return str(process.cmdline())
    except psutil.Error:
        return str(process)


def marked(mark: str) -> list[psutil.Process]:
    """The processes with that mark in their environment that live at this moment."""
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue  # Windows shows how its environment is now.
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found
