"""Names that are nearly right: each error says what was probably meant."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import ValidationError

from openjd.adaptor_runtime import EntryPoint, EntryPointError
from openjd.adaptor_runtime._suggestions import closest, suggestion
from openjd.adaptor_runtime.adaptors import AdaptorDataValidator
from openjd.adaptor_runtime.adaptors.configuration import (
    AdaptorConfiguration,
    Configuration,
    RuntimeConfiguration,
)
from openjd.adaptor_runtime.adaptors.configuration.configuration import ConfigurationError
from openjd.adaptor_runtime.application.rules import Fail, RuleBook
from openjd.adaptor_runtime.application.settings import ApplicationConfiguration

SCHEMA = {
    "type": "object",
    "properties": {
        "frame": {"type": "integer"},
        "format": {"enum": ["png", "exr", 8, None]},
        "camera": {"properties": {"lens": {}, "fov": {}}, "additionalProperties": False},
    },
    "patternProperties": {"^x-": {}},
    "required": ["frame"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("fram", ["name", "frame"], "frame"),
        ("FRAME", ["name", "frame"], "frame"),
        ("init-data", ["init_data", "run_data"], "init_data"),
        ("stauts", ["start", "status", "stop"], "status"),
        ("xyzzy", ["frame"], None),
        ("", ["frame"], None),
        ("frame", [], None),
        ("f" * 1_000_000, ["f" * 1_000_001], None),
        ("frame", ["f" * 1_000_000], None),
    ],
    ids=range(9),
)
def test_closest(name: str, known: list[str], meant: str | None) -> None:
    """What looks alike is found, what does not is not; a huge name takes no time."""
    assert closest(name, known) == meant


def test_suggestions() -> None:
    """One name if one is near, else those that there are, however many."""
    assert suggestion("fram", ["frame", "x"]) == "; did you mean 'frame'?"
    assert suggestion("q", ["frame", "x"]) == "; there are frame, x"
    assert suggestion("q", []) == "; there are none"
    assert suggestion("q", map(str, range(3000))).endswith("18, 19 and 2980 more")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            {"frame": 1, "fromat": "png"},
            "^/: 'fromat' does not match any .*; did you mean 'format'",
        ),
        ({"frame": 1, "zzz": 1}, "'zzz' does not match any .*; there are format, camera$"),
        ({"frame": 1, "zz": 1, "cam": 1, "x-y": 1}, "did you mean 'camera' by 'cam'"),
        ({"frame": 1, "camera": {"fow": 1}}, "/camera: .*'fow'.*did you mean 'fov'"),
        ({"fram": 1}, "required property; is 'fram' meant to be it"),
        ({}, "'frame' is a required property$"),
        ({"frame": 1, "format": "pgn"}, "/format: 'pgn' is not one of .*; did you mean 'png'"),
        ({"frame": 1, "format": 9}, "9 is not one of .*]$"),
        ({"frame": "1"}, "'1' is not of type 'integer'$"),
    ],
)
def test_data(data: dict[str, Any], words: str) -> None:
    """Unexpected properties, missing ones, values of an enumeration."""
    with pytest.raises(ValidationError) as caught:
        AdaptorDataValidator(SCHEMA).validate(data)
    assert re.search(words, caught.value.message)


@pytest.mark.parametrize(
    ("kind", "config", "words"),
    [
        (RuntimeConfiguration, {"lease_secnds": 1}, "no setting 'lease_secnds'; .*'lease_seconds'"),
        (RuntimeConfiguration, {"log-level": "DEBUG"}, "no setting 'log-level'; .*'log_level'"),
        (RuntimeConfiguration, {"log_level": "debug"}, 'none of .*; did you mean "DEBUG"'),
        (AdaptorConfiguration, {"loglevel": "DEBUG"}, "no setting 'loglevel'; .*'log_level'"),
        (ApplicationConfiguration, {"limit": {}}, "no setting 'limit'; .*'limits'"),
        (ApplicationConfiguration, {"limits": {"starts": 1}}, "no such limit; .*'start'"),
        (ApplicationConfiguration, {"limits": {"zzz": 1}}, "no such limit; there are start, "),
    ],
)
def test_settings(
    tmp_path: Path, kind: type[Configuration], config: dict[str, Any], words: str
) -> None:
    """A setting that is nearly one that is known is a mistake, with its file and line."""
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config, indent=1))
    with pytest.raises(ConfigurationError, match=f"config.json, line [23].*{words}"):
        kind.from_file(str(file))


def test_settings_that_are_not_known(tmp_path: Path) -> None:
    """Others are an adaptor's own, or of a newer version; and what a schema names is right."""
    file, schema = tmp_path / "config.json", tmp_path / "schema.json"
    file.write_text('{"renderer": 1, "session_log": "x", "limit": 5}')
    RuntimeConfiguration.from_file(str(file))
    AdaptorConfiguration.from_file(str(file))
    schema.write_text('{"properties": {"limit": {}, "renderer": {}, "session_log": {}}}')
    ApplicationConfiguration.from_file(str(file), str(schema))
    schema.write_text('{"properties": {"render": {}}, "additionalProperties": false}')
    file.write_text('{\n"rendr": 1}')
    with pytest.raises(ConfigurationError, match=r"key /: .*'rendr' was.*did you mean 'render'"):
        AdaptorConfiguration.from_file(str(file), str(schema))


@pytest.mark.parametrize(
    ("severities", "words"),
    [
        ({"no-licence": "fail"}, "no such rule.*; did you mean 'no-license'"),
        ({"no-license": "wran"}, "can have .*; did you mean 'warn'"),
        ({"no-license": "loud"}, "can have ignore, status, warn, fail, stop$"),
    ],
)
def test_rules(severities: dict[str, str], words: str) -> None:
    """The ids and the severities of a site's configuration."""
    listener: Any = None
    with pytest.raises(ValueError, match=words):
        RuleBook([Fail("x", id="no-license")], listener, severities=severities)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pkg_meant.adaptor:Engravr", "has no attribute 'Engravr'; did you mean 'Engraver'"),
        ("pkg_meant.adaptor:Nothing", "has no attribute 'Nothing'$"),
        ("pkg_meant.adapter:Engraver", "'pkg_meant.adapter'; did you mean 'pkg_meant.adaptor'"),
        ("pkg_maent.adaptor:Engraver", "'pkg_maent'; did you mean 'pkg_meant'"),
        ("pkg_meant.needy:Engraver", "No module named 'pkg_meant.adaptr'$"),
        ("pkg_meant.adaptor.more:Engraver", "is not a package$"),
        ("pkg_meant.raises:Engraver", "AttributeError: 'int' object has no attribute 'x'$"),
    ],
)
def test_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str) -> None:
    """The class and the module that EntryPoint was given; not what the adaptor itself misses."""
    package = tmp_path / "pkg_meant"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "adaptor.py").write_text("class Engraver: pass\n")
    (package / "needy.py").write_text("import pkg_meant.adaptr\n")
    (package / "raises.py").write_text("(1).x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        with pytest.raises(EntryPointError, match=words):
            EntryPoint(name).load()
    finally:
        for module in [one for one in sys.modules if one.startswith("pkg_meant")]:
            del sys.modules[module]
