"""``openjd-adaptor template`` for real adaptors, and what it makes in real sessions."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from apps.drive import Ended, Host

if importlib.util.find_spec("openjd.model") is None:
    pytest.skip("openjd-model is not installed", allow_module_level=True)

from openjd.model import decode_job_template

TOOL = "import sys; from openjd.adaptor_runtime._cli.tool import main; sys.exit(main())"
EXAMPLES = Path(__file__).parents[2] / "examples"
in_sessions = pytest.mark.skipif(
    sys.platform == "win32" or importlib.util.find_spec("openjd.cli") is None,
    reason="sessions of openjd-cli, which is not installed or needs a POSIX shell here",
)


def tool(host: Host, *arguments: str) -> Ended:
    """Runs ``openjd-adaptor template ARGUMENTS``."""
    return host.run("-c", TOOL, "template", *arguments)


def made(host: Host, *arguments: str) -> dict[str, Any]:
    """The template that it makes; it must be valid."""
    ended = tool(host, *arguments)
    assert ended.status == 0, ended.text
    data: dict[str, Any] = yaml.safe_load(ended.out)
    decode_job_template(template=data, supported_extensions=data.get("extensions", []))
    return data


def importable(host: Host, folder: Path) -> None:
    """What is in the folder can be imported on the host."""
    host.env["PYTHONPATH"] += f"{os.pathsep}{folder}"


def names(template: dict[str, Any]) -> list[str]:
    """Those of its parameters."""
    return [definition["name"] for definition in template["parameterDefinitions"]]


def actions(template: dict[str, Any]) -> list[dict[str, Any]]:
    """Start, run, stop."""
    (step,) = template["steps"]
    environment = step["stepEnvironments"][0]["script"]["actions"]
    return [environment["onEnter"], step["script"]["actions"]["onRun"], environment["onExit"]]


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples are not here")
def test_the_blender_example(host: Host) -> None:
    """A package, with chunks: the same as for its class."""
    importable(host, EXAMPLES / "blender")
    template = made(host, "blender_adaptor")
    assert made(host, "blender_adaptor.adaptor:BlenderAdaptor") == template
    assert template["extensions"] == ["TASK_CHUNKING"]
    assert names(template) == ["Scene", "Output", "Blender", "Strict", "Frames", "ChunkSize"]
    scene = template["parameterDefinitions"][0]
    assert (scene["objectType"], scene["dataFlow"]) == ("FILE", "IN")
    assert scene["userInterface"]["fileFilters"][0]["patterns"] == ["*.blend"]
    for action, step in zip(actions(template), ("start", "run", "stop")):
        assert action["command"] == "python"
        assert action["args"][:4] == ["-m", "blender_adaptor", "daemon", step]
    assert actions(template)[0]["timeout"] == 900 + 60
    own = tool(host, "blender_adaptor", "--command", "blender-openjd").out
    assert own == (EXAMPLES / "blender" / "template.yaml").read_text(encoding="utf-8")


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples are not here")
@pytest.mark.parametrize("how", ["file", "package"])
def test_the_ffmpeg_example(host: Host, how: str) -> None:
    """A TOML file, by itself or in a package that can be run."""
    importable(host, EXAMPLES / "ffmpeg")
    file = str(EXAMPLES / "ffmpeg" / "ffmpeg_openjd" / "adaptor.toml")
    name = file if how == "file" else "ffmpeg_openjd"
    command = [] if how == "file" else ["--command", "ffmpeg-openjd"]
    if how == "package":
        # Neither a __main__.py nor, on this host, the console command that pip would make.
        said = tool(host, name).refused()
        assert "the package ffmpeg_openjd has neither a __main__.py nor a console command" in said
        (host.folder / "ffmpeg_openjd-0.1.dist-info").mkdir()
        (host.folder / "ffmpeg_openjd-0.1.dist-info" / "entry_points.txt").write_text(
            "[console_scripts]\nffmpeg-openjd = ffmpeg_openjd:main\n"
        )
        (host.folder / "ffmpeg_openjd-0.1.dist-info" / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: ffmpeg-openjd\nVersion: 0.1\n"
        )
        importable(host, host.folder)
        assert made(host, name) == made(host, name, *command)
    template = made(host, name, *command)
    expected = ["Ffmpeg", "Input", "Output", "Start", "Frames", "Codec", "Options"]
    assert [each for each in names(template) if each != "AdaptorFile"] == expected
    (output,) = [d for d in template["parameterDefinitions"] if d["name"] == "Output"]
    assert (output["objectType"], output["dataFlow"]) == ("FILE", "OUT")
    start = actions(template)[0]
    if how == "file":
        assert start["command"] == "openjd-adaptor"
        assert start["args"][:3] == ["daemon", "start", "{{Param.AdaptorFile}}"]
    else:
        assert (start["command"], start["args"][:2]) == ("ffmpeg-openjd", ["daemon", "start"])
    pieces = made(host, name, *command, "--each", "start", "--range", "0-9:2")
    assert "Starts" in names(pieces) and "Start" not in names(pieces)


def test_the_turntable_example(host: Host) -> None:
    """A package within another."""
    template = made(host, "openjd.adaptor_runtime.examples.turntable", "--name", "Turn it")
    assert template["name"] == "Turn it"
    assert names(template)[0] == "OutputDir"
    arguments = actions(template)[1]["args"]
    assert arguments[-2:] == ["--run-field", "frame:={{Task.Param.Frame}}"]


def test_a_command_with_paths(host: Host) -> None:
    """It is in words as in a shell; on Windows a backslash stands in paths, and escapes nothing."""
    typed = "'/my tools/press' -m /plates/a\\ b"
    meant = ["/my tools/press", "-m", "/plates/a b"]
    if sys.platform == "win32":
        typed = '"C:\\My Tools\\press.exe" -m \\\\host\\plates'
        meant = ["C:\\My Tools\\press.exe", "-m", "\\\\host\\plates"]
    template = made(host, "openjd.adaptor_runtime.examples.turntable", "--command", typed)
    for action in actions(template):
        assert [action["command"], *action["args"][:2]] == meant


def test_what_a_toml_file_says_of_its_tasks(host: Host) -> None:
    """Its chunk is the range, its limits are timeouts, and its outputs are written."""
    (host.folder / "a.toml").write_text(
        """
name = "A"
version = "0.1"
command = ["true", "{number}"]
outputs = ["{place}/{number}.png", "{log_of_it}"]
limits = { run = 100, stop = 0 }
chunk = { field = "pages", by = "number" }
[run_data]
place = { type = "string", format = "path" }
log_of_it = { type = "string", format = "path" }
pages = { type = ["string", "integer"] }
"""
    )
    template = made(host, "a.toml")
    assert template["extensions"] == ["TASK_CHUNKING"]
    assert names(template) == ["Place", "LogOfIt", "Pages", "ChunkSize", "AdaptorFile"]
    flows = [(d["objectType"], d["dataFlow"]) for d in template["parameterDefinitions"][:2]]
    assert flows == [("DIRECTORY", "OUT"), ("FILE", "OUT")]
    start, run, stop = actions(template)
    assert (start["timeout"], run["timeout"], stop.get("timeout")) == (960, 160, None)
    assert run["args"][-1] == "pages={{Task.Param.Page}}"


def test_the_output_file(host: Host) -> None:
    """It holds what stdout would show, and is never overwritten unless that is asked for."""
    (host.folder / "a.toml").write_text(
        'name = "Size"\nversion = "0.1"\ncommand = ["true"]\n'
        '[run_data]\ntext = { type = "string", description = "Größe 🎬" }\n',
        encoding="utf-8",
    )
    shown = tool(host, "a.toml")
    written = tool(host, "a.toml", "--output", "template.yaml")
    assert (shown.status, written.status, written.out) == (0, 0, "")
    file = host.folder / "template.yaml"
    assert file.read_bytes() == shown.out.encode("utf-8")
    assert "Größe 🎬" in shown.out and b"\r" not in file.read_bytes()
    file.write_text("mine")
    refused = tool(host, "a.toml", "-o", "template.yaml").refused()
    assert refused == "template.yaml is there already; --force overwrites it"
    assert file.read_text() == "mine"
    assert tool(host, "a.toml", "-o", "template.yaml", "--force").status == 0
    assert file.read_bytes() == shown.out.encode("utf-8")
    assert "No such file" in tool(host, "a.toml", "-o", "none/template.yaml").refused()


def test_where_a_toml_file_is(host: Host) -> None:
    """From the template's folder, if it is in there; else the job says where."""
    (host.folder / "jobs").mkdir()
    (host.folder / "a.toml").write_text('name = "A"\nversion = "0.1"\ncommand = ["true"]\n')
    (inside,) = made(host, "a.toml")["parameterDefinitions"]
    assert (inside["name"], inside["default"]) == ("AdaptorFile", "a.toml")
    assert tool(host, "a.toml", "-o", "jobs/t.yaml").status == 0
    (outside,) = yaml.safe_load((host.folder / "jobs" / "t.yaml").read_text())[
        "parameterDefinitions"
    ]
    assert "default" not in outside


def test_without_the_validator(host: Host) -> None:
    """The template is made, and one line says that nobody has checked it."""
    (host.folder / "a.toml").write_text('name = "A"\nversion = "0.1"\ncommand = ["true"]\n')
    hide = "import sys; sys.modules['openjd.model'] = None; " + TOOL
    ended = host.run("-c", hide, "template", "a.toml", "--each", "x")
    assert ended.status == 1
    ended = host.run("-c", hide, "template", "a.toml")
    assert ended.status == 0
    assert ended.out == tool(host, "a.toml").out
    (warning,) = [line for line in ended.err.splitlines() if line.startswith("WARNING: ")]
    assert "not checked" in warning and "pip install 'openjd-adaptor-runtime[template]'" in warning


PACKAGES = {
    "no_schemas/__init__.py": "",
    "no_schemas/__main__.py": """
from openjd.adaptor_runtime import EntryPoint
from openjd.adaptor_runtime.adaptors import Adaptor
class NoSchemas(Adaptor):
    def on_run(self, run_data): pass
EntryPoint(NoSchemas).start()
""",
    "fails/__init__.py": "raise RuntimeError('no\\nlicence')",
    "fails_late/__init__.py": "",
    "fails_late/__main__.py": "raise RuntimeError('no\\nlicence')",
    "needs_more/__init__.py": "import no_such_dependency",
    "no_adaptor/__init__.py": "",
    "no_adaptor/__main__.py": "print('hello')",
    "not_a_class.py": "Thing = 5",
    "bad.toml": "name = 5",
    "bad_schema.toml": 'name = "A"\nversion = "0.1"\ncommand = ["true"]\n'
    '[run_data]\nx = { type = "strnig" }\n',
    "bad_hint.toml": 'name = "A"\nversion = "0.1"\ncommand = ["true"]\n'
    '[run_data]\nx = { type = "string", x-openjd = { control = "SPINBOX" } }\n',
}


#: What is wrong, and words of the line that says so.
REFUSED: list[tuple[list[str], str]] = [
    (["no_such_package"], "no_such_package: there is no module 'no_such_package'; ADAPTOR is"),
    (["no-such-package"], "there is no module"),
    (["."], ".: there is no module '.'; ADAPTOR is"),
    (["no_such.toml"], "no_such.toml cannot be read"),
    (["bad.toml"], "bad.toml: "),
    (["bad_schema.toml"], "run_data.x.type: 'strnig' is not valid"),
    (["bad_hint.toml"], "the template would not be valid: "),
    (["not_a_class:Other"], "the adaptor not_a_class:Other cannot be loaded"),
    (["not_a_class:Thing"], "not_a_class:Thing is no adaptor's class"),
    (["not_a_class:"], "names no adaptor"),
    (["fails:Thing"], "fails cannot be imported: RuntimeError: no"),
    (["needs_more"], "cannot be imported: ModuleNotFoundError: No module named 'no_such_dep"),
    (["fails_late"], "the adaptor's command failed: RuntimeError: no"),
    (["no_adaptor"], "python -m no_adaptor starts no EntryPoint"),
    (["no_schemas"], "NoSchemas has no schemas of its data: put init_data.schema.json"),
    (["a.toml", "--range", "1"], "--range: no field of the run data"),
    (["a.toml", "--require", "x"], "--require x: NAME=VALUE is expected"),
    (["a.toml", "--require", "vcpu=4"], "the template would not be valid: "),
    (["a.toml", "--name", "{{Param.X}}"], "the template would not be valid: "),
    (["a.toml", "--command", "'"], "--command: No closing quotation"),
    (["a.toml", "--command", " "], "--command: it is empty"),
    ([], "the following arguments are required: ADAPTOR"),
]
#: Runs the tool for each of many arguments in one process, and shows how each ended.
ALL = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from openjd.adaptor_runtime._tools.template import main
ended = []
for arguments in json.loads(sys.argv.pop()):
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            status = main(arguments)
        except SystemExit as e:
            status = e.code
    ended.append([status, out.getvalue(), err.getvalue()])
print(json.dumps(ended))
"""


def test_what_is_refused(host: Host) -> None:
    """One line on stderr says what is wrong; nothing is written, and nobody sees a traceback."""
    for name, text in PACKAGES.items():
        path = host.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (host.folder / "a.toml").write_text('name = "A"\nversion = "0.1"\ncommand = ["true"]\n')
    given = [[*arguments, *(["-o", "t.yaml"] if arguments else [])] for arguments, _ in REFUSED]
    ended = host.run("-c", ALL, json.dumps(given))
    assert ended.status == 0, ended.text
    for (arguments, words), (status, out, err) in zip(REFUSED, json.loads(ended.out)):
        assert status not in (0, None) and out.strip() in ("", "hello"), (arguments, out, err)
        (line,) = err.splitlines()
        assert line.startswith("ERROR: ") and words in line, (arguments, line)
    assert not (host.folder / "t.yaml").exists()


MIRROR = '''
"""Shows the data that it has."""
import json
from openjd.adaptor_runtime import EntryPoint
from openjd.adaptor_runtime.adaptors import Adaptor, SemanticVersion

class MirrorAdaptor(Adaptor):
    """Shows the data that it has."""
    integration_data_interface_version = SemanticVersion(major=0, minor=1)
    data_schemas = "."
    def on_start(self):
        print("INIT", json.dumps(self.init_data))
    def on_run(self, run_data):
        print("RUN", json.dumps(run_data))

EntryPoint(MirrorAdaptor).start()
'''
NASTY = {
    "quotes": 'it\'s "quoted" `id` $HOME $(id) %PATH% !x ^& | ;',
    "lines": "\n a: 1\n'b'\rc\n--- |\n\n",
    "backslashes": "C:\\new\\table\\ \\\\server\\share\\",
    "unicode": "é 🎬 \u2028\u2029\x85\ufeff 日本",
    "marks": ":=[]=?= {{Param.Quotes}} }} {a: &b *b} # - ? ! % @",
    "controls": "\t\x01\x07\x1b[31m\x7f",
    "spaces": "  in front and behind  ",
    "dashes": "--run-field",
}


@in_sessions
def test_whatever_is_entered_reaches_the_adaptor(host: Host) -> None:
    """In a real session: every text, path, number, list and object, of start and tasks."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {
            **{name: {"type": "string"} for name in NASTY},
            "file": {"type": "string", "format": "path"},
            "folder": {"type": "string", "format": "path"},
            "count": {"type": "integer"},
            "factor": {"type": "number"},
            "strict": {"type": "boolean"},
            "options": {"type": "array", "items": {"type": "string"}},
            "tree": {"type": "object"},
            "left_out": {"type": "string"},
            "none": {"type": "integer"},
        },
        "additionalProperties": False,
    }
    required = [name for name in schema["properties"] if name not in ("left_out", "none")]
    schema["required"] = required
    package = host.folder / "mirror"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(MIRROR)
    (package / "init_data.schema.json").write_text(json.dumps(schema))
    frames = {"frames": {"type": "string"}}
    run_schema = {**schema, "properties": {**schema["properties"], **frames}}
    (package / "run_data.schema.json").write_text(json.dumps(run_schema))
    command = shlex.join([sys.executable, "-m", "mirror"])
    ended = tool(host, "mirror", "-o", "t.yaml", "--range", "1-2", "--command", command)
    assert (ended.status, ended.text) == (0, "")
    importable(host, host.folder)

    path = f"/no/such/{NASTY['quotes']}{NASTY['backslashes']}"
    entered: dict[str, Any] = {
        **NASTY,
        "file": path,
        "folder": "/mapped/it's",
        "count": "+007",
        "factor": ".5",
        "strict": "false",
        "options": "-vf\nC:\\x 'y'\n",
        "tree": '{"a": {"b": "}}{{\\n\'"}}',
    }
    meant = {
        **entered,
        "folder": "/real/it's",
        "count": 7,
        "factor": 0.5,
        "strict": False,
        "options": ["-vf", "C:\\x 'y'", ""],
        "tree": {"a": {"b": "}}{{\n'"}},
    }
    template = yaml.safe_load((host.folder / "t.yaml").read_text(encoding="utf-8"))
    by_field: dict[str, str] = {}
    for action in actions(template)[:2]:
        for argument in action["args"]:
            match = re.fullmatch(r"(\w+)(?:\?|:|\[\])*=\{\{(?:Raw)?Param\.(\w+)\}\}", argument)
            if match is not None:
                by_field[match[2]] = match[1]
    values = {name: entered[field] for name, field in by_field.items() if field in entered}
    (host.folder / "values.json").write_text(json.dumps(values))
    rules = {
        "version": "pathmapping-1.0",
        "path_mapping_rules": [
            {
                "source_path_format": "POSIX",
                "source_path": "/mapped",
                "destination_path": "/real",
            }
        ],
    }
    (host.folder / "rules.json").write_text(json.dumps(rules))
    ended = host.run(
        *("-m", "openjd", "run", "t.yaml", "-p", "file://values.json"),
        *("--path-mapping-rules", "file://rules.json", "-p", "ChunkSize=1"),
    )
    shutil.rmtree(host.temporary / "OpenJD", ignore_errors=True)
    assert ended.status == 0, ended.text
    seen = {
        word: [json.loads(data) for data in re.findall(rf"\t.*STDOUT: {word} (.*)", ended.text)]
        or [json.loads(data) for data in re.findall(rf"\t.*\b{word} (\{{.*)", ended.text)]
        for word in ("INIT", "RUN")
    }
    assert seen["INIT"] == [meant]
    assert seen["RUN"] == [{**meant, "frames": "1"}, {**meant, "frames": "2"}]
