"""The runtime that Open Job Description adaptors are built on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._entrypoint import EntryPoint

__all__ = ["EntryPoint"]


def __getattr__(name: str) -> object:
    if name == "EntryPoint":
        from ._entrypoint import EntryPoint

        return EntryPoint
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
