"""Hosts."""

from apps.fixtures import host

__all__ = ["host"]
