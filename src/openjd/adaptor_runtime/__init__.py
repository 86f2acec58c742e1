"""The runtime that Open Job Description adaptors are built on."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing itself costs a frontend more than all of this module
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .adaptors import BaseAdaptor

__all__ = ["EntryPoint"]


class EntryPointError(Exception):
    """The adaptor cannot be loaded or run; the message says why, and what to do."""


class EntryPoint:
    """Makes a command of an adaptor's class.

    Args:
        adaptor_class: the class; or ``"package.module:Class"``, and then the commands that a
            scheduler runs for each task do not have to import the adaptor at all.

    Raises:
        ValueError: the name is not of that form.
    """

    def __init__(self, adaptor_class: type[BaseAdaptor[Any]] | str) -> None:
        if isinstance(adaptor_class, str):
            self._class: type[BaseAdaptor[Any]] | None = None
            self.module, separator, self.adaptor_name = adaptor_class.partition(":")
            if not (self.module and separator and self.adaptor_name.isidentifier()):
                raise ValueError(
                    f"{adaptor_class!r} names no adaptor: expected 'package.module:Class'"
                )
        else:
            self._class = adaptor_class
            self.module = adaptor_class.__module__
            self.adaptor_name = adaptor_class.__name__
        #: Called in the daemon, without arguments, once it listens.
        self.on_bootstrap_complete: set[Callable[[], Any]] = set()

    @staticmethod
    def from_toml(path: str | os.PathLike[str]) -> EntryPoint:
        """Makes a command of an adaptor that a TOML file describes.

        The file is read when the adaptor is needed: by the daemon, or by ``run``.

        Args:
            path: the file, for instance ``adaptor.toml`` beside the calling module.
        """
        from ._toml_entry_point import TomlEntryPoint

        return TomlEntryPoint(path)

    def load(self) -> type[BaseAdaptor[Any]]:
        """The adaptor's class, imported if it was given by its name.

        Raises:
            EntryPointError: the module cannot be imported, or has no such class.
        """
        if self._class is None:
            from importlib import import_module

            try:
                self._class = getattr(import_module(self.module), self.adaptor_name)
            except Exception as e:
                from ._load_errors import reason

                raise EntryPointError(
                    f"the adaptor {self.module}:{self.adaptor_name} cannot be loaded: "
                    f"{reason(self.module, self.adaptor_name, e)}"
                ) from e
        return self._class

    def find_name(self) -> str:
        """The adaptor's name, also where that takes looking for it."""
        return self.adaptor_name

    def start(
        self,
        reentry_exe: str | os.PathLike[str] | None = None,
        timeout_in_seconds: float = 5.0,
    ) -> None:
        """Runs the command that ``sys.argv`` asks for; returns if it went well.

        Args:
            reentry_exe: an executable that runs this same entry point, to start the daemon
                with; ``python -m <the adaptor's package>`` by default.
            timeout_in_seconds: had a meaning in 0.9. The daemon is waited for as long as it
                lives.

        Raises:
            SystemExit: it did not go well; the reason has been printed.
        """
        from ._cli import main

        status = main(self, sys.argv[1:], None if reentry_exe is None else os.fspath(reentry_exe))
        if status:
            sys.exit(status)

    def reentry_command(self, reentry_exe: str | None) -> list[str]:
        """The command that starts this entry point anew.

        Args:
            reentry_exe: an executable that runs this same entry point, as for ``start``.

        Raises:
            EntryPointError: the adaptor's package cannot be run; the message says what to do.
        """
        if reentry_exe is not None:
            return [reentry_exe]
        main_module = sys.modules["__main__"]
        if self.module == "__main__":
            # A script of one file, or a package whose class stands in its __main__.py.
            spec = main_module.__spec__
            if spec is None:
                return [sys.executable, os.path.abspath(sys.argv[0])]
            return [sys.executable, "-m", spec.name.rpartition(".__main__")[0] or spec.name]
        package = self._package()
        if package == "":
            return [sys.executable, "-m", self.module]
        from importlib.util import find_spec

        try:
            runnable = find_spec(f"{package}.__main__")
        except ImportError as e:
            raise EntryPointError(f"the adaptor's package {package} cannot be imported: {e}") from e
        if runnable is None:
            raise EntryPointError(
                f"the adaptor's package {package} has no __main__.py, so its daemon cannot be "
                f"started with 'python -m {package}'; add one that starts the entry point"
            )
        # Packages that import their own __main__ make runpy warn; that is no news for a log.
        return [sys.executable, "-W", "ignore::RuntimeWarning:runpy", "-m", package]

    def _package(self) -> str:
        module = sys.modules.get(self.module)
        if module is not None and module.__package__ is not None:
            return module.__package__
        return self.module.rpartition(".")[0]
