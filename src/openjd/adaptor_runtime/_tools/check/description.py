"""Descriptions in TOML: every mistake in them, not only the first."""

from __future__ import annotations

import copy
import re
import sys
from pathlib import Path
from typing import Any

from ...application.toml_adaptor import Description
from ._facts import describe_rule
from .class_checks import check_rule
from .findings import Findings
from .schemas import check_schema

_MOST = 30
_PLACE = re.compile(r"^(?P<key>[\w.-]+)(, (?:entry|element) (?P<number>\d+)|, (?P<name>[\w-]+))?")
_CODES = {
    "command": "D903",
    "outputs": "D903",
    "environment": "D903",
    "working_directory": "D903",
    "init_data": "D904",
    "run_data": "D904",
    "rules": "D905",
    "limits": "D906",
    "chunk": "D907",
}


def check_description(findings: Findings, path: Path) -> Description | None:
    """Looks at a description; returns it if it can be used."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        try:
            import tomli as tomllib
        except ImportError:
            findings.note(
                f"{path.name} was not looked at: there is no reader for TOML "
                "(pip install 'openjd-adaptor-runtime[check]')"
            )
            return None
    try:
        text = path.read_bytes().decode("utf-8-sig")
        table = tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as e:
        line = re.search(r"line (\d+)", str(e))
        findings.add("D901", f"{path.name}: {e}", path, int(line[1]) if line else None)
        return None
    given = table.get("rules")
    # Of the rules that are left, their numbers in the file.
    numbers = list(range(1, len(given) + 1)) if isinstance(given, list) else []
    description, whole = _described(findings, table, path, text, numbers)
    if description is None:
        return None
    for what in ("init_data", "run_data"):
        data = getattr(description, what)
        check_schema(findings, data.validator._schema, what, str(path), True)
    for number, rule in zip(numbers, description.rules(None)):
        known = describe_rule(rule.id or "", rule)
        # That a total without a value says nothing is the description's own way.
        known["patterns"] = [p for p in known["patterns"] if p[:2] != ["unless", ""]]
        check_rule(findings, known, str(path), _line_of_rule(text, number))
    if not whole:
        return None
    _check_unused(findings, description, table, path, text)
    return description


def _described(
    findings: Findings, table: dict[str, Any], path: Path, text: str, numbers: list[int]
) -> tuple[Description | None, bool]:
    """The description, and whether it is so as it stands.

    What is wrong is taken out, so that what is wrong behind it is found as well.
    """
    table = copy.deepcopy(table)
    kinds: dict[str, int] = {}
    for rule in table["rules"] if isinstance(table.get("rules"), list) else ():
        if isinstance(rule, dict):
            # The name that it has, whatever is taken out before it.
            kind = str(rule.get("kind"))
            kinds[kind] = kinds.get(kind, 0) + 1
            rule.setdefault("id", f"{kind}-{kinds[kind]}")
    for count in range(_MOST):
        try:
            return Description(table), count == 0
        except RecursionError:
            findings.add("D901", "it is nested too deeply", path)
            return None, False
        except ValueError as e:
            message = str(e)
        key, code, line = _placed(message, table, text, numbers)
        findings.add(code, message, path, line)
        if not key:
            return None, False
    return None, False


def _placed(
    message: str, table: dict[str, Any], text: str, numbers: list[int]
) -> tuple[str, str, int | None]:
    """What to leave out, the code and the line of a mistake; takes it out of `table`."""
    unknown = re.match(r"there is no key '([^']+)'", message)
    if unknown is not None and unknown[1] in table:
        del table[unknown[1]]
        return unknown[1], "D902", _line(text, unknown[1])
    by_number = re.match(r"rule \S+ \(number (\d+)\): (.*)", message)
    if by_number is not None:
        message = f"rules, entry {by_number[1]}"
    found = _PLACE.match(message)
    key = found["key"].partition(".")[0] if found else ""
    code = _CODES.get(key, "D902")
    if found is None or key not in table:
        return "", code, None
    below = found["key"].partition(".")[2].partition(".")[0] or found["name"] or ""
    line = _line(text, key, below)
    if key == "rules" and found["number"] and isinstance(table["rules"], list):
        index = int(found["number"]) - 1
        line = _line_of_rule(text, numbers[index])
        del table["rules"][index], numbers[index]
        return key, _code_of_rule(by_number[2] if by_number else ""), line
    if key == "command" and found["number"] and len(table["command"]) > 1:
        del table["command"][int(found["number"]) - 1]
        return key, code, line
    if below and isinstance(table[key], dict) and below in table[key] and key != "chunk":
        _take_out(table[key], below, code == "D904")
        return key, code, line
    if key in ("name", "version", "command", "chunk"):
        return "", code, line
    del table[key]
    return key, code, line


def _take_out(table: dict[str, Any], name: str, is_field: bool) -> None:
    field = table.pop(name)
    if is_field and field != {} and isinstance(field, dict):
        # Others may use the field; it may be anything from here on.
        table[name] = {"required": False} if field.get("required") is False else {}


def _code_of_rule(problem: str) -> str:
    if "cannot be compiled" in problem:
        return "R501"
    if problem.startswith("its text"):
        return "R503"
    return "R502" if problem else "D905"


def _line(text: str, key: str, below: str = "") -> int | None:
    """Where a key stands, or a key below it; good enough for files that people write."""
    inside = False
    of_key = None
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[+\s*([\w.\"'-]+)", line)
        if header is not None and "=" not in line.partition("]")[0]:
            name = header[1].replace('"', "").replace("'", "")
            inside = name == key or name == f"{key}.{below}"
            if name == f"{key}.{below}":
                return number
            of_key = of_key or (number if name == key else None)
            continue
        if re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]", line) and not inside:
            of_key = of_key or number
        if inside and below and re.match(rf"\s*[\"']?{re.escape(below)}[\"']?\s*[=.]", line):
            return number
    return of_key


def _line_of_rule(text: str, number: int) -> int | None:
    seen = 0
    for at, line in enumerate(text.splitlines(), start=1):
        if re.match(r"\s*\[\[\s*rules\s*\]\]", line):
            seen += 1
            if seen == number:
                return at
    return None


def _check_unused(
    findings: Findings, description: Description, table: dict[str, Any], path: Path, text: str
) -> None:
    used = repr([table.get(k) for k in ("command", "outputs", "environment", "working_directory")])
    used += repr(table.get("rules", []))
    chunk = description.chunk.field if description.chunk is not None else ""
    for what in ("init_data", "run_data"):
        for name in getattr(description, what).fields:
            word = rf"\{{{re.escape(name)}[:}}]|'if': '{re.escape(name)}'"
            if name != chunk and not re.search(word, used):
                findings.add(
                    "D908", f"{what}.{name} is used by neither command nor outputs", path,
                    _line(text, what, name),
                )  # fmt: skip
