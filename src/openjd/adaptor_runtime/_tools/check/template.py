"""The job template beside an adaptor."""

from __future__ import annotations

import contextlib
import difflib
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from ..._data import DataError
from ..._fields import read_fields
from .findings import Findings
from .target import Target, locate

_NAMES = ("template.yaml", "template.yml", "template.json")
_EXTRA = "pip install 'openjd-adaptor-runtime[check]'"
_PLACEHOLDER = re.compile(r"\{\{.*?\}\}")
_STEPS = ("start", "run", "stop", "status")


def templates_of(folders: list[Path]) -> list[Path]:
    """The templates in these folders."""
    found = [folder / name for folder in folders for name in _NAMES]
    return list(dict.fromkeys(path for path in found if path.is_file()))


def check_template(
    findings: Findings,
    path: Path,
    target: Target,
    scripts: dict[str, str],
    schemas: dict[str, Any],
) -> None:
    """Looks at a template.

    Args:
        target: the adaptor; its package is for ``python -m``.
        scripts: its console commands.
        schemas: of its data, by "init_data" and "run_data".
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        template = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as e:
        # A date that is none is a ValueError; without end it may be nested.
        mark = getattr(e, "problem_mark", None)
        findings.add("T801", f"it is no YAML: {e}", path, mark.line + 1 if mark else None)
        return
    if not isinstance(template, dict):
        findings.add("T801", "it is no mapping", path)
        return
    if not _is_valid(findings, path, template):
        return
    for environments, script in _scripts(template):
        _check_script(findings, path, text, script, environments, target, scripts, schemas)


def _is_valid(findings: Findings, path: Path, template: dict[str, Any]) -> bool:
    try:
        from openjd.model import DecodeValidationError, decode_job_template
    except ImportError:
        findings.note(f"{path.name} was not looked at: there is no openjd-model ({_EXTRA})")
        return False
    extensions = template.get("extensions")
    try:
        decode_job_template(
            template=template,
            supported_extensions=extensions if isinstance(extensions, list) else [],
        )
    except (DecodeValidationError, ValueError) as e:
        findings.add("T801", " ".join(str(e).split()), path)
        return False
    except TypeError:
        # An openjd-model before extensions.
        findings.note(f"{path.name} was not looked at: openjd-model is too old ({_EXTRA})")
        return False
    return True


def _scripts(template: dict[str, Any]) -> Iterator[tuple[bool, dict[str, Any]]]:
    """Each script, and whether it is an environment's."""
    steps = [step for step in template.get("steps") or [] if isinstance(step, dict)]
    environments = list(template.get("jobEnvironments") or [])
    for step in steps:
        environments += step.get("stepEnvironments") or []
    for one in environments:
        if isinstance(one.get("script"), dict):
            yield True, one["script"]
    for step in steps:
        if isinstance(step.get("script"), dict):
            yield False, step["script"]


def _check_script(
    findings: Findings,
    path: Path,
    text: str,
    script: dict[str, Any],
    is_environment: bool,
    target: Target,
    scripts: dict[str, str],
    schemas: dict[str, Any],
) -> None:
    done: dict[str, str] = {}
    for name, action in (script.get("actions") or {}).items():
        words = [str(action.get("command", "")), *map(str, action.get("args") or [])]
        arguments = _of_adaptor(words)
        if arguments is None:
            continue
        line = _line(text, words)
        if not _check_command(findings, path, line, words, target, scripts):
            continue
        described = words[0] == "openjd-adaptor"
        options = _parsed(findings, path, line, words[0], arguments, described)
        if options is None:
            continue
        done[name] = getattr(options, "step", "run")
        for key, fields in (("init_data", "init_field"), ("run_data", "run_field")):
            if key in schemas and hasattr(options, key):
                data = _Given(getattr(options, key), getattr(options, fields), line)
                _check_data(findings, path, text, script, key, data, schemas[key])
    if is_environment and done.get("onEnter") == "start" and "stop" not in done.values():
        message = "an environment calls daemon start, and never daemon stop"
        findings.add("T805", message, path, _line_of(text, "onEnter"))


def _of_adaptor(words: list[str]) -> list[str] | None:
    """The arguments of an adaptor's command; None for another command."""
    for at, word in enumerate(words[1:], start=1):
        if word == "daemon" and at + 1 < len(words) and words[at + 1] in _STEPS:
            return words[at:]
        if word == "run" and {"--run-data", "--init-data"} & set(words[at:]):
            return words[at:]
    return None


def _check_command(
    findings: Findings,
    path: Path,
    line: int | None,
    words: list[str],
    target: Target,
    scripts: dict[str, str],
) -> bool:
    command = words[0]
    if "-m" in words[1:3]:
        module = words[words.index("-m") + 1]
        if module != target.package and locate(module, target.search) is None:
            findings.add("T802", f"there is no package {module}", path, line)
            return False
        return True
    name = re.split(r"[\\/]", command)[-1]
    # Where the package has no commands at all, that is what is said of it.
    if "{{" in command or name in ("openjd-adaptor", *scripts) or not scripts:
        return True
    close = difflib.get_close_matches(name, scripts, 1)
    known = ", ".join(scripts)
    findings.add(
        "T802",
        f"the package has no command {command}"
        + (f"; did you mean {close[0]}?" if close else f"; it has {known}"),
        path,
        line,
    )
    return False


def _parsed(
    findings: Findings,
    path: Path,
    line: int | None,
    name: str,
    arguments: list[str],
    described: bool,
) -> Any:
    """The command's options; None where they make no sense."""
    from ..._cli.parser import parse

    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            return parse(name, arguments, of_file=described)
    except SystemExit:
        text = said.getvalue().strip().rpartition("ERROR: ")[2]
        text = re.sub(r" \(see .* --help\)$", "", text)
        findings.add("T803", text or f"{' '.join(arguments)} makes no sense", path, line)
        return None


class _Given(NamedTuple):
    """Data as a command gives it."""

    text: str
    #: Each ``NAME=TEXT``, and the like.
    fields: list[str]
    line: int | None


def _check_data(
    findings: Findings,
    path: Path,
    text: str,
    script: dict[str, Any],
    what: str,
    given: _Given,
    schema: dict[str, Any],
) -> None:
    """Whether the fields of data are those of the schema; their values are known to jobs alone."""
    line, written = given.line, given.text
    file = re.fullmatch(r"file://\{\{\s*(?:Env|Task)\.File\.(\w+)\s*\}\}", written)
    if file is not None:
        embedded = [f for f in script.get("embeddedFiles") or [] if f.get("name") == file[1]]
        if not embedded:
            return  # openjd-model says that it is not there.
        line = _line_of(text, f"name: {file[1]}")
        written = str(embedded[0].get("data", ""))
    elif written.startswith("file://") or written.strip().startswith("{{"):
        return
    try:
        data = yaml.safe_load(_PLACEHOLDER.sub("1", written))
        fields = read_fields([_PLACEHOLDER.sub("1", one) for one in given.fields], what)
    except (yaml.YAMLError, ValueError, RecursionError, DataError) as e:
        findings.add("T804", f"its {what} cannot be read: {' '.join(str(e).split())}", path, line)
        return
    if not isinstance(data, dict):
        findings.add("T804", f"its {what} is no mapping of fields", path, line)
        return
    data.update(fields)
    properties = schema.get("properties")
    if not isinstance(properties, dict) or "$ref" in schema or "allOf" in schema:
        return
    for name in data:
        if name not in properties and schema.get("additionalProperties") is False:
            close = difflib.get_close_matches(str(name), properties, 1)
            findings.add(
                "T804",
                f"its {what} has a field {name!r}, which the schema refuses"
                + (f"; did you mean {close[0]!r}?" if close else ""),
                path,
                line,
            )
            return
    required = schema.get("required", [])
    missing = [name for name in required if name not in data and name in properties]
    if missing:
        findings.add("T804", f"its {what} lacks {', '.join(missing)}", path, line)


def _line(text: str, words: list[str]) -> int | None:
    return _line_of(text, f"command: {words[0]}") or _line_of(text, words[0])


def _line_of(text: str, words: str) -> int | None:
    for number, line in enumerate(text.splitlines(), start=1):
        if words in line.replace('"', "").replace("'", ""):
            return number
    return None


def beside(folder: Path, project: Path | None) -> list[Path]:
    """Where templates of an adaptor in `folder` are looked for."""
    folders = [folder]
    if project is not None and os.path.commonpath([folder, project.parent]) == str(project.parent):
        folders.append(project.parent)
    return folders
