"""The Blender adaptor from PyPI renders through the job template that its submitter ships."""

from __future__ import annotations

import sys

import pytest

from .conftest import Farm

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a POSIX executable"),
]


def test_frames_are_rendered_in_one_blender(farm: Farm) -> None:
    """Two tasks render two pictures in one Blender that ends itself when it is told to close."""
    farm.application("blender", "fake_blender", "BLENDER_EXECUTABLE")
    scene = farm.folder / "scene.blend"
    scene.touch()
    submitter = farm.adaptors / "deadline" / "blender_submitter" / "addons"
    ended = farm.session(
        submitter / "deadline_cloud_blender_submitter" / "default_blender_template.yaml",
        {"/studio": str(farm.folder)},
        BlenderFile=str(scene),
        OutputDir="/studio/renders",
        Frames="1-2",
    )
    assert ended.status == 0, ended.output
    names = [path.name for path in sorted((farm.folder / "renders").iterdir())]
    assert names == ["ViewLayer_output_0001.ppm", "ViewLayer_output_0002.ppm"]
    assert ended.messages("status") == ["Initializing blender"]
    # From the renderer's own lines, by the adaptor's patterns.
    assert [float(value) for value in ended.messages("progress")] == [0, 50, 100, 100, 50, 100, 100]
    (arguments,) = farm.starts()
    assert arguments.startswith("--background --python-exit-code 1 --python ")
    assert farm.leftovers() == []
