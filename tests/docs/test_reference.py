"""The references that are made from the code hold all that there is, and enough about it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import openjd.adaptor_runtime
import openjd.adaptor_runtime_client
from openjd.adaptor_runtime._cli import tool
from openjd.adaptor_runtime.adaptors.configuration import RuntimeConfiguration
from openjd.adaptor_runtime.application import ApplicationConfiguration, Limits

from .pages import ROOT, read

sys.path.insert(0, str(ROOT))
from website import api, commands, settings

#: Made by the runtime and never by others, or by Python.
_MADE_FOR_AUTHORS = {"AdaptorState", "Call", "Hello"}
#: Of these the methods are for authors.
_NEVER_MADE = {"Part", "Running"}


def test_every_public_package_has_a_page() -> None:
    """Each package with an ``__all__`` is in the reference, and each name of it on its page."""
    public = set()
    for top in (openjd.adaptor_runtime, openjd.adaptor_runtime_client):
        public.add(top.__name__)
        for module in pkgutil.walk_packages(top.__path__, f"{top.__name__}."):
            private = any(part.startswith("_") for part in module.name.split("."))
            if not module.ispkg or private or ".examples" in module.name:
                continue
            if hasattr(importlib.import_module(module.name), "__all__"):
                public.add(module.name)
    found = api.packages()
    assert public <= set(found)
    index = api.index(found)
    for package, names in found.items():
        assert [one.name for one in names] == sorted(
            importlib.import_module(package).__all__, key=str.lower
        )
        page = api.page(package, found)
        for one in names:
            assert f"::: {one.home}\n" in page or f"The same as [`{one.same_as}`]" in page
            assert f"[`{one.name}`]" in index


def _described() -> Iterator[tuple[str, Any, str]]:
    """Public callables by their names, with all that docstrings say of them."""
    found = api.packages()
    classes = {one.value for names in found.values() for one in names if inspect.isclass(one.value)}
    for names in found.values():
        for one in names:
            if one.same_as or one.name in _MADE_FOR_AUTHORS or one.name.isupper():
                continue
            if not inspect.isclass(one.value):
                if callable(one.value):
                    yield one.home, one.value, inspect.getdoc(one.value) or ""
                continue
            of_bases = [base for base in one.value.__mro__ if base.__module__.startswith("openjd.")]
            told = " ".join(inspect.getdoc(base) or "" for base in of_bases)
            if issubclass(one.value, tuple):
                told += "".join(inspect.getsource(base) for base in of_bases)
            made = one.name not in _NEVER_MADE
            if made and (not issubclass(one.value, Exception) or "__init__" in vars(one.value)):
                yield one.home, one.value, told
            for name in {*vars(one.value), *api._inherited(one.value, classes)}:
                member = getattr(one.value, name, None)
                if not name.startswith("_") and (
                    inspect.isfunction(member) or inspect.ismethod(member)
                ):
                    docs = (inspect.getdoc(getattr(base, name, None)) for base in of_bases)
                    yield f"{one.home}.{name}", member, " ".join(filter(None, docs))


def _called(value: Any) -> Any:
    # Another signature than that of its __new__, where a class has both.
    if inspect.isclass(value) and not issubclass(value, tuple):
        return value.__init__
    return value


def test_every_parameter_is_described() -> None:
    """Of whatever authors call or define: it has a docstring, which names each parameter."""
    silent = []
    for name, value, told in _described():
        parameters = [
            parameter
            for parameter in inspect.signature(_called(value)).parameters
            if parameter not in {"self", "cls"}
        ]
        if not told or not all(re.search(rf"\b{one}\b", told) for one in parameters):
            silent.append(f"{name}({', '.join(parameters)})")
    # The two of the output's observers are called by this library alone.
    assert [one for one in silent if not re.search(r"\.(before|after)\(", one)] == []


def test_every_command_is_on_the_page() -> None:
    """All tools and all commands of an adaptor, each option with what it means."""
    page = commands.page()
    for name in tool._TOOLS:
        assert f"### openjd-adaptor {name}" in page
    for command in ("run", "daemon start", "daemon stop", "show-config", "is-compatible"):
        assert f"### my-adaptor {command}\n" in page
    assert "`--connection-file FILE`" in page
    # Each row: what it is called, what it means, what holds if it is not given.
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) > 50
    assert [row for row in rows if not row[1].strip()] == []


def test_every_setting_is_on_the_page() -> None:
    """With its values and what holds unless it is set; and the hand-written tables know it."""
    page = settings.page()
    by_hand = read("docs/command-line.md") + read("docs/operators.md")
    names = [
        *settings._settings(RuntimeConfiguration),
        *settings._settings(ApplicationConfiguration),
    ]
    assert {"log_level", "lease_seconds", "map_environment", "restart"} <= set(names)
    for name in (*names, *Limits._fields):
        assert f"| `{name}` |" in page
        assert f"`{name}`" in by_hand
    assert "| `silence` | 3600 | Seconds without" in page


def test_a_tool_without_a_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error, not a tool that the page leaves out."""
    monkeypatch.setitem(tool._TOOLS, "dumb", ("says nothing", "_text"))
    with pytest.raises(AttributeError, match="parser"):
        commands.page()
