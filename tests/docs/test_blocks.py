"""No block of the documentation is there unseen: it is run, looked at, or says why not."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from .checks import Wrong, check
from .guide import Block, blocks
from .pages import PAGES, ROOT, read

sys.path.insert(0, str(ROOT))  # for ``website``


@pytest.mark.parametrize("page", PAGES)
def test_what_blocks_claim_to_be(page: str, private_place: Path) -> None:
    """Each block has a mark; Python, JSON, YAML, TOML and usages are what they seem."""
    for module in ("openjd.model", "tomllib" if sys.version_info >= (3, 11) else "tomli"):
        pytest.importorskip(module)
    folder = private_place / "blocks"
    folder.mkdir()
    for block in blocks(read(page)):
        check(block, folder)


def test_how_many_blocks_are_tried() -> None:
    """All pages together: what is tried is by far the most. Shown with ``pytest -rP``."""
    counts = {page: Counter(block.kind for block in blocks(read(page))) for page in PAGES}
    for page, count in counts.items():
        if count:
            print(f"{page}: {', '.join(f'{n} {kind}' for kind, n in sorted(count.items()))}")
    total: Counter[str] = sum(counts.values(), Counter())
    print(f"all: {', '.join(f'{n} {kind}' for kind, n in sorted(total.items()))}")
    untried = total["by hand"] + total["not run"]
    assert total["run"] > 50
    assert untried < 0.15 * sum(total.values())


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("python", "from openjd.adaptor_runtime.adaptors import Adapter", "Adapter"),
        ("python", "import openjd.adaptor_runtime.adapters", "no module"),
        ("python", "Limits(silense=3)", "silense"),
        ("python", "def f(:", "SyntaxError"),
        ("json", "{'a': 1}", "JSONDecodeError"),
        (
            "json",
            '{"$schema": "http://json-schema.org/draft-07/schema#", "type": "text"}',
            "valid schema",
        ),
        ("json", '{"path_mapping_rules": [{"source_path": "/a"}]}', "source_path_format"),
        ("yaml", "a: [", "ParserError"),
        ("yaml", "specificationVersion: jobtemplate-2023-09\nname: x", "no job template"),
        ("toml", "a = ", "Invalid value"),
        ("a part of an adaptor in TOML", 'command_line = ["x"]', "command_line"),
        ("a parameter space", "parameterSpace: {}", "no job template"),
        ("the runtime's settings", '{"log_lvl": "DEBUG"}', "log_lvl"),
        ("an adaptor's settings", '{"limits": {"silense": 60}}', "silense"),
        (
            "usage",
            "my-adaptor daemon run [--connection-file FILE]",
            "--run-data, --run-field is not shown",
        ),
        ("usage", "my-adaptor daemon stop [--now]", "there is no --now"),
        ("usage", "my-adaptor daemon restart", "no command restart"),
        ("a command", "my-adaptor daemon run --run-date 1", "run-date"),
    ],
)
def test_a_block_that_is_not_what_it_claims(
    kind: str, text: str, said: str, private_place: Path
) -> None:
    """It is found, and told with its line."""
    pytest.importorskip("openjd.model")
    with pytest.raises(Wrong, match=f"line 7: .*{said}"):
        check(Block("check", kind, text, 7, ""), private_place)


def test_marks_without_a_reason() -> None:
    """What is not run says why."""
    with pytest.raises(ValueError, match="does not say what, or why"):
        list(blocks("<!-- by hand -->\n```\nls\n```\n"))
