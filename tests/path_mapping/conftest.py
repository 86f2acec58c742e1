"""Hosts and sessions."""

from apps.fixtures import host, session, shared_host

__all__ = ["host", "session", "shared_host"]
