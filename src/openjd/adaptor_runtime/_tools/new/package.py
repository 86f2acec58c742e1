"""The files of a new package, and how they come onto the disk: all of them, or none."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

from .names import Names

_FILES = Path(__file__).parent / "files"

#: Kind -> what it is for, in words.
KINDS = {
    "application": "an application with Python inside, kept alive between tasks",
    "command": "a command that runs anew for each frame: one TOML file, no code",
    "plain": "a plain Adaptor of the 0.9 surface: all of it is your own code",
}

#: What YAML takes for something else than a text.
_YAML_WORDS = frozenset({"false", "n", "no", "null", "off", "on", "true", "y", "yes"})


def files(kind: str, names: Names) -> dict[str, str]:
    """The files of a package: path, with slashes -> text.

    The originals are packages for an Engraver, so that they can be linted and run as they are.
    """
    words = {
        "Engraver": names.application,
        "EngraverAdaptor": f"{names.stem}Adaptor",
        "EngraverClient": f"{names.stem}Client",
        "EngraverCommand": names.stem,
        "EngraverYaml": f"'{names.stem}'" if names.stem.lower() in _YAML_WORDS else names.stem,
        "engraver-adaptor": names.project,
        "engraver-stand-in": f"{names.stem.lower()}-stand-in",
        "engraver_adaptor": names.package,
    }
    longest_first = sorted(words, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)))

    def named(text: str) -> str:
        return pattern.sub(lambda word: words[word[0]], text)

    made = {}
    for part in (_FILES / "common", _FILES / kind):
        for path in sorted(part.rglob("*")):
            inside = path.relative_to(part)
            # What Python and the linters leave behind is none of it.
            if path.is_dir() or inside.parts[0].startswith(".") or "__pycache__" in inside.parts:
                continue
            where = named(inside.as_posix())
            # Under its own name, git would heed it here.
            where = ".gitignore" if where == "gitignore" else where
            made[where] = named(path.read_text(encoding="utf-8"))
    return dict(sorted(made.items()))


def write(made: dict[str, str], folder: Path) -> None:
    """Writes a package into a new folder.

    Args:
        made: path, with slashes -> text.
        folder: does not exist; the one that it is to be in does.

    Raises:
        FileExistsError: it exists.
        OSError: it cannot be written; nothing is left of it.
    """
    if os.path.lexists(folder):
        raise FileExistsError(f"{folder} exists already")
    # Beside it, for a rename between file systems would be a copy. One level more, since this one
    # is private, and the package is to have the mode that folders have here.
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        whole = scratch / folder.name
        for where, text in made.items():
            path = whole / where
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        whole.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
