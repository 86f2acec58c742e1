"""Pages followed to the letter, by somebody who has installed nothing yet."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .guide import Reader, blocks, needs
from .pages import PAGES, ROOT, read

#: What a page needs -> what is installed for it, where the page does not do that itself.
_DISTRIBUTIONS = {
    "imageio_ffmpeg": "imageio-ffmpeg",
    "openjd.cli": "openjd-cli",
    "openjd.model": "openjd-model",
}
#: These come with Python, or with the library as it is installed here.
_THERE = {"tomllib"}
#: Pages that are read in a clone of the repository.
_IN_A_CLONE = {"README.md", "docs/index.md"}


def to_follow() -> list[str]:
    """The pages with something to do."""
    return [
        page
        for page in PAGES
        if any(block.kind in {"run", "fresh"} for block in blocks(read(page)))
    ]


def wheel(folder: Path) -> Path:
    """The library's wheel, built into a folder."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "-w",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(command, check=True, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    return next(folder.glob("*.whl"))


def follow(page: str, library: Path, cache: Path) -> str:
    """Follows a page in a new environment and a new folder, which are gone afterwards.

    Args:
        page: its path from the root.
        library: the wheel of this library.
        cache: where pip keeps what it has loaded.

    Returns:
        What came of it, in a line.

    Raises:
        AssertionError: something else happens than the page says.
    """
    for one in needs(read(page)):
        command = one.partition("command ")[2]
        if command and not shutil.which(command):
            return f"skipped: there is no {command}"
    began = time.monotonic()
    place = Path(tempfile.mkdtemp(prefix="d-", dir="/tmp"))
    try:
        for name in ("bin", "home", "tmp"):
            (place / name).mkdir()
        folder = place / "job"
        if page in _IN_A_CLONE:
            _clone(folder)
        elif page.startswith("examples/"):
            shutil.copytree(
                (ROOT / page).parent, folder, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            folder.mkdir()
        reader = Reader(folder, place / "bin", _environment(place, page, library, cache))
        preamble = _preamble(page)
        reader.follow(f"<!-- run -->\n```bash\n{preamble}\n```\n{read(page)}")
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return f"ok ({time.monotonic() - began:.0f} s)"


def _clone(folder: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def _environment(place: Path, page: str, library: Path, cache: Path) -> dict[str, str]:
    """The environment of a user who has a Python and nothing else."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "VIRTUAL_ENV", "OPENJD_", "RUNTIME_CONFIG", "COV"))
    }
    own = str(Path(sys.executable).parent)
    search = [one for one in os.environ["PATH"].split(os.pathsep) if one != own]
    constraints = place / "constraints.txt"
    constraints.write_text(f"openjd-adaptor-runtime == {library.name.split('-')[1]}\n")
    python = place / "bin" / "python3"
    base = getattr(sys, "_base_executable", sys.executable)
    python.write_text(f'#!/bin/sh\nexec "{base}" "$@"\n')
    python.chmod(0o755)
    return {
        **kept,
        "PATH": os.pathsep.join([str(place / "bin"), *search]),
        "HOME": str(place / "home"),
        "TMPDIR": str(place / "tmp"),
        "LC_ALL": "C",
        "PIP_CACHE_DIR": str(cache),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        # Whoever installs the library by its name gets this one.
        "PIP_FIND_LINKS": f"{library.parent} {os.environ.get('PIP_FIND_LINKS', '')}".strip(),
        "PIP_CONSTRAINT": str(constraints),
    }


def _preamble(page: str) -> str:
    """What a reader of the page has done before, if it does not begin with that itself."""
    text = read(page)
    if re.search(r"^python3 -m venv", text, re.MULTILINE):
        return ":"
    modules = [one for one in needs(text) if not one.startswith("command ") and one not in _THERE]
    wanted = [_DISTRIBUTIONS.get(one, one) for one in modules]
    if page not in _IN_A_CLONE:
        wanted.append("openjd-adaptor-runtime[toml]")
    return "\n".join(
        ["python3 -m venv .venv", ". .venv/bin/activate", f"pip install -q {' '.join(wanted)}"]
    )
