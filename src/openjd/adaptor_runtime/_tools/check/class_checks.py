"""What the probe has seen of an adaptor, as findings with their places."""

from __future__ import annotations

import ast
import difflib
import os
import re
from pathlib import Path
from typing import Any

from .child import Ended
from .codes import CODES
from .findings import Findings
from .patterns import check_pattern
from .source import Source, assigned, dotted, functions, line_of, mentions, text_of
from .target import Target

_LINES_SHOWN = 300


def check_import(findings: Findings, target: Target, known: dict[str, Any], ended: Ended) -> None:
    """What the import has done, and how it went."""
    main_file = _main_file(target)
    stage = known.get("stage", "begin")
    if ended.status is None:
        what = "the import" if stage == "import" else f"a look at the adaptor ({stage})"
        findings.add("A102", f"{what} does not end", main_file)
    elif ended.status != 0 or stage != "end":
        last = (ended.err.strip().splitlines() or [f"exit status {ended.status}"])[-1]
        findings.add("A103", f"the process ended while the adaptor was imported: {last}", main_file)
    if ended.status is None or stage in ("begin", "import"):
        return
    _check_entry(findings, target, known, main_file)
    error = known.get("import_error")
    if error:
        code = "A103" if error["exits"] else "A101"
        findings.add(code, error["message"], error["file"] or main_file, error["line"])
    if known.get("no_class"):
        entry = (known["entries"] or [{"file": main_file, "line": 0}])[0]
        findings.add("A107", known["no_class"], entry["file"], entry["line"])
    if known["printed"]:
        text = ended.out.strip()[:_LINES_SHOWN]
        findings.add("A104", f"to import the adaptor prints {text!r}", *_printing(target))
    if known["threads"]:
        names = ", ".join(known["threads"])
        findings.add("A105", f"to import the adaptor starts threads: {names}", main_file)
    if known["children"]:
        commands = "; ".join(known["children"])
        findings.add("A106", f"to import the adaptor starts processes: {commands}", main_file)


def _main_file(target: Target) -> str | None:
    for name in ("__main__.py", "__init__.py"):
        if target.package and not target.is_module and (target.folder / name).exists():
            return str(target.folder / name)
    return None


def _check_entry(
    findings: Findings, target: Target, known: dict[str, Any], main_file: str | None
) -> None:
    if not target.package:
        return
    main = known.get("main")
    error = known.get("main_error") or {}
    if main == "raises":
        findings.add("A101", error["message"], error["file"] or main_file, error["line"])
    elif main == "missing" and not (
        known["described"] or any(e["toml"] or e["reentry_exe"] for e in known["entries"])
    ):
        findings.add("A108", f"{target.package} has no __main__.py", str(target.folder))
    elif main == "exits":
        findings.add("A103", f"{target.package} ends the process: {error['message']}", main_file)
    elif main == "returns" and not (target.is_module and target.reference):
        findings.add("A109", f"python -m {target.package} starts no entry point", main_file)
    for entry in known["entries"][:1]:
        if entry["by_class"]:
            name = f"{entry['module']}:{entry['name']}"
            findings.add(
                "A110",
                f"the entry point is given the class {entry['name']}, so that every command "
                "imports the adaptor",
                entry["file"],
                entry["line"],
                f'write EntryPoint("{name}"), without the import: the commands of a task need '
                "not import the adaptor then",
            )


def _printing(target: Target) -> tuple[str | None, int | None]:
    """Where a module of the package calls print when it is imported."""
    if not target.package:
        return None, None
    pattern = "*.py" if not target.is_module else f"{target.package.rpartition('.')[2]}.py"
    for path in sorted(target.folder.rglob(pattern)):
        try:
            tree = Source(path).tree
        except (OSError, SyntaxError):
            continue
        for node in tree.body:
            for one in ast.walk(node) if isinstance(node, ast.Expr) else ():
                if isinstance(one, ast.Call) and dotted(one.func) == "print":
                    return str(path), one.lineno
    return None, None


def check_class(findings: Findings, about: dict[str, Any], source: Source | None) -> None:
    """What is wrong with the class itself.

    Args:
        about: the probe's facts.
        source: the module that defines it.
    """
    file = about["file"] or None
    node = source.classes().get(about["name"]) if source is not None else None
    for name in about["missing"]:
        code = "B202" if name == "integration_data_interface_version" else "B201"
        mend = _MISSING.get(name, f"define {name} in {about['name']}")
        findings.add(code, f"{about['name']} does not define {name}", file, line_of(node, ""), mend)
    for code, name, text in about["problems"]:
        if os.path.isabs(name):
            text, where = _of_configuration(text, name)
            findings.add(code, text, name, where)
        else:
            mend = _CURES.get((code, name), "")
            if "@property" in text:
                mend = f"write @property above def {name}"
            findings.add(code, text, file, line_of(node, name), mend)
    _check_rules(findings, about, node, file)
    _check_configuration_name(findings, about)
    if node is not None and source is not None:
        _check_commands(findings, about, node, source)


_MISSING = {
    "client": 'write client = "client.py": the script that the application\'s Python runs',
    "command": "define command(self), which returns the application's command line as a list",
    "commands": "define commands(self, run_data), which returns the command lines of a task",
    "on_run": "define on_run(self, run_data), which does a task",
    "get_managed_process": "define get_managed_process(self, run_data)",
    "integration_data_interface_version": CODES["B202"].mend,
}


def _of_configuration(text: str, path: str) -> tuple[str, int | None]:
    """A message about a configuration file, without the place at its beginning; and the line."""
    start = f"the configuration file {path}"
    if not text.startswith(start):
        return text, None
    rest = text[len(start) :].lstrip(", ")
    line = re.match(r"line (\d+)(, column \d+)?,?\s*", rest)
    if line is None:
        return f"it {rest}", None
    rest = rest[line.end() :]
    return (rest if rest.startswith("key ") else f"it {rest}"), int(line[1])


_CURES = {
    ("B206", "limits"): "write limits = Limits(silence=600), with numbers of seconds and MiB",
    ("B206", "success_exit_codes"): "write success_exit_codes = (0, 1)",
}


def _check_rules(
    findings: Findings, about: dict[str, Any], node: ast.ClassDef | None, file: str | None
) -> None:
    value = assigned(node).get("rules") if node is not None else None
    elements = value.elts if isinstance(value, (ast.Tuple, ast.List)) else []
    places = [e.lineno for e in elements] if len(elements) == len(about["rules"]) else []
    for index, rule in enumerate(about["rules"]):
        line = places[index] if places else line_of(node, "rules")
        check_rule(findings, rule, file, line)


def check_rule(
    findings: Findings, rule: dict[str, Any], file: str | None, line: int | None
) -> None:
    """What is wrong with one output rule, as the probe describes it."""
    usable = True
    for what, pattern, flags in rule["patterns"]:
        name = f"rule {rule['id']}: {'the pattern' if what == 'pattern' else what}"
        broad = rule["broad"] and what == "pattern"
        usable = check_pattern(findings, pattern, flags, name, file, line, broad) and usable
    if usable and rule["problem"]:
        findings.add(rule["code"], rule["problem"], file, line)


def _check_configuration_name(findings: Findings, about: dict[str, Any]) -> None:
    path = about.get("configuration")
    if not path or os.path.exists(path) or not about["file"]:
        return
    folder = Path(about["file"]).parent
    for other in sorted(folder.glob("*.json")):
        stem = other.name[: -len(".json")]
        known = [about["name"], f"{about['name']}.schema"]
        if stem not in known and difflib.get_close_matches(stem, known[:1], 1, cutoff=0.8):
            findings.add(
                "G404",
                f"{other.name} is not read; the configuration of {about['name']} is "
                f"{os.path.basename(path)}",
                other,
            )


def _check_commands(
    findings: Findings, about: dict[str, Any], cls: ast.ClassDef, source: Source
) -> None:
    """How command lines are made, by a look at the code."""
    name = {"application": "command", "command line": "commands"}.get(about["kind"])
    file = source.path
    method = functions(cls).get(name or "")
    if method is None:
        return
    for node in ast.walk(method):
        if isinstance(node, ast.Return) and node.value is not None:
            value = node.value
            elements: list[ast.expr] = [value]
            if name == "commands":
                elements = value.elts if isinstance(value, (ast.List, ast.Tuple)) else []
                if isinstance(value, ast.ListComp):
                    elements = [value.elt]
                if any(_is_text(element) for element in elements):
                    findings.add(
                        "B208",
                        "commands() returns one command line, not a list of command lines",
                        file,
                        value.lineno,
                        "put it into a list: return [[...]]; or write yield for return",
                    )
                    continue
        elif isinstance(node, ast.Yield) and node.value is not None:
            elements = [node.value]
        else:
            continue
        for element in elements:
            if _is_text(element):
                findings.add("B208", f"{name}() makes a text", file, element.lineno)
    if name == "command" and not mentions(source.tree, "client_script"):
        findings.add(
            "B209",
            f"{about['name']} never uses self.client_script, so the application does not run the "
            "client",
            file,
            method.lineno,
        )


def _is_text(node: ast.expr) -> bool:
    return text_of(node) is not None or isinstance(node, ast.JoinedStr)
