"""The file that an application's Python runs by its path, in real interpreters."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import openjd.adaptor_runtime_client
from openjd.adaptor_runtime.application_ipc import ApplicationError

from .calling import BEGIN, BOOTSTRAP, CLIENT, Site

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="about POSIX")

# What the script sees.
LOOK = """
import json, sys
import openjd.adaptor_runtime_client as package
main = sys.modules["__main__"]
print(json.dumps({
    "path": sys.path, "name": __name__, "file": __file__, "argv": sys.argv,
    "main": main.__dict__ is globals(), "package": package.__file__, "module": package.__name__,
}), flush=True)
"""


def fails(site: Site) -> ApplicationError:
    """The error that whoever waits for the client gets."""
    with pytest.raises(ApplicationError) as caught:
        site.wait()
    assert len(str(caught.value).splitlines()) == 1
    return caught.value


class TestWhatTheScriptSees:
    def test_sys_path_is_what_it_was(self, site: Site) -> None:
        """``sys.path`` is as ever; the package is there, and is the one beside the file."""
        plain = subprocess.run(
            [sys.executable, "-I", "-S", "-c", "import json, sys; print(json.dumps(sys.path))"],
            capture_output=True,
            text=True,
            timeout=30,
        )
        with site.start(LOOK, "--", "scene.blend") as application:
            seen = json.loads(application.line() or "")
            assert application.end()[0] == 0
        assert seen["path"] == json.loads(plain.stdout)
        assert seen["package"] == str(BOOTSTRAP.with_name("__init__.py"))
        assert seen["module"] == "openjd.adaptor_runtime_client"

    def test_it_is_the_main_module(self, site: Site) -> None:
        """The script runs as ``__main__``, under its own path, with the application's arguments."""
        with site.start(LOOK, "--", "scene.blend") as application:
            seen = json.loads(application.line() or "")
            application.end()
        assert seen["name"] == "__main__"
        assert seen["main"] is True
        assert seen["argv"] == [seen["file"], "--", "scene.blend"]
        assert Path(seen["file"]).parent == site.folder

    @pytest.mark.parametrize("kind", ["folder", "zip"])
    def test_folder_and_zip(self, site: Site, kind: str) -> None:
        """The script may be a folder or zip file with a ``__main__.py`` and modules of its own."""
        folder = site.folder / "client"
        folder.mkdir()
        (folder / "__main__.py").write_text("import parts\nparts.Client.run()\n")
        (folder / "parts.py").write_text(BEGIN)
        script = folder
        if kind == "zip":
            script = site.folder / "client.zip"
            with zipfile.ZipFile(script, "w") as file:
                for part in folder.iterdir():
                    file.write(part, part.name)
        with site.start(script=script) as application:
            site.wait()
            assert site.call("echo", value=1) == 1
            site.call("close")
            assert application.end() == (0, "", "")

    def test_functions_live_on(self, site: Site) -> None:
        """What a script leaves to a timer of the application works after the script has ended."""
        code = BEGIN + (
            "client = Client()\n"
            "def tick():\n"
            "    while client.process_pending(30): pass\n"
            "    print(json.dumps('over'), flush=True)\n"
            "threading.Timer(0, tick).start()\n"
        )
        with site.start(code) as application:
            site.wait()
            assert site.call("echo", value=1) == 1
            site.call("close")
            assert application.end() == (0, '"over"', "")


class TestOtherPackages:
    @pytest.fixture
    def other(self, site: Site) -> Path:
        """A place with another distribution's part of the namespace ``openjd``."""
        place = site.folder / "site"
        (place / "openjd" / "model").mkdir(parents=True)
        (place / "openjd" / "model" / "__init__.py").write_text("name = 'the model'\n")
        return place

    LOOK_AROUND = BEGIN + (
        "    @action\n"
        "    def look(self):\n"
        "        import openjd.model, openjd.adaptor_runtime_client.wire.framing as framing\n"
        "        import openjd.adaptor_runtime_client as package\n"
        "        return [openjd.model.name, package.__file__, framing.__file__]\n"
        "Client.run()\n"
    )

    def expected(self) -> list[str]:
        """What ``look`` must see."""
        wire = BOOTSTRAP.parent / "wire" / "framing.py"
        return ["the model", str(BOOTSTRAP.with_name("__init__.py")), str(wire)]

    def test_namespace_of_another_distribution(self, site: Site, other: Path) -> None:
        """Another distribution's packages below ``openjd`` can be imported beside ours."""
        with site.start(
            self.LOOK_AROUND, options=("-S",), variables={"PYTHONPATH": str(other)}
        ) as application:
            site.wait()
            assert site.call("look") == self.expected()
            site.call("close")
            assert application.end() == (0, "", "")

    def test_another_client_package(self, site: Site, other: Path) -> None:
        """Where another version of the client could be imported it is ours that is."""
        foreign = other / "openjd" / "adaptor_runtime_client"
        foreign.mkdir()
        (foreign / "__init__.py").write_text("raise ImportError('the wrong one')\n")
        with site.start(self.LOOK_AROUND, options=("-S",), variables={"PYTHONPATH": str(other)}):
            site.wait()
            assert site.call("look") == self.expected()

    def test_another_client_package_is_loaded_already(self, site: Site, other: Path) -> None:
        """The same where a plug-in has loaded it before."""
        foreign = other / "openjd" / "adaptor_runtime_client"
        shutil.copytree(
            BOOTSTRAP.parent, foreign, ignore=shutil.ignore_patterns("__pycache__", "bootstrap.py")
        )
        (other / "sitecustomize.py").write_text(
            "import openjd.adaptor_runtime_client.wire.framing as framing\n"
            "from openjd.adaptor_runtime_client import ClientInterface\n"
            "print(framing.__file__, flush=True)\n"
        )
        with site.start(
            self.LOOK_AROUND, options=(), variables={"PYTHONPATH": str(other)}
        ) as application:
            application.expect(str(foreign / "wire" / "framing.py"))
            site.wait()
            assert site.call("look") == self.expected()

    def test_a_package_that_is_no_namespace(self, site: Site, other: Path) -> None:
        """An ``openjd`` that cannot be imported keeps ours from nothing."""
        (other / "openjd" / "__init__.py").write_text("raise RuntimeError('broken')\n")
        with site.start(options=("-S",), variables={"PYTHONPATH": str(other)}):
            site.wait()
            assert site.call("echo", value=1) == 1


class TestFailures:
    def test_script_raises_on_import(self, site: Site) -> None:
        """An error in the script is known at once, with a traceback that begins in the script."""
        with site.start("import sys\n\nimport no_such_module\n") as application:
            error = fails(site)
            status, out, errors = application.end()
        assert str(error) == (
            "the client's script failed in the application: ModuleNotFoundError: "
            "No module named 'no_such_module'"
        )
        assert error.remote_type == "ModuleNotFoundError"
        assert error.remote_traceback is not None
        lines = error.remote_traceback.splitlines()
        assert lines[0] == "Traceback (most recent call last):"
        assert lines[1].startswith(f'  File "{site.folder}')
        assert "line 3" in lines[1]
        assert (status, out) == (1, "")
        assert errors.splitlines() == lines

    def test_syntax_error(self, site: Site) -> None:
        """A script that cannot be compiled names the line, and nothing of ours."""
        with site.start("def f(:\n    pass\n") as application:
            error = fails(site)
            status, _, errors = application.end()
        assert (error.remote_type, status) == ("SyntaxError", 1)
        assert "def f(:" in errors
        assert "bootstrap.py" not in errors
        assert "runpy" not in errors

    def test_script_is_missing(self, site: Site) -> None:
        """A script that is not there is named."""
        script = site.folder / "missing.py"
        with site.start(script=script) as application:
            error = fails(site)
            assert application.end()[0] == 1
        assert error.remote_type == "FileNotFoundError"
        assert "missing.py" in str(error)

    def test_no_script(self, site: Site) -> None:
        """Without the variable the error names it."""
        with site.start(variables={"OPENJD_ADAPTOR_CLIENT_SCRIPT": ""}) as application:
            error = fails(site)
            assert application.end()[0] == 1
        assert "OPENJD_ADAPTOR_CLIENT_SCRIPT is not set" in str(error)

    def test_script_raises_after_it_has_connected(self, site: Site) -> None:
        """What is raised later fails the calls under way, with the traceback."""
        code = BEGIN + (
            "client = Client()\nclient.connect()\ninput()\nraise MemoryError('no scene fits')\n"
        )
        with site.start(code) as application:
            site.wait()
            call = site.submit("echo")
            application.say("")
            with pytest.raises(ApplicationError, match="MemoryError: no scene fits"):
                call.result(30)
            assert application.end()[0] == 1

    @pytest.mark.parametrize(("how", "status"), [("7", 7), ("", 0), ("'no GPU'", 1)])
    def test_system_exit(self, site: Site, how: str, status: int) -> None:
        """SystemExit passes through as it is: how a process ends is for who started it to see."""
        with site.start(f"import sys\nsys.exit({how})\n") as application:
            ended = application.end()
        assert ended == (status, "", how.strip("'") if status == 1 else "")
        with pytest.raises(TimeoutError):
            site.calls.wait_for_client(0)

    def test_adaptor_gone(self, site: Site) -> None:
        """Without an adaptor to tell, stderr and the exit status tell."""
        site.stop()
        with site.start("raise ValueError('x')\n") as application:
            status, _, errors = application.end()
        assert (status, errors.splitlines()[-1]) == (1, "ValueError: x")

    def test_closed_streams(self, site: Site) -> None:
        """Without a stderr the adaptor is told all the same."""
        code = "import sys\nsys.stderr = sys.stdout = None\nraise ValueError('x')\n"
        with site.start(code) as application:
            assert fails(site).remote_message == "x"
            assert application.end()[0] == 1


class TestStacks:
    @posix_only
    def test_on_request(self, site: Site) -> None:
        """SIGUSR2 writes the stacks of all threads to stderr, and the application goes on."""
        with site.start() as application:
            site.wait()
            call = site.submit("hold")
            application.expect("holding")
            application.process.send_signal(signal.SIGUSR2)
            application.say("on")
            assert call.result(30) == "on"
            site.call("close")
            status, _, errors = application.end()
        assert status == 0
        assert "(most recent call first):" in errors
        assert "in hold" in errors

    @posix_only
    def test_the_application_uses_the_signal(self, site: Site) -> None:
        """A handler of the application's stays what it was."""
        (site.folder / "sitecustomize.py").write_text(
            # Not print(), which the signal may meet at work.
            "import os, signal\n"
            "signal.signal(signal.SIGUSR2, lambda *_: os.write(1, b'its own\\n'))\n"
        )
        with site.start(options=(), variables={"PYTHONPATH": str(site.folder)}) as application:
            site.wait()
            call = site.submit("hold")
            application.expect("holding")
            application.process.send_signal(signal.SIGUSR2)
            # Python runs it at the latest when the read that holds the thread returns.
            application.say("")
            application.expect("its own")
            assert call.result(30) == ""


def test_imported_it_does_nothing() -> None:
    """As a module of the package it can be imported, and runs nothing."""
    code = (
        "import sys\n"
        "import openjd.adaptor_runtime_client.bootstrap\n"
        "print('runpy' in sys.modules)\n"
    )
    environment = {**os.environ, "OPENJD_ADAPTOR_CLIENT_SCRIPT": "missing.py"}
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, env=environment
    )
    assert (ended.stdout.strip(), ended.stderr, ended.returncode) == ("False", "", 0)


def test_called_by_another_name(site: Site) -> None:
    """Applications that do not call ``__main__`` what they run get their client, too."""
    code = (
        "import sys\n"
        f"path = {str(BOOTSTRAP)!r}\n"
        "exec(compile(open(path).read(), path, 'exec'), {'__name__': 'script'})\n"
    )
    script = site.folder / "client.py"
    script.write_text(CLIENT)
    environment = {**os.environ, "OPENJD_ADAPTOR_SERVER": site.path}
    environment["OPENJD_ADAPTOR_CLIENT_SCRIPT"] = str(script)
    process = subprocess.Popen([sys.executable, "-I", "-S", "-c", code], env=environment)
    try:
        site.wait()
        assert site.call("echo", value=1) == 1
        site.call("close")
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def old_python() -> str | None:
    """An interpreter of Python 3.7, which the oldest applications have."""
    if sys.platform == "win32":
        return None
    root = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    for found in sorted(Path(root).glob("versions/3.7*/bin/python")):
        return str(found)
    return shutil.which("python3.7")


OLD_PYTHON = old_python()  # now, while HOME is the user's


@pytest.mark.skipif(OLD_PYTHON is None, reason="no interpreter of Python 3.7 was found")
def test_old_python(site: Site) -> None:
    """An application with Python 3.7 is called, reports, and checks newer notations."""
    code = (
        "from __future__ import annotations\n"
        + BEGIN
        + (
            "    @action\n"
            "    def render(self, frames: list[int] | None, out: dict[str, str] = {}) -> int:\n"
            "        self.progress(50)\n"
            "        return len(frames or [])\n"
            "Client.run()\n"
        )
    )
    with site.start(code, python=str(OLD_PYTHON)) as application:
        assert site.wait().python.startswith("3.7.")
        assert site.call("render", frames=[1, 2], out={"a": "b"}) == 2
        assert site.call("render", frames=None) == 0
        with pytest.raises(ApplicationError, match=r"'frames\[1\]' of render must be int, not str"):
            site.call("render", frames=[1, "2"])
        with pytest.raises(ApplicationError, match=r"must be dict\[str, str\], not list \[\]"):
            site.call("render", frames=[], out=[])
        assert site.reports == [("render", 50.0)] * 2
        with pytest.raises(ApplicationError, match="ValueError: there is no scene"):
            site.call("load", scene="x")
        site.call("close")
        assert application.end() == (0, "", "")


def test_the_file_is_part_of_the_package() -> None:
    """The bootstrap lies beside the client package's modules."""
    assert openjd.adaptor_runtime_client.__file__ is not None
    assert BOOTSTRAP.is_file()
