"""``python -m tests.windows [pytest arguments]``: the tests that Windows has a say in, on it.

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

ROOT = Path(__file__).resolve().parents[2]
SUITES = ("wire", "daemon", "ipc", "process", "windows")
# A process takes some ten times as long to start as on the machine below (seconds).
LIMIT_PER_TEST = "300"


def main(arguments: list[str]) -> int:
    """Runs pytest and returns its exit status; 2 where no Windows Python can be had."""
    # One test after the other: what spreads them over processes is not installed there.
    options = ["-m", "pytest", "-o", "addopts=-ra --strict-markers -p no:cacheprovider"]
    options += ["--timeout", LIMIT_PER_TEST]
    if all(argument.startswith("-") for argument in arguments):
        options += [f"tests/{suite}" for suite in SUITES if _has_tests(ROOT / "tests" / suite)]
    environment = dict(os.environ)
    if sys.platform == "win32":
        python = Path(sys.executable)
        environment["PYTHONPATH"] = str(ROOT / "src")
    else:
        folder = _windows_python()
        if folder is None:
            return 2
        python = folder / "winpy"
        environment["PYTHONPATH"] = _seen_from_windows(ROOT / "src")
        # The caches beside the sources are for the Python of this machine.
        environment["PYTHONPYCACHEPREFIX"] = _seen_from_windows(folder / "pycache")
    return subprocess.call([str(python), *options, *arguments], cwd=ROOT, env=environment)


def _has_tests(folder: Path) -> bool:
    return any(folder.rglob("test_*.py"))


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
        subprocess.run(["bash", setup, folder], check=True, stdin=subprocess.DEVNULL)
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
