"""The Blender example without Blender: its adaptor with a fake one, and its client in Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from openjd.adaptor_runtime.testing import AdaptorSession, Script

EXAMPLE = Path(__file__).parents[2] / "examples" / "blender"
ADAPTOR = "blender_adaptor.adaptor:BlenderAdaptor"
DATA = {"scene": "a.blend", "output": "frame_####.png"}
Sessions = Callable[..., AdaptorSession]

pytestmark = pytest.mark.skipif(not EXAMPLE.is_dir(), reason="the examples are not here")


@pytest.fixture(autouse=True)
def example(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example can be imported."""
    monkeypatch.syspath_prepend(EXAMPLE)


@pytest.fixture
def blender() -> Script:
    """What Blender does, for the adaptor: prints as it renders, and has its bad days."""
    script = Script(version="4.2.0")
    script.command().prints("Blender 4.2.0")
    script.action("load").prints('Read blend: "{scene}"', fill=True)
    render = script.action("render", {"frame": 66})
    render.prints("Error: Out of memory").writes("{path}")
    script.action("render", {"frame": 67}, times=1).prints("Fra:67").crashes("SIGSEGV")
    lines = [f"Fra:1 | Scene, ViewLayer | Sample {sample}/4" for sample in (1, 4)]
    script.action("render").prints("Fra:1 | Building BVH", *lines).writes("{path}")
    return script


def test_frames(adaptor_session: Sessions, blender: Script) -> None:
    """Samples are the progress of a frame; one start and one load for all tasks."""
    session = adaptor_session(ADAPTOR, DATA, application=blender)
    done = session.run({"frames": "1-2"}).assert_ok()
    done.assert_progress([12.5, 50.0, 62.5, 100.0])
    done.assert_status("Rendering frame 1", "Building BVH", "Rendering frame 2")
    session.run({"frames": "3"}).assert_ok()
    assert session.application is not None
    names = [name for name, _ in session.application.actions]
    assert names == ["load", "render", "render", "render"]
    (command,) = session.application.commands
    assert command[:2] == ["--background", "--factory-startup"]
    pictures = sorted(path.name for path in session.folder.iterdir())
    assert pictures == ["frame_0001.png", "frame_0002.png", "frame_0003.png"]


def test_what_goes_wrong(adaptor_session: Sessions, blender: Script) -> None:
    """An error in the output fails the task; after a crash the next one finds a new Blender."""
    session = adaptor_session(ADAPTOR, DATA, application=blender)
    session.run({"frames": "66"}).assert_failed("Error: Out of memory (rule error)")
    session.run({"frames": "67"}).assert_failed("while performing render(")
    session.run({"frames": "67"}).assert_ok().assert_line("it is started anew")
    session.run({"frames": 1}).assert_failed("run data, /frames: 1 is not of type 'string'")


def test_an_old_blender(adaptor_session: Sessions) -> None:
    """One that is too old is refused at the start."""
    script = Script(version="2.93.1")
    script.action()
    session = adaptor_session(ADAPTOR, DATA, application=script)
    session.start().assert_failed("this is Blender 2.93.1, but the adaptor needs 3.0 or later")


def test_the_client(adaptor_session: Sessions, tmp_path: Path) -> None:
    """It opens the scene, maps the paths in it, misses what is missing, and renders."""
    textures = tmp_path / "textures"
    textures.mkdir()
    (textures / "wood.png").write_text("x")
    (tmp_path / "a.blend").write_text("/studio/textures/wood.png")
    script = Script(modules=[Path(__file__).parent / "fake"])
    script.command("--python").runs_python("{--python}")
    rules = {"/studio": str(tmp_path)}
    data = {"scene": "/studio/a.blend", "output": "/studio/#.png"}
    session = adaptor_session(ADAPTOR, data, application=script, path_mapping=rules)
    session.start().assert_ok().assert_line("Read blend: ")
    session.run({"frames": "7"}).assert_ok().assert_progress([50, 100])
    assert (tmp_path / "7.png").read_text().startswith("frame 7 with ")
    session.close()
    (textures / "wood.png").unlink()
    session = adaptor_session(ADAPTOR, data, application=script, path_mapping=rules)
    session.start().assert_failed("FileNotFoundError: wood.png: ")
