"""Runs in a process of its own: imports an adaptor and writes down what there is to know of it.

``python -m openjd.adaptor_runtime._tools.check._probe REQUEST RESULT``: both are JSON files. What
is written down comes step by step, so that an import that hangs or crashes leaves what was known.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import re
import runpy
import sys
import threading
import traceback
import types
from collections.abc import Iterable
from typing import Any

from ... import EntryPoint

#: What authors may define -> how many arguments it is called with, behind self; None: a property.
HOOKS: dict[str, int | None] = {
    "on_start": 0,
    "on_run": 1,
    "on_stop": 0,
    "on_cleanup": 0,
    "on_cancel": 0,
    "on_prerun": 0,
    "on_postrun": 0,
    "get_managed_process": 1,
    "command": 0,
    "commands": 1,
    "outputs": 1,
    "environment": 0,
    "working_directory": 0,
    "client_script": None,
    "integration_data_interface_version": None,
}
#: Those whose result may be made step by step.
_MAY_YIELD = {"commands", "outputs"}
_ATTRIBUTES = {
    *("application_name", "client", "data_schemas", "limits", "minimum_version", "rules"),
    "success_exit_codes",
}


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


# The class.


def facts(cls: Any) -> dict[str, Any]:
    """What there is to know of an adaptor's class."""
    from ...adaptors import Adaptor, CommandAdaptor
    from ...application import ApplicationAdaptor, CommandLineAdaptor

    kinds = {
        "application": ApplicationAdaptor,
        "command line": CommandLineAdaptor,
        "command": CommandAdaptor,
        "adaptor": Adaptor,
    }
    known: dict[str, Any] = {
        "name": cls.__name__,
        "module": cls.__module__,
        "file": getattr(sys.modules.get(cls.__module__), "__file__", None) or "",
        "kind": next((kind for kind, base in kinds.items() if issubclass(cls, base)), "base"),
        "missing": sorted(getattr(cls, "__abstractmethods__", ())),
        "problems": [],
    }
    problems = known["problems"]
    if known["kind"] == "application":
        known["missing"] += [
            name
            for name, base in (("command", ApplicationAdaptor), ("client", None))
            if getattr(cls, name, None) is (getattr(base, name) if base else None)
        ]
    _check_hooks(cls, problems)
    _check_names(cls, problems)
    _check_attributes(cls, problems)
    known["rules"] = _rules(cls, problems)
    known["data_schemas"] = _beside(cls, "data_schemas")
    known["client"] = _beside(cls, "client") if known["kind"] == "application" else None
    known["minimum_version"] = bool(getattr(cls, "minimum_version", ""))
    if not known["missing"]:
        _check_instance(cls, known)
    return known


def _own(cls: Any) -> list[Any]:
    """The class and its bases, but for the runtime's."""
    runtime = ("openjd.adaptor_runtime.adaptors", "openjd.adaptor_runtime.application")
    return [
        base
        for base in cls.__mro__
        if base.__module__ not in ("abc", "typing", "builtins")
        and not base.__module__.startswith(runtime)
    ]


def _defined(cls: Any, name: str) -> Any:
    """What the author has defined of that name, or None."""
    for base in _own(cls):
        if name in vars(base):
            return vars(base)[name]
    return None


def _check_hooks(cls: Any, problems: list[Any]) -> None:
    for name, count in HOOKS.items():
        found = _defined(cls, name)
        if found is None or not hasattr(cls, name):
            continue
        if not any(name in vars(base) for base in cls.__mro__ if base not in _own(cls)):
            continue  # The kind of adaptor has no such method; it is the author's own.
        if count is None:
            if inspect.isfunction(found):
                problems.append(["B202" if "version" in name else "B206", name,
                                 f"{name} is a method; write @property above it"])  # fmt: skip
            continue
        if isinstance(found, property):
            problems.append(["B203", name, f"{name} is a property, and is called as a method"])
            continue
        function = getattr(found, "__func__", found)
        if not callable(function):
            problems.append(["B203", name, f"{name} is called, and is {type(found).__name__}"])
            continue
        arguments = [None] * (count + (0 if isinstance(found, staticmethod) else 1))
        try:
            inspect.signature(function).bind(*arguments)
        except TypeError as e:
            given = "run_data" if count else "no arguments"
            problems.append(["B203", name, f"{name} is called with {given}: {e}"])
        except ValueError:
            pass
        _check_runs(name, inspect.unwrap(function), problems)
    try:
        inspect.signature(cls).bind({}, path_mapping_data={})
    except TypeError as e:
        text = f"it is made with (init_data, path_mapping_data=...): {e}"
        problems.append(["B207", "__init__", text])
    except ValueError:
        pass


def _check_runs(name: str, function: Any, problems: list[Any]) -> None:
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        problems.append(["B204", name, f"{name} is async, and nobody awaits it"])
    elif inspect.isgeneratorfunction(function) and name not in _MAY_YIELD:
        problems.append(["B204", name, f"{name} has a yield: a call of it runs nothing"])


def _check_names(cls: Any, problems: list[Any]) -> None:
    """Names that are almost those of the runtime."""
    import difflib

    bases = [base for base in cls.__mro__ if base not in _own(cls)]
    known = {name for name in (*HOOKS, *_ATTRIBUTES) if any(name in _names(b) for b in bases)}
    defined = {name for base in _own(cls) for name in vars(base)}
    for base in _own(cls):
        for name in vars(base):
            if name in known or name.startswith("_") or any(hasattr(b, name) for b in bases):
                continue
            close = difflib.get_close_matches(name, known - defined, 1, cutoff=0.84)
            if close and not _is_used(cls, name):
                text = f"{name} means nothing to the runtime; did you mean {close[0]}?"
                problems.append(["B205", name, text])


def _names(base: Any) -> set[str]:
    return {*vars(base), *getattr(base, "__annotations__", {})}


def _is_used(cls: Any, name: str) -> bool:
    """Whether the author's code uses an attribute of that name."""
    for base in _own(cls):
        try:
            text = inspect.getsource(base)
        except (OSError, TypeError):
            return True
        if re.search(rf"\.{re.escape(name)}\b", text):
            return True
    return False


def _check_attributes(cls: Any, problems: list[Any]) -> None:
    from ...application import Limits

    def wrong(name: str, text: str) -> None:
        problems.append(["B206", name, f"{name} {text}"])

    limits = getattr(cls, "limits", None)
    if limits is not None and not isinstance(limits, property):
        if not isinstance(limits, Limits):
            wrong("limits", f"must be Limits(...), not {type(limits).__name__}")
        else:
            for name, value in limits._asdict().items():
                number = isinstance(value, (int, float)) and not isinstance(value, bool)
                if not number or not value >= 0:
                    wrong("limits", f"has {name}={value!r}, which is no number of 0 or more")
    codes = getattr(cls, "success_exit_codes", None)
    if codes is not None and not isinstance(codes, property):
        try:
            usable = all(type(code) is int for code in codes) and not isinstance(codes, str)
        except TypeError:
            usable = False
        if not usable:
            wrong("success_exit_codes", f"must be exit codes, such as (0, 1), not {codes!r}")
    for name in ("application_name", "minimum_version", "client"):
        value = _defined(cls, name)
        plain = not isinstance(value, property) and not callable(value)
        if value is not None and plain and not isinstance(value, (str, os.PathLike)):
            wrong(name, f"must be a text, not {value!r}")


def _beside(cls: Any, attribute: str) -> str | None:
    """The path that an attribute holds, as ``path_beside`` takes it."""
    value = getattr(cls, attribute, None)
    if not isinstance(value, (str, os.PathLike)) or not str(value):
        return None
    owner = next((base for base in cls.__mro__ if attribute in vars(base)), cls)
    module = getattr(sys.modules.get(owner.__module__), "__file__", None) or ""
    return os.path.join(os.path.dirname(os.path.abspath(module)), value)


def _rules(cls: Any, problems: list[Any]) -> list[dict[str, Any]]:
    from ...application.rules import _named

    rules = getattr(cls, "rules", ())
    if isinstance(rules, property):
        return []
    try:
        named = _named(rules)
    except (TypeError, ValueError) as e:
        problems.append(["R506", "rules", str(e)])
        return []
    return [describe_rule(id, rule) for id, rule in named.items()]


def describe_rule(id: str, rule: Any) -> dict[str, Any]:
    """A rule's id, and what is wrong with it."""
    from ...application.rules import _compiled

    known: dict[str, Any] = {"id": id, "patterns": [], "code": "", "problem": ""}
    for what in ("pattern", "unless"):
        one = getattr(rule, what)
        if one is None:
            continue
        compiled = getattr(one, "pattern", None) is not None
        flags = one.flags if compiled else rule.flags
        known["patterns"].append([what, one.pattern if compiled else one, int(flags)])
    try:
        _compiled(rule, f"rule {id}")
    except ValueError as e:
        known["problem"] = str(e)
        known["code"] = "R502" if rule.severity == "progress" else "R503"
    known["broad"] = rule.severity != "progress"
    return known


def _check_instance(cls: Any, known: dict[str, Any]) -> None:
    from ...adaptors import SemanticVersion

    problems = known["problems"]
    version = getattr(cls, "integration_data_interface_version", None)
    instance = None
    if not any(code == "B207" for code, *_ in problems):
        try:
            instance = cls({}, path_mapping_data={})
        except Exception as e:
            text = f"without data, as version-info makes it: {type(e).__name__}: {e}"
            problems.append(["B207", "__init__", text])
    if instance is None:
        return
    if not hasattr(instance, "_path_mapping_rules"):
        problems.append(["B207", "__init__", "__init__ does not call super().__init__"])
        return
    if not any(code == "B202" for code, *_ in problems):
        name = "integration_data_interface_version"
        try:
            version = instance.integration_data_interface_version
        except Exception as e:
            problems.append(["B202", name, f"it cannot be read: {type(e).__name__}: {e}"])
        else:
            if not isinstance(version, SemanticVersion):
                problems.append(["B202", name, f"it is {version!r}"])
            elif not (isinstance(version.major, int) and isinstance(version.minor, int)):
                problems.append(["B202", name, f"its numbers are no integers: {version!r}"])
    _check_configuration(instance, known)


def _check_configuration(instance: Any, known: dict[str, Any]) -> None:
    from ...adaptors.configuration.configuration import ConfigurationError

    problems = known["problems"]
    try:
        manager = instance.config_manager
        known["configuration"] = os.path.abspath(manager._default_config_path)
        schemas = manager._schema_path
    except Exception as e:
        problems.append(["G401", "", f"{type(e).__name__}: {e}"])
        return
    for schema in [schemas] if isinstance(schemas, str) else schemas or []:
        try:
            manager._config_cls._validate({}, "", "", [schema])
        except ConfigurationError as e:
            # That an empty configuration does not fit is a matter of the default's.
            if "configuration schema" in str(e):
                problems.append(["G402", schema, str(e)])
                return
    try:
        default = manager.get_default_config()
    except ConfigurationError as e:
        problems.append(["G401", known["configuration"], str(e)])
        return
    severities = getattr(default, "rules", None)
    if severities and not any(code == "R506" for code, *_ in problems):
        from ...application.rules import _check_severity, _named

        try:
            named = _named(instance.rules)
            for id, severity in severities.items():
                _check_severity(id, severity, named)
        except (TypeError, ValueError) as e:
            problems.append(["G403", known["configuration"], str(e)])


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
