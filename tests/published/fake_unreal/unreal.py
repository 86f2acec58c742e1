"""As much of Unreal Engine's module as its client for 0.9 uses, and the editor's main loop.

The client does not wait for actions: the editor calls it at every tick, and it must come back.
"""

from __future__ import annotations

import enum
import runpy
import sys
import threading
from typing import Any, Callable

_callbacks: list[Callable[[float], None]] = []
_running = True


def __getattr__(name: str) -> Any:
    """Classes of which the client only needs the name: to inherit from, in annotations."""
    if name.startswith("__"):
        raise AttributeError(name)
    return type(name, (), {})


def uclass() -> Callable[[Any], Any]:
    """Makes a class known to the engine."""
    return lambda cls: cls


def ufunction(**options: Any) -> Callable[[Any], Any]:
    """Makes a method known to the engine."""
    return lambda function: function


def uproperty(kind: Any) -> Any:
    """Makes a field known to the engine."""
    return None


class PythonCommandExecutionMode(enum.Enum):
    """What a command is."""

    EXECUTE_FILE = 1


class PythonFileExecutionScope(enum.Enum):
    """Where its names go."""

    PUBLIC = 1


class PythonScriptLibrary:
    """Runs scripts."""

    @staticmethod
    def execute_python_command_ex(command: str, **options: Any) -> tuple[None, list[str]]:
        """Runs a script with its arguments."""
        script, *arguments = command.split()
        sys.argv = [script, *arguments]
        runpy.run_path(script, run_name="__main__")
        return None, []


class SystemLibrary:
    """The editor itself."""

    @staticmethod
    def quit_editor() -> None:
        """Ends the main loop at the end of this tick."""
        global _running
        _running = False


def log(message: str) -> None:
    """Into the editor's log, which it prints."""
    print(f"LogPython: {message}", flush=True)


def log_warning(message: str) -> None:
    """The same, as a warning."""
    log(f"Warning: {message}")


def log_error(message: str) -> None:
    """The same, as an error."""
    log(f"Error: {message}")


def register_slate_post_tick_callback(callback: Callable[[float], None]) -> Any:
    """`callback` is called at every tick with the seconds since the last one."""
    _callbacks.append(callback)
    return callback


def unregister_slate_post_tick_callback(handle: Any) -> None:
    """No longer."""
    _callbacks.remove(handle)


def run_editor() -> None:
    """The main loop: sixty ticks a second until the editor is told to quit.

    The client is told at each tick that more time has passed than it waits between two requests.
    """
    clock = threading.Event()  # never set
    ticks = 0
    while _running:
        ticks += 1
        for callback in list(_callbacks):
            callback(60.0)
        clock.wait(1 / 60)
    print(f"the editor ticked {ticks} times", flush=True)
