"""The inputs that are kept, and the program that looks for more."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bounded import LIMIT

from .findings import FINDINGS, Finding
from .targets import TARGETS

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
#: What a pattern may mean in a later Python is its author's matter.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")

# Of some targets, and what they do with b"bug" anywhere in the input.
PLANTED = """
from tests.fuzz.targets import Target

def run(data):
    if b"bug" in data:
        {bug}

TARGETS = {{"planted": Target(run, 16, ("bug",), 2), "sound": Target(lambda data: None, 8, (), 2)}}
"""


@pytest.mark.parametrize("name", TARGETS)
def test_kept_inputs(name: str) -> None:
    """What was found to reach all parts of a target breaks none of them."""
    files = sorted((CORPUS / name).iterdir())
    assert files
    for file in files:
        try:
            TARGETS[name].run(file.read_bytes())
        except BaseException as e:
            raise AssertionError(f"{file}: {file.read_bytes()!r}") from e


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda one: f"{one.target}: {one.what}")
def test_findings(finding: Finding) -> None:
    """What once broke something no longer does; see what it was in findings.py."""
    TARGETS[finding.target].run(finding.data)


def test_names() -> None:
    """Each target has inputs, and no input is of a target that is not there."""
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
    assert {one.target for one in FINDINGS} <= set(TARGETS)
    names = [(one.target, one.what) for one in FINDINGS]
    assert len(set(names)) == len(names)


def fuzz(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs ``python -m tests.fuzz`` with what is planted in `folder`, without atheris."""
    search = os.pathsep.join([str(folder), os.environ["PYTHONPATH"]])
    return subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--module", "planted", "--plain", *arguments],
        cwd=HERE.parents[1],
        env={**os.environ, "PYTHONPATH": search},
        capture_output=True,
        text=True,
        timeout=2 * LIMIT,
    )


@pytest.mark.parametrize(
    ("bug", "says"),
    [
        ("raise KeyError('planted')", "KeyError: 'planted'"),
        pytest.param("while True: pass", "Timeout (0:00:02)!", id="hangs"),
    ],
)
def test_a_finding_is_told(tmp_path: Path, bug: str, says: str) -> None:
    """What breaks or hangs is shown with its input, which can be tried again; the status is 1."""
    (tmp_path / "planted.py").write_text(PLANTED.format(bug=bug), encoding="utf-8")
    ended = fuzz("--seconds", "40", "--target", "planted", folder=tmp_path)
    assert ended.returncode == 1, ended
    assert says in ended.stdout, ended
    assert "1 targets, 1 with a finding" in ended.stdout
    again = next(line for line in ended.stdout.splitlines() if line.startswith("again: "))
    file = Path(again.rpartition(" ")[2])
    assert b"bug" in file.read_bytes()
    shown = next(line for line in ended.stdout.splitlines() if line.startswith("input: "))
    assert shown == f"input: {file.read_bytes()!r}"
    if "while" not in bug:
        replayed = fuzz("--target", "planted", "--replay", str(file), folder=tmp_path)
        assert replayed.returncode == 1
        assert says in replayed.stderr
    shutil.rmtree(file.parents[2])


def test_no_finding(tmp_path: Path) -> None:
    """Where all is well the status is 0, and nothing is left."""
    (tmp_path / "planted.py").write_text(PLANTED.format(bug="return"), encoding="utf-8")
    ended = fuzz("--seconds", "1", "--target", "sound", folder=tmp_path)
    assert ended.returncode == 0, ended
    assert "1 targets, 0 with a finding" in ended.stdout


def test_there_is_no_such_target(tmp_path: Path) -> None:
    """A target that is not there is named, with those that are."""
    (tmp_path / "planted.py").write_text(PLANTED.format(bug="return"), encoding="utf-8")
    ended = fuzz("--target", "wire", folder=tmp_path)
    assert ended.returncode == 2
    assert "there is no target 'wire'; there are planted, sound" in ended.stderr
