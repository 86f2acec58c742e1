"""The fake application's process: plays a script. Run by its path, as a program of its own.

Its first argument is a file of JSON, as ``FakeApplication`` writes it; the others are those of the
command. Nothing of the runtime is imported here but the client, and that by its path.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any, NoReturn

SERVER = "OPENJD_ADAPTOR_SERVER"
#: The exit code of a fake application that does not know what to do.
LOST = 97
_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_WAIT_FOR_EVER = "import threading; threading.Event().wait()"
_WINDOWS_CODES = {"SIGSEGV": 0xC0000005, "SIGABRT": 3, "SIGFPE": 0xC0000094, "SIGILL": 0xC000001D}


class Lost(Exception):
    """The script does not say what is to be done."""


class Player:
    """Plays a script.

    Args:
        settings: the script, where to write down what was played, and the client's folder.
        arguments: of the command.
    """

    def __init__(self, settings: dict[str, Any], arguments: list[str]) -> None:
        self._script = settings["script"]
        self._notes = settings["notes"]
        self._client_folder = settings["client"]
        self._arguments = arguments
        self._deaf = False
        # The client that reports progress and status; those of the 0.9 surface cannot.
        self._client: Any = None

    def run(self) -> int:
        """Plays the command; returns its exit code."""
        parts = self._script.get("commands")
        steps: list[dict[str, Any]] = []
        if parts is not None:
            number = self._find("commands", lambda part: _fits(part, self._arguments))
            self._note("command", "", self._arguments, number)
            if number == 0:
                raise Lost(f"has no part for the arguments {self._arguments}")
            steps = parts[number - 1].get("steps", [])
        else:
            self._note("command", "", self._arguments, 0)
        self._play(steps, None)
        if os.environ.get(SERVER):
            self._answer(os.environ[SERVER])
        return 0

    def _find(self, kind: str, fits: Any) -> int:
        """The number of the first part that fits, from 1 on; 0 if none does."""
        for number, part in enumerate(self._script.get(kind, []), start=1):
            if fits(part) and ("times" not in part or self._count(kind, number) < part["times"]):
                return number
        return 0

    def _count(self, kind: str, number: int) -> int:
        """How often a part was played, by whatever process."""
        try:
            with open(self._notes, encoding="utf-8") as file:
                notes = [json.loads(line) for line in file]
        except FileNotFoundError:
            return 0
        return sum(note["kind"] + "s" == kind and note["part"] == number for note in notes)

    def _note(self, kind: str, name: str, arguments: Any, number: int) -> None:
        note = {
            "kind": kind, "name": name, "arguments": arguments, "part": number, "pid": os.getpid(),
        }  # fmt: skip
        line = json.dumps(note) + "\n"
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        descriptor = os.open(self._notes, flags, 0o600)
        try:
            os.write(descriptor, line.encode("ascii"))
        finally:
            os.close(descriptor)

    def _play(self, steps: list[dict[str, Any]], parameters: Mapping[str, Any] | None) -> Any:
        """Plays the steps of a command, without parameters; or of an action, to its answer."""
        for step in steps:
            for verb in step:
                method = getattr(self, f"_do_{verb}", None)
                if method is not None:
                    value = method(step, parameters)
                    if verb == "returns":
                        return value
        return None

    def _fill(self, text: str, parameters: Mapping[str, Any] | None) -> str:
        def value(match: re.Match[str]) -> str:
            if match[1] is None:
                return match[0][0]
            return self._field(match[1], parameters)

        return _FIELD.sub(value, text)

    def _field(self, name: str, parameters: Mapping[str, Any] | None) -> str:
        if name.startswith("$"):
            if name[1:] in os.environ:
                return os.environ[name[1:]]
            raise Lost(f"needs the environment variable {name[1:]}, which is not set")
        if "*" in name:
            texts = self._arguments if parameters is None else parameters.values()
            fitting = [one for one in texts if fnmatch.fnmatchcase(str(one), name)]
            if fitting:
                return str(fitting[-1])
            raise Lost(f"needs something like {name}, which {list(texts)} does not have")
        if parameters is not None:
            if name in parameters:
                return str(parameters[name])
            raise Lost(f"needs the parameter {name!r}; there are {', '.join(parameters)}")
        arguments = self._arguments
        if re.fullmatch(r"-?[1-9]\d*", name):
            at = int(name)
            if abs(at) <= len(arguments):
                return arguments[at - 1 if at > 0 else at]
        for at, argument in enumerate(arguments):
            if argument == name and at + 1 < len(arguments):
                return arguments[at + 1]
            if argument.startswith(name + "="):
                return argument[len(name) + 1 :]
        raise Lost(f"needs {{{name}}}, which the arguments {arguments} do not have")

    # What steps do.

    def _do_print(self, step: dict[str, Any], parameters: Mapping[str, Any] | None) -> None:
        self._print(1, step["print"], step, parameters)

    def _do_print_error(self, step: dict[str, Any], parameters: Mapping[str, Any] | None) -> None:
        self._print(2, step["print_error"], step, parameters)

    def _print(
        self,
        stream: int,
        lines: str | list[str],
        step: dict[str, Any],
        parameters: Mapping[str, Any] | None,
    ) -> None:
        text = lines if isinstance(lines, str) else "\n".join(lines)
        if lines == []:
            return
        if step.get("fill"):
            text = self._fill(text, parameters)
        _write(stream, (text + "\n").encode("utf-8", "surrogatepass"))

    def _do_print_hex(self, step: dict[str, Any], parameters: Mapping[str, Any] | None) -> None:
        _write(1, bytes.fromhex(step["print_hex"]))

    def _do_wait(self, step: dict[str, Any], parameters: Mapping[str, Any] | None) -> None:
        threading.Event().wait(step["wait"])

    def _do_write(self, step: dict[str, Any], parameters: Mapping[str, Any] | None) -> None:
        path = self._fill(step["write"], parameters)
        if path.startswith("file:"):
            path = path[len("file:") :]
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        with open(path, "w", encoding="utf-8", errors="surrogatepass", newline="\n") as file:
            file.write(step.get("text", "written by a fake application\n"))

    def _do_progress(self, step: dict[str, Any], parameters: Mapping[str, Any] | None) -> None:
        if parameters is None or self._client is None:
            _write(1, f"openjd_progress: {step['progress']}\n".encode())
        else:
            self._client.progress(step["progress"])

    def _do_status(self, step: dict[str, Any], parameters: Mapping[str, Any] | None) -> None:
        if parameters is None or self._client is None:
            _write(1, f"openjd_status: {step['status']}\n".encode("utf-8", "surrogatepass"))
        else:
            self._client.status(step["status"])

    def _do_deaf(self, step: dict[str, Any], parameters: Mapping[str, Any] | None) -> None:
        self._deaf = True
        _ignore_the_asking()

    def _do_child(self, step: dict[str, Any], parameters: Mapping[str, Any] | None) -> None:
        subprocess.Popen([sys.executable, "-I", "-c", _WAIT_FOR_EVER], stdin=subprocess.DEVNULL)

    def _do_python(self, step: dict[str, Any], parameters: Mapping[str, Any] | None) -> NoReturn:
        import runpy

        path = self._fill(step["python"], parameters)
        if not os.path.exists(path):
            raise Lost(f"is to run {path}, which does not exist")
        sys.path[:0] = self._script.get("modules", [])
        sys.argv[1:] = self._arguments
        runpy.run_path(path, run_name="__main__")
        raise SystemExit(0)

    def _do_answer(self, step: dict[str, Any], parameters: Mapping[str, Any] | None) -> NoReturn:
        if "server" in step:
            server = self._fill(step["server"], None)
        else:
            server = os.environ.get(SERVER, "")
            if not server:
                raise Lost(
                    f"is to answer an adaptor's actions, but {SERVER} is not set; if the adaptor "
                    'is one of the 0.9 surface, say where its server is: server = "{$VARIABLE}"'
                )
        self._answer(server)

    def _do_hang(self, step: dict[str, Any], parameters: Mapping[str, Any] | None) -> NoReturn:
        # A wait that ends with each signal, so that its handler runs, on Windows as well.
        sleeper, waker = socket.socketpair()
        waker.setblocking(False)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        while True:
            sleeper.recv(1)

    def _do_exit(self, step: dict[str, Any], parameters: Mapping[str, Any] | None) -> NoReturn:
        os._exit(step["exit"])

    def _do_crash(self, step: dict[str, Any], parameters: Mapping[str, Any] | None) -> NoReturn:
        die(step["crash"])

    def _do_returns(self, step: dict[str, Any], parameters: Mapping[str, Any] | None) -> Any:
        return step["returns"]

    def _do_raises(self, step: dict[str, Any], parameters: Mapping[str, Any] | None) -> NoReturn:
        raise _exception(step.get("type", "RuntimeError"))(step["raises"])

    # Actions.

    def _answer(self, server: str) -> NoReturn:
        """Answers actions until the adaptor closes the application."""
        load_client(self._client_folder)
        if server == os.environ.get(SERVER):
            client = self._client = self._make_client(server)
            try:
                client.connect()
            except ConnectionError as e:
                raise Lost(f"is no client: {e}") from None
        else:
            client = self._make_old_client(server)
        if self._deaf:
            _ignore_the_asking()
        client.poll()
        raise SystemExit(0)

    def _make_client(self, server: str) -> Any:
        from openjd.adaptor_runtime_client import ApplicationClient

        player = self

        class FakeClient(ApplicationClient):
            version = self._script.get("version")

            def on_close(self) -> None:
                player._act("close", {}, needed=False)

            def _find(self, name: Any, args: Any) -> Any:
                if name == "close":
                    return super()._find(name, args)
                return lambda given: player._act(name, given or {}), None

        client = FakeClient(server)
        for part in self._script.get("actions", []):
            client.actions.setdefault(part["name"], lambda args: None)
        return client

    def _make_old_client(self, server: str) -> Any:
        """A client of the 0.9 surface: actions that nobody waits for."""
        from openjd.adaptor_runtime_client import ClientInterface

        player = self

        class OldClient(ClientInterface):
            def close(self, args: Any) -> None:
                player._act("close", args or {}, needed=False)

            def graceful_shutdown(self, signum: Any, frame: Any) -> None:
                raise SystemExit(1)

            def _perform_action(self, action: Any) -> None:
                self.actions.setdefault(
                    action.name, lambda args: player._act(action.name, args or {})
                )
                super()._perform_action(action)

        return OldClient(server)

    def _act(self, name: str, parameters: dict[str, Any], needed: bool = True) -> Any:
        def fits(part: dict[str, Any]) -> bool:
            if part["name"] != name and (part["name"] != "*" or not needed):
                return False
            when = part.get("when", {})
            return all(key in parameters and parameters[key] == when[key] for key in when)

        number = self._find("actions", fits)
        self._note("action", name, parameters, number)
        if number == 0:
            if needed:
                raise LookupError(f"the fake application has no part for {name}({parameters})")
            return None
        try:
            return self._play(self._script["actions"][number - 1].get("steps", []), parameters)
        except Lost as e:
            raise LookupError(f"the fake application {e}") from None


def load_client(folder: str) -> None:
    """Makes the client in `folder` the one that is imported."""
    from importlib.util import module_from_spec, spec_from_file_location

    # By this name it is not run as a program.
    name = "_fake.adaptor_runtime_client.bootstrap"
    spec = spec_from_file_location(name, os.path.join(folder, "bootstrap.py"))
    assert spec is not None and spec.loader is not None
    bootstrap = module_from_spec(spec)
    spec.loader.exec_module(bootstrap)
    bootstrap.load_client(folder)


def die(name: str) -> NoReturn:
    """Ends by a signal; on Windows, with the exit code that stands for it there."""
    if sys.platform == "win32":
        import ctypes

        this_process = ctypes.c_void_p(-1)
        code = ctypes.c_uint(_WINDOWS_CODES.get(name, 1))
        ctypes.WinDLL("kernel32").TerminateProcess(this_process, code)
    else:
        number = getattr(signal, name)
        if name != "SIGKILL":
            signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
        _leave_no_core()
        os.kill(os.getpid(), number)
    while True:
        threading.Event().wait()


def _leave_no_core() -> None:
    # A crash that was asked for is not to fill the folder.
    if sys.platform != "win32":
        try:
            import resource

            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        except (ImportError, OSError, ValueError):
            pass


def _ignore_the_asking() -> None:
    if sys.platform == "win32":
        signal.signal(signal.SIGBREAK, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _exception(name: str) -> Any:
    import builtins

    found = getattr(builtins, name, None)
    if isinstance(found, type) and issubclass(found, Exception):
        # Those of Unicode take more than a message.
        return found if not issubclass(found, UnicodeError) else ValueError
    return type(name, (Exception,), {})


def _fits(part: dict[str, Any], arguments: list[str]) -> bool:
    rest = iter(arguments)
    return all(any(fnmatch.fnmatchcase(one, want) for one in rest) for want in part.get("when", []))


def _write(stream: int, data: bytes) -> None:
    while data:
        data = data[os.write(stream, data) :]


def main() -> None:
    """Plays the script that the first argument names."""
    # The folder of this file holds modules with common names.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder or ".") != here]
    with open(sys.argv[1], encoding="utf-8") as file:
        settings = json.load(file)
    try:
        status = Player(settings, sys.argv[2:]).run()
    except Lost as e:
        _write(2, f"ERROR: the fake application {e}\n".encode("utf-8", "backslashreplace"))
        status = LOST
    except BrokenPipeError:
        status = 1
    sys.exit(status)


if __name__ == "__main__":
    main()
