"""Runs an adaptor's client script inside the application, whose Python gets this file by its path.

``sys.path`` is left alone: the client package is loaded from the folder of this file, and is
``openjd.adaptor_runtime_client`` from then on, whatever else of that name could be imported. The
environment names the script (OPENJD_ADAPTOR_CLIENT_SCRIPT: a file, or a folder or zip file with a
``__main__.py``) and the adaptor's server (OPENJD_ADAPTOR_SERVER).
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing itself is not loaded inside the application
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Optional

SCRIPT = "OPENJD_ADAPTOR_CLIENT_SCRIPT"
SERVER = "OPENJD_ADAPTOR_SERVER"
PACKAGE = "openjd.adaptor_runtime_client"


def main() -> None:
    """Runs the script as ``__main__``; if it raises, tells the adaptor and exits with status 1."""
    # Not every application sets __file__ for what it runs.
    here = os.path.abspath(main.__code__.co_filename)
    try:
        load_client(os.path.dirname(here))
        _show_stacks_on_request()
        script = os.environ.get(SCRIPT)
        if not script:
            raise RuntimeError("{} is not set; it names the client's script".format(SCRIPT))
        import runpy

        runpy.run_path(script, run_name="__main__")
    except SystemExit:
        raise
    except BaseException as e:
        _report(e, _within_script(e.__traceback__))
        raise SystemExit(1) from None


def load_client(folder: str) -> None:
    """Makes the package in `folder` the one that ``import openjd.adaptor_runtime_client`` finds."""
    from importlib import import_module
    from importlib.util import module_from_spec, spec_from_file_location

    loaded = sys.modules.get(PACKAGE)
    home = os.path.dirname(getattr(loaded, "__file__", None) or "")
    if loaded is not None and os.path.realpath(home) == os.path.realpath(folder):
        return
    try:
        # Of other distributions: their packages below it stay where they are.
        namespace = import_module("openjd")
    except Exception:
        namespace = sys.modules["openjd"] = type(sys)("openjd")
        namespace.__path__ = []
    # Parts of another version must not meet parts of this one.
    for name in list(sys.modules):
        if name == PACKAGE or name.startswith(PACKAGE + "."):
            del sys.modules[name]
    file = os.path.join(folder, "__init__.py")
    spec = spec_from_file_location(PACKAGE, file, submodule_search_locations=[folder])
    assert spec is not None and spec.loader is not None
    package = sys.modules[PACKAGE] = module_from_spec(spec)
    spec.loader.exec_module(package)
    setattr(namespace, PACKAGE.rpartition(".")[2], package)


def _show_stacks_on_request() -> None:
    """SIGUSR2 writes the stacks of all threads to stderr, unless the application uses it."""
    if sys.platform == "win32":
        return
    import signal

    try:
        if signal.getsignal(signal.SIGUSR2) is signal.SIG_DFL:
            import faulthandler

            # The application may have replaced sys.stderr; 2 is what the adaptor reads.
            faulthandler.register(signal.SIGUSR2, file=2, all_threads=True)
    except (AttributeError, ImportError, OSError, RuntimeError, ValueError):
        pass  # It helps with hangs; nothing depends on it.


def _within_script(trace: Optional[TracebackType]) -> Optional[TracebackType]:
    """`trace` without what is ours, or runpy's, at its beginning."""
    while trace is not None:
        frame = trace.tb_frame
        ours = frame.f_code.co_filename == main.__code__.co_filename
        if not ours and frame.f_globals.get("__name__") != "runpy":
            break
        trace = trace.tb_next
    return trace


def _report(error: BaseException, trace: Optional[TracebackType]) -> None:
    """Shows the error on stderr and tells the adaptor of it, as far as each is possible."""
    import traceback

    try:
        traceback.print_exception(type(error), error, trace)
        sys.stderr.flush()
    except Exception:
        pass
    server = os.environ.get(SERVER)
    if not server:
        return
    try:
        failed = {"type": "failed", "error": _part("_failures").describe(error, trace)}
        connection = _part("wire.transport").connect(server)
        try:
            # Answered once it is known: this process' end is not seen before.
            connection.request(failed)
        finally:
            connection.close()
    except Exception:
        pass  # The adaptor is gone, or was before; stderr has it.


def _part(name: str) -> Any:
    from importlib import import_module

    return import_module(PACKAGE + "." + name)


# Not every application calls what it runs __main__.
if not __name__.endswith("adaptor_runtime_client.bootstrap"):
    main()
