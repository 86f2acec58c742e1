"""All checks, one after the other: first what can be read, then what has to be run."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from .call_checks import check_calls
from .child import Place
from .class_checks import check_class, check_import
from .client import Client, check_client, read_client
from .codes import is_code
from .description import check_description
from .dry_run import dry_run, fake_script, init_data_for
from .findings import Findings
from .patterns import check_callbacks, check_compiled_patterns
from .project import Project, check_project, check_scripts, read_project, scripts_of
from .schemas import check_reads, check_schema_folder
from .source import Source, calls, dotted, line_of, mentions, read_all, text_of
from .target import Target, descriptions_named, locate
from .template import beside, check_template, templates_of

_OLDEST_PYTHON = (3, 7)
_PYTHON = re.compile(r"3\.\d+")
_SERVER_VARIABLE = re.compile(
    r"""environ\[\s*["'](\w*(?:SERVER|SOCKET)\w*)["']\s*\]\s*=|["'](\w+_SERVER_PATH)["']"""
)
_TOML = "openjd.adaptor_runtime.application.toml_adaptor"


class Wishes(NamedTuple):
    """What the user wants of a check."""

    #: The oldest Python of the application; None: what the project says, or 3.7.
    python: tuple[int, int] | None
    #: Modules that the application brings.
    modules: list[str]
    dry_run: bool
    init_data: dict[str, Any] | None
    #: Seconds for each process.
    limit: float


class _Checked(NamedTuple):
    """What the dry run needs to know."""

    spec: dict[str, Any]
    client: Client | None
    schemas: dict[str, Any]
    file: str
    is_sure: bool
    #: The environment variable by which an adaptor of version 0.9 tells its application where the
    #: adaptor's server is; "" if there is none.
    server_variable: str = ""


def check(findings: Findings, target: Target, wishes: Wishes) -> None:
    """Checks an adaptor."""
    project = read_project(findings, target.project) if target.project is not None else None
    wishes = _with_settings(findings, wishes, project)
    scripts = scripts_of(target, project)
    with tempfile.TemporaryDirectory(prefix="openjd-check-") as folder:
        # As it is: on macOS the temporary folder is a link.
        place = Place(Path(os.path.realpath(folder)), target.search, wishes.limit)
        try:
            if target.description is not None:
                known: dict[str, Any] = {}
                checked = _check_described(findings, target.description)
            else:
                known = _probe(findings, place, target, scripts)
                checked = _check_python(findings, target, known, wishes)
            schemas = checked.schemas if checked is not None else {}
            _check_around(findings, target, project, scripts, known, checked)
            for template in templates_of(beside(target.folder, target.project)):
                check_template(findings, template, target, scripts, schemas)
            if wishes.dry_run:
                _dry_run(findings, place, checked, wishes)
        finally:
            place.end()


def _with_settings(findings: Findings, wishes: Wishes, project: Project | None) -> Wishes:
    """The wishes, and those that stand in the project's table [tool.openjd-adaptor.check]."""
    python, modules, init_data = wishes.python, list(wishes.modules), wishes.init_data
    for name, value in (project.settings if project is not None else {}).items():
        assert project is not None
        texts = isinstance(value, list) and all(isinstance(one, str) for one in value)
        if name == "application-python" and _PYTHON.fullmatch(str(value)):
            python = python or (3, int(str(value)[2:]))
        elif name == "application-modules" and texts:
            modules += value
        elif name == "ignore" and texts and all(one and is_code(one) for one in value):
            findings.ignore(value)
        elif name == "init-data" and isinstance(value, dict):
            init_data = value if init_data is None else init_data
        else:
            findings.add("P711", f"{name} = {value!r}", project.path, project.line(name))
    return wishes._replace(python=python or _OLDEST_PYTHON, modules=modules, init_data=init_data)


def _probe(
    findings: Findings, place: Place, target: Target, scripts: dict[str, str]
) -> dict[str, Any]:
    """What a process that imports the adaptor has seen."""
    request, result = place.folder / "request.json", place.folder / "result.json"
    request.write_text(
        json.dumps(
            {
                "package": target.package,
                "is_module": target.is_module,
                "reference": target.reference,
                "fallback": _named(target),
                "folder": str(target.folder),
                "scripts": scripts,
                "starters": [one for one in scripts.values() if _may_start(one, target.search)],
            }
        ),
        encoding="utf-8",
    )
    ended = place.python(*("-m", f"{__package__}._probe", str(request), str(result)), name="probe")
    known: dict[str, Any] = {}
    if result.exists():
        known = json.loads(result.read_text(encoding="utf-8"))
    known["described"] = [
        str(path) for source in _sources(target) for path in descriptions_named(source)
    ]
    check_import(findings, target, known, ended)
    return known


def _may_start(reference: str, search: list[str]) -> bool:
    """Whether a console command may be the one that starts the entry point."""
    path = locate(reference.partition(":")[0], search)
    source = _source(str(path)) if path is not None and path.is_file() else None
    return source is not None and "EntryPoint" in source.text


def _named(target: Target) -> str:
    """The adaptor that an entry point in the package names, by a look at the code."""
    for source in _sources(target):
        for call in calls(source.tree):
            if dotted(call.func).rpartition(".")[2] == "EntryPoint" and call.args:
                name = text_of(call.args[0])
                if name and ":" in name:
                    return name
    return ""


def _sources(target: Target) -> list[Source]:
    if not target.is_module:
        return read_all(target.folder)
    try:
        return [Source(target.folder / f"{target.package.rpartition('.')[2]}.py")]
    except (OSError, SyntaxError):
        return []


def _check_described(findings: Findings, path: Path) -> _Checked | None:
    description = check_description(findings, path)
    if description is None:
        return None
    schemas = {
        "init_data": description.init_data.validator._schema,
        "run_data": description.run_data.validator._schema,
    }
    # A default is filled in before the data is checked.
    for name, schema in schemas.items():
        defaults = getattr(description, name).defaults
        schemas[name] = {
            **schema,
            "required": [one for one in schema["required"] if one not in defaults],
        }
    spec = {"module": _TOML, "name": "", "file": str(path)}
    return _Checked(spec, None, schemas, str(path), True)


def _check_python(
    findings: Findings, target: Target, known: dict[str, Any], wishes: Wishes
) -> _Checked | None:
    entries = known.get("entries", [])
    if "class" not in known:
        description = entries[0]["toml"] if entries and not target.reference else ""
        if not entries and known.get("described"):
            description = known["described"][0]
        if description and known.get("stage") == "end":
            return _check_described(findings, Path(description))
        return None
    about = known["class"]
    source = _source(about["file"])
    check_class(findings, about, source)
    sources = {one.path: one for one in _sources(target)}
    client = None
    if about["client"]:
        client = _check_client(findings, about, source, wishes)
    for one in sources.values():
        if client is not None and one.path == client.source.path:
            continue
        check_compiled_patterns(findings, one)
        check_callbacks(findings, one)
        if client is not None:
            check_calls(findings, one, client)
    schemas = _check_schemas(findings, about, source)
    if about["missing"]:
        return None
    spec = {"module": about["module"], "name": about["name"], "file": about["file"]}
    is_sure = about["kind"] in ("application", "command line") and not _uses_answers(sources)
    variable = ""
    if about["kind"] not in ("application", "command line"):
        texts = "\n".join(one.text for one in sources.values())
        named = _SERVER_VARIABLE.search(texts)
        variable = (named[1] or named[2]) if named else ""
    return _Checked(spec, client, schemas, about["file"], is_sure, variable)


def _source(file: str) -> Source | None:
    try:
        return Source(file) if file else None
    except (OSError, SyntaxError):
        return None


def _check_client(
    findings: Findings, about: dict[str, Any], source: Source | None, wishes: Wishes
) -> Client | None:
    node = source.classes().get(about["name"]) if source is not None else None
    line = line_of(node, "client")
    client = read_client(findings, about["client"], about["file"], line)
    if client is not None:
        assert wishes.python is not None
        # Whoever starts sys.executable has what the adaptor has.
        own = source is not None and mentions(source.tree, "executable")
        check_client(findings, client, about["minimum_version"], own, wishes.python, wishes.modules)
    return client


def _check_schemas(
    findings: Findings, about: dict[str, Any], source: Source | None
) -> dict[str, Any]:
    folder, mapped = about["data_schemas"], True
    if not folder:
        # As adaptors of version 0.9 have it, who read the schemas themselves.
        folder, mapped = os.path.join(os.path.dirname(about["file"]), "schemas"), False
        if not os.path.isdir(folder):
            return {}
    node = source.classes().get(about["name"]) if source is not None else None
    schemas = check_schema_folder(
        findings, folder, mapped, about["file"], line_of(node, "data_schemas")
    )
    if mapped and source is not None:
        check_reads(findings, source, about["name"], schemas)
    return schemas


def _uses_answers(sources: dict[str, Source]) -> bool:
    """Whether the adaptor uses what an action returns, which the fake application does not know."""
    import ast

    for source in sources.values():
        alone = {id(node.value) for node in ast.walk(source.tree) if isinstance(node, ast.Expr)}
        for call in calls(source.tree):
            if dotted(call.func).endswith((".app.call", ".app.result")) and id(call) not in alone:
                return True
    return False


def _check_around(
    findings: Findings,
    target: Target,
    project: Project | None,
    scripts: dict[str, str],
    known: dict[str, Any],
    checked: _Checked | None,
) -> None:
    """The package around the adaptor."""
    if target.package and known.get("stage") == "end":
        check_scripts(findings, target, project, known.get("scripts", {}))
    if project is None or not target.package:
        return
    described = checked is not None and checked.spec["module"] == _TOML
    about = known.get("class", {})
    by_name = any(not entry["by_class"] for entry in known.get("entries", []))
    kinds = ("application", "command line")
    uses_new = described or by_name or about.get("kind") in kinds or about.get("data_schemas")
    data = [path for path in target.folder.rglob("*.json") if path.is_file()]
    data += [path for path in map(Path, known.get("described", [])) if path.is_file()]
    check_project(findings, project, bool(uses_new), described, data)


def _dry_run(findings: Findings, place: Place, checked: _Checked | None, wishes: Wishes) -> None:
    # Where these are wrong, the dry run can only say so once more.
    if any(finding.severity == "error" for finding in findings.sorted()):
        findings.note("no dry run: first mend the errors")
        return
    if checked is None:
        findings.note("no dry run: it is not known what to run")
        return
    init_data = init_data_for(
        findings, checked.schemas.get("init_data"), wishes.init_data, place.folder / "data"
    )
    if init_data is not None:
        dry_run(
            findings,
            place,
            checked.spec,
            fake_script(checked.client, checked.server_variable),
            init_data,
            checked.file,
            checked.is_sure,
        )
