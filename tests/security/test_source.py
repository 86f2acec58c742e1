"""What must not stand anywhere in the source, whatever it would be good for."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import openjd.adaptor_runtime

SOURCE = Path(openjd.adaptor_runtime.__file__).parents[1]
FILES = sorted(
    path
    for package in ("adaptor_runtime", "adaptor_runtime_client")
    for path in (SOURCE / package).rglob("*.py")
)
TREES = {str(path.relative_to(SOURCE)): ast.parse(path.read_text("utf-8")) for path in FILES}

#: They make objects, or run code, out of bytes.
UNPACKERS = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal"}
RUNNERS = {"eval", "exec", "__import__"}
SHELLS = {"system", "popen", "getoutput", "getstatusoutput", "create_subprocess_shell"}
#: What is used of yaml. Its other loaders make any object.
OF_YAML = {
    "CSafeLoader", "SafeLoader", "parse", "compose", "load", "safe_load",
    "SafeDumper", "dump", "safe_dump", "ScalarNode",
    "Event", "AliasEvent", "ScalarEvent", "CollectionStartEvent", "CollectionEndEvent",
    "MappingNode", "SequenceNode",
    "MarkedYAMLError", "YAMLError",
}  # fmt: skip
#: Where files are written that are meant for others: the demo's, an example's, the tools' for
#: whoever calls them, and the testing kit's for a test, in the test's own folders.
FOR_OTHERS = (
    "adaptor_runtime/_demo.py",
    "adaptor_runtime/_tools/",
    "adaptor_runtime/examples/",
    "adaptor_runtime/testing/",
)
#: Where private files and folders are made.
MAKERS = ("adaptor_runtime/_platform/",)


def _calls(tree: ast.AST) -> Iterator[tuple[str, str, ast.Call]]:
    """Each call: what is before the last dot of what is called, what is behind it, the call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            owner, _, method = name.rpartition(".")
            yield owner, method, node


def _unpacks(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        if any(name.partition(".")[0] in UNPACKERS for name in names):
            yield node


def _runs_code(tree: ast.AST) -> Iterator[ast.AST]:
    for owner, name, call in _calls(tree):
        if owner in ("", "builtins") and name in RUNNERS:
            yield call


def _uses_a_shell(tree: ast.AST) -> Iterator[ast.AST]:
    for owner, name, call in _calls(tree):
        if owner in ("os", "subprocess", "asyncio") and name in SHELLS:
            yield call
        if any(word.arg == "shell" for word in call.keywords):
            yield call


def _reads_yaml_unsafely(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "yaml":
            if node.attr not in OF_YAML:
                yield node
        elif isinstance(node, ast.ImportFrom) and node.module == "yaml":
            yield node
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "yaml.load":
            # The loader by its variable, which is one of the two above.
            safe = [ast.unparse(argument) for argument in node.args[1:]] == ["loader"]
            yield from [] if safe else [node]


def _guesses_names(tree: ast.AST) -> Iterator[ast.AST]:
    for owner, name, call in _calls(tree):
        if owner == "tempfile" and name == "mktemp":
            yield call


#: Name -> finds what must not be there.
FORBIDDEN: dict[str, Callable[[ast.AST], Iterator[ast.AST]]] = {
    "objects out of bytes": _unpacks,
    "code out of text": _runs_code,
    "a shell": _uses_a_shell,
    "a YAML loader that makes any object": _reads_yaml_unsafely,
    "a name for a file that somebody else can take": _guesses_names,
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_not_there(what: str) -> None:
    """None of it stands in either package."""
    found = [f"{file}: {ast.unparse(n)}" for file in TREES for n in FORBIDDEN[what](TREES[file])]
    assert found == []


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("objects out of bytes", "from pickle import loads"),
        ("objects out of bytes", "import marshal"),
        ("code out of text", "x = eval(y)"),
        ("a shell", "subprocess.run('ls', shell=True)"),
        ("a shell", "os.system('ls')"),
        ("a YAML loader that makes any object", "yaml.load(text, yaml.Loader)"),
        ("a YAML loader that makes any object", "yaml.load(text)"),
        ("a YAML loader that makes any object", "yaml.unsafe_load(text)"),
        ("a name for a file that somebody else can take", "tempfile.mktemp()"),
    ],
)
def test_would_be_found(what: str, text: str) -> None:
    """Each is found where it stands."""
    assert list(FORBIDDEN[what](ast.parse(text)))


def _written(tree: ast.AST) -> Iterator[ast.AST]:
    """Calls that make or write a file without our opener."""
    for owner, name, call in _calls(tree):
        words = {word.arg: ast.unparse(word.value) for word in call.keywords}
        if name in ("write_text", "write_bytes"):
            yield call
        elif name == "open" and owner not in ("os", "_platform"):
            place = 0 if owner else 1
            given = [ast.unparse(argument) for argument in call.args[place : place + 1]]
            mode = words.get("mode", given[0] if given else "'r'").strip("'\"")
            # A variable is the caller's: secure_open, which has the opener.
            private = words.get("opener", "").endswith("private_opener")
            if not set(mode).isdisjoint("wxa+") and not private:
                yield call
        elif (owner == "os" and name == "open" and "O_CREAT" in ast.unparse(call)) or (
            name in ("mkdir", "makedirs", "mkdtemp", "mkstemp", "NamedTemporaryFile")
        ):
            yield call


def test_files_are_made_private() -> None:
    """Every file that the runtime writes for itself is made by the one opener that is private."""
    found = [
        f"{file}: {ast.unparse(node)}"
        for file in TREES
        if not file.replace("\\", "/").startswith((*FOR_OTHERS, *MAKERS))
        for node in _written(TREES[file])
    ]
    assert found == []
    assert list(_written(ast.parse("open(path, 'w')")))
    assert list(_written(ast.parse("Path(path).open('xb')")))
