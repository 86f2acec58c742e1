"""What never ends is ended: the limits of five seconds, waited for at the same time."""

from __future__ import annotations

import json

from apps.drive import Host, Session, is_gone
from apps.gates import Gate

FOR_EVER = "threading.Event().wait()"


def test_what_never_ends(host: Host, gate: Gate) -> None:
    """Cancels that nothing reacts to, and an exit function that hangs: each has its end.

    An adaptor that goes on although it was cancelled twice: in a daemon what its threads do is
    shown, and the daemon ends without it; in the foreground the command does. An exit function
    that never returns does not keep a daemon whose session is over.
    """
    deaf = Session(host)
    deaf.start(cancel="pass")
    deaf_daemon = deaf.daemon()
    task = deaf.begin_run(f"knock = gates.Knock({gate.port}); {FOR_EVER}")
    in_task = gate.wait()
    task.cancel()

    foreground = host.begin(
        *("-m", "obedient", "run", "--init-data", '{"cancel": "pass"}', "--run-data"),
        json.dumps({"do": f"gates.Knock({gate.port}); {FOR_EVER}"}),
    )
    gate.wait()
    foreground.cancel()

    hanging = Session(host)
    hanging.file = host.folder / "hanging.json"
    hanging.start(start="import atexit; atexit.register(threading.Event().wait)")
    hanging_daemon = hanging.daemon()

    task.until("Canceling")
    task.cancel()
    foreground.until("Canceling")
    foreground.cancel()
    stop = hanging.begin("stop")
    # Five seconds pass here.

    ended = task.end()
    in_task.gone()
    assert "did not react to the cancel" in ended.fails()
    assert "Thread adaptor:" in ended.out
    assert "in on_run" in ended.out
    assert ended.lines[-1].startswith("openjd_fail: ")
    assert deaf.stop().status == 0
    assert is_gone(deaf_daemon)
    assert not deaf.file.exists()

    ended = foreground.end()
    assert ended.status == 1
    assert "did not react to the cancel" in ended.fails()

    assert stop.end() == (0, "", "")
    assert is_gone(hanging_daemon)
