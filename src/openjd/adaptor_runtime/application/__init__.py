"""What authors of adaptors for applications use.

Names are loaded when they are first used: a frontend imports an adaptor's module.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..application_ipc import ApplicationError
    from .adaptor import Application, ApplicationAdaptor
    from .command_line import CommandLineAdaptor
    from .rules import Fail, License, Progress, Status, Warn
    from .settings import ApplicationConfiguration, Limits

__all__ = [
    "Application",
    "ApplicationAdaptor",
    "ApplicationConfiguration",
    "ApplicationError",
    "CommandLineAdaptor",
    "Fail",
    "License",
    "Limits",
    "Progress",
    "Status",
    "Warn",
]

_HOMES = {
    "Application": ".adaptor",
    "ApplicationAdaptor": ".adaptor",
    "ApplicationConfiguration": ".settings",
    "ApplicationError": "..application_ipc",
    "CommandLineAdaptor": ".command_line",
    "Limits": ".settings",
    "Fail": ".rules",
    "License": ".rules",
    "Progress": ".rules",
    "Status": ".rules",
    "Warn": ".rules",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name], __name__), name)
    globals()[name] = value
    return value
