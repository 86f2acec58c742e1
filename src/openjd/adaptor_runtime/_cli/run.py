"""The command ``run``: a whole session with one task, in this process."""

from __future__ import annotations

import os
import sys
import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from openjd.adaptor_runtime_client.wire.messages import encode_text

from .. import _journal, _output, _session_folder, _stdout, _vital
from .._cancel_info import Notice, Notices
from .._daemon import guardian
from .._data import load_data
from .._fields import read_fields
from .._logging import configure_logging
from .._platform import on_cancel_signals
from .._session import (
    CLEANUP,
    RUN,
    START,
    STOP,
    Outcome,
    Session,
    Step,
    end_applications,
    new_adaptor,
)
from .._stacks import describe_threads
from ..adaptors.configuration import runtime_configuration_manager

if TYPE_CHECKING:
    import argparse

    from .. import EntryPoint

_SIGNAL = object()
# The task's part of the time for a cancel; on_stop and on_cleanup have the rest.
_TASK_SHARE = 2 / 3


def main(entry_point: EntryPoint, options: argparse.Namespace) -> int:
    """Runs the command and returns the exit status."""
    init_data = load_data(options.init_data, "--init-data")
    init_data.update(read_fields(options.init_field, "--init-field"))
    run_data = load_data(options.run_data, "--run-data")
    run_data.update(read_fields(options.run_field, "--run-field"))
    rules = options.path_mapping_rules
    path_mapping_data = load_data(rules, "--path-mapping-rules") if rules else {}
    config = runtime_configuration_manager().build_config()

    stdout = sys.stdout
    fd = os.dup(1)
    output = _output.Output(_writer(fd))
    _output.set_current(output)
    _journal.begin(entry_point, "foreground", output, config.session_log)
    stdout.flush()
    sys.stdout = _output.PrintStream(output, 1)
    configure_logging(output, config.log_level, entry_point.module)
    events: SimpleQueue[Any] = SimpleQueue()
    notices = Notices(time.monotonic())
    on_cancel_signals(lambda: events.put(_SIGNAL))
    _vital.last_words = lambda error: os.write(
        fd, f"openjd_fail: the session cannot go on: {type(error).__name__}: {error}\n".encode()
    )
    _session_folder.make_with(guardian.folder_in_foreground)
    session = Session(
        lambda: new_adaptor(entry_point, init_data, path_mapping_data, config),
        output,
        lambda step: events.put(_stuck(step, output)),
    )
    try:
        with _stdout.Progress(fd):
            return _run(session, events, notices, run_data, fd)
    finally:
        session.close()
        _journal.end()
        _session_folder.close()
        sys.stdout = stdout
        _output.set_current(None)


def _stuck(step: Step, output: _output.Output) -> Outcome:
    error = f"{step.stuck_because}; it is ended without cleaning up"
    output.log("ERROR", f"{error}. What its threads do:\n")
    for thread in describe_threads():
        output.log("ERROR", f"{thread}\n")
    if not step.given_up:
        # What was given up has been told of.
        output.write(f"openjd_fail: {error}\n")
    return Outcome(False, error=error)


def _run(
    session: Session,
    events: SimpleQueue[Any],
    notices: Notices,
    run_data: dict[str, Any],
    fd: int,
) -> int:
    worst: Outcome | None = None
    for name in (START, RUN, STOP):
        if worst is not None and name != STOP:
            continue
        if worst is not None and not worst.canceled:
            # After an error nothing is asked of the adaptor but to leave nothing behind.
            name = CLEANUP
        step = Step(name, events.put, run_data)
        if notices.end is not None:
            session.cancel(step, seconds=notices.end - time.monotonic())
        session.submit(step)
        while True:
            event = events.get()
            if event is not _SIGNAL:
                break
            notice = notices.take()
            if notice is not None:
                _cancel(session, step, notice, notices, fd)
        if not step.done.is_set():
            sys.stdout.flush()
            session.close()
            _journal.end()
            _stdout.end_progress()
            os._exit(1)
        if not event.ok:
            worst = worst or event
            if name == START:
                break  # The session has cleaned up already.
    if worst is not None and worst.canceled:
        print("INFO: Canceled")
    return 0 if worst is None else 1


def _cancel(session: Session, step: Step, notice: Notice, notices: Notices, fd: int) -> None:
    text = f"INFO: {notice}\n"
    # A stdout that nobody reads must not keep the cancel from the adaptor.
    said = _said(fd, text)
    seconds = notice.seconds
    if seconds is not None and step.name == RUN:
        seconds *= _TASK_SHARE
    session.cancel(step, notice.hurry, seconds)
    if notices.answer_by is not None:
        # Threads and exit functions of the adaptor's may hold up even the end of the process.
        timer = threading.Timer(notices.answer_by - time.monotonic(), _end_now)
        timer.daemon = True
        timer.start()
    if not said:
        sys.stdout.write(text)


def _end_now() -> None:
    end_applications()
    os._exit(1)


def _said(fd: int, text: str) -> bool:
    try:
        return _stdout.write_unless_blocked(fd, text.encode())
    except OSError:
        return True  # Nobody reads any more.


def _writer(fd: int) -> Any:
    """Writes text to `fd` as UTF-8; when nobody reads any more there is nobody to tell."""

    def write(block: str) -> None:
        try:
            _stdout.write(fd, encode_text(block))
        except OSError:
            pass

    return write
