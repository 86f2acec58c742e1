"""``openjd-adaptor check PACKAGE``: a linter for adaptors. See docs/check.md."""

from __future__ import annotations

from ._command import main, parser

__all__ = ["main", "parser"]
