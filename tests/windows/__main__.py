"""``python -m tests.windows [--table FILE] [pytest arguments]``: the suite on a Windows Python.

All but the examples, where the arguments name no tests. ``--table`` writes the page about the
run: how many tests of each folder passed, and which were skipped, and why. ``--faults ARGUMENTS``
plays faults there instead (see ``tests.faults``), those that Windows has.

Under Wine, processes now and then hang at their start. So tests that failed there, if they are few,
are run once more, one after the other: the run has failed if one of them fails again, and the
others are named at its end and on the page. On Windows itself the first word is the last.

On Windows they run as they are. On Linux a script sets up a Windows Python under Wine first:
the one that WINPY_SETUP names, else ``../shared/windows/setup.sh`` beside the checkout. It puts
it into WINPY_DIR, else into a folder of its own in the temporary folder, which is used again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from . import page

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
# The examples need applications.
LEFT_OUT = ("examples",)
#: The exit status where there is no Windows Python to run anything on.
NO_WINDOWS = 77
# A process takes some ten times as long to start as on the machine below (seconds).
LIMIT_PER_TEST = "300"
# More failures than these are no accident.
MOST_RUN_AGAIN = 5
# What the script that sets up the Windows Python puts into it: what the tests ask for, and
# colorama, pywin32, which pip on Linux does not know that others need on Windows.
PACKAGES = (
    "colorama PyYAML jsonschema psutil pytest pytest-timeout pytest-xdist hypothesis distlib rich "
    "openjd-sessions Pillow pywin32"
)


def main(arguments: list[str]) -> int:
    """Runs pytest and returns its exit status; NO_WINDOWS where no Windows Python can be had."""
    table = None
    if "--table" in arguments:
        place = arguments.index("--table")
        if place + 1 == len(arguments):
            print("--table needs the name of a file", file=sys.stderr)
            return 2
        table = Path(arguments[place + 1]).absolute()
        arguments = arguments[:place] + arguments[place + 2 :]
    environment = dict(os.environ)
    if sys.platform == "win32":
        python = Path(sys.executable)
        environment["PYTHONPATH"] = str(ROOT / "src")
    else:
        folder = _windows_python()
        if folder is None:
            return NO_WINDOWS
        python = folder / "winpy"
        environment["PYTHONPATH"] = _seen_from_windows(ROOT / "src")
        # The caches beside the sources are for the Python of this machine.
        environment["PYTHONPYCACHEPREFIX"] = _seen_from_windows(folder / "pycache")
    if arguments[:1] == ["--faults"]:
        command = [str(python), "-m", "tests.faults", *arguments[1:]]
        return subprocess.call(command, cwd=ROOT, env=environment)
    if all(argument.startswith("-") for argument in arguments):
        arguments = [*suite(), *arguments]
    status, run = _pytest(python, arguments, environment)
    if run is None:
        return status
    failed = [test for test in run.tests if test.outcome == page.FAILED]
    again: list[page.Test] = []
    if status == 1 and sys.platform != "win32" and 0 < len(failed) <= MOST_RUN_AGAIN:
        again = failed
        print(f"{len(again)} failed under Wine, and are run once more, by themselves", flush=True)
        one_by_one = ["-n", "0", *map(page.node_id, again)]
        status, second = _pytest(python, one_by_one, environment)
        run = page.merge(run, second)
        for test in again:
            print(f"at the second time: {page.outcome(run, test)}: {page.node_id(test)}")
    if table is not None:
        table.write_text(page.write(run, _system(python), again), encoding="utf-8")
    print(page.totals(run), flush=True)
    return status


def _pytest(
    python: Path, arguments: list[str], environment: dict[str, str]
) -> tuple[int, page.Run | None]:
    """Runs pytest: its exit status, and what it has written down; None if it did not."""
    with tempfile.TemporaryDirectory() as temporary:
        report = Path(temporary, "report.xml")
        name = str(report) if sys.platform == "win32" else _seen_from_windows(report)
        command = [str(python), "-m", "pytest"]
        command += ["-o", "addopts=-ra --strict-markers -p no:cacheprovider -n 2"]
        command += ["-o", "junit_family=xunit1", "--junitxml", name, "--timeout", LIMIT_PER_TEST]
        status = subprocess.call([*command, *arguments], cwd=ROOT, env=environment)
        return status, page.read(report) if report.is_file() else None


def suite() -> list[str]:
    """The folders and files with all tests but those that are left out."""
    found = []
    for entry in sorted(TESTS.iterdir()):
        if entry.name not in LEFT_OUT and (
            entry.match("test_*.py") or any(entry.rglob("test_*.py"))
        ):
            found.append(f"tests/{entry.name}")
    return found


def _system(python: Path) -> str:
    """Where the tests were run, in words."""
    code = "import platform; print('Python', platform.python_version(), 'for', platform.platform())"
    words = subprocess.check_output([str(python), "-c", code], text=True).strip()
    if sys.platform == "win32":
        return words
    wine = subprocess.check_output(["wine", "--version"], text=True).split()[0]
    return f"{words}, which is {wine} on Linux"


def _seen_from_windows(path: Path) -> str:
    return "Z:" + str(path).replace("/", "\\")


def _windows_python() -> Path | None:
    """The folder of a Windows Python for this machine; None after saying why there is none."""
    setup = Path(os.environ.get("WINPY_SETUP") or ROOT.parent / "shared" / "windows" / "setup.sh")
    if not setup.is_file():
        print(
            f"no Windows Python here: there is no {setup} "
            "(WINPY_SETUP may name a script that puts one into the folder it is given)",
            file=sys.stderr,
        )
        return None
    folder = Path(os.environ.get("WINPY_DIR") or _cache_folder())
    print(f"Windows Python in {folder}, set up by {setup}", flush=True)
    try:
        subprocess.run(
            ["bash", setup, folder],
            check=True,
            stdin=subprocess.DEVNULL,
            env={"WINPY_PKGS": PACKAGES, **os.environ},
        )
    except (OSError, subprocess.CalledProcessError) as e:
        print(f"no Windows Python here: {e}", file=sys.stderr)
        return None
    return folder.resolve()


def _cache_folder() -> Path:
    folder = Path(tempfile.gettempdir()) / "openjd-adaptor-runtime-windows"
    if sys.platform != "win32":
        folder = folder.with_name(f"{folder.name}-{os.getuid()}")
        folder.mkdir(mode=0o700, exist_ok=True)
        # Its name is known to all: what another user put there must not be run.
        if folder.stat().st_uid != os.getuid():
            raise SystemExit(f"{folder} belongs to another user; WINPY_DIR may name another")
    return folder


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
