"""Writes the names of the modules that a process has loaded when it ends.

Found by `site` because its folder is on PYTHONPATH. It must not load what it would then count, so
it has no `__future__` import, and `atexit`, which is built in, leaves again.
"""

import os
import sys


def _watch_modules(path: str) -> None:
    import atexit

    def write() -> None:
        names = sorted(set(sys.modules) - {"sitecustomize"})
        with open(path, "w") as file:
            file.write("\n".join(names))

    def write_and_exit(status: int) -> None:
        write()
        leave(status)

    atexit.register(write)
    del sys.modules["atexit"]
    # A runtime may well leave in the fast way, which runs no atexit function.
    leave = os._exit
    os._exit = write_and_exit  # type: ignore[assignment]


_path = os.environ.pop("OPENJD_BENCHMARK_MODULES", None)
if _path:
    _watch_modules(_path)
