"""The fake application by itself: what its process does is what its script says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from bounded import LIMIT, Child

from openjd.adaptor_runtime.testing import FakeApplication, Script, ScriptError
from openjd.adaptor_runtime.testing._player import LOST

from .programs import needs_programs

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="about POSIX signals")

Make = Callable[..., FakeApplication]
Done = subprocess.CompletedProcess


def play(fake: FakeApplication, *arguments: str, **variables: str) -> Done[bytes]:
    """Runs it to its end."""
    return subprocess.run(
        [*fake.command, *arguments],
        capture_output=True,
        timeout=LIMIT,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
    )


def test_what_it_prints(fake_application: Make) -> None:
    """Lines on both streams, several at once, bytes as they are, and an exit code."""
    script = Script()
    script.command().prints("a", "b{1}", "é").prints_error("e").prints_bytes(b"\xff\n").prints(
        "{1}!", fill=True
    ).progress(1, 50.5).status("busy").exits(3)
    done = play(fake_application(script), "first")
    out = "a\nb{1}\né\n".encode() + b"\xff\nfirst!\nopenjd_progress: 1\nopenjd_progress: 50.5\n"
    assert done.stdout == out + b"openjd_status: busy\n"
    assert (done.stderr, done.returncode) == (b"e\n", 3)


def test_it_needs_no_script_for_commands(fake_application: Make) -> None:
    """Without a part for commands it is silent, and ends with exit code 0."""
    fake = fake_application(Script.generic())
    done = play(fake, "whatever")
    assert (done.stdout, done.stderr, done.returncode) == (b"", b"", 0)
    assert fake.commands == [["whatever"]]


def test_the_first_part_that_fits(fake_application: Make) -> None:
    """Arguments in their order, with wildcards; so often, whatever process has played it."""
    script = Script()
    script.command("-o", "*.png", times=2).exits(1)
    script.command("-o").exits(2)
    script.command("last", "*").exits(3)
    fake = fake_application(script)
    commands = (
        ("-x", "-o", "a.png"), ("-o", "a.exr"), ("-o", "b.png"), ("-o", "c.png"), ("last", "x"),
    )  # fmt: skip
    assert [play(fake, *command).returncode for command in commands] == [1, 2, 1, 2, 3]
    done = play(fake, "last")
    assert done.returncode == LOST
    (line,) = done.stderr.decode().splitlines()
    assert line == "ERROR: the fake application has no part for the arguments ['last']"
    assert [one.part for one in fake.played] == [1, 2, 1, 2, 3, 0]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("{1}", "one"),
        ("{-1}", "file.png"),
        ("{-o}", "two words"),
        ("{--name}", "in option"),
        ("{*.png}", "file.png"),
        ("{$WHERE}/x", "there/x"),
        ("sub/{{{1}}}", "sub/{one}"),
        ("file:{1}", "one"),
    ],
)
def test_files(fake_application: Make, tmp_path: Path, path: str, expected: str) -> None:
    """Their paths are filled in from arguments and environment; folders are made."""
    script = Script()
    script.command().writes(path, "content\n")
    fake = fake_application(script)
    command = [*fake.command, "one", "-o", "two words", "--name=in option", "file.png"]
    environment = {**os.environ, "WHERE": "there"}
    subprocess.run(command, check=True, cwd=tmp_path, timeout=LIMIT, env=environment)
    assert (tmp_path / expected).read_bytes() == b"content\n"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("{2}", "needs {2}, which the arguments ['x'] do not have"),
        ("{--output}", "needs {--output}, which"),
        ("{$NOT_THERE}", "needs the environment variable NOT_THERE, which is not set"),
        ("{*.png}", "needs something like *.png, which ['x'] does not have"),
    ],
)
def test_a_field_that_is_not_there(fake_application: Make, path: str, words: str) -> None:
    """One line says what the script needs, and the exit code is one of its own."""
    script = Script()
    script.command().writes(path)
    done = play(fake_application(script), "x")
    assert done.returncode == LOST
    (line,) = done.stderr.decode().splitlines()
    assert words in line


@posix_only
@pytest.mark.parametrize("name", ["SIGSEGV", "SIGKILL", "SIGTERM"])
def test_a_crash(fake_application: Make, tmp_path: Path, name: str) -> None:
    """It ends by that signal, and leaves no core file."""
    script = Script()
    script.command().prints("x").crashes(name)
    fake = fake_application(script)
    done = subprocess.run(fake.command, capture_output=True, cwd=tmp_path, timeout=LIMIT)
    assert (done.stdout, done.returncode) == (b"x\n", -getattr(signal, name))
    assert list(tmp_path.iterdir()) == []


@posix_only
def test_it_hangs_and_is_deaf(fake_application: Make) -> None:
    """A process that hangs ends when it is asked to; one that is deaf has to be killed."""
    script = Script()
    script.command("deaf").is_deaf().prints("READY").hangs()
    script.command().prints("READY").hangs()
    fake = fake_application(script)
    for arguments, last in ((["x"], signal.SIGTERM), (["deaf"], signal.SIGKILL)):
        process = subprocess.Popen([*fake.command, *arguments], stdout=subprocess.PIPE)
        assert process.stdout is not None
        with process:
            assert process.stdout.readline() == b"READY\n"
            process.terminate()
            if last == signal.SIGKILL:
                process.kill()
            assert process.wait(LIMIT) == -last


def test_modules_of_the_authors(fake_application: Make, tmp_path: Path) -> None:
    """A file of the author's runs as the main program, with modules that the script names."""
    (tmp_path / "fake").mkdir()
    (tmp_path / "fake" / "hou.py").write_text("version = '20.5'\n")
    client = tmp_path / "client.py"
    client.write_text("import hou, sys\nprint(__name__, hou.version, sys.argv[1:])\nsys.exit(4)\n")
    script = Script(modules=[str(tmp_path / "fake")])
    script.command().runs_python("{--python}")
    fake = fake_application(script)
    done = play(fake, "--python", str(client))
    arguments = ["--python", str(client)]
    assert done.stdout.decode().splitlines() == [f"__main__ 20.5 {arguments}"]
    assert (done.stderr, done.returncode) == (b"", 4)
    done = play(fake, "--python", "nowhere.py")
    assert (b"is to run nowhere.py, which does not exist" in done.stderr, done.returncode) == (
        True, LOST,
    )  # fmt: skip


def test_answers_without_an_adaptor(fake_application: Make) -> None:
    """Where there is no adaptor to answer, one line says what is missing."""
    script = Script()
    script.command("old").answers("{$OLD_SERVER}")
    script.command().answers()
    fake = fake_application(script)
    done = play(fake)
    assert b"OPENJD_ADAPTOR_SERVER is not set" in done.stderr
    done = play(fake, "old")
    assert b"needs the environment variable OLD_SERVER" in done.stderr
    done = play(fake, "old", OLD_SERVER=os.path.join(os.getcwd(), "nobody"))
    assert b"ERROR: cannot reach the adaptor" in done.stderr
    done = play(fake, OPENJD_ADAPTOR_SERVER=os.path.join(os.getcwd(), "nobody"))
    assert b"is no client: cannot reach the adaptor" in done.stderr
    assert done.returncode == LOST
    assert len(done.stderr.splitlines()) == 1


@needs_programs
def test_on_path(fake_application: Make) -> None:
    """One with a name is found by it, without a shell, from here on to its end, and not after."""
    before = os.environ["PATH"]
    script = Script()
    script.command().prints("found: {1}", fill=True)
    with FakeApplication(script, "fake-renderer") as fake:
        command = ["fake-renderer", "it's 5 %PATH% $HOME"]
        with Child(f"import subprocess; subprocess.run({command!r}, check=True)") as child:
            assert child.line() == "found: it's 5 %PATH% $HOME"
            assert child.end()[0] == 0
        assert fake.path is not None and os.path.exists(fake.path)
    assert os.environ["PATH"] == before
    assert not os.path.exists(fake.path)


def test_a_name_that_is_none() -> None:
    """A path is no name by which a program is found."""
    for name in ("", "bin/x", os.path.abspath("x")):
        with pytest.raises(ScriptError, match="is no name for a program"):
            FakeApplication(Script(), name)


def test_a_child(fake_application: Make) -> None:
    """It starts a process that outlives it, and holds its output open."""
    script = Script()
    script.command().starts_child().prints("x").exits(0)
    process = subprocess.Popen(fake_application(script).command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline().rstrip() == b"x"
    assert process.wait(LIMIT) == 0
    import psutil

    for child in psutil.process_iter():
        try:
            if "threading.Event().wait()" in " ".join(child.cmdline()):
                mark = child.environ().get("HOME") == os.environ["HOME"]
                if mark:
                    child.kill()
        except (psutil.Error, OSError):
            continue
    with process.stdout:
        # Whoever held it open is gone.
        assert process.stdout.read() == b""
