"""Where links lead: those of the pages as they stand in the repository, and those of the site."""

from __future__ import annotations

import html.parser
import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple
from urllib.parse import unquote, urlsplit

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"^ *```.*?^ *```$|`[^`\n]+`", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_URL_IN_CSS = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")


def anchors(text: str) -> set[str]:
    """The anchors that a code host makes of a page's headings."""
    without = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.DOTALL | re.MULTILINE)
    found: set[str] = set()
    for title in _HEADING.findall(without):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
        slug = re.sub(r"[^\w -]", "", plain.lower()).strip().replace(" ", "-")
        number = 0
        while (unique := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(unique)
    return found


def broken(page: Path, root: Path) -> Iterator[str]:
    """The relative links of a page in Markdown that lead nowhere, with the reason.

    Args:
        page: the page.
        root: the folder that links must not leave.
    """
    text = page.read_text(encoding="utf-8")
    for target in _LINK.findall(_CODE.sub("`code`", text)):
        parts = urlsplit(target)
        if parts.scheme:
            continue
        path = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        if not path.exists() or root not in path.parents:
            yield f"{target}: there is no such file"
            continue
        heading = parts.fragment if path.suffix == ".md" else ""
        if heading and heading not in anchors(path.read_text(encoding="utf-8")):
            yield f"{target}: there is no such heading"


class _Page(html.parser.HTMLParser):
    """What a page has, and what it refers to."""

    #: Element -> its attributes that a browser follows by itself.
    FETCHED: ClassVar[dict[str, tuple[str, ...]]] = {
        "script": ("src",),
        "img": ("src", "srcset"),
        "iframe": ("src",),
        "source": ("src", "srcset"),
        "video": ("src", "poster"),
        "audio": ("src",),
        "object": ("data",),
        "embed": ("src",),
        "use": ("href", "xlink:href"),
        "image": ("href", "xlink:href"),
    }

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.ids: list[str] = []
        self.links: list[str] = []
        self.fetched: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        for name in ("id", "name"):
            if name in given and (name == "id" or tag == "a"):
                self.ids.append(given[name])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "link":
            # A canonical address, and neighbours in the order of pages, are not fetched.
            rel = given.get("rel", "")
            (self.links if rel in {"prev", "next", "canonical"} else self.fetched).append(
                given.get("href", "")
            )
        self.fetched += [
            one.split()[0]
            for name in self.FETCHED.get(tag, ())
            if given.get(name)
            for one in (given[name].split(",") if name == "srcset" else [given[name]])
        ]
        self.fetched += _in_css(given.get("style", ""))
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.fetched += _in_css(data)


def _in_css(text: str) -> list[str]:
    return [one or other for one, other in _URL_IN_CSS.findall(text)]


class Site(NamedTuple):
    """What is to be known of a built site."""

    #: Pages, by the number.
    pages: int
    #: Links between them that were followed.
    links: int
    #: What is wrong, a line each.
    problems: list[str]
    #: Addresses elsewhere that a reader can click on.
    external: set[str]


def look(site: Path) -> Site:
    """Looks through a built site.

    A link must lead to a file of the site, and to a place that it has. Nothing may be fetched from
    another host: neither by a page nor by a style sheet.
    """
    pages = {}
    for path in sorted(site.rglob("*.html")):
        pages[path] = _Page()
        pages[path].feed(path.read_text(encoding="utf-8"))
    problems: list[str] = []
    external: set[str] = set()
    links = 0
    for path, page in pages.items():
        name = path.relative_to(site).as_posix()
        for target in dict.fromkeys(page.fetched):
            if _is_elsewhere(target):
                problems.append(f"{name} fetches {target}")
            elif not target.startswith(("data:", "#")) and not _file(site, path, target).exists():
                problems.append(f"{name}: there is no {target}")
        for target in dict.fromkeys(page.links):
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                external.add(target)
                continue
            links += 1
            file = _file(site, path, target)
            if not file.exists():
                problems.append(f"{name} links to {target}, which is not there")
                continue
            place = unquote(parts.fragment) if file in pages else ""
            if place and place not in pages[file].ids:
                problems.append(f"{name} links to {target}, and that page has no such place")
    for sheet in sorted(site.rglob("*.css")):
        for target in _in_css(sheet.read_text(encoding="utf-8")):
            if _is_elsewhere(target):
                problems.append(f"{sheet.relative_to(site).as_posix()} fetches {target}")
    return Site(len(pages), links, problems, external)


def _is_elsewhere(target: str) -> bool:
    parts = urlsplit(target)
    return bool(parts.netloc) or parts.scheme in {"http", "https", "ftp", "ws", "wss"}


def _file(site: Path, page: Path, target: str) -> Path:
    path = unquote(urlsplit(target).path)
    if not path:
        return page
    file = site / path.lstrip("/") if path.startswith("/") else page.parent / path
    file = file.resolve()
    return file / "index.html" if file.is_dir() else file
