"""What is fuzzed of the tools for people: logs of any origin, data in fields, fake applications."""

from __future__ import annotations

import contextlib
import html.parser
import io
import json
import os
import unicodedata
from collections import Counter
from pathlib import Path

from openjd.adaptor_runtime import _fields
from openjd.adaptor_runtime._data import DataError
from openjd.adaptor_runtime._tools import explain, report
from openjd.adaptor_runtime.testing import Script, ScriptError, recording

from .targets import check_message, file_with, target

#: Kinds of characters that a terminal obeys instead of showing them: control, lone surrogates,
#: separators of lines and paragraphs.
_COMMANDING = {"Cc", "Cs", "Zl", "Zp"}
#: Those that turn the direction of text, or cannot be seen.
_HIDING = set("\u00ad\u061c\u200b\u200e\u200f\u202a\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


class _Page(html.parser.HTMLParser):
    """Counts the elements of a page, and what asks for something else."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.asks: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        for name, value in attributes:
            if name.startswith("on") or (
                name in ("src", "href") and not (value or "").startswith(("#", "data:"))
            ):
                self.asks.append(f"{tag} {name}={value}")


def _said(main: object, arguments: list[str]) -> tuple[int, str, str]:
    """The exit status of a tool, and what it says."""
    out, errors = io.StringIO(), io.StringIO()
    assert callable(main)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        status = main(arguments)
    assert status in (0, 1), status
    complaint = errors.getvalue()
    if status:
        assert complaint.startswith("ERROR: "), complaint
        assert complaint.count("\n") == 1 and complaint[:-1].isprintable(), complaint
    return status, out.getvalue(), complaint


@target(
    4096, '{"t":1.5,"kind":"session","format":1,"adaptor":"A","mode":"daemon"}\n',
    '{"t":2,"kind":"step","step":"run","event":"begin","task":1}\n',
    '{"t":3,"kind":"step","step":"run","event":"end","task":1,"verdict":"failed","error":"e"}\n',
    '{"t":2,"kind":"line","text":"', '{"t":2,"kind":"progress","progress":', '"}\n', "}\n",
    '{"t":2,"kind":"memory","bytes":', '{"t":2,"kind":"output","path":"', "<script>", "</script>",
    '{"t":2,"kind":"application","event":"start","pid":7,"command":"', "<img src=x onerror=y>",
    "ADAPTOR_OUTPUT: ", "openjd_progress: ", "openjd_status: ", "openjd_fail: ", "ERROR: ",
    "INFO: Starting the adaptor's daemon\n", "STDOUT: ", "\x1b[2J", "\r\n", "\0", "\ufeff", "1e999",
    "NaN", "0:00:01.500\t", "2026-01-31T12:00:00Z ", "==============================\n",
    "--------- Session started: ", "&lt;", "\u2028", "\u202e",
)  # fmt: skip
def session_logs(data: bytes) -> None:
    """A log: explained in harmless characters, and made into a page that asks for nothing.

    A log cannot put an element of its own into the page, nor command a terminal.
    """
    with file_with(data, "session.log") as log:
        status, told, _ = _said(explain.main, [log])
        harmful = {c for c in told if unicodedata.category(c) in _COMMANDING} | _HIDING & set(told)
        harmful -= {"\n", "\t"}
        assert not harmful, f"{harmful}: {told!r}"
        assert len(told) < 100_000
        as_json = _said(explain.main, ["--json", log])
        assert as_json[0] == status
        if not status:
            json.loads(as_json[1])
        page = os.path.join(os.path.dirname(log), "page.html")
        made, *_ = _said(report.main, [log, "--no-pictures", "-o", page])
        assert made == status
        if not made:
            text = Path(page).read_text("utf-8")
            assert len(text) < 2_000_000, len(text)
            seen = _Page()
            seen.feed(text)
            assert seen.asks == []
            assert seen.elements["script"] <= 1, seen.elements
            assert not set(seen.elements) & {"img", "iframe", "object", "embed", "base", "form"}
        try:
            recorded = recording.record(log)
        except (recording.RecordError, ScriptError) as e:
            check_message(e)
        else:
            # What is recorded is a script, also once it has been through a file.
            again = Script.loads(recorded.dumps("json"), "json")
            assert again.to_dict() == recorded.to_dict()


@target(
    200, "a=", "a?=", "a:=", "a?:=", "a[]=", "\n", "\r\n", "007", "+5", ".5", "1e9", "{}", '"x"'
)
def fields(data: bytes) -> None:
    """Fields, with NUL between them: they make data, or one line says what is wrong."""
    given = data.decode("utf-8", "replace").split("\0")
    try:
        made = _fields.read_fields(given, "--init-field")
    except DataError as e:
        check_message(e, "--init-field")
        return
    assert json.loads(json.dumps(made)) == made
    for field in given:
        name, _, text = field.partition("=")
        if name and name[-1] not in ":]?":
            assert made[name] == text


@target(
    1000, "format = 1\n", "[[commands]]\n", "[[actions]]\n", 'name = "x"\n', "times = 1\n",
    "[[commands.steps]]\n", "steps = [{print = 'x'}]\n", "exit = 0\n", "delay = 0.5\n",
    '{"format": 1, "commands": [{"steps": [{"print": "x"}]}]}', "when = {a = 1}\n", "\0",
)  # fmt: skip
def scripts(data: bytes) -> None:
    """The script of a fake application: what is read is written and read again; or one line."""
    text = data.decode("utf-8", "replace")
    for form in ("toml", "json"):
        try:
            script = Script.loads(text, form)
        except ScriptError as e:
            check_message(e)
            continue
        assert Script.loads(script.dumps("json"), "json").to_dict() == script.to_dict()
        try:
            written = script.dumps("toml")
        except ScriptError as e:
            check_message(e)
        else:
            assert Script.loads(written, "toml").to_dict() == script.to_dict()
