"""A private name of 0.9 that published adaptors import nevertheless."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ._platform import private_opener

__all__ = ["secure_open"]


@contextmanager
def secure_open(
    path: str | os.PathLike[str],
    open_mode: str,
    encoding: str | None = None,
    newline: str | None = None,
    mask: int = 0,
) -> Iterator[IO[Any]]:
    """Opens a file that, where it is created, is private to its owner from the beginning.

    Args:
        path: the file.
        open_mode: as for ``open()``.
        encoding: as for ``open()``.
        newline: as for ``open()``.
        mask: permission bits to leave to others beside the owner's, for instance 0o040;
            without effect on Windows.

    Raises:
        OSError: the file cannot be opened.
    """
    with open(path, open_mode, encoding=encoding, newline=newline, opener=private_opener) as file:
        if mask and file.writable() and os.name == "posix":
            Path(path).chmod(0o600 | mask)
        yield file
