"""Links of the repository that lead out of docs/, and where they lead on the site."""

from __future__ import annotations

import posixpath
import re
from urllib.parse import urlsplit

from . import examples

#: Paths in the repository of what has a page of its own -> the page.
MOVED = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    **examples.moved(),
}
_LINK = re.compile(r"(?<!\!)\[([^\]]+)\]\(([^)\s]+)\)")


def relinked(markdown: str, path: str) -> str:
    """A text of the repository whose links lead to the site's pages.

    Args:
        markdown: the text.
        path: where it stands, from the repository's root.
    """
    page = MOVED.get(path, path[len("docs/") :] if path.startswith("docs/") else path)

    def relink(match: re.Match[str]) -> str:
        text, target = match.groups()
        parts = urlsplit(target)
        if parts.scheme or not parts.path:
            return match[0]
        inside = posixpath.normpath(posixpath.join(posixpath.dirname(path), parts.path))
        there = MOVED.get(inside)
        if there is None and inside.startswith("docs/"):
            there = inside[len("docs/") :]
        if there is None:
            return match[0]
        anchor = ""
        if "#" in there:
            there, _, anchor = there.partition("#")
        anchor = parts.fragment or anchor
        to = posixpath.relpath(there, posixpath.dirname(page) or ".")
        return f"[{text}]({to}{'#' + anchor if anchor else ''})"

    return _LINK.sub(relink, markdown)
