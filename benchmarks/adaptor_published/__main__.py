from __future__ import annotations

import logging
import sys

from openjd.adaptor_runtime import EntryPoint

from .adaptor import BenchmarkAdaptor

_logger = logging.getLogger(__name__)


def main() -> int:
    _logger.debug("starting")
    EntryPoint(BenchmarkAdaptor).start()
    return 0


if __name__ == "__main__":
    sys.exit(main())
