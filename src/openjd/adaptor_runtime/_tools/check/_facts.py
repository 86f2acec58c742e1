"""What there is to know of an adaptor's class, by looking at it in the process that imported it."""

from __future__ import annotations

import inspect
import os
import re
import sys
from typing import Any

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
                text = f"{name} is a method, and must be a property: there is no @property"
                problems.append(["B202" if "version" in name else "B206", name, text])
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
                problems.append(["B202", name, f"{name} is {version!r}"])
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
