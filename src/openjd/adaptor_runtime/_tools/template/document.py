"""The template as a whole: parameters, the step with its tasks, and what starts and stops it."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import yaml

from ...adaptors import IntRange
from ...application.settings import Limits
from ...application.supervised import SupervisedAdaptor
from ...application.toml_adaptor import TomlAdaptor
from ..errors import ToolError
from ..named_adaptor import NamedAdaptor, Schemas
from . import texts
from .parameters import Parameter, check_hints, parameter
from .schema import Field, fields

#: Seconds beyond a limit of the adaptor's: by then it has said which limit it was, and has ended.
GRACE = 60
#: Seconds from the notice of a cancel to the kill.
NOTIFY_PERIOD = 30
_CONNECTION = "{{Session.WorkingDirectory}}/connection.json"
_MOST_PARAMETERS, _MOST_WITH_BUNDLE = 50, 200
#: Names of fields that are likely to differ from task to task: a range of numbers, or one.
_RANGES, _NUMBERS = ("frames", "framerange", "range", "chunk"), ("frame",)


class Wishes(NamedTuple):
    """What the user asked for."""

    name: str | None = None
    command: list[str] | None = None
    #: The TOML file's path, as the template's folder sees it; None if it is elsewhere.
    file_default: str | None = None
    #: The field of the run data that differs from task to task.
    each: str | None = None
    #: The default of its range.
    range: str | None = None
    chunks: bool = True
    #: Name of a capability -> an amount, or the values of an attribute.
    require: tuple[tuple[str, str], ...] = ()


class _Each(NamedTuple):
    """The task parameter."""

    field: Field
    #: The job parameter with its range.
    range_name: str
    name: str
    #: CONTIGUOUS or NONCONTIGUOUS; None for tasks of one number.
    chunks: str | None


class Template:
    """A job template for an adaptor.

    Args:
        adaptor: the adaptor.
        schemas: those of its data.
        wishes: what the user asked for.

    Raises:
        ToolError: it cannot be made; the message says why.
    """

    def __init__(self, adaptor: NamedAdaptor, schemas: Schemas, wishes: Wishes) -> None:
        self._adaptor, self._schemas, self._wishes = adaptor, schemas, wishes
        self._definitions: list[dict[str, Any]] = []
        self._extensions: list[str] = []
        # The name of the range, which stands behind others that must not take it.
        self._reserved: list[str] = []
        #: What the user should know, in one line each.
        self.notes: list[str] = []
        self.data = self._made()

    @property
    def text(self) -> str:
        """It as YAML."""
        return yaml.dump(
            self.data,
            Dumper=_Dumper,
            sort_keys=False,
            allow_unicode=True,
            width=100,
            default_flow_style=False,
        )

    def _made(self) -> dict[str, Any]:
        init_fields, run_fields = map(fields, self._schemas[:2])
        for data, all_fields in (("init data", init_fields), ("run data", run_fields)):
            for field in all_fields:
                check_hints(field, data)
        each = self._each(run_fields)
        init = self._arguments(init_fields, "--init-field", None)
        run = self._arguments(run_fields, "--run-field", each)
        task_parameters = self._task_parameters(each) if each else None
        command = self._command()
        if len(self._definitions) > _MOST_PARAMETERS:
            if len(self._definitions) > _MOST_WITH_BUNDLE:
                raise ToolError(
                    f"the adaptor has {len(self._definitions)} fields, and a template at most "
                    f"{_MOST_WITH_BUNDLE} parameters; give optional ones x-openjd: "
                    "{parameter: false}"
                )
            self._extensions.append("FEATURE_BUNDLE_1")
        made: dict[str, Any] = {"specificationVersion": "jobtemplate-2023-09"}
        if self._extensions:
            made["extensions"] = self._extensions
        made["name"] = self._wishes.name or self._name()
        said = texts.description(self._about())
        if said:
            made["description"] = said
        if self._definitions:
            made["parameterDefinitions"] = self._definitions
        step: dict[str, Any] = {"name": "Run"}
        if self._wishes.require:
            step["hostRequirements"] = _host_requirements(self._wishes.require)
        if task_parameters:
            step["parameterSpace"] = {"taskParameterDefinitions": [task_parameters]}
        step["stepEnvironments"] = [self._environment(command, init)]
        step["script"] = {"actions": {"onRun": self._action(command, "run", run)}}
        made["steps"] = [step]
        return made

    def _name(self) -> str:
        name = self._adaptor.adaptor_class.__name__
        return (name[: -len("Adaptor")] if name.endswith("Adaptor") else name) or name

    def _about(self) -> str | None:
        """The first sentence of what the class says of itself."""
        cls = self._adaptor.adaptor_class
        said = None if issubclass(cls, TomlAdaptor) else vars(cls).get("__doc__")
        if not said:
            return None
        first = " ".join(said.partition("\n\n")[0].split()).replace("``", "")
        return re.split(r"(?<=[.!?])\s", first)[0]

    # Data.

    def _arguments(self, all_fields: list[Field], option: str, each: _Each | None) -> list[str]:
        """The arguments that give the data; makes the parameters that they name."""
        made: list[str] = []
        cls = self._adaptor.adaptor_class
        roots = cls.description.outputs.roots if issubclass(cls, TomlAdaptor) else {}
        for field in all_fields:
            if not self._is_wanted(field, option):
                continue
            if each is not None and field.name == each.field.name:
                mark = "" if "string" in field.types else ":"
                made += [option, f"{field.name}{mark}={{{{Task.Param.{each.name}}}}}"]
                self._add_range(each)
                continue
            if "const" in field.schema:
                if field.required:
                    made += [option, f"{field.name}:={self._constant(field)}"]
                continue
            one = parameter(field, self._taken, mapped=self._schemas.mapped, roots=roots)
            self._definitions.append(one.definition)
            # What the runtime maps must be as it was given: mapped twice it would be elsewhere.
            raw = one.definition["type"] == "PATH" and self._schemas.mapped
            made += [option, f"{one.field}={{{{{'RawParam' if raw else 'Param'}.{one.name}}}}}"]
        return made

    @property
    def _taken(self) -> list[str]:
        return [*self._reserved, *(definition["name"] for definition in self._definitions)]

    def _is_wanted(self, field: Field, option: str) -> bool:
        writable = texts.is_argument(field.name) and "=" not in field.name
        if not writable or field.name == "" or field.name.endswith(("?", ":", "[]")):
            if field.required:
                raise ToolError(
                    f"the field {field.name!r} is required, but no argument of a template can "
                    "have this name; rename it"
                )
            self.notes.append(f"the field {field.name!r} is left out: no argument can name it")
            return False
        if field.hints.get("parameter") is not False:
            return True
        if field.required and "const" not in field.schema:
            raise ToolError(
                f"the field {field.name!r} ({option}) is required, so x-openjd cannot say "
                "parameter: false of it"
            )
        return False

    def _constant(self, field: Field) -> str:
        text = texts.json_argument(field.schema["const"])
        if text is None:
            raise ToolError(f"the field {field.name!r} must be {field.schema['const']!r}: no JSON")
        return text

    # Tasks.

    def _each(self, run_fields: list[Field]) -> _Each | None:
        field = self._chosen(run_fields)
        if field is None:
            if self._wishes.range is not None:
                raise ToolError(
                    "--range: no field of the run data is a range of numbers; --each FIELD names "
                    "the one that differs from task to task"
                )
            self.notes.append(
                "the step has one task: no field of the run data is a range of numbers "
                "(--each FIELD names the one that differs from task to task)"
            )
            return None
        if not field.types & {"string", "integer", "number"}:
            raise ToolError(f"the field {field.name!r} takes no numbers, so no task can have one")
        words = "".join(word[:1].upper() + word[1:] for word in texts.words(field.name)) or "Value"
        plural = words if words.endswith("s") else f"{words}s"
        others = [*fields(self._schemas.init_data), *run_fields]
        taken = {texts.identifier(one.name, ()) for one in others if one is not field}
        if plural in taken:
            plural = f"{words}Range"
        name = words[:-1] if words.endswith("s") and len(words) > 1 else words
        range_name = texts.identifier(plural, taken)
        self._reserved = [range_name]
        return _Each(field, range_name, texts.identifier(name, ()), self._chunks(field))

    def _chosen(self, run_fields: list[Field]) -> Field | None:
        by_name = {field.name: field for field in run_fields}
        if self._wishes.each is not None:
            if self._wishes.each not in by_name:
                from ..._suggestions import suggestion

                raise ToolError(
                    f"--each: the run data has no field {self._wishes.each!r}"
                    + suggestion(self._wishes.each, by_name)
                )
            return by_name[self._wishes.each]
        for field in run_fields:
            if field.hints.get("taskParameter") is True or field.hints.get("chunks"):
                return field
        cls = self._adaptor.adaptor_class
        if issubclass(cls, TomlAdaptor) and cls.description.chunk is not None:
            return by_name[cls.description.chunk.field]
        for field in run_fields:
            plain = "".join(texts.words(field.name))
            likely = field.hints.get("taskParameter") is not False and "enum" not in field.schema
            if likely and (
                # A number named "frames" counts them.
                (plain in _RANGES and "string" in field.types)
                or (plain in _NUMBERS and field.types & {"string", "integer", "number"})
            ):
                return field
        return None

    def _chunks(self, field: Field) -> str | None:
        """How chunks may be made of the field's range, if the adaptor takes some."""
        hint = field.hints.get("chunks")
        if not self._wishes.chunks or hint is False or "string" not in field.types:
            return None
        if isinstance(hint, str):
            return hint
        cls = self._adaptor.adaptor_class
        described = (
            cls.description.chunk is not None and cls.description.chunk.field == field.name
            if issubclass(cls, TomlAdaptor)
            else "".join(texts.words(field.name)) in _RANGES
        )
        return "NONCONTIGUOUS" if hint or described else None

    def _add_range(self, each: _Each) -> None:
        schema, default = each.field.schema, self._wishes.range
        if default is None:
            default = _default_range(each.field)
        try:
            IntRange.parse(default)
        except ValueError as e:
            raise ToolError(f"--range: {e}") from None
        label = texts.label(each.field.hints.get("label", schema.get("title")))
        said = schema.get("description")
        syntax = "A range: 1-10, or 1-10:2,15."
        if isinstance(said, str) and re.search(r"\d-\d", said):
            syntax = ""  # It shows one.
        self._definitions.append(
            {
                "name": each.range_name,
                "type": "STRING",
                "userInterface": {"control": "LINE_EDIT", **({"label": label} if label else {})},
                "description": texts.description(said, syntax),
                "minLength": 1,
                "default": default,
            }
        )

    def _task_parameters(self, each: _Each) -> dict[str, Any]:
        made: dict[str, Any] = {
            "name": each.name,
            "type": "CHUNK[INT]" if each.chunks else "INT",
            "range": f"{{{{Param.{each.range_name}}}}}",
        }
        if each.chunks:
            self._extensions.append("TASK_CHUNKING")
            name = texts.identifier("ChunkSize", self._taken)
            self._definitions.append(
                {
                    "name": name,
                    "type": "INT",
                    "userInterface": {"control": "SPIN_BOX", "label": "Chunk size"},
                    "description": f"How many of {each.range_name} make up a task.",
                    "minValue": 1,
                    "default": 1,
                }
            )
            made["chunks"] = {
                "defaultTaskCount": f"{{{{Param.{name}}}}}",
                "rangeConstraint": each.chunks,
            }
        return made

    # Actions.

    def _command(self) -> tuple[list[str], list[str]]:
        """What is run, and what stands behind ``daemon start``."""
        if self._adaptor.file is not None and self._wishes.command is None:
            name = texts.identifier("AdaptorFile", self._taken)
            definition: dict[str, Any] = {
                "name": name,
                "type": "PATH",
                "objectType": "FILE",
                "dataFlow": "IN",
                "userInterface": {"control": "CHOOSE_INPUT_FILE", "label": "Adaptor"},
                "description": "The TOML file that describes the adaptor.",
            }
            if self._wishes.file_default is not None:
                definition["default"] = self._wishes.file_default
            self._definitions.append(definition)
            return ["openjd-adaptor"], [f"{{{{Param.{name}}}}}"]
        command = self._wishes.command or self._adaptor.command
        if command is None:
            raise ToolError(
                f"{self._adaptor.adaptor_class.__name__} has neither a console command nor a "
                "package with a __main__.py; --command says how a job runs it"
            )
        return command, []

    def _environment(self, command: tuple[list[str], list[str]], init: list[str]) -> dict[str, Any]:
        rules = ["--path-mapping-rules", "file://{{Session.PathMappingRulesFile}}"]
        actions = {
            "onEnter": self._action(command, "start", [*init, *rules]),
            "onExit": self._action(command, "stop", []),
        }
        return {"name": self._name()[: texts.LONGEST_NAME], "script": {"actions": actions}}

    def _action(
        self, command: tuple[list[str], list[str]], step: str, arguments: list[str]
    ) -> dict[str, Any]:
        words, behind = command
        where = ["--connection-file", _CONNECTION]
        made: dict[str, Any] = {
            "command": words[0],
            "args": [*words[1:], "daemon", step, *behind, *where, *arguments],
        }
        timeout = self._timeout(step)
        if timeout is not None:
            made["timeout"] = timeout
        made["cancelation"] = {
            "mode": "NOTIFY_THEN_TERMINATE",
            "notifyPeriodInSeconds": NOTIFY_PERIOD,
        }
        return made

    def _timeout(self, step: str) -> int | None:
        """Seconds for an action: later than the adaptor gives up itself, with a reason."""
        cls = self._adaptor.adaptor_class
        if not issubclass(cls, SupervisedAdaptor):
            return None
        limits: Limits = cls.limits
        if issubclass(cls, TomlAdaptor):
            limits = limits._replace(**cls.description.settings.get("limits", {}))
        seconds: float = getattr(limits, step)
        if not seconds:
            return None
        if step == "run" and limits.start and not issubclass(cls, TomlAdaptor):
            seconds += limits.start  # An application that has died is started anew first.
        return min(math.ceil(seconds) + GRACE, 2**31 - 1)


def _default_range(field: Field) -> str:
    """Ten numbers from the first that the field can have; its own default if that is a range."""
    default = field.schema.get("default") if field.has_default else None
    if isinstance(default, (str, int)) and not isinstance(default, bool):
        try:
            return str(IntRange.parse(str(default)))
        except ValueError:
            pass
    if "string" in field.types:
        return "1-10"
    low, high = field.schema.get("minimum"), field.schema.get("maximum")
    bound = 10**9
    first = math.ceil(low) if isinstance(low, (int, float)) and abs(low) < bound else 1
    last = first + 9
    if isinstance(high, (int, float)) and abs(high) < bound:
        if low is None and high < first:
            first = math.floor(high)
        last = max(first, min(last, math.floor(high)))
    return str(IntRange.of(range(first, last + 1)))


def _host_requirements(require: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    amounts: list[dict[str, Any]] = []
    attributes: list[dict[str, Any]] = []
    for name, value in require:
        if "attr." in name:
            attributes.append({"name": name, "anyOf": [one.strip() for one in value.split(",")]})
            continue
        try:
            amount = float(value)
        except ValueError:
            amount = math.nan
        if not math.isfinite(amount):
            raise ToolError(f"--require {name}={value}: an amount is a number")
        amounts.append({"name": name, "min": int(amount) if amount.is_integer() else amount})
    made: dict[str, Any] = {}
    if amounts:
        made["amounts"] = amounts
    if attributes:
        made["attributes"] = attributes
    return made


class _Dumper(yaml.SafeDumper):
    """YAML whose lists stand further in than their names, and without references."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # Line breaks of YAML's that are none of people's are lost unless they are escaped.
    style = None if _PLAIN.fullmatch(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


#: What stands in YAML as it is, in quotes or without.
_PLAIN = re.compile(
    r"[\n\x20-\x7e\xa0-\u2027\u2030-\ufdff\ufe00-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*"
)
_Dumper.add_representer(str, _text_node)

__all__ = ["Parameter", "Template", "Wishes"]
