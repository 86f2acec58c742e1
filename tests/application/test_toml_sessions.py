"""Adaptors in TOML, driven with real commands, as a scheduler does."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from apps.drive import APPS, Command, Ended, Host, await_end
from apps.gates import Gate
from cli.test_frontend_imports import MORE_ON_WINDOWS, frontend_modules

from openjd.adaptor_runtime.testing import AdaptorSession, Result, Script

if sys.version_info < (3, 11) and importlib.util.find_spec("tomli") is None:
    pytest.skip("no reader for TOML: pip install '.[toml]'", allow_module_level=True)

Sessions = Callable[..., AdaptorSession]

TOOL = "import sys; from openjd.adaptor_runtime._cli.tool import main; sys.exit(main())"
CHILDREN = str(APPS / "children.py")
#: Executes its first argument.
PLAY = ["-c", "import json, os, sys; exec(sys.argv.pop(1))"]
#: Prints its arguments.
SHOW = "print(json.dumps(sys.argv[1:]))"
#: Writes a file for each of its arguments.
WRITE = "for name in sys.argv[1:]: open(name, 'w').write('x')"


def describe(folder: Path, command: list[str], text: str = "", head: str = "") -> Path:
    """The file of an adaptor with that command; `text` is the rest of it."""
    path = folder / "adaptor.toml"
    whole = json.dumps(command, ensure_ascii=False)
    path.write_text(
        f'name = "Player"\nversion = "1.2"\ncommand = {whole}\n{head}\n{text}\n', encoding="utf-8"
    )
    return path


class Described:
    """An adaptor in a file, and the commands of ``openjd-adaptor`` for it.

    Args:
        host: where they run.
        command: the arguments of a Python.
        text: the rest of the file.
    """

    def __init__(self, host: Host, command: list[str], text: str = "", head: str = "") -> None:
        self.host = host
        self.path = describe(host.folder, [sys.executable, *command], text, head)

    def begin(self, *arguments: str, **options: Any) -> Command:
        """Starts ``openjd-adaptor ARGUMENTS``."""
        return self.host.begin("-c", TOOL, *arguments, **options)

    def run(self, run_data: Any = None, init_data: Any = None, *options: str) -> Ended:
        """Runs a session in the foreground."""
        return self.begin(
            *("run", str(self.path), "--run-data", json.dumps(run_data or {})),
            *("--init-data", json.dumps(init_data or {}), *options),
        ).end()

    def step(self, step: str, *options: str) -> Command:
        """Starts ``daemon STEP``."""
        file = str(self.host.folder / "session.json")
        return self.begin("daemon", step, str(self.path), "--connection-file", file, *options)


def shown(ended: Ended) -> list[Any]:
    """What the child printed, where that is a line of JSON; the session must go well."""
    assert ended.status == 0, ended.text
    lines = [line.partition("STDOUT: ")[2] for line in ended.lines if "STDOUT: " in line]
    return [json.loads(line) for line in lines if line[:1] in '[{"']


def fails(result: Result, words: str) -> Result:
    """It failed for that reason, and there is no noise about it."""
    return result.assert_failed(words).assert_no_line("Traceback")


def test_arguments(host: Host) -> None:
    """Data becomes arguments as it is; lists, conditions and defaults do what they say."""
    adaptor = Described(
        host,
        [*PLAY, SHOW, "{word}", "{words}"],
        """
        [init_data]
        word = { type = "string", default = "by default" }
        [run_data]
        words = { type = "array" }
        """,
    )
    words = ["a b", "$HOME", "", "-rf", "\n", "'\"", "{word}", 7]
    expected = ["by default", *words[:-1], "7"]
    assert shown(adaptor.run({"words": words})) == [expected]


def test_environment_and_working_directory(host: Host) -> None:
    """Both are filled from the data; what has no value stays as it is; PYTHONPATH stays out."""
    folder = host.folder / "work here"
    folder.mkdir()
    code = "print(json.dumps([os.getcwd(), *map(os.environ.get, sys.argv[1:])]))"
    adaptor = Described(
        host,
        [*PLAY, code, "MODE", "SCALE", "HOME", "PYTHONPATH"],
        """
        [run_data]
        folder = { type = "string" }
        mode = { type = "string" }
        scale = { type = "number", required = false }
        """,
        'working_directory = "{folder}"\n'
        'environment = { MODE = "<{mode}>", SCALE = "{scale}", HOME = "{scale}" }',
    )
    home = host.env["HOME"]
    ended = adaptor.run({"folder": str(folder), "mode": "fast"})
    assert shown(ended) == [[os.path.realpath(folder), "<fast>", None, home, None]]


def test_data_that_does_not_fit(host: Host) -> None:
    """A field that is missing, unknown, or of another type: which, and where."""
    adaptor = Described(host, [*PLAY, SHOW], "[run_data]\nframe = { type = 'integer' }")
    assert "run data, /: 'frame' is a required property" in adaptor.run().fails()
    says = adaptor.run({"frame": 1, "fram": 2}).fails()
    assert "'fram' was unexpected" in says
    assert "run data, /frame: 'x' is not of type 'integer'" in adaptor.run({"frame": "x"}).fails()
    says = adaptor.run({"frame": 1}, {"frame": 1}).fails()
    assert "init data, /: " in says


def test_a_daemon(host: Host) -> None:
    """One start, many tasks, one stop; none but the daemon reads the file."""
    adaptor = Described(host, [*PLAY, SHOW, "{frame}"], "[run_data]\nframe = { type = 'integer' }")
    started = adaptor.step("start").end()
    assert (started.status, started.err) == (0, "")
    adaptor.path.unlink()
    for frame in (1, 2):
        assert shown(adaptor.step("run", "--run-data", f"frame: {frame}").end()) == [[str(frame)]]
    assert "run data, /frame" in adaptor.step("run", "--run-data", "frame: x").end().fails()
    status = adaptor.step("status").end()
    assert json.loads(status.out)["tasks_done"] == 3
    assert adaptor.step("stop").end().status == 0
    assert "Nothing to stop" in adaptor.step("stop").end().out


def test_a_console_command(host: Host) -> None:
    """The same by ``EntryPoint.from_toml``; a frontend loads little, and nothing of TOML."""
    adaptor = Described(host, [*PLAY, SHOW])
    host.env["DESCRIBED"] = str(adaptor.path)
    file = str(host.folder / "session.json")
    where = ("--connection-file", file)
    assert host.run("-m", "described", "daemon", "start", *where).status == 0
    limit = (82 if sys.version_info[:2] == (3, 11) else 88) + MORE_ON_WINDOWS
    for step in ("run", "stop"):
        modules = frontend_modules(host, "described", "daemon", step, *where)
        # A stop looks at processes, and waits for their ends.
        limit += 3 if step == "stop" else 0
        heavy = {"yaml", "jsonschema", "tomllib", "tomli", "logging", "argparse", "pathlib"}
        assert not modules & heavy
        assert not any(name.startswith("openjd.adaptor_runtime.app") for name in modules)
        assert len(modules) <= limit, sorted(modules)


def test_about(host: Host) -> None:
    """version-info, is-compatible and show-config, by the names in the file."""
    adaptor = Described(host, ["-V"], "[limits]\nsilence = 5")
    path = str(adaptor.path)
    assert "Player Data Interface Version: '1.2'" in adaptor.begin("version-info", path).end().out
    assert "silence: 5" in adaptor.begin("show-config", path).end().out
    versions = ("--openjd-adaptor-cli-version", "0.1", "--integration-data-interface-version")
    assert adaptor.begin("is-compatible", path, *versions, "1.1").end().status == 0
    assert adaptor.begin("is-compatible", path, *versions, "1.3").end().status == 1


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("run",), "FILE"),
        (("daemon", "run"), "FILE"),
        (("daemon",), "COMMAND"),
        (("daemon", "pause", "FILE"), "pause"),
        (("run", "FILE", "--frame", "1"), "--frame"),
        (("show-config",), "FILE"),
    ],
)
def test_mistakes_in_the_command_line(host: Host, arguments: tuple[str, ...], word: str) -> None:
    """Exit status 2 and one line; the file may stand behind the options."""
    adaptor = Described(host, [*PLAY, SHOW])
    given = [str(adaptor.path) if a == "FILE" else a for a in arguments]
    ended = adaptor.begin(*given).end()
    assert ended.status == 2
    assert word in ended.refused()


def test_the_file_may_stand_last(host: Host) -> None:
    """As --help shows it."""
    adaptor = Described(host, [*PLAY, SHOW, "x"])
    ended = adaptor.begin("run", "--run-data", "{}", str(adaptor.path)).end()
    assert shown(ended) == [["x"]]
    for arguments in (("run", "--help"), ("run", str(adaptor.path), "--help"), ("--help",)):
        ended = adaptor.begin(*arguments).end()
        assert ended.status == 0
        assert "openjd-adaptor" in ended.out


def test_a_file_that_cannot_be_used(host: Host) -> None:
    """One line, in the foreground, from the daemon, and outside of a session."""
    adaptor = Described(host, [*PLAY, SHOW, "{fram}"], "[run_data]\nframe = {}")
    for ended in (adaptor.run(), adaptor.step("start").end()):
        says = ended.fails()
        assert str(adaptor.path) in says
        assert "did you mean 'frame'?" in says
        assert not [line for line in ended.lines if "ERROR" in line], ended.text
    assert "did you mean 'frame'?" in adaptor.begin("version-info", str(adaptor.path)).end().err
    adaptor.path.unlink()
    assert "cannot be read" in adaptor.run().fails()


def test_a_cancel(host: Host, gate: Gate) -> None:
    """The command ends with all that it started; the daemon takes the next task."""
    adaptor = Described(
        host,
        [CHILDREN, "{what}", "{port}"],
        "[run_data]\nwhat = { type = 'string' }\nport = { type = 'integer', default = 0 }",
    )
    assert adaptor.step("start").end().status == 0
    data = json.dumps({"what": "parent", "port": gate.port})
    running = adaptor.step("run", "--run-data", data)
    family = [gate.wait(), gate.wait()]
    running.cancel()
    for visitor in family:
        visitor.gone()
    ended = running.end()
    assert ended.status == 1
    assert ended.lines[-1] == "INFO: Canceled"
    assert "openjd_fail" not in ended.out
    assert "STDOUT: 7" in adaptor.step("run", "--run-data", "what: say\nport: 7").end().out
    assert adaptor.step("stop").end().status == 0


def test_a_cancel_between_two_commands_of_a_chunk(host: Host, gate: Gate) -> None:
    """After a cancel no further command of the task is begun."""
    adaptor = Described(
        host,
        [CHILDREN, "hold", "{port}"],
        "[run_data]\nport = {}\nframes = {}\n[chunk]\nfield = 'frames'\nby = 'number'",
    )
    assert adaptor.step("start").end().status == 0
    data = json.dumps({"port": gate.port, "frames": "1-3"})
    running = adaptor.step("run", "--run-data", data)
    gate.wait().let_go()
    second = gate.wait()
    running.cancel()
    second.gone()
    ended = running.end()
    assert ended.status == 1
    assert ended.text.count("Running command") == 2
    assert adaptor.step("stop").end().status == 0


def test_path_mapping(host: Host) -> None:
    """Fields with the format "path" are mapped, in init data, run data and defaults; no others."""
    adaptor = Described(
        host,
        [*PLAY, SHOW, "{scene}", "{library}", "{title}", "{textures}"],
        """
        [init_data]
        library = { type = "string", format = "path", default = "/studio/library" }
        [run_data]
        scene = { type = "string", format = "path" }
        title = { type = "string" }
        textures = { type = "array", items = { type = "string", format = "path" } }
        """,
    )
    rule = {
        "source_path_format": "POSIX",
        "source_path": "/studio",
        "destination_path": "/mnt/studio 2",
    }
    ended = adaptor.run(
        {"scene": "/studio/a.blend", "title": "/studio/x", "textures": ["/studio/t", "/other"]},
        {},
        *("--path-mapping-rules", json.dumps({"path_mapping_rules": [rule]})),
    )
    ((scene, library, title, *textures),) = shown(ended)
    home = "/mnt/studio 2/".replace("/", os.sep) if sys.platform == "win32" else "/mnt/studio 2/"
    assert (scene, library, title) == (home + "a.blend", home + "library", "/studio/x")
    assert textures == [home + "t", "/other"]


CHUNK = """
[run_data]
frames = { type = ["string", "integer"] }
[chunk]
field = "frames"
by = "%s"
[[rules]]
kind = "progress"
pattern = '^(\\d+)%%'
"""


def test_a_chunk_by_number(adaptor_session: Sessions, tmp_path: Path) -> None:
    """The command runs once for each number; the progress is that of the whole."""
    path = describe(tmp_path, ["render", "{number:03d}"], CHUNK % "number")
    render = Script()
    render.command().prints("50%")
    session = adaptor_session(path, application=render)
    told = [12.5, 25.0, 37.5, 50.0, 62.5, 75.0, 87.5, 100.0]
    session.run({"frames": "1-5:2,9"}).assert_ok().assert_progress(told)
    session.run({"frames": 7}).assert_ok()
    fails(session.run({"frames": "x"}), "run data, /frames: the range 'x'")
    assert session.application is not None
    assert session.application.commands == [["001"], ["003"], ["005"], ["009"], ["007"]]


def test_a_chunk_by_block(adaptor_session: Sessions, tmp_path: Path) -> None:
    """The command runs once for each contiguous block, which counts by its length."""
    path = describe(tmp_path, ["render", "{first}", "{last}", "{count}"], CHUNK % "block")
    render = Script()
    render.command().prints("50%")
    session = adaptor_session(path, application=render)
    session.run({"frames": "1-6,9,10"}).assert_ok().assert_progress([37.5, 75.0, 87.5, 100.0])
    assert session.application is not None
    assert session.application.commands == [["1", "6", "6"], ["9", "10", "2"]]


@pytest.mark.parametrize(
    ("by", "outputs", "missing"),
    [
        ("number", "['{folder}/f{number}']", "f2"),
        ("block", "['{folder}/f{first}', '{folder}/f{last}']", "f2"),
    ],
)
def test_outputs_of_a_chunk(
    adaptor_session: Sessions, tmp_path: Path, by: str, outputs: str, missing: str
) -> None:
    """Each part of the chunk has its own; the one that is missing is named."""
    text = f"{CHUNK % by}\n[init_data]\nfolder = {{ type = 'string', format = 'path' }}"
    path = describe(tmp_path, ["render", "{folder}"], text, f"outputs = {outputs}")
    render = Script()
    render.command().writes("{1}/f1", "x")
    session = adaptor_session(path, {"folder": str(tmp_path)}, application=render)
    failed = fails(session.run({"frames": "1-2"}), "said that all went well, but: missing:")
    failed.assert_failed(missing)
    assert "f1" not in failed.fails[0]


def test_outputs(adaptor_session: Sessions, tmp_path: Path) -> None:
    """Exit code 0 counts for nothing if what must be written is missing, old, or empty."""
    path = describe(
        tmp_path,
        ["render", "{text}"],
        "[run_data]\ntext = { type = 'string' }\nextra = { type = 'string', required = false }",
        f"outputs = ['out.txt', ['{{extra}}']]\nworking_directory = {json.dumps(str(tmp_path))}",
    )
    render = Script()
    render.command("write").writes("out.txt", "x")
    render.command("empty").writes("out.txt", "")
    render.command("nothing")
    session = adaptor_session(path, application=render)
    fails(session.run({"text": "nothing"}), "but: missing: ")
    fails(session.run({"text": "empty"}), "but: empty: ")
    session.run({"text": "write"}).assert_ok()
    fails(session.run({"text": "nothing"}), "but: not written by this task: ")
    session.run({"text": "write", "extra": "*.txt"}).assert_ok()
    fails(session.run({"text": "write", "extra": "*.exr"}), "no file matches ")


def test_exit_codes(host: Host) -> None:
    """Those that are listed are fine; another fails the task, and is named."""
    adaptor = Described(
        host, [CHILDREN, "crash", "{code}"], "[run_data]\ncode = {}", "exit_codes = [0, 3]"
    )
    assert adaptor.run({"code": 0}).status == adaptor.run({"code": 3}).status == 0
    says = adaptor.run({"code": 4}).fails()
    assert says == "Error encountered while running adaptor: Player ended with exit code 4"


def test_no_such_program(host: Host) -> None:
    """The program's name is in the line."""
    adaptor = Described(host, [])
    text = adaptor.path.read_text(encoding="utf-8")
    for name, word in (("no-such-program", "no-such-program"), ("tool.BAT ", "batch file")):
        command = f"command = [{json.dumps(name)}]\n"
        lines = text.splitlines(keepends=True)
        lines[2] = command
        adaptor.path.write_text("".join(lines), encoding="utf-8")
        assert word in adaptor.run().fails()


RULES = """
[run_data]
line = { type = "string" }
port = { type = "integer", default = 0 }
[[rules]]
kind = "status"
pattern = '^Doing (.*)'
text = "busy with {1}"
[[rules]]
kind = "warn"
pattern = 'slow'
[[rules]]
kind = "fail"
id = "no-texture"
pattern = 'texture \\S+ is missing'
unless = 'dummy'
[[rules]]
kind = "license"
pattern = 'no licence'
remedy = "ask for one"
"""


def test_rules(host: Host) -> None:
    """What lines mean, whatever the exit code is; a site can say otherwise by a rule's id."""
    adaptor = Described(host, [*PLAY, "print(sys.argv[1])", "{line}"], RULES)

    def run(line: str) -> Ended:
        return adaptor.run({"line": line})

    assert "openjd_status: busy with lights" in run("Doing lights").lines
    assert "WARNING: rule warn-1: slow" in run("slow").lines
    assert "texture a.png is missing (rule no-texture)" in run("texture a.png is missing").fails()
    assert run("texture dummy.png is missing").status == 0
    (host.folder / "Player.json").write_text('{"rules": {"no-texture": "warn"}}')
    assert run("texture a.png is missing").status == 0
    (host.folder / "Player.json").write_text('{"rules": {"no-text": "warn"}}')
    assert "'no-text'" in run("").fails()


def test_a_failure_in_a_chunk(adaptor_session: Sessions, tmp_path: Path) -> None:
    """No further command is begun, whether an exit code or a rule says it; nor is it at 100 %."""
    path = describe(
        tmp_path,
        ["render", "{number}"],
        CHUNK % "number" + "\n[[rules]]\nkind = 'fail'\npattern = 'bad'",
        "outputs = ['nothing']",
    )
    render = Script()
    render.command("2").prints("bad")
    render.command("3").prints("fine").exits(1)
    render.command().prints("fine")
    session = adaptor_session(path, application=render)
    failed = fails(session.run({"frames": "1-3"}), "bad")
    assert failed.reason == "bad (rule fail-1)"
    failed.assert_line("Running command", count=2).assert_progress([33.3], complete=False)
    failed = fails(session.run({"frames": "3-5"}), "ended with exit code 1")
    failed.assert_line("Running command", count=1)


def test_a_licence(host: Host, gate: Gate) -> None:
    """The command is ended at once, though it would stay; the remedy is in the line."""
    code = "print(sys.argv[1], flush=True); gates.pass_through(int(sys.argv[2]))"
    start = f"import sys; sys.path.insert(0, {str(APPS)!r}); import gates; {code}"
    adaptor = Described(host, ["-c", start, "{line}", "{port}"], RULES)
    says = adaptor.run({"line": "sorry, no licence", "port": gate.port}).fails()
    assert "licence: sorry, no licence: ask for one" in says


def test_silence(host: Host, gate: Gate) -> None:
    """A command that says nothing for too long is ended, with all that it started."""
    adaptor = Described(
        host, [CHILDREN, "parent", "{port}"], "[run_data]\nport = {}\n[limits]\nsilence = 3"
    )
    ended = adaptor.run({"port": gate.port})
    says = ended.fails()
    assert "Player was silent for 3 seconds while running (limit silence: 3)" in says
    for visitor in (gate.wait(), gate.wait()):
        visitor.gone()


def test_a_daemon_that_is_told_to_end(host: Host, gate: Gate) -> None:
    """SIGTERM to the daemon while a command runs: nothing is left."""
    adaptor = Described(host, [CHILDREN, "parent", "{port}"], "[run_data]\nport = {}")
    assert adaptor.step("start").end().status == 0
    daemon = json.loads(Path(host.folder, "session.json").read_text())["pid"]
    running = adaptor.step("run", "--run-data", json.dumps({"port": gate.port}))
    family = [gate.wait(), gate.wait()]
    (process,) = [p for p in host.processes() if p.pid == daemon]
    process.terminate()
    for visitor in family:
        visitor.gone()
    await_end(process)
    assert running.end().status == 1
