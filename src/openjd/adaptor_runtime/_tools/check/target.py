"""What is to be checked: a package, a class, a folder or a description. Nothing of it is run."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, NamedTuple

from .source import Source, text_of

_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
#: "package.module:name", as entry points and console commands have it.
_REFERENCE = re.compile(r"""["']([A-Za-z_][\w.]*):[A-Za-z_]\w*["']""")
_IMPORT = re.compile(r"^\s*(?:from|import)\s+([A-Za-z_][\w.]*)", re.MULTILINE)
_FOLDERS_UP = 4


class TargetError(Exception):
    """There is nothing of that name to check; the message says what to name."""


class Target(NamedTuple):
    """An adaptor, where it is, and how it is found by Python."""

    #: The package or module that ``python -m`` runs; "" for a description alone.
    package: str
    #: "module:Class", if the adaptor was named so.
    reference: str
    #: The folder of the package, the module or the description.
    folder: Path
    #: Folders that Python must look in.
    search: list[str]
    #: Its pyproject.toml, if there is one.
    project: Path | None
    #: The TOML file that describes the adaptor.
    description: Path | None
    #: Whether `package` is a module, and not a folder.
    is_module: bool = False

    @property
    def name(self) -> str:
        """What to call it in messages."""
        return self.reference or self.package or str(self.description)


def find_target(given: str) -> Target:
    """What the user has named.

    Args:
        given: an importable package; ``package.module:Class``; a folder with a pyproject.toml or
            a package; a TOML file.

    Raises:
        TargetError: there is no such thing.
    """
    if os.path.isfile(given):
        if os.path.basename(given) == "pyproject.toml":
            return _in_folder(Path(given).resolve().parent)
        if given.endswith(".toml"):
            path = Path(given).resolve()
            return Target("", "", path.parent, [], _project_above(path.parent), path)
        if given.endswith(".py"):
            path = Path(given).resolve()
            project = _project_above(path.parent)
            return Target(path.stem, "", path.parent, [str(path.parent)], project, None, True)
        raise TargetError(f"{given} is neither a TOML file, nor a folder, nor a package")
    if os.path.isdir(given):
        return _in_folder(Path(given).resolve())
    module, colon, name = given.partition(":")
    if not _DOTTED.fullmatch(module) or (colon and not name.isidentifier()):
        raise TargetError(
            f"{given} is no file or folder, and no name of a package or of package.module:Class"
        )
    where = locate(module)
    if where is None:
        raise TargetError(
            f"there is no folder {given}, and no package {module} that Python finds; install it "
            "(pip install -e .), or name its folder"
        )
    is_package = where.is_dir() or where.name == "__init__.py"
    if colon and not is_package:
        package = module.rpartition(".")[0] or module
        is_module = package == module
        folder = where.parent
    else:
        package, is_module = module, not is_package
        folder = where if where.is_dir() else where.parent
    return Target(
        package, given if colon else "", folder, [], _project_above(folder), None, is_module
    )


def locate(module: str, search: Sequence[str] = ()) -> Path | None:
    """The file of a module, or the folder of a namespace package, without importing anything.

    Args:
        search: folders to look in first.
    """
    path: Any = None
    found: Any = None
    for end in range(1, module.count(".") + 2):
        name = ".".join(module.split(".")[:end])
        found = PathFinder.find_spec(name, list(search)) if search and path is None else None
        for finder in sys.meta_path if found is None else ():
            find = getattr(finder, "find_spec", None)
            found = find(name, path) if find is not None else None
            if found is not None:
                break
        if found is None:
            return None
        path = found.submodule_search_locations
        if path is None and end <= module.count("."):
            return None
    if found.origin is not None and found.has_location:
        return Path(found.origin)
    folders = list(path or [])
    return Path(folders[0]) if folders else None


def _in_folder(folder: Path) -> Target:
    if (folder / "__init__.py").exists():
        return _of_package(folder)
    packages = _packages_of(folder)
    if len(packages) == 1:
        return _of_package(packages[0])
    if packages:
        names = ", ".join(str(package) for package in packages)
        raise TargetError(f"{folder} has several packages; name one of them: {names}")
    descriptions = [p for p in sorted(folder.glob("*.toml")) if p.name != "pyproject.toml"]
    if len(descriptions) == 1:
        return find_target(str(descriptions[0]))
    raise TargetError(
        f"{folder} has neither a package of an adaptor nor a TOML file that describes one"
    )


def _packages_of(folder: Path) -> list[Path]:
    """The packages in a project's folder; those that have an entry point, where some have one."""
    there = [
        path.parent
        for base in (folder, folder / "src")
        for path in sorted(base.glob("*/__init__.py"))
        if path.parent.name not in ("test", "tests", "docs")
    ]
    if len(there) < 2:
        return there
    starting = [package for package in there if _has_entry_point(package)]
    return starting or there


def _has_entry_point(package: Path) -> bool:
    return any("EntryPoint" in _text(path) for path in package.glob("*.py"))


def _of_package(folder: Path) -> Target:
    project = _project_above(folder)
    root = folder.parent
    while (root / "__init__.py").exists():
        root = root.parent
    root = _named_root(folder, project) or _searched_root(folder, root, project) or root
    package = ".".join(folder.relative_to(root).parts)
    return Target(package, "", folder, [str(root)], project, None)


def _named_root(folder: Path, project: Path | None) -> Path | None:
    """Where the package is found by the name by which its modules, or a command, call it."""
    texts = [_text(path) for path in folder.glob("*.py")]
    if project is not None:
        texts.append(_text(project))
    for text in texts:
        for module in [*_REFERENCE.findall(text), *_IMPORT.findall(text)]:
            parts = module.split(".")
            for count in range(len(parts), 0, -1):
                if tuple(parts[:count]) == folder.parts[-count:]:
                    return folder.parents[count - 1]
    return None


def _searched_root(folder: Path, root: Path, project: Path | None) -> Path | None:
    """A folder that Python searches, and from which a namespace leads to the package."""
    entries = [Path(entry).resolve() for entry in sys.path if entry and entry != os.getcwd()]
    if root in entries:
        return None
    for entry in [*([project.parent / "src"] if project else []), *entries]:
        parts = folder.relative_to(entry).parts if entry in folder.parents else ()
        if parts and not (entry / "__init__.py").exists() and all(p.isidentifier() for p in parts):
            return entry
    return None


def _project_above(folder: Path) -> Path | None:
    for above in [folder, *folder.parents][:_FOLDERS_UP]:
        if (above / "pyproject.toml").is_file():
            return above / "pyproject.toml"
        if above.name == "site-packages":
            break
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def descriptions_named(source: Source) -> list[Path]:
    """The TOML files beside a module that it names in a call of ``from_toml``."""
    import ast

    found = []
    for node in ast.walk(source.tree):
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if is_call and node.func.attr == "from_toml":  # type: ignore[attr-defined]
            for part in ast.walk(node):
                text = text_of(part)
                if text and text.endswith(".toml"):
                    found.append(Path(source.path).parent / text)
    return found
