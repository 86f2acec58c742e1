"""Tests of adaptors without their application: a fake one, sessions, assertions, a recorder.

Nothing here needs pytest; ``plugin`` makes fixtures of it. See docs/testing-an-adaptor.md.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .application import FakeApplication, Played
    from .recording import RecordError, record
    from .results import Result
    from .script import Part, Script, ScriptError
    from .sessions import MODES, AdaptorSession, Running

__all__ = [
    "MODES",
    "AdaptorSession",
    "FakeApplication",
    "Part",
    "Played",
    "RecordError",
    "Result",
    "Running",
    "Script",
    "ScriptError",
    "record",
]

_HOMES = {
    "MODES": "sessions",
    "AdaptorSession": "sessions",
    "FakeApplication": "application",
    "Part": "script",
    "Played": "application",
    "RecordError": "recording",
    "Result": "results",
    "Running": "sessions",
    "Script": "script",
    "ScriptError": "script",
    "record": "recording",
}


def __getattr__(name: str) -> object:
    # pytest loads the plugin in this package wherever it is installed, whether it is used or not.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value
