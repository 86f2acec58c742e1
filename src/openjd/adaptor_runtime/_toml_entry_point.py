"""The entry point of an adaptor that a TOML file describes; frontends do not read the file."""

from __future__ import annotations

import os
import sys

from . import EntryPoint, EntryPointError

TYPE_CHECKING = False  # typing itself costs a frontend more than all of this module
if TYPE_CHECKING:
    from typing import Any

    from .adaptors import BaseAdaptor


class TomlEntryPoint(EntryPoint):
    """See ``EntryPoint.from_toml``."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__("openjd.adaptor_runtime.application.toml_adaptor:TomlAdaptor")
        self.path = os.path.abspath(path)
        # What --help says, until the file has been read.
        self.adaptor_name = os.path.splitext(os.path.basename(sys.argv[0]))[0]

    def load(self) -> type[BaseAdaptor[Any]]:
        """The class of the adaptor that the file describes.

        Raises:
            EntryPointError: the file cannot be used.
        """
        if self._class is None:
            from .application.toml_adaptor import DescriptionError, adaptor_class

            try:
                self._class = adaptor_class(self.path)
            except DescriptionError as e:
                # Not from it: the lines of a TOML reader help nobody.
                raise EntryPointError(f"the adaptor's description {e}") from None
            self.adaptor_name = self._class.__name__
        return self._class

    def find_name(self) -> str:
        """The name in the file; that of the file where it cannot be used."""
        try:
            self.load()
        except Exception:
            # Whoever needs the adaptor is told why.
            return os.path.splitext(os.path.basename(self.path))[0]
        return self.adaptor_name

    def reentry_command(self, reentry_exe: str | None) -> list[str]:
        """The command that starts an entry point for the same file."""
        if reentry_exe is not None:
            return [reentry_exe]
        return [sys.executable, "-m", __spec__.name, self.path]


if __name__ == "__main__":
    TomlEntryPoint(sys.argv.pop(1)).start()
