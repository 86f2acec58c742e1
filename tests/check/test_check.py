"""``openjd-adaptor check``: mistakes are found by their codes, and nothing where there is none.

``python -m tests.check`` tries all seeded mistakes; here are some of each kind.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
from pathlib import Path

import pytest
from bounded import LIMIT

from openjd.adaptor_runtime._tools.check._command import main
from openjd.adaptor_runtime._tools.check.class_checks import check_class
from openjd.adaptor_runtime._tools.check.codes import CODES, GROUPS
from openjd.adaptor_runtime._tools.check.findings import Findings
from openjd.adaptor_runtime._tools.check.source import Source
from openjd.adaptor_runtime._tools.check.target import find_target
from openjd.adaptor_runtime._tools.check.template import check_template

from . import page
from .checking import command, found_in
from .seeds import APPLICATION, HEALTHY, KINDS, PLAIN, SEEDS, Seed

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = {
    "blender": REPOSITORY / "examples" / "blender",
    "ffmpeg": REPOSITORY / "examples" / "ffmpeg",
    "turntable": "openjd.adaptor_runtime.examples.turntable",
}
# Seconds that something which hangs is given here.
_HANGS = 3.0

pytestmark = pytest.mark.timeout(4 * LIMIT)


def _needs_model() -> None:
    for module in ("openjd.model", "packaging"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")


@pytest.mark.parametrize(
    "seed", [pytest.param(s, id=f"{s.code}-{s.kind}") for s in SEEDS if s.always]
)
def test_a_seeded_mistake_is_found_and_nothing_else(seed: Seed, tmp_path: Path) -> None:
    """A small change of a healthy adaptor makes one finding, with its code, a place and a cure."""
    _needs_model()
    project = seed.plant(tmp_path)
    limit = _HANGS if seed.code == "A102" else LIMIT
    found, _ = found_in(project, dry_run=seed.by_dry_run, limit=limit)
    assert [finding.code for finding in found] == [seed.code], found
    (finding,) = found
    assert finding.mend and finding.message
    assert Path(finding.file).is_relative_to(project.resolve()), finding


@pytest.mark.parametrize(
    "text", ["a: 2026-99-99", "[" * 5000, "a: [", "\0", "a: !!python/name:os.system"]
)
def test_a_template_that_is_no_yaml(text: str, tmp_path: Path) -> None:
    """It is a finding, whatever is in it."""
    template, findings = tmp_path / "template.yaml", Findings([])
    template.write_text(text, encoding="utf-8")
    check_template(findings, template, find_target(str(HEALTHY / APPLICATION)), {}, {})
    assert [finding.code for finding in findings.sorted()] == ["T801"]


def test_the_place_of_what_an_environment_lacks(tmp_path: Path) -> None:
    """That a daemon is never stopped is said where it is started."""
    _needs_model()
    (seed,) = (seed for seed in SEEDS if seed.code == "T805")
    (finding,), _ = found_in(seed.plant(tmp_path), dry_run=False, limit=LIMIT)
    template = Path(finding.file).read_text(encoding="utf-8").splitlines()
    assert "onEnter" in template[finding.line - 1]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_found_in_a_healthy_adaptor(kind: str) -> None:
    """What the mistakes are planted in has none; and all of it was looked at."""
    _needs_model()
    assert found_in(HEALTHY / kind) == ([], [])


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_is_found_in_the_examples(name: str) -> None:
    """The examples have no mistake, and no warning."""
    _needs_model()
    found, notes = found_in(EXAMPLES[name])
    assert found == []
    assert notes == []


def test_a_session_with_a_fake_application_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``daemon start`` and ``daemon stop`` go well without the application, and leave nothing."""
    _needs_model()
    log = tmp_path / "session.jsonl"
    monkeypatch.setenv("OPENJD_ADAPTOR_SESSION_LOG", str(log))
    assert found_in(HEALTHY / APPLICATION, dry_run=True) == ([], [])
    assert not log.exists(), "it is for the sessions of jobs"


def test_every_code_is_seeded() -> None:
    """There is no code that no mistake is found by."""
    assert {seed.code for seed in SEEDS} == set(CODES)


def test_enough_mistakes_are_tried_by_default() -> None:
    """At least twenty, in adaptors of all three kinds, and in each group of codes."""
    always = [seed for seed in SEEDS if seed.always]
    assert len(always) >= 20
    assert {seed.kind for seed in always} == set(KINDS)
    assert {seed.code[0] for seed in always} == set(GROUPS)


def test_the_page_has_every_code() -> None:
    """The tables of docs/check.md are those of the program: code, severity, meaning, cure."""
    text = page.PAGE.read_text(encoding="utf-8")
    assert text == page.with_tables(text), "python -m tests.check --page writes them"


def test_findings_are_lines_with_a_cure(tmp_path: Path) -> None:
    """Text: place, severity, code and message on one line, what to do below it; status 1."""
    (seed,) = (one for one in SEEDS if one.name == "a misspelt action")
    seed.plant(tmp_path)
    ended = command(APPLICATION, "--no-dry-run", folder=tmp_path)
    place = Path(APPLICATION, "engraver", "adaptor.py")
    lines = ended.out.splitlines()
    assert lines[0].startswith(f"{place}:"), ended
    assert lines[0].endswith(
        "error C607: the client has no action 'engave'; did you mean 'engrave'?"
    )
    assert re.fullmatch(r"    mend: \S.*", lines[1])
    assert lines[-1] == "engraver: 1 error, 0 warnings"
    assert (ended.status, ended.err) == (1, "")


def test_findings_are_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON: the same, for programs. A warning fails with --strict alone, and can be ignored."""
    (seed,) = (one for one in SEEDS if one.code == "A110")
    project = str(seed.plant(tmp_path))
    assert main([project, "--no-dry-run", "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["format"], shown["adaptor"]) == (1, "plotter")
    assert (shown["errors"], shown["warnings"]) == (0, 1)
    (finding,) = shown["findings"]
    assert (finding["code"], finding["severity"], finding["line"]) == ("A110", "warning", 10)
    assert Path(finding["file"]).name == "__main__.py"
    assert main([project, "--no-dry-run", "--strict"]) == 1
    assert main([project, "--no-dry-run", "--strict", "--ignore", "A1"]) == 0
    assert capsys.readouterr().out.endswith("plotter: nothing found\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "which adaptor?"),
        (["no_such_package_here"], "no package no_such_package_here that Python finds"),
        (["two words"], "no name of a package"),
        (["--limit", "0", "."], "'0' is no number of seconds"),
        (["--ignore", "Z9", "."], "there is no code 'Z9'"),
        (["--application-python", "2.7", "."], "no version of Python"),
        (["--nonsense", "."], "--nonsense"),
    ],
)
def test_misuse_is_one_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What makes no sense ends with status 2, and one line that says why."""
    try:
        status = main(arguments)
    except SystemExit as e:
        status = int(e.code or 0)
    said = capsys.readouterr()
    assert (status, said.out) == (2, "")
    (line,) = said.err.splitlines()
    assert line.startswith("ERROR: ") and words in line


def test_an_adaptor_is_named_in_many_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file, a folder of a package, a package and a class on the path: they are the same."""
    project = HEALTHY / PLAIN
    monkeypatch.syspath_prepend(str(project))
    before = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(project), before]).rstrip(os.pathsep))
    for name in (project / "pyproject.toml", project / "plotter", "plotter"):
        assert found_in(name) == ([], []), name
    # A class by its name, where the package's entry point is for another.
    (project_copy,) = [SEEDS[0].plant(tmp_path)]
    assert [f.code for f in found_in(project_copy / "engraver")[0]] == ["A101"]
    assert found_in("plotter.adaptor:PlotterAdaptor") == ([], [])


def test_the_application_s_python_and_modules_are_known(tmp_path: Path) -> None:
    """What the application has is said in options, or in the project, and is no mistake then."""
    by_code = {seed.name: seed for seed in SEEDS}
    project = by_code["a client with YAML"].plant(tmp_path)
    client = project / "engraver" / "client.py"
    text = client.read_text(encoding="utf-8")
    newer = text.replace("if not os.path.exists(plate):", "if not (x := os.path.exists(plate)):")
    client.write_text(newer, encoding="utf-8")
    assert sorted(f.code for f in found_in(project)[0]) == ["C603", "C605"]
    with open(project / "pyproject.toml", "a", encoding="utf-8") as file:
        file.write(
            '\n[tool.openjd-adaptor.check]\napplication-python = "3.9"\n'
            'application-modules = ["yaml"]\n'
        )
    assert found_in(project)[0] == []


def test_all_mistakes_of_a_description_are_told(tmp_path: Path) -> None:
    """Not only the first: what is wrong is left out, and the rest is looked at."""
    file = tmp_path / "broken.toml"
    file.write_text(
        'name = "Broken"\nversion = "0.1"\nexit_code = [0]\n'
        'command = ["broken", "{inpt}", "{size:04d}"]\noutputs = ["{result}"]\n'
        '[run_data]\ninput = { type = "string" }\nsize = { type = "integr" }\n'
        "[[rules]]\nkind = 'fail'\npattern = '(a+)+$'\n[[rules]]\nkind = 'fail'\npattern = '('\n"
        "[limits]\nsilent = 3\n",
        encoding="utf-8",
    )
    found, _ = found_in(file)
    assert [(f.code, f.line) for f in found] == [
        ("D902", 3), ("D903", 4), ("D903", 5), ("D904", 8), ("R504", 9), ("R501", 12), ("D906", 16),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ('yield ["plot", run_data["sheet"]]', []),
        ('return [["plot", run_data["sheet"]]]', []),
        ('return [["plot", str(n)] for n in range(3)]', []),
        ('return ["plot", run_data["sheet"]]', ["B208"]),
        ('yield "plot"', ["B208"]),
        ('return [f"plot {n}" for n in range(3)]', ["B208"]),
    ],
)
def test_command_lines_are_lists_in_a_list(body: str, codes: list[str], tmp_path: Path) -> None:
    """``commands`` gives command lines, each a list: as a list of them, or one at a time."""
    path = tmp_path / "plot.py"
    path.write_text(
        f"class Plot(CommandLineAdaptor):\n    def commands(self, run_data):\n        {body}\n",
        encoding="utf-8",
    )
    about: dict[str, object] = {"name": "Plot", "file": str(path), "kind": "command line"}
    findings = Findings()
    check_class(findings, {**about, "missing": [], "problems": [], "rules": []}, Source(path))
    assert [finding.code for finding in findings.sorted()] == codes
