"""The two virtual environments: the peer's from its distribution, ours from this checkout."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .model import OURS, PEER, BenchmarkError

CHECKOUT = Path(__file__).resolve().parent.parent
PEER_REQUIREMENT = "openjd-adaptor-runtime==0.9.6"
_DISTRIBUTION = "openjd-adaptor-runtime"
# What ends up in our wheel, or decides how it is built.
_SOURCES = ("src", "pyproject.toml", "README.md")


@dataclass(frozen=True)
class Runtime:
    """An installed runtime to be measured."""

    name: str
    version: str
    python: Path

    @property
    def takes_adaptor_by_name(self) -> bool:
        """Whether ``EntryPoint("package.module:Class")`` is understood; 0.9 has it not."""
        return self.name == OURS


def prepare(cache: Path, say: Callable[[str], None]) -> tuple[Runtime, Runtime]:
    """The peer and ours, installed in `cache`; what is there already and current is kept."""
    return (
        _prepare(PEER, PEER_REQUIREMENT, PEER_REQUIREMENT, cache, say),
        _prepare(OURS, str(CHECKOUT), _source_hash(), cache, say),
    )


def clean_environ() -> dict[str, str]:
    """This process's variables without those that would change a measured interpreter."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "OPENJD_", "COVERAGE"))
        and not name.endswith("_CONFIG_PATH")
        and name not in ("ADAPTOR_CONFIG_SCHEMA_PATH", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
    }


def _prepare(
    name: str, requirement: str, identity: str, cache: Path, say: Callable[[str], None]
) -> Runtime:
    folder = cache / f"{name}-{sys.implementation.cache_tag}"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    stamp = folder / "benchmarks.json"
    wanted = {"identity": identity, "python": sys.version}
    if _read_stamp(stamp) != wanted or not python.exists():
        say(f"installing {name}: {requirement}")
        # An interrupted installation must not be taken for a finished one the next time.
        stamp.unlink(missing_ok=True)
        _run(name, sys.executable, "-m", "venv", "--clear", str(folder))
        pip = (str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
        _run(name, *pip, requirement)
        stamp.write_text(json.dumps(wanted), encoding="utf-8")
    query = f"import importlib.metadata as m; print(m.version({_DISTRIBUTION!r}))"
    return Runtime(name, _run(name, str(python), "-I", "-c", query).strip(), python)


def _read_stamp(stamp: Path) -> object:
    try:
        return json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _run(name: str, *args: str) -> str:
    done = subprocess.run(
        args,
        env=clean_environ(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",
    )
    if done.returncode != 0:
        lines = (done.stderr + done.stdout).strip().splitlines() or ["no output"]
        # pip wraps a build's exception into several lines of its own.
        reasons = [line for line in lines if re.search(r"\w(Error|Exception): |^ERROR: ", line)]
        reason = (reasons or lines)[0].strip()
        raise BenchmarkError(f"the environment of {name} could not be made: {reason}")
    return done.stdout


def _source_hash() -> str:
    digest = hashlib.sha256()
    for source in _SOURCES:
        top = CHECKOUT / source
        files = [top] if top.is_file() else sorted(top.rglob("*"))
        for path in files:
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(CHECKOUT)).encode() + b"\0")
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
