"""Runs as Tidy's application: ``client.py SERVER_PATH``."""

from __future__ import annotations

import json
import os
import sys
from types import FrameType
from typing import Any

from openjd.adaptor_runtime_client import ClientInterface


class Client(ClientInterface):
    """Maps paths."""

    def __init__(self, server_path: str) -> None:
        super().__init__(server_path)
        self.actions["map"] = lambda args: print("mapped", self.map_path(args["path"]), flush=True)

    def close(self, args: dict[str, Any] | None) -> None:
        """Nothing is left to do."""

    def graceful_shutdown(self, signum: int, frame: FrameType | None) -> None:
        sys.exit(1)


if __name__ == "__main__":
    variables = {k: v for k, v in os.environ.items() if k.startswith("TIDY_")}
    print("variables", json.dumps(variables), flush=True)
    Client(sys.argv[1]).poll()
