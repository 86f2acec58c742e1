"""The adaptor."""

from faults.adaptors import ByHand

__all__ = ["ByHand"]
