"""The application: counts; with ``gate`` in its data it waits there until it is let go."""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Any

import gates

from openjd.adaptor_runtime_client import ClientInterface


class Client(ClientInterface):
    """Knows one action, and ends in good order when it is asked to by a signal."""

    def __init__(self, server_path: str) -> None:
        super().__init__(server_path)
        self.actions["count"] = self.count

    def count(self, args: dict[str, Any] | None) -> None:
        """Counts to ``to``."""
        assert args is not None
        for number in range(1, args["to"] + 1):
            print(f"openjd_progress: {100 * number / args['to']:g}")
            print(f"{number}, says {os.getpid()}", flush=True)
        if "gate" in args:
            # As an application that is told more later: back in poll(), without an answer.
            gates.Knock(args["gate"])
        else:
            print("counted", flush=True)

    def close(self, args: dict[str, Any] | None) -> None:
        print("closed", flush=True)

    def graceful_shutdown(self, signum: int, frame: FrameType | None) -> None:
        print("shut down", flush=True)
        sys.exit(0)


Client(sys.argv[1]).poll()
