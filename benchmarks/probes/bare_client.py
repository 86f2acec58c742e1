"""An application that imports nothing but the client; `module_hook` counts its modules."""

from __future__ import annotations

import sys

from openjd.adaptor_runtime_client import ClientInterface


class _Client(ClientInterface):
    def close(self, args: object) -> None:
        with open(sys.argv[2], "w") as file:
            file.write("{}")

    def graceful_shutdown(self, signum: object, frame: object) -> None:
        sys.exit(1)


_Client(sys.argv[1]).poll()
