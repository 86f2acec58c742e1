"""The words of the runtime's own failures, collected from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import openjd.adaptor_runtime

ROOT = Path(openjd.adaptor_runtime.__file__).parent
#: Calls that make a failure's words without a ``raise``.
_CALLS = {"_failure", "_give_up", "report_failure", "ApplicationError", "fail_all"}


class Words(NamedTuple):
    """A message, with an example for what varies in it.

    Attributes:
        place: file and line.
        raised: what is raised or called.
    """

    place: str
    raised: str
    text: str


def collect(leave_out: tuple[str, ...]) -> Iterator[Words]:
    """The words of each ``raise`` and of the calls above, below the runtime's folder.

    Args:
        leave_out: files and folders, with the path below that folder.
    """
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(leave_out):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            call = _call(node)
            if call is None:
                continue
            for text in _texts(call.args[0]) if call.args else ():
                yield Words(f"{name}:{call.lineno}", _name(call.func), text)


def _call(node: ast.AST) -> ast.Call | None:
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        return node.exc
    if isinstance(node, ast.Call) and _name(node.func) in _CALLS:
        return node
    return None


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _texts(node: ast.expr) -> list[str]:
    """What an expression for a text can be; nothing if it has no words of its own."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.JoinedStr):
        pieces = [v.value if isinstance(v, ast.Constant) else "7" for v in node.values]
        return ["".join(map(str, pieces))]
    if isinstance(node, ast.IfExp):
        return _texts(node.body) + _texts(node.orelse)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [a + b for a in _texts(node.left) or ["7"] for b in _texts(node.right) or ["7"]]
    if isinstance(node, ast.Call) and _name(node.func) == "one_line" and node.args:
        return _texts(node.args[0])
    return []
