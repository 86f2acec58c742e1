"""The names of a new package: what people type, and what each kind of file needs of it."""

from __future__ import annotations

import importlib.util
import keyword
import pkgutil
import re
import sys
import sysconfig
import unicodedata
from typing import NamedTuple

#: What lines of the made code have room for.
LONGEST = 32

_SUFFIXES = ("-adaptor", "-adapter", "-openjd")
#: Packages that an adaptor or its tests import: another one of that name would hide them.
_TAKEN = frozenset({"jsonschema", "mypy", "openjd", "psutil", "pytest", "ruff", "tests", "yaml"})
#: What git, pytest or a first run take for something of theirs.
_FOLDERS = frozenset({"build", "conftest", "dist", "output"})
#: What Windows takes for a device, whatever folder it is in.
_DEVICES = frozenset(
    {"aux", "con", "nul", "prn", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
)


class Refused(ValueError):
    """A name cannot be used; the message is one line with a reason and a way out."""


class Names(NamedTuple):
    """What a new package and its parts are called."""

    #: The distribution, its folder and its command: ``my-adaptor``.
    project: str
    #: What is imported: ``my_adaptor``.
    package: str
    #: The beginning of its classes: ``My`` of ``MyAdaptor``.
    stem: str
    #: What people call the application.
    application: str


def project_name(text: str) -> str:
    """The name of a distribution that comes nearest to what was typed.

    Raises:
        Refused: none does, or Python or Windows has something else of that name.
    """
    # é is e and an accent, and the accent goes.
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in plain if not unicodedata.combining(c)).lower()
    name = re.sub(r"[\s_.-]+", "-", plain).strip("-")
    strange = re.search(r"[^a-z0-9-]", name)
    if not name or strange is not None:
        why = f"{strange[0]!r} cannot be in it" if strange is not None else "it is empty"
        raise Refused(f"{text!r} is no name for a package: {why}; take a-z, 0-9 and dashes")
    if name[0].isdigit():
        raise Refused(
            f"{text!r} is no name for a package: Python cannot import what begins with a digit; "
            f"take for instance {f'adaptor-{name}'[:LONGEST]}"
        )
    if len(name) > LONGEST:
        raise Refused(f"{text!r} is too long: {len(name)} of {LONGEST} characters")
    taken = _taken(name)
    if taken is not None:
        raise Refused(f"{text!r} cannot be used: {taken}; {_instead(name)}")
    return name


def refuse_installed(project: str) -> None:
    """Sees that nothing is installed here that the package of that project would hide.

    Raises:
        Refused: something is.
    """
    package = project.replace("-", "_")
    if importlib.util.find_spec(package) is not None:
        raise Refused(
            f"{project!r} cannot be used: a package {package} is installed in this environment; "
            f"uninstall that first; or {_instead(project)}"
        )


def application_name(text: str) -> str:
    """The name of an application, as messages show it.

    Raises:
        Refused: it is empty or too long, or would have to be quoted somewhere.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        raise Refused("the application's name is empty; it is what messages call it")
    strange = next((c for c in name if not (c.isalnum() or c in " +-._")), None)
    if strange is not None or not name[0].isalnum():
        raise Refused(
            f"{text!r} is no name for an application: {strange or name[0]!r} cannot stand there; "
            "it is letters, digits, spaces and + - . _, and begins with one of the first two"
        )
    if len(name) > LONGEST:
        raise Refused(f"{text!r} is too long: {len(name)} of {LONGEST} characters")
    return name


def application_of(project: str) -> str:
    """What the application of a project of that name is likely to be called."""
    return _stem(project).replace("-", " ").title()


def project_of(application: str) -> str | None:
    """A name for the project of an adaptor for that application; None if none suggests itself."""
    try:
        return project_name(f"{application}-adaptor")
    except Refused:
        return None


def names(project: str, application: str) -> Names:
    """All names, from the two that people choose."""
    written = re.sub(r"[\W_]+", "", unicodedata.normalize("NFKD", application), flags=re.ASCII)
    stem = "".join(part[:1].upper() + part[1:] for part in _stem(project).split("-"))
    if written.lower() == stem.lower():
        stem = written  # FFmpeg, not Ffmpeg
    return Names(project, project.replace("-", "_"), stem, application)


def _stem(project: str) -> str:
    for suffix in _SUFFIXES:
        if project.endswith(suffix) and len(project) > len(suffix):
            return project[: -len(suffix)]
    return project


def _instead(name: str) -> str:
    """What to do about a name that is taken."""
    if name.endswith("-adaptor"):
        return "take another"
    return f"take for instance {name[: LONGEST - 8]}-adaptor"


def _taken(name: str) -> str | None:
    """Why nothing of one's own can have that name."""
    package = name.replace("-", "_")
    if name in _DEVICES:
        return "Windows takes it for a device"
    if keyword.iskeyword(package) or package in keyword.softkwlist:
        return f"{package} is a word of Python's"
    if package in _TAKEN or package in _standard_library():
        return f"it would hide the module {package}"
    if package in _FOLDERS:
        return f"a folder {package} means something else in a project"
    if _stem(name) == "application":
        return "its class would be ApplicationAdaptor, which is the runtime's"
    return None


def _standard_library() -> frozenset[str]:
    if sys.version_info >= (3, 10):
        return sys.stdlib_module_names
    folders = sysconfig.get_path("stdlib"), f"{sysconfig.get_path('platstdlib')}/lib-dynload"
    found = pkgutil.iter_modules(folders)
    return frozenset({module.name for module in found} | set(sys.builtin_module_names))
