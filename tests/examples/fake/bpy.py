"""As much of Blender's module as the example's client uses. A picture is a line of text."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

_render: Any = SimpleNamespace(filepath="", use_file_extension=True)
_scene = SimpleNamespace(render=_render, frame=0)
_scene.frame_set = lambda frame: setattr(_scene, "frame", frame)

app = SimpleNamespace(version_string="4.2.0")
context = SimpleNamespace(scene=_scene)
data = SimpleNamespace(images=[], libraries=[])
path = SimpleNamespace(abspath=lambda name: name)


def _open_mainfile(*, filepath: str) -> None:
    with open(filepath, encoding="utf-8") as file:
        textures = file.read().split()
    print(f'Read blend: "{filepath}"', flush=True)
    data.images = [
        SimpleNamespace(name=os.path.basename(one), source="FILE", packed_file=None, filepath=one)
        for one in textures
    ]


def _render_picture(*, write_still: bool) -> None:
    for sample in (2, 4):
        print(f"Fra:{_scene.frame} | Scene, ViewLayer | Sample {sample}/4", flush=True)
    if write_still:
        with open(_render.filepath, "w", encoding="utf-8") as file:
            file.write(f"frame {_scene.frame} with {[one.filepath for one in data.images]}")


ops = SimpleNamespace(
    wm=SimpleNamespace(open_mainfile=_open_mainfile),
    render=SimpleNamespace(render=_render_picture),
)
