"""Configuration in layers: packaged defaults, the site's, the user's, one named by a variable."""

from __future__ import annotations

from .configuration import AdaptorConfiguration, Configuration, RuntimeConfiguration
from .manager import (
    ConfigurationManager,
    adaptor_configuration_manager,
    runtime_configuration_manager,
)

__all__ = [
    "AdaptorConfiguration",
    "Configuration",
    "ConfigurationManager",
    "RuntimeConfiguration",
    "adaptor_configuration_manager",
    "runtime_configuration_manager",
]
