"""What a block of a page claims to be, looked at without running it."""

from __future__ import annotations

import argparse
import ast
import builtins
import contextlib
import importlib
import importlib.util
import inspect
import io
import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from openjd.adaptor_runtime._cli.parser import parser as adaptor_parser
from openjd.adaptor_runtime.adaptors.configuration import RuntimeConfiguration
from openjd.adaptor_runtime.application import ApplicationConfiguration
from openjd.adaptor_runtime_client import PathMappingRule

from .guide import Block

#: Where the names live that an example may use without an import: what authors import.
PUBLIC = [
    "openjd.adaptor_runtime",
    "openjd.adaptor_runtime.adaptors",
    "openjd.adaptor_runtime.adaptors.configuration",
    "openjd.adaptor_runtime.app_handlers",
    "openjd.adaptor_runtime.application",
    "openjd.adaptor_runtime.application_ipc",
    "openjd.adaptor_runtime.process",
    "openjd.adaptor_runtime_client",
]


class Wrong(AssertionError):
    """A block is not what it claims to be."""


def check(block: Block, folder: Path) -> None:
    """Looks at a block that is marked ``check: KIND``, or that is a file.

    Args:
        block: the block.
        folder: an empty folder, for what can only be read from a file.

    Raises:
        Wrong: it is not what it says.
        KeyError: there is no such kind.
    """
    kind = block.what if block.kind == "check" else _KIND_OF.get(Path(block.what).suffix, "")
    if block.kind == "check" or kind:
        try:
            _KINDS[kind](block.text, folder)
        except (ValueError, TypeError, SyntaxError, yaml.YAMLError) as e:
            raise Wrong(f"line {block.line}: {type(e).__name__}: {e}") from e
        except Wrong as e:
            raise Wrong(f"line {block.line}: {e}") from e


def _python(text: str, folder: Path) -> None:
    """It compiles, what it imports is there, and the calls of public names fit them."""
    tree = ast.parse(text)
    known: dict[str, Any] = {}
    for module in PUBLIC:
        imported = importlib.import_module(module)
        known.update((name, getattr(imported, name)) for name in imported.__all__)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                _find(alias.name)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            if not _find(node.module):
                continue
            module_object = importlib.import_module(node.module)
            for alias in node.names:
                if not hasattr(module_object, alias.name) and not importlib.util.find_spec(
                    f"{node.module}.{alias.name}"
                ):
                    raise Wrong(f"{node.module} has no {alias.name}")
                known[alias.asname or alias.name] = getattr(module_object, alias.name, None)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called = known.get(node.func.id, getattr(builtins, node.func.id, None))
            if callable(called) and getattr(called, "__module__", "").startswith("openjd"):
                _binds(node, called)


def _find(module: str) -> bool:
    """Whether a module can be looked into; one that is ours or Python's must be there."""
    top = module.partition(".")[0]
    if top == "adaptor_runtime_client":
        return False  # found on the application's path alone
    ours = top == "openjd" or top in getattr(sys, "stdlib_module_names", ())  # Python 3.10
    if ours and importlib.util.find_spec(module) is None:
        raise Wrong(f"there is no module {module}")
    return ours


def _binds(node: ast.Call, called: Callable[..., Any]) -> None:
    keywords = {keyword.arg: ... for keyword in node.keywords if keyword.arg is not None}
    spread = len(keywords) < len(node.keywords) or any(
        isinstance(a, ast.Starred) for a in node.args
    )
    signature = inspect.signature(called)
    try:
        if spread:
            signature.bind_partial(**keywords)
        else:
            signature.bind(*node.args, **keywords)
    except TypeError as e:
        raise Wrong(f"{ast.unparse(node)}: {e}") from e


def _json(text: str, folder: Path) -> None:
    data = json.loads(text)
    if isinstance(data, dict) and "$schema" in data:
        from jsonschema.exceptions import SchemaError
        from jsonschema.validators import validator_for

        try:
            validator_for(data).check_schema(data)
        except SchemaError as e:
            raise Wrong(f"no valid schema: {e.message}") from e
    if isinstance(data, dict) and "path_mapping_rules" in data:
        for rule in data["path_mapping_rules"]:
            PathMappingRule.from_dict(rule=rule)


def _yaml(text: str, folder: Path) -> None:
    data = yaml.safe_load(text)
    if isinstance(data, dict) and "specificationVersion" in data:
        _template(text, folder)


def _template(text: str, folder: Path) -> None:
    from openjd.model import DecodeValidationError, decode_job_template

    data = yaml.safe_load(text)
    try:
        decode_job_template(template=data, supported_extensions=data.get("extensions", []))
    except DecodeValidationError as e:
        raise Wrong(f"no job template: {e}") from e


def _parameter_space(text: str, folder: Path) -> None:
    """A part of a job template that says which tasks a step has."""
    template = {
        "specificationVersion": "jobtemplate-2023-09",
        "extensions": ["TASK_CHUNKING"],
        "name": "Job",
        "parameterDefinitions": [{"name": "Frames", "type": "STRING", "default": "1"}],
        "steps": [
            {
                "name": "Step",
                "script": {"actions": {"onRun": {"command": "true"}}},
                **yaml.safe_load(text),
            }
        ],
    }
    _template(yaml.safe_dump(template), folder)


def _toml(text: str, folder: Path) -> None:
    tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise Wrong(str(e)) from e
    if "command" in data and "version" in data:
        _adaptor_in_toml(text, folder)


def _adaptor_in_toml(text: str, folder: Path) -> None:
    from openjd.adaptor_runtime.application.toml_adaptor import DescriptionError, adaptor_class

    path = folder / "described.toml"
    path.write_text(text, encoding="utf-8")
    try:
        adaptor_class(str(path))
    except DescriptionError as e:
        raise Wrong(str(e)) from e


def _part_of_toml(text: str, folder: Path) -> None:
    """A part of an adaptor in TOML; the rest is added."""
    _adaptor_in_toml(f'name = "Part"\nversion = "1.0"\ncommand = ["true"]\n{text}', folder)


def _settings(of: type[Any]) -> Callable[[str, Path], None]:
    def look(text: str, folder: Path) -> None:
        path = folder / "settings.json"
        path.write_text(text, encoding="utf-8")
        unknown = set(of.from_file(str(path)).config) - set(dir(of)) - {"application"}
        if unknown:
            raise Wrong(f"there are no settings {unknown}")

    return look


def _usage(text: str, folder: Path) -> None:
    """Each command is there, with the options that are shown, and no option is left out."""
    for line in _joined(text):
        words = line.split()
        program, words = words[0], words[1:]
        for parser, shown in _parsers(program, words):
            theirs = {
                option
                for action in parser._actions
                for option in action.option_strings
                if option.startswith("--") and option != "--help"
            }
            named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", " ".join(shown)))
            if named - theirs:
                raise Wrong(f"{line}: there is no {', '.join(sorted(named - theirs))}")
            if theirs - named and "..." not in line:
                raise Wrong(f"{line}: {', '.join(sorted(theirs - named))} is not shown")


def _command(text: str, folder: Path) -> None:
    """Each line is a command that the program takes."""
    for line in _joined(text.replace("\\\n", "")):
        program, *words = shlex.split(line)
        if program == "openjd-adaptor" and words[0] in _tools():
            parser, words = _tools()[words[0]].parser, words[1:]
        else:
            parser = adaptor_parser(program, program == "openjd-adaptor")
        said = io.StringIO()
        try:
            with contextlib.redirect_stderr(said):
                parser.parse_args(words)
        except SystemExit:
            raise Wrong(f"{line}: {said.getvalue()}") from None


def _joined(text: str) -> Iterator[str]:
    """The lines of a text, those that begin with spaces put at the end of the one before."""
    line = ""
    for one in text.splitlines():
        if one.startswith(" "):
            line += " " + one.strip()
            continue
        if line:
            yield line
        line = one
    if line:
        yield line


def _parsers(program: str, words: list[str]) -> Iterator[tuple[argparse.ArgumentParser, list[str]]]:
    """The parsers of the commands that a line shows (``a|b`` are two), and the rest of it."""
    if program == "openjd-adaptor":
        found = _tools()
        if words[0] in found:
            yield found[words[0]].parser, words[1:]
            return
        if words[0].startswith("--"):
            yield found[""].parser, words
            return
    top = adaptor_parser(program, program == "openjd-adaptor")
    for command in words[0].split("|"):
        parser, rest = _below(top, command), words[1:]
        if command != "daemon":
            yield parser, rest
            continue
        for step in rest[0].split("|"):
            yield _below(parser, step), rest[1:]


def _tools() -> dict[str, Any]:
    from website.commands import tools

    return tools()


def _below(parser: argparse.ArgumentParser, command: str) -> argparse.ArgumentParser:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction) and command in action.choices:
            found: argparse.ArgumentParser = action.choices[command]
            return found
    raise Wrong(f"{parser.prog} has no command {command}")


_KINDS: dict[str, Callable[[str, Path], None]] = {
    "python": _python,
    "json": _json,
    "yaml": _yaml,
    "toml": _toml,
    "a part of an adaptor in TOML": _part_of_toml,
    "a parameter space": _parameter_space,
    "the runtime's settings": _settings(RuntimeConfiguration),
    "an adaptor's settings": _settings(ApplicationConfiguration),
    "a command": _command,
    "usage": _usage,
}
#: What files are, by their suffix.
_KIND_OF = {".py": "python", ".json": "json", ".yaml": "yaml", ".toml": "toml"}
