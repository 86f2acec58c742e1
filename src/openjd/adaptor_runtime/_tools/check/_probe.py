"""Runs in a process of its own: imports an adaptor and writes down what there is to know of it.

``python -m openjd.adaptor_runtime._tools.check._probe REQUEST RESULT``: both are JSON files. What
is written down comes step by step, so that an import that hangs or crashes leaves what was known.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import runpy
import sys
import threading
import traceback
import types
from collections.abc import Iterable
from typing import Any

from ... import EntryPoint
from ._facts import facts


class _Started(SystemExit):
    """In place of the command that an entry point would run."""


class _Probe:
    def __init__(self, request: dict[str, Any], result: str) -> None:
        self._request = request
        self._result = result
        self.known: dict[str, Any] = {"stage": "begin", "entries": [], "scripts": {}}
        # What the entry point was given, if that is a class.
        self._class: Any = None

    def write(self, stage: str) -> None:
        """What is known by now."""
        self.known["stage"] = stage
        temporary = f"{self._result}.new"
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(self.known, file)
        os.replace(temporary, self._result)

    def run(self) -> None:
        """All steps."""
        threads = set(threading.enumerate())
        self.write("import")
        package = self._request["package"]
        if package:
            self._main(package, self._request["is_module"])
        self._look_at(threads)
        cls = self._load()
        self._look_at(threads)
        self.write("class")
        if cls is not None:
            self._inspect(cls)
        self.write("scripts")
        for name, reference in self._request["scripts"].items():
            self.known["scripts"][name] = _wrong_with(reference)
        self.write("end")

    def _main(self, package: str, is_module: bool) -> None:
        entries = self.known["entries"]

        def start(entry: EntryPoint, reentry_exe: Any = None, *_: Any, **__: Any) -> None:
            entries.append(_described(entry, reentry_exe))
            self._class = entry._class
            raise _Started(0)

        EntryPoint.start = start  # type: ignore[method-assign, assignment]
        sys.argv = [package]
        missing = False
        try:
            missing = not is_module and importlib.util.find_spec(f"{package}.__main__") is None
            if not missing:
                runpy.run_module(package, run_name="__main__", alter_sys=True)
            # An entry point that is started by a console command alone.
            for reference in self._request["starters"] if missing else ():
                module, _, function = reference.partition(":")
                start_it = getattr(importlib.import_module(module), function, None)
                if callable(start_it):
                    start_it()
        except _Started:
            self.known["main"] = "missing" if missing else "starts"
        except SystemExit as e:
            self.known["main"] = "exits"
            self.known["main_error"] = {"message": f"exit status {e.code}"}
        except BaseException as e:
            self.known["main"] = "raises"
            self.known["main_error"] = _error(e, self._request["folder"])
        else:
            self.known["main"] = "missing" if missing else "returns"

    def _load(self) -> Any:
        reference = self._request["reference"]
        entry = self.known["entries"][0] if self.known["entries"] else None
        if not reference and entry is not None and entry["toml"]:
            return None
        if not reference and self._class is not None:
            if self._class.__module__ == "__main__":
                # It is in a module that has gone with its run.
                gone = types.ModuleType(f"{self._request['package']}.__main__")
                gone.__file__ = entry["file"] if entry else ""
                sys.modules[gone.__name__] = gone
                self._class.__module__ = gone.__name__
            return self._class
        if not reference and entry is not None:
            reference = f"{entry['module']}:{entry['name']}"
        reference = reference or self._request["fallback"]
        self.known["reference"] = reference
        if not reference:
            return None
        module_name, _, name = reference.partition(":")
        module: Any
        try:
            module = importlib.import_module(module_name)
        except _Started:
            module = sys.modules.get(module_name)
        except BaseException as e:
            self.known["import_error"] = _error(e, self._request["folder"])
            return None
        cls = getattr(module, name, None)
        if not isinstance(cls, type):
            self.known["no_class"] = (
                f"{module_name} has no class {name}" + _close(name, _classes_of(module))
                if cls is None
                else f"{reference} is no class"
            )
            return None
        return cls

    def _inspect(self, cls: Any) -> None:
        from ...adaptors import BaseAdaptor

        if issubclass(cls, BaseAdaptor):
            self.known["class"] = facts(cls)
        else:
            name = f"{cls.__module__}:{cls.__name__}"
            self.known["no_class"] = f"{name} is not derived from a class of the runtime's"

    def _look_at(self, threads: set[threading.Thread]) -> None:
        """What the import has started."""
        import psutil

        self.known["threads"] = sorted(
            thread.name for thread in set(threading.enumerate()) - threads if thread.is_alive()
        )
        children = []
        for child in psutil.Process().children(recursive=True):
            try:
                children.append(" ".join(child.cmdline()))
            except psutil.Error:
                continue
        self.known["children"] = children
        sys.stdout.flush()
        self.known["printed"] = os.fstat(1).st_size


def _described(entry: EntryPoint, reentry_exe: Any) -> dict[str, Any]:
    cls = entry._class
    file, line = "", 0
    for frame in inspect.stack():
        if frame.filename != __file__:
            file, line = frame.filename, frame.lineno
            break
    return {
        "module": entry.module,
        "name": entry.adaptor_name,
        "by_class": cls is not None and entry.module != "__main__",
        "toml": getattr(entry, "path", ""),
        "reentry_exe": reentry_exe is not None,
        "file": file,
        "line": line,
    }


def _error(error: BaseException, folder: str) -> dict[str, Any]:
    """What was raised, and where in the adaptor's own files."""
    place: tuple[str, int] | None = None
    for frame in traceback.extract_tb(error.__traceback__):
        if os.path.abspath(frame.filename).startswith(folder):
            place = frame.filename, frame.lineno or 0
    if isinstance(error, SyntaxError) and error.filename:
        place = error.filename, error.lineno or 0
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    kind = type(error).__name__
    return {
        "type": kind,
        "message": f"{kind}: {text}" if text else kind,
        "file": place[0] if place else "",
        "line": place[1] if place else 0,
        "exits": isinstance(error, SystemExit),
    }


def _close(name: str, names: Iterable[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, list(names), 1)
    return f"; did you mean {close[0]}?" if close else ""


def _classes_of(module: Any) -> list[str]:
    return [name for name, value in vars(module).items() if isinstance(value, type)]


def _wrong_with(reference: str) -> str:
    """Why a console command does not work; "" if it does."""
    module_name, _, path = reference.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
    except _Started:
        found = sys.modules.get(module_name)
    except BaseException as e:
        return f"{module_name} cannot be imported: {type(e).__name__}: {e}"
    for name in path.split("."):
        if not hasattr(found, name):
            return f"{module_name} has no {path}{_close(name, vars(found))}"
        found = getattr(found, name)
    return "" if callable(found) else f"{reference} is no function"


def main() -> None:
    """Reads the request, and writes the result."""
    with open(sys.argv[1], encoding="utf-8") as file:
        request = json.load(file)
    result = sys.argv[2]
    _Probe(request, result).run()


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    # What the import has started does not keep this process.
    os._exit(0)
