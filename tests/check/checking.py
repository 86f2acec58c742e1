"""Runs the check in this process, or as the command that it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from bounded import LIMIT

from openjd.adaptor_runtime._tools.check.findings import Finding, Findings
from openjd.adaptor_runtime._tools.check.run import Wishes, check
from openjd.adaptor_runtime._tools.check.target import find_target


def found_in(
    adaptor: str | Path, *, dry_run: bool = False, limit: float = LIMIT
) -> tuple[list[Finding], list[str]]:
    """The findings of a check, and its notes."""
    findings = Findings()
    wishes = Wishes(python=None, modules=[], dry_run=dry_run, init_data=None, limit=limit)
    check(findings, find_target(str(adaptor)), wishes)
    return findings.sorted(), findings.notes


class Ended(NamedTuple):
    """How the command ended, and what it printed."""

    status: int
    out: str
    err: str


def command(*arguments: str | Path, folder: Path | None = None) -> Ended:
    """Runs ``openjd-adaptor check ARGUMENTS``."""
    code = "import sys; from openjd.adaptor_runtime._cli.tool import main; sys.exit(main())"
    ended = subprocess.run(
        [sys.executable, "-c", code, "check", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        cwd=folder,
        timeout=2 * LIMIT,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)
