"""The adaptor that a user names: a package, ``package.module:Class``, or a TOML file."""

from __future__ import annotations

import os
import runpy
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from importlib.util import find_spec
from typing import Any, NamedTuple

from .. import EntryPoint, EntryPointError
from .._text import one_line
from .._toml_entry_point import TomlEntryPoint
from ..adaptors import AdaptorDataValidator, BaseAdaptor
from ..adaptors.data_validators import _usable_validator
from ..application.toml_adaptor import TomlAdaptor
from .errors import ToolError


class NamedAdaptor(NamedTuple):
    """An adaptor, and how a job on another host runs it."""

    adaptor_class: type[BaseAdaptor[Any]]
    #: The command and its first arguments; None for a file, or if there is no such command.
    command: list[str] | None
    #: The TOML file, if the user named one.
    file: str | None
    #: Where the class is defined.
    folder: str


class Schemas(NamedTuple):
    """The schemas of an adaptor's data."""

    init_data: AdaptorDataValidator
    run_data: AdaptorDataValidator
    #: Whether the runtime maps the paths in the data, or the adaptor does so itself.
    mapped: bool


def find(name: str) -> NamedAdaptor:
    """The adaptor of that name.

    Raises:
        ToolError: there is none.
    """
    if name.endswith(".toml"):
        return _named(EntryPoint.from_toml(name), None, name)
    # As `python -m` does, and last, so that nothing installed is hidden by it.
    if not {"", os.getcwd()} & set(sys.path):
        sys.path.append(os.getcwd())
    module, colon, _ = name.partition(":")
    if find_module(module) is None:
        raise ToolError(
            f"{name}: there is no module {module!r}; ADAPTOR is a package that can be imported "
            "here, package.module:Class, or the TOML file of an adaptor"
        )
    if colon:
        try:
            entry_point = EntryPoint(name)
        except ValueError as e:
            raise ToolError(str(e)) from None
        return _named(entry_point, _command_of(entry_point, module), None)
    entry_point = _of_package(name)
    return _named(entry_point, _command_of(entry_point, name), None)


def schemas(adaptor: NamedAdaptor) -> Schemas:
    """The schemas of its data: of its description, of ``data_schemas``, or beside its module.

    Raises:
        ToolError: it has none, or they cannot be used.
    """
    cls = adaptor.adaptor_class
    if issubclass(cls, TomlAdaptor):
        about = cls.description
        return Schemas(about.init_data.validator, about.run_data.validator, True)
    given = cls.data_schemas
    if given is not None:
        folders = [os.path.join(_folder_of(cls, adaptor.folder, "data_schemas"), given)]
    else:
        folders = [os.path.join(adaptor.folder, "schemas"), adaptor.folder]
    files = [(folder, f"{folder}/init_data.schema.json") for folder in map(os.fspath, folders)]
    folder = next((folder for folder, file in files if os.path.isfile(file)), None)
    if folder is None and given is None:
        raise ToolError(
            f"{cls.__name__} has no schemas of its data: put init_data.schema.json and "
            f'run_data.schema.json into {folders[0]}, and data_schemas = "schemas" into the class'
        )
    folder = folder or os.fspath(folders[0])
    try:
        init_data, run_data = (
            _usable_validator(os.path.join(folder, f"{data}.schema.json"))
            for data in ("init_data", "run_data")
        )
    except ValueError as e:
        raise ToolError(one_line(str(e))) from None
    return Schemas(init_data, run_data, given is not None)


def find_module(name: str) -> Any:
    """The spec of a module, None if there is none.

    Raises:
        ToolError: a package on the way to it cannot be imported.
    """
    if not all(part.isidentifier() for part in name.split(".")):
        return None
    try:
        return find_spec(name)
    except (ValueError, TypeError):
        return None
    except Exception as e:
        missing = e.name if isinstance(e, ModuleNotFoundError) else None
        if missing is not None and f"{name}.".startswith(f"{missing}."):
            return None  # It, and nothing that it needs, is not there.
        name = name[: -len(".__main__")] if name.endswith(".__main__") else name
        raise ToolError(one_line(f"{name} cannot be imported: {type(e).__name__}: {e}")) from None


def _named(entry_point: EntryPoint, command: list[str] | None, file: str | None) -> NamedAdaptor:
    try:
        cls = entry_point.load()
    except EntryPointError as e:
        raise ToolError(one_line(str(e))) from None
    if not (isinstance(cls, type) and issubclass(cls, BaseAdaptor)):
        raise ToolError(f"{entry_point.module}:{entry_point.adaptor_name} is no adaptor's class")
    return NamedAdaptor(cls, command, file, _folder(cls))


def _folder_of(cls: type[BaseAdaptor[Any]], folder: str, attribute: str) -> str:
    owner = next((c for c in cls.__mro__ if attribute in vars(c)), cls)
    return folder if owner is cls else _folder(owner)


def _folder(cls: type) -> str:
    """Where the module of a class is."""
    file = _MAINS.get(cls.__module__) if cls.__module__ == "__main__" else None
    file = file or getattr(sys.modules.get(cls.__module__), "__file__", None) or ""
    return os.path.dirname(os.path.abspath(file))


#: "__main__" -> the file of the package's, while it was run.
_MAINS: dict[str, str] = {}


class _Started(BaseException):
    """An entry point is started; no ``except Exception`` of a package's shall hold it up."""

    def __init__(self, entry_point: EntryPoint) -> None:
        self.entry_point = entry_point


def _of_package(package: str) -> EntryPoint:
    """The entry point that ``python -m package`` or its console command starts."""
    main = find_module(f"{package}.__main__")
    if main is None and find_module(package).submodule_search_locations is None:
        main = find_module(package)  # One file, which runs itself.
    if main is not None:
        _MAINS["__main__"] = str(main.origin)
        found = _started_by(lambda: runpy.run_module(package, run_name="__main__", alter_sys=True))
        if found is not None:
            return found
        raise ToolError(f"python -m {package} starts no EntryPoint, so it is no adaptor's package")
    for script in _scripts(package):
        found = _of_script(script)
        if found is not None:
            return found
    raise ToolError(
        f"the package {package} has neither a __main__.py nor a console command that starts an "
        "EntryPoint; name the adaptor's class: package.module:Class"
    )


def _command_of(entry_point: EntryPoint, package: str) -> list[str] | None:
    """What a job runs: the console command if there is one, else ``python -m``."""
    for script in _scripts(package):
        if _same(_of_script(script), entry_point):
            return [script.name]
    spec = find_module(package)
    if spec is not None and spec.submodule_search_locations is None and "." not in package:
        return ["python", "-m", package]  # One file, which runs itself.
    while package:
        main = find_module(f"{package}.__main__")
        if main is not None:
            return ["python", "-m", package]
        package = package.rpartition(".")[0]
    return None


def _same(one: EntryPoint | None, other: EntryPoint) -> bool:
    if isinstance(one, TomlEntryPoint) and isinstance(other, TomlEntryPoint):
        return one.path == other.path
    if one is None or isinstance(one, TomlEntryPoint) or isinstance(other, TomlEntryPoint):
        return False
    return (one.module, one.adaptor_name) == (other.module, other.adaptor_name)


def _scripts(package: str) -> list[metadata.EntryPoint]:
    """The console commands of modules in the same top-level package, the likeliest first."""
    found: Any = metadata.entry_points()
    if sys.version_info >= (3, 10):
        scripts = list(found.select(group="console_scripts"))
    else:
        scripts = list(found.get("console_scripts", ()))
    top = package.partition(".")[0]
    own = [s for s in scripts if s.value.partition(":")[0].partition(".")[0] == top]
    return sorted(own, key=lambda s: ("openjd" not in s.name, len(s.name), s.name))


def _of_script(script: metadata.EntryPoint) -> EntryPoint | None:
    """The entry point that a console command starts, if it starts one."""
    with _captured():
        try:
            target = script.load()
        except Exception:
            return None
    bound = getattr(target, "__self__", None)
    if isinstance(bound, EntryPoint):
        return bound
    # Nothing is called that does not look like it: it might do anything.
    if not isinstance(target, types.FunctionType):
        return None
    used = [target.__globals__.get(name) for name in target.__code__.co_names]
    if not any(value is EntryPoint or isinstance(value, EntryPoint) for value in used):
        return None
    return _started_by(target)


def _started_by(run: Callable[[], Any]) -> EntryPoint | None:
    """The entry point that `run` starts; it is not started."""
    with _captured():
        try:
            run()
        except _Started as started:
            return started.entry_point
        except (Exception, SystemExit) as e:
            raise ToolError(
                one_line(f"the adaptor's command failed: {type(e).__name__}: {e}")
            ) from None
    return None


@contextmanager
def _captured() -> Iterator[None]:
    def start(entry_point: EntryPoint, *_arguments: Any, **_options: Any) -> None:
        raise _Started(entry_point)

    original, arguments = EntryPoint.start, sys.argv
    EntryPoint.start = start  # type: ignore[method-assign,assignment]
    sys.argv = sys.argv[:1]
    try:
        yield
    finally:
        EntryPoint.start = original  # type: ignore[method-assign]
        sys.argv = arguments
