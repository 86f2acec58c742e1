"""Links lead somewhere, on a code host as on the site."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .links import anchors, broken, look
from .pages import PAGES, ROOT, read


@pytest.mark.parametrize("page", [*PAGES, "CHANGELOG.md"])
def test_every_link_leads_somewhere(page: str) -> None:
    """Files that a page links to exist, and have the headings that it names."""
    assert not list(broken(ROOT / page, ROOT))


def test_symptoms_keep_their_anchors() -> None:
    """What other programs and pages link to stays where it is."""
    kept = {
        "it-hangs-and-nobody-says-why",
        "the-session-is-gone-and-the-application-still-holds-a-licence",
        "the-task-failed-but-the-picture-is-fine",
        "the-task-succeeded-but-there-is-no-picture",
        "it-exited-early-and-nobody-knows-why",
        "the-log-stops-in-the-middle-and-so-does-everything-else",
        "i-cancelled-it-and-it-goes-on",
        "on-windows-the-application-cannot-connect",
        "the-applications-python-breaks-when-the-adaptor-starts-it",
        "it-says-that-a-file-is-not-found-and-the-file-is-there",
        "there-is-a-watermark-or-it-waits-for-a-licence",
        "it-was-given-up-while-it-was-only-busy",
        "an-apostrophe-in-a-path-breaks-the-job",
        "it-worked-until-the-adaptor-was-updated",
        "small-tasks-take-far-too-long",
        "progress-jumps-back-or-passes-100-percent",
        "the-log-is-late-or-full-of-noise",
        "writing-an-adaptor-is-too-much-work",
        "it-hangs",
        "the-daemon-does-not-start",
        "a-task-cannot-reach-the-daemon",
        "the-daemon-died",
        "a-task-fails",
        "cancel-and-stop",
        "processes-licences-or-files-are-left-over",
        "a-file-is-not-found-path-mapping",
        "init-data-run-data-configuration",
        "the-applications-python",
        "output-looks-wrong",
        "what-a-bug-report-needs",
    }
    assert kept <= anchors(read("docs/troubleshooting.md"))


def test_what_programs_say_of_pages() -> None:
    """Pages and headings that messages and docstrings of the code name are there."""
    wrong = []
    for path in sorted((ROOT / "src").rglob("*.py")):
        for page, heading in re.findall(
            r"(?<![\w/.])(?:docs/)?([a-z][\w.-]*\.md)(?:#([\w-]+))?",
            path.read_text(encoding="utf-8"),
        ):
            file = ROOT / "docs" / page
            if not file.exists() or (heading and heading not in anchors(read(f"docs/{page}"))):
                wrong.append(f"{path.relative_to(ROOT).as_posix()}: {page}#{heading}")
    assert wrong == []


def test_the_picture_of_the_rooms() -> None:
    """It has the rooms of the import contract."""
    contract = read("pyproject.toml").partition("layers = [")[2].partition("]")[0]
    rooms = re.findall(r"openjd\.(?:adaptor_runtime\.)?(\w+)", contract)
    shown = re.findall(r">(\w+)</text>", read("docs/images/rooms.svg"))
    assert rooms == [one for one in shown if one in rooms] and len(rooms) > 10


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("[a](other.md)", None),
        ("[a](other.md#the-other-one)", None),
        ("[a](#a-page)", None),
        ("[a](https://example.org/#x)", None),
        ("`[a](nothing.md)`", None),
        ("[a](nothing.md)", "nothing.md: there is no such file"),
        ("[a](other.md#nothing)", "other.md#nothing: there is no such heading"),
        ("[a](#nothing)", "#nothing: there is no such heading"),
        ("[a](../outside.md)", "../outside.md: there is no such file"),
    ],
)
def test_how_links_are_looked_at(link: str, problem: str | None, private_place: Path) -> None:
    """Files and headings are looked for; other hosts and code are not."""
    folder = private_place / "pages"
    folder.mkdir()
    (private_place / "outside.md").write_text("# Outside\n")
    (folder / "other.md").write_text("# Other\n\n## `The` *other* one!\n\n```\n# nothing\n```\n")
    (folder / "page.md").write_text(f"# A page\n\n{link}\n")
    assert list(broken(folder / "page.md", folder)) == ([problem] if problem else [])


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<a href="other.html#here">a</a>', None),
        ('<a href="https://example.org/">a</a>', None),
        ('<img src="data:image/png;base64,AA">', None),
        ('<a href="other.html#there">a</a>', "page.html links to other.html#there"),
        ('<a href="nothing.html">a</a>', "page.html links to nothing.html"),
        ('<script src="https://cdn.example.org/a.js"></script>', "page.html fetches https://cdn"),
        ('<link rel="stylesheet" href="//fonts.example.org/a">', "page.html fetches //fonts"),
        ('<style>@import "https://example.org/a.css";</style>', "page.html fetches https://"),
        ('<p style="background: url(https://example.org/a.png)">', "page.html fetches https://"),
        ('<img src="nothing.png">', "page.html: there is no nothing.png"),
    ],
)
def test_how_a_site_is_looked_at(body: str, problem: str | None, private_place: Path) -> None:
    """Links are followed; whatever a page would fetch from another host is found."""
    site = private_place / "site"
    site.mkdir()
    (site / "other.html").write_text('<h1 id="here">Other</h1>')
    (site / "page.html").write_text(body)
    problems = look(site).problems
    assert len(problems) == (problem is not None)
    assert not problem or problems[0].startswith(problem)
