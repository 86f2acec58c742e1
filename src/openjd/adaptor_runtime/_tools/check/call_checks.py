"""What the adaptor calls in its application, held against what the client has."""

from __future__ import annotations

import ast
import difflib

from .client import Action, Client
from .findings import Findings
from .source import Source, assigned, calls, dotted, text_of

# Annotation -> the types of literals that suit it.
_SUITED: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
}


def check_calls(findings: Findings, source: Source, client: Client) -> None:
    """Looks at each ``self.app.call("action", …)`` and ``self.app.submit(…)`` of a module."""
    constants = assigned(source.tree)
    for call in calls(source.tree):
        base, _, method = dotted(call.func).rpartition(".")
        if method not in ("call", "submit") or base.rpartition(".")[2] != "app":
            continue
        first = call.args[0] if call.args else None
        if isinstance(first, ast.Name):
            first = constants.get(first.id)
        name = text_of(first)
        if name is None:
            continue
        action = client.actions.get(name)
        if action is not None:
            _check_arguments(findings, source, call, action, method)
        elif name != "close" and not client.is_open:
            close = difflib.get_close_matches(name, client.actions, 1)
            known = ", ".join(client.actions) or "none"
            findings.add(
                "C607",
                f"the client has no action {name!r}"
                + (f"; did you mean {close[0]!r}?" if close else f"; it has {known}"),
                source.path,
                call.lineno,
            )


def _check_arguments(
    findings: Findings, source: Source, call: ast.Call, action: Action, method: str
) -> None:
    given = {k.arg: k.value for k in call.keywords if k.arg is not None}
    if method == "call":
        given.pop("timeout", None)
    if len(call.args) > 1:
        text = f"{action.name}: the arguments of an action are given by name"
        findings.add("C608", text, source.path, call.lineno)
        return
    if action.parameters is None:
        return
    known = {parameter.name: parameter for parameter in action.parameters}
    wrong = []
    missing_names = [p for p in known if p not in given]
    for name in given:
        if name not in known and not action.is_open:
            close = difflib.get_close_matches(name, missing_names, 1)
            wrong.append(
                f"{action.name} has no parameter {name!r}"
                + (f"; did you mean {close[0]!r}?" if close else "")
            )
    is_complete = all(keyword.arg is not None for keyword in call.keywords)
    if not wrong and is_complete:
        missing = [p.name for p in action.parameters if p.required and p.name not in given]
        if missing:
            wrong.append(f"{action.name} is called without {', '.join(missing)}")
    for text in wrong:
        findings.add("C608", text, source.path, call.lineno)
    for name, value in given.items():
        parameter = known.get(name)
        suited = _SUITED.get(parameter.annotation) if parameter is not None else None
        if suited is None or not isinstance(value, ast.Constant):
            continue
        if type(value.value) not in suited:
            findings.add(
                "C610",
                f"{action.name}: {name} must be {known[name].annotation}, and is {value.value!r}",
                source.path,
                value.lineno,
            )
