"""Data in fields: ``--init-field`` and ``--run-field``."""

from __future__ import annotations

import json
from typing import Any

import pytest
from apps.drive import Host, Session
from hypothesis import given
from hypothesis import strategies as st

from cli.test_frontend_imports import frontend_modules
from openjd.adaptor_runtime._data import DataError
from openjd.adaptor_runtime._fields import read_fields, with_fields

NASTY = "it's \"quoted\" {{x}} \\ C:\\new\\table\r\n: - #!\t=:=[]=?= \u2028 \x85 é 🎬 'end "


@pytest.mark.parametrize(
    ("field", "data"),
    [
        ("a=", {"a": ""}),
        ("a=b=c", {"a": "b=c"}),
        ("a=:=1", {"a": ":=1"}),
        ("a?=", {}),
        ("a?=?", {"a": "?"}),
        ("a:=[1, {}]", {"a": [1, {}]}),
        ("a?:=", {}),
        ("a?:=null", {"a": None}),
        ("a:=+007", {"a": 7}),
        ("a:=.5", {"a": 0.5}),
        ("a:=-5.", {"a": -5}),
        ("a:=00", {"a": 0}),
        ("a:=1E-2", {"a": 0.01}),
        ("a[]=", {"a": []}),
        ("a?[]=", {}),
        ("a[]=x\r\ny\n\nz", {"a": ["x", "y", "", "z"]}),
        ("größe=3", {"größe": "3"}),
        (f"a={NASTY}", {"a": NASTY}),
    ],
)
def test_what_a_field_becomes(field: str, data: dict[str, Any]) -> None:
    """The mark before the sign says it; nothing in the value does."""
    assert read_fields([field], "--init-field") == data


@given(st.text(), st.text(st.characters(exclude_characters="=?:[]"), min_size=1))
def test_any_text_is_itself(text: str, name: str) -> None:
    """Whatever is in a text, it arrives unchanged, and touches no other field."""
    made = with_fields(("{}", "data"), [f"{name}={text}", "=".join(["last", ""])], "--run-field")
    assert json.loads(made[0]) == {**{name: text}, **{"last": ""}} or name == "last"


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
def test_any_number_is_itself(number: float) -> None:
    """JSON's numbers are read as JSON does."""
    assert read_fields([f"a:={number!r}"], "--run-field") == {"a": number}


@pytest.mark.parametrize(
    "text", ["", "x", "{", "NaN", "-Infinity", ".", "+", "e10", "1_000", "1 2"]
)
def test_no_json(text: str) -> None:
    """One line says which field, and what is wrong with it."""
    with pytest.raises(DataError, match=r"^--run-field 'a': .* is no JSON: ") as error:
        read_fields([f"a:={text}"], "--run-field")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("field", ["", "a", "=b", "?=b", ":=1", "\n"])
def test_no_field(field: str) -> None:
    """It says what is expected."""
    with pytest.raises(DataError, match=r"^--init-field .*: expected NAME=TEXT or NAME:=JSON"):
        read_fields([field], "--init-field")


def test_two_of_a_name() -> None:
    """Neither wins."""
    with pytest.raises(DataError, match="--init-field 'a': there are two of this name"):
        read_fields(["a=1", "a?="], "--init-field")


def test_fields_go_before_data() -> None:
    """They take the place of those in JSON or YAML; the others stay."""
    text, name = with_fields(("a: 1\nb: 2", "--run-data"), ["b=x"], "--run-field")
    assert (json.loads(text), name) == ({"a": 1, "b": "x"}, "--run-data")


def test_a_session_with_fields(host: Host) -> None:
    """They reach the adaptor through the daemon, of the start and of each task."""
    session = Session(host)
    fields = ("--init-field", f"text={NASTY}", "--init-field", "start=print(adaptor.init_data)")
    started = session.begin("start", *fields).end()
    assert started.status == 0, started.text
    do = "import json; print('DATA', json.dumps(run_data['text']), run_data['n'])"
    ran = session.begin(
        *("run", "--run-field", f"do={do}", "--run-field", f"text={NASTY}", "--run-field", "n:=4")
    ).end()
    assert ran.status == 0, ran.text
    assert f"DATA {json.dumps(NASTY)} 4" in ran.text
    assert session.stop().status == 0


@pytest.mark.parametrize("where", ["daemon", "foreground"])
def test_a_field_that_is_wrong(host: Host, where: str) -> None:
    """Nothing starts; one line says why."""
    arguments = ("daemon", "start") if where == "daemon" else ("run",)
    ended = host.run("-m", "obedient", *arguments, "--init-field", "n:=x")
    assert ended.status == 1
    assert "--init-field 'n': 'x' is no JSON: " in ended.text
    assert "Traceback" not in ended.text


def test_fields_in_the_foreground(host: Host) -> None:
    """``run`` takes them too, beside data, with options that are abbreviated as well."""
    do = "print('DATA', adaptor.init_data['a'], run_data['b'])"
    ended = host.run(
        *("-m", "obedient", "run", "--init-data", '{"a": "no"}', "--init-fi", "a=yes"),
        *("--run-field", f"do={do}", "--run-field=b=-1"),
    )
    assert ended.status == 0, ended.text
    assert "DATA yes -1" in ended.text


def test_a_frontend_with_fields_loads_little(host: Host) -> None:
    """Templates give each task its data in fields: that costs two modules, and nothing heavy."""
    session = Session(host)
    session.start()
    where = ("daemon", "run", "--connection-file", str(session.file))
    plain = frontend_modules(host, "obedient", *where, "--run-data", '{"a": 1}')
    fields = frontend_modules(host, "obedient", *where, "--run-field", "a:=1")
    package = "openjd.adaptor_runtime."
    assert fields - plain == {f"{package}_fields", f"{package}_data"}
    assert session.stop().status == 0
