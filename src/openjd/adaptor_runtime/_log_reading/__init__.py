"""Reads the log of a session, whoever has written it, into one model.

``read`` takes the journal of a session (JSON lines, setting ``session_log``), the output of our
commands as it was printed, and the log of ``openjd run``.
"""

from __future__ import annotations

from .model import Line, Log, Session, Step
from .reading import LogError, read

__all__ = ["Line", "Log", "LogError", "Session", "Step", "read"]
