"""Odd characters, and whatever encoding there is: no command fails for want of a character."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from apps.drive import Ended, Host, Session

ODD = "Größe → 東京"
#: Without UTF-8, as Python before 3.15 is on Windows, and on POSIX where it is told to.
PLACES: dict[str, dict[str, str]] = {
    "cp1252": {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"},
    "cp437": {"PYTHONIOENCODING": "cp437", "PYTHONUTF8": "0"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "utf-8-mode": {"LC_ALL": "C", "PYTHONUTF8": "1"},
}
#: Commands -> the exit status, and which stream the one line about a mistake is on.
ADAPTOR: dict[tuple[str, ...], tuple[int, str]] = {
    ("--help",): (0, ""),
    ("--version",): (0, ""),
    ("daemon", "start", "--help"): (0, ""),
    ("version-info",): (0, ""),
    ("show-config",): (0, ""),
    (ODD,): (2, "err"),
    ("run", f"--{ODD.replace(' ', '')}"): (2, "err"),
    ("run", "--run-data", f"file://{ODD}.yaml"): (1, "out"),
    ("run", "--run-data", f"fail: {ODD}"): (1, "out"),
    ("run",): (0, ""),
    ("daemon", "run", "--connection-file", f"{ODD}.json"): (1, "out"),
    ("is-compatible", *("--openjd-adaptor-cli-version", ODD), *(
        "--integration-data-interface-version", "0.1"
    )): (1, "err"),
    ("is-compatible", *("--openjd-adaptor-cli-version", "9.1"), *(
        "--integration-data-interface-version", "0.1"
    )): (1, "all"),
}  # fmt: skip
TOOL: dict[tuple[str, ...], tuple[int, str]] = {
    ("--help",): (0, ""),
    (ODD,): (2, "err"),
    ("demo", "--size", ODD): (2, "err"),
    ("completion", "bash", ODD): (1, "err"),
    ("run", f"{ODD}.toml"): (1, "out"),
    ("version-info", "odd.toml"): (0, ""),
    ("version-info", "wrong.toml"): (1, "err"),
    ("new", "--kind", "plain", "--application", "x", "--name", ODD): (1, "err"),
    ("check", ODD): (2, "err"),
    ("template", ODD): (1, "err"),
    ("report", ODD): (1, "err"),
    ("explain", ODD): (1, "err"),
    ("record", ODD): (1, "err"),
    ("completion", "--help"): (0, ""),
}


def judge(command: tuple[str, ...], ended: Ended, status: int, stream: str) -> None:
    """Fails unless the command ended as it must."""
    shown = (command, ended)
    assert ended.status == status, shown
    for word in ("Traceback", "UnicodeEncodeError", "codec can't"):
        assert word not in ended.text, shown
    lines = ended.err.splitlines()
    if stream == "err":
        assert len(lines) == 1 and lines[0].startswith("ERROR: "), shown
        assert ended.out == "", shown
    elif stream == "out":
        assert len([one for one in ended.lines if one.startswith("openjd_fail: ")]) == 1, shown
        assert lines == [], shown
    elif stream == "":
        assert lines == [], shown
        assert ended.out, shown


@pytest.mark.parametrize("place", PLACES)
def test_commands(host: Host, place: str) -> None:
    """Help, versions, mistakes and sessions, of adaptors and of the tool."""
    described = f'name = "Odd"\nversion = "1.0"\ncommand = ["{ODD}"]\n'
    (host.folder / "odd.toml").write_text(described, encoding="utf-8")
    (host.folder / "wrong.toml").write_text(described + f'"{ODD}" = 1\n', encoding="utf-8")
    for module, commands in (("odd", ADAPTOR), ("the_tool", TOOL)):
        if module == "the_tool" and sys.version_info < (3, 11):
            pytest.importorskip("tomli")
        begun = [
            (command, host.begin("-m", module, *command, variables=PLACES[place]))
            for command in commands
        ]
        for command, running in begun:
            judge(command, running.end(), *commands[command])


@pytest.mark.skipif(sys.platform == "win32", reason="names of files on POSIX")
def test_names_that_do_not_decode(host: Host) -> None:
    """In messages they are as they are on disk, whatever the locale; and bytes that are no text."""
    for name in (ODD, os.fsdecode(b"caf\xe9")):
        ended = host.begin("-m", "the_tool", "explain", name, variables=PLACES["C"]).end()
        written = os.fsencode(name).decode("utf-8", "backslashreplace")
        assert f"the log {written} cannot be read" in ended.refused()


@pytest.mark.parametrize("place", ["cp1252", "C"])
def test_a_daemon(host: Host, place: str) -> None:
    """What adaptors print is UTF-8, whatever the commands' code page is."""
    session = Session(host, ("-m", "odd"), **PLACES[place])
    assert session.begin("start").end().status == 0
    ended = session.begin("run", "--run-data", "{}").end()
    assert ended.lines == [
        "printed: Größe → 東京",
        "openjd_progress: 50",
        "openjd_status: status: Größe → 東京",
    ]
    says = session.begin("run", "--run-data", json.dumps({"fail": ODD})).end().fails()
    assert f"failed: {ODD}" in says
    assert session.begin("status").end().status == 0
    assert session.stop().status == 0


# Files.

#: How a file is written -> what is said of it, or "" where it is fine.
WRITTEN: dict[str, Any] = {
    "crlf": (lambda text: text.replace("\n", "\r\n").encode(), ""),
    "bom": (lambda text: text.encode("utf-8-sig"), ""),
    "bom-crlf": (lambda text: text.replace("\n", "\r\n").encode("utf-8-sig"), ""),
    "utf-16": (lambda text: text.encode("utf-16"), "is text in UTF-16"),
    "utf-16-be": (lambda text: b"\xfe\xff" + text.encode("utf-16-be"), "is text in UTF-16"),
    "utf-16-bare": (lambda text: text.encode("utf-16-le"), "is text in UTF-16"),
    "cp1252": (
        lambda text: text.replace("東京", "x").encode("cp1252"),
        "is no text in UTF-8 (byte ",
    ),
}
RULES = """{
  "path_mapping_rules": [
    {"source_path_format": "POSIX", "source_path": "/Größe 東京", "destination_path": "/b"}
  ]
}
"""
OBEDIENT_DATA = '{\n  "name": "Größe 東京"\n}\n'
DATA_YAML = "# Größe\nname: |\n  Größe\n  東京\n"
DESCRIPTION = """# Größe 東京
name = "Described"
version = "1.0"
command = ["x"]
"""
SCHEMA = '{\n  "title": "Größe 東京",\n  "type": "object"\n}\n'
CONFIG = '{\n  "log_level": "INFO",\n  "note": "Größe 東京"\n}\n'


@pytest.mark.parametrize("written", WRITTEN)
def test_files(host: Host, written: str) -> None:
    """Each kind of file that people write: what Windows makes of it is read, or named clearly."""
    encode, complaint = WRITTEN[written]
    files = {
        "rules.json": RULES,
        "data.json": OBEDIENT_DATA,
        "data.yaml": DATA_YAML,
        "adaptor.toml": DESCRIPTION,
        "config.json": CONFIG,
        "schema.json": SCHEMA,
    }
    for name, text in files.items():
        (host.folder / name).write_bytes(encode(text))
    (host.folder / "fine.json").write_text("{}")

    def path(name: str) -> str:
        return str(host.folder / name)

    run = ("-m", "odd", "run")
    commands: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
        "data.json": ((*run, "--run-data", f"file://{path('data.json')}"), {}),
        "data.yaml": ((*run, "--init-data", f"file://{path('data.yaml')}"), {}),
        "rules.json": ((*run, "--path-mapping-rules", f"file://{path('rules.json')}"), {}),
        "config.json": (("-m", "odd", "show-config"), {"RUNTIME_CONFIG_PATH": path("config.json")}),
        "schema.json": (
            ("-m", "fussy", "show-config"),
            {
                "ADAPTOR_CONFIG_SCHEMA_PATH": path("schema.json"),
                "FUSSY_CONFIG_PATH": path("fine.json"),
            },
        ),
        "adaptor.toml": (("-m", "the_tool", "version-info", path("adaptor.toml")), {}),
    }
    if sys.version_info < (3, 11):
        del commands["adaptor.toml"]
    begun = {
        name: host.begin(*command, variables=variables)
        for name, (command, variables) in commands.items()
    }
    for name, command in begun.items():
        ended = command.end()
        assert "Traceback" not in ended.text, (name, ended)
        if not complaint:
            assert (ended.status, ended.err) == (0, ""), (name, ended)
            continue
        assert ended.status == 1, (name, ended)
        (line,) = [one for one in ended.text.splitlines() if path(name) in one]
        assert complaint in line, (name, line)
        assert "save it as UTF-8" in line


@pytest.mark.parametrize("written", ["crlf", "bom", "utf-16", "cp1252"])
def test_other_files(host: Host, written: str) -> None:
    """Files that programs write: one line, or what would have been without them."""
    encode, _ = WRITTEN[written]
    content = '{\n  "socket": "Größe 東京"\n}\n'
    path = host.folder / "session.json"
    path.write_bytes(encode(content))
    says = host.run("-m", "odd", "daemon", "run", "--connection-file", str(path)).only_fails()
    assert f"{path} is no connection file" in says


def test_data_schemas(tmp_path: Path) -> None:
    """The schemas of an adaptor's data, the same way."""
    from openjd.adaptor_runtime.adaptors import AdaptorDataValidators

    for encode, complaint in WRITTEN.values():
        for name in ("init_data", "run_data"):
            (tmp_path / f"{name}.schema.json").write_bytes(encode(SCHEMA))
        if not complaint:
            AdaptorDataValidators.for_adaptor(str(tmp_path)).init_data.validate({"a": 1})
            continue
        with pytest.raises(ValueError, match=re.escape(f"init_data.schema.json {complaint}")):
            AdaptorDataValidators.for_adaptor(str(tmp_path))
