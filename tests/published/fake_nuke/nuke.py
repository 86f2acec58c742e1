"""As much of Nuke's module as its client for 0.9 uses. Write nodes write small PPM pictures.

Scripts are what Nuke writes: nodes as ``Class {``, a ``knob value`` a line, ``}``. Four knobs
are of these tests only: ``error_at 2`` makes frame 2 fail with an error, ``complain_at 2`` prints
an error and goes on, ``crash_at 2`` ends the process in the middle of it, ``hang_at 2`` never
comes to its end.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from typing import Any, Callable

env = {"NukeVersionString": "15.1v3"}


class Knob:
    """A value of a node."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def value(self) -> Any:
        """What it is set to."""
        return self._value

    def setValue(self, value: Any) -> None:
        """Sets it."""
        self._value = value


class Node:
    """A node of the script."""

    def __init__(self, node_class: str, knobs: dict[str, Any]) -> None:
        self._class = node_class
        self._knobs = {name: Knob(value) for name, value in knobs.items()}

    def Class(self) -> str:
        """Its class."""
        return self._class

    def name(self) -> str:
        """Its name."""
        return str(self._knobs["name"].value())

    def knob(self, name: str) -> Knob | None:
        """One knob, if there is one of that name."""
        return self._knobs.get(name)

    def knobs(self) -> dict[str, Knob]:
        """All of them."""
        return self._knobs


_ROOT = Node("Root", {"name": "root", "proxy": False, "colorManagement": "Nuke"})
_nodes: list[Node] = []
_this: list[Node] = []
_before_render: list[Callable[[], None]] = []
_filename_filters: list[Callable[[str], str]] = []


def root() -> Node:
    """The script's settings."""
    return _ROOT


def allNodes() -> list[Node]:
    """The nodes of the open script."""
    return list(_nodes)


def thisNode() -> Node:
    """The node that is being executed."""
    return _this[-1]


def views() -> list[str]:
    """The views of the script."""
    return ["main"]


def addBeforeRender(call: Callable[[], None]) -> None:
    """`call` is called before a node renders."""
    _before_render.append(call)


def addFilenameFilter(call: Callable[[str], str]) -> None:
    """`call` is asked about each file name."""
    _filename_filters.append(call)


def filename(node: Node) -> str:
    """The file name of a node, as the filters make it."""
    path = str(node.knobs()["file"].value())
    for call in _filename_filters:
        path = call(path)
    return path


def tprint(text: str) -> None:
    """Prints."""
    print(text, flush=True)


def scriptOpen(path: str) -> None:
    """Reads the nodes of a script."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for node_class, body in re.findall(r"^(\w+) \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
        knobs: dict[str, Any] = {"disable": False, "reading": False, "render_order": 1.0}
        knobs["views"] = "main"
        for line in body.splitlines():
            name, _, value = line.strip().partition(" ")
            knobs[name] = value.strip('"')
        _nodes.append(Node(node_class, knobs))
    print(f"Nuke opened {path}", flush=True)


def scriptClose() -> None:
    """Forgets the nodes."""
    _nodes.clear()


def scriptExit() -> None:
    """Ends Nuke."""
    sys.exit(0)


def execute(node: Node, start: int, end: int, step: int, **options: Any) -> None:
    """Renders frames, as the client asks for them, one picture for each view."""
    _this.append(node)
    try:
        for call in _before_render:
            call()
        for frame in range(start, end + 1, step):
            for _ in options.get("views", ["main"]):
                _render(node, frame)
    finally:
        _this.pop()


def _render(node: Node, frame: int) -> None:
    if _at(node, "error_at") == frame:
        raise RuntimeError(f"{node.name()}: could not write frame {frame}")
    if _at(node, "complain_at") == frame:
        print("ERROR: cannot open texture", flush=True)
        for tile in range(50):
            print(f"Writing tile {tile} took 0.01 seconds", flush=True)
    if _at(node, "hang_at") == frame:
        print(f"hanging at frame {frame}", flush=True)
        threading.Event().wait()
    path = filename(node) % frame
    with open(path, "wb") as file:
        file.write(b"P6 2 2 255\n")
        file.write(bytes([frame, 0, 0] * 2))
        if _at(node, "crash_at") == frame:
            os._exit(139)
        file.write(bytes([frame, 255, 0] * 2))
    print(f"Writing {path} took 0.01 seconds", flush=True)


def _at(node: Node, name: str) -> int:
    knob = node.knob(name)
    return int(knob.value()) if knob else -1
