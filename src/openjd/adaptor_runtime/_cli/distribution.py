"""Which distribution an adaptor comes from, for ``--version``."""

from __future__ import annotations

import json
import os
import sys
from importlib import metadata
from typing import TYPE_CHECKING
from urllib.parse import urlparse
from urllib.request import url2pathname

from .._version import version

if TYPE_CHECKING:
    from .. import EntryPoint


def version_line(entry_point: EntryPoint) -> str:
    """What ``--version`` prints: the adaptor, its distribution, the runtime, and Python."""
    from .. import EntryPointError
    from .._toml_entry_point import TomlEntryPoint

    module: str | None
    file: str | None
    if isinstance(entry_point, TomlEntryPoint):
        module, file = None, entry_point.path
        try:
            entry_point.load()  # Its name is in the file.
        except EntryPointError:
            pass
    else:
        module, file = entry_point.module, _file_of(entry_point.module)
    found = _distribution(module, file)
    python = ".".join(map(str, sys.version_info[:3]))
    return (
        f"{entry_point.adaptor_name} ({found or 'of no installed distribution'}), "
        f"openjd-adaptor-runtime {version}, Python {python}"
    )


def _file_of(module: str) -> str | None:
    """The file of a module, which is not imported for that."""
    loaded = sys.modules.get(module)
    if loaded is not None:
        return getattr(loaded, "__file__", None)
    from importlib.util import find_spec

    try:
        spec = find_spec(module)
    except Exception:
        # Its package cannot be imported, with whatever error that has.
        return None
    return spec.origin if spec is not None else None


def _distribution(module: str | None, file: str | None) -> str | None:
    """The name and version of the distribution that has installed `file`.

    Or else of one that has made a command of the package that `module` is in; None if none has.
    """
    path = os.path.realpath(file) if file else None
    import_folder = _import_folder(path, module) if path else ""
    package = (module or "").rpartition(".")[0] or module
    by_command: str | None = None
    for one in metadata.distributions():
        try:
            about = f"{one.metadata['Name']} {one.version}"
            if path is not None and _has(one, path, import_folder):
                return about
            if package and by_command is None and _has_command(one, package):
                by_command = about
        except Exception:
            # What is left of a distribution that was half removed is no reason to fail.
            continue
    return by_command


def _has(one: metadata.Distribution, path: str, import_folder: str) -> bool:
    name = os.path.basename(path)
    for file in one.files or ():
        if file.name == name and os.path.realpath(str(one.locate_file(file))) == path:
            return True
    # One that is installed as editable lists none of its modules.
    origin = json.loads(one.read_text("direct_url.json") or "{}")
    if not origin.get("dir_info", {}).get("editable"):
        return False
    folder = os.path.realpath(url2pathname(urlparse(origin["url"]).path))
    return import_folder in (folder, os.path.join(folder, "src"))


def _import_folder(path: str, module: str | None) -> str:
    """The folder that a module's file, or a file beside modules, is imported from."""
    folder = os.path.dirname(path)
    if module is None or module == "__main__":
        while os.path.exists(os.path.join(folder, "__init__.py")):
            folder = os.path.dirname(folder)
        return folder
    # Packages without an __init__.py are packages, too.
    levels = module.count(".") + os.path.basename(path).startswith("__init__.")
    for _ in range(levels):
        folder = os.path.dirname(folder)
    return folder


def _has_command(one: metadata.Distribution, package: str) -> bool:
    return any(
        entry.group == "console_scripts"
        and (entry.value.partition(":")[0].strip() + ".").startswith(package + ".")
        for entry in one.entry_points
    )
