"""BaseAdaptor and Adaptor: the classes that adaptors are made from."""

from __future__ import annotations

import math
import os
import sys
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from .versioning import SemanticVersion

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from openjd.adaptor_runtime_client.path_mapping import PathMapper, PathMappingRule

    from .configuration import AdaptorConfiguration, ConfigurationManager
    from .data_validators import SessionData

    _ConfigT = TypeVar("_ConfigT", bound=AdaptorConfiguration)
else:
    _ConfigT = TypeVar("_ConfigT")


class AdaptorConfigurationOptions(Generic[_ConfigT]):
    """Where an adaptor's configuration deviates from the convention.

    Args:
        config_cls: the class of ``BaseAdaptor.config``.
        config_path: the file with the packaged defaults.
        schema_path: the file with the JSON Schema of the configuration, or several.
    """

    def __init__(
        self,
        config_cls: type[_ConfigT] | None = None,
        config_path: str | None = None,
        schema_path: str | list[str] | None = None,
    ) -> None:
        self.config_cls = config_cls
        self.config_path = config_path
        self.schema_path = schema_path


class BaseAdaptor(ABC, Generic[_ConfigT]):
    """What every adaptor has: its data, its configuration, path mapping, status, cancel.

    Args:
        init_data: the session's init data.
        config_opts: where the configuration deviates from the convention.
        path_mapping_data: path mapping rules, ``{"path_mapping_rules": [...]}`` as in the
            specification's ``pathmapping-1.0``; may be empty.

    Raises:
        ValueError: a path mapping rule is not valid.
    """

    #: The folder with ``init_data.schema.json`` and ``run_data.schema.json``; a relative path
    #: begins at the folder of the module that defines the class. Where it is set, the runtime
    #: validates the data and maps the paths in it (see ``map_paths``): ``init_data`` before the
    #: adaptor is started, the run data of each task before it is run.
    data_schemas: ClassVar[str | os.PathLike[str] | None] = None

    # On the class as well: a subclass may have an __init__ that does not call this one.
    _session_data: SessionData | None = None
    _warn_unmapped_paths = False
    # Whether the step under way was cancelled, be it before its code began; set by the session.
    _step_canceled: Callable[[], bool] | None = None
    # To be called when the step under way has failed and ends because its application is ended,
    # with what is set when that is done; set by the session.
    _step_given_up: Callable[[threading.Event], None] | None = None

    def __init__(
        self,
        init_data: dict[str, Any],
        *,
        config_opts: AdaptorConfigurationOptions[_ConfigT] | None = None,
        path_mapping_data: dict[str, Any] | None = None,
    ) -> None:
        self.init_data = init_data
        self._config_opts = config_opts
        self._config: _ConfigT | None = None
        self._config_manager: ConfigurationManager[_ConfigT] | None = None
        self._path_mapping_rules = _read_rules(path_mapping_data or {})
        self._path_mapper: PathMapper | None = None

    @property
    @abstractmethod
    def integration_data_interface_version(self) -> SemanticVersion:
        """The version of the interface that init data and run data are written for."""

    @property
    def config_manager(self) -> ConfigurationManager[_ConfigT]:
        """Finds and puts together the layers of the adaptor's configuration."""
        if self._config_manager is None:
            from .configuration import AdaptorConfiguration, adaptor_configuration_manager

            options = self._config_opts or AdaptorConfigurationOptions()
            cls = type(self)
            module = sys.modules[cls.__module__]
            self._config_manager = adaptor_configuration_manager(
                cls.__name__,
                os.path.dirname(os.path.abspath(getattr(module, "__file__", None) or "")),
                options.config_cls or cast("type[_ConfigT]", AdaptorConfiguration),
                options.config_path,
                options.schema_path,
            )
        return self._config_manager

    @property
    def config(self) -> _ConfigT:
        """The adaptor's configuration, read when it is first asked for.

        Raises:
            ConfigurationError: a configuration file cannot be used.
        """
        if self._config is None:
            self._config = self.config_manager.build_config()
        return self._config

    @property
    def path_mapping_rules(self) -> list[PathMappingRule]:
        """The session's path mapping rules; a copy."""
        return self._path_mapping_rules.copy()

    def map_path(self, path: str) -> str:
        """`path` as the session's path mapping rules map it (specification, "Path Mapping")."""
        if self._path_mapper is None:
            self._path_mapper = self._make_path_mapper()
        return self._path_mapper.map(path)

    def _make_path_mapper(self) -> PathMapper:
        if self._warn_unmapped_paths:
            from openjd.adaptor_runtime_client.unmapped_paths import WarningPathMapper

            return WarningPathMapper(self._path_mapping_rules, _warn)
        from openjd.adaptor_runtime_client.path_mapping import PathMapper

        return PathMapper(self._path_mapping_rules)

    def _warn_of_unmapped_paths(self) -> None:
        """From now on, a warning for each foreign path that no rule matches."""
        self._warn_unmapped_paths = True
        self._path_mapper = None

    @classmethod
    def update_status(
        cls, *, progress: float | None = None, status_message: str | None = None
    ) -> None:
        """Tells the scheduler how the task stands, with Open Job Description messages.

        Args:
            progress: percent, 0 to 100.
            status_message: one line of text; line breaks in it become spaces.
        """
        if progress is None and status_message is None:
            _warn("a status update with neither progress nor status message is ignored")
            return
        messages = ""
        if progress is not None:
            if math.isfinite(progress):
                messages += f"openjd_progress: {progress}\n"
            else:
                _warn(f"progress {progress} is not finite and is ignored")
        if status_message is not None:
            messages += f"openjd_status: {' '.join(status_message.splitlines())}\n"
        if messages:
            # One call: another thread's output cannot come between.
            sys.stdout.write(messages)
            sys.stdout.flush()

    def on_cancel(self) -> None:
        """Called when the task is cancelled, on another thread than the one in ``on_run``.

        Shall make ``on_run`` return or raise soon. Where it is not overridden, the runtime ends
        the applications that the adaptor has started.
        """

    def cancel(self) -> None:
        """Cancels what the adaptor does: calls ``on_cancel``."""
        self.on_cancel()

    # What the lifecycle calls in each state.

    def _start(self) -> None:
        pass

    def _run(self, run_data: dict[str, Any]) -> None:
        raise NotImplementedError

    def _stop(self) -> None:
        pass

    def _cleanup(self) -> None:
        pass


class Adaptor(BaseAdaptor[_ConfigT]):
    """An adaptor for an application that lives through a session and does its tasks."""

    def on_start(self) -> None:
        """Called once, first: start the application, load the scene."""

    @abstractmethod
    def on_run(self, run_data: dict[str, Any]) -> None:
        """Called for each task; the task is done when it returns.

        Args:
            run_data: the task's data; paths in it are mapped where ``data_schemas`` says so.

        Raises:
            Exception: the task has failed; the message is shown to the scheduler.
        """

    def on_stop(self) -> None:
        """Called once after the last task: say goodbye in good order."""

    def on_cleanup(self) -> None:
        """Called last, whatever happened before: leave nothing behind."""

    def _start(self) -> None:
        self.on_start()

    def _run(self, run_data: dict[str, Any]) -> None:
        self.on_run(run_data)

    def _stop(self) -> None:
        self.on_stop()

    def _cleanup(self) -> None:
        self.on_cleanup()


def path_beside(adaptor: BaseAdaptor[Any], attribute: str) -> str:
    """The path that an attribute of the adaptor's class holds.

    A relative one begins at the folder of the module whose class defines it, also where another
    class inherits it.
    """
    cls = type(adaptor)
    owner = next((c for c in cls.__mro__ if attribute in vars(c)), cls)
    module = os.path.abspath(getattr(sys.modules[owner.__module__], "__file__", None) or "")
    return os.path.join(os.path.dirname(module), getattr(adaptor, attribute))


def _warn(message: str) -> None:
    # A frontend that imports the adaptor's class must not load logging for this.
    import logging

    logging.getLogger(__name__).warning("%s", message)


def _read_rules(data: dict[str, Any]) -> list[PathMappingRule]:
    rules = data.get("path_mapping_rules") or []
    if not rules:
        return []
    from openjd.adaptor_runtime_client.path_mapping import PathMappingRule

    if not isinstance(rules, list):
        raise ValueError("path_mapping_rules must be a list of rules")
    read = []
    for index, rule in enumerate(rules):
        try:
            read.append(PathMappingRule.from_dict(rule=rule))
        except ValueError as e:
            raise ValueError(f"path mapping rule {index + 1}: {e}") from e
    return read
