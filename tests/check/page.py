"""The tables of docs/check.md, as they follow from the program."""

from __future__ import annotations

from pathlib import Path

from openjd.adaptor_runtime._tools.check.codes import CODES, GROUPS

PAGE = Path(__file__).parents[2] / "docs" / "check.md"
_BEGIN, _END = "<!-- codes: begin -->\n", "<!-- codes: end -->\n"


def tables() -> str:
    """A table for each group of codes."""
    parts = []
    for letter, title in GROUPS.items():
        parts.append(f"\n### {title}\n")
        parts.append("| code | severity | what is wrong | what to do |\n|---|---|---|---|")
        parts += [
            f"| `{code}` | {about.severity} | {_cell(about.title)} | {_cell(about.mend)} |"
            for code, about in CODES.items()
            if code.startswith(letter)
        ]
    return "\n".join(parts) + "\n\n"


def with_tables(page: str) -> str:
    """The page with the tables as they are now."""
    head, rest = page.split(_BEGIN)
    return head + _BEGIN + tables() + _END + rest.split(_END)[1]


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
