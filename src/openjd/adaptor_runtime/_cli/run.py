"""The command ``run``: a whole session with one task, in this process."""

from __future__ import annotations

import os
import sys
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from openjd.adaptor_runtime_client.wire.messages import encode_text

from .. import _output, _stdout
from .._data import load_data
from .._logging import configure_logging
from .._platform import on_cancel_signals
from .._session import CLEANUP, RUN, START, STOP, Outcome, Session, Step, new_adaptor
from ..adaptors.configuration import runtime_configuration_manager

if TYPE_CHECKING:
    import argparse

    from .. import EntryPoint

_SIGNAL = object()


def main(entry_point: EntryPoint, options: argparse.Namespace) -> int:
    """Runs the command and returns the exit status."""
    init_data = load_data(options.init_data, "--init-data")
    run_data = load_data(options.run_data, "--run-data")
    rules = options.path_mapping_rules
    path_mapping_data = load_data(rules, "--path-mapping-rules") if rules else {}
    config = runtime_configuration_manager().build_config()

    stdout = sys.stdout
    fd = os.dup(1)
    output = _output.Output(_writer(fd))
    _output.set_current(output)
    stdout.flush()
    sys.stdout = _output.PrintStream(output, 1)
    configure_logging(output, config.log_level, entry_point.module)
    events: SimpleQueue[Any] = SimpleQueue()
    on_cancel_signals(lambda: events.put(_SIGNAL))
    session = Session(
        lambda: new_adaptor(entry_point, init_data, path_mapping_data, config),
        output,
        lambda step: events.put(_stuck(step)),
    )
    try:
        return _run(session, events, run_data, fd)
    finally:
        session.close()
        sys.stdout = stdout
        _output.set_current(None)


def _stuck(step: Step) -> Outcome:
    return Outcome(
        False, error=f"the adaptor did not react to the cancel while its {step.name} step was "
        "under way; it is ended without cleaning up"
    )  # fmt: skip


def _run(session: Session, events: SimpleQueue[Any], run_data: dict[str, Any], fd: int) -> int:
    worst: Outcome | None = None
    canceled = 0
    for name in (START, RUN, STOP):
        if worst is not None and name != STOP:
            continue
        if worst is not None and not worst.canceled:
            # After an error nothing is asked of the adaptor but to leave nothing behind.
            name = CLEANUP
        step = Step(name, events.put, run_data)
        session.submit(step)
        while True:
            event = events.get()
            if event is not _SIGNAL:
                break
            canceled += 1
            text = f"INFO: Interruption signal received{', hurrying' if canceled > 1 else ''}\n"
            # A stdout that nobody reads must not keep the cancel from the adaptor.
            said = _said(fd, text)
            session.cancel(step, hurry=canceled > 1)
            if not said:
                sys.stdout.write(text)
        if not step.done.is_set():
            print(f"openjd_fail: {event.error}")
            sys.stdout.flush()
            session.close()
            os._exit(1)
        if not event.ok:
            worst = worst or event
            if name == START:
                break  # The session has cleaned up already.
    if worst is not None and worst.canceled:
        print("INFO: Canceled")
    return 0 if worst is None else 1


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
