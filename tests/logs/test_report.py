# ruff: noqa: RUF001 -- signs as people write them
"""``openjd-adaptor report``: what is in the page; ``python -m tests.report_pages`` looks at it."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import stat
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_pages.hostile import LINES

from openjd.adaptor_runtime._log_reading import read
from openjd.adaptor_runtime._tools import report
from openjd.adaptor_runtime._tools.reporting import page, pictures
from openjd.adaptor_runtime._tools.reporting.figures import (
    duration,
    figures,
    size,
    time_ticks,
    value_ticks,
)
from openjd.adaptor_runtime._tools.reporting.pictures import Picture, Pictures

from .samples import BEGIN, ENGINE, Journal, png


class _Page(HTMLParser):
    """The elements of a page; fails where they are not nested as they must be."""

    _VOID = ("meta", "link", "img", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self._VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, (tag, self.getpos())

    def all(self, tag: str, kind: str = "") -> list[dict[str, str | None]]:
        """The attributes of the elements of that name, and of that class if one is given."""
        return [a for t, a in self.elements if t == tag and kind in (a.get("class") or "")]


def _page(path: Path, text: str) -> _Page:
    path.write_text(text, encoding="utf-8")
    return _Page(page([read(str(path))]))


def test_a_journal(private_place: Path) -> None:
    """There is a bar for each step and load, a curve for each task, memory, and what was saved."""
    journal = Journal().start()
    for number in range(1, 6):
        journal.task(number, 2 + number)
    found = _page(private_place / "log", journal.stop().text())
    bars = found.all("rect", "mark")
    for kind, least in (("start", 1), ("load", 1), ("task", 5), ("stop", 1), ("idle", 1)):
        assert sum(f"mark {kind}" in str(bar["class"]) for bar in bars) >= least, kind
    assert len(found.all("path", "curve")) == 5
    assert len(found.all("path", "area")) == 1
    assert len([row for row in found.all("tr") if "data-task" in row]) == 5
    # Four starts of 10 s and four stops of 2 s that were not needed.
    assert "<b>48.0 s</b> saved" in found.text
    assert "All went well: 5 tasks in 1 session." in found.text


def test_what_was_saved(private_place: Path) -> None:
    """It is the start and the stop of each session for each task but the first; no more."""
    one = Journal().start(10).task(1).task(2).task(3).stop(2).text()
    two = Journal().start(20).task(1).stop(5).text()
    (private_place / "log").write_text(one + two)
    saved = figures([read(str(private_place / "log"))]).saved
    assert saved is not None
    assert saved.number == 4
    assert saved.seconds == pytest.approx(2 * (10 + 2))
    assert saved.together == pytest.approx(10 + 3 * 4 + 2 + 20 + 4 + 5)


def test_a_failure(private_place: Path) -> None:
    """The cause stands first, with its lines and the remedy; the step is marked in each chart."""
    journal = Journal().start().task(1)
    journal.failing(2, "STDERR: no camera", message="Fake ended with exit code 3 while starting")
    found = _page(private_place / "log", journal.stop().text())
    text = found.text[found.text.index("<main>") :]
    assert text.index("Task 2 failed") < text.index("Timeline")
    assert "STDERR: no camera" in text
    assert "What to do:" in text
    assert len(found.all("rect", "mark failed")) == 2  # and one in the legend


def test_openjd_run(private_place: Path) -> None:
    """The log of an engine makes a page as well, without memory."""
    found = _page(private_place / "log", ENGINE)
    assert "Frame 2, Camera left" in found.text
    assert "Memory" not in re.sub(r"<style>.*?</style>", "", found.text, flags=re.DOTALL)


def test_no_times(private_place: Path) -> None:
    """A log without times has no timeline, and the page says so."""
    found = _page(
        private_place / "log", "INFO: Starting the adaptor's daemon\nopenjd_progress: 100\n"
    )
    assert "The log has no times" in found.text
    assert not found.all("svg", "timeline")


def test_nothing_leaves_the_page(private_place: Path) -> None:
    """No element asks for anything, and the policy forbids it; only the page's own script runs."""
    found = _page(private_place / "log", Journal().start().task(1).stop().text())
    for tag, attributes in found.elements:
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            value = attributes.get(name)
            assert value is None or value.startswith("data:"), (tag, value)
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
    (policy,) = [str(meta["content"]) for meta in found.all("meta") if meta.get("http-equiv")]
    (script,) = re.findall(r"<script>(.*?)</script>", found.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; script-src 'sha256-{digest}'" in policy
    style = "".join(re.findall(r"<style>(.*?)</style>", found.text, re.DOTALL))
    assert "@import" not in style
    assert not re.findall(r"url\((?!#)", style)


def test_a_hostile_log(private_place: Path) -> None:
    """Whatever text a log has, the elements of the page are its own."""
    import json

    text = "".join(json.dumps(line) + "\n" for line in LINES)
    found = _page(private_place / "log", text)
    assert len(found.all("script")) == 1
    assert {tag for tag, _ in found.elements}.isdisjoint({"iframe", "object", "embed", "base"})
    assert len(found.all("link")) == 1
    assert not found.all("img")
    assert not [a for _, a in found.elements for name in a if name.startswith("on")]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", found.text)


def test_many_tasks(private_place: Path) -> None:
    """The page of a long session is of bounded size; what has failed is in it."""
    journal = Journal().start()
    for number in range(1, 1200):
        journal.task(number)
    journal.failing(1200, message="no camera")
    found = _page(private_place / "log", journal.stop().text())
    assert len(found.text) < 1_500_000
    assert len(found.all("rect", "mark")) < 500
    assert len(found.all("path", "curve")) < 200
    assert any(row.get("class") == "is-failed" for row in found.all("tr"))


def test_several_logs(private_place: Path) -> None:
    """Each session of each log is a row."""
    logs = [
        read(Journal(f"Host{n}").start().task(1).stop().write(private_place / f"{n}.jsonl"))
        for n in range(3)
    ]
    found = _Page(page(logs))
    assert "Report on 3 sessions" in found.text
    assert len(found.all("text", "row-name wide")) == 3


# Pictures.


def _session_with(private_place: Path, *outputs: str) -> _Page:
    return _page(private_place / "log", Journal().start().task(1, outputs=outputs).stop().text())


def _written(path: Path, content: bytes, time: float = BEGIN + 12) -> str:
    path.write_bytes(content)
    os.utime(path, (time, time))
    return str(path)


def test_pictures_among_the_outputs(private_place: Path) -> None:
    """A picture that the session wrote is in the page; others are named, with the reason."""
    good = _written(private_place / "good.png", png())
    found = _session_with(
        private_place,
        good,
        _written(private_place / "a.exr", b"\x76\x2f\x31\x01" + bytes(100)),
        _written(private_place / "old.png", png(), BEGIN - 10_000),
        str(private_place / "missing.png"),
        str(private_place),
    )
    (image,) = found.all("img")
    assert base64.b64decode(str(image["src"]).partition(",")[2]).startswith(b"\x89PNG")
    assert (image["width"], image["height"], image["alt"]) == ("4", "3", "good.png")
    for words in (
        "a.exr: no picture that a browser shows",
        "old.png: not written in this session",
        "missing.png: No such file",
    ):
        assert words in found.text


def test_no_other_file_gets_into_the_page(private_place: Path) -> None:
    """Secrets, whatever their name, links to them, pipes and devices are not embedded."""
    secret = _written(private_place / "secret.png", b"-----BEGIN PRIVATE KEY-----\n" * 9)
    svg = _written(private_place / "x.png", b"<svg xmlns='http://www.w3.org/2000/svg'></svg>")
    outputs = [secret, svg, "/dev/zero", "/etc/passwd", "\0", "C:\\secret.png", "\\\\host\\a.png"]
    if sys.platform != "win32":
        os.symlink(secret, private_place / "link.png")
        os.mkfifo(private_place / "pipe.png")
        outputs += [str(private_place / "link.png"), str(private_place / "pipe.png")]
    found = _session_with(private_place, *outputs)
    assert not found.all("img")
    assert "PRIVATE" not in found.text
    assert "host\\a.png: on another host" in found.text


def test_no_file_is_looked_at_where_that_is_asked_for(private_place: Path) -> None:
    """``--no-pictures`` leaves outputs alone."""
    good = _written(private_place / "good.png", png())
    log = Journal().start().task(1, outputs=(good,)).stop().write(private_place / "log")
    target = private_place / "page.html"
    assert report.main([log, "-o", str(target), "--no-pictures"]) == 0
    assert "<img" not in target.read_text(encoding="utf-8")


def test_the_pictures_of_a_folder(private_place: Path) -> None:
    """``--outputs`` shows those of a folder, for logs that name none."""
    (private_place / "out").mkdir()
    _written(private_place / "out" / "1.png", png())
    _written(private_place / "out" / "notes.txt", b"secret")
    (private_place / "log").write_text(ENGINE)
    target = private_place / "page.html"
    arguments = [str(private_place / "log"), "-o", str(target)]
    assert report.main([*arguments, "--outputs", str(private_place / "out")]) == 0
    assert target.read_text(encoding="utf-8").count("<img") == 1


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (png(7, 5), (7, 5)),
        (b"GIF89a" + b"\x07\x00\x05\x00" + bytes(20), (7, 5)),
        (b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x05\x00\x07" + bytes(20), (7, 5)),
        (b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + b"\x06\0\0\x04\0\0" + bytes(20), (7, 5)),
        (b"RIFF\0\0\0\0WEBPVP8 " + bytes(10) + b"\x07\0\x05\0" + bytes(20), (7, 5)),
        (b"\x89PNG\r\n\x1a\n" + bytes(8) + b"\x00\x01\x00\x00\x00\x01\x00\x00" + bytes(9), None),
        (b"\xff\xd8\xff", None),
        (b"GIF89a", None),
    ],
    ids=["png", "gif", "jpeg", "webp", "webp-lossy", "bomb", "cut-jpeg", "cut-gif"],
)
def test_sizes_of_pictures(
    private_place: Path, content: bytes, size: tuple[int, int] | None
) -> None:
    """Width and height are read from the head; without them, or if huge, there is no picture."""
    taken: Picture = Pictures().take(_written(private_place / "x", content), None, None)
    assert bool(taken.data) == (size is not None), taken.why
    if size is not None:
        assert (taken.width, taken.height) == size


@pytest.mark.parametrize(
    "path",
    [
        *("\\\\host\\a.png", "//host/a.png", "/\\host\\a.png", "\\/host/a.png"),
        *("\\\\?\\UNC\\host\\a.png", "\\??\\UNC\\host\\a.png", "\\\\.\\UNC\\host\\a.png"),
    ],
)
def test_a_picture_on_another_host(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In no form that Windows knows: to ask for it would tell that host who reads the log."""
    opened: list[str] = []
    monkeypatch.setattr(pictures, "_content", lambda path, *times: opened.append(path))
    assert Pictures().take(path, None, None).why.startswith("on another host")
    assert opened == []


def test_a_large_picture(private_place: Path) -> None:
    """It is scaled down where Pillow is there; else its name and the reason are what there is."""
    pillow = pytest.importorskip("PIL.Image", reason="Pillow is not there (extra report)")
    pillow.effect_noise((1600, 900), 80).save(private_place / "noise.png")
    assert (private_place / "noise.png").stat().st_size > 400_000
    taken = Pictures().take(str(private_place / "noise.png"), None, None)
    assert taken.data.startswith("data:image/jpeg;")
    assert len(taken.data) < 200_000
    assert (taken.width, taken.height) == (1600, 900)


# The command.


def test_the_command(private_place: Path, capsys: pytest.CaptureFixture[str],
                     monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """The page is called like the log and lies in the working folder, unless told otherwise."""
    (private_place / "logs").mkdir()
    log = Journal().start().task(1).stop().write(private_place / "logs" / "a.jsonl")
    monkeypatch.chdir(private_place)
    assert report.main(["logs", "-o", "both.html"]) == 0
    assert "Report on 1 session" in (private_place / "both.html").read_text(encoding="utf-8")
    assert capsys.readouterr().out == "both.html\n"
    assert report.main([log]) == 0
    assert capsys.readouterr().out == "a.html\n"
    if sys.platform != "win32":
        assert stat.S_IMODE(os.stat("a.html").st_mode) == 0o600, "it says what the log does"
    assert (private_place / "a.html").read_bytes().startswith(b"<!doctype html>\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none"], "the log none cannot be read"),
        (["home"], "no journal (*.jsonl) is in the folder home"),
        (["log", "-o", "log"], "is one of the logs"),
        (["log", "-o", "none/x.html"], "cannot be written"),
        (["log", "--outputs", "none"], "the folder none cannot be read"),
    ],
)
def test_mistakes(private_place: Path, capsys: pytest.CaptureFixture[str],
                  monkeypatch: pytest.MonkeyPatch, arguments: list[str],
                  words: str) -> None:  # fmt: skip
    """Each is told of in one line on stderr; no log is overwritten."""
    monkeypatch.chdir(private_place)
    Journal().start().stop().write(private_place / "log")
    before = (private_place / "log").read_bytes()
    assert report.main(arguments) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("ERROR: ")
    assert words in err
    assert (private_place / "log").read_bytes() == before


# What numbers look like.


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0, "0 ms"), (0.9994, "999 ms"), (0.9996, "1.00 s"), (9.99, "9.99 s"),
     (9.996, "10.0 s"), (59.9, "59.9 s"), (59.96, "1 min 00 s"), (3599.6, "1 h 00 min"),
     (86399, "1 d 0 h"), (200_000, "2 d 7 h")],
)  # fmt: skip
def test_durations(seconds: float | None, text: str) -> None:
    """A duration has three digits at most that matter, and its unit."""
    assert duration(seconds) == text


def test_sizes() -> None:
    """Bytes come in the unit that suits them."""
    assert [size(n) for n in (0, 700, 5 << 10, 812 << 20, 5 << 29)] == [
        "0",
        "700 bytes",
        "5.0 KiB",
        "812 MiB",
        "2.5 GiB",
    ]


@pytest.mark.parametrize("total", [0, 0.004, 0.9, 3, 59, 61, 3600, 90_000, 5e6, 1e9])
def test_ticks(total: float) -> None:
    """Whatever an axis measures, it has one to seven ticks within it, and each says its unit."""
    ticks = time_ticks(total)
    assert 1 <= len(ticks) <= 7
    assert all(0 <= at <= total * 1.0001 for at, _ in ticks)
    assert all(re.fullmatch(r"[\d.]+ (s|min|h|d)", text) for _, text in ticks)
    assert 1 <= len(value_ticks(total)) <= 6
