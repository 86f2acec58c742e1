"""``openjd-adaptor new``: what it asks, what it refuses, and that what it makes is whole."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kit.programs import plugin_is_installed

from openjd.adaptor_runtime._tools import new
from openjd.adaptor_runtime._tools.new import package
from openjd.adaptor_runtime._tools.new.names import Names, names, project_name

from .terminal import LIMIT, at_terminal

KINDS = list(package.KINDS)
#: What opens `openjd-adaptor`, wherever that is installed.
TOOL = [
    sys.executable,
    "-c",
    "import sys; from openjd.adaptor_runtime._cli.tool import main; sys.exit(main())",
    "new",
]

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")


def make(folder: Path, *arguments: str) -> int:
    """Runs the command in this process; the new folder is made in `folder`."""
    return new.main([*arguments, "--into", str(folder)])


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that was printed, which says why nothing was made."""
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("ERROR: ")
    return line


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "application"),
    [
        ("press-adaptor", "Press"),
        ("a", "x"),
        ("x" * 32, "The Great Renderer 3000+ of Rome"),
        ("dash-and-digits-4d", "Früh_Läufer 渲染"),
        ("yes-adaptor", "No"),
        ("number-adaptor", "1.0"),
        ("engraver-adaptor", "Engraver"),
    ],
)
def test_what_is_made_is_whole(kind: str, name: str, application: str, private_place: Path) -> None:
    """Every file is what its ending says, and nothing of the originals' names is left in it."""
    assert make(private_place, "--name", name, "--application", application, "--kind", kind) == 0
    folder = private_place / name
    made = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    assert {"pyproject.toml", "README.md", ".gitignore", "template.yaml"} <= set(made)
    for where, path in made.items():
        data = path.read_bytes()
        assert b"\r" not in data, where
        assert data.endswith(b"\n"), where
        text = data.decode("utf-8")
        if "engraver" not in name:
            assert "engraver" not in f"{where} {text}".lower(), where
        if path.suffix == ".py":
            ast.parse(text)
        elif path.suffix == ".json":
            json.loads(text)
        elif path.suffix == ".toml" and sys.version_info >= (3, 11):
            import tomllib

            tomllib.loads(text)
    job = _job(made["template.yaml"])
    assert job["name"] == names(name, application).stem
    command = job["steps"][0]["script"]["actions"]["onRun"]["command"]
    assert f'\n{command} = "' in made["pyproject.toml"].read_text(encoding="utf-8")


def _job(template: Path) -> dict[str, Any]:
    """A job template, which Open Job Description's own validator accepts."""
    import yaml

    job: dict[str, Any] = yaml.safe_load(template.read_text(encoding="utf-8"))
    model = pytest.importorskip("openjd.model", reason="openjd-model checks job templates")
    model.decode_job_template(template=job, supported_extensions=["TASK_CHUNKING"])
    return job


@pytest.mark.parametrize("kind", KINDS)
def test_the_job_template_is_what_the_tool_makes(kind: str, private_place: Path) -> None:
    """``openjd-adaptor template`` writes the same from the schemas, but for the command's name."""
    assert make(private_place, "yes-adaptor", "--application", "Press", "--kind", kind) == 0
    folder = private_place / "yes-adaptor"
    tool = [*TOOL[:-1], "template", "yes_adaptor", "--command", "yes-adaptor", "-o", "again.yaml"]
    subprocess.run(tool, cwd=folder, check=True, timeout=LIMIT)
    again, made = folder / "again.yaml", folder / "template.yaml"
    assert again.read_text(encoding="utf-8") == made.read_text(encoding="utf-8")


@pytest.mark.timeout(300)
def test_a_made_package_passes_its_tests(private_place: Path) -> None:
    """As it is, before anybody has edited a line. (``python -m tests.newcomer``: of each kind.)"""
    assert make(private_place, "press", "--application", "Press", "--kind", "application") == 0
    folder = private_place / "press"
    options = ["-p", "no:cacheprovider", "-p", "no:xdist"]
    # What installing the runtime does, where it is not.
    options += [] if plugin_is_installed() else ["-p", "openjd.adaptor_runtime.testing.plugin"]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *options],
        cwd=folder,
        # What installing it would do.
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{os.environ['PYTHONPATH']}"},
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search(r"^6 passed", ended.stdout, re.MULTILINE), ended.stdout


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("blender-adaptor", "blender-adaptor"),
        ("Blender_Adaptor", "blender-adaptor"),
        ("  Mein Rénderer ", "mein-renderer"),
        ("a..b--c", "a-b-c"),
    ],
)
def test_a_name_becomes_a_package_s(typed: str, name: str) -> None:
    """Case, accents, spaces, dots and underlines are put in order."""
    assert project_name(typed) == name


@pytest.mark.parametrize(
    ("project", "application", "made"),
    [
        ("blender-adaptor", "Blender", ("blender_adaptor", "Blender")),
        ("ffmpeg-openjd", "FFmpeg", ("ffmpeg_openjd", "FFmpeg")),
        ("max-adaptor", "3ds Max", ("max_adaptor", "Max")),
        ("cinema-4d-adaptor", "Cinema 4D", ("cinema_4d_adaptor", "Cinema4D")),
        ("adaptor", "X", ("adaptor", "Adaptor")),
    ],
)
def test_the_other_names(project: str, application: str, made: tuple[str, str]) -> None:
    """Package and classes follow the project; where it can be, the application's spelling stays."""
    assert names(project, application) == Names(project, made[0], made[1], application)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "it is empty"),
        ("---", "it is empty"),
        ("渲染", "'渲' cannot be in it"),
        ("a/b", "'/' cannot be in it"),
        ("..", "it is empty"),
        ("3dsmax", "begins with a digit; take for instance adaptor-3dsmax"),
        ("class", "a word of Python's; take for instance class-adaptor"),
        ("match", "a word of Python's"),
        ("json", "it would hide the module json; take for instance json-adaptor"),
        ("openjd", "it would hide the module openjd"),
        ("tests", "it would hide the module tests"),
        ("output", "a folder output means something else"),
        ("application-adaptor", "its class would be ApplicationAdaptor"),
        ("psutil", "it would hide the module psutil"),
        ("pluggy", "a package pluggy is installed in this environment"),
        ("nul", "Windows takes it for a device"),
        ("x" * 33, "is too long: 33 of 32 characters"),
    ],
)
def test_a_name_that_cannot_be(
    name: str, says: str, private_place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is refused in one line that says why, and nothing is made."""
    assert make(private_place, f"--name={name}", "--application=Press", "--kind=plain") == 1
    assert says in refused(capsys)
    assert sorted(p.name for p in private_place.iterdir()) == ["home", "tmp"]


@pytest.mark.parametrize("application", ["", " ", "O'Neil", 'a"b', "a\\b", "{x}", "x" * 33, "+"])
def test_an_application_that_cannot_be(
    application: str, private_place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its name stands in code, TOML and YAML, and is refused where it would have to be quoted."""
    assert make(private_place, "press", "--application", application, "--kind", "plain") == 1
    refused(capsys)
    assert sorted(p.name for p in private_place.iterdir()) == ["home", "tmp"]


def test_a_name_that_is_put_in_order_is_shown(
    private_place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who types something else than the package is called is told."""
    assert make(private_place, "Préss", "--application", "Press", "--kind", "plain") == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first == "The name 'Préss' is written 'press', so that it can be a package's."


def test_the_commands_that_come_next(
    private_place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The shell that is used here takes the new folder's path as it is shown, spaces and all."""
    into = private_place / "my own"
    into.mkdir()
    assert make(into, "press", "--application", "Press", "--kind", "plain") == 0
    shown = [line.strip() for line in capsys.readouterr().out.splitlines()]
    (change,) = [line for line in shown if line.startswith("cd ")]
    # In cmd, apostrophes are no quotes, a slash begins an option, and drives have their own folder.
    printed = subprocess.check_output(
        f"{change} && cd" if sys.platform == "win32" else f"{change} && pwd -P",
        shell=True,
        cwd=private_place,
        encoding="utf-8",
    )
    assert os.path.samefile(printed.strip(), into / "press")


@pytest.mark.parametrize("what", ["folder", "file", "broken link"])
def test_nothing_is_overwritten(
    what: str, private_place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever has that name already, even an empty folder, is left as it is."""
    there = private_place / "press"
    if what == "folder":
        there.mkdir()
    elif what == "file":
        there.write_text("mine")
    else:
        try:
            there.symlink_to(private_place / "nowhere")
        except (OSError, NotImplementedError):
            pytest.skip("this user may not make links")
    assert make(private_place, "press", "--application", "Press", "--kind", "plain") == 1
    assert f"{there} exists already" in refused(capsys)
    assert sorted(p.name for p in private_place.iterdir()) == ["home", "press", "tmp"]
    assert what != "file" or there.read_text() == "mine"
    assert what != "folder" or list(there.iterdir()) == []


def test_a_folder_that_is_not_there(
    private_place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder that the new one is to be in must exist."""
    where = private_place / "nowhere"
    assert make(where, "press", "--application", "Press", "--kind", "plain") == 1
    assert f"{where / 'press'} cannot be made: " in refused(capsys)


def test_all_files_or_none(private_place: Path) -> None:
    """What cannot be written to its end leaves nothing."""
    with pytest.raises((FileExistsError, NotADirectoryError, FileNotFoundError)):
        package.write({"a": "a file", "a/b": "and a folder"}, private_place / "press")
    assert sorted(p.name for p in private_place.iterdir()) == ["home", "tmp"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_its_mode_is_that_of_other_folders(private_place: Path) -> None:
    """Others can read what is made, as far as the umask lets them."""
    assert make(private_place, "press", "--application", "Press", "--kind", "plain") == 0
    usual = private_place / "usual"
    usual.mkdir()
    assert (private_place / "press").stat().st_mode == usual.stat().st_mode


@pytest.mark.parametrize("given", [0, 1, 2])
def test_what_is_missing_without_a_terminal(given: int, private_place: Path) -> None:
    """One line names the flags that are missing; nothing is asked, nothing made."""
    flags = ["--name", "press"], ["--application", "Press"], ["--kind", "plain"]
    arguments = [word for flag in flags[:given] for word in flag]
    ended = subprocess.run(
        [*TOOL, *arguments], cwd=private_place, stdin=subprocess.DEVNULL, capture_output=True
    )
    assert (ended.returncode, ended.stdout) == (2, b"")
    (line,) = ended.stderr.decode().splitlines()
    assert line.startswith("ERROR: openjd-adaptor new: ")
    for flag in flags:
        assert (flag[0] in line) is (flag[0] not in arguments), line


def test_two_names(private_place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """NAME and --name are the same; two different ones are a mistake."""
    with pytest.raises(SystemExit) as ended:
        make(private_place, "one", "--name", "two", "--application", "Press", "--kind", "plain")
    assert ended.value.code == 2
    assert "NAME is 'one', but --name is 'two'" in refused(capsys)


def _typed(folder: Path, *answers: bytes, arguments: tuple[str, ...] = ()) -> tuple[int, str]:
    return at_terminal(
        [*TOOL, *arguments],
        answers,
        folder,
        {**os.environ, "NO_COLOR": "1", "FORCE_COLOR": "", "PYTHON_COLORS": "0"},
    )


@posix_only
def test_it_asks_at_a_terminal(private_place: Path) -> None:
    """Suggestions are taken with the enter key; what will not do is asked for again."""
    (private_place / "press-adaptor").mkdir()
    status, shown = _typed(
        private_place, b"Pr'ess\n", b"Press\n", b"\n", b"class\n", b"My Press\n", b"0\n", b"2\n"
    )
    assert status == 0, shown
    pattern = r"""
Application, as people call it: Pr'ess
ERROR: "Pr'ess" is no name for an application: .*
Application, as people call it: Press
Name of the new package \[press-adaptor\]:[ ]
ERROR: press-adaptor exists already, and is left alone; .*
Name of the new package \[press-adaptor\]: class
ERROR: 'class' cannot be used: .*
Name of the new package \[press-adaptor\]: My Press
  1  application .*
  2  command .*
  3  plain .*
Kind \[application\]: 0
ERROR: '0' is none of application, command, plain
Kind \[application\]: 2
Made my-press, of kind command:
"""
    assert re.match(pattern.lstrip("\n"), shown), shown
    assert (private_place / "my-press" / "my_press" / "adaptor.toml").is_file()


@posix_only
def test_it_asks_for_what_is_missing_alone(private_place: Path) -> None:
    """A flag is an answer, and what it says suggests the others."""
    arguments = ("--name", "press-adaptor", "--kind", "plain")
    status, shown = _typed(private_place, b"\n", arguments=arguments)
    assert status == 0, shown
    assert shown.startswith("Application, as people call it [Press]: \nMade press-adaptor")


@posix_only
def test_the_end_of_the_input(private_place: Path) -> None:
    """Ctrl-D in place of an answer ends it, and nothing is made."""
    status, shown = _typed(private_place, b"Press\n", b"\x04")
    assert status == 130
    assert shown.endswith("\nNothing was made.\n")
    assert "Traceback" not in shown
    assert sorted(p.name for p in private_place.iterdir()) == ["home", "tmp"]


def test_ctrl_c(
    private_place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends it as well. (Typed at a terminal, it may come before Python reads, and be lost.)"""

    def asked(question: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("builtins.input", asked)
    monkeypatch.setattr(new, "can_ask", lambda: True)
    assert make(private_place, "--name", "press", "--kind", "plain") == 130
    assert capsys.readouterr() == ("", "\nNothing was made.\n")
    assert sorted(p.name for p in private_place.iterdir()) == ["home", "tmp"]
