"""The frontend: a short command that talks to the daemon. It imports next to nothing."""

from __future__ import annotations

import _thread
import os
import sys

from openjd.adaptor_runtime_client.wire import messages
from openjd.adaptor_runtime_client.wire.errors import (
    ConnectionLost,
    NotListening,
    WireError,
)
from openjd.adaptor_runtime_client.wire.transport import Connection, connect

from .. import _stdout
from .._platform import ProcessHandle, detached_options, folder_of, on_cancel_signals
from . import connection_file
from .connection_file import ConnectionFileError, ConnectionInfo

try:
    # queue itself would bring heapq and more; this part of it is written in C everywhere.
    from _queue import SimpleQueue
except ImportError:
    from queue import SimpleQueue

TYPE_CHECKING = False  # typing itself costs a frontend more than all of this module
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from typing import Any

ADDRESS_VARIABLE = "OPENJD_ADAPTOR_SOCKET"
# How long the end of a daemon that has said its last word may take (seconds).
EXIT_LIMIT = 30.0


class FrontendError(Exception):
    """A command that cannot be carried out; its message is one line for whoever reads the log."""


class Lost(Exception):
    """The daemon is gone although it was not told to go."""


def say(text: str) -> None:
    """A line of the runtime's own."""
    show(_line(text))


def pass_on_signal(hurry: bool, pass_on: Callable[[bool], object]) -> None:
    """Says that a signal came, and passes it on, which no stdout that nobody reads holds up."""
    text = "Interruption signal received" + (", hurrying" if hurry else "")
    sys.stdout.flush()
    said = _stdout.write_unless_blocked(1, _line(text))
    pass_on(hurry)
    if not said:
        say(text)


def _line(text: str) -> bytes:
    return messages.encode_text(f"INFO: {text}\n")


def show(data: bytes) -> None:
    """Writes whole lines to stdout, as bytes: they are UTF-8 whatever the locale says."""
    sys.stdout.flush()
    _stdout.write(1, data)


class Conversation:
    """One request to the daemon, with its output, and with the signals that cancel it."""

    def __init__(self, connection: Connection, signals: SimpleQueue[Any]) -> None:
        self._connection = connection
        self._events = signals

    def run(self, request: messages.Message) -> messages.Message:
        """Sends `request`, shows output as it comes, and returns the final answer.

        A signal cancels the request; a second one hurries.

        Raises:
            Lost: the daemon ended before it answered.
            FrontendError: what came is not our protocol, or nobody reads our output.
        """
        _thread.start_new_thread(self._read, ())
        self._send(request)
        cancels = 0
        while True:
            event = self._events.get()
            if event is CANCEL:
                cancels += 1
                pass_on_signal(cancels > 1, self._cancel)
            elif isinstance(event, dict):
                return _checked(event)
            elif isinstance(event, WireError):
                raise FrontendError(f"the connection to the daemon failed: {event}")
            elif isinstance(event, OSError):
                # Whoever read our output is gone; leaving is what tells the daemon to cancel.
                raise FrontendError(f"the output cannot be written: {event.strerror}")
            else:
                raise Lost

    def _cancel(self, hurry: bool) -> None:
        self._send({"type": messages.CANCEL, "hurry": hurry})

    def _send(self, message: messages.Message) -> None:
        try:
            self._connection.send(message)
        except ConnectionLost:
            pass  # The reading thread sees it too, after what came before the end.

    def _read(self) -> None:
        try:
            while True:
                received = self._connection.receive()
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


CANCEL = object()


def listen_for_signals() -> SimpleQueue[Any]:
    """A queue that gets CANCEL for each signal that cancels. In the main thread."""
    events: SimpleQueue[Any] = SimpleQueue()
    on_cancel_signals(lambda: events.put(CANCEL))
    return events


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
            raise FrontendError(_occupied(connection_path))
    events = listen_for_signals()
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
    except (Lost, NotListening):
        status = daemon.wait()
        raise FrontendError(_obituary(info, connection_path, "starting", status)) from None
    if not final["ok"]:
        _await_end(info.pid)
    return _conclude(final)


def _occupied(path: str) -> str:
    try:
        info = connection_file.read(path)
        connect(info.socket).close()
    except (NotListening, ConnectionFileError) as e:
        if isinstance(e, NotListening):
            return (
                f"the connection file {path} exists already; it is stale, its daemon (process "
                f"{info.pid}) is not running: remove it with 'daemon stop', or name another file"
            )
        return f"the connection file {path} exists already; remove it, or name another file"
    except WireError:
        pass
    return (
        f"the connection file {path} exists already and its daemon is running; "
        "stop it with 'daemon stop', or name another file"
    )


def _launch(
    command: list[str], request: dict[str, Any], events: SimpleQueue[Any]
) -> tuple[subprocess.Popen[bytes], ConnectionInfo] | None:
    """The daemon's process and what it says of itself; None if a signal came meanwhile."""
    import json
    import subprocess

    from . import bootstrap

    token = bootstrap.new_token()
    say("Starting the adaptor's daemon")
    try:
        daemon: subprocess.Popen[bytes] = subprocess.Popen(
            [*command, "daemon", "_serve"],
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
    cancels = 0
    while True:
        event = events.get()
        if event is not CANCEL:
            words, record = event
            break
        cancels += 1
        # Nothing has begun yet that would have to be ended through the adaptor. The second time
        # it hangs in an import, say, that is deaf to the first.
        pass_on_signal(cancels > 1, lambda hurry: daemon.kill() if hurry else daemon.terminate())
    for line in words.splitlines():
        if line.strip():
            show(messages.encode_text(f"ADAPTOR_OUTPUT: {line}\n"))
    if cancels:
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
    address, info = _locate(connection_path)
    try:
        connection = connect(address)
    except NotListening as e:
        _inherit(info or _implied(address), connection_path)
        raise FrontendError(f"the adaptor's daemon is not running ({e})") from e
    except WireError as e:
        raise FrontendError(str(e)) from e
    events = listen_for_signals()
    text, name = run_data
    try:
        final = Conversation(connection, events).run(
            {"type": messages.RUN, "text": text, "name": name}
        )
    except Lost:
        info = info or _introduced(connection, address)
        raise FrontendError(_obituary(info, connection_path, "running a task", None)) from None
    return _conclude(final)


def stop(connection_path: str | None) -> int:
    """Stops the daemon; returns the exit status once its process is gone.

    Raises:
        FrontendError: the connection file cannot be used, or stopping failed.
    """
    try:
        address, info = _locate(connection_path)
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
    events = listen_for_signals()
    # Held while it lives, so that its end cannot be taken for another process's.
    handle = _hold(connection.peer_pid or (info.pid if info else 0))
    try:
        final = Conversation(connection, events).run({"type": messages.STOP})
    except Lost:
        info = info or _introduced(connection, address)
        raise FrontendError(_obituary(info, connection_path, "stopping", None)) from None
    if handle is None:
        # Old kernels have no handles on processes; the connection ends with the process too.
        _read_to_end(connection)
    elif not handle.wait(EXIT_LIMIT):
        raise FrontendError(
            f"the adaptor's daemon (process {connection.peer_pid}) has stopped the adaptor, but "
            f"its process did not end within {EXIT_LIMIT:g} seconds"
        )
    return _conclude(final)


def _read_to_end(connection: Connection) -> None:
    try:
        while connection.receive() is not None:
            pass
    except WireError:
        pass


def status(connection_path: str | None) -> messages.Message:
    """What the daemon says of itself, whatever it is doing.

    Raises:
        FrontendError: the daemon cannot be reached.
    """
    address, _ = _locate(connection_path)
    try:
        connection = connect(address)
        return connection.request({"type": messages.STATUS})
    except WireError as e:
        raise FrontendError(f"the adaptor's daemon cannot be asked: {e}") from e


class NotConfigured(ConnectionFileError):
    """Neither a connection file nor the variable says where the daemon is."""


def _locate(connection_path: str | None) -> tuple[str, ConnectionInfo | None]:
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
    return ConnectionInfo(address, 0, folder_of(address))


def _introduced(connection: Connection, address: str) -> ConnectionInfo | None:
    """The daemon as it introduced itself on the connection, if it came to that."""
    peer = connection.peer
    if "folder" not in peer:
        return None
    return ConnectionInfo(address, peer["pid"], peer["folder"])


def _hold(pid: int) -> ProcessHandle | None:
    try:
        return ProcessHandle(pid)
    except OSError:
        # Gone already, or a kernel that cannot; the connection's end has to do then.
        return None


def _await_end(pid: int) -> None:
    handle = _hold(pid)
    if handle is not None:
        handle.wait(EXIT_LIMIT)
        handle.close()


def _obituary(
    info: ConnectionInfo | None, connection_path: str | None, doing: str, status: int | None
) -> str:
    """One line about a daemon that died, after its crash dump, if it left one."""
    if info is None:
        return f"the adaptor's daemon ended unexpectedly while {doing}"
    _await_end(info.pid)
    how = "" if status is None else f" with exit status {status}"
    dump = _inherit(info, connection_path)
    more = "; what its threads did stands above" if dump else ""
    return f"the adaptor's daemon (process {info.pid}) ended unexpectedly{how} while {doing}{more}"


def _crash_dump(info: ConnectionInfo) -> list[str]:
    try:
        with open(
            os.path.join(info.folder, connection_file.CRASH_FILE), errors="backslashreplace"
        ) as file:
            return file.read(65536).splitlines()
    except OSError:
        return []


def _inherit(info: ConnectionInfo, connection_path: str | None) -> bool:
    """Shows the crash dump of a dead daemon, if it left one, and removes what it left behind."""
    dump = _crash_dump(info)
    for line in dump:
        show(messages.encode_text(f"ADAPTOR_OUTPUT: {line}\n"))
    if connection_path is not None:
        connection_file.remove(connection_path, info)
    connection_file.remove_folder(info.folder)
    return bool(dump)
