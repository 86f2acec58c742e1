"""OutputCheck: whether a task has written what it should have."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openjd.adaptor_runtime.application.outputs import OutputCheck

posix = pytest.mark.skipif(os.name != "posix", reason="names and links as POSIX has them")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, in which each test is."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: str, text: str = "data") -> None:
    """Writes the file anew, in a folder that is made if need be."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def replace(path: str, text: str = "data") -> None:
    """Writes the file under another name and moves it into place, with the old file's times."""
    old = os.stat(path)
    write(path + ".part", text)
    os.utime(path + ".part", ns=(old.st_atime_ns, old.st_mtime_ns))
    os.replace(path + ".part", path)


def nothing() -> None:
    """A task that writes nothing."""


def problems(paths: list[str], before: list[str], task: Callable[[], object]) -> list[str]:
    """What the check says of a task, with files that are there before it."""
    for path in before:
        write(path)
    check = OutputCheck(paths)
    task()
    return check.verify()


@pytest.mark.parametrize(
    ("path", "before", "task", "expected"),
    [
        pytest.param("a.png", [], lambda: write("a.png"), [], id="new"),
        pytest.param("a.png", [], nothing, ["missing: a.png"], id="missing"),
        pytest.param("no/a.png", [], nothing, ["missing: no/a.png"], id="folder missing"),
        pytest.param("a/a.png", ["a"], nothing, ["missing: a/a.png"], id="folder is a file"),
        pytest.param("a.png", [], lambda: write("a.png", ""), ["empty: a.png"], id="empty"),
        pytest.param("a.png", ["a.png"], lambda: write("a.png", "other"), [], id="written again"),
        pytest.param(
            "a.png", ["a.png"], nothing, ["not written by this task: a.png"], id="from before"
        ),
        pytest.param("a.png", ["a.png"], lambda: write("a.png", ""), ["empty: a.png"], id="cut"),
        pytest.param("a", ["a"], lambda: os.remove("a"), ["missing: a"], id="removed"),
        pytest.param("a.png", ["a.png"], lambda: replace("a.png"), [], id="replaced, times kept"),
        pytest.param("*.png", [], lambda: write("a.png"), [], id="glob"),
        pytest.param("*.png", [], lambda: write("a.jpg"), ["no file matches *.png"], id="no match"),
        pytest.param(
            "*.png",
            ["a.png", "b.png"],
            nothing,
            ["not written by this task: *.png (2 found, none is new)"],
            id="glob from before",
        ),
        pytest.param("*.png", ["a.png"], lambda: write("b.png"), [], id="glob, one is new"),
        pytest.param("o/**/*.png", [], lambda: write("o/1/2/a.png"), [], id="recursive"),
        pytest.param("o/**/*.png", [], lambda: write("o/a.png"), [], id="recursive, no depth"),
        pytest.param("o/**", ["o/1/a.png"], lambda: write("o/1/b.png"), [], id="all below"),
        pytest.param(
            "o/**",
            ["o/1/a.png"],
            nothing,
            ["not written by this task: o/** (3 found, none is new)"],
            id="all below, from before",
        ),
        pytest.param("o", [], lambda: write("o/1/a.png"), [], id="folder"),
        pytest.param("o", [], lambda: write("o/.hidden"), [], id="folder with a hidden file"),
        pytest.param("o/", [], lambda: write("o/a.png"), [], id="folder with a slash"),
        pytest.param("o", ["o/a"], lambda: write("o/a", "other"), [], id="folder, one again"),
        pytest.param(
            "o",
            [],
            lambda: os.mkdir("o"),
            ["empty: o (no file is in the folder)"],
            id="bare folder",
        ),
        pytest.param(
            "o",
            [],
            lambda: write("o/a", ""),
            ["empty: o (so is every new file in the folder)"],
            id="folder with an empty file",
        ),
        pytest.param(
            "o",
            ["o/1/a"],
            lambda: os.mkdir("o/2"),
            ["not written by this task: o (no file in the folder is new)"],
            id="folder from before",
        ),
        pytest.param("o/*", ["o/1/a"], lambda: write("o/1/b"), [], id="folder that a glob matches"),
        pytest.param("s[1].png", [], lambda: write("s[1].png"), [], id="brackets, as they are"),
        pytest.param("s[1].png", [], lambda: write("s1.png"), [], id="brackets, as a glob"),
        pytest.param(
            "s[1].png",
            ["s[1].png", "s1.png"],
            lambda: write("s1.png", "other"),
            ["not written by this task: s[1].png"],
            id="brackets, what exists as it is goes first",
        ),
        pytest.param("[j]/*.png", ["[j]/x"], lambda: write("[j]/a.png"), [], id="folder as it is"),
        pytest.param("[j]/*.png", [], lambda: write("[j]/a.png"), [], id="new folder as it is"),
        pytest.param("*/", ["o/a"], lambda: write("o/b"), [], id="glob for folders"),
        pytest.param(
            "*/", [], lambda: write("a"), ["no file matches */"], id="glob for folders, a file"
        ),
        pytest.param("x '$é.png", [], lambda: write("x '$é.png"), [], id="a name for a shell"),
    ],
)
def test_table(
    path: str, before: list[str], task: Callable[[], object], expected: list[str]
) -> None:
    """Each way in which a task can write, or not write, its output is told as what it is."""
    assert problems([path], before, task) == expected


def test_glob_with_an_empty_file_among_the_new() -> None:
    """Of what matches a glob, an empty file that is new is named; an old one is no matter."""

    def task() -> None:
        write("a.png")
        write("b.png", "")

    write("old.png", "")
    assert problems(["*.png"], [], task) == [f"empty: {os.path.join(os.getcwd(), 'b.png')}"]


def test_empty_folder_that_a_glob_matches() -> None:
    """The one folder that matches a glob is judged as if it had been named."""
    place = os.path.join(os.getcwd(), "o", "1")
    assert problems(["o/*"], [], lambda: os.makedirs("o/1")) == [
        f"empty: {place} (no file is in the folder)"
    ]


def test_several_paths() -> None:
    """Each path has a line of its own, in the order given; one given twice has one."""
    check = OutputCheck(["b.png", "a.png", "b.png", "c.png"])
    assert check.paths == ["b.png", "a.png", "c.png"]
    write("a.png")
    assert check.verify() == ["missing: b.png", "missing: c.png"]


def test_nothing_to_check() -> None:
    """No outputs, no problems."""
    assert OutputCheck([]).verify() == []


def test_one_path_alone() -> None:
    """A text, or a path object, stands for itself and not for its letters."""
    assert OutputCheck("a.png").verify() == ["missing: a.png"]
    assert OutputCheck([Path("a.png")]).verify() == ["missing: a.png"]  # type: ignore[list-item]


def test_relative_to_where_it_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """An application's or adaptor's chdir does not move the paths."""
    os.mkdir("elsewhere")
    check = OutputCheck(["a.png", "*.exr"])
    write("a.png")
    write("a.exr")
    monkeypatch.chdir("elsewhere")
    assert check.verify() == []


def test_current_folder_in_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder's name is never a glob."""
    os.mkdir("[a]")
    monkeypatch.chdir("[a]")
    check = OutputCheck(["*.png", "b.png"])
    write("a.png")
    assert check.verify() == ["missing: b.png"]
    write("b.png")
    assert check.verify() == []


def test_another_file_with_the_same_size_and_time() -> None:
    """Same size and same time of modification do not make a new file the old one."""
    write("a.png", "old!")
    old = os.stat("a.png")
    check = OutputCheck(["a.png"])
    os.rename("a.png", "b.png")
    write("a.png", "new!")
    os.utime("a.png", ns=(old.st_atime_ns, old.st_mtime_ns))
    assert check.verify() == []


def test_written_again_with_the_same_size_and_time() -> None:
    """The same for a file that is written in place, if the system's clock went on meanwhile."""
    write("a.png", "old!")
    old = os.stat("a.png")
    check = OutputCheck(["a.png"])
    write("a.png", "new!")
    os.utime("a.png", ns=(old.st_atime_ns, old.st_mtime_ns))
    went_on = os.stat("a.png").st_ctime_ns != old.st_ctime_ns
    assert check.verify() == ([] if went_on else ["not written by this task: a.png"])


def test_folder_that_is_missing_is_named() -> None:
    """Where a glob begins in a folder that is not there, the folder is named."""
    place = os.path.join(os.getcwd(), "o/p")
    assert problems(["o/p/*.png"], [], nothing) == [
        f"no file matches o/p/*.png: there is no folder {place}"
    ]


@posix
def test_links() -> None:
    """A link counts as what it names, now and before; a dangling one says where it leads."""
    write("old.png")
    os.symlink("old.png", "latest.png")
    os.symlink("gone.png", "dangling.png")
    os.symlink("self.png", "self.png")
    write("there/a")
    os.symlink("there", "folder")
    paths = ["latest.png", "dangling.png", "self.png", "folder"]
    check = OutputCheck(paths)
    assert check.verify() == [
        "not written by this task: latest.png",
        "missing: dangling.png (a link to gone.png, which is not there)",
        "cannot be looked at: self.png: Too many levels of symbolic links",
        "not written by this task: folder (no file in the folder is new)",
    ]
    write("new.png")
    os.remove("latest.png")
    os.symlink("new.png", "latest.png")
    write("gone.png")
    write("there/b")
    assert check.verify() == [
        "cannot be looked at: self.png: Too many levels of symbolic links"
    ]  # fmt: skip


@posix
def test_links_to_folders_below() -> None:
    """A link that leads back up is no endless tree, and is not new because it was not gone into."""
    write("o/1/a")
    os.symlink("..", "o/1/up")
    os.symlink("1", "o/link")
    assert problems(["o", "o/*", "o/link"], [], nothing) == [
        "not written by this task: o (no file in the folder is new)",
        "not written by this task: o/* (2 found, none is new)",
        "not written by this task: o/link (no file in the folder is new)",
    ]


@posix
def test_neither_file_nor_folder() -> None:
    """A device or a pipe is no output, and is not read."""
    os.mkfifo("pipe")
    assert OutputCheck(["pipe", "/dev/null"]).verify() == [
        "neither a file nor a folder: pipe",
        "neither a file nor a folder: /dev/null",
    ]


@contextmanager
def without_rights(folder: str) -> Iterator[None]:
    """This process may not look into the folder, even if it is root's."""
    os.chmod(folder, 0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        if user == 0:
            os.seteuid(0)
        os.chmod(folder, 0o700)


@posix
def test_unreadable_folder() -> None:
    """A folder that must not be looked into is named as such, not as a missing file."""
    write("o/a.png")
    place = os.path.join(os.getcwd(), "o")
    check = OutputCheck([f"{place}/a.png", f"{place}/*.png", place])
    with without_rights("o"):
        said = check.verify()
    assert [one.partition(": ")[0] for one in said] == [
        "cannot be looked at",
        f"no file matches {place}/*.png",
        "cannot be looked at",
    ]
    assert all(one.endswith("Permission denied") for one in said)


@posix
def test_name_that_is_too_long() -> None:
    """What the system refuses is told with its reason."""
    name = "x" * 1000
    assert OutputCheck([name]).verify() == [f"cannot be looked at: {name}: File name too long"]


@posix
def test_line_breaks_in_a_name() -> None:
    """A problem is one line, whatever the file is called."""
    assert OutputCheck(["a\nopenjd_env: B=1"]).verify() == [r"missing: 'a\nopenjd_env: B=1'"]
    assert problems(["*"], [], lambda: write("a\nb", ""))[0].endswith(r"a\nb'")


@pytest.mark.parametrize(
    ("paths", "error", "words"),
    [
        ([b"a.png"], TypeError, "the path of an output must be text, not b'a.png'"),
        (b"a.png", TypeError, "the path of an output must be text, not b'a.png'"),
        ([None], TypeError, "the path of an output must be text, not None"),
        ([""], ValueError, "the path of an output is empty"),
        (["a\0b"], ValueError, r"a character that no path can have: 'a\x00b'"),
    ],
)
def test_bad_paths(paths: list[str], error: type[Exception], words: str) -> None:
    """What can be no path is refused before the task, with one line that shows it."""
    with pytest.raises(error) as caught:
        OutputCheck(paths)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
