"""A page for each example: its README, then its files."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Page -> the folder of the example.
EXAMPLES = {
    "examples/blender.md": "examples/blender",
    "examples/ffmpeg.md": "examples/ffmpeg",
    "examples/turntable.md": "src/openjd/adaptor_runtime/examples/turntable",
}
_LANGUAGES = {".py": "python", ".json": "json", ".toml": "toml", ".yaml": "yaml"}


def _files(folder: str) -> list[Path]:
    """The files of an example, those first in which it is told what it does."""
    found = [path for path in (ROOT / folder).rglob("*") if path.suffix in _LANGUAGES]
    order = ["adaptor.py", "adaptor.toml", "client.py", "template.yaml"]
    return sorted(
        found,
        key=lambda path: (order.index(path.name) if path.name in order else len(order), str(path)),
    )


def _anchor(name: str) -> str:
    return "".join(one for one in name.lower() if one.isalnum() or one in "-_")


def moved() -> dict[str, str]:
    """Paths in the repository -> the place on the site."""
    found = {}
    for page, folder in EXAMPLES.items():
        found[folder] = found[f"{folder}/README.md"] = page
        for path in _files(folder):
            name = path.relative_to(ROOT / folder).as_posix()
            found[f"{folder}/{name}"] = f"{page}#{_anchor(name)}"
    return found


def pages() -> dict[str, str]:
    """The pages, in Markdown."""
    from .links import relinked  # which asks this module where the examples are

    found = {}
    for page, folder in EXAMPLES.items():
        readme = ROOT / folder / "README.md"
        if readme.exists():
            text = relinked(readme.read_text(encoding="utf-8"), f"{folder}/README.md")
        else:
            text = _TURNTABLE
        parts = [text.rstrip(), "", "## Its files", ""]
        for path in _files(folder):
            name = path.relative_to(ROOT / folder).as_posix()
            source = path.read_text(encoding="utf-8").rstrip()
            if source:
                parts += [f"### `{name}`", "", f"```{_LANGUAGES[path.suffix]}", source, "```", ""]
        found[page] = "\n".join(parts)
    return found


_TURNTABLE = """# Mitsuba, as in the demo

What `openjd-adaptor demo` runs: a turntable, rendered by [Mitsuba 3](https://mitsuba-renderer.org)
through a real session. The tutorial builds an adaptor like it, step by step:
[Write an adaptor](../write-an-adaptor.md). It is part of the installed library, in
`openjd/adaptor_runtime/examples/turntable`.
"""
