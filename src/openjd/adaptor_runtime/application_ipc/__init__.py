"""The adaptor's side of the conversation with its application."""

from __future__ import annotations

from .actions_queue import ActionsQueue
from .adaptor_server import AdaptorServer

__all__ = ["ActionsQueue", "AdaptorServer"]
