"""The adaptor."""

from faults.adaptors import ByClient

__all__ = ["ByClient"]
