"""The demo and its adaptor, end to end: a real renderer under the real `openjd run`."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from openjd.adaptor_runtime import _demo, examples

needs_renderer = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("mitsuba", "openjd.cli")),
    reason="Mitsuba or openjd-cli is not installed: pip install '.[demo]'",
)
needs_sigint = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows cannot send SIGINT to one process"
)

DEMO = "import sys; from openjd.adaptor_runtime._cli.tool import main; sys.exit(main())"
TEMPLATE = Path(examples.__file__).parent / "turntable" / "template.yaml"
MARK = "TURNTABLE_TEST_MARK"
PROGRESS = re.compile(r"openjd_progress: [1-9]|Rendering frame 1 of")


class Site:
    """A private place for one test: folders, and a mark that its processes inherit."""

    def __init__(self, place: Path) -> None:
        self.output = place / "it's an output"
        self.temporary = place / "tmp"
        self._mark = uuid.uuid4().hex
        self.environment = {**os.environ, MARK: self._mark, "PYTHONUNBUFFERED": "1"}

    def python(self, *args: str) -> subprocess.Popen[str]:
        """Start ``python`` with those arguments, stdout and stderr in one pipe."""
        return subprocess.Popen(
            [sys.executable, *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            env=self.environment,
        )

    def openjd_run(self, **parameters: object) -> subprocess.Popen[str]:
        """Start ``openjd run`` of the turntable's template."""
        parameters.update(OutputDir=str(self.output), Python=sys.executable)
        return self.python(
            "-m", "openjd", "run", str(TEMPLATE), "--job-param", json.dumps(parameters)
        )

    def processes(self) -> list[psutil.Process]:
        """What runs, of all that was started here and by what was started here."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) != self._mark:
                    continue
                if process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return found

    def files(self) -> list[Path]:
        """What is left in the temporary folder, folders aside."""
        return [path for path in self.temporary.rglob("*") if not path.is_dir()]


@pytest.fixture
def site(private_place: Path) -> Iterator[Site]:
    site = Site(private_place)
    yield site
    for process in site.processes():
        process.kill()


def read_until(pattern: re.Pattern[str], process: subprocess.Popen[str]) -> str:
    """What the process prints, until a line matches."""
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if pattern.search(line):
            return text
    raise AssertionError(f"no line matched {pattern.pattern!r}:\n{text}")


@needs_renderer
@pytest.mark.timeout(120)
def test_demo_renders_every_frame_with_one_start_and_one_load(site: Site) -> None:
    """Different pictures, one application start, one scene load, and nothing left behind."""
    demo = site.python(
        "-c", DEMO, "demo", "--frames", "3", "--size", "64x36", "--output", str(site.output)
    )
    printed, _ = demo.communicate()
    assert demo.returncode == 0, printed

    frames = sorted(site.output.glob("*.png"))
    assert [f.name for f in frames] == ["frame_0001.png", "frame_0002.png", "frame_0003.png"]
    pictures = [f.read_bytes() for f in frames]
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert len({hashlib.sha256(picture).digest() for picture in pictures}) == 3

    log = (site.output / "session.log").read_text(encoding="utf-8")
    assert log.count("STDOUT: Renderer started") == 1
    assert log.count("STDOUT: Scene loaded") == 1
    assert "\topenjd_progress: 100.0\n" in log
    assert "\topenjd_status: Rendering frame 2 of 3\n" in log
    assert re.search(r"application starts +1$", printed, re.MULTILINE)
    assert re.search(r"scene loads +1$", printed, re.MULTILINE)
    assert re.search(r"started cold +[0-9.]+ s for a frame", printed)

    assert list(site.temporary.iterdir()) == []
    assert site.processes() == []


@needs_renderer
@needs_sigint
@pytest.mark.timeout(120)
def test_interrupted_session_leaves_nothing(site: Site) -> None:
    """SIGINT to `openjd run` within a frame: it fails, no process and no file is left."""
    session = site.openjd_run(Frames=2, Width=2000, Height=1500, Samples=64)
    read_until(PROGRESS, session)
    session.send_signal(signal.SIGINT)
    printed, _ = session.communicate()
    assert session.returncode != 0
    assert "frame 2" not in printed
    assert "INFO: Canceled" in printed
    assert "openjd_fail" not in printed
    assert site.files() == []
    assert site.processes() == []


@needs_renderer
@needs_sigint
@pytest.mark.timeout(120)
def test_interrupted_demo_leaves_nothing(site: Site) -> None:
    """SIGINT to the demo within a frame: exit status 130, no process and no file is left."""
    demo = site.python("-c", DEMO, "demo", "--size", "2000x1500", "--output", str(site.output))
    read_until(PROGRESS, demo)
    demo.send_signal(signal.SIGINT)
    printed, _ = demo.communicate()
    assert demo.returncode == 130, printed
    assert [path.name for path in site.output.iterdir()] == ["session.log"]
    assert list(site.temporary.iterdir()) == []
    assert site.processes() == []


@needs_renderer
@needs_sigint
@pytest.mark.timeout(120)
def test_second_interrupt_of_the_demo_kills(site: Site) -> None:
    """SIGINT twice: exit status 130 whatever the session was about, nothing is left."""
    demo = site.python("-c", DEMO, "demo", "--size", "2000x1500", "--output", str(site.output))
    read_until(PROGRESS, demo)
    demo.send_signal(signal.SIGINT)
    demo.send_signal(signal.SIGINT)
    printed, _ = demo.communicate()
    assert demo.returncode == 130, printed
    _, alive = psutil.wait_procs(site.processes(), timeout=60)
    assert alive == []
    assert list(site.temporary.iterdir()) == []


@needs_renderer
@pytest.mark.timeout(120)
def test_a_renderer_that_dies_fails_the_task(site: Site) -> None:
    """The renderer is killed within a frame: the task fails and names the exit code."""
    session = site.openjd_run(Frames=2, Width=2000, Height=1500, Samples=64)
    read_until(PROGRESS, session)
    (renderer,) = [p for p in site.processes() if any("bootstrap.py" in a for a in p.cmdline())]
    renderer.kill()
    printed, _ = session.communicate()
    assert session.returncode != 0
    assert "Mitsuba ended with signal 9 (SIGKILL" in printed
    assert "performing render_frame(" in printed
    assert "frame 2" not in printed
    assert site.files() == []
    assert site.processes() == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--frames", "0"],
        ["--frames", "twelve"],
        ["--size", "320"],
        ["--size", "0x180"],
        ["--size", "320x-1"],
        ["--speed", "9"],
    ],
)
def test_bad_arguments_get_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """An argument that makes no sense: one line that names it, exit status 2."""
    with pytest.raises(SystemExit) as exit:
        _demo.main(arguments)
    assert exit.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert arguments[0] in line


@needs_renderer
def test_unwritable_output_gets_one_line(
    private_place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An output folder that cannot be made: one line that names it, exit status 1."""
    output = private_place / "file" / "output"
    output.parent.write_text("in the way")
    assert _demo.main(["--output", str(output)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert str(output) in line


def test_missing_extra_gets_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without Mitsuba: one line with the command that installs it, exit status 1."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert _demo.main([]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "Mitsuba is not installed: pip install 'openjd-adaptor-runtime[demo]'" in line
