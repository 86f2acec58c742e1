"""Where log records go: through one handler, from the runtime's and the adaptor's loggers."""

from __future__ import annotations

import logging

from ._output import LogHandler, Output

RUNTIME_LOGGER = "openjd.adaptor_runtime"


def configure_logging(output: Output, level: str, adaptor_module: str) -> logging.Logger:
    """Sends what the runtime and the adaptor's top-level package log to `output`.

    Args:
        output: where the lines go.
        level: the least level shown.
        adaptor_module: the name of the module that defines the adaptor.

    Returns:
        The adaptor's logger, whose level its own configuration may change.
    """
    handler = LogHandler(output)
    adaptor_logger = logging.getLogger(adaptor_module.partition(".")[0])
    runtime_logger = logging.getLogger(RUNTIME_LOGGER)
    runtime_logger.setLevel(level)
    adaptor_logger.setLevel(level)
    # An adaptor below openjd has the runtime's logger as a descendant of its own.
    loggers = {adaptor_logger} if adaptor_logger.name == "openjd" else {
        adaptor_logger, runtime_logger
    }  # fmt: skip
    for logger in loggers:
        for previous in [h for h in logger.handlers if type(h) is LogHandler]:
            logger.removeHandler(previous)
        logger.addHandler(handler)
    return adaptor_logger
