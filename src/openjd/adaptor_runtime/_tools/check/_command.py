"""The command: its options, its output, its exit status."""

from __future__ import annotations

import argparse
import json
import os
import re
from typing import Any

from ..._arguments import Parser
from ..._terminal import say, say_error
from .codes import CODES, ERROR, GROUPS, is_code
from .findings import Findings, shown_path
from .target import TargetError, find_target

_PYTHON = re.compile(r"3\.(\d+)")


def main(arguments: list[str]) -> int:
    """Checks an adaptor, prints what was found, and returns the exit status."""
    grammar = parser()
    options = grammar.parse_args(arguments)
    if options.list_codes:
        say(_codes())
        return 0
    if options.package is None:
        grammar.error("which adaptor? Give a package, a folder or a TOML file")
    try:
        target = find_target(options.package)
        init_data = _init_data(options.init_data)
    except (TargetError, ValueError) as e:
        say_error(str(e))
        return 2
    from .run import Wishes, check

    findings = Findings(options.ignore)
    wishes = Wishes(
        python=options.application_python,
        modules=options.application_module,
        dry_run=options.dry_run,
        init_data=init_data,
        limit=options.limit,
    )
    check(findings, target, wishes)
    say(_shown(findings, target.name, options.format))
    wrong = [f for f in findings.sorted() if options.strict or f.severity == ERROR]
    return 1 if wrong else 0


def parser() -> Parser:
    """The command's grammar."""
    parser = Parser(
        prog="openjd-adaptor check",
        description="Looks for mistakes in an adaptor, and says how to mend them.",
    )
    parser.add_argument(
        "package",
        metavar="PACKAGE",
        nargs="?",
        help="an importable package, package.module:Class, a folder with a pyproject.toml or a "
        "package, or a TOML file",
    )
    parser.add_argument("--format", choices=["text", "json"], default="text", help="of the output")
    parser.add_argument("--strict", action="store_true", help="exit with 1 for warnings, too")
    parser.add_argument(
        "--ignore",
        metavar="CODE",
        action="append",
        default=[],
        type=_code,
        help="do not report this code, such as S307, or all that begin so; may be repeated",
    )
    parser.add_argument(
        "--application-python",
        metavar="3.N",
        type=_version,
        default=None,
        help="the oldest Python that the application may have (default: 3.7)",
    )
    parser.add_argument(
        "--application-module",
        metavar="NAME",
        action="append",
        default=[],
        help="a module that the application brings for its client; may be repeated",
    )
    parser.add_argument(
        "--no-dry-run",
        dest="dry_run",
        action="store_false",
        help="do not try daemon start and daemon stop with a fake application",
    )
    parser.add_argument(
        "--init-data", metavar="DATA", help="for the dry run: JSON or YAML, inline or file://PATH"
    )
    parser.add_argument(
        "--limit",
        metavar="SECONDS",
        type=_seconds,
        default=60.0,
        help="what the import, and each step of the dry run, may take (default: 60)",
    )
    parser.add_argument("--list-codes", action="store_true", help="print all codes, and exit")
    return parser


def _code(text: str) -> str:
    if not text or not is_code(text):
        raise argparse.ArgumentTypeError(f"there is no code {text!r}; --list-codes shows them")
    return text


def _version(text: str) -> tuple[int, int]:
    match = _PYTHON.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no version of Python, such as 3.7")
    return 3, int(match[1])


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return seconds


def _init_data(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    from ..._data import load_data

    return load_data(text, "--init-data")


def _shown(findings: Findings, name: str, form: str) -> str:
    found = findings.sorted()
    errors = sum(finding.severity == ERROR for finding in found)
    warnings = len(found) - errors
    if form == "json":
        shown = {
            "format": 1,
            "adaptor": name,
            "errors": errors,
            "warnings": warnings,
            "findings": [finding.as_json() for finding in found],
            "notes": findings.notes,
        }
        return json.dumps(shown, indent=2)
    here = os.getcwd()
    name = shown_path(name, here)
    lines = [finding.shown(here) for finding in found]
    lines += [f"note: {note}" for note in findings.notes]
    counts = f"{_count(errors, 'error')}, {_count(warnings, 'warning')}"
    return "\n".join([*lines, f"{name}: {counts if found else 'nothing found'}"])


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _codes() -> str:
    """All codes, with what they mean."""
    lines = []
    for letter, title in GROUPS.items():
        lines.append(f"{title}:")
        lines += [
            f"  {code}  {about.severity:7}  {about.title}"
            for code, about in CODES.items()
            if code.startswith(letter)
        ]
    return "\n".join(lines)
