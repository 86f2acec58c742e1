"""Findings: what is wrong, where, and how to mend it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from ..._text import one_line
from .codes import CODES


class Finding(NamedTuple):
    """One thing that is wrong."""

    code: str
    message: str
    #: The file; "" where it is in none.
    file: str
    #: From 1; 0 where it is not known.
    line: int
    mend: str

    @property
    def severity(self) -> str:
        """ "error" or "warning"."""
        return CODES[self.code].severity

    def shown(self, here: str) -> str:
        """The finding as text, with paths from the folder `here` where they are below it."""
        where = f"{shown_path(self.file, here)}:{self.line}: " if self.line else ""
        if self.file and not self.line:
            where = f"{shown_path(self.file, here)}: "
        return f"{where}{self.severity} {self.code}: {self.message}\n    mend: {self.mend}"

    def as_json(self) -> dict[str, Any]:
        """The finding as JSON can express it."""
        return {
            "code": self.code,
            "severity": self.severity,
            "file": self.file or None,
            "line": self.line or None,
            "message": self.message,
            "mend": self.mend,
        }


class Findings:
    """Takes what the checks find.

    Args:
        ignored: codes, or their beginnings, that are not wanted.
    """

    def __init__(self, ignored: Collection[str] = ()) -> None:
        self._ignored = tuple(ignored)
        self._found: dict[Finding, None] = {}
        #: What could not be looked at, and why.
        self.notes: list[str] = []

    def ignore(self, codes: Iterable[str]) -> None:
        """From here on, these are not wanted either."""
        self._ignored = (*self._ignored, *codes)

    def add(
        self,
        code: str,
        message: str,
        file: str | os.PathLike[str] | None = None,
        line: int | None = None,
        mend: str = "",
    ) -> None:
        """Takes a finding; the same one twice counts once."""
        assert code in CODES, code
        if self._ignored and code.startswith(self._ignored):
            return
        path = os.path.abspath(file) if file else ""
        finding = Finding(
            code, one_line(message), path, line or 0, one_line(mend) or CODES[code].mend
        )
        self._found[finding] = None

    def note(self, text: str) -> None:
        """Takes a word on what could not be looked at."""
        if text not in self.notes:
            self.notes.append(text)

    def sorted(self) -> list[Finding]:
        """All of them, by place."""
        return sorted(self._found, key=lambda f: (f.file, f.line, f.code, f.message))


def shown_path(file: str, here: str) -> str:
    """A path, from the folder `here` where it is below that."""
    try:
        return str(Path(file).relative_to(here))
    except ValueError:
        return file
