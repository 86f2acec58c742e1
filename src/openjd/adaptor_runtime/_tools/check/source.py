"""Python sources, read without being run."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Union

Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]


class Source:
    """A Python file and its syntax tree.

    Args:
        path: the file.

    Raises:
        OSError: it cannot be read.
        SyntaxError: it is no Python; so is what does not decode.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        raw = Path(path).read_bytes()
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
            self.text = raw.decode(encoding).lstrip("\ufeff")
            self.tree = ast.parse(self.text, self.path)
        except (UnicodeDecodeError, ValueError) as e:
            raise SyntaxError(str(e)) from None

    def classes(self) -> dict[str, ast.ClassDef]:
        """The classes of the module, by their names."""
        return {node.name: node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef)}

    def imported(self) -> dict[str, str]:
        """The names that imports make -> what they stand for, as ``module`` or ``module.name``."""
        names: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    names[alias.asname or alias.name.partition(".")[0]] = (
                        alias.name if alias.asname else alias.name.partition(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    names[alias.asname or alias.name] = f"{node.module or ''}.{alias.name}"
        return names


def read_all(folder: Path) -> list[Source]:
    """The Python files in a folder and below it that can be read; tests and caches left out."""
    sources = []
    for path in sorted(folder.rglob("*.py")):
        below = path.relative_to(folder).parts
        if any(part.startswith(".") or part in ("__pycache__", "test", "tests") for part in below):
            continue
        try:
            sources.append(Source(path))
        except (OSError, SyntaxError):
            continue
    return sources


def functions(node: ast.ClassDef | ast.Module) -> dict[str, Function]:
    """The functions that stand directly in a class or a module, by their names."""
    return {
        one.name: one
        for one in node.body
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))
    }


def assigned(node: ast.ClassDef | ast.Module | Function) -> dict[str, ast.expr]:
    """The names that are assigned directly in a class, module or function -> the last value."""
    values: dict[str, ast.expr] = {}
    for one in node.body:
        if isinstance(one, ast.Assign):
            for target in one.targets:
                if isinstance(target, ast.Name):
                    values[target.id] = one.value
        elif isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and one.value:
            values[one.target.id] = one.value
    return values


def line_of(node: ast.ClassDef | None, name: str) -> int | None:
    """Where a class defines an attribute or a method; the class's own line if it does not."""
    if node is None:
        return None
    found = functions(node).get(name)
    if found is not None:
        return found.lineno
    value = assigned(node).get(name)
    return node.lineno if value is None else value.lineno


def dotted(node: ast.AST) -> str:
    """``a.b.c`` of names and attributes; "" of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""


def text_of(node: ast.AST | None) -> str | None:
    """The text that a literal is, or None."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def calls(node: ast.AST) -> Iterator[ast.Call]:
    """The calls in a piece of syntax."""
    return (one for one in ast.walk(node) if isinstance(one, ast.Call))


def mentions(node: ast.AST, name: str) -> bool:
    """Whether an attribute or a name of that spelling is used."""
    return any(
        (isinstance(one, ast.Attribute) and one.attr == name)
        or (isinstance(one, ast.Name) and one.id == name)
        for one in ast.walk(node)
    )
