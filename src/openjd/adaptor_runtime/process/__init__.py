"""Run an application, read its output, end it with all that it started."""

from __future__ import annotations

from .logging_subprocess import LoggingSubprocess
from .managed_process import ManagedProcess
from .stream_logger import StreamLogger

__all__ = ["LoggingSubprocess", "ManagedProcess", "StreamLogger"]
