"""The FFmpeg example: a real FFmpeg, described in TOML, under the real `openjd run`."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from apps.drive import Command, Ended, Host

from openjd.adaptor_runtime.testing import FakeApplication, Script

Fakes = Callable[..., FakeApplication]
EXAMPLE = Path(__file__).parents[2] / "examples" / "ffmpeg"

pytestmark = [
    pytest.mark.skipif(not EXAMPLE.is_dir(), reason="the examples are not here"),
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in ("imageio_ffmpeg", "openjd.cli")),
        reason="FFmpeg or openjd-cli is not installed: pip install '.[test]'",
    ),
    pytest.mark.skipif(sys.platform == "win32", reason="a template with a POSIX command"),
    pytest.mark.timeout(120),
]

#: What pip makes of the entry in the example's pyproject.toml.
SCRIPT = "#!{python}\nimport sys\nfrom ffmpeg_openjd import main\nsys.exit(main())\n"


class Studio:
    """A host with FFmpeg, the example's command, and a video of four seconds."""

    def __init__(self, host: Host) -> None:
        import imageio_ffmpeg

        self.host = host
        self.ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
        self.folder = host.folder / "it's a studio"
        self.output = self.folder / "out"
        self.output.mkdir(parents=True)
        self.input = self.folder / "in.mp4"
        self._run("-f", "lavfi", "-i", "testsrc=size=160x90:rate=24:duration=4", str(self.input))
        script = host.folder / "bin" / "ffmpeg-openjd"
        script.parent.mkdir()
        script.write_text(SCRIPT.format(python=sys.executable))
        script.chmod(0o755)
        host.env["PATH"] = f"{script.parent}{os.pathsep}{host.env['PATH']}"
        host.env["PYTHONPATH"] += f"{os.pathsep}{EXAMPLE}"

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [self.ffmpeg, "-hide_banner", "-nostdin", "-y", *arguments],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout

    def in_real_time(self) -> str:
        """An FFmpeg that takes its four seconds for the video."""
        script = self.host.folder / "bin" / "slow-ffmpeg"
        script.write_text(f'#!/bin/sh\nexec {self.ffmpeg} -re "$@"\n')
        script.chmod(0o755)
        return str(script)

    def frames_in(self, video: Path) -> int:
        """How many frames can be decoded."""
        counted = self._run("-i", str(video), "-progress", "pipe:1", "-f", "null", "-")
        return int(re.findall(r"^frame=(\d+)$", counted, re.MULTILINE)[-1])

    def begin(self, *options: str, **parameters: object) -> Command:
        """Starts ``openjd run`` of the example's template."""
        given = {
            "Input": str(self.input),
            "OutputDir": str(self.output),
            "Frames": 48,
            "FFmpeg": self.ffmpeg,
            **parameters,
        }
        template = str(EXAMPLE / "template.yaml")
        return self.host.begin(
            *("-m", "openjd", "run", template, "--job-param", json.dumps(given), *options)
        )

    def convert(self, *options: str, **parameters: object) -> Ended:
        """Runs it to its end."""
        return self.left_nothing(self.begin(*options, **parameters))

    def left_nothing(self, command: Command) -> Ended:
        """Waits for the end; no process and no file of a session may be left."""
        ended = command.end()
        assert self.host.processes() == []
        left = [path for path in self.host.temporary.rglob("*") if not path.is_dir()]
        assert left == []
        # The folder in which the runner makes those of its sessions is its own.
        shutil.rmtree(self.host.temporary / "OpenJD", ignore_errors=True)
        return ended


@pytest.fixture
def studio(host: Host) -> Studio:
    return Studio(host)


def test_the_description_is_short() -> None:
    """FFmpeg takes less than 40 lines."""
    text = (EXAMPLE / "ffmpeg_openjd" / "adaptor.toml").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 40


def test_a_video_in_pieces(studio: Studio) -> None:
    """Each piece has its frames; paths are mapped; the progress of a task grows to 100."""
    rule = {
        "source_path_format": "POSIX",
        "source_path": "/far/away",
        "destination_path": str(studio.folder),
    }
    rules = {"version": "pathmapping-1.0", "path_mapping_rules": [rule]}
    ended = studio.convert(
        *("--path-mapping-rules", json.dumps(rules)),
        Input="/far/away/in.mp4",
        OutputDir="/far/away/out",
        Starts="0-2:2",
    )
    assert ended.status == 0, ended.text
    pieces = sorted(studio.output.iterdir())
    assert [piece.name for piece in pieces] == ["piece-0.mp4", "piece-2.mp4"]
    assert [studio.frames_in(piece) for piece in pieces] == [48, 48]
    told = [float(number) for number in re.findall(r"openjd_progress: ([\d.]+)", ended.out)]
    assert told.count(100.0) == 2
    first = told[: told.index(100.0) + 1]
    assert first == sorted(first)
    assert ended.out.count("Starting the adaptor's daemon") == 1


def test_an_input_that_is_missing(studio: Studio) -> None:
    """The task fails at once, in FFmpeg's own words."""
    ended = studio.convert(Input=str(studio.folder / "nothing.mp4"))
    assert ended.status != 0
    assert "openjd_fail: Error encountered while running adaptor: Error opening input" in ended.out
    assert "No such file or directory" in ended.out
    assert list(studio.output.iterdir()) == []


def test_an_input_that_is_broken(studio: Studio) -> None:
    """What FFmpeg would pass over with a word in its log fails the task."""
    whole = studio.input.read_bytes()
    studio.input.write_bytes(whole[:500] + bytes(8000) + whole[8500:])
    ended = studio.convert()
    assert ended.status != 0
    assert "openjd_fail: Error encountered while running adaptor: " in ended.out


def test_a_piece_beyond_the_end(studio: Studio) -> None:
    """FFmpeg writes a file without a frame and ends with exit code 0; the task fails."""
    ended = studio.convert(Starts="100")
    assert ended.status != 0
    assert "nothing was encoded" in ended.out
    assert "openjd_fail: Error encountered while running adaptor: " in ended.out


def test_a_cancel(studio: Studio) -> None:
    """Ctrl-C within a task: FFmpeg ends, nothing is left; what is half done is done anew."""
    session = studio.begin(FFmpeg=studio.in_real_time(), Frames=96)
    session.until("progress=continue")
    session.cancel("SIGINT")
    ended = studio.left_nothing(session)
    assert ended.status != 0
    assert "openjd_progress: 100" not in ended.out
    ended = studio.convert(Frames=96)
    assert ended.status == 0, ended.text
    assert studio.frames_in(studio.output / "piece-0.mp4") == 96


def test_an_ffmpeg_that_somebody_ends(studio: Studio) -> None:
    """It closes the file that it has half written, so that it plays: the task fails."""
    data = {"input": str(studio.input), "output": str(studio.output / "a.mp4")}
    command = studio.host.begin(
        *("-m", "openjd.adaptor_runtime._toml_entry_point"),
        str(EXAMPLE / "ffmpeg_openjd" / "adaptor.toml"),
        *("run", "--run-data", json.dumps({**data, "frames": 96})),
        *("--init-data", json.dumps({"ffmpeg": studio.in_real_time()})),
    )
    command.until("progress=continue")
    # Its guardian is the other one.
    (ffmpeg,) = (c for c in psutil.Process(command.pid).children() if "-i" in c.cmdline())
    ffmpeg.terminate()
    says = studio.left_nothing(command).fails()
    assert "FFmpeg ended with exit code 255" in says


def test_outputs_that_are_there_already(studio: Studio, fake_application: Fakes) -> None:
    """A file of an earlier task is no result of this one, even if FFmpeg says that all is well."""
    script = Script()
    script.command().prints("progress=end")
    fake = fake_application(script, "ffmpeg")
    (studio.output / "piece-0.mp4").write_bytes(b"old")
    ended = studio.convert(FFmpeg=fake.path)
    assert ended.status != 0
    assert "FFmpeg said that all went well, but: not written by this task: " in ended.out
    (command,) = fake.commands
    assert command[-1] == f"file:{studio.output / 'piece-0.mp4'}"
