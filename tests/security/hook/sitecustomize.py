"""In the victim's processes: stops at certain moments until the attacker has used them.

Loaded by the interpreter itself, before the code under test. What is a matter of luck otherwise
(a file that is there and not private yet, a file exchanged between a look and the next) happens
each time.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

# Where the attacker wants to be told of each thing that is made, or of each look at a file.
_moments = os.environ.get("SECURITY_TESTS_MOMENTS")
_looks = os.environ.get("SECURITY_TESTS_LOOKS")
_looked_at = os.environ.get("SECURITY_TESTS_AT")


def _tell(place: str, path: Any) -> None:
    with socket.socket(socket.AF_UNIX) as attacker:
        attacker.connect(place)
        attacker.sendall(os.fsencode(os.path.abspath(path)) + b"\n")
        attacker.recv(16)


def _after(owner: Any, name: str, told: Callable[..., object]) -> None:
    """From now on `told` is called with the arguments of each call that went well."""
    original = getattr(owner, name)

    def replacement(*args: Any, **options: Any) -> Any:
        result = original(*args, **options)
        told(*args)
        return result

    setattr(owner, name, replacement)


def _made(path: Any, *_: object) -> None:
    _tell(_moments or "", path)


def _opened(path: Any, flags: int, *_: object) -> None:
    if flags & os.O_CREAT:
        _made(path)


def _bound(self: socket.socket, address: Any) -> None:
    if self.family == socket.AF_UNIX:
        _made(address)


def _looked(path: Any, *_: object) -> None:
    if path == _looked_at:
        _tell(_looks or "", path)


if _moments:
    _after(os, "open", _opened)
    _after(os, "mkdir", _made)
    _after(socket.socket, "bind", _bound)
if _looks:
    for _name in ("stat", "lstat", "open"):
        _after(os, _name, _looked)
