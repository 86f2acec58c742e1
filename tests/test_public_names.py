"""What other code may rely on: names, import paths, and what they cost."""

from __future__ import annotations

import ast
import importlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from bounded import LIMIT, Child, Task

import openjd.adaptor_runtime
import openjd.adaptor_runtime_client
from openjd.adaptor_runtime.adaptors import Adaptor, SemanticVersion
from openjd.adaptor_runtime.application_ipc import ActionsQueue, AdaptorServer
from openjd.adaptor_runtime_client import Action

CLIENT = Path(openjd.adaptor_runtime_client.__file__).parent
RUNTIME = Path(openjd.adaptor_runtime.__file__).parent
SEARCH = str(CLIENT.parents[1])

# The import paths of the 0.9 surface.
NAMES = {
    "openjd.adaptor_runtime": ["EntryPoint"],
    "openjd.adaptor_runtime.adaptors": [
        "Adaptor",
        "AdaptorConfigurationOptions",
        "AdaptorDataValidator",
        "AdaptorDataValidators",
        "AdaptorRunner",
        "AdaptorState",
        "BaseAdaptor",
        "CommandAdaptor",
        "PathMappingRule",
        "SemanticVersion",
    ],
    "openjd.adaptor_runtime.adaptors.configuration": [
        "AdaptorConfiguration",
        "Configuration",
        "ConfigurationManager",
        "RuntimeConfiguration",
    ],
    "openjd.adaptor_runtime.app_handlers": ["RegexCallback", "RegexHandler"],
    "openjd.adaptor_runtime.application_ipc": ["ActionsQueue", "AdaptorServer"],
    "openjd.adaptor_runtime.process": ["LoggingSubprocess", "ManagedProcess", "StreamLogger"],
    "openjd.adaptor_runtime_client": ["Action", "ClientInterface", "PathMappingRule"],
    "openjd.adaptor_runtime_client.win_client_interface": ["WinClientInterface"],
    "openjd.adaptor_runtime._version": ["version"],
    "openjd.adaptor_runtime._utils": ["secure_open"],
}
# What has come to it since.
NAMES["openjd.adaptor_runtime.adaptors"] += ["map_path_list", "map_paths"]
NAMES["openjd.adaptor_runtime.application_ipc"] += ["ApplicationError", "Call", "Calls", "Hello"]
NAMES["openjd.adaptor_runtime_client"] += ["ApplicationClient", "action"]
NAMES["openjd.adaptor_runtime.testing"] = [
    "AdaptorSession",
    "FakeApplication",
    "MODES",
    "Part",
    "Played",
    "RecordError",
    "Result",
    "Running",
    "Script",
    "ScriptError",
    "record",
]
PUBLIC = [module for module in NAMES if not module.rpartition(".")[2].startswith("_")]
# What is in the standard library on one system or in one version only.
ELSEWHERE = {"_winapi", "msvcrt", "winreg", "typing"}


def python(code: str, *options: str, interpreter: str = sys.executable, **env: str) -> str:
    """What a fresh interpreter prints, which must end well and complain of nothing."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COV"))}
    ended = subprocess.run(
        [interpreter, "-W", "error", *options, "-c", code],
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1", **env},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.strip()


#: The processes among which the modules are shared.
PARTS = 6


class TestNames:
    @pytest.mark.parametrize("module", NAMES)
    def test_import_paths(self, module: str) -> None:
        """Each name can be imported from where published adaptors import it."""
        for name in NAMES[module]:
            assert hasattr(importlib.import_module(module), name)
            namespace: dict[str, Any] = {}
            exec(f"from {module} import {name}", namespace)
            assert namespace[name] is getattr(importlib.import_module(module), name)

    @pytest.mark.parametrize("module", PUBLIC)
    def test_all_is_true(self, module: str) -> None:
        """``__all__`` holds what there is, at least the 0.9 surface, and ``*`` gives just that."""
        imported = importlib.import_module(module)
        assert len(imported.__all__) == len(set(imported.__all__))
        assert set(NAMES[module]) <= set(imported.__all__)
        namespace: dict[str, Any] = {}
        exec(f"from {module} import *", namespace)
        assert set(namespace) - {"__builtins__"} == set(imported.__all__)

    @pytest.mark.parametrize("module", PUBLIC)
    def test_public_names_are_documented(self, module: str) -> None:
        """Every public class and function, and each of its public methods, has a docstring."""
        imported = importlib.import_module(module)
        assert imported.__doc__
        for name in imported.__all__:
            value = getattr(imported, name)
            assert value.__doc__, name
            for attribute, member in vars(value).items() if isinstance(value, type) else ():
                if callable(member) and not attribute.startswith("_"):
                    described = getattr(value, attribute)
                    inherited = [getattr(base, attribute, None) for base in value.__mro__]
                    docs = [getattr(each, "__doc__", None) for each in (described, *inherited)]
                    assert any(docs), f"{name}.{attribute}"

    @pytest.mark.parametrize("module", PUBLIC)
    def test_unknown_names(self, module: str) -> None:
        """A name that is not there is an AttributeError that names module and name."""
        with pytest.raises(AttributeError, match=f"{module}.*no_such_name"):
            importlib.import_module(module).no_such_name  # noqa: B018

    def test_deprecated_names_are_the_same_class(self) -> None:
        """The names that 0.9 had for each system are one class."""
        from openjd.adaptor_runtime_client import ClientInterface
        from openjd.adaptor_runtime_client.win_client_interface import WinClientInterface

        assert WinClientInterface is ClientInterface
        if os.name == "posix":
            from openjd.adaptor_runtime_client import HTTPClientInterface

            assert HTTPClientInterface is ClientInterface
        else:
            assert not hasattr(openjd.adaptor_runtime_client, "HTTPClientInterface")

    def test_version(self) -> None:
        """The version is one that published adaptors accept: 0.9.7 or later in the 0.9 line."""
        from openjd.adaptor_runtime._version import version

        major, minor, patch = version.split(".")[:3]
        assert (major, minor) == ("0", "9")
        assert int(patch) >= 7

    def test_openjd_is_a_namespace(self) -> None:
        """Other distributions install packages beside this one below ``openjd``."""
        assert not (CLIENT.parent / "__init__.py").exists()
        assert (RUNTIME / "py.typed").exists()

    @pytest.mark.timeout(180)
    def test_each_module_by_itself(self) -> None:
        """Every module can be the first that is imported: there are no circles."""
        modules = [
            ".".join(path.relative_to(SEARCH).with_suffix("").parts).replace(".__init__", "")
            for folder in (CLIENT, RUNTIME)
            for path in folder.rglob("*.py")
            if not {"examples", "files"} & set(path.relative_to(SEARCH).parts)
            and path.name not in ("__main__.py", "_win32.py", "_windows.py", "windows.py")
        ]
        if sys.platform == "win32":
            others = ("._unix", ".posix", "._parent", "._path_watch", "._processes")
            modules = [m for m in modules if not m.endswith(others)]
        modules.sort()
        # Each loads nearly all of the others anew: more than one process may take its time for.
        for part in range(PARTS):
            code = f"""
import importlib, sys
sys.path.insert(0, {SEARCH!r})
before = set(sys.modules)
for name in {modules[part::PARTS]!r}:
    importlib.import_module(name)
    for loaded in set(sys.modules) - before:
        if loaded.startswith("openjd"):
            del sys.modules[loaded]
print("done")
"""
            assert python(code) == "done"


class TestSecureOpen:
    def test_writes_and_reads(self, tmp_path: Path) -> None:
        """It is ``open()`` as a context manager, with mode, encoding and newline."""
        from openjd.adaptor_runtime._utils import secure_open

        path = tmp_path / "x.txt"
        with secure_open(path, open_mode="w", encoding="utf-16", newline="\r\n") as file:
            file.write("\u00e4\n")
        assert path.read_bytes().decode("utf-16") == "\u00e4\r\n"
        with secure_open(str(path), "a", encoding="utf-16-le") as file:
            file.write("b")
        with secure_open(path, "rb") as file:
            assert file.read().endswith(b"b\0")
        with pytest.raises(FileNotFoundError), secure_open(tmp_path / "missing", "r"):
            pass

    @pytest.mark.skipif(sys.platform == "win32", reason="about POSIX modes")
    def test_private_from_the_beginning(self, tmp_path: Path) -> None:
        """What it writes is its owner's alone, also where the file was there; mask adds rights."""
        from openjd.adaptor_runtime._utils import secure_open

        path = tmp_path / "x.txt"
        path.write_text("before")
        path.chmod(0o666)
        old_umask = os.umask(0)
        try:
            for mask, mode in ((0, 0o600), (0o040, 0o640), (0, 0o600)):
                with secure_open(path, "w", mask=mask) as file:
                    file.write("x")
                assert path.stat().st_mode & 0o777 == mode
                path.unlink(missing_ok=True)
        finally:
            os.umask(old_umask)

    @pytest.mark.skipif(sys.platform == "win32", reason="about POSIX links")
    def test_links_are_not_followed_when_writing(self, tmp_path: Path) -> None:
        """A link that somebody has laid where the file shall be written is not followed."""
        from openjd.adaptor_runtime._utils import secure_open

        target, link = tmp_path / "target", tmp_path / "link"
        link.symlink_to(target)
        with pytest.raises(OSError, match="link"), secure_open(link, "w"):
            pass
        assert not target.exists()


#: The client's source files.
CLIENT_MODULES = sorted(CLIENT.rglob("*.py"))


class TestClient:
    """The client runs inside applications: what it needs is the standard library alone."""

    @pytest.mark.parametrize("path", CLIENT_MODULES, ids=lambda path: path.name)
    def test_imports_only_the_standard_library(self, path: Path) -> None:
        """No module of the client imports anything else, and none names ``openjd``."""
        known = getattr(sys, "stdlib_module_names", None)
        if known is None:
            library = Path(sysconfig.get_path("stdlib"))
            known = {entry.stem.split(".")[0] for entry in library.iterdir()}
            known |= {entry.stem.split(".")[0] for entry in (library / "lib-dynload").glob("*")}
            known |= set(sys.builtin_module_names)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for name in names:
                assert name.split(".")[0] in known | ELSEWHERE, f"{path.name}: {name}"

    def test_never_loads_the_runtime(self) -> None:
        """All of the client loads no module of the runtime, nor anything installed."""
        code = f"""
import sys
sys.path.insert(0, {SEARCH!r})
import openjd.adaptor_runtime_client as client
for name in client.__all__: getattr(client, name)
import openjd.adaptor_runtime_client.win_client_interface
import json
print(json.dumps([m for m in sys.modules if m.startswith("openjd")]))
print(json.dumps([getattr(m, "__file__", None) or "" for m in sys.modules.values()]))
"""
        names, files = map(json.loads, python(code, "-S").splitlines())
        assert [name for name in names if not name.startswith("openjd.adaptor_runtime_client")] == [
            "openjd"
        ]
        assert not [file for file in files if "site-packages" in file and SEARCH not in file]

    def test_modules_loaded(self) -> None:
        """A client that is ready to work has loaded at most 80 modules.

        On Windows ctypes and what it loads come on top, without which nobody learns who is at
        the other end of a pipe.
        """
        code = f"""
import sys
sys.path.insert(0, {SEARCH!r})
from openjd.adaptor_runtime_client import Action, ClientInterface, PathMappingRule
class Client(ClientInterface):
    def close(self, args): pass
    def graceful_shutdown(self, signum, frame): pass
client = Client("no such path")
sys.stderr = sys.stdout
client.poll()
print(len(sys.modules))
"""
        complaint, count = python(code, "-I").splitlines()
        assert complaint.startswith("ERROR: cannot reach the adaptor")
        assert int(count) <= (85 if sys.platform == "win32" else 80)

    def test_plain_name(self) -> None:
        """With the ``openjd`` folder on PYTHONPATH it is ``adaptor_runtime_client``."""
        code = """
from adaptor_runtime_client import Action, ClientInterface, PathMappingRule
from adaptor_runtime_client.win_client_interface import WinClientInterface
import adaptor_runtime_client, os, sys
if os.name == "posix":
    from adaptor_runtime_client import HTTPClientInterface
print(ClientInterface.__module__, "openjd" in sys.modules)
"""
        assert python(code, PYTHONPATH=str(CLIENT.parent)) == "adaptor_runtime_client.client False"


def old_python() -> str | None:
    """An interpreter of Python 3.7, which the oldest applications have."""
    roots = [os.environ.get("PYENV_ROOT"), os.path.expanduser("~/.pyenv")]
    for root in filter(None, roots):
        python = "python.exe" if sys.platform == "win32" else "bin/python"
        for found in sorted(Path(root).glob(f"versions/3.7*/{python}")):
            return str(found)
    return shutil.which("python3.7")


class SomeAdaptor(Adaptor[Any]):
    """An adaptor that only has path mapping rules."""

    integration_data_interface_version = SemanticVersion(0, 1)

    def on_run(self, run_data: dict[str, Any]) -> None:
        """Does nothing."""


OLD_PYTHON = old_python()  # now, while HOME is the user's


@pytest.mark.skipif(OLD_PYTHON is None, reason="no interpreter of Python 3.7 was found")
class TestOldPython:
    def test_every_module_compiles(self) -> None:
        """Python 3.7 accepts the syntax of all of the client."""
        code = """
import sys
for path in sys.stdin.read().splitlines():
    with open(path, encoding="utf-8") as file:
        compile(file.read(), path, "exec", dont_inherit=True)
"""
        ended = subprocess.run(
            [str(OLD_PYTHON), "-W", "error", "-c", code],
            input="\n".join(map(str, CLIENT_MODULES)),
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
        assert (ended.returncode, ended.stderr) == (0, "")

    def test_imports(self) -> None:
        """Python 3.7 imports all of it, under its plain name, and nothing that is installed."""
        code = """
import sys
assert sys.version_info[:2] == (3, 7)
from adaptor_runtime_client import Action, ClientInterface, PathMappingRule
from adaptor_runtime_client.win_client_interface import WinClientInterface
print([file for file in (getattr(m, "__file__", "") for m in sys.modules.values())
       if file and "site-packages" in file and "adaptor_runtime_client" not in file])
"""
        printed = python(code, "-S", interpreter=str(OLD_PYTHON), PYTHONPATH=str(CLIENT.parent))
        assert printed == "[]"

    def test_works(self) -> None:
        """An application with Python 3.7 takes actions and maps paths."""
        code = """
import sys
from adaptor_runtime_client import ClientInterface
class Client(ClientInterface):
    def __init__(self, path):
        super().__init__(path)
        self.actions["map"] = self.map
    def map(self, args):
        print(self.map_path(args["path"]), flush=True)
    def close(self, args):
        print("closing", sys.version_info[:2], flush=True)
    def graceful_shutdown(self, signum, frame):
        pass
Client(sys.argv[1]).poll()
"""
        rule = {
            "source_path_format": "WINDOWS",
            "source_path": "Z:/a",
            "destination_path": "/z",
            "destination_os": "Linux",
        }
        data = {"path_mapping_rules": [rule]}
        queue = ActionsQueue()
        server = AdaptorServer(queue, SomeAdaptor({}, path_mapping_data=data))
        serving = Task(server.serve_forever)
        queue.enqueue_action(Action("map", {"path": "z:\\A\\x"}))
        queue.enqueue_action(Action("close"))
        environment = {**os.environ, "PYTHONPATH": str(CLIENT.parent)}
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        try:
            with Child(code, server.server_path, python=OLD_PYTHON, env=environment) as child:
                status, out, errors = child.end()
        finally:
            server.shutdown()
            serving.result()
        assert (status, errors) == (0, "")
        assert out.splitlines()[1::2] == ["/z/x", "closing (3, 7)"]
