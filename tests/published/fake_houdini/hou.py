"""As much of Houdini's module as its client for 0.9 uses. Rendering writes small PPM pictures."""

from __future__ import annotations

import ast
import enum
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class Error(Exception):
    """Any error of Houdini's."""


class OperationFailed(Error):
    """What cannot be done to a node."""


class LoadWarning(Error):
    """A scene that opens, yet not in full."""


class renderMethod(enum.Enum):
    """The order of nodes and frames."""

    RopByRop = 1


nodeTypeFilter = SimpleNamespace(Lop="Lop")
hipFile = SimpleNamespace(load=lambda path: print(f"Loading {path}", flush=True))


class _Root:
    def recursiveGlob(self, pattern: str, filter: str) -> list[Any]:
        """The nodes below; there are none of the kind that the client looks for."""
        return []


class _RenderNode:
    def __str__(self) -> str:
        return "mantra1"

    def type(self) -> Any:
        """The type of the node."""
        return SimpleNamespace(nameWithCategory=lambda: "Driver/geometry")

    def parm(self, name: str) -> Any:
        """A parameter that takes any value."""
        return SimpleNamespace(set=lambda value: None, eval=lambda: 0)

    def render(self, *, frame_range: tuple[int, int, int], **options: Any) -> None:
        """Writes the frames where HOUDINI_PATHMAP maps them."""
        start, end, step = frame_range
        for frame in range(start, end + 1, step):
            path = Path(_mapped(f"/studio/show/houdini.{frame:04d}.ppm"))
            path.write_bytes(b"P6 1 1 255\n" + bytes([frame, 0, 0]))
            print(f"ALF_PROGRESS {100 * (frame - start + 1) // (end - start + 1)}%", flush=True)


def _mapped(path: str) -> str:
    for source, destination in ast.literal_eval(os.environ["HOUDINI_PATHMAP"]).items():
        if path.startswith(source + "/"):
            return str(destination) + path[len(source) :]
    return path


def applicationVersionString() -> str:
    """The version."""
    return "20.5.278"


def node(path: str) -> Any:
    """The node at a path."""
    return _Root() if path == "/" else _RenderNode()


def getenv(name: str) -> str:
    """A variable of the scene."""
    return f"/studio/show/{name}"


def putenv(name: str, value: str) -> None:
    """Sets a variable of the scene."""


def hscript(command: str) -> tuple[str, str]:
    """Runs a command: its output and its errors."""
    asked = re.fullmatch("pathmap -t '(.*)' -c", command)
    return (_mapped(asked.group(1)) + "\n" if asked else "", "")


def exit() -> None:
    """Ends Houdini."""
    sys.exit(0)
