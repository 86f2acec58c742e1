"""Why an adaptor's class cannot be loaded, and what its name was probably meant to be."""

from __future__ import annotations

import sys


def reason(module: str, name: str, error: Exception) -> str:
    """What to say of the error that importing `module`, or taking `name` out of it, has raised.

    Args:
        module: the module's full name.
        name: the class.
        error: what was raised.
    """
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, ModuleNotFoundError):
        return text + _module_meant(module, error.name)
    loaded = sys.modules.get(module)
    if isinstance(error, AttributeError) and loaded is not None and not hasattr(loaded, name):
        from ._suggestions import closest

        classes = [n for n, value in vars(loaded).items() if isinstance(value, type)]
        meant = closest(name, classes)
        return text + (f"; did you mean {meant!r}?" if meant else "")
    return text


def _module_meant(module: str, missing: str | None) -> str:
    # What the adaptor itself misses is not misspelt here.
    if not missing or not f"{module}.".startswith(f"{missing}."):
        return ""
    import pkgutil

    from ._suggestions import closest

    parent, _, last = missing.rpartition(".")
    try:
        path = list(sys.modules[parent].__path__) if parent else None
        there = [found.name for found in pkgutil.iter_modules(path)]
    except (KeyError, AttributeError, OSError):
        return ""
    meant = closest(last, there, alike=0.75)
    if meant is None:
        return ""
    whole = f"{parent}.{meant}" if parent else meant
    return f"; did you mean {whole!r}?"
