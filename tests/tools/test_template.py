"""What ``openjd-adaptor template`` makes of schemas, checked by Open Job Description's model."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from openjd.adaptor_runtime._fields import read_fields
from openjd.adaptor_runtime._tools.errors import ToolError
from openjd.adaptor_runtime._tools.named_adaptor import NamedAdaptor, Schemas
from openjd.adaptor_runtime._tools.template.document import Template, Wishes
from openjd.adaptor_runtime.adaptors import Adaptor, AdaptorDataValidator, SemanticVersion
from openjd.adaptor_runtime.application import CommandLineAdaptor, Limits

if importlib.util.find_spec("openjd.model") is None:
    pytest.skip("openjd-model is not installed", allow_module_level=True)

from openjd.model import decode_job_template, preprocess_job_parameters


class PlainAdaptor(Adaptor):
    """Does nothing. Says no more than that.

    This stays here.
    """

    integration_data_interface_version = SemanticVersion(major=0, minor=1)

    def on_run(self, run_data: dict[str, Any]) -> None:
        """Nothing."""


class LimitedAdaptor(CommandLineAdaptor):
    integration_data_interface_version = SemanticVersion(major=0, minor=1)
    limits = Limits(start=10.5, run=100, stop=0)

    def commands(self, run_data: dict[str, Any]) -> Any:
        """None."""
        return []


def make(
    init: Any = None,
    run: Any = None,
    adaptor: type[Adaptor] = PlainAdaptor,
    mapped: bool = True,
    **wishes: Any,
) -> Template:
    """A template for fields with these schemas; it must be valid."""
    validators = []
    for data in (init, run):
        schema = data if isinstance(data, bool) or "properties" in (data or {}) else None
        whole = {"type": "object", "properties": data or {}, "required": list(data or {})}
        validators.append(AdaptorDataValidator(whole if schema is None else schema))
    named = NamedAdaptor(adaptor, ["plain-openjd"], None, "")
    template = Template(named, Schemas(*validators, mapped), Wishes(**wishes))
    valid(template)
    return template


def valid(template: Template) -> Any:
    """The model's view of a template; fails unless it is valid, with the extensions it names."""
    data = yaml.load(template.text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    assert data == template.data
    return decode_job_template(template=data, supported_extensions=data.get("extensions", []))


def only(template: Template) -> dict[str, Any]:
    """The one parameter of a template."""
    (definition,) = template.data["parameterDefinitions"]
    return definition


def fields_of(template: Template) -> list[str]:
    """The arguments that give fields, of the start and of the run."""
    (step,) = template.data["steps"]
    environment = step["stepEnvironments"][0]["script"]["actions"]["onEnter"]["args"]
    run = step["script"]["actions"]["onRun"]["args"]
    return [
        value
        for arguments in (environment, run)
        for option, value in zip(arguments, arguments[1:])
        if option in ("--init-field", "--run-field")
    ]


def ui(control: str, **more: Any) -> dict[str, Any]:
    """A user interface."""
    return {"userInterface": {"control": control, **more}}


BOOLEAN = ["true", "false"]


@pytest.mark.parametrize(
    ("schema", "definition", "mark"),
    [
        ({"type": "string"}, {"type": "STRING", **ui("LINE_EDIT")}, ""),
        (
            {"type": "string", "title": "A\nb", "description": "Says.", "default": "x"},
            {
                "type": "STRING",
                **ui("LINE_EDIT", label="A b"),
                "description": "Says.",
                "default": "x",
            },
            "",
        ),
        (
            {"type": "string", "minLength": 2, "maxLength": 5.0},
            {"type": "STRING", **ui("LINE_EDIT"), "minLength": 2, "maxLength": 5},
            "",
        ),
        (
            {"type": "string", "default": "a\nb"},
            {"type": "STRING", **ui("MULTILINE_EDIT"), "default": "a\nb"},
            "",
        ),
        # A default that does not fit, or that no parameter can have, is none.
        ({"type": "string", "default": 5}, {"type": "STRING", **ui("LINE_EDIT")}, ""),
        ({"type": "string", "default": "a\0"}, {"type": "STRING", **ui("LINE_EDIT")}, ""),
        ({"type": "string", "default": "x" * 1025}, {"type": "STRING", **ui("LINE_EDIT")}, ""),
        (
            {"enum": ["a", "b", "a"], "default": "b"},
            {
                "type": "STRING",
                **ui("DROPDOWN_LIST"),
                "allowedValues": ["a", "b"],
                "default": "b",
            },
            "",
        ),
        (
            {"enum": [1, 2]},
            {"type": "INT", **ui("DROPDOWN_LIST"), "allowedValues": [1, 2]},
            ":",
        ),
        (
            {"enum": [1, 2.5]},
            {"type": "FLOAT", **ui("DROPDOWN_LIST"), "allowedValues": [1, 2.5]},
            ":",
        ),
        (
            {"enum": ["a", 1, True]},
            {
                "type": "STRING",
                **ui("DROPDOWN_LIST"),
                "description": "As JSON.",
                "allowedValues": ['"a"', "1", "true"],
            },
            ":",
        ),
        (
            {"type": "boolean", "default": True},
            {"type": "STRING", **ui("CHECK_BOX"), "allowedValues": BOOLEAN, "default": "true"},
            ":",
        ),
        (
            {"type": "boolean"},
            {"type": "STRING", **ui("CHECK_BOX"), "allowedValues": BOOLEAN},
            ":",
        ),
        (
            {"type": "integer", "minimum": 0.5, "exclusiveMaximum": 10, "default": 3},
            {"type": "INT", **ui("SPIN_BOX"), "minValue": 1, "maxValue": 9, "default": 3},
            ":",
        ),
        (
            {"type": "integer", "multipleOf": 4},
            {"type": "INT", **ui("SPIN_BOX", singleStepDelta=4)},
            ":",
        ),
        ({"type": "integer", "minimum": -(2**70)}, {"type": "INT", **ui("SPIN_BOX")}, ":"),
        (
            {"type": "number", "minimum": 0, "exclusiveMaximum": 1, "default": 0.25},
            {"type": "FLOAT", **ui("SPIN_BOX"), "minValue": 0, "maxValue": 1, "default": 0.25},
            ":",
        ),
        (
            {"type": "array", "items": {"type": "string"}, "default": ["-vf", "scale"]},
            {
                "type": "STRING",
                **ui("MULTILINE_EDIT"),
                "description": "One in each line.",
                "default": "-vf\nscale",
            },
            "[]",
        ),
        (
            {"type": "array", "items": {"type": "integer"}, "default": [1, 2]},
            {
                "type": "STRING",
                **ui("MULTILINE_EDIT"),
                "description": "As JSON.",
                "default": "[1, 2]",
            },
            ":",
        ),
        (
            {"type": "object", "default": {"a": {"b": "}}"}}},
            {
                "type": "STRING",
                **ui("MULTILINE_EDIT"),
                "description": "As JSON.",
                "default": '{"a": {"b": "}}"}}',
            },
            ":",
        ),
        (
            {"type": ["number", "null"], "default": None},
            {
                "type": "STRING",
                **ui("LINE_EDIT"),
                "description": "As JSON.",
                "default": "null",
            },
            ":",
        ),
        ({"type": ["string", "integer"]}, {"type": "STRING", **ui("LINE_EDIT")}, ""),
        (
            {"anyOf": [{"const": "low"}, {"const": "high"}]},
            {"type": "STRING", **ui("DROPDOWN_LIST"), "allowedValues": ["low", "high"]},
            "",
        ),
        (
            {"allOf": [{"type": "integer", "minimum": 1}, {"minimum": 3}]},
            {"type": "INT", **ui("SPIN_BOX"), "minValue": 3},
            ":",
        ),
    ],
)
def test_a_field_that_is_required(
    schema: dict[str, Any], definition: dict[str, Any], mark: str
) -> None:
    """The parameter has the schema's type, limits, default, words, and a control that suits."""
    template = make({"value": schema})
    assert only(template) == {"name": "Value", **definition}
    assert fields_of(template) == [f"value{mark}={{{{Param.Value}}}}"]


@pytest.mark.parametrize(
    ("schema", "definition", "mark"),
    [
        ({"type": "string", "minLength": 3}, {"type": "STRING", **ui("LINE_EDIT")}, "?"),
        (
            {"type": "integer", "minimum": 1},
            {"type": "STRING", **ui("LINE_EDIT"), "description": "At least 1."},
            "?:",
        ),
        (
            {"type": "boolean"},
            {"type": "STRING", **ui("DROPDOWN_LIST"), "allowedValues": ["", *BOOLEAN]},
            "?:",
        ),
        (
            {"enum": [1, 2, None]},
            {"type": "STRING", **ui("DROPDOWN_LIST"), "allowedValues": ["", "1", "2"]},
            "?:",
        ),
        (
            {"anyOf": [{"type": "string", "title": "T"}, {"type": "null"}]},
            {"type": "STRING", **ui("LINE_EDIT", label="T")},
            "?",
        ),
    ],
)
def test_a_field_that_may_be_left_out(
    schema: dict[str, Any], definition: dict[str, Any], mark: str
) -> None:
    """Without a default its parameter may be empty, and the field is not there then."""
    template = make({"properties": {"value": schema}})
    said = " ".join(filter(None, [definition.pop("description", ""), "Left out if empty."]))
    expected = {"name": "Value", **definition, "description": said, "default": ""}
    assert only(template) == expected
    assert fields_of(template) == [f"value{mark}={{{{Param.Value}}}}"]


def test_an_optional_field_with_a_default() -> None:
    """It is given with each job, so that the template says what happens."""
    template = make({"properties": {"value": {"type": "integer", "default": 0}}})
    assert only(template)["default"] == 0
    assert fields_of(template) == ["value:={{Param.Value}}"]


@pytest.mark.parametrize(
    ("name", "hints", "facts"),
    [
        ("scene", {}, ("FILE", "IN", "CHOOSE_INPUT_FILE")),
        ("output", {}, ("FILE", "OUT", "CHOOSE_OUTPUT_FILE")),
        ("outputDir", {}, ("DIRECTORY", "OUT", "CHOOSE_DIRECTORY")),
        ("project_folder", {}, ("DIRECTORY", "IN", "CHOOSE_DIRECTORY")),
        ("workdir", {}, ("DIRECTORY", "IN", "CHOOSE_DIRECTORY")),
        ("cache", {"objectType": "DIRECTORY"}, ("DIRECTORY", "IN", "CHOOSE_DIRECTORY")),
        ("cache", {"control": "CHOOSE_DIRECTORY"}, ("DIRECTORY", "IN", "CHOOSE_DIRECTORY")),
        ("file", {"dataFlow": "INOUT"}, ("FILE", "INOUT", "CHOOSE_INPUT_FILE")),
        ("file", {"dataFlow": "OUT", "control": "HIDDEN"}, ("FILE", "OUT", "HIDDEN")),
    ],
)
def test_a_path(name: str, hints: dict[str, Any], facts: tuple[str, str, str]) -> None:
    """The schema says what it is and which way it goes; where it does not, its name does."""
    template = make({name: {"type": "string", "format": "path", "x-openjd": hints}})
    found = only(template)
    assert found["type"] == "PATH"
    made = (found["objectType"], found["dataFlow"], found["userInterface"]["control"])
    assert made == facts
    # As it was given: the adaptor's runtime maps it.
    assert fields_of(template) == [f"{name}={{{{RawParam.{found['name']}}}}}"]


def test_a_path_that_the_adaptor_does_not_map() -> None:
    """The engine's mapping is all that there is."""
    template = make({"scene": {"type": "string", "format": "path"}}, mapped=False)
    assert fields_of(template) == ["scene={{Param.Scene}}"]


@pytest.mark.parametrize(
    ("name", "schema", "kind"),
    [
        ("scene_file", {"type": "string"}, "PATH"),
        ("outputDir", {"type": "string"}, "PATH"),
        ("output_file_name", {"type": "string"}, "STRING"),
        ("use_file", {"type": "boolean"}, "STRING"),
    ],
)
def test_paths_of_version_0_9(name: str, schema: dict[str, Any], kind: str) -> None:
    """Its schemas mark no paths: what is called one is one. Where they are marked, that counts."""
    assert only(make({name: schema}, mapped=False))["type"] == kind
    assert only(make({name: schema}))["type"] == "STRING"


def test_file_filters() -> None:
    """They stand in the schema as they stand in a template."""
    filters = [{"label": "Blender", "patterns": ["*.blend"]}, {"label": "All", "patterns": ["*"]}]
    hints = {"fileFilters": filters, "fileFilterDefault": filters[0], "groupLabel": "Scene"}
    template = make({"scene": {"type": "string", "format": "path", "x-openjd": hints}})
    interface = only(template)["userInterface"]
    assert interface == {"control": "CHOOSE_INPUT_FILE", **hints, "groupLabel": "Scene"}


@pytest.mark.parametrize(
    ("default", "kept"),
    [
        ("a/b.txt", True),
        ("/etc/hosts", False),
        ("C:\\x", False),
        ("../x", False),
        ("a\\..\\x", False),
        ("s3://x/y", False),
    ],
)
def test_the_default_of_a_path(default: str, kept: bool) -> None:
    """Engines take those alone that are below the template; another one is left to the adaptor."""
    path = {"type": "string", "format": "path", "default": default}
    found = only(make({"properties": {"value": path}}))
    assert found["default"] == (default if kept else "")
    assert ("default" in only(make({"value": path}))) is kept


def test_names_that_are_no_identifiers() -> None:
    """Each parameter has a name of its own that is one; the fields keep theirs."""
    names = ["output-dir", "outputDir", "3d", "größe", "日本", "x" * 200, "a b.c", "OUTPUT_DIR"]
    template = make({name: {"type": "string"} for name in names})
    made = [definition["name"] for definition in template.data["parameterDefinitions"]]
    assert made[:5] == ["OutputDir", "OutputDir2", "Field3D", "Groe", "Field"]
    assert made[6:] == ["ABC", "OutputDir3"]
    assert [field.partition("=")[0] for field in fields_of(template)] == names


def test_init_data_and_run_data_with_one_name() -> None:
    """Two parameters."""
    template = make({"quality": {"type": "string"}}, {"quality": {"type": "integer"}})
    assert fields_of(template) == ["quality={{Param.Quality}}", "quality:={{Param.Quality2}}"]


def test_constants() -> None:
    """What can only be one value is no parameter; its braces mean no expression."""
    value = {"a": {"b": ["{{Param.X}}", "}}", "\x7f\n\\{{"]}}
    template = make({"version": {"const": value}, "other": {"type": "string"}})
    assert only(template)["name"] == "Other"
    (field, _) = fields_of(template)
    assert "{{" not in field and "}}" not in field
    assert read_fields([field], "x") == {"version": value}


def test_references() -> None:
    """They are followed, also to themselves."""
    schema = {
        "$ref": "#/$defs/all",
        "$defs": {
            "all": {
                "properties": {"size": {"$ref": "#/$defs/size"}, "tree": {"$ref": "#/$defs/all"}},
                "required": ["size"],
            },
            "size": {"type": "integer", "minimum": 7},
        },
        "properties": {},
    }
    template = make(schema)
    size, _ = template.data["parameterDefinitions"]
    assert size == {"name": "Size", "type": "INT", **ui("SPIN_BOX"), "minValue": 7}
    assert fields_of(template)[1] == "tree?:={{Param.Tree}}"


@pytest.mark.parametrize(
    ("name", "schema", "task", "mark"),
    [
        ("frame", {"type": "integer"}, "INT", ":"),
        ("frame", {"type": "string"}, "INT", ""),
        ("frames", {"type": "string"}, "CHUNK[INT]", ""),
        ("frameRange", {"type": ["string", "integer"]}, "CHUNK[INT]", ""),
        ("tile", {"type": "integer", "x-openjd": {"taskParameter": True}}, "INT", ":"),
        ("tiles", {"type": "string", "x-openjd": {"chunks": "CONTIGUOUS"}}, "CHUNK[INT]", ""),
        ("frames", {"type": "string", "x-openjd": {"chunks": False}}, "INT", ""),
    ],
)
def test_tasks(name: str, schema: dict[str, Any], task: str, mark: str) -> None:
    """A field of the run data that is a range, or a number of one, differs from task to task."""
    template = make(None, {"other": {"type": "string"}, name: schema}, range="1-3")
    (space,) = template.data["steps"][0]["parameterSpace"]["taskParameterDefinitions"]
    assert space["type"] == task
    assert template.data.get("extensions", []) == (["TASK_CHUNKING"] if "CHUNK" in task else [])
    definitions = {d["name"]: d for d in template.data["parameterDefinitions"]}
    assert definitions[space["range"][len("{{Param.") : -2]]["default"] == "1-3"
    assert fields_of(template)[1] == f"{name}{mark}={{{{Task.Param.{space['name']}}}}}"
    if "CHUNK" in task:
        expected = schema.get("x-openjd", {}).get("chunks", "NONCONTIGUOUS")
        assert space["chunks"] == {
            "defaultTaskCount": "{{Param.ChunkSize}}",
            "rangeConstraint": expected,
        }
    assert template.notes == []


def test_tasks_without_chunks() -> None:
    """Where the scheduler knows none, each number is a task, and no extension is needed."""
    template = make(None, {"frames": {"type": "string"}}, chunks=False)
    assert "extensions" not in template.data
    (space,) = template.data["steps"][0]["parameterSpace"]["taskParameterDefinitions"]
    assert space == {"name": "Frame", "type": "INT", "range": "{{Param.Frames}}"}


def test_one_task() -> None:
    """Without such a field there is one task, and a note that says so; a count is no range."""
    template = make(None, {"frames": {"type": "integer"}})
    assert "parameterSpace" not in template.data["steps"][0]
    assert "the step has one task" in template.notes[0]
    named = make(None, {"frames": {"type": "integer"}}, each="frames")
    assert "parameterSpace" in named.data["steps"][0]


@pytest.mark.parametrize(
    ("schema", "default"),
    [
        ({"type": "integer"}, "1-10"),
        ({"type": "integer", "minimum": 0}, "0-9"),
        ({"type": "integer", "minimum": 0, "maximum": 3}, "0-3"),
        ({"type": "integer", "maximum": -5}, "-5"),
        ({"type": "integer", "default": 7}, "7"),
        ({"type": "string", "default": "2-8:2"}, "2-8:2"),
        ({"type": "string", "default": "no range"}, "1-10"),
        ({"type": "integer", "minimum": 5, "maximum": 5}, "5"),
    ],
)
def test_the_default_range(schema: dict[str, Any], default: str) -> None:
    """Ten numbers that the field can have, unless it has a default."""
    assert only(make(None, {"frame": schema}))["default"] == default


def test_actions() -> None:
    """Start, run and stop find each other; each can be cancelled; paths are mapped."""
    (step,) = make().data["steps"]
    actions = step["stepEnvironments"][0]["script"]["actions"]
    where = ["--connection-file", "{{Session.WorkingDirectory}}/connection.json"]
    rules = ["--path-mapping-rules", "file://{{Session.PathMappingRulesFile}}"]
    assert actions["onEnter"]["args"] == ["daemon", "start", *where, *rules]
    assert actions["onExit"]["args"] == ["daemon", "stop", *where]
    run = step["script"]["actions"]["onRun"]
    assert run["args"] == ["daemon", "run", *where]
    for action in (*actions.values(), run):
        assert action["command"] == "plain-openjd"
        assert action["cancelation"]["mode"] == "NOTIFY_THEN_TERMINATE"
        # An adaptor without limits has none.
        assert "timeout" not in action


def test_timeouts() -> None:
    """A while beyond the adaptor's limits; none where there is no limit."""
    (step,) = make(adaptor=LimitedAdaptor).data["steps"]
    actions = step["stepEnvironments"][0]["script"]["actions"]
    assert actions["onEnter"]["timeout"] == 11 + 60
    assert "timeout" not in actions["onExit"]
    # The application may have to be started anew before the task.
    assert step["script"]["actions"]["onRun"]["timeout"] == 111 + 60


def test_words_of_the_job() -> None:
    """Its name and description are the adaptor's, its name the user's if there is one."""
    data = make().data
    assert (data["name"], data["description"]) == ("Plain", "Does nothing.")
    assert make(name="Mine").data["name"] == "Mine"


def test_host_requirements() -> None:
    """Amounts are at least so much, attributes any of those."""
    require = (
        ("amount.worker.vcpu", "4"),
        ("amount.worker.memory", "0.5"),
        ("attr.worker.os.family", "linux, windows"),
    )
    assert make(require=require).data["steps"][0]["hostRequirements"] == {
        "amounts": [
            {"name": "amount.worker.vcpu", "min": 4},
            {"name": "amount.worker.memory", "min": 0.5},
        ],
        "attributes": [{"name": "attr.worker.os.family", "anyOf": ["linux", "windows"]}],
    }


def test_many_parameters() -> None:
    """More than fifty need an extension, more than two hundred cannot be."""
    fifty = {f"field{n}": {"type": "string"} for n in range(50)}
    assert "extensions" not in make(fifty).data
    assert make({**fifty, "more": {"type": "string"}}).data["extensions"] == ["FEATURE_BUNDLE_1"]
    with pytest.raises(ToolError, match="201 fields, and a template at most 200 parameters"):
        make({f"field{n}": {"type": "string"} for n in range(201)})


@pytest.mark.parametrize(
    ("init", "run", "wishes", "words"),
    [
        ({"a": {"x-openjd": {"dataflow": "IN"}}}, {}, {}, "no key 'dataflow'; did you mean 'data"),
        ({"a": {"x-openjd": 5}}, {}, {}, "init data, field 'a': x-openjd: a table"),
        ({"a": {"x-openjd": {"label": 5}}}, {}, {}, "5 is no value for label"),
        ({"a": {"x-openjd": {"parameter": False}}}, {}, {}, "'a' (--init-field) is required, so"),
        ({"a=b": {}}, {}, {}, "the field 'a=b' is required, but no argument"),
        ({"{{a": {}}, {}, {}, "the field '{{a' is required, but no argument"),
        ({}, {"frame": {}}, {"each": "frmae"}, "no field 'frmae'; did you mean 'frame'?"),
        ({}, {"a": {"type": "boolean"}}, {"each": "a"}, "the field 'a' takes no numbers"),
        ({}, {"frame": {}}, {"range": "10-1"}, "--range: the range '10-1' is not valid"),
        ({}, {}, {"range": "1"}, "--range: no field of the run data is a range"),
        ({}, {}, {"require": (("amount.worker.vcpu", "x"),)}, "an amount is a number"),
    ],
)
def test_what_cannot_be(init: Any, run: Any, wishes: dict[str, Any], words: str) -> None:
    """One line says what, where, and what to do."""
    with pytest.raises(ToolError, match=re.escape(words)) as error:
        make(init, run, **wishes)
    assert "\n" not in str(error.value)


def test_an_optional_field_that_no_argument_can_name() -> None:
    """It is left out, and a note says so."""
    template = make({"properties": {"a}}": {"type": "string"}}})
    assert "parameterDefinitions" not in template.data
    assert any("'a}}' is left out" in note for note in template.notes)


# Any schema.

TEXT = st.text(max_size=12)
# What can be an argument at all: no null byte.
ENTERED = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(2**40), 2**40), ENTERED)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(ENTERED, inner, max_size=3)
    ),
    max_leaves=6,
)
FLOATS = st.floats(-1e12, 1e12, allow_nan=False)


@st.composite
def described(draw: st.DrawFn) -> tuple[dict[str, Any], Any]:
    """A schema, and a value that fits it and that a parameter can have."""
    kind = draw(st.sampled_from(["text", "path", "enum", "int", "float", "bool", "list", "any"]))
    schema: dict[str, Any]
    if kind in ("text", "path"):
        value = draw(ENTERED)
        schema = {"type": "string"}
        if kind == "path":
            value = f"{Path.cwd().anchor}{value}"  # An engine leaves it as it is.
            schema["format"] = "path"
        if draw(st.booleans()):
            schema["minLength"] = draw(st.integers(0, len(value)))
        if draw(st.booleans()):
            schema["maxLength"] = draw(st.integers(len(value), 2000))
    elif kind == "enum":
        values = draw(st.lists(JSON, min_size=1, max_size=5))
        schema, value = {"enum": values}, draw(st.sampled_from(values))
    elif kind in ("int", "float"):
        numbers: st.SearchStrategy[Any] = st.integers(-(2**40), 2**40)
        numbers = numbers if kind == "int" else FLOATS
        low, value, high = sorted(draw(st.tuples(numbers, numbers, numbers)))
        schema = {"type": "integer" if kind == "int" else "number"}
        if draw(st.booleans()):
            schema["minimum"] = low
        if draw(st.booleans()):
            schema["maximum"] = high
        if draw(st.booleans()) and low < value:
            schema["exclusiveMinimum"] = low
    elif kind == "bool":
        schema, value = {"type": "boolean"}, draw(st.booleans())
    elif kind == "list":
        value = draw(st.lists(ENTERED, max_size=4))
        schema = {"type": "array", "items": {"type": "string"}}
    else:
        schema, value = {}, draw(JSON)
    if "type" in schema and draw(st.booleans()):
        schema = {"anyOf": [schema, {"type": "null"}]}
    for keyword, texts in (("title", TEXT), ("description", TEXT), ("default", JSON)):
        if draw(st.booleans()):
            schema[keyword] = draw(texts)
    if draw(st.booleans()):
        schema["default"] = value
    return schema, value


NAMES = st.one_of(
    st.sampled_from(["frames", "frame", "scene", "output_dir"]),
    st.text(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="=?:[]{}"), min_size=1
    ),
)


@st.composite
def data_schemas(draw: st.DrawFn, prefix: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A schema of data, and data that fits it; what is optional may be left out."""
    drawn = draw(st.dictionaries(NAMES, described(), max_size=4))
    fields = {prefix + name: value for name, value in drawn.items()}
    required = [name for name in fields if draw(st.booleans())]
    data = {
        name: value
        for name, (_, value) in fields.items()
        if name in required or draw(st.booleans())
    }
    properties = {name: schema for name, (schema, _) in fields.items()}
    return {"type": "object", "properties": properties, "required": required}, data


def entered(field: str, value: Any) -> str | None:
    """What a user enters for a value; None where nothing can say it."""
    optional, mark = "?" in field, field.rpartition("?")[2] if "?" in field else field
    if mark == "" and isinstance(value, str):
        text: str | None = value
    elif mark == "[]" and isinstance(value, list) and value != [""]:
        text = "\n".join(value) if not any(re.search(r"[\r\n]", one) for one in value) else None
    else:
        text = json.dumps(value, ensure_ascii=False) if mark == ":" else None
    # Where a field may be left out, nothing means that; null has no other use there.
    return None if optional and (not text or value is None) else text


FIELD = re.compile(r"(.*?)(\??(?::|\[\])?)=\{\{(?:Raw)?Param\.(\w+)\}\}", re.DOTALL)


@given(data_schemas("init "), data_schemas(""), st.booleans())
@settings(max_examples=25)
def test_any_schema(init: Any, run: Any, chunks: bool) -> None:
    """The template is valid, and what a user enters arrives as it was meant, field by field."""
    template = make(init[0], run[0], chunks=chunks)
    data = {**init[1], **run[1]}
    definitions = {d["name"]: d for d in template.data.get("parameterDefinitions", [])}
    values: dict[str, str] = {}
    expected: dict[str, tuple[str, dict[str, Any]]] = {}
    for argument in fields_of(template):
        match = FIELD.fullmatch(argument)
        if match is None:
            assert "{{Task.Param." in argument
            continue
        name, how, parameter = match.groups()
        definition = definitions[parameter]
        text = entered(how, data[name]) if name in data else None
        if text is not None:
            values[parameter] = text
            expected[parameter] = argument, {name: data[name]}
        elif "?" in how:
            expected[parameter] = argument, {}
        elif "default" not in definition:
            any_text = "x" * max(1, definition.get("minLength", 1))
            values[parameter] = str(definition.get("allowedValues", [any_text])[0])
            if definition["type"] in ("INT", "FLOAT"):
                values[parameter] = str(definition.get("minValue", definition.get("maxValue", 0)))
    filled = preprocess_job_parameters(
        job_template=valid(template),
        job_parameter_values=values,  # type: ignore[arg-type]
        job_template_dir=Path.cwd(),
        current_working_dir=Path.cwd(),
    )
    for parameter, (argument, meant) in expected.items():
        head, _, _ = argument.partition("={{")
        assert read_fields([f"{head}={filled[parameter].value}"], "x") == meant
