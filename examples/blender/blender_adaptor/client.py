"""Runs in Blender's Python: the actions that the adaptor calls."""

import os

import bpy

from openjd.adaptor_runtime_client import ApplicationClient, action


class BlenderClient(ApplicationClient):
    """Loads a scene, and renders frames of it."""

    version = bpy.app.version_string

    @action
    def load(self, scene: str, strict: bool = True) -> None:
        """Open the scene and map the paths in it; a file that is missing is an error."""
        bpy.ops.wm.open_mainfile(filepath=scene)
        files = [image for image in bpy.data.images if image.source == "FILE"]
        for item in [*files, *bpy.data.libraries]:
            if item.packed_file is None and item.filepath:
                item.filepath = self.map_path(item.filepath)
                path = bpy.path.abspath(item.filepath)
                if strict and not os.path.exists(path):
                    raise FileNotFoundError(f"{item.name}: {path} does not exist")

    @action
    def render(self, frame: int, path: str) -> None:
        """Render one frame to `path`, whose ending says what kind of picture it is."""
        scene = bpy.context.scene
        scene.frame_set(frame)
        scene.render.filepath = path
        scene.render.use_file_extension = False
        bpy.ops.render.render(write_still=True)


BlenderClient.run()
