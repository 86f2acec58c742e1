"""The interpreter's own parser of regular expressions, which is no public interface of it."""

from __future__ import annotations

try:
    from re import _parser as sre  # type: ignore[attr-defined]
except ImportError:  # before Python 3.11
    import sre_parse as sre

__all__ = ["sre"]
