"""What runs inside the application: takes the adaptor's actions, maps paths.

Standard library only, Python 3.7 and later, importable as ``openjd.adaptor_runtime_client``
and, with the ``openjd`` folder itself on PYTHONPATH, as ``adaptor_runtime_client``.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .action import Action, action
    from .application_client import ApplicationClient
    from .client import ClientInterface
    from .client import ClientInterface as HTTPClientInterface
    from .path_mapping import PathMappingRule

__all__ = ["Action", "ApplicationClient", "ClientInterface", "PathMappingRule", "action"]

_HOMES = {
    "Action": "action",
    "ApplicationClient": "application_client",
    "ClientInterface": "client",
    "PathMappingRule": "path_mapping",
    "action": "action",
}

if os.name == "posix":
    # The name that 0.9 gave to the same class on POSIX systems; deprecated.
    __all__ += ["HTTPClientInterface"]
    _HOMES["HTTPClientInterface"] = "client"


def __getattr__(name: str) -> object:
    # A frontend needs the wire alone and must not pay for the rest.
    if name not in _HOMES:
        raise AttributeError("module {!r} has no attribute {!r}".format(__name__, name))
    from importlib import import_module

    module = import_module("." + _HOMES[name], __name__)
    if name == "action":
        return module  # which is the decorator, too: the package has one name for the two
    value = module.ClientInterface if name == "HTTPClientInterface" else getattr(module, name)
    globals()[name] = value
    return value
