"""Makes a small scene to try the adaptor with:

blender --background --factory-startup --python make_scene.py -- scene.blend
"""

import math
import os
import sys

import bpy

scene = bpy.context.scene
scene.render.engine = "CYCLES"
scene.cycles.device = "CPU"
scene.cycles.samples = 16
scene.cycles.use_denoising = False  # not every build has a denoiser
scene.render.resolution_x, scene.render.resolution_y = 96, 64
scene.render.resolution_percentage = 100
cube = bpy.data.objects["Cube"]
cube.keyframe_insert("rotation_euler", frame=1)
cube.rotation_euler[2] = math.radians(90)
cube.keyframe_insert("rotation_euler", frame=10)
path = os.path.abspath(sys.argv[sys.argv.index("--") + 1])
bpy.ops.wm.save_as_mainfile(filepath=path)
