"""Writes the names of the modules that a process has loaded when it ends.

Found by `site` because its folder is on PYTHONPATH. It must not load what it would then count, so
it has no `__future__` import, and `atexit`, which is built in, leaves again.
"""

import os
import sys
from _frozen_importlib import ModuleSpec


class _Returns:
    """An importer that gives a module back, the same object, to whoever imports it next.

    A second `atexit` would forget what is registered with the first (Python 3.9).
    """

    def __init__(self, module):  # type: ignore[no-untyped-def]
        self._module = module

    def find_spec(self, name, path=None, target=None):  # type: ignore[no-untyped-def]
        if name == self._module.__name__:
            return ModuleSpec(name, self)  # type: ignore[arg-type]
        return None

    def create_module(self, spec):  # type: ignore[no-untyped-def]
        return self._module

    def exec_module(self, module):  # type: ignore[no-untyped-def]
        pass


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
    sys.meta_path.insert(0, _Returns(atexit))  # type: ignore[no-untyped-call]
    # A runtime may well leave in the fast way, which runs no atexit function.
    leave = os._exit
    os._exit = write_and_exit  # type: ignore[assignment]


_path = os.environ.pop("OPENJD_BENCHMARK_MODULES", None)
if _path:
    _watch_modules(_path)
