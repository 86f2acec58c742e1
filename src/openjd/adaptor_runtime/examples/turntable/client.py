"""Runs inside the renderer: performs the adaptor's actions and keeps the scene in memory.

Mitsuba's progress comes from threads of its own, as lines; a rule of the adaptor's reads them.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import drjit as dr
import mitsuba as mi

from openjd.adaptor_runtime_client import ApplicationClient, action

BALLS = (  # red, green, blue of each
    (0.80, 0.12, 0.10),
    (0.90, 0.50, 0.08),
    (0.20, 0.55, 0.15),
    (0.08, 0.40, 0.60),
    (0.15, 0.15, 0.60),
    (0.55, 0.10, 0.45),
)


class ProgressLines(mi.Appender):  # type: ignore[misc]
    """Turns Mitsuba's own progress reports, two a second, into lines."""

    def append(self, level: mi.LogLevel, text: str) -> None:
        """Show warnings and errors; Mitsuba's chatter is of no use in a task's log."""
        if level >= mi.LogLevel.Warn:
            print(f"Mitsuba: {text}", flush=True)

    def log_progress(
        self, progress: float, name: str, formatted: str, eta: str, ptr: object = None
    ) -> None:
        """Called from a thread of the renderer; ``progress`` is 0 to 1."""
        print(f"{name} {progress:.0%}", flush=True)


class TurntableClient(ApplicationClient):
    """The renderer's side: what each action of the adaptor does."""

    version = mi.__version__
    _scene: Any = None

    @action
    def load_scene(self) -> None:
        """Build the scene; it stays in memory for all frames that follow."""
        self._scene = mi.load_dict(scene())
        print("Scene loaded", flush=True)

    @action
    def render_frame(
        self, frame: int, angle: float, width: int, height: int, samples: int, output: str
    ) -> None:
        """Render one frame from `angle` (degrees) to the file `output`."""
        camera = mi.load_dict(camera_at(angle, width, height))
        image = mi.render(self._scene, sensor=camera, spp=samples, seed=frame)
        # Never a half-written file under the final name: who sees the name may read the picture.
        path = Path(output)
        partial = path.with_suffix(".partial.png")
        mi.util.write_bitmap(str(partial), image, write_async=False)
        partial.replace(path)


def rgb(red: float, green: float, blue: float) -> dict[str, Any]:
    """A colour, each part 0 to 1 (more for light)."""
    return {"type": "rgb", "value": [red, green, blue]}


def plastic(red: float, green: float, blue: float) -> dict[str, Any]:
    """A glossy plastic of that colour."""
    return {"type": "plastic", "diffuse_reflectance": rgb(red, green, blue)}


def scene() -> dict[str, Any]:
    """The scene: six balls round a pedestal with a golden sphere, on a plate in rippled water."""
    origin = mi.ScalarTransform4f()
    description: dict[str, Any] = {
        "type": "scene",
        "integrator": {"type": "path", "max_depth": 6},
        "sky": {"type": "constant", "radiance": rgb(0.35, 0.42, 0.55)},
        "lamp": {
            "type": "rectangle",
            "to_world": origin.look_at([3, -3, 6], [0, 0, 0.5], [0, 0, 1]).scale(1.6),
            "emitter": {"type": "area", "radiance": rgb(9.0, 7.6, 6.0)},
        },
        "water": water(),
        "plate": {
            "type": "disk",
            "to_world": origin.translate([0, 0, 0.05]).scale(2.2),
            "bsdf": plastic(0.08, 0.09, 0.12),
        },
        "pedestal": {
            "type": "cube",
            "to_world": origin.translate([0, 0, 0.55]).scale([0.45, 0.45, 0.5]),
            "bsdf": plastic(0.75, 0.72, 0.68),
        },
        "gold": {
            "type": "sphere",
            "center": [0, 0, 1.65],
            "radius": 0.6,
            "bsdf": {"type": "roughconductor", "material": "Au", "alpha": 0.12},
        },
    }
    for index, colour in enumerate(BALLS):
        angle = math.tau * index / len(BALLS)
        description[f"ball{index}"] = {
            "type": "sphere",
            "center": [1.55 * math.cos(angle), 1.55 * math.sin(angle), 0.43],
            "radius": 0.38,
            "bsdf": plastic(*colour),
        }
    return description


def water() -> mi.Mesh:
    """Half a million triangles: to load a scene costs something, here as in earnest."""
    count, half_width = 500, 14.0
    steps = [half_width * (2 * i / (count - 1) - 1) for i in range(count)]
    positions: list[float] = []
    for y in steps:
        for x in steps:
            distance = math.hypot(x, y)
            positions += (x, y, 0.09 * math.sin(7 * distance) * math.exp(-0.12 * distance) - 0.1)
    faces: list[int] = []
    for row in range(count - 1):
        for a in range(row * count, row * count + count - 1):
            faces += (a, a + 1, a + count, a + 1, a + count + 1, a + count)
    properties = mi.Properties()
    properties["mesh_bsdf"] = mi.load_dict(plastic(0.03, 0.16, 0.2))
    mesh = mi.Mesh(
        "water", count * count, len(faces) // 3, has_vertex_normals=True, props=properties
    )
    parameters = mi.traverse(mesh)
    parameters["vertex_positions"] = dr.scalar.ArrayXf(positions)
    parameters["faces"] = dr.scalar.ArrayXu(faces)
    parameters.update()
    mesh.recompute_vertex_normals()
    return mesh


def camera_at(angle: float, width: int, height: int) -> dict[str, Any]:
    """A camera that looks at the pedestal from ``angle`` (degrees), its picture in pixels."""
    x, y = 8 * math.cos(math.radians(angle)), 8 * math.sin(math.radians(angle))
    return {
        "type": "perspective",
        "fov": 36,
        "to_world": mi.ScalarTransform4f().look_at([x, y, 4], [0, 0, 0.8], [0, 0, 1]),
        "film": {"type": "hdrfilm", "width": width, "height": height},
    }


def main() -> None:
    """Start the renderer, then do what the adaptor asks until the session ends."""
    mi.set_variant("scalar_rgb")  # needs no LLVM and no GPU
    mi.logger().clear_appenders()
    mi.logger().add_appender(ProgressLines())
    mi.logger().set_log_level(mi.LogLevel.Info)  # below Info, Mitsuba reports no progress
    print(f"Renderer started: Mitsuba {mi.__version__}", flush=True)
    TurntableClient.run()


if __name__ == "__main__":
    main()
