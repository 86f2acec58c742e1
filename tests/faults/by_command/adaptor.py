"""The adaptor."""

from faults.adaptors import ByCommand

__all__ = ["ByCommand"]
