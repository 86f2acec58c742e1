"""Bad input: one line that says what, where and what to do; another exit status than 0."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from apps.drive import APPS, VARIABLE, Ended, Host, Session, await_end

posix = pytest.mark.skipif(sys.platform == "win32", reason="names and owners of files on POSIX")

#: The two ways to begin: in the foreground, and in a daemon.
BEGINNINGS = [("run",), ("daemon", "start")]


def obedient(host: Host, *arguments: str, **variables: str) -> str:
    """Runs a command that must not do anything but complain, and returns what it says."""
    return host.run("-m", "obedient", *arguments, variables=variables).only_fails()


def both(
    host: Host, package: str, *arguments: str, variables: dict[str, str] | None = None
) -> list[Ended]:
    """Begins in the foreground and in a daemon."""
    commands = [("-m", package, *command, *arguments) for command in BEGINNINGS]
    return host.run_all(*commands, variables=variables)


# Data.


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("[1, 2]", ["--init-data must be a mapping", "a list"]),
        ('"text"', ["--init-data must be a mapping", "a string"]),
        ("", ["--init-data must be a mapping", "nothing"]),
        ('{"camera": ', ["--init-data", "line 2"]),
        ("a: b: c", ["--init-data", "line 1, column 5"]),
        ("a: !!python/object/apply:os.getcwd []", ["--init-data", "line 1", "python/object"]),
        ("a: 1\n---\nb: 2\n", ["--init-data", "line 2"]),
        ("[" * 100_000, ["--init-data is nested too deeply"]),
        ("- " * 50_000 + "a", ["--init-data is nested too deeply"]),
    ],
    ids=["list", "string", "empty", "json", "yaml", "tag", "documents", "deep", "deep-yaml"],
)
def test_init_data(host: Host, data: str, words: list[str]) -> None:
    """Data that is no mapping, or neither JSON nor YAML: which, and where in it."""
    for ended in both(host, "obedient", "--init-data", data):
        says = ended.only_fails()
        assert all(word in says for word in words), says
        assert len(says) < 500


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.json", None, ["cannot be read"]),
        ("latin.yaml", b"name: caf\xe9\n", ["UTF-8", "byte 9"]),
        ("broken.json", b'{\n  "camera": {"fov": 40,,}\n}', ["line 2"]),
        ("broken.yaml", b"camera:\n  fov: 40\n lens: wide\n", ["line 3"]),
        ("list.json", b"[]", ["must be a mapping", "a list"]),
        ("folder", "folder", ["cannot be read"]),
    ],
)
def test_init_data_files(
    host: Host, name: str, content: bytes | str | None, words: list[str]
) -> None:
    """Data from a file: the file is named."""
    path = host.folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        path.mkdir()
    for ended in both(host, "obedient", "--init-data", f"file://{path}"):
        says = ended.only_fails()
        assert all(word in says for word in ["--init-data", str(path), *words]), says


def test_other_data_is_named(host: Host) -> None:
    """Run data and path mapping rules are told apart from init data."""
    assert "--run-data must be a mapping" in obedient(host, "run", "--run-data", "[]")
    says = obedient(host, "run", "--path-mapping-rules", "[]")
    assert "--path-mapping-rules must be a mapping" in says
    says = obedient(host, "daemon", "start", "--path-mapping-rules", "file:///no/such/rules.json")
    assert "--path-mapping-rules" in says
    assert "/no/such/rules.json" in says


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ("{path_mapping_rules: 5}", ["path_mapping_rules must be a list"]),
        ("{path_mapping_rules: [5]}", ["rule 1", "5"]),
        (
            '{"path_mapping_rules": [{"source_path_format": "AMIGA", '
            '"source_path": "a:", "destination_path": "b"}]}',
            ["rule 1", "AMIGA"],
        ),
    ],
)
def test_path_mapping_rules(host: Host, rules: str, words: list[str]) -> None:
    """A rule that makes no sense: which one, and why."""
    says = host.run("-m", "obedient", "run", "--path-mapping-rules", rules).fails()
    assert all(word in says for word in words), says


@posix
def test_arguments_that_are_no_text(host: Host) -> None:
    """Bytes in an argument that do not decode are refused in one line, too."""
    for option in ("--init-data", "--run-data"):
        assert option in obedient(host, "run", option, os.fsdecode(b"name: caf\xe9"))
    says = obedient(host, "daemon", "run", "--connection-file", os.fsdecode(b"caf\xe9.json"))
    assert "does not exist" in says
    ended = host.run(
        *("-m", "obedient", "daemon", "stop", "--connection-file", os.fsdecode(b"caf\xe9.json"))
    )
    assert (ended.status, ended.err) == (0, "")
    assert "does not exist" in ended.out


def test_data_that_fails_its_schema(host: Host) -> None:
    """The place in the data stands first, and the schema is not printed."""
    for ended in both(host, "fussy", "--init-data", "camera: {fov: 200}"):
        says = ended.fails()
        assert says.endswith("adaptor: /camera/fov: 200 is greater than the maximum of 180")
        assert "cleaned up" in ended.lines
        assert len(ended.lines) <= 5


def test_run_data_that_fails(host: Host) -> None:
    """A task with bad data fails, by the form or by the schema; the daemon takes the next."""
    session = Session(host, ("-m", "fussy"))
    assert session.begin("start", "--init-data", "camera: {fov: 40}").end().status == 0

    def run(data: str) -> str:
        return session.begin("run", "--run-data", data).end().fails()

    assert "--run-data must be a mapping" in run("[]")
    assert "--run-data is neither JSON nor YAML, line 1" in run("a: b: c")
    assert "--run-data is nested too deeply" in run("- " * 50_000 + "a")
    assert "/no/such/file" in run("file:///no/such/file")
    assert "/: 'scene' is a required property" in run("{}")
    assert "/scene: 5 is not of type 'string'" in run("scene: 5")
    ended = session.begin("run", "--run-data", "scene: a.usd").end()
    assert ended == (0, "rendered a.usd\n", "")
    assert session.stop().status == 0


# The command line.


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["COMMAND"]),
        (["render"], ["render", "there are run, daemon"]),
        (["daemon"], ["COMMAND"]),
        (["daemon", "pause"], ["pause", "there are start, run"]),
        (["daemon", "run", "--frame", "1"], ["--frame"]),
        (["daemon", "run", "--connection-file"], ["--connection-file"]),
        (["daemon", "stop", "--run-data", "{}"], ["--run-data"]),
        (["run", "frame"], ["frame"]),
        (["is-compatible"], ["--openjd-adaptor-cli-version"]),
        (["is-compatible", "--openjd-adaptor-cli-version", "0.1"], ["--integration-data"]),
    ],
    ids=" ".join,
)
def test_the_command_line(host: Host, arguments: list[str], words: list[str]) -> None:
    """An unknown command, a missing option: exit status 2, and where to look."""
    ended = host.run("-m", "obedient", *arguments)
    assert ended.status == 2
    says = ended.refused()
    assert says.startswith("Obedient")
    assert "--help" in says
    assert all(word in says for word in words), says


def test_a_version_that_is_none(host: Host) -> None:
    """is-compatible says which option it means."""
    arguments = ["--openjd-adaptor-cli-version", "x", "--integration-data-interface-version", "1.1"]
    says = host.run("-m", "obedient", "is-compatible", *arguments).refused()
    assert "--openjd-adaptor-cli-version" in says
    assert "'x'" in says


# Packages.


def test_a_package_without_main(host: Host) -> None:
    """Its daemon cannot be started; the line says what to add."""
    says = host.run(str(APPS / "start_no_main.py"), "daemon", "start").only_fails()
    assert "no_main has no __main__.py" in says
    assert "add one" in says


def test_an_adaptor_that_cannot_be_imported(host: Host) -> None:
    """Its own last words, what went wrong, and the place."""
    for ended in both(host, "broken"):
        assert "the renderer's library is not installed" in ended.fails()
        assert "these are its last words" in ended.lines
        place = str(APPS / "broken" / "adaptor.py")
        assert any(place in line and "line 4" in line for line in ended.lines), ended.out


@pytest.mark.parametrize("command", ["version-info", "show-config"])
def test_an_adaptor_that_cannot_be_imported_to_ask_it(host: Host, command: str) -> None:
    """The same outside of a session."""
    ended = host.run("-m", "broken", command)
    assert ended.status == 1
    assert "Traceback" not in ended.text
    (line,) = ended.err.splitlines()
    assert line.startswith("ERROR: ")
    assert "the renderer's library is not installed" in line


@pytest.mark.parametrize(
    ("how", "status", "words"),
    [
        ("exit", "3", "the licence has expired"),
        ("import", "1", "No module named 'no_such_module'"),
    ],
)
def test_a_daemon_that_dies_before_it_is_ready(
    host: Host, how: str, status: str, words: str
) -> None:
    """Its own last words are shown at once, and its exit status."""
    ended = host.run("-m", "dies_early", "daemon", "start", variables={"DIES_EARLY": how})
    assert ended.status == 1
    (line,) = (line for line in ended.lines if line.startswith("openjd_fail: "))
    assert f"exit status {status}" in line
    assert "before it was ready" in line
    assert any(words in line for line in ended.lines if line.startswith("ADAPTOR_OUTPUT: "))
    assert ended.err == ""


@posix
def test_a_daemon_that_crashes_before_it_is_ready(host: Host) -> None:
    """The same where there are no words."""
    ended = host.run("-m", "dies_early", "daemon", "start", variables={"DIES_EARLY": "abort"})
    assert "exit status -6" in ended.fails()


# Configuration.


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, ["cannot be read"]),
        ('{\n  "log_level": "INFO",\n}', ["line 3"]),
        ('{\n  "log_level": "LOUD"\n}', ["line 2", "/log_level", '"LOUD"', "DEBUG"]),
        ('{"deactivate_telemetry": 1}', ["line 1", "/deactivate_telemetry"]),
        ("[]", ["object"]),
    ],
    ids=["missing", "syntax", "level", "type", "list"],
)
def test_the_runtime_s_configuration(host: Host, content: str | None, words: list[str]) -> None:
    """File, line, and key; for each command that reads it."""
    path = host.folder / "runtime.json"
    if content is not None:
        path.write_text(content)
    variables = {"RUNTIME_CONFIG_PATH": str(path)}
    for ended in both(host, "obedient", variables=variables):
        says = ended.only_fails()
        assert all(word in says for word in [str(path), *words]), says
    shown = host.run("-m", "obedient", "show-config", variables=variables)
    assert str(path) in shown.refused()


def test_the_user_s_configuration(host: Host) -> None:
    """The files in the home folder are named, too."""
    path = Path(host.env["HOME"], ".openjd", "adaptors", "runtime", "configuration.json")
    path.parent.mkdir(parents=True)
    path.write_text("{")
    says = obedient(host, "daemon", "start")
    assert str(path) in says
    assert "line 1" in says


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{\n  "renderer": {\n    "threads": 0\n  }\n}', ["line 3", "/renderer/threads", "0"]),
        ('{\n  "renderer": {"thread": 1}\n}', ["line 2", "/renderer", "'thread'"]),
        ('{"log_level": true}', ["line 1", "/log_level"]),
        ("{", ["line 1"]),
    ],
)
def test_the_adaptor_s_configuration(host: Host, content: str, words: list[str]) -> None:
    """Checked with the adaptor's schema: file, line and key."""
    path = host.folder / "fussy.json"
    path.write_text(content)
    variables = {"FUSSY_CONFIG_PATH": str(path)}
    for ended in both(host, "fussy", variables=variables):
        says = ended.fails()
        assert all(word in says for word in [str(path), *words]), says
    assert str(path) in host.run("-m", "fussy", "show-config", variables=variables).refused()


def test_debug_shows_tracebacks(host: Host) -> None:
    """With log_level DEBUG whoever looks for the cause gets the traceback beside the line."""
    path = host.folder / "runtime.json"
    path.write_text('{"log_level": "DEBUG"}')
    variables = {"RUNTIME_CONFIG_PATH": str(path)}
    ended = host.run("-m", "obedient", "run", "--init-data", "[]", variables=variables)
    assert "Traceback" in ended.text
    assert "openjd_fail: --init-data must be a mapping" in ended.text
    data = json.dumps({"do": "raise ValueError('no such frame')"})
    ended = host.run("-m", "obedient", "run", "--run-data", data, variables=variables)
    assert "Traceback" in ended.text
    assert ended.text.count("openjd_fail: ") == 1


# Folders.


@pytest.mark.parametrize("kind", ["file", "missing"])
def test_a_temporary_folder_that_cannot_be_used(host: Host, kind: str) -> None:
    """The folder is named; and what to set."""
    folder = host.folder / "elsewhere"
    if kind == "file":
        folder.write_text("in the way")
        folder /= "below"
    variables = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    says = obedient(host, "daemon", "start", **variables)
    assert str(folder) in says
    assert "TMPDIR" in says


def test_a_home_folder_that_cannot_be_used(host: Host) -> None:
    """Not needed: a whole session works without it."""
    (host.folder / "file").write_text("in the way")
    home = str(host.folder / "file" / "home")
    session = Session(host, HOME=home, USERPROFILE=home)
    session.start()
    assert session.run("print(adaptor.config.log_level)") == (0, "INFO\n", "")
    assert session.stop().status == 0
    ended = host.run("-m", "obedient", "run", variables=session.variables)
    assert (ended.status, ended.err) == (0, "")


@posix
def test_a_long_temporary_folder(host: Host) -> None:
    """A path too long for a socket is no error of the user's."""
    folder = host.temporary / ("long" * 30)
    folder.mkdir()
    session = Session(host, TMPDIR=str(folder))
    session.start()
    assert session.run("print('fine')") == (0, "fine\n", "")
    assert session.stop().status == 0
    folder.rmdir()


# Connection files.

BAD_FILES = {
    "garbage": (b"\x00\xff garbage", "no connection file"),
    "empty": (b"", "no connection file"),
    "list": (b"[1, 2, 3]", "no connection file"),
    "fields": (b'{"socket": "/tmp/s"}', "no connection file"),
    "types": (b'{"socket": 5, "pid": "x", "folder": null}', "no connection file"),
    "pid": (b'{"socket": "s", "pid": -1, "folder": "f"}', "no connection file"),
    "deep": (b"[" * 60_000, "no connection file"),
    "long-socket": (
        b'{"socket": "/%s", "pid": 1, "started": "0", "folder": "f"}' % (b"s" * 300),
        "",
    ),
    "zero": (
        b'{"socket": "/a\\u0000b", "pid": 1, "started": "0", "folder": "f"}',
        "no connection file",
    ),
    "surrogate": (
        b'{"socket": "/\\ud800", "pid": 1, "started": "0", "folder": "f"}',
        # Windows has such names.
        "" if sys.platform == "win32" else "no connection file",
    ),
    "folder": (
        b'{"socket": "/s", "pid": 1, "started": "0", "folder": "/openjd-\\u0000"}',
        "no connection file",
    ),
    "big-pid": (
        b'{"socket": "/s", "pid": %d, "started": "0", "folder": "f"}' % (10**20),
        "no connection file",
    ),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_connection_file_that_is_none(host: Host, kind: str) -> None:
    """It is named; what it holds is neither believed nor lost where it is not ours."""
    path = host.folder / "session.json"
    content, words = BAD_FILES[kind]
    path.write_bytes(content)
    for step in ("run", "status", "stop"):
        ended = host.run("-m", "obedient", "daemon", step, "--connection-file", str(path))
        if words:
            says = ended.only_fails()
            assert words in says
            assert str(path) in says
            assert path.read_bytes() == content
        elif step == "stop":
            # It has the form: whoever wrote it, nobody listens there.
            assert (ended.status, ended.err, len(ended.lines)) == (0, "", 1)
        else:
            ended.only_fails()
            path.write_bytes(content)


@pytest.mark.parametrize("step", ["run", "status"])
def test_a_daemon_that_is_not_there(host: Host, step: str) -> None:
    """What names it is named (and a stop would find nothing to do)."""
    says = obedient(host, "daemon", step, "--connection-file", "no/such.json")
    assert "no/such.json does not exist" in says
    assert VARIABLE in obedient(host, "daemon", step)
    nobody = os.path.join(host.folder, "nobody")
    assert nobody in obedient(host, "daemon", step, **{VARIABLE: nobody})


def test_a_connection_file_that_is_a_folder(host: Host) -> None:
    """Refused in one line, at start as well."""
    folder = str(host.folder / "home")
    for step in ("start", "run", "stop"):
        assert folder in obedient(host, "daemon", step, "--connection-file", folder)


@posix
@pytest.mark.skipif(
    sys.platform != "win32" and os.geteuid() != 0, reason="only root can give files to others"
)
def test_a_connection_file_of_another_user(host: Host) -> None:
    """Not trusted, whatever it says; and not removed."""
    path = host.folder / "session.json"
    path.write_text('{"socket": "/tmp/s", "pid": 1, "folder": "/tmp/openjd-0"}')
    os.chown(path, 12345, 12345)
    for step in ("run", "stop", "status"):
        says = obedient(host, "daemon", step, "--connection-file", str(path))
        assert str(path) in says
        assert "another user" in says
    assert "exists already" in obedient(host, "daemon", "start", "--connection-file", str(path))
    assert path.exists()


def test_start_where_the_connection_file_exists(session: Session) -> None:
    """Something has the name: nothing is started, nothing is lost, and the line says what it is."""

    def start() -> str:
        ended = session.begin("start").end()
        assert "openjd_env" not in ended.out
        says = ended.only_fails()
        assert f"{session.file} exists already" in says
        return says

    session.file.write_text("my notes")
    start()
    assert session.file.read_text() == "my notes"
    session.file.unlink()

    session.start()
    written = session.file.read_bytes()
    assert "running" in start()
    assert session.file.read_bytes() == written
    assert session.run("print('unharmed')") == (0, "unharmed\n", "")

    daemon = session.daemon()
    daemon.kill()
    await_end(daemon)
    # Nobody is there any more to hurt: the next start takes the place.
    assert "INFO: Cleaned up after a daemon" in session.start().out
    assert session.stop().status == 0


def test_start_where_the_connection_file_cannot_be_written(host: Host) -> None:
    """Its folder does not exist: the line names the file, and no daemon is left."""
    path = str(host.folder / "no" / "such.json")
    says = obedient(host, "daemon", "start", "--connection-file", path)
    assert path in says
    assert "cannot be written" in says


def test_starts_at_the_same_time(session: Session) -> None:
    """Of several with one connection file, one gets it; the others say so and leave nothing."""
    commands = [session.begin("start") for _ in range(3)]
    ended = [command.end() for command in commands]
    assert sorted(e.status for e in ended) == [0, 1, 1]
    for e in ended:
        if e.status:
            assert "exists already" in e.only_fails()
    assert session.stop().status == 0


def test_output_that_nobody_reads(host: Host) -> None:
    """A closed stdout is no reason for a traceback."""
    reader, writer = os.pipe()
    os.close(reader)
    command = host.begin("-m", "obedient", "run", "--run-data", '{"do": "print(1)"}', stdout=writer)
    refused = host.begin("-m", "obedient", "run", "--run-data", "[]", stdout=writer)
    os.close(writer)
    assert "Traceback" not in command.end().err
    ended = refused.end()
    assert "Traceback" not in ended.err
    assert ended.status != 0


@posix
def test_closed_standard_streams(host: Host) -> None:
    """A scheduler that gives no stdin at all is served."""
    script = '"$1" -m obedient run --run-data "do: print(1)" <&-'
    command = ["sh", "-c", script, "sh", sys.executable]
    done = subprocess.run(command, env=host.env, cwd=host.folder, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"1\n", b"")
    script = '"$1" -m obedient daemon start --connection-file s.json <&- 2>&-'
    command = ["sh", "-c", script, "sh", sys.executable]
    done = subprocess.run(
        command, env=host.env, cwd=host.folder, stdout=subprocess.PIPE, check=False
    )
    assert done.returncode == 0, done
    ended = host.run("-m", "obedient", "daemon", "stop", "--connection-file", "s.json")
    assert ended.status == 0
