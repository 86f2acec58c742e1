"""Scripts: what their files may hold, what they refuse, and that nothing is lost in between."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from openjd.adaptor_runtime.testing import Script, ScriptError

pytest.importorskip("hypothesis")
from hypothesis import given, settings
from hypothesis import strategies as st

from .scripts import scripts, values

has_toml = pytest.mark.skipif(
    sys.version_info < (3, 11) and importlib.util.find_spec("tomli") is None,
    reason="no reader for TOML: pip install '.[toml]'",
)


@has_toml
@settings(max_examples=60)
@given(scripts)
def test_nothing_is_lost_in_a_file(data: dict[str, Any]) -> None:
    """What can be said can be written and read again, as TOML and as JSON."""
    script = Script.from_dict(data)
    assert script.to_dict() == data
    for form in ("toml", "json"):
        assert Script.loads(script.dumps(form), form).to_dict() == data


_keys = st.sampled_from(
    ["format", "commands", "actions", "steps", "when", "name", "print", "exit", "wait", "times"]
)
_anything = st.recursive(
    st.none() | values | st.integers(-2, 2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys | st.text(), inner),
    max_leaves=12,
)


@settings(max_examples=100)
@given(st.dictionaries(_keys, _anything).map(lambda table: {"format": 1, **table}) | _anything)
def test_whatever_is_no_script_is_refused_in_one_line(data: Any) -> None:
    """Never anything but a script, or a ScriptError of one line."""
    try:
        script = Script.from_dict(data)
    except ScriptError as e:
        problem = str(e)
    else:
        assert Script.from_dict(script.to_dict()) == script
        return
    assert len(problem.splitlines()) == 1


def _command(*steps: Any, **head: Any) -> dict[str, Any]:
    return {"format": 1, "commands": [{**head, "steps": list(steps)}]}


def _action(*steps: Any, **head: Any) -> dict[str, Any]:
    return {"format": 1, "actions": [{"name": "do", **head, "steps": list(steps)}]}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "a script is a table, not a list"),
        ({}, "format: the key is missing; this is format 1"),
        ({"format": 2}, "format: 2 is not known; this is format 1"),
        ({"format": 1, "comands": []}, "no key 'comands'; did you mean 'commands'?"),
        ({"format": 1, "version": 4}, "version: a text is expected, not a number"),
        ({"format": 1, "modules": "x"}, "modules: a list of folders is expected"),
        ({"format": 1, "commands": {}}, "commands: a list is expected, not a table"),
        ({"format": 1, "commands": [1]}, "commands, entry 1: a table is expected, not a number"),
        (_command(whne=["x"]), "commands, entry 1: there is no key 'whne'; did you mean 'when'?"),
        (_command(when="x"), "commands, entry 1, when: a list of arguments"),
        (_command(times=0), "commands, entry 1, times: a number, 1 or more, is expected, not 0"),
        (_command(name="x"), "commands, entry 1: there is no key 'name'"),
        (_action(name=""), "actions, entry 1, name: the name of an action is expected"),
        (_action(when=["x"]), "actions, entry 1, when: a table"),
        (_command({"pirnt": "x"}), "step 1: there is no step 'pirnt'; did you mean 'print'?"),
        (_command({}), "step 1: it is empty"),
        (_command({"print": 1}), "step 1, print: a text, or a list of texts, is expected, not 1"),
        (_command({"print": "x", "exit": 1}), "it does two things, print and exit; make two"),
        (_command({"print": "x", "fil": True}), "step 1, print: there is no key 'fil'; did you"),
        (_command({"write": "x", "text": 1}), "step 1, text: a text is expected, not 1"),
        (_command({"wait": -1}), "step 1, wait: a number of seconds, 0 or more, is expected"),
        (_command({"wait": float("inf")}), "step 1, wait: a number of seconds, 0 or more"),
        (_command({"exit": True}), "step 1, exit: an exit code, 0 or more, is expected, not True"),
        (_command({"crash": "SIGFOO"}), "step 1, crash: one of SIGABRT, "),
        (_command({"hang": False}), "step 1, hang: true is expected, not False"),
        (_command({"print_hex": "xy"}), "step 1, print_hex: bytes in hexadecimal digits"),
        (_command({"exit": 0}, {"print": "x"}), "step 2: print stands behind exit, after which"),
        (_command({"returns": 1}), "step 1: returns is for an action"),
        (_action({"answer": True}), "step 1: answer is for a command"),
    ],
)
def test_a_wrong_script(data: Any, words: str) -> None:
    """It is refused with one line that says where, what, and what would do."""
    with pytest.raises(ScriptError) as caught:
        Script.from_dict(data)
    assert words in str(caught.value)


def test_a_wrong_step_in_python() -> None:
    """The method refuses it at once, with the same words."""
    part = Script().command()
    with pytest.raises(ScriptError, match="wait: a number of seconds"):
        part.waits(-1)
    with pytest.raises(ScriptError, match="returns is for an action"):
        part.returns(1)
    part.exits(3)
    with pytest.raises(ScriptError, match="print stands behind exit"):
        part.prints("x")
    with pytest.raises(ScriptError, match="times: a number, 1 or more"):
        Script().action("x", times=0)
    with pytest.raises(ScriptError, match="a value that JSON can express"):
        Script().action("x").returns({1, 2})


@pytest.mark.parametrize("name", ["script.toml", "script.json", "script.JSON"])
def test_files(tmp_path: Path, name: str) -> None:
    """The name's ending says how a file is written, and read; folders begin at the file's."""
    if name.endswith("toml") and sys.version_info < (3, 11):
        pytest.importorskip("tomli")
    script = Script(version="4.2", modules=["fake"])
    script.command("-b").prints("a", "é", every=0.5).crashes()
    script.action("render", {"frame": 3}, times=2).writes("{path}", "x").returns([1, "b"])
    script.dump(tmp_path / name)
    assert (name.endswith("toml")) == ("[[commands]]" in (tmp_path / name).read_text("utf-8"))
    read = Script.load(tmp_path / name)
    expected = script.to_dict()
    expected["modules"] = [str(tmp_path / "fake")]
    assert read.to_dict() == expected


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("gone.json", None, "gone.json cannot be read: No such file or directory"),
        ("x.json", b"{", "x.json: it is no JSON: "),
        ("x.json", b'"\xff"', "x.json is no text in UTF-8 (byte 1)"),
        ("x.json", b"[" * 200_000, "x.json: it is "),
        ("x.json", b'{"format": 1, "x": 1}', "x.json: there is no key 'x'"),
    ],
)
def test_a_file_that_is_no_script(
    tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    """One line names the file and what is wrong with it."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ScriptError) as caught:
        Script.load(tmp_path / name)
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@has_toml
def test_toml_that_cannot_be_read_or_written() -> None:
    """TOML knows no null; and what is no TOML is refused with its reader's words."""
    script = Script()
    script.action("x").returns({"a": None})
    with pytest.raises(ScriptError, match="cannot be written as TOML: there is a null in it"):
        script.dumps()
    assert json.loads(script.dumps("json"))["actions"][0]["steps"] == [{"returns": {"a": None}}]
    with pytest.raises(ScriptError, match="it is no TOML: "):
        Script.loads("format =")
