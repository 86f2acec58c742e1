"""The adaptor's side of the conversation with its application."""

from __future__ import annotations

from .actions_queue import ActionsQueue
from .adaptor_server import AdaptorServer
from .calls import Call, Calls, Hello
from .errors import ApplicationError

__all__ = ["ActionsQueue", "AdaptorServer", "ApplicationError", "Call", "Calls", "Hello"]
