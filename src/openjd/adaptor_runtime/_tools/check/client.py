"""The client, which runs in the application's Python: read, and never run."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from .findings import Findings
from .source import Function, Source, assigned, calls, dotted, functions, text_of
from .target import locate

#: Modules that applications bring, also where the adaptor's environment has them by chance.
APPLICATION_MODULES = frozenset(
    {
        *("FreeCAD", "MaxPlus", "OpenEXR", "OpenImageIO", "PyOpenColorIO", "PySide2", "PySide6"),
        *("alembic", "arnold", "aud", "bmesh", "bpy", "bpy_extras", "c4d", "fusionscript", "gpu"),
        *("hou", "houdini", "katana", "mathutils", "maxon", "maya", "mset", "mtoa", "nuke"),
        *("nukescripts", "numpy", "pxr", "pymel", "pymxs", "rv", "scriptcontext", "shiboken2"),
        *("shiboken6", "substance_painter", "unreal", "vrController", "vrFileIO", "vrScenegraph"),
    }
)
_CLIENT_PACKAGES = ("openjd.adaptor_runtime_client", "adaptor_runtime_client")
#: What ApplicationClient has, and its methods need.
_RESERVED = frozenset(
    {
        *("actions", "close", "connect", "graceful_shutdown", "map_path", "on_close", "poll"),
        *("path_mapping_rules", "process_pending", "progress", "run", "server_path", "status"),
        *("version", "socket_path"),
    }
)
_RUNS = ("run", "poll", "process_pending")
#: Module of the standard library -> the version that brought it.
_NEWER = {
    "annotationlib": (3, 14),
    "graphlib": (3, 9),
    "importlib.metadata": (3, 8),
    "tomllib": (3, 11),
    "zoneinfo": (3, 9),
}
#: What was in it when the oldest of these applications came out.
_GONE = frozenset(
    {
        *("aifc", "asynchat", "asyncore", "audioop", "binhex", "cgi", "cgitb", "chunk", "crypt"),
        *("distutils", "formatter", "imghdr", "imp", "macpath", "mailcap", "msilib", "nis"),
        *("nntplib", "ossaudiodev", "parser", "pipes", "smtpd", "sndhdr", "spwd", "sunau"),
        *("symbol", "telnetlib", "uu", "xdrlib"),
    }
)


class Parameter(NamedTuple):
    """A parameter of an action."""

    name: str
    required: bool
    #: As it is written; "" if there is none.
    annotation: str


class Action(NamedTuple):
    """A method of the client that the adaptor can call."""

    name: str
    #: None: nothing is known of them.
    parameters: list[Parameter] | None
    #: Whether it takes any keyword.
    is_open: bool
    returns: str
    line: int


class Client(NamedTuple):
    """What is known of a client by its source."""

    source: Source
    actions: dict[str, Action]
    #: Whether it may have actions that are not seen here.
    is_open: bool
    has_version: bool


def read_client(findings: Findings, path: str, about_file: str, line: int | None) -> Client | None:
    """Reads a client, a file or a folder with a ``__main__.py``; None where that cannot be done.

    Args:
        about_file: the module that names it, and where.
    """
    script = os.path.join(path, "__main__.py") if os.path.isdir(path) else path
    if not os.path.exists(script):
        findings.add("C601", f"there is no {path}", about_file, line)
        return None
    if not script.endswith(".py"):
        findings.note(f"the client {path} is no Python file and was not looked at")
        return None
    try:
        source = Source(script)
    except SyntaxError as e:
        findings.add("C602", f"{e.msg}", script, e.lineno)
        return None
    except OSError as e:
        findings.add("C601", f"{path} cannot be read: {e.strerror or e}", about_file, line)
        return None
    return _client_of(source)


def _client_of(source: Source) -> Client:
    classes = source.classes()
    imported = source.imported()
    actions: dict[str, Action] = {}
    is_open = has_version = False
    for cls in classes.values():
        own = [f for f in functions(cls).values() if _action_name(f) is not None]
        bases = [dotted(base) for base in cls.bases]
        ours = any(b.rpartition(".")[2] in ("ApplicationClient", "ClientInterface") for b in bases)
        if not (own or ours or any(base in classes for base in bases)):
            continue
        has_version = has_version or "version" in {*assigned(cls), *functions(cls)}
        # What it inherits from elsewhere is not seen.
        is_open = is_open or any(
            base not in classes
            and not imported.get(base, base).startswith(_CLIENT_PACKAGES)
            and base.rpartition(".")[2] not in ("ApplicationClient", "ClientInterface", "object")
            for base in bases
        )
        for function in own:
            name = _action_name(function)
            assert name is not None
            actions[name] = _action(name, function)
    for node in ast.walk(source.tree):
        # As a ClientInterface has them: self.actions["name"] = function, or .update({...}).
        if isinstance(node, ast.Attribute) and node.attr == "actions":
            is_open = True
    return Client(source, actions, is_open, has_version)


def _action_name(function: Function) -> str | None:
    for decorator in function.decorator_list:
        made = decorator.func if isinstance(decorator, ast.Call) else decorator
        if dotted(made).rpartition(".")[2] != "action":
            continue
        if isinstance(decorator, ast.Call):
            for keyword in decorator.keywords:
                if keyword.arg == "name":
                    return text_of(keyword.value) or function.name
        return function.name
    return None


def _action(name: str, function: Function) -> Action:
    arguments = function.args
    usual = [*arguments.posonlyargs, *arguments.args]
    least = len(usual) - len(arguments.defaults)
    parameters = [
        Parameter(a.arg, index < least, _written(a.annotation))
        for index, a in enumerate(usual)
        if index > 0
    ]
    parameters += [
        Parameter(a.arg, default is None, _written(a.annotation))
        for a, default in zip(arguments.kwonlyargs, arguments.kw_defaults)
    ]
    wrapped = len(function.decorator_list) > 1
    return Action(
        name,
        None if wrapped else parameters,
        arguments.kwarg is not None,
        _written(function.returns),
        function.lineno,
    )


def _written(annotation: ast.expr | None) -> str:
    if annotation is None:
        return ""
    text = text_of(annotation)
    return ast.unparse(annotation) if text is None else text


def check_client(
    findings: Findings,
    client: Client,
    minimum_version: bool,
    runs_this_python: bool,
    python: tuple[int, int],
    allowed: Collection[str],
) -> None:
    """What is wrong with a client.

    Args:
        minimum_version: whether its version is asked for.
        runs_this_python: whether the application is the adaptor's own Python.
        python: the oldest Python that the application may have.
        allowed: further modules that the application brings.
    """
    source = client.source
    _check_syntax(findings, source, python)
    _check_imports(findings, source, runs_this_python, python, {*APPLICATION_MODULES, *allowed})
    if not any(dotted(call.func).rpartition(".")[2] in _RUNS for call in calls(source.tree)):
        findings.add("C609", "nothing calls run() of the client", source.path)
    if minimum_version and not client.has_version and not client.is_open:
        text = "the adaptor has a minimum_version, the client no version"
        findings.add("C611", text, source.path)
    for cls in source.classes().values():
        for function in functions(cls).values():
            name = _action_name(function)
            if name is not None and (function.name in _RESERVED or name == "close"):
                findings.add(
                    "C612", f"{function.name} cannot be an action's method", source.path,
                    function.lineno,
                )  # fmt: skip


def _check_syntax(findings: Findings, source: Source, python: tuple[int, int]) -> None:
    shown = "{}.{}".format(*python)
    if python < sys.version_info[:2]:
        try:
            ast.parse(source.text, source.path, feature_version=python)
        except SyntaxError as e:
            findings.add("C603", f"this is no Python {shown}: {e.msg}", source.path, e.lineno)
            return
    if python >= (3, 8):
        return
    # What the parser takes from every version.
    for node in ast.walk(source.tree):
        if isinstance(node, ast.JoinedStr):
            text = ast.get_source_segment(source.text, node) or ""
            if re.search(r"\{[^{}\"']+=(![rsa])?(:[^{}]*)?\}", text) and "==" not in text:
                findings.add(
                    "C603", f"this is no Python {shown}: an f-string with =", source.path,
                    node.lineno,
                )  # fmt: skip


def _check_imports(
    findings: Findings,
    source: Source,
    runs_this_python: bool,
    python: tuple[int, int],
    allowed: Collection[str],
) -> None:
    beside = _beside(source)
    for module, line, level in _imports(source.tree):
        top = module.partition(".")[0]
        if level:
            findings.add(
                "C606", "the client is run as a script, without a package around it: a relative "
                "import fails", source.path, line,
            )  # fmt: skip
        elif module in _CLIENT_PACKAGES or module.startswith(
            tuple(f"{package}." for package in _CLIENT_PACKAGES)
        ):
            continue
        elif module == "openjd" or module.startswith("openjd.adaptor_runtime"):
            findings.add("C604", f"the application has no {module}", source.path, line)
        elif _is_standard(top):
            newer = _NEWER.get(module) or _NEWER.get(top)
            if newer is not None and newer > python:
                findings.add(
                    "C603",
                    "{} is there since Python {}.{}".format(module, *newer),
                    source.path,
                    line,
                )
        elif top in allowed:
            continue
        elif top in beside:
            findings.add(
                "C606", f"{module} is beside the client, where the application does not look",
                source.path, line,
            )  # fmt: skip
        elif not runs_this_python and locate(top) is not None:
            findings.add(
                "C605",
                f"{top} is installed beside the adaptor, and that is not the application's Python",
                source.path,
                line,
            )


def _beside(source: Source) -> set[str]:
    """Modules beside the client, and packages around it, that its application cannot import."""
    path = Path(source.path)
    if path.name == "__main__.py" or "sys.path" in source.text:
        # It is run as a folder, whose modules are found; or it sees to that itself.
        return set()
    found = {p.stem for p in path.parent.glob("*.py")}
    found |= {p.parent.name for p in path.parent.glob("*/__init__.py")}
    folder = path.parent
    while (folder / "__init__.py").exists():
        found.add(folder.name)
        folder = folder.parent
    return found


def _imports(tree: ast.AST) -> list[tuple[str, int, int]]:
    """Module, line and level of each import that is not tried or for type checkers alone."""
    found: list[tuple[str, int, int]] = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno, 0) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
            if node.module == "openjd":
                names = [f"openjd.{alias.name}" for alias in node.names]
            found += [(name, node.lineno, node.level) for name in names]
        elif isinstance(node, ast.Try) and node.handlers:
            # What may fail is caught.
            for part in (*node.handlers, *node.orelse, *node.finalbody):
                found += _imports(part)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in dotted(node.test):
            for part in node.orelse:
                found += _imports(part)
        else:
            found += _imports(node)
    return found


def _is_standard(top: str) -> bool:
    if top in _GONE or top == "__future__":
        return True
    names = getattr(sys, "stdlib_module_names", None)
    if names is not None:
        return top in names
    # Python 3.9: where is it?
    if top in sys.builtin_module_names:
        return True
    where = locate(top)
    if where is None:
        return False
    folder = os.path.dirname(os.__file__)
    return str(where).startswith(folder) and "site-packages" not in str(where)
