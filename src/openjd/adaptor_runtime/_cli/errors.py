"""Which errors are the user's to mend, and which are ours."""

from __future__ import annotations


def is_expected(error: Exception) -> bool:
    """Whether the message of `error` says all that a user needs to know."""
    from .. import EntryPointError
    from .._daemon.connection_file import ConnectionFileError
    from .._daemon.frontend import FrontendError
    from .._data import DataError
    from ..adaptors.configuration.configuration import ConfigurationError

    return isinstance(
        error,
        (
            FrontendError,
            ConnectionFileError,
            DataError,
            ConfigurationError,
            EntryPointError,
            OSError,
        ),
    )


def wants_traceback() -> bool:
    """Whether the runtime's log level is DEBUG."""
    from ..adaptors.configuration import runtime_configuration_manager
    from ..adaptors.configuration.configuration import ConfigurationError

    try:
        return runtime_configuration_manager().build_config().log_level == "DEBUG"
    except ConfigurationError:
        return False
