"""Regular expressions: whether they can be used on every line that an application may print."""

from __future__ import annotations

import ast
import re

from ...app_handlers._effort import longest_line
from .findings import Findings
from .source import Function, Source, assigned, calls, dotted, functions, text_of

# A search in a line of so many characters should be a moment's work. The usual `.*` within a
# pattern, which takes some two thousand, is well above it.
_USUAL_LINE = 200


def check_pattern(
    findings: Findings,
    pattern: object,
    flags: int,
    what: str,
    file: str | None,
    line: int | None,
    broad: bool = False,
) -> bool:
    """Looks at one pattern.

    Args:
        what: names it in messages.
        broad: whether it is a mistake if it is found in every line.

    Returns:
        Whether it can be compiled.
    """
    if not isinstance(pattern, str):
        return True
    try:
        regex = re.compile(pattern, flags)
    except (re.error, ValueError, RecursionError, OverflowError) as e:
        findings.add("R501", f"{what} {pattern!r} cannot be compiled: {e}", file, line)
        return False
    longest = longest_line(regex)
    if longest < 0:
        text = f"{what} {pattern!r} can take for ever on a line that does not match"
        findings.add("R504", text, file, line)
    elif longest < _USUAL_LINE:
        findings.add(
            "R505",
            f"{what} {pattern!r} is a moment's work only on lines of up to {int(longest)} "
            "characters; longer ones go through another process",
            file,
            line,
        )
    if broad and regex.search(""):
        findings.add("R508", f"{what} {pattern!r} is found in every line", file, line)
    return True


def check_compiled_patterns(findings: Findings, source: Source) -> None:
    """Looks at literal patterns that the code compiles when it runs."""
    for call in calls(source.tree):
        if dotted(call.func) == "re.compile" and call.args:
            pattern = text_of(call.args[0])
            if pattern is not None:
                try:
                    re.compile(pattern)
                except (re.error, ValueError, RecursionError, OverflowError) as e:
                    findings.add(
                        "R501",
                        f"the pattern {pattern!r} cannot be compiled: {e}",
                        source.path,
                        call.lineno,
                    )


def check_callbacks(findings: Findings, source: Source) -> None:
    """Looks at each ``RegexCallback(patterns, callback)`` of a module."""
    names = assigned(source.tree)
    for cls in [*source.classes().values(), None]:
        methods = functions(cls) if cls is not None else functions(source.tree)
        for function in methods.values():
            known = {**names, **assigned(function)}
            for call in calls(function):
                if dotted(call.func).rpartition(".")[2] == "RegexCallback":
                    _check_callback(findings, source, call, known, cls, methods)


def _check_callback(
    findings: Findings,
    source: Source,
    call: ast.Call,
    names: dict[str, ast.expr],
    cls: ast.ClassDef | None,
    methods: dict[str, Function],
) -> None:
    keywords = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    patterns = call.args[0] if call.args else keywords.get("regex_list")
    callback = call.args[1] if len(call.args) > 1 else keywords.get("callback")
    if isinstance(patterns, ast.Name):
        patterns = names.get(patterns.id)
    for element in patterns.elts if isinstance(patterns, (ast.List, ast.Tuple)) else []:
        one = names.get(element.id) if isinstance(element, ast.Name) else element
        if isinstance(one, ast.Call) and dotted(one.func) == "re.compile" and one.args:
            pattern = text_of(one.args[0])
            if pattern is not None and _compiles(pattern):
                check_pattern(
                    findings, pattern, _flags(one), "the pattern", source.path, one.lineno
                )
    if callback is None:
        return
    name = dotted(callback)
    if isinstance(callback, ast.Lambda):
        _check_parameters(findings, source, callback.args, 0, "the callback", callback.lineno)
    elif name.startswith("self.") and cls is not None:
        method = methods.get(name[5:])
        if method is not None:
            static = any(dotted(d) == "staticmethod" for d in method.decorator_list)
            _check_parameters(
                findings, source, method.args, 0 if static else 1, name, method.lineno
            )
        elif name.count(".") == 1 and not _defines(cls, name[5:]):
            findings.add("R507", f"there is no {name}", source.path, callback.lineno)
    elif name in (top := functions(source.tree)):
        _check_parameters(findings, source, top[name].args, 0, name, top[name].lineno)


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except (re.error, ValueError, RecursionError, OverflowError):
        return False  # Told of elsewhere.
    return True


def _defines(cls: ast.ClassDef, name: str) -> bool:
    """Whether a class may have an attribute: it sets it, or has a base that nobody knows here."""
    known = {"Adaptor", "ApplicationAdaptor", "CommandAdaptor", "CommandLineAdaptor", "BaseAdaptor"}
    bases = {
        dotted(base.value if isinstance(base, ast.Subscript) else base).rpartition(".")[2]
        for base in cls.bases
    }
    stored = any(
        isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.ctx, ast.Store)
        for node in ast.walk(cls)
    )
    return stored or name in assigned(cls) or not bases <= known


def _flags(call: ast.Call) -> int:
    given = call.args[1] if len(call.args) > 1 else None
    flags = 0
    for node in ast.walk(given) if given is not None else ():
        if isinstance(node, ast.Attribute):
            flag = getattr(re, node.attr, 0)
            flags |= int(flag) if isinstance(flag, int) else 0
    return flags


def _check_parameters(
    findings: Findings,
    source: Source,
    arguments: ast.arguments,
    bound: int,
    name: str,
    line: int,
) -> None:
    """Whether it can be called with one argument, the match, behind `bound` others."""
    usual = [*arguments.posonlyargs, *arguments.args]
    least = len(usual) - len(arguments.defaults) - bound
    most = len(usual) - bound
    by_name = [a for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults) if d is None]
    if least > 1 or (most < 1 and arguments.vararg is None) or by_name:
        findings.add(
            "R507",
            f"{name} takes {most} parameter{'' if most == 1 else 's'}, and is called with one, "
            "the match",
            source.path,
            line,
        )
