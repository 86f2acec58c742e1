"""A client of the tests' own, for adaptors whose application's module is too much to fake.

PUBLISHED_ACTIONS names the actions that it takes, and does nothing for. At ``start_render`` it
prints PUBLISHED_FINISHED, what the adaptor waits for; PUBLISHED_SHOW names an environment
variable that it prints when it starts, with what is in the file of that name.
"""

from __future__ import annotations

import os
import sys
from typing import Any

# As an application's Python finds it: the adaptor puts the openjd folder on its path.
sys.path += os.environ.get("C4DPYTHONPATH311", "").split(os.pathsep)

from adaptor_runtime_client import ClientInterface


class Client(ClientInterface):
    """Prints what it is told to do."""

    def __init__(self, server_path: str, finished: str) -> None:
        super().__init__(server_path=server_path)
        self._finished = finished
        for name in os.environ["PUBLISHED_ACTIONS"].split():
            self.actions[name] = lambda args: None
        self.actions["start_render"] = self.start_render

    def start_render(self, args: Any) -> None:
        """Says that the frame is ready."""
        print(self._finished.replace("<NUL>", "\0"), flush=True)

    def close(self, args: Any = None) -> None:
        """There is nothing to close."""

    def graceful_shutdown(self, signum: int, frame: Any) -> None:
        """Ends."""
        sys.exit(0)


def main() -> None:
    """Connects to whichever adaptor has started this."""
    shown = os.environ.get(os.environ["PUBLISHED_SHOW"], "")
    if os.path.isfile(shown):
        with open(shown, encoding="utf-8") as file:
            shown = file.read()
    print(f"shown: {shown}", flush=True)
    (server_path,) = [
        value for name, value in os.environ.items() if name.endswith("_ADAPTOR_SERVER_PATH")
    ]
    Client(server_path, os.environ["PUBLISHED_FINISHED"]).poll()


if __name__ == "__main__":
    main()
