"""What authors of adaptors subclass and use.

Names are loaded when they are first used: a frontend imports an adaptor's module, and must not
pay for schemas and validators that only the daemon needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openjd.adaptor_runtime.ranges import IntRange
    from openjd.adaptor_runtime_client.path_mapping import PathMappingRule

    from .base import Adaptor, AdaptorConfigurationOptions, BaseAdaptor
    from .command import CommandAdaptor
    from .data_paths import map_path_list, map_paths
    from .data_validators import AdaptorDataValidator, AdaptorDataValidators
    from .lifecycle import AdaptorRunner, AdaptorState
    from .versioning import SemanticVersion

__all__ = [
    "Adaptor",
    "AdaptorConfigurationOptions",
    "AdaptorDataValidator",
    "AdaptorDataValidators",
    "AdaptorRunner",
    "AdaptorState",
    "BaseAdaptor",
    "CommandAdaptor",
    "IntRange",
    "PathMappingRule",
    "SemanticVersion",
    "map_path_list",
    "map_paths",
]

_HOMES = {
    "Adaptor": ".base",
    "AdaptorConfigurationOptions": ".base",
    "AdaptorDataValidator": ".data_validators",
    "AdaptorDataValidators": ".data_validators",
    "AdaptorRunner": ".lifecycle",
    "AdaptorState": ".lifecycle",
    "BaseAdaptor": ".base",
    "CommandAdaptor": ".command",
    "IntRange": "openjd.adaptor_runtime.ranges",
    "PathMappingRule": "openjd.adaptor_runtime_client.path_mapping",
    "SemanticVersion": ".versioning",
    "map_path_list": ".data_paths",
    "map_paths": ".data_paths",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name], __name__), name)
    globals()[name] = value
    return value
