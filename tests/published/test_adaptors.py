"""Each published adaptor is imported, made, asked for its versions, and taken through a session."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, field
from typing import Any

import pytest

from .conftest import HERE, Farm
from .wheels import PINS

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a POSIX executable"),
]


@dataclass(frozen=True)
class Published:
    """What there is to know about an adaptor."""

    command: str
    module: str
    name: str
    data_version: tuple[int, int]
    log_level: str = "INFO"  # as its package configures it
    # For a session:
    executable: str = ""
    variable: str = ""
    fake: str = "fake_client/client.py"
    init_data: dict[str, Any] = field(default_factory=dict)
    run_data: dict[str, Any] = field(default_factory=dict)
    actions: str = ""
    finished: str = ""
    show: str = "NOTHING"


NUKE = Published("nuke-openjd", "deadline.nuke_adaptor.NukeAdaptor", "NukeAdaptor", (0, 1))
BLENDER = Published(
    "blender-openjd", "deadline.blender_adaptor.BlenderAdaptor", "BlenderAdaptor", (0, 1)
)
MAYA = Published(
    "maya-openjd",
    "deadline.maya_adaptor.MayaAdaptor",
    "MayaAdaptor",
    (0, 2),
    executable="mayapy",
    variable="MAYAPY_EXECUTABLE",
    init_data={"scene_file": "a", "project_path": "b", "render_layer": "c", "renderer": "arnold"},
    run_data={"frame": 7},
    actions="renderer path_mapping scene_file project_path render_layer",
    finished="MayaClient: Finished Rendering Frame 7",
    show="ARNOLD_PATHMAP",
)
MAX = Published(
    "3dsmax-openjd",
    "deadline.max_adaptor.MaxAdaptor",
    "MaxAdaptor",
    (0, 3),
    executable="3dsmax",
    variable="3DSMAX_EXECUTABLE",
    log_level="DEBUG",
    init_data={"scene_file": "a", "renderer": "V_Ray_6"},
    run_data={"frame": 7},
    actions="renderer scene_file",
    # As 3ds Max prints; the adaptor overrides RegexCallback.get_match for it.
    finished="\0".join("MaxClient: Finished Rendering Frame 7"),
)
HOUDINI = Published(
    "houdini-openjd",
    "deadline.houdini_adaptor.HoudiniAdaptor",
    "HoudiniAdaptor",
    (0, 2),
    executable="hython",
    variable="HYTHON_EXECUTABLE",
    fake="fake_houdini",
    init_data={"scene_file": __file__, "render_node": "/out/mantra1", "version": "20.5"},
    run_data={"frame_range": {"start": 1, "end": 2, "step": 1}},
)
CINEMA_4D = Published(
    "cinema4d-openjd",
    "deadline.cinema4d_adaptor.Cinema4DAdaptor",
    "Cinema4DAdaptor",
    (0, 4),
    executable="Commandline",
    variable="C4D_COMMANDLINE_EXECUTABLE",
    log_level="DEBUG",
    init_data={"scene_file": "a", "take": "Main"},
    run_data={"frame": "7-7"},
    actions="scene_file take frame",
    finished="Finished Rendering",
    show="CINEMA4D_PATHMAP",
)
UNREAL = Published(
    "unreal-engine-openjd",
    "deadline.unreal_adaptor.UnrealAdaptor",
    "UnrealAdaptor",
    (0, 1),
    executable="UnrealEditor-Cmd",
    fake="fake_unreal",
    log_level="DEBUG",
    init_data={"project_path": "a.uproject", "executable": "UnrealEditor-Cmd"},
    run_data={"handler": "custom", "script_path": str(HERE / "fake_unreal" / "custom_step.py")},
)
ALL = [NUKE, BLENDER, MAYA, MAX, HOUDINI, CINEMA_4D, UNREAL]


def by_name(adaptors: list[Published]) -> list[Any]:
    """As parameters of a test."""
    return [pytest.param(adaptor, id=adaptor.name) for adaptor in adaptors]


# Runs in a process of its own: the adaptors share class attributes and the namespace `deadline`.
PROBE = """
import importlib, json, sys
from openjd.adaptor_runtime.adaptors import Adaptor

class Bare(Adaptor):
    integration_data_interface_version = None
    def on_run(self, run_data): ...

def private(names):
    return {name for name in names if name.startswith("_") and not name.startswith("__")}

adaptor_class = getattr(importlib.import_module(sys.argv[1]), sys.argv[2])
rule = {"source_path_format": "POSIX", "source_path": "/studio", "destination_path": "/mnt/s"}
windows = {**rule, "source_path_format": "WINDOWS", "source_path": "C:\\\\show"}
rules = {"version": "pathmapping-1.0", "path_mapping_rules": [rule, windows]}
adaptor = adaptor_class({"a": 1}, path_mapping_data=rules)
without = adaptor_class({})
ours = private([*dir(Adaptor), *vars(Bare({}))]) - {"_abc_impl", "_is_protocol"}
version = adaptor.integration_data_interface_version
print(json.dumps({
    "version": [version.major, version.minor],
    "init_data": adaptor.init_data,
    "mapped": [adaptor.map_path(p) for p in ("/studio/x", "c:/SHOW/y", "./C:/show/z")],
    "sources": [r.source_path for r in adaptor.path_mapping_rules],
    "private_sources": [r.source_path for r in adaptor._path_mapping_rules],
    "without": len(without.path_mapping_rules),
    "log_level": adaptor.config.log_level,
    "clashes": sorted(ours & set(vars(adaptor_class))),
}))
"""


@pytest.mark.parametrize("adaptor", by_name(ALL))
def test_it_is_imported_and_made(farm: Farm, adaptor: Published) -> None:
    """The class is made from init data and path mapping data, and has what 0.9 gives it."""
    ended = farm.run(sys.executable, "-c", PROBE, adaptor.module, adaptor.name)
    assert ended.status == 0, ended.output
    made = json.loads(ended.output.splitlines()[-1])
    assert tuple(made["version"]) == adaptor.data_version
    assert made["init_data"] == {"a": 1}
    assert made["without"] == 0
    assert made["sources"] == made["private_sources"]
    assert made["mapped"][:2] == ["/mnt/s/x", "/mnt/s/y"]
    # On Linux Cinema 4D makes "./C:/..." of a Windows path; its adaptor adds rules for that.
    beneath = "/mnt/s/z" if adaptor is CINEMA_4D and sys.platform == "linux" else "./C:/show/z"
    assert made["mapped"][2] == beneath
    assert made["log_level"] == adaptor.log_level
    # A private name of ours that an adaptor uses for something else would break one of the two.
    assert made["clashes"] == []
    assert farm.leftovers() == []


@pytest.mark.parametrize("adaptor", by_name(ALL))
def test_its_command_tells_versions(farm: Farm, adaptor: Published) -> None:
    """``version-info`` of the console command that pip made tells both versions."""
    ended = farm.run(adaptor.command, "version-info")
    assert ended.status == 0, ended.output
    data_version = "{}.{}".format(*adaptor.data_version)
    for line in (
        f"{adaptor.name} Data Interface Version: '{data_version}'",
        "OpenJD Adaptor CLI Version: '0.1'",
    ):
        assert re.search(f"^{re.escape(line)}$", ended.output, re.MULTILINE), ended.output
    assert farm.leftovers() == []


def test_vred_has_no_adaptor(farm: Farm) -> None:
    """The eighth wheel, for VRED, imports nothing of the runtime: there is nothing to keep to."""
    assert "deadline-cloud-for-vred" in PINS
    sources = list((farm.adaptors / "deadline" / "vred_submitter").rglob("*.py"))
    assert sources
    assert not [path for path in sources if "adaptor_runtime" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("adaptor", by_name([MAYA, MAX, HOUDINI, CINEMA_4D, UNREAL]))
def test_it_keeps_its_application_through_a_session(farm: Farm, adaptor: Published) -> None:
    """Start, two tasks, stop: all exit with 0, one application is started, nothing is left."""
    farm.application(adaptor.executable, adaptor.fake, adaptor.variable)
    farm.environment["PUBLISHED_ACTIONS"] = adaptor.actions
    farm.environment["PUBLISHED_FINISHED"] = adaptor.finished.replace("\0", "<NUL>")
    farm.environment["PUBLISHED_SHOW"] = adaptor.show
    (farm.folder / "show").mkdir()
    rules = [
        {"source_path_format": f, "source_path": s, "destination_path": str(farm.folder / "show")}
        for f, s in (("POSIX", "/studio/show"), ("WINDOWS", "C:\\show"))
    ]
    mapping = json.dumps({"version": "pathmapping-1.0", "path_mapping_rules": rules})
    connection = ["--connection-file", str(farm.folder / "connection.json")]
    start = ["daemon", "start", *connection, "--init-data", json.dumps(adaptor.init_data)]
    run = ["daemon", "run", *connection, "--run-data", json.dumps(adaptor.run_data)]
    ended = [
        farm.run(adaptor.command, *start, "--path-mapping-rules", mapping),
        farm.run(adaptor.command, *run),
        farm.run(adaptor.command, *run),
        farm.run(adaptor.command, "daemon", "stop", *connection),
    ]
    output = "\n".join(e.output for e in ended)
    assert [e.status for e in ended] == [0, 0, 0, 0], output
    assert ended[0].messages("progress") == ["0"], output
    assert ended[1].messages("progress")[-1] == "100", output
    assert ended[2].messages("progress")[-1] == "100", output
    assert "openjd_fail" not in output
    assert len(farm.starts()) == 1
    assert farm.leftovers() == []
    assert not (farm.folder / "connection.json").exists()

    if adaptor is MAYA:
        (shown,) = ended[0].lines("STDOUT: shown: ")
        table = json.loads(shown.partition("shown: ")[2])["linux"]
        assert table == {rule["source_path"].replace("\\", "/"): rule["destination_path"]
                         for rule in rules}  # fmt: skip
    elif adaptor is CINEMA_4D:
        (shown,) = ended[0].lines("STDOUT: shown: ")
        assert "'./C:\\\\show': " in shown
    elif adaptor is HOUDINI:
        assert len(list((farm.folder / "show").glob("houdini.000[12].ppm"))) == 2
        # Written into the folder that the command was run in, which for a session is its own.
        table_file = farm.folder / "redshift_pathmap_override.txt"
        assert '"/studio/show" "' in table_file.read_text(encoding="utf-8")
        assert table_file.stat().st_mode & 0o077 == 0
    elif adaptor is UNREAL:
        # Its client asks for actions at each tick of the editor, which must not wait for one.
        (ticked,) = ended[3].lines("the editor ticked ")
        performed = output.count("STDOUT: Performing action: ")
        assert int(re.findall(r"ticked (\d+) times", ticked)[0]) > 2 * performed, output
