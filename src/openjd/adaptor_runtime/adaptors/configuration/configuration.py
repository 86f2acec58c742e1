"""Configuration: one layer, or several put together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ..._text import decode, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

_LOG_LEVELS = ["INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL"]
_ConfigT = TypeVar("_ConfigT", bound="Configuration")
# How much a setting must be like one that is known to be taken for that (0 to 1).
_SURELY = 0.85


class ConfigurationError(ValueError):
    """A configuration file that cannot be used; its message names file, line and key."""


class Configuration:
    """Settings of an adaptor or of the runtime.

    Args:
        config: the settings, by their names.
    """

    #: Setting -> the values that it may have, the default first. Always checked.
    known: ClassVar[dict[str, list[Any]]] = {}

    # Further settings that the runtime knows.
    _others: ClassVar[frozenset[str]] = frozenset()

    # Settings that the runtime gave to every adaptor after schemas had been written: one that
    # does not name them must not refuse them.
    _newer: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config

    @property
    def config(self) -> dict[str, Any]:
        """The settings, by their names."""
        return self._config

    @classmethod
    def from_file(
        cls: type[_ConfigT], config_path: str, schema_path: str | list[str] | None = None
    ) -> _ConfigT:
        """The settings in a JSON file.

        Args:
            config_path: the file.
            schema_path: a file with a JSON Schema that the settings must fit, or several.

        Raises:
            ConfigurationError: the file cannot be read, is no JSON object, or does not fit.
        """
        try:
            with open(config_path, "rb") as file:
                text = decode(file.read())
        except OSError as e:
            raise ConfigurationError(
                f"the configuration file {config_path} cannot be read: {e.strerror or e}"
            ) from e
        except ValueError as e:
            raise ConfigurationError(f"the configuration file {config_path} {e}") from e
        try:
            config = json.loads(text)
        except json.JSONDecodeError as e:
            raise ConfigurationError(
                f"the configuration file {config_path}, line {e.lineno}, column {e.colno} "
                f"is no JSON: {e.msg}"
            ) from e
        except ValueError as e:
            raise ConfigurationError(
                f"the configuration file {config_path} cannot be read: {one_line(str(e))}"
            ) from e
        except RecursionError as e:
            raise ConfigurationError(
                f"the configuration file {config_path} is nested too deeply"
            ) from e
        if not isinstance(config, dict):
            raise ConfigurationError(
                f"the configuration file {config_path} must hold a JSON object, with settings by "
                "their names"
            )
        try:
            cls._validate(config, config_path, text, schema_path)
        except RecursionError as e:
            raise ConfigurationError(
                f"the configuration file {config_path} is nested too deeply"
            ) from e
        return cls(config)

    @classmethod
    def _validate(
        cls,
        config: dict[str, Any],
        config_path: str,
        text: str,
        schema_path: str | list[str] | None,
    ) -> None:
        paths = [schema_path] if isinstance(schema_path, str) else schema_path or []
        for key, allowed in cls.known.items():
            value = config.get(key, allowed[0])
            # 1 equals True, but is no boolean.
            if not any(value == one and type(value) is type(one) for one in allowed):
                raise ConfigurationError(
                    f"the configuration file {config_path}{_line_of(text, [key])}, key /{key}: "
                    f"{shown(value)} is none of {_choices(value, allowed)}"
                )
        wrong = cls._wrong(config)
        if wrong is not None:
            where, problem = wrong
            key = one_line("/".join(str(step) for step in where), 200)
            raise ConfigurationError(
                f"the configuration file {config_path}{_line_of(text, where)}, key /{key}: "
                f"{problem}"
            )
        # What is behind this costs more than everything else here.
        named = cls._validate_by_schemas(config, config_path, text, paths) if paths else set()
        for key in config:
            if key not in named | cls._names():
                cls._refuse_if_misspelt(key, f"the configuration file {config_path}", text)

    @classmethod
    def _names(cls) -> set[str]:
        """The settings that the runtime knows."""
        return {*cls.known, *cls._others}

    @classmethod
    def _refuse_if_misspelt(cls, key: str, file: str, text: str) -> None:
        """Of the settings that are not known, those of newer versions and of adaptors are fine.

        Raises:
            ConfigurationError: it is surely meant to be one that is known.
        """
        from ..._suggestions import closest

        meant = closest(key, sorted(cls._names()), alike=_SURELY)
        if meant is not None:
            raise ConfigurationError(
                f"{file}{_line_of(text, [key])}: there is no setting {key!r}; "
                f"did you mean {meant!r}?"
            )

    @classmethod
    def _validate_by_schemas(
        cls, config: dict[str, Any], config_path: str, text: str, paths: list[str]
    ) -> set[str]:
        """Whether the settings fit the schemas in these files; returns what the schemas name."""
        schemas = []
        names: set[str] = set()
        for path in paths:
            try:
                with open(path, "rb") as file:
                    schemas.append(json.loads(decode(file.read())))
            except (OSError, ValueError, RecursionError) as e:
                raise ConfigurationError(
                    f"the configuration schema {path} cannot be used: {e}"
                ) from e
            if not isinstance(schemas[-1], (dict, bool)):
                raise ConfigurationError(
                    f"the configuration schema {path} cannot be used: it must hold a JSON object"
                )
        from jsonschema.exceptions import SchemaError, best_match
        from jsonschema.validators import validator_for

        from ..schema_errors import in_words

        for schema in schemas:
            validator_class = validator_for(schema)
            try:
                validator_class.check_schema(schema)
            except SchemaError as e:
                raise ConfigurationError(
                    f"the configuration schema {' or '.join(paths)} is not valid: "
                    f"{one_line(e.message)}"
                ) from e
            named = schema.get("properties", {}) if isinstance(schema, dict) else {}
            names.update(named)
            judged = {k: v for k, v in config.items() if k not in cls._newer or k in named}
            error = best_match(validator_class(schema).iter_errors(judged))
            if error is not None:
                key = one_line("/".join(str(step) for step in error.absolute_path), 200)
                line = _line_of(text, error.absolute_path)
                raise ConfigurationError(
                    f"the configuration file {config_path}{line}, key /{key}: "
                    f"{one_line(in_words(error), 800)}"
                )
        return names

    @classmethod
    def _wrong(cls, config: dict[str, Any]) -> tuple[list[Any], str] | None:
        """What is wrong with settings whose values are no enumeration: the place, and the words.

        Always asked, as `known` is.
        """
        return None

    def override(self: _ConfigT, other: _ConfigT) -> _ConfigT:
        """A configuration in which the settings of `other` replace these, key by key."""
        return type(self)({**self._config, **other._config})


def _line_of(text: str, path: Iterable[Any]) -> str:
    """ ", line N" for the innermost key of `path` in the text of a file; "" if that is unknown."""
    import yaml

    from ..._data import DataError, check_yaml

    # JSON is YAML, but for tabs; and a reader for YAML says where things are.
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = text.replace("\t", " ")
    try:
        check_yaml(text, loader, "")
        node = yaml.compose(text, loader)
    except (yaml.YAMLError, DataError):
        # JSON nevertheless: with a control character, half of a pair, or thousands of brackets.
        return ""
    line = ""
    for step in path:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            continue
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        # Where a key stands twice, JSON takes the last.
        found = [(key, value) for key, value in pairs if key.value == step]
        if not found:
            break
        key, node = found[-1]
        line = f", line {key.start_mark.line + 1}"
    return line


def _choices(value: Any, allowed: list[Any]) -> str:
    """What a setting may be, and what its value was probably meant to be."""
    from ..._suggestions import closest

    choices = ", ".join(json.dumps(one) for one in allowed)
    texts = [one for one in allowed if isinstance(one, str)]
    meant = closest(value, texts) if isinstance(value, str) else None
    return choices if meant is None else f"{choices}; did you mean {json.dumps(meant)}?"


def shown(value: Any) -> str:
    """A setting's value as it may stand in a message."""
    # Descriptions in TOML have dates.
    return one_line(json.dumps(value, default=str), 400)


class AdaptorConfiguration(Configuration):
    """The settings of an adaptor."""

    known: ClassVar[dict[str, list[Any]]] = {"log_level": _LOG_LEVELS}
    _others = frozenset({"map_environment"})
    _newer = frozenset({"map_environment"})

    @property
    def log_level(self) -> str:
        """The least level that the adaptor logs: DEBUG, INFO (default) … CRITICAL."""
        return str(self._config.get("log_level", "INFO"))

    @property
    def map_environment(self) -> list[str]:
        """The environment variables whose paths are mapped when a session starts (default: [])."""
        return list(self._config.get("map_environment", []))

    @classmethod
    def _wrong(cls, config: dict[str, Any]) -> tuple[list[Any], str] | None:
        names = config.get("map_environment", [])
        if not isinstance(names, list):
            return ["map_environment"], (
                f"{shown(names)} is no list of names of environment variables, such as "
                '["PROJECT_ROOT"]'
            )
        for index, name in enumerate(names):
            if not isinstance(name, str) or not name:
                return ["map_environment", index], (
                    f"{shown(name)} is no name of an environment variable"
                )
        return None


class RuntimeConfiguration(Configuration):
    """The settings of the runtime."""

    known: ClassVar[dict[str, list[Any]]] = {
        "log_level": _LOG_LEVELS,
        "deactivate_telemetry": [False, True],
        "warn_unmapped_paths": [False, True],
    }
    _others = frozenset({"lease_seconds"})

    @property
    def log_level(self) -> str:
        """The least level that the runtime logs: DEBUG, INFO (default) … CRITICAL."""
        return str(self._config.get("log_level", "INFO"))

    @property
    def deactivate_telemetry(self) -> bool:
        """Whether adaptors shall send no telemetry (default: False). The runtime sends none."""
        return bool(self._config.get("deactivate_telemetry", False))

    @property
    def lease_seconds(self) -> float:
        """How long a daemon lives without a request (seconds; default: a day; 0: for ever).

        Not while it does what it was asked to.
        """
        return float(self._config.get("lease_seconds", 86400))

    @classmethod
    def _wrong(cls, config: dict[str, Any]) -> tuple[list[Any], str] | None:
        lease = config.get("lease_seconds", 0)
        if isinstance(lease, bool) or not isinstance(lease, (int, float)) or not 0 <= lease < 1e9:
            return ["lease_seconds"], (
                f"{shown(lease)} is no number of seconds (0 for a daemon that waits for ever)"
            )
        log = config.get("session_log", "")
        if not isinstance(log, str) or "\0" in log:
            return ["session_log"], f'{shown(log)} is no path of a file or folder ("" for none)'
        return None

    @property
    def session_log(self) -> str:
        """The file, or the folder for files, that sessions are recorded in (default: none)."""
        return str(self._config.get("session_log", ""))

    @property
    def warn_unmapped_paths(self) -> bool:
        """Whether absolute paths of another system that no rule matches give a warning."""
        return bool(self._config.get("warn_unmapped_paths", False))
