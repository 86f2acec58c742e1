"""The log levels of what an application prints."""

from __future__ import annotations

import logging

STDOUT = logging.ERROR + 1
STDERR = logging.ERROR + 2

logging.addLevelName(STDOUT, "STDOUT")
logging.addLevelName(STDERR, "STDERR")
