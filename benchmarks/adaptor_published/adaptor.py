from __future__ import annotations

import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from openjd.adaptor_runtime.adaptors import (
    Adaptor,
    AdaptorDataValidators,
    SemanticVersion,
)
from openjd.adaptor_runtime.adaptors.configuration import AdaptorConfiguration
from openjd.adaptor_runtime.app_handlers import RegexCallback, RegexHandler
from openjd.adaptor_runtime.application_ipc import ActionsQueue, AdaptorServer
from openjd.adaptor_runtime.process import LoggingSubprocess
from openjd.adaptor_runtime_client import Action

# Imported for what that costs; an adaptor of this size has no use for them.
_IMPORTED_AS_PUBLISHED_ADAPTORS_DO = (
    (logging, os, re, sys, threading, time, Callable, Path),
    (AdaptorDataValidators, AdaptorConfiguration, RegexCallback, RegexHandler),
    (ActionsQueue, AdaptorServer, LoggingSubprocess, Action),
)


class BenchmarkAdaptor(Adaptor[AdaptorConfiguration]):
    """Starts with nothing to do."""

    @property
    def integration_data_interface_version(self) -> SemanticVersion:
        return SemanticVersion(0, 1)

    def on_start(self) -> None:
        pass

    def on_run(self, run_data: dict[str, Any]) -> None:
        from adaptor_work import perform  # type: ignore[import-not-found]

        perform(run_data)
