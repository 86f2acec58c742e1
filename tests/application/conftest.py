"""Hosts, sessions and gates."""

from apps.fixtures import gate, host, session, shared_host

__all__ = ["gate", "host", "session", "shared_host"]
