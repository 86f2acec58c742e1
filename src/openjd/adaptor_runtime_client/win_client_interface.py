"""The name that 0.9 gave to ClientInterface on Windows; deprecated."""

from .client import ClientInterface as WinClientInterface

__all__ = ["WinClientInterface"]
