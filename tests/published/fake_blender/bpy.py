"""As much of Blender's module as its client for 0.9 uses. Rendering writes a small PPM picture."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class _RenderSettings:
    engine = ""
    filepath = ""

    def frame_path(self, *, frame: int) -> str:
        """The file name with the frame number in place of its #s."""
        return re.sub("#+", lambda m: str(frame).zfill(len(m.group())), self.filepath)


class _Scene:
    def __init__(self, name: str) -> None:
        self.name = name
        self.objects: list[Any] = []
        self.view_layers = [SimpleNamespace(name="ViewLayer", use=True)]
        self.timeline_markers: list[Any] = []
        self.render = _RenderSettings()
        self.cycles = SimpleNamespace(device="")
        self.camera: Any = None
        self.frame = 0

    def frame_set(self, frame: int) -> None:
        """Goes to a frame."""
        self.frame = frame


_scene = _Scene("Scene")

app = SimpleNamespace(version=(4, 2, 0), version_string="4.2.0")
context = SimpleNamespace(scene=_scene, window=SimpleNamespace(scene=_scene))
data = SimpleNamespace(scenes={"Scene": _scene}, objects={})


def _open_mainfile(*, filepath: str) -> None:
    print(f'Read blend: "{filepath}"', flush=True)


def _quit_blender() -> None:
    # At once, from within the action: as the real one in the background, it does not return.
    sys.stdout.flush()
    os._exit(0)


def _render(*, scene: str, layer: str, write_still: bool) -> None:
    if not write_still or scene != "Scene" or layer != "ViewLayer":
        raise RuntimeError(f"nothing to render in {scene}, {layer}")
    frame = _scene.frame
    for sample in (2, 4):
        print(f"Fra:{frame} Mem:8.00M | Scene, ViewLayer | Sample {sample}/4", flush=True)
    path = Path(_scene.render.filepath + ".ppm")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"P6 1 1 255\n" + bytes([frame, 0, 0]))
    print(f"Saved: '{path}'", flush=True)


ops = SimpleNamespace(
    wm=SimpleNamespace(open_mainfile=_open_mainfile, quit_blender=_quit_blender),
    render=SimpleNamespace(render=_render),
)
