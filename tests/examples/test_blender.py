"""The Blender example with the real Blender, and under the real `openjd run`."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apps.drive import Command, Ended, Host, Session, await_end

pytestmark = [
    pytest.mark.skipif(
        shutil.which("blender") is None,
        reason="Blender is not installed (Debian: apt-get install -y blender)",
    ),
    pytest.mark.skipif(sys.platform == "win32", reason="written for Debian's Blender"),
    pytest.mark.timeout(180),
]

EXAMPLE = Path(__file__).parents[2] / "examples" / "blender"
# Loads a texture that is not there, and one below a folder that rules map.
TEXTURE = """
import bpy, sys
image = bpy.data.images.new("missing", 8, 8)
image.source = "FILE"
image.filepath = sys.argv[-2]
image.use_fake_user = True
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
"""


def blender(*arguments: str) -> None:
    """Runs Blender without an adaptor."""
    command = [
        "blender",
        "--background",
        "--factory-startup",
        "-noaudio",
        "--python-exit-code",
        "3",
    ]
    subprocess.run([*command, *arguments], check=True, capture_output=True, timeout=120)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's own scene."""
    path = tmp_path_factory.mktemp("scene") / "it's a scene.blend"
    blender("--python", str(EXAMPLE / "make_scene.py"), "--", str(path))
    return path


@pytest.fixture
def blender_host(host: Host) -> Iterator[Host]:
    """A host on which the example is installed, as far as that can be told from a command."""
    host.env["PYTHONPATH"] = os.pathsep.join([str(EXAMPLE), host.env["PYTHONPATH"]])
    commands = host.folder / "bin"
    commands.mkdir()
    script = commands / "blender-openjd"
    script.write_text(f"#!{sys.executable}\nfrom blender_adaptor import main\nmain()\n")
    script.chmod(0o700)
    host.env["PATH"] = os.pathsep.join([str(commands), host.env["PATH"]])
    yield host
    # The engine's own folder, and what Blender leaves of its own when it is killed.
    for folder in [*host.temporary.glob("blender_*"), *host.temporary.glob("OpenJD")]:
        shutil.rmtree(folder)


class Place:
    """A session of the example, with its pictures."""

    def __init__(self, host: Host, scene: Path) -> None:
        self.host = host
        self.session = Session(host, ("-m", "blender_adaptor"))
        self.pictures = host.folder / "pictures"
        self.pictures.mkdir()
        self.data = {"scene": str(scene), "output": str(self.pictures / "frame_####.png")}

    def start(self, *options: str, **data: Any) -> Ended:
        """Starts the daemon."""
        text = json.dumps({**self.data, **data})
        return self.session.begin("start", "--init-data", text, *options).end()

    def render(self, frames: str) -> Command:
        """Begins to render."""
        return self.session.begin("run", "--run-data", json.dumps({"frames": frames}))

    def names(self) -> list[str]:
        """The pictures."""
        return sorted(path.name for path in self.pictures.iterdir())


@pytest.fixture
def place(blender_host: Host, scene: Path) -> Place:
    """A session's place."""
    return Place(blender_host, scene)


def progress(ended: Ended) -> list[float]:
    """The progress that a task reported."""
    return [float(line.split()[1]) for line in ended.lines if line.startswith("openjd_progress: ")]


def why(ended: Ended) -> str:
    """The text of the one line that says why it failed; a traceback of Blender's is no noise."""
    assert ended.status == 1, ended.text
    (line,) = [line for line in ended.lines if line.startswith("openjd_fail: ")]
    return line


def test_chunks_under_the_real_engine(blender_host: Host, scene: Path) -> None:
    """The template renders chunks of frames with one start of Blender and one scene load."""
    if importlib.util.find_spec("openjd.cli") is None:
        pytest.skip("openjd-cli is not installed")
    pictures = blender_host.folder / "it's pictures"
    pictures.mkdir()
    parameters = {
        "Scene": str(scene),
        "Output": str(pictures / "frame_####.png"),
        "Frames": "1-3,5",
        "ChunkSize": 2,
    }
    ended = blender_host.run(
        *("-m", "openjd", "run", str(EXAMPLE / "template.yaml")),
        *("--extensions", "TASK_CHUNKING", "--job-param", json.dumps(parameters)),
    )
    assert ended.status == 0, ended.text
    assert sorted(p.name for p in pictures.iterdir()) == [
        f"frame_{frame:04d}.png" for frame in (1, 2, 3, 5)
    ]
    assert all(p.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" for p in pictures.iterdir())
    assert ended.text.count("Running command: blender") == 1
    assert ended.text.count("Read blend:") == 1


def test_progress_of_a_chunk(place: Place) -> None:
    """It grows over all frames of the chunk, and ends with 100."""
    assert place.start().status == 0
    ended = place.render("1-2").end()
    assert ended.status == 0, ended.text
    seen = progress(ended)
    assert seen == sorted(seen)
    assert seen[-1] == 100
    assert any(0 < one <= 50 for one in seen) and any(50 < one < 100 for one in seen)
    assert place.session.stop().status == 0


def test_paths_are_mapped(place: Place, scene: Path) -> None:
    """Scene, output and the textures in the scene go by the session's rules."""
    real = place.host.folder / "textures"
    real.mkdir()
    shutil.copy(Path(__file__), real / "wood.png")
    script, mapped = place.host.folder / "texture.py", place.host.folder / "mapped.blend"
    script.write_text(TEXTURE)
    blender(str(scene), "--python", str(script), "--", "/no/such/textures/wood.png", str(mapped))
    rules = [
        ("/no/such/textures", real),
        ("/no/such/scenes", place.host.folder),
        ("/no/such/pictures", place.pictures),
    ]
    text = json.dumps(
        {
            "version": "pathmapping-1.0",
            "path_mapping_rules": [
                {"source_path_format": "POSIX", "source_path": a, "destination_path": str(b)}
                for a, b in rules
            ],
        }
    )
    started = place.start(
        "--path-mapping-rules",
        text,
        scene="/no/such/scenes/mapped.blend",
        output="/no/such/pictures/#.png",
    )
    assert started.status == 0, started.text
    assert place.render("7").end().status == 0
    assert place.names() == ["7.png"]
    assert place.session.stop().status == 0


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"scene": "/no/such/scene.blend"}, "/no/such/scene.blend"),
        ({"blender": "/no/such/blender"}, "Could not find the specified command: /no/such/blender"),
        ({"output": "no number in it"}, "init data, /output: "),
        ({"sceen": 1}, "'sceen' was unexpected"),
    ],
)
def test_a_start_that_fails(place: Place, data: dict[str, Any], words: str) -> None:
    """One line says why, and nothing is left."""
    ended = place.start(**data)
    assert words in why(ended)
    assert place.session.stop().status == 0


def test_a_missing_texture(place: Place, scene: Path) -> None:
    """It is an error that names the file, unless the job says that it is none."""
    script, lacking = place.host.folder / "texture.py", place.host.folder / "lacking.blend"
    script.write_text(TEXTURE)
    blender(str(scene), "--python", str(script), "--", "/no/such/wood.png", str(lacking))
    ended = place.start(scene=str(lacking))
    assert "FileNotFoundError: missing: /no/such/wood.png does not exist" in why(ended)
    place.session.stop()
    place.session = Session(place.host, ("-m", "blender_adaptor"))
    assert place.start(scene=str(lacking), strict=False).status == 0
    assert place.render("1").end().status == 0
    assert place.session.stop().status == 0


def test_a_picture_that_cannot_be_written(place: Place) -> None:
    """The task fails although Blender goes on; the next task finds it alive."""
    assert place.start(output=str(place.pictures / "sub" / "#.png")).status == 0
    (place.pictures / "sub").write_text("no folder")
    assert "cannot save" in why(place.render("1").end())
    (place.pictures / "sub").unlink()
    assert place.render("2").end().status == 0
    assert place.session.stop().status == 0


def test_a_cancel(place: Place) -> None:
    """Ends Blender in the middle of a chunk, and with it all that it has started."""
    assert place.start().status == 0
    task = place.render("1-2000")
    task.until("Rendering frame 3")
    task.cancel()
    ended = task.end()
    assert ended.status == 1
    assert ended.lines[-1] == "INFO: Canceled"
    assert place.session.stop().status == 0


def test_blender_dies_between_two_tasks(place: Place) -> None:
    """It is started anew, with the scene, and the log says so."""
    assert place.start().status == 0
    assert place.render("1").end().status == 0
    (process,) = [p for p in place.host.processes() if p.name() == "blender"]
    process.kill()
    await_end(process)
    ended = place.render("2").end()
    assert ended.status == 0, ended.text
    assert "it is started anew" in ended.text
    assert place.names() == ["frame_0001.png", "frame_0002.png"]
    assert place.session.stop().status == 0


def test_less_than_eighty_lines() -> None:
    """Adaptor and client together are what the README says that they are."""
    import ast

    count = 0
    for name in ("adaptor.py", "client.py"):
        text = (EXAMPLE / "blender_adaptor" / name).read_text()
        said: set[int] = set()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
                first = node.body[0]
                if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                    said.update(range(first.lineno, (first.end_lineno or 0) + 1))
        count += sum(
            1
            for number, line in enumerate(text.splitlines(), 1)
            if line.strip() and number not in said and not line.lstrip().startswith("#")
        )
    assert count < 80
