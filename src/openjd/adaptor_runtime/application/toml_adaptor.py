"""Adaptors that a TOML file describes: commands with placeholders, and no code."""

from __future__ import annotations

import datetime
import os
import re
import sys
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

from .._suggestions import suggestion
from .._text import decode, one_line
from ..adaptors import AdaptorDataValidator, IntRange, SemanticVersion
from ..adaptors.configuration import ConfigurationManager, adaptor_configuration_manager
from ..adaptors.data_validators import SessionData
from .command_line import CommandLineAdaptor
from .placeholders import NAME, Arguments, Field, Text, check_keys, json_type
from .rules import Fail, License, Progress, Rule, RuleBook, RuleListener, Status, Warn
from .settings import ApplicationConfiguration

if TYPE_CHECKING:
    from collections.abc import Callable

# Key -> the type of its value.
_KEYS: dict[str, type] = {
    "name": str,
    "version": str,
    "command": list,
    "outputs": list,
    "exit_codes": list,
    "working_directory": str,
    "environment": dict,
    "continue_on_error": bool,
    "init_data": dict,
    "run_data": dict,
    "rules": list,
    "limits": dict,
    "chunk": dict,
}
# Kind -> its class, and the parameters that its table may have beside pattern, id and unless.
_RULES: dict[str, tuple[Callable[..., Rule], dict[str, tuple[type, ...]]]] = {
    "progress": (Progress, {"total": (str, int, float)}),
    "status": (Status, {"text": (str,)}),
    "warn": (Warn, {"text": (str,)}),
    "fail": (Fail, {"text": (str,), "stop": (bool,)}),
    "license": (License, {"remedy": (str,)}),
}
# How a chunk is expanded -> the fields that a command has of it.
_CHUNKS = {"number": ("number",), "block": ("first", "last", "count")}
_CLASS_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
#: So many commands at most make a task. More would be memory for what they write, not work.
_MOST_COMMANDS = 100_000
_TOTAL = re.compile(r"\{([^{}:]+)\}")


class DescriptionError(ValueError):
    """A description that cannot be used; its message is one line with file, place and remedy."""


class _Data(NamedTuple):
    """What the fields of init data or run data may be."""

    validator: AdaptorDataValidator
    defaults: dict[str, Any]
    fields: dict[str, Field]


class _Chunk(NamedTuple):
    """The field that holds a range expression, and how it is expanded."""

    field: str
    by: str


class Description:
    """What a TOML file says of an adaptor, checked.

    Args:
        table: what the file holds.

    Raises:
        ValueError: it does not say what it must; the message begins with the place.
    """

    def __init__(self, table: dict[str, Any]) -> None:
        check_keys(table, _KEYS, "", needed=("name", "version", "command"))
        for key, value in table.items():
            if not isinstance(value, _KEYS[key]):
                expected = json_type(_KEYS[key]())
                raise ValueError(f"{key}: {expected} is expected, not {json_type(value)}")
        self.name: str = table["name"]
        if not _CLASS_NAME.fullmatch(self.name):
            raise ValueError(f"name: {self.name!r} is not made of letters, digits and _ alone")
        self.version = SemanticVersion.parse(table["version"])
        self.exit_codes: list[int] = table.get("exit_codes", [0])
        if not self.exit_codes or not all(type(code) is int for code in self.exit_codes):
            raise ValueError("exit_codes: a list of numbers is expected, such as [0, 1]")

        self.init_data = _read_data(table.get("init_data", {}), "init_data")
        self.run_data = _read_data(table.get("run_data", {}), "run_data")
        self.chunk = _read_chunk(table["chunk"], self.run_data) if "chunk" in table else None
        fields = _merged(self.init_data.fields, self.run_data.fields)
        data_fields = dict(fields)
        for name in _CHUNKS[self.chunk.by] if self.chunk else ():
            if name in fields:
                raise ValueError(f"chunk: the data has a field {name!r} already; rename that")
            fields[name] = Field(frozenset({"integer"}))

        if not table["command"]:
            raise ValueError("command: it is empty; the program comes first")
        self.command = Arguments(table["command"], fields, "command")
        self.outputs = Arguments(table.get("outputs", []), fields, "outputs")
        self.working_directory: Text | None = None
        if "working_directory" in table:
            self.working_directory = Text(table["working_directory"], fields, "working_directory")
        self.environment: dict[str, Text] = {}
        for name, value in table.get("environment", {}).items():
            if not name or "=" in name or "\0" in name:
                raise ValueError(f"environment: {name!r} is no name of a variable")
            if not isinstance(value, str):
                raise ValueError(f"environment, {name}: a text is expected, not {json_type(value)}")
            self.environment[name] = Text(value, fields, f"environment, {name}")

        #: The lowest layer of the configuration.
        self.settings: dict[str, Any] = {
            key: table[key] for key in ("limits", "continue_on_error") if key in table
        }
        wrong = ApplicationConfiguration._wrong(self.settings)
        if wrong is not None:
            raise ValueError(f"{', '.join(map(str, wrong[0]))}: {wrong[1]}")
        self._rules = _read_rules(table.get("rules", []), data_fields)
        #: Whether the rules depend on the data of a task.
        self.rules_vary = any(isinstance(rule.get("total"), str) for _, rule in self._rules)
        # Compiles the patterns, and calls nobody.
        RuleBook(self.rules(None), cast(RuleListener, None))

    def rules(self, values: Mapping[str, Any] | None) -> list[Rule]:
        """The output rules for a task with these values; None for no task in particular.

        Raises:
            ValueError: a value is no total.
        """
        made = []
        for number, (kind, parameters) in enumerate(self._rules, start=1):
            total = parameters.get("total")
            if isinstance(total, str):
                name = total[1:-1]
                parameters = {**parameters, "total": 1 if values is None else values.get(name)}
                if parameters["total"] is None:
                    # It must stay, since a site's configuration may name it, and say nothing.
                    parameters = {**parameters, "total": 1, "unless": ""}
            try:
                made.append(_RULES[kind][0](**parameters))
            except (TypeError, ValueError) as e:
                raise ValueError(f"rules, entry {number}: {e}") from None
        return made


def read(path: str) -> Description:
    """The description in a TOML file.

    Raises:
        DescriptionError: the file cannot be read, is no TOML, or does not describe an adaptor.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        try:
            import tomli as tomllib
        except ImportError:
            raise DescriptionError(
                f"{path} cannot be read: this Python has no reader for TOML; "
                "pip install 'openjd-adaptor-runtime[toml]'"
            ) from None
    try:
        with open(path, "rb") as file:
            text = decode(file.read())
    except OSError as e:
        raise DescriptionError(f"{path} cannot be read: {e.strerror or e}") from None
    except ValueError as e:
        raise DescriptionError(f"{path} {e}") from None
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise DescriptionError(f"{path} is nested too deeply") from None
    except ValueError as e:
        raise DescriptionError(f"{path} is no TOML: {one_line(str(e))}") from None
    try:
        return Description(table)
    except RecursionError:
        # TOML reads a.b.c.d... without any.
        raise DescriptionError(f"{path} is nested too deeply") from None
    except ValueError as e:
        raise DescriptionError(f"{path}: {one_line(str(e))}") from None


def adaptor_class(path: str) -> type[TomlAdaptor]:
    """The class of the adaptor that a TOML file describes.

    Raises:
        DescriptionError: see ``read``.
    """
    description = read(path)
    members = {
        "__module__": __name__,
        "application_name": description.name,
        "description": description,
        "folder": os.path.dirname(os.path.abspath(path)),
        "success_exit_codes": tuple(description.exit_codes),
    }
    return type(description.name, (TomlAdaptor,), members)


class TomlAdaptor(CommandLineAdaptor):
    """Runs what its description says."""

    description: ClassVar[Description]
    #: Where the file is, and beside it the defaults of the configuration.
    folder: ClassVar[str]

    def __init__(self, init_data: dict[str, Any], **options: Any) -> None:
        super().__init__(init_data, **options)
        self.rules = self.description.rules(None)
        self._session_data = _DescribedData(self)
        # What the command under way is made from, and which numbers of the chunk it does.
        self._values: Mapping[str, Any] = {}
        self._first, self._size = 0, 1

    @property
    def integration_data_interface_version(self) -> SemanticVersion:
        """The version that the description says."""
        return self.description.version

    @property
    def config_manager(self) -> ConfigurationManager[ApplicationConfiguration]:
        """Finds the layers of the configuration; the packaged one is beside the description."""
        if self._config_manager is None:
            self._config_manager = adaptor_configuration_manager(
                self.description.name, self.folder, ApplicationConfiguration
            )
        return self._config_manager

    @property
    def config(self) -> ApplicationConfiguration:
        """The configuration; what the description sets is its lowest layer."""
        if self._config is None:
            own = ApplicationConfiguration(dict(self.description.settings))
            self._config = own.override(self.config_manager.build_config())
        return self._config

    def commands(self, run_data: dict[str, Any]) -> Iterator[list[str]]:
        """The command, or one for each part of the chunk."""
        first = 0
        for values, size in self._parts(run_data):
            self._values, self._first, self._size = values, first, size
            self._progress.enter(first)
            first += size
            command = self.description.command.expand(self._values)
            if command and command[0].rstrip(" .").lower().endswith((".bat", ".cmd")):
                raise ValueError(
                    f"command: {one_line(command[0], 300)} is a batch file, whose arguments a "
                    "command interpreter would read; name the program that it runs"
                )
            yield command

    def outputs(self, run_data: dict[str, Any]) -> list[str]:
        """What the description says, for each part of the chunk."""
        paths: dict[str, None] = {}
        for values, _ in self._parts(run_data):
            folder = self.description.working_directory
            base = (folder.fill(values) if folder is not None else None) or ""
            for path in self.description.outputs.expand(values):
                paths[os.path.join(base, path)] = None
        return list(paths)

    def environment(self) -> Mapping[str, str | None]:
        """What the description says; a variable whose fields have no value is left as it is."""
        texts = self.description.environment.items()
        filled = ((name, text.fill(self._values)) for name, text in texts)
        return {name: text for name, text in filled if text is not None}

    def working_directory(self) -> str | None:
        """What the description says."""
        folder = self.description.working_directory
        return folder.fill(self._values) if folder is not None else None

    def on_progress(self, percent: float) -> None:
        """The progress of one command, which may do several numbers of the chunk."""
        done = min(max(percent, 0.0), 100.0) / 100 * self._size
        index = min(int(done), self._size - 1)
        self._progress.enter(self._first + index)
        super().on_progress((done - index) * 100)

    def _run(self, run_data: dict[str, Any]) -> None:
        if self.description.rules_vary:
            self.rules = self.description.rules(_merged(self.init_data, run_data))
            self._book = None
        super()._run(run_data)

    def _parts(self, run_data: dict[str, Any]) -> Iterator[tuple[dict[str, Any], int]]:
        """For each command its values, and how many numbers of the chunk it does."""
        values = _merged(self.init_data, run_data)
        chunk = self.description.chunk
        if chunk is None:
            yield values, 1
            return
        try:
            numbers = IntRange.parse(str(run_data.get(chunk.field)))
        except ValueError as e:
            raise ValueError(f"run data, /{chunk.field}: {e}") from None
        count = len(numbers)
        if chunk.by == "block":
            blocks = islice(numbers.contiguous_blocks(), _MOST_COMMANDS + 1)
            count = sum(1 for _ in blocks)
        if count > _MOST_COMMANDS:
            raise ValueError(
                f"run data, /{chunk.field}: {one_line(str(numbers), 100)} makes more than "
                f"{_MOST_COMMANDS:,} commands; make the chunks smaller"
            )
        self._progress.split(len(numbers))
        if chunk.by == "number":
            for number in numbers:
                yield {**values, "number": number}, 1
        else:
            for first, last in numbers.contiguous_blocks():
                count = last - first + 1
                yield {**values, "first": first, "last": last, "count": count}, count


class _DescribedData(SessionData):
    """The data of such an adaptor: left out fields filled in, checked, then its paths mapped."""

    def __init__(self, adaptor: TomlAdaptor) -> None:
        # Without the base's, which reads the schemas' files.
        self._adaptor = adaptor
        self._init_data_done = False
        self._description = adaptor.description
        self._init_data = self._description.init_data.validator
        self._run_data = self._description.run_data.validator

    def _prepared(
        self, validator: AdaptorDataValidator, data: dict[str, Any], what: str
    ) -> dict[str, Any]:
        described = self._description
        about = described.init_data if validator is self._init_data else described.run_data
        return super()._prepared(validator, {**about.defaults, **data}, what)


def _merged(init: Mapping[str, Any], run: Mapping[str, Any]) -> dict[str, Any]:
    """Init data and run data, which goes first where it has a value."""
    return {**init, **{name: value for name, value in run.items() if value is not None}}


def _read_data(table: dict[str, Any], place: str) -> _Data:
    properties: dict[str, Any] = {}
    needed: list[str] = []
    defaults: dict[str, Any] = {}
    for name, given in table.items():
        at = f"{place}.{name}"
        if not NAME.fullmatch(name):
            raise ValueError(
                f"{at}: {name!r} is no name for a field; letters, digits, - and _ make one"
            )
        if not isinstance(given, dict):
            raise ValueError(
                f"{at}: a table with a JSON Schema is expected, such as "
                f'{{ type = "string" }}, not {json_type(given)}'
            )
        _check_json(given, at)
        schema = dict(given)
        required = schema.get("required")
        if isinstance(required, bool):
            del schema["required"]
        if "default" in schema:
            defaults[name] = schema["default"]
            if required is True:
                raise ValueError(
                    f"{at}: it is required, but has a default for when it is left out; remove one"
                )
        elif required is not False:
            needed.append(name)
        properties[name] = schema
    whole = {
        "type": "object",
        "properties": properties,
        "required": needed,
        "additionalProperties": False,
    }
    validator = _validator(whole, defaults, place)
    fields = {
        name: _field(schema, name not in needed and name not in defaults)
        for name, schema in properties.items()
    }
    return _Data(validator, defaults, fields)


def _field(schema: dict[str, Any], optional: bool) -> Field:
    given = schema.get("type", [])
    types = frozenset([given] if isinstance(given, str) else given)
    if not types:
        return Field(optional=optional)
    if "number" in types:
        types |= {"integer"}
    return Field(types, optional or "null" in types)


def _validator(
    schema: dict[str, Any], defaults: dict[str, Any], place: str
) -> AdaptorDataValidator:
    from jsonschema import SchemaError, ValidationError

    validator = AdaptorDataValidator(schema)
    try:
        validator._compiled()
        validator._schema_paths()
    except SchemaError as e:
        steps = [str(step) for step in e.absolute_path if step != "properties"]
        raise ValueError(f"{'.'.join([place, *steps])}: {e.message}") from None
    except ValueError as e:
        raise ValueError(f"{place}: {e}") from None
    try:
        AdaptorDataValidator({**schema, "required": []}).validate(defaults)
    except ValidationError as e:
        steps = [str(step) for step in e.absolute_path]
        raise ValueError(
            f"{'.'.join([place, *steps])}: its default does not fit: {e.message}"
        ) from None
    return validator


def _check_json(value: Any, place: str) -> None:
    """TOML has values that JSON, and so a schema, knows nothing of."""
    if isinstance(value, (datetime.date, datetime.time)):
        raise ValueError(f"{place}: a date or time is no value of JSON; put it in quotes")
    children = value.items() if isinstance(value, dict) else ()
    for key, child in enumerate(value) if isinstance(value, list) else children:
        _check_json(child, f"{place}.{key}")


def _read_chunk(table: dict[str, Any], run_data: _Data) -> _Chunk:
    check_keys(table, {"field", "by"}, "chunk", needed=("field", "by"))
    for key, value in table.items():
        if not isinstance(value, str):
            raise ValueError(f"chunk, {key}: a text is expected, not {json_type(value)}")
    chunk = _Chunk(**table)
    if chunk.field not in run_data.fields:
        known = suggestion(chunk.field, run_data.fields)
        raise ValueError(f"chunk, field: run_data has no field {chunk.field!r}{known}")
    if run_data.fields[chunk.field].optional:
        raise ValueError(f"chunk, field: {chunk.field} may have no value; it must be required")
    if chunk.by not in _CHUNKS:
        raise ValueError(f"chunk, by: {chunk.by!r} is neither 'number' nor 'block'")
    return chunk


def _read_rules(tables: list[Any], fields: Mapping[str, Field]) -> list[tuple[str, dict[str, Any]]]:
    """The kind and the parameters of each rule; all have an id."""
    read: list[tuple[str, dict[str, Any]]] = []
    for number, table in enumerate(tables, start=1):
        place = f"rules, entry {number}"
        if not isinstance(table, dict):
            raise ValueError(f"{place}: a table is expected, not {json_type(table)}")
        kind = str(table.get("kind", ""))
        if kind not in _RULES:
            problem = (
                f"there is no kind {kind!r}" if "kind" in table else "the key 'kind' is missing"
            )
            raise ValueError(f"{place}: {problem}{suggestion(kind, _RULES)}")
        own = _RULES[kind][1]
        needed = ["pattern", *(["remedy"] if kind == "license" else [])]
        check_keys(table, {"kind", "pattern", "id", "unless", *own}, place, needed)
        for key, value in table.items():
            types = own.get(key, (str,))
            if type(value) not in types:
                expected = json_type(types[-1]())
                raise ValueError(f"{place}, {key}: {expected} is expected, not {json_type(value)}")
        parameters = {key: value for key, value in table.items() if key != "kind"}
        number_of_kind = 1 + sum(other == kind for other, _ in read)
        parameters.setdefault("id", f"{kind}-{number_of_kind}")
        if isinstance(table.get("total"), str):
            _check_total(table["total"], fields, f"{place}, total")
        read.append((kind, parameters))
    return read


def _check_total(total: str, fields: Mapping[str, Field], place: str) -> None:
    field = _TOTAL.fullmatch(total)
    if field is None:
        raise ValueError(f"{place}: a number or {{field}} is expected, not {total!r}")
    if field[1] not in fields:
        raise ValueError(f"{place}: there is no field {field[1]!r}{suggestion(field[1], fields)}")
    if not fields[field[1]].types & {"integer", "number"}:
        raise ValueError(f"{place}: the field {field[1]} is no number")
