"""What MkDocs does with these pages beyond what it does with any.

- Pages are added that are made from the code, and those that lie outside of docs/.
- Links that lead out of docs/ on a code host lead to those pages here.
- The marks above code blocks, which the tests read, become the blocks' titles, or nothing.
- Pictures in SVG become part of the page, and so take its colours.
"""

from __future__ import annotations

import posixpath
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from mkdocs.structure.files import File, Files  # noqa: E402
from mkdocs.structure.nav import Navigation  # noqa: E402
from mkdocs.structure.pages import Page  # noqa: E402

from website import api, commands, examples, settings  # noqa: E402
from website.links import MOVED, relinked  # noqa: E402

_MARK = re.compile(r"^<!-- (?:[\w ]+)(?:: .*)? -->\n", re.MULTILINE)
_FILE = re.compile(r"^<!-- file: (.+) -->\n```(\w*)$", re.MULTILINE)
_OUTPUT = re.compile(r"^<!-- output -->\n```\w*$", re.MULTILINE)
_PICTURE = re.compile(r'<img alt="([^"]*)" src="([^":]+\.svg)"\s*/?>')


def on_config(config: Any) -> Any:
    """The packages' pages stand below that of the API."""
    for section in config.nav:
        for pages in section.values():
            for entry in pages if isinstance(pages, list) else ():
                if "reference/api/index.md" in entry.values():
                    entry["Python API"] = [
                        "reference/api/index.md",
                        *({api.title(package): api.path(package)} for package in api.packages()),
                    ]
    return config


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages that are made."""
    found = api.packages()
    made = {
        "reference/commands.md": commands.page(),
        "reference/settings.md": settings.page(),
        "reference/api/index.md": api.index(found),
        **{api.path(package): api.page(package, found) for package in found},
        **examples.pages(),
    }
    for name in ("CHANGELOG.md", "CONTRIBUTING.md"):
        made[MOVED[name]] = relinked((ROOT / name).read_text(encoding="utf-8"), name)
    for path, text in made.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: Any, files: Files) -> str:
    """Links out of docs/, and marks."""
    source = page.file.src_uri
    if page.file.generated_by is None:
        markdown = relinked(markdown, f"docs/{source}")
    return _titled(markdown)


def _titled(markdown: str) -> str:
    """Titles in place of marks."""
    markdown = _FILE.sub(r'```\2 title="\1"', markdown)
    markdown = _OUTPUT.sub(r"```{ .text .output }", markdown)
    return _MARK.sub("", markdown)


def on_page_content(html: str, page: Page, config: Any, files: Files) -> str:
    """Pictures in SVG become part of the page."""

    def inline(match: re.Match[str]) -> str:
        alt, source = match.groups()
        folder = posixpath.dirname(page.file.dest_uri)
        path = posixpath.normpath(posixpath.join(folder, source))
        file = Path(config.docs_dir) / path
        text = file.read_text(encoding="utf-8")
        if "--md-" not in text:
            return match[0]  # it does not ask for the page's colours
        text = re.sub(r"<\?xml.*?\?>|<!--.*?-->", "", text, flags=re.DOTALL).strip()
        label = f'<svg role="img" aria-label="{alt}"'
        return f'<span class="picture">{text.replace("<svg", label, 1)}</span>'

    return _PICTURE.sub(inline, html)


def on_nav(nav: Navigation, config: Any, files: Files) -> Navigation:
    """The site has no page that nobody finds."""
    found = {page.file.src_uri for page in nav.pages}
    lost = [file.src_uri for file in files.documentation_pages() if file.src_uri not in found]
    if lost:
        raise ValueError(f"these pages are not in the navigation: {', '.join(lost)}")
    return nav
