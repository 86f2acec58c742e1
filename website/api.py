"""The reference of the public names, a page for each package that authors import."""

from __future__ import annotations

import importlib
import inspect
from types import ModuleType
from typing import Any, NamedTuple

#: The packages whose ``__all__`` is public, in the order in which an author meets them.
PACKAGES = [
    "openjd.adaptor_runtime",
    "openjd.adaptor_runtime.application",
    "openjd.adaptor_runtime_client",
    "openjd.adaptor_runtime.testing",
    "openjd.adaptor_runtime.adaptors",
    "openjd.adaptor_runtime.adaptors.configuration",
    "openjd.adaptor_runtime.app_handlers",
    "openjd.adaptor_runtime.process",
    "openjd.adaptor_runtime.application_ipc",
    "openjd.adaptor_runtime_client.win_client_interface",
]


class Name(NamedTuple):
    """A public name."""

    package: str
    name: str
    #: Where it is defined, which is where its docstring is read.
    home: str
    value: Any
    #: The first public name of the same thing, if this is not it.
    same_as: str


def names(package: str) -> list[Name]:
    """The public names of a package, in the order of the alphabet."""
    module = importlib.import_module(package)
    found = []
    for name in sorted(module.__all__, key=str.lower):
        value = getattr(module, name)
        if isinstance(value, ModuleType):
            value = getattr(value, name)  # the decorator ``action``, whose module can be called
        home = getattr(value, "__module__", None) or package
        qualified = getattr(value, "__qualname__", name)
        if hasattr(inspect.unwrap(value) if callable(value) else value, "__wrapped__"):
            qualified = name
        found.append(Name(package, name, f"{home}.{qualified}", value, ""))
    return found


def packages() -> dict[str, list[Name]]:
    """The public names of each package that is there; a thing is described where it comes first."""
    first: dict[str, str] = {}
    found = {}
    for package in PACKAGES:
        try:
            importlib.import_module(package)
        except ModuleNotFoundError as e:
            if e.name != package:
                raise
            continue
        found[package] = [
            one._replace(same_as=before) if (before := first.get(one.home)) else one
            for one in names(package)
        ]
        for one in found[package]:
            first.setdefault(one.home, f"{package}.{one.name}")
    return found


def path(package: str) -> str:
    """The page of a package."""
    return f"reference/api/{package.replace('openjd.', '')}.md"


def page(package: str, found: dict[str, list[Name]]) -> str:
    """The page of a package, in Markdown for mkdocstrings."""
    module = importlib.import_module(package)
    public = {one.value for names in found.values() for one in names if inspect.isclass(one.value)}
    lines = [f"# {package}", "", inspect.cleandoc(module.__doc__ or ""), ""]
    if len(found[package]) > 1:
        lines += ["| name | |", "|---|---|"]
        for one in found[package]:
            link = f"[`{one.name}`][{one.home}]"
            lines.append(f"| {link} | {_first_line(one.value)} |")
        lines.append("")
    for one in found[package]:
        if one.same_as:
            lines += [
                f"## {one.name} {{ #{package}.{one.name} }}",
                "",
                f"The same as [`{one.same_as}`][{one.home}].",
                "",
            ]
            continue
        lines += [
            f"::: {one.home}",
            "    options:",
            f"      heading: {one.name}",
            f"      toc_label: {one.name}",
        ]
        inherited = _inherited(one.value, public)
        if inherited:
            lines.append(f"      inherited_members: [{', '.join(inherited)}]")
        lines.append("")
    return "\n".join(lines)


def _inherited(value: Any, public: set[type[Any]]) -> list[str]:
    """The public members that a class has from classes of ours that are not public themselves."""
    if not inspect.isclass(value):
        return []
    own = set(vars(value))
    members: list[str] = []
    for base in value.__mro__[1:]:
        if base in public or not base.__module__.startswith("openjd."):
            continue
        of_base = [*vars(base), *vars(base).get("__annotations__", {})]
        members += [one for one in of_base if not one.startswith("_") and one not in own]
    return sorted(set(members))


def title(package: str) -> str:
    """What the page of a package is called beside the others."""
    return package.replace("openjd.adaptor_runtime.", "").replace("openjd.", "")


def index(found: dict[str, list[Name]]) -> str:
    """The page above them."""
    lines = [
        "# Python API",
        "",
        "What adaptors and clients may rely on: the names in `__all__` of these packages. What is",
        "not here may change with any release.",
        "",
        "| package | what for | names |",
        "|---|---|---|",
    ]
    for package, all_of_it in found.items():
        module = importlib.import_module(package)
        listed = ", ".join(f"[`{one.name}`][{one.home}]" for one in all_of_it)
        page_name = path(package).rpartition("/")[2]
        lines.append(f"| [`{package}`]({page_name}) | {_first_line(module)} | {listed} |")
    return "\n".join(lines) + "\n"


def _first_line(value: Any) -> str:
    if not (callable(value) or inspect.ismodule(value)):
        return f"`{value!r}`"  # whose docstring would be that of its type
    return (inspect.getdoc(value) or "").partition("\n\n")[0].replace("\n", " ").replace("|", "\\|")
