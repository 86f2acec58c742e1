"""The adaptor under test: a class, the name of one, or a file of TOML."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..adaptors import BaseAdaptor
from ..process import LoggingSubprocess

_TOML = "openjd.adaptor_runtime.application.toml_adaptor"


class Target:
    """An adaptor, by what names it in another process.

    Args:
        module: the module of its class.
        name: of the class within the module.
        file: the module's file, for a module that cannot be imported by its name elsewhere; or the
            file of TOML.
        application: the beginning of a command line that stands in for every program that the
            adaptor starts, if any.
    """

    def __init__(
        self, module: str, name: str, file: str | None = None, application: list[str] | None = None
    ) -> None:
        self.module = module
        self.name = name
        self.file = file
        self.application = application
        self._class: type[BaseAdaptor[Any]] | None = None

    @classmethod
    def of(cls, adaptor: type[BaseAdaptor[Any]] | str | os.PathLike[str]) -> Target:
        """The adaptor that somebody means.

        Raises:
            ValueError: it is neither a class, nor ``"package.module:Class"``, nor a file of TOML.
        """
        if isinstance(adaptor, type):
            module = sys.modules.get(adaptor.__module__)
            target = cls(
                adaptor.__module__, adaptor.__qualname__, getattr(module, "__file__", None)
            )
            target._class = adaptor
            return target
        text = os.fspath(adaptor)
        if text.lower().endswith(".toml"):
            return cls(_TOML, "", os.path.abspath(text))
        module_name, separator, name = text.partition(":")
        if not (separator and module_name and all(p.isidentifier() for p in name.split("."))):
            raise ValueError(
                f"{text!r} is no adaptor: a class, 'package.module:Class' or the path of a TOML "
                "file is expected"
            )
        return cls(module_name, name)

    def to_dict(self) -> dict[str, Any]:
        """What another process needs to make the same."""
        return {
            "module": self.module,
            "name": self.name,
            "file": self.file,
            "application": self.application,
        }

    def check_reachable(self) -> None:
        """Whether another process can find the class.

        Raises:
            ValueError: it cannot; the message says what to do.
        """
        if "<locals>" in self.name:
            raise ValueError(
                f"{self.module}.{self.name} is made within a function, where the daemon's process "
                "cannot find it; put it at the top of its module"
            )

    def load(self) -> type[BaseAdaptor[Any]]:
        """The class.

        Raises:
            Exception: whatever its import raises.
        """
        if self._class is None:
            if self.module == _TOML and self.file:
                from ..application.toml_adaptor import adaptor_class

                self._class = adaptor_class(self.file)
            else:
                value: Any = self._import()
                for part in self.name.split("."):
                    value = getattr(value, part)
                self._class = value
        assert self._class is not None
        return self._class

    def _import(self) -> Any:
        from importlib import import_module

        if self.module != "__main__":
            try:
                return import_module(self.module)
            except ModuleNotFoundError as e:
                if e.name is None or not f"{self.module}.".startswith(f"{e.name}."):
                    raise
                if self.file is None:
                    raise
        # A test's module that pytest has imported in its own way, or a script.
        from importlib.util import module_from_spec, spec_from_file_location

        assert self.file is not None
        name = Path(self.file).stem if self.module == "__main__" else self.module
        spec = spec_from_file_location(name, self.file)
        assert spec is not None and spec.loader is not None
        module = sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    @property
    def configuration_name(self) -> str:
        """By what its configuration is called."""
        if self.module == _TOML and self.file:
            from ..application.toml_adaptor import DescriptionError, read

            try:
                return read(self.file).name
            except DescriptionError:
                return Path(self.file).stem  # The start will say what is wrong.
        return self.name.rpartition(".")[2]


def stand_in(application: list[str]) -> Callable[[], None]:
    """From here on, every program that an adaptor starts is this one; returns what undoes it."""
    real = LoggingSubprocess.__init__

    def init(self: LoggingSubprocess, *, args: Any, **options: Any) -> None:
        real(self, args=[*application, *list(args)[1:]] if args else args, **options)

    LoggingSubprocess.__init__ = init  # type: ignore[method-assign]

    def undo() -> None:
        LoggingSubprocess.__init__ = real  # type: ignore[method-assign]

    return undo
