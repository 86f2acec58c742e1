"""Hosts and gates."""

from apps.fixtures import gate, host

__all__ = ["gate", "host"]
