"""Descriptions of adaptors in TOML: what is taken, what is refused, and in which words."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from openjd.adaptor_runtime import EntryPoint, EntryPointError
from openjd.adaptor_runtime.adaptors import AdaptorRunner, SemanticVersion
from openjd.adaptor_runtime.application.placeholders import Field, Text
from openjd.adaptor_runtime.application.toml_adaptor import (
    Description,
    DescriptionError,
    adaptor_class,
    read,
)

if sys.version_info < (3, 11):
    pytest.importorskip("tomli", reason="no reader for TOML: pip install '.[toml]'")

HEAD = 'name = "Tool"\nversion = "1.0"\n'
FIELDS = """
[init_data]
program = { type = "string", default = "tool" }
[run_data]
frame = { type = "integer" }
scale = { type = "number", required = false }
title = { type = "string", required = false }
draft = { type = "boolean", default = false }
tags = { type = "array", items = { type = "string" }, default = [] }
camera = { type = "object", default = {} }
anything = { required = false }
"""
INIT = {"program": "tool"}


def described(folder: Path, text: str) -> Description:
    """The description that a file with that text holds."""
    path = folder / "adaptor.toml"
    path.write_text(text, encoding="utf-8")
    return read(str(path))


def refused(folder: Path, text: str) -> str:
    """Why such a file is refused: one line, that begins with the file."""
    with pytest.raises(DescriptionError) as caught:
        described(folder, text)
    says = str(caught.value)
    assert says.startswith(str(folder / "adaptor.toml")), says
    assert "\n" not in says
    return says


def arguments(folder: Path, command: str, **values: Any) -> list[str]:
    """The command line that a command makes of these values."""
    read = described(folder, f"{HEAD}command = {command}\n{FIELDS}")
    return read.command.expand({"draft": False, "tags": [], **INIT, **values})


@pytest.mark.parametrize(
    ("command", "values", "expected"),
    [
        ('["tool"]', {}, ["tool"]),
        ('["{program}", "-f", "{frame}"]', {"frame": 7}, ["tool", "-f", "7"]),
        ('["tool", "a{frame:04d}b{frame}.exr"]', {"frame": 7}, ["tool", "a0007b7.exr"]),
        ('["tool", "{frame:>3}|"]', {"frame": 7}, ["tool", "  7|"]),
        ('["tool", "{frame:04d}"]', {"frame": 7.0}, ["tool", "0007"]),
        ('["tool", "{{frame}}"]', {"frame": 7}, ["tool", "{frame}"]),
        ('["tool", "{{{frame}}}"]', {"frame": 7}, ["tool", "{7}"]),
        ('["tool", ["-s", "{scale}"]]', {}, ["tool"]),
        ('["tool", ["-s", "{scale}"]]', {"scale": None}, ["tool"]),
        ('["tool", ["-s", "{scale}"]]', {"scale": 0.5}, ["tool", "-s", "0.5"]),
        ('["tool", ["-s", "{scale:.3f}"]]', {"scale": 1}, ["tool", "-s", "1.000"]),
        ('["tool", ["-s", "{scale}"]]', {"scale": 1e22}, ["tool", "-s", "1e+22"]),
        ('["tool", ["-s", "{scale}"]]', {"scale": 10**22}, ["tool", "-s", "1" + "0" * 22]),
        ('["tool", ["a", ["b", "{scale}"], "c"]]', {}, ["tool", "a", "c"]),
        ('["tool", ["a", ["b"], "{scale}"]]', {}, ["tool"]),
        ('["tool", ["-t", "{title}"]]', {"title": ""}, ["tool", "-t", ""]),
        ('["tool", { if = "draft", args = ["-d", "1"] }]', {}, ["tool"]),
        ('["tool", { if = "draft", args = ["-d"] }]', {"draft": True}, ["tool", "-d"]),
        ('["tool", { if = "anything", args = ["-d"] }]', {"anything": 1}, ["tool"]),
        (
            '["tool", { if = "draft", args = ["-d", "{scale}", ["x"]] }]',
            {"draft": True},
            ["tool"],
        ),
        ('["tool", "{draft}"]', {"draft": True}, ["tool", "true"]),
        ('["tool", "d={draft}"]', {}, ["tool", "d=false"]),
        ('["tool", "{tags}", "z"]', {"tags": ["a b", "-c", 1, True]}, None),
        ('["tool", "{tags}"]', {}, ["tool"]),
        ('["tool", ["{anything}"]]', {"anything": ["x", "y"]}, ["tool", "x", "y"]),
        ('["tool", ["{anything}"]]', {"anything": "x"}, ["tool", "x"]),
    ],
)
def test_commands(
    tmp_path: Path, command: str, values: dict[str, Any], expected: list[str] | None
) -> None:
    """What becomes of placeholders, of lists within the list, and of conditions."""
    if expected is None:
        expected = ["tool", "a b", "-c", "1", "true", "z"]
    assert arguments(tmp_path, command, **{"frame": 1, **values}) == expected


@pytest.mark.parametrize(
    ("command", "values", "words"),
    [
        ('["tool", "{frame}"]', {"frame": None}, ["element 2", "frame", "no value"]),
        ('["tool", "x{frame}"]', {"frame": [1]}, ["element 2", "frame is a list"]),
        ('["tool", "{frame}"]', {"frame": [[1]]}, ["element 2", "frame is a list"]),
        ('["tool", "{frame:04d}"]', {"frame": "x"}, ["element 2", "'x'", "'04d'"]),
        ('["tool", "{frame:04d}"]', {"frame": True}, ["element 2", "true or false"]),
        ('["tool", "{frame}"]', {"frame": {}}, ["element 2", "frame is a table"]),
        ('["tool", "{frame}"]', {"frame": float("nan")}, ["element 2", "nan"]),
        ('["tool", ["{title}"]]', {"title": "a\0b"}, ["element 2", r"'a\x00b'"]),
        ('["tool", "{tags}"]', {"tags": ["\0"]}, ["element 2", r"'\x00'"]),
    ],
)
def test_values_that_no_argument_can_have(
    tmp_path: Path, command: str, values: dict[str, Any], words: list[str]
) -> None:
    """Where the schema lets something pass, a line says which element and which field."""
    with pytest.raises(ValueError, match=r"^command, ") as caught:
        arguments(tmp_path, command, **{"frame": 1, **values})
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("[]", ["command", "empty"]),
        ('"tool {frame}"', ["command", "a list is expected, not a text"]),
        ('["tool", 5]', ["command, element 2", "not a number", "write numbers as texts"]),
        ('["tool", true]', ["command, element 2", "true or false"]),
        ('["tool", "{fram}"]', ["command, element 2", "'fram'", "did you mean 'frame'?"]),
        ('["tool", "{xyz}"]', ["'xyz'", "there are", "program", "frame"]),
        ('["tool", "{}"]', ["element 2", "there is no field ''"]),
        ('["tool", "{ frame }"]', ["element 2", "' frame '"]),
        ('["tool", "{0}"]', ["element 2", "'0'"]),
        ('["tool", "{frame"]', ["element 2", "a brace stands alone"]),
        ('["tool", "frame}"]', ["element 2", "a brace stands alone"]),
        ('["tool", "{frame:{scale}}"]', ["element 2", "brace"]),
        ('["tool", "{frame.real}"]', ["{frame.real}", "no attributes"]),
        ('["tool", "{frame.__class__}"]', ["no attributes"]),
        ('["tool", "{tags[0]}"]', ["{tags[0]}", "no indexes"]),
        ('["tool", "{frame!r}"]', ["{frame!r}", "no conversions"]),
        ('["tool", "{frame:zz}"]', ["'zz'", "frame", "integer"]),
        ('["tool", "{program:04d}"]', ["'04d'", "program", "string"]),
        ('["tool", "{draft:d}"]', ["'d'", "draft", "boolean"]),
        ('["tool", "{camera}"]', ["camera", "object"]),
        ('["tool", "x{tags}"]', ["tags", "array", "can only stand alone"]),
        ('["tool", "{tags:s}"]', ["'s'", "tags"]),
        ('["tool", "{scale}"]', ["element 2", "scale", "may have no value", '["{scale}"]']),
        ('["tool", ["a", [5]]]', ["command, element 2, element 2, element 1", "text"]),
        ('["tool", { if = "draft" }]', ["element 2", "'args' is missing"]),
        ('["tool", { args = [] }]', ["element 2", "'if' is missing"]),
        ('["tool", { if = "drft", args = [] }]', ["element 2, if", "'drft'", "'draft'"]),
        ('["tool", { if = "frame", args = [] }]', ["frame", "integer", "never true"]),
        ('["tool", { if = true, args = [] }]', ["element 2, if", "name of a field"]),
        ('["tool", { if = "draft", args = "x" }]', ["element 2", "a list is expected"]),
        ('["tool", { if = "draft", then = [] }]', ["element 2", "'then'"]),
        ('["tool", "{number}"]', ["'number'"]),
    ],
)
def test_bad_commands(tmp_path: Path, command: str, words: list[str]) -> None:
    """A mistake in a command is told when the file is read: which element, and what to do."""
    says = refused(tmp_path, f"{HEAD}command = {command}\n{FIELDS}")
    assert all(word in says for word in words), says


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["'name' is missing"]),
        ('name = "T"\nversion = "1.0"', ["'command' is missing"]),
        ('name = "T"\nname = "T"\n', ["no TOML", "line 2"]),
        ('name = "T\n', ["no TOML", "line 1"]),
        ('name = "My Tool"\nversion = "1.0"\ncommand = ["x"]', ["name", "'My Tool'"]),
        ('name = "../x"\nversion = "1.0"\ncommand = ["x"]', ["name", "'../x'"]),
        ('name = "T"\nversion = 1.0\ncommand = ["x"]', ["version", "a text is expected"]),
        ('name = "T"\nversion = "one"\ncommand = ["x"]', ["'one'", "<major>.<minor>"]),
        ('exit_code = [0]\ncommand = ["x"]', ["'exit_code'", "did you mean 'exit_codes'?"]),
        ('zzz = 1\ncommand = ["x"]', ["'zzz'", "there are chunk, command"]),
    ],
)
def test_bad_heads(tmp_path: Path, text: str, words: list[str]) -> None:
    """The keys that each file needs, and no others; TOML's own mistakes with their line."""
    says = refused(tmp_path, text)
    assert all(word in says for word in words), says


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("exit_codes = []", ["exit_codes", "list of numbers"]),
        ("exit_codes = [0, true]", ["exit_codes", "list of numbers"]),
        ("exit_codes = 0", ["exit_codes", "a list is expected"]),
        ('continue_on_error = "yes"', ["continue_on_error", "true or false"]),
        ('outputs = ["{nothing}"]', ["outputs, element 1", "'nothing'"]),
        ('working_directory = "{nothing}"', ["working_directory", "'nothing'"]),
        ('environment = { A = "{nothing}" }', ["environment, A", "'nothing'"]),
        ("environment = { A = 1 }", ["environment, A", "a text is expected"]),
        ('environment = { "A=B" = "1" }', ["environment", "'A=B'"]),
        ('environment = { "" = "1" }', ["environment", "''"]),
        ("[init_data]\na = 5", ["init_data.a", "JSON Schema", "not a number"]),
        ('[init_data]\n"a b" = { type = "string" }', ["init_data.a b", "no name"]),
        ('[init_data]\n"1" = { type = "string" }', ["init_data.1", "no name"]),
        ('[run_data]\na = { type = "strin" }', ["run_data.a.type", "'strin'"]),
        ("[run_data]\na = { type = 5 }", ["run_data.a.type"]),
        ('[run_data]\na = { type = "integer", default = "x" }', ["run_data.a", "default", "'x'"]),
        ('[run_data]\na = { default = "x", required = true }', ["run_data.a", "remove one"]),
        ("[run_data]\na = { default = 2024-01-01 }", ["run_data.a.default", "date"]),
        ('[run_data]\na = { "$ref" = "http://x/y" }', ["run_data", "http://x/y"]),
        ("[limits]\nsilenc = 5", ["limits, silenc", "silence"]),
        ("[limits]\nsilence = -5", ["limits, silence", "-5"]),
        ("[limits]\nsilence = inf", ["limits, silence", "Infinity"]),
        ("[limits]\nsilence = nan", ["limits, silence"]),
        ("[limits]\nrun = true", ["limits, run"]),
        ("[[rules]]\npattern = 'x'", ["rules, entry 1", "'kind' is missing", "progress"]),
        ("[[rules]]\nkind = 'fial'\npattern = 'x'", ["rules, entry 1", "did you mean 'fail'?"]),
        ("[[rules]]\nkind = ['fail']\npattern = 'x'", ["rules, entry 1", "there is no kind"]),
        ("[[rules]]\nkind = 'fail'", ["rules, entry 1", "'pattern' is missing"]),
        ("[[rules]]\nkind = 'fail'\npattern = '('", ["fail-1", "cannot be compiled"]),
        ("[[rules]]\nkind = 'fail'\npattern = 5", ["rules, entry 1, pattern", "a text"]),
        ("[[rules]]\nkind = 'fail'\npattern = 'x'\nstop = 'yes'", ["entry 1, stop", "true or f"]),
        ("[[rules]]\nkind = 'fail'\npattern = 'x'\ntotal = 5", ["entry 1", "'total'"]),
        ("[[rules]]\nkind = 'fail'\npattern = 'x'\nduring = 'run'", ["entry 1", "'during'"]),
        ("[[rules]]\nkind = 'warn'\npattern = 'x'\ntext = '{1}'", ["warn-1", "{1}"]),
        ("[[rules]]\nkind = 'license'\npattern = 'x'", ["entry 1", "'remedy' is missing"]),
        ("[[rules]]\nkind = 'license'\npattern = 'x'\nremedy = ' '", ["entry 1", "remedy"]),
        ("[[rules]]\nkind = 'progress'\npattern = 'x'", ["progress-1", "groups"]),
        ("[[rules]]\nkind = 'progress'\npattern = '(x)'\ntotal = 0", ["entry 1", "above 0"]),
        ("[[rules]]\nkind = 'progress'\npattern = '(x)'\ntotal = true", ["entry 1, total"]),
        ("[[rules]]\nkind = 'progress'\npattern = '(x)'\ntotal = '5'", ["entry 1, total", "'5'"]),
        ("[[rules]]\nkind = 'progress'\npattern = '(x)'\ntotal = '{n}'", ["no field 'n'"]),
        (
            "[[rules]]\nkind = 'fail'\npattern = 'x'\nid = 'a'\n"
            "[[rules]]\nkind = 'warn'\npattern = 'y'\nid = 'a'",
            ["two rules", "'a'"],
        ),
        (
            "[[rules]]\nkind = 'progress'\npattern = '(x)'\ntotal = '{n}'\n"
            "[run_data]\nn = { type = 'string' }",
            ["entry 1, total", "n is no number"],
        ),
        ("[rules]\nkind = 'fail'", ["rules", "a list is expected, not a table"]),
        ("rules = [5]", ["rules, entry 1", "a table is expected"]),
        ("[chunk]\nfield = 'f'", ["chunk", "'by' is missing"]),
        ("[chunk]\nfield = 'f'\nby = 'number'", ["chunk, field", "'f'", "there are none"]),
        ("[chunk]\nfield = 'f'\nby = 'frame'\n[run_data]\nf = {}", ["chunk, by", "'frame'"]),
        ("[chunk]\nfield = ['f']\nby = 'number'", ["chunk, field", "a text is expected"]),
        ("[chunk]\nfield = 'f'\nby = 'number'\nstep = 2", ["chunk", "'step'"]),
        (
            "[chunk]\nfield = 'f'\nby = 'number'\n[run_data]\nf = { required = false }",
            ["chunk, field", "must be required"],
        ),
        (
            "[chunk]\nfield = 'f'\nby = 'number'\n[run_data]\nf = {}\nnumber = {}",
            ["chunk", "'number' already"],
        ),
    ],
)
def test_bad_parts(tmp_path: Path, text: str, words: list[str]) -> None:
    """Each part of a file is checked when it is read; the line names the place."""
    says = refused(tmp_path, f'{HEAD}command = ["tool"]\n{text}\n')
    assert all(word in says for word in words), says


@pytest.mark.parametrize("content", [b"name = 'caf\xe9'", b"a = " + b"[" * 100_000, None])
def test_files_that_are_none(tmp_path: Path, content: bytes | None) -> None:
    """No UTF-8, nested without end, not there: one line with the file's path."""
    path = tmp_path / "adaptor.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DescriptionError, match=r"^[^\n]*adaptor\.toml[^\n]*$"):
        read(str(path))


def test_a_byte_order_mark(tmp_path: Path) -> None:
    """Editors that begin a file with one do no harm."""
    path = tmp_path / "adaptor.toml"
    path.write_bytes(b"\xef\xbb\xbf" + f'{HEAD}command = ["tool"]'.replace("\n", "\r\n").encode())
    assert read(str(path)).name == "Tool"


def test_an_entry_point(tmp_path: Path) -> None:
    """from_toml reads nothing; load() makes the class, or says why it cannot."""
    path = tmp_path / "adaptor.toml"
    entry_point = EntryPoint.from_toml(path)
    with pytest.raises(EntryPointError, match=r"adaptor\.toml cannot be read"):
        entry_point.load()
    path.write_text(f'{HEAD}command = ["tool"]\nexit_codes = [0, 3]', encoding="utf-8")
    loaded = entry_point.load()
    assert loaded is entry_point.load()
    assert loaded.__name__ == entry_point.adaptor_name == "Tool"
    assert loaded({}).integration_data_interface_version == SemanticVersion(1, 0)
    assert entry_point.reentry_command("tool") == ["tool"]
    assert entry_point.reentry_command(None)[-1] == str(path)


def test_layers_of_configuration(tmp_path: Path, private_place: Path) -> None:
    """What the file sets gives way to <name>.json beside it, and that to the user's."""
    text = (
        'command = ["tool"]\ncontinue_on_error = true\n[limits]\nsilence = 5\nrun = 7\nstop = 9\n'
    )
    described(tmp_path, HEAD + text)
    (tmp_path / "Tool.json").write_text('{"limits": {"run": 8, "stop": 10}}')
    user = private_place / "home" / ".openjd" / "adaptors" / "Tool" / "Tool.json"
    user.parent.mkdir(parents=True)
    user.write_text('{"limits": {"stop": 11}, "log_level": "DEBUG"}')
    config = adaptor_class(str(tmp_path / "adaptor.toml"))({}).config
    assert config.limits == {"silence": 5, "run": 8, "stop": 11}
    assert config.continue_on_error
    assert config.log_level == "DEBUG"


def test_a_total_from_the_data(tmp_path: Path) -> None:
    """A rule whose total is left out says nothing, and keeps its id for the site."""
    description = described(
        tmp_path,
        f'{HEAD}command = ["tool"]\n[run_data]\nn = {{ type = "integer", required = false }}\n'
        "[[rules]]\nkind = 'progress'\npattern = '(x)'\ntotal = '{n}'\n",
    )
    assert [rule.id for rule in description.rules({"n": 5})] == ["progress-1"]
    assert vars(description.rules({"n": 5})[0])["total"] == 5
    (silent,) = description.rules({})
    assert (silent.id, silent.unless) == ("progress-1", "")
    with pytest.raises(ValueError, match=r"entry 1: .*above 0"):
        description.rules({"n": 0})


# Any text.

HOSTILE = ["$HOME", "`id`", "$(id)", "a b", "a\nb", "\r\n", "-rf", "--", '"', "'", "\\", "*", "~"]
HOSTILE += [
    "%PATH%",
    "{frame}",
    "{{",
    "}",
    "",
    " ",
    "\t",
    ";",
    "|",
    "&",
    ">x",
    "#",
    "\x7f",
    "é",
    "🙂",
]
texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
)

#: Writes its arguments down.
RECORDER = """
import json, sys
with open(sys.argv[1], "w", encoding="utf-8") as file:
    json.dump(sys.argv[2:], file)
"""


@given(st.lists(texts, max_size=20), texts)
@settings(max_examples=25)
@example(HOSTILE, "-e evil")
def test_arguments_arrive_as_they_are(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], word: str
) -> None:
    """No value is read by a shell, cut into pieces, or filled in again."""
    folder = tmp_path_factory.mktemp("recorded")
    command = [sys.executable, "-I", "-S", "-c", RECORDER, "{file}"]
    quoted = json.dumps([*command, "{words}", "x{word}"], ensure_ascii=False)
    (folder / "adaptor.toml").write_text(
        f"{HEAD}command = {quoted}\noutputs = ['{{file}}']\n"
        "[run_data]\nfile = { type = 'string' }\nword = { type = 'string' }\n"
        "words = { type = 'array' }\n",
        encoding="utf-8",
    )
    adaptor = adaptor_class(str(folder / "adaptor.toml"))({})
    runner = AdaptorRunner(adaptor=adaptor)
    try:
        runner._start()
        quote = "'" if sys.platform == "win32" else '"'
        file = folder / f"it's {quote}here{quote} $HOME"
        runner._run({"file": str(file), "word": word, "words": words})
    finally:
        runner._cleanup()
    assert json.loads(file.read_text(encoding="utf-8")) == [*words, f"x{word}"]


@given(st.text())
def test_literal_text(text: str) -> None:
    """With its braces doubled every text is itself."""
    doubled = text.replace("{", "{{").replace("}", "}}")
    if "\0" in text:
        with pytest.raises(ValueError, match="no argument can have"):
            Text(doubled, {}, "here").fill({})
    else:
        assert Text(doubled, {}, "here").fill({}) == text


@given(st.text("{}a:!.[]0 d"))
def test_any_template(text: str) -> None:
    """A text is valid, or is refused with a ValueError that names the place."""
    try:
        template = Text(text, {"a": Field()}, "here")
    except ValueError as e:
        assert str(e).startswith("here: ")  # noqa: PT017
    else:
        assert template.fill({}) is None or not template.names
