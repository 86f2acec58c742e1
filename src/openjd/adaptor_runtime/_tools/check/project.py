"""The package around an adaptor: what its pyproject.toml, or what is installed, says of it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

from ..._version import version as runtime_version
from .findings import Findings
from .target import Target, locate

_RUNTIME = "openjd-adaptor-runtime"
_EXTRA = "pip install 'openjd-adaptor-runtime[check]'"
#: The first version that has what 0.9.6 and earlier lack.
_NEW = "0.9.7"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Project(NamedTuple):
    """What a project says of itself."""

    path: Path
    text: str
    table: dict[str, Any]

    @property
    def about(self) -> dict[str, Any]:
        """The table [project]."""
        about = self.table.get("project", {})
        return about if isinstance(about, dict) else {}

    @property
    def scripts(self) -> dict[str, str]:
        """Console command -> ``module:function``."""
        scripts = self.about.get("scripts", {})
        return scripts if isinstance(scripts, dict) else {}

    @property
    def settings(self) -> dict[str, Any]:
        """The table [tool.openjd-adaptor.check]."""
        table: Any = self.table
        for key in ("tool", "openjd-adaptor", "check"):
            table = table.get(key) if isinstance(table, dict) else None
        return table if isinstance(table, dict) else {}

    def line(self, *words: str) -> int | None:
        """The first line that begins with one of the words."""
        for number, line in enumerate(self.text.splitlines(), start=1):
            if line.lstrip().lstrip('"').startswith(words):
                return number
        return None


def read_project(findings: Findings, path: Path) -> Project | None:
    """Reads a pyproject.toml; None where that cannot be done, or it is the runtime's own."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        try:
            import tomli as tomllib
        except ImportError:
            findings.note(f"{path.name} was not looked at: there is no reader for TOML ({_EXTRA})")
            return None
    try:
        text = path.read_bytes().decode("utf-8")
        table = tomllib.loads(text)
    except (OSError, ValueError) as e:
        line = re.search(r"line (\d+)", str(e))
        findings.add("P710", f"{e}", path, int(line[1]) if line else None)
        return None
    project = Project(path, text, table)
    return None if _normal(project.about.get("name", "")) == _RUNTIME else project


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", str(name)).lower()


def scripts_of(target: Target, project: Project | None) -> dict[str, str]:
    """The console commands that lead into the target's package."""
    top = target.package.partition(".")[0]
    if project is not None:
        return {
            name: reference
            for name, reference in project.scripts.items()
            if not top or (isinstance(reference, str) and _top(reference) == top)
        }
    if not target.package:
        return {}
    from importlib.metadata import entry_points

    found: Any = entry_points()
    group = (
        found.select(group="console_scripts")
        if hasattr(found, "select")
        else found.get("console_scripts", ())
    )
    return {
        entry.name: entry.value
        for entry in group
        if entry.value.partition(":")[0].startswith((f"{target.package}.", f"{target.package}"))
        and entry.value.partition(":")[0].partition(".")[0] == top
    }


def _top(reference: str) -> str:
    return reference.partition(":")[0].partition(".")[0]


def check_project(
    findings: Findings, project: Project, uses_new: bool, described: bool, data_files: list[Path]
) -> None:
    """Looks at what the project needs, and what its wheel has.

    Args:
        uses_new: whether the adaptor uses what only this line of the runtime has.
        described: whether it is described in TOML.
        data_files: what the adaptor reads beside its modules.
    """
    about = project.about
    if not about:
        findings.note(f"{project.path.name} has no table [project]; the package was not looked at")
        return
    if not project.scripts and not about.get("entry-points", {}):
        findings.add("P708", "[project.scripts] has no command", project.path)
    _check_data_files(findings, project, data_files)
    try:
        from packaging.requirements import InvalidRequirement, Requirement
        from packaging.specifiers import InvalidSpecifier, SpecifierSet
    except ImportError:
        findings.note(f"the dependencies were not looked at ({_EXTRA})")
        return
    oldest = None
    required = about.get("requires-python")
    line = project.line("requires-python")
    if required is None:
        findings.add("P701", "there is no requires-python", project.path)
    else:
        try:
            specifier = SpecifierSet(str(required))
        except InvalidSpecifier as e:
            findings.add("P701", f"requires-python is not valid: {e}", project.path, line)
        else:
            allowed = [m for m in range(4, 30) if specifier.contains(f"3.{m}.99")]
            oldest = min(allowed, default=None)
            if oldest is not None and oldest < 9:
                text = f"it allows Python 3.{oldest}; the runtime needs 3.9 or later"
                findings.add("P701", text, project.path, line)
    dependencies = about.get("dependencies", [])
    line = project.line(_RUNTIME, "dependencies")
    found = None
    for one in dependencies if isinstance(dependencies, list) else []:
        try:
            requirement = Requirement(str(one))
        except InvalidRequirement as e:
            findings.add("P703", f"the dependency {one!r} is not valid: {e}", project.path, line)
            continue
        if _normal(requirement.name) == _RUNTIME:
            found = requirement
    if found is None:
        if "dependencies" not in about.get("dynamic", []):
            findings.add("P702", f"{_RUNTIME} is not among the dependencies", project.path, line)
        return
    if not found.specifier.contains(runtime_version, prereleases=True):
        text = f"{found} excludes {runtime_version}, with which it is checked"
        findings.add("P703", text, project.path, line)
    elif uses_new and any(found.specifier.contains(f"0.9.{patch}") for patch in range(7)):
        text = f"{found} allows versions before {_NEW}, which lack what the adaptor uses"
        findings.add("P704", text, project.path, line)
    if described and "toml" not in found.extras and (oldest is None or oldest < 11):
        text = f"{found} brings no reader for TOML to Python before 3.11"
        findings.add("P705", text, project.path, line)


def _check_data_files(findings: Findings, project: Project, data_files: list[Path]) -> None:
    build = project.table.get("build-system", {})
    backend = build.get("build-backend", "") if isinstance(build, dict) else ""
    if not str(backend).startswith("setuptools") or not data_files:
        return
    setuptools = project.table.get("tool", {}).get("setuptools", {})
    folder = project.path.parent
    named = (
        "package-data" in setuptools
        or (folder / "MANIFEST.in").exists()
        or any("setuptools" in str(r) and "scm" in str(r) for r in build.get("requires", []))
        or (folder / "setup.py").exists()
        or (folder / "setup.cfg").exists()
    )
    if not named:
        names = ", ".join(sorted({path.name for path in data_files}))
        findings.add("P709", f"setuptools leaves out {names}", project.path)


def check_scripts(
    findings: Findings, target: Target, project: Project | None, wrong: dict[str, str]
) -> None:
    """What the probe says of the console commands."""
    for name, text in wrong.items():
        if text:
            path = project.path if project is not None else None
            line = project.line(name) if project is not None else None
            findings.add("P706", f"{name}: {text}", path, line)
    if project is None:
        return
    top = target.package.partition(".")[0]
    for name, reference in project.scripts.items():
        if not isinstance(reference, str) or not re.fullmatch(r"[\w.]+:[\w.]+", reference):
            text = f"{name}: {reference!r} is not of the form package.module:function"
            findings.add("P706", text, project.path, project.line(name))
        elif top and name not in wrong and not _exists(reference, target.search):
            findings.add(
                "P706", f"{name}: there is no module {reference.partition(':')[0]}", project.path,
                project.line(name),
            )  # fmt: skip


def _exists(reference: str, search: list[str]) -> bool:
    return locate(reference.partition(":")[0], search) is not None
