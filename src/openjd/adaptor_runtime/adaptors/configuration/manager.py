"""ConfigurationManager: finds the layers and puts them together. It never writes a file."""

from __future__ import annotations

import os
from typing import Generic, TypeVar

from ..._platform import system_config_folder
from .configuration import AdaptorConfiguration, Configuration, RuntimeConfiguration

_ConfigT = TypeVar("_ConfigT", bound=Configuration)


class ConfigurationManager(Generic[_ConfigT]):
    """The layers of one configuration; a later one overrides an earlier one, key by key.

    Args:
        config_cls: the class of the result.
        default_config_path: the packaged defaults.
        system_config_path: the site's.
        user_config_rel_path: the user's, relative to the home folder.
        schema_path: a file with a JSON Schema that every layer must fit, or several.
        additional_config_paths: further layers, the last one last.

    A layer whose file does not exist counts as empty; the additional ones must exist.
    """

    def __init__(
        self,
        *,
        config_cls: type[_ConfigT],
        default_config_path: str,
        system_config_path: str,
        user_config_rel_path: str,
        schema_path: str | list[str] | None = None,
        additional_config_paths: list[str] | None = None,
    ) -> None:
        self._config_cls = config_cls
        self._default_config_path = default_config_path
        self._system_config_path = system_config_path
        self._user_config_rel_path = user_config_rel_path
        self._schema_path = schema_path
        self._additional_config_paths = additional_config_paths or []

    def get_default_config(self) -> _ConfigT:
        """The packaged defaults; empty if there are none."""
        return self._layer(self._default_config_path) or self._config_cls({})

    def get_system_config_path(self) -> str:
        """Where the site's configuration is looked for."""
        return self._system_config_path

    def get_system_config(self) -> _ConfigT | None:
        """The site's configuration, or None."""
        return self._layer(self._system_config_path)

    def get_user_config_path(self, username: str | None = None) -> str:
        """Where the configuration of a user (`username`; by default this one) is looked for."""
        return os.path.join(os.path.expanduser(f"~{username or ''}"), self._user_config_rel_path)

    def get_user_config(self, username: str | None = None) -> _ConfigT | None:
        """The configuration of a user (`username`; by default this one), or None."""
        return self._layer(self.get_user_config_path(username))

    def build_config(self, username: str | None = None) -> _ConfigT:
        """All layers, put together; `username` as for ``get_user_config_path``.

        Raises:
            ConfigurationError: a file cannot be used; the message names file, line and key.
        """
        config = self.get_default_config()
        for layer in (self.get_system_config(), self.get_user_config(username)):
            if layer is not None:
                config = config.override(layer)
        for path in self._additional_config_paths:
            config = config.override(self._config_cls.from_file(path, self._schema_path))
        return config

    def _layer(self, path: str) -> _ConfigT | None:
        if not os.path.lexists(path):
            return None
        return self._config_cls.from_file(path, self._schema_path)


def _from_variable(variable: str) -> list[str]:
    try:
        path = os.environ.get(variable)
    except UnicodeEncodeError:
        # The name of a class, which this system's locale has no letters for.
        return []
    return [path] if path else []


def runtime_configuration_manager() -> ConfigurationManager[RuntimeConfiguration]:
    """The layers of the runtime's own configuration."""
    relative = os.path.join("adaptors", "runtime", "configuration.json")
    return ConfigurationManager(
        config_cls=RuntimeConfiguration,
        default_config_path=os.path.join(os.path.dirname(__file__), "runtime.json"),
        system_config_path=os.path.join(system_config_folder(), relative),
        user_config_rel_path=os.path.join(".openjd", relative),
        additional_config_paths=_from_variable("RUNTIME_CONFIG_PATH"),
    )


def adaptor_configuration_manager(
    adaptor_name: str,
    package_folder: str,
    config_cls: type[_ConfigT] = AdaptorConfiguration,  # type: ignore[assignment]
    config_path: str | None = None,
    schema_path: str | list[str] | None = None,
) -> ConfigurationManager[_ConfigT]:
    """The layers of an adaptor's configuration.

    Args:
        adaptor_name: the name of the adaptor's class.
        package_folder: the folder of the module that defines it.
        config_cls: the class of the result.
        config_path: the packaged defaults; ``<package_folder>/<adaptor_name>.json`` if None.
        schema_path: the schema; if None the file that ADAPTOR_CONFIG_SCHEMA_PATH names, else
            ``<package_folder>/<adaptor_name>.schema.json`` if that exists.
    """
    relative = os.path.join("adaptors", adaptor_name, f"{adaptor_name}.json")
    if schema_path is None:
        beside = os.path.join(package_folder, f"{adaptor_name}.schema.json")
        schema_path = os.environ.get("ADAPTOR_CONFIG_SCHEMA_PATH") or (
            beside if os.path.exists(beside) else None
        )
    return ConfigurationManager(
        config_cls=config_cls,
        default_config_path=config_path or os.path.join(package_folder, f"{adaptor_name}.json"),
        system_config_path=os.path.join(system_config_folder(), relative),
        user_config_rel_path=os.path.join(".openjd", relative),
        schema_path=schema_path,
        additional_config_paths=_from_variable(f"{adaptor_name.upper()}_CONFIG_PATH"),
    )
