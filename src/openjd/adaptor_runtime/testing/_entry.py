"""``python -m openjd.adaptor_runtime.testing._entry FILE COMMAND …``: the adaptor under test.

The file says which adaptor that is; the rest are the commands of every adaptor.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from openjd.adaptor_runtime import EntryPoint, EntryPointError


class TestedEntryPoint(EntryPoint):
    """The entry point of an adaptor under test.

    Args:
        path: a file with what ``Target.to_dict`` gives.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        with open(path, encoding="utf-8") as file:
            self._spec: dict[str, Any] = json.load(file)
        name = self._spec["name"].rpartition(".")[2] or "TomlAdaptor"
        super().__init__(f"{self._spec['module']}:{name}")

    def load(self) -> Any:
        """The adaptor's class, whose application is a fake if the test wants that."""
        if self._class is None:
            from ._target import Target, stand_in

            target = Target(**self._spec)
            try:
                self._class = target.load()
            except Exception as e:
                where = target.file if not target.name else f"{target.module}:{target.name}"
                raise EntryPointError(
                    f"the adaptor {where} cannot be loaded: {type(e).__name__}: {e}"
                ) from e
            if target.application is not None:
                stand_in(target.application)
            self.adaptor_name = self._class.__name__
        return self._class

    def find_name(self) -> str:
        """The adaptor's name; a TOML file has to be read for it."""
        try:
            self.load()
        except EntryPointError:
            pass  # Whoever needs the adaptor is told why.
        return self.adaptor_name

    def reentry_command(self, reentry_exe: str | None) -> list[str]:
        """The command that starts it anew, for the daemon."""
        return [sys.executable, "-m", "openjd.adaptor_runtime.testing._entry", self.path]


if __name__ == "__main__":
    TestedEntryPoint(sys.argv.pop(1)).start()
