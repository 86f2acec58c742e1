"""The frontend: a short command that talks to the daemon. It imports next to nothing."""

from __future__ import annotations

import _thread
import os
import sys
import time

from openjd.adaptor_runtime_client.wire import messages
from openjd.adaptor_runtime_client.wire.errors import (
    ConnectionLost,
    NotListening,
    WireError,
)
from openjd.adaptor_runtime_client.wire.transport import Connection, connect

from .. import _stdout
from .._platform import (
    ProcessHandle,
    await_process,
    detached_options,
    end_process,
    folder_of,
    kill_detached,
    on_cancel_signals,
    own_opener,
    start_time,
)
from . import connection_file
from .connection_file import ConnectionFileError, ConnectionInfo

try:
    # queue itself would bring heapq and more; this part of it is written in C everywhere.
    from _queue import Empty, SimpleQueue
except ImportError:
    from queue import Empty, SimpleQueue

TYPE_CHECKING = False  # typing itself costs a frontend more than all of this module
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from typing import Any

    from .._cancel_info import Notices

ADDRESS_VARIABLE = "OPENJD_ADAPTOR_SOCKET"
# How long the end of a daemon that has said its last word may take (seconds).
EXIT_LIMIT = 30.0
# A daemon that is silent for so long after a cancel's time was up will not answer it (seconds).
SILENCE_LIMIT = 10.0
# How long a daemon that has broken off may take to be gone, or to say that it lives (seconds).
BREAK_LIMIT = 5.0


class FrontendError(Exception):
    """A command that cannot be carried out; its message is one line for whoever reads the log."""


class Lost(Exception):
    """The daemon is gone although it was not told to go."""


class TimeUp(Exception):
    """What was cancelled has not come to its end in time."""


def say(text: str) -> None:
    """A line of the runtime's own."""
    show(_line(text))


def _line(text: str) -> bytes:
    # A path in it may have line ends, behind which an engine would look for messages.
    return messages.encode_text(f"INFO: {' '.join(text.split())}\n")


def show(data: bytes) -> None:
    """Writes whole lines to stdout, as bytes: they are UTF-8 whatever the locale says."""
    sys.stdout.flush()
    _stdout.write(1, data)


CANCEL = object()


class Events:
    """What a command waits for; among it the signals that cancel it. Made in the main thread."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Any] = SimpleQueue()
        self.put = self._queue.put
        self._began = time.monotonic()
        self._notices: Notices | None = None
        #: When something came from the daemon, or a signal did.
        self.heard = self._began
        on_cancel_signals(lambda: self.put(CANCEL))

    @property
    def canceled(self) -> bool:
        """Whether there was a signal."""
        return self._notices is not None

    def get(self, pass_on: Callable[[bool, float | None], object]) -> Any:
        """Blocks for the next event that is no signal.

        Args:
            pass_on: called for a signal: whether to hurry, and the seconds that are left for it,
                where that is known.

        Raises:
            TimeUp: a signal came, and what is waited for did not in the time that it leaves.
        """
        while True:
            try:
                event = self._queue.get(timeout=self._left())
            except Empty:
                if self._left() == 0:
                    raise TimeUp from None
                continue
            if event is not CANCEL:
                return event
            self._pass_on_signal(pass_on)

    def result(self, wait: Callable[[], Any]) -> Any:
        """What `wait` returns, which runs in a thread; likewise."""
        done = object()

        def run() -> None:
            self.put((done, wait()))

        _thread.start_new_thread(run, ())
        while True:
            event = self.get(lambda hurry, seconds: None)
            if isinstance(event, tuple) and event[0] is done:
                return event[1]

    def _left(self) -> float | None:
        notices = self._notices
        if notices is None:
            return None
        end = notices.answer_by
        if end is None:
            from .._cancel_info import BUDGET

            end = self.heard + BUDGET + SILENCE_LIMIT
        return max(end - time.monotonic(), 0)

    def _pass_on_signal(self, pass_on: Callable[[bool, float | None], object]) -> None:
        """Says that a signal came, and passes it on, which no stdout that nobody reads holds up."""
        from .._cancel_info import Notices

        if self._notices is None:
            self._notices = Notices(self._began)
        notice = self._notices.take()
        if notice is None:
            return
        self.heard = time.monotonic()
        text = str(notice)
        sys.stdout.flush()
        said = _stdout.write_unless_blocked(1, _line(text))
        pass_on(notice.hurry, notice.seconds)
        if not said:
            say(text)


class Conversation:
    """One request to the daemon, with its output, and with the signals that cancel it."""

    def __init__(self, connection: Connection, events: Events) -> None:
        self._connection = connection
        self._events = events

    def run(self, request: messages.Message) -> messages.Message:
        """Sends `request`, shows output as it comes, and returns the final answer.

        A signal cancels the request.

        Raises:
            Lost: the daemon ended before it answered.
            TimeUp: it did not answer in the time that a signal leaves.
            FrontendError: what came is not our protocol, or nobody reads our output.
        """
        _thread.start_new_thread(self._read, ())
        self._send(request)
        event = self._events.get(self._cancel)
        if isinstance(event, dict):
            return _checked(event)
        if isinstance(event, WireError):
            raise FrontendError(f"the connection to the daemon failed: {event}")
        if isinstance(event, OSError):
            # Whoever read our output is gone; leaving is what tells the daemon to cancel.
            raise FrontendError(f"the output cannot be written: {event.strerror}")
        raise Lost

    def _cancel(self, hurry: bool, seconds: float | None) -> None:
        self._send({"type": messages.CANCEL, "hurry": hurry, "seconds": seconds})

    def _send(self, message: messages.Message) -> None:
        try:
            self._connection.send(message)
        except ConnectionLost:
            pass  # The reading thread sees it too, after what came before the end.

    def _read(self) -> None:
        try:
            while True:
                received = self._connection.receive()
                self._events.heard = time.monotonic()
                if isinstance(received, bytes):
                    show(received)
                elif received is None or received["type"] == messages.FINAL:
                    self._events.put(received)
                    return
                elif received["type"] == messages.ERROR:
                    raise WireError(str(received.get("message")))
        except (WireError, OSError) as e:
            self._events.put(e)


def _checked(final: messages.Message) -> messages.Message:
    """The final answer, if it is one: nothing is taken for success that does not say so."""
    flags = [final.get(field) for field in ("ok", "canceled", "told")]
    error = final.get("error")
    sound = all(isinstance(flag, bool) for flag in flags) and isinstance(error, (str, type(None)))
    if not sound or not (any(flags) or error):
        raise FrontendError("the daemon's final answer makes no sense; the task's end is unknown")
    return final


def start(
    command: list[str],
    connection_path: str | None,
    init_data: tuple[str, str],
    path_mapping_rules: tuple[str, str] | None,
) -> int:
    """Starts the daemon and the adaptor in it.

    Args:
        command: starts the adaptor's entry point anew.
        connection_path: the connection file to make, if any.
        init_data: the text, and what to call it in messages.
        path_mapping_rules: likewise.

    Returns:
        The exit status.

    Raises:
        FrontendError: it could not be started.
    """
    if connection_path is not None:
        connection_path = os.path.abspath(connection_path)
        if os.path.lexists(connection_path):
            _make_room(connection_path)
    events = Events()
    launched = _launch(
        command,
        {
            "connection_file": connection_path,
            "init_data": init_data,
            "path_mapping_rules": path_mapping_rules,
        },
        events,
    )
    if launched is None:
        say("Canceled")
        return 1
    daemon, info = launched
    show(f"openjd_env: {ADDRESS_VARIABLE}={info.socket}\n".encode())
    try:
        connection = connect(info.socket)
        final = Conversation(connection, events).run({"type": messages.START})
        if not final["ok"]:
            # With the last of what it started.
            events.result(daemon.wait)
    except (Lost, NotListening) as e:
        broke = isinstance(e, Lost) and _broke(connection, info.socket)
        if broke:
            # Nobody would know of a session whose start has failed.
            daemon.terminate()
        status = daemon.wait()
        if broke:
            raise FrontendError(f"{_broken(info.pid, 'starting')} it was ended") from None
        raise FrontendError(_obituary(info, connection_path, "starting", status)) from None
    except TimeUp:
        raise FrontendError(_put_down(info.pid, info, connection_path)) from None
    return _conclude(final)


def _make_room(path: str) -> None:
    """Cleans up after a daemon that left its connection file behind when it ended.

    Raises:
        FrontendError: that is not what is in the way.
    """
    try:
        info = connection_file.read(path)
        connect(info.socket).close()
    except NotListening:
        _inherit(info, path)
        if os.path.lexists(path):
            raise FrontendError(
                f"the connection file {path} exists already; its daemon (process {info.pid}) has "
                "ended, but it cannot be removed: remove it, or name another file"
            ) from None
        say(f"Cleaned up after a daemon that has ended without a stop (process {info.pid})")
        return
    except ConnectionFileError:
        raise FrontendError(
            f"the connection file {path} exists already; remove it, or name another file"
        ) from None
    except WireError:
        pass
    raise FrontendError(
        f"the connection file {path} exists already and its daemon is running; "
        "stop it with 'daemon stop', or name another file"
    )


def _launch(
    command: list[str], request: dict[str, Any], events: Events
) -> tuple[subprocess.Popen[bytes], ConnectionInfo] | None:
    """The daemon's process and what it says of itself; None if a signal came meanwhile."""
    import json
    import subprocess

    from . import bootstrap, guardian

    token = bootstrap.new_token()
    say("Starting the adaptor's daemon")
    try:
        daemon: subprocess.Popen[bytes] = subprocess.Popen(
            guardian.guarded([*command, "daemon", "_serve"]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            **detached_options(),
        )
    except OSError as e:
        raise FrontendError(f"the daemon cannot be started with {command[0]}: {e.strerror}") from e
    assert daemon.stdin is not None and daemon.stdout is not None
    stdin, stdout = daemon.stdin, daemon.stdout

    def exchange() -> None:
        output = b""
        record = None
        try:
            data = memoryview(json.dumps(dict(request, token=token)).encode() + b"\n")
            while data:
                data = data[stdin.write(data) or 0 :]
        except OSError:
            pass  # It is dead already; its last words say why.
        while record is None:
            chunk = os.read(stdout.fileno(), 65536)
            if not chunk:
                break
            output += chunk
            _, record = bootstrap.split(token, output)
        events.put((bootstrap.split(token, output)[0], record))

    _thread.start_new_thread(exchange, ())

    def cancel(hurry: bool, seconds: float | None) -> None:
        # Nothing has begun yet that would have to be ended through the adaptor. The second time
        # it hangs in an import, say, that is deaf to the first.
        if hurry:
            kill_detached(daemon)
        else:
            daemon.terminate()

    try:
        words, record = events.get(cancel)
    except TimeUp:
        words, record = b"", None
        kill_detached(daemon)
    for line in words.splitlines():
        if line.strip():
            show(messages.encode_text(f"ADAPTOR_OUTPUT: {line}\n"))
    if events.canceled:
        try:
            events.result(daemon.wait)
        except TimeUp:
            kill_detached(daemon)
            daemon.wait()
        return None
    if record is None:
        status = daemon.wait()
        raise FrontendError(
            f"the adaptor's daemon ended before it was ready, with exit status {status}; "
            "its last words stand above"
            if words.strip()
            else f"the adaptor's daemon ended before it was ready, with exit status {status}"
        )
    if "error" in record:
        daemon.wait()
        raise FrontendError(record["error"])
    return daemon, ConnectionInfo(**record["info"])


def run(connection_path: str | None, run_data: tuple[str, str]) -> int:
    """Has the daemon run a task; returns the exit status.

    Raises:
        FrontendError: the daemon cannot be reached, or died.
    """
    address, info = locate(connection_path)
    try:
        connection = connect(address)
    except NotListening as e:
        _inherit(info or _implied(address), connection_path)
        raise FrontendError(f"the adaptor's daemon is not running ({e})") from e
    except WireError as e:
        raise FrontendError(str(e)) from e
    events = Events()
    text, name = run_data
    try:
        with _stdout.Progress(1):
            final = Conversation(connection, events).run(
                {"type": messages.RUN, "text": text, "name": name}
            )
    except Lost:
        if _broke(connection, address):
            text = _broken(connection.peer_pid, "running a task")
            raise FrontendError(f"{text} the task is cancelled") from None
        info = info or _introduced(connection, address)
        raise FrontendError(_obituary(info, connection_path, "running a task", None)) from None
    except TimeUp:
        raise FrontendError(
            f"{_deaf(connection.peer_pid)}; the task is given up, but it may go on in there"
        ) from None
    return _conclude(final)


def stop(connection_path: str | None) -> int:
    """Stops the daemon; returns the exit status once its process is gone.

    Raises:
        FrontendError: the connection file cannot be used, or stopping failed.
    """
    try:
        address, info = locate(connection_path)
    except (connection_file.ConnectionFileMissing, NotConfigured) as e:
        say(f"Nothing to stop: {e}")
        return 0
    try:
        connection = connect(address)
    except NotListening as e:
        _inherit(info or _implied(address), connection_path)
        say(f"Nothing to stop: the adaptor's daemon is not running ({e})")
        return 0
    except WireError as e:
        raise FrontendError(str(e)) from e
    events = Events()
    # Held while it lives, so that its end cannot be taken for another process's.
    handle = _hold(connection.peer_pid or (info.pid if info else 0))
    guardian = _guardian(info.folder if info else folder_of(address))
    try:
        final = Conversation(connection, events).run({"type": messages.STOP})
        if handle is None:
            # Old kernels have no handles on processes; the connection ends with the process too.
            ended = events.result(lambda: _read_to_end(connection))
        else:
            ended = events.result(lambda: handle.wait(EXIT_LIMIT))
        if guardian is not None:
            # It ends when nothing of the session is left.
            events.result(lambda: guardian.wait(EXIT_LIMIT))
    except TimeUp:
        pid = connection.peer_pid if handle is None or not handle.wait(0) else None
        message = _put_down(pid, info or _implied(address), connection_path)
        raise FrontendError(message) from None
    except Lost:
        if _broke(connection, address):
            text = _broken(connection.peer_pid, "stopping")
            if handle is not None and events.result(lambda: handle.wait(BREAK_LIMIT)):
                raise FrontendError(f"{text} it has ended") from None
            raise FrontendError(f"{text} ask again") from None
        info = info or _introduced(connection, address)
        raise FrontendError(_obituary(info, connection_path, "stopping", None)) from None
    if not ended:
        raise FrontendError(
            f"the adaptor's daemon (process {connection.peer_pid}) has stopped the adaptor, but "
            f"its process did not end within {EXIT_LIMIT:g} seconds"
        )
    return _conclude(final)


def _broke(connection: Connection, address: str) -> bool:
    """Whether a conversation has ended although its daemon lives: it had no descriptor left, say.

    From then on the daemon sees that nobody waits for an answer.
    """
    pid = connection.peer_pid
    connection.close()
    # A process that is being ended has closed some of its descriptors, and may not have others.
    handle = _hold(pid) if pid else None
    end = time.monotonic() + BREAK_LIMIT
    try:
        other = connect(address)
        other.send({"type": messages.STATUS})
        answer = other.receive_within(BREAK_LIMIT)
        other.close()
        if isinstance(answer, dict):
            return True
    except WireError:
        pass
    if handle is None:
        return False
    ended = handle.wait(max(end - time.monotonic(), 0))
    handle.close()
    return not ended


def _broken(pid: int | None, doing: str) -> str:
    return f"the connection to the adaptor's daemon (process {pid}) broke while {doing};"


def _read_to_end(connection: Connection) -> bool:
    try:
        while connection.receive() is not None:
            pass
    except WireError:
        pass
    return True


def status(connection_path: str | None) -> messages.Message:
    """What the daemon says of itself, whatever it is doing.

    Raises:
        FrontendError: the daemon cannot be reached.
    """
    address, _ = locate(connection_path)
    try:
        connection = connect(address)
        return connection.request({"type": messages.STATUS})
    except NotListening as e:
        raise FrontendError(f"the adaptor's daemon is not running ({e})") from e
    except WireError as e:
        raise FrontendError(f"the adaptor's daemon cannot be asked: {e}") from e


class NotConfigured(ConnectionFileError):
    """Neither a connection file nor the variable says where the daemon is."""


def locate(connection_path: str | None) -> tuple[str, ConnectionInfo | None]:
    """The daemon's address, and what its connection file says of it.

    Raises:
        ConnectionFileError: that cannot be used, or there is none.
    """
    if connection_path is not None:
        info = connection_file.read(connection_path)
        return info.socket, info
    address = os.environ.get(ADDRESS_VARIABLE)
    if not address:
        raise NotConfigured(
            f"neither --connection-file nor the environment variable {ADDRESS_VARIABLE} "
            "says where the adaptor's daemon is"
        )
    return address, None


def _conclude(final: messages.Message) -> int:
    if final["ok"]:
        return 0
    if final["canceled"]:
        say("Canceled")
    elif not final["told"]:
        raise FrontendError(str(final["error"]))
    return 1


def _implied(address: str) -> ConnectionInfo:
    """What is known of a daemon that only the variable names."""
    return ConnectionInfo(address, 0, "", folder_of(address))


def _introduced(connection: Connection, address: str) -> ConnectionInfo | None:
    """The daemon as it introduced itself on the connection, if it came to that."""
    peer = connection.peer
    if "folder" not in peer:
        return None
    return ConnectionInfo(address, peer["pid"], "", peer["folder"])


def _hold(pid: int) -> ProcessHandle | None:
    try:
        return ProcessHandle(pid)
    except OSError:
        # Gone already, or a kernel that cannot; the connection's end has to do then.
        return None


def _guardian(folder: str) -> ProcessHandle | None:
    """The guardian of the daemon whose folder that is; the daemon lives."""
    from .. import _session_folder

    for kind, pid, started in _session_folder.read(folder):
        if kind == _session_folder.GUARDIAN and not await_process(pid, started, 0):
            return _hold(pid)
    return None


def _deaf(pid: int | None) -> str:
    return f"the adaptor's daemon (process {pid}) did not answer the cancel in time"


def _put_down(pid: int | None, info: ConnectionInfo, connection_path: str | None) -> str:
    """Kills a daemon that does not answer, with all that it has started; one line about it.

    Args:
        pid: its process id, known to be its own; None if it has ended.
    """
    message = f"{_deaf(pid or info.pid)}; it was killed without cleaning up"
    try:
        if pid is not None:
            end_process(pid, start_time(pid))
    except ProcessLookupError:
        pass  # It has ended this moment.
    _inherit(info, connection_path)
    return message


def _obituary(
    info: ConnectionInfo | None, connection_path: str | None, doing: str, status: int | None
) -> str:
    """One line about a daemon that died, after its crash dump, if it left one."""
    if info is None:
        return f"the adaptor's daemon ended unexpectedly while {doing}"
    how = "" if status is None else f" with exit status {status}"
    dump = _inherit(info, connection_path)
    more = "; what its threads did stands above" if dump else ""
    return f"the adaptor's daemon (process {info.pid}) ended unexpectedly{how} while {doing}{more}"


def _crash_dump(info: ConnectionInfo) -> list[str]:
    from .. import _session_folder

    if not _session_folder.is_ours(info.folder):
        return []
    path = os.path.join(info.folder, _session_folder.CRASH_FILE)
    try:
        with open(path, errors="backslashreplace", opener=own_opener) as file:
            return file.read(65536).splitlines()
    except OSError:
        return []


def _inherit(info: ConnectionInfo, connection_path: str | None) -> bool:
    """Ends what lives of the session of a dead daemon, and removes what it left behind.

    Says whether it has left a crash dump, and shows that. A daemon that lives and cannot be
    reached (somebody has removed its socket) ends itself, and is waited for.
    """
    from .. import _session_folder

    _session_folder.bury(info.folder)
    if info.started and not await_process(info.pid, info.started, EXIT_LIMIT):
        end_process(info.pid, info.started)
    dump = _crash_dump(info)
    for line in dump:
        show(messages.encode_text(f"ADAPTOR_OUTPUT: {line}\n"))
    if connection_path is not None:
        connection_file.remove(connection_path, info)
    _session_folder.remove(info.folder)
    return bool(dump)
