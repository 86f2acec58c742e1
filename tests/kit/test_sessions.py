"""Sessions: each kind of adaptor with a fake application, in this process and in a daemon."""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from apps.drive import APPS

from openjd.adaptor_runtime.testing import (
    MODES,
    AdaptorSession,
    FakeApplication,
    Script,
    ScriptError,
)

from .adaptors import Converter, Doer, Painter, RealPainter, Veteran
from .programs import needs_programs

STUDIO = Path(__file__).parent / "studio"
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="about POSIX signals")
Sessions = Callable[..., AdaptorSession]
Fakes = Callable[..., FakeApplication]


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> Any:
    """Both ways."""
    return request.param


def painter() -> Script:
    """What the application of Painter does."""
    script = Script(version="4.2")
    script.command().prints("Painter 4.2")
    script.action("load").prints("Loading {scene}", fill=True)
    script.action("paint", {"frame": 7}, times=1).prints("so far").exits(0)
    script.action("paint", {"frame": 8}).raises("no paint left", "PaintError")
    script.action("paint", {"frame": 9}).prints("READY").hangs()
    script.action("paint", {"frame": 10}).prints("50%", "ERROR: spilt").writes("{path}")
    script.action("paint").progress(50).writes("{path}")
    script.action("sum").returns({"total": 7, "of": [3, 4, None]})
    script.action("close").prints("bye")
    return script


def test_an_application_with_a_client(adaptor_session: Sessions, mode: str) -> None:
    """The fake answers what the script says; deaths, exceptions and rules have their verdicts."""
    session = adaptor_session(
        Painter,
        {"scene": "/studio/a.scene"},
        mode=mode,
        application=painter(),
        path_mapping={"/studio": "/mnt"},
    )
    session.start().assert_ok().assert_lines("STDOUT: Painter 4.2", "STDOUT: Loading")
    done = session.run({"frames": "1-2"}).assert_ok().assert_progress([25, 50, 75, 100])
    done.assert_status("Painting 1", "Painting 2")
    assert (session.folder / "pictures" / "2.png").exists()
    session.run({"frames": "7"}).assert_failed("Painter ended with exit code 0 while performing")
    session.run({"frames": "7"}).assert_ok().assert_line("it is started anew")
    session.run({"frames": "8"}).assert_failed("PaintError: no paint left")
    session.run({"frames": "10"}).assert_failed("ERROR: spilt").assert_progress(
        [50], complete=False
    )
    session.run({"what": "sum"}).assert_ok().assert_line("answer: {'total': 7, 'of': [3, 4, None]}")
    session.run({"what": "dance"}).assert_failed("dance cannot be called: the application's")
    session.stop().assert_ok().assert_line("STDOUT: bye", count=1)
    fake = session.application
    assert fake is not None
    assert [name for name, _ in fake.actions].count("load") == 2
    scene = "/mnt/a.scene" if sys.platform != "win32" else "\\mnt\\a.scene"
    assert fake.actions[0] == ("load", {"scene": scene})
    assert [one[:2] for one in fake.commands] == [["--background", "--python"]] * 2


@posix_only
def test_a_cancel(adaptor_session: Sessions, mode: str) -> None:
    """A task that hangs is cancelled, with the time that is left; the next one goes well."""
    session = adaptor_session(Painter, {"scene": "x"}, mode=mode, application=painter())
    running = session.begin_run({"frames": "9"}).until("STDOUT: READY")
    running.cancel(10).end().assert_canceled()
    session.run({"frames": "1"}).assert_ok()
    assert [result.verdict for result in session.results] == ["ok", "canceled", "ok"]


def test_the_real_client(adaptor_session: Sessions, fake_application: Fakes) -> None:
    """The author's client runs in a plain Python, with the author's module as the application's."""
    script = Script(modules=[str(STUDIO)])
    script.command("--python").runs_python("{--python}")
    fake = fake_application(script)
    session = adaptor_session(Painter, {"scene": "a.scene"}, application=fake)
    session.start().assert_ok().assert_line("Loading a.scene")
    session.run({"frames": "5"}).assert_ok().assert_progress([40, 80, 100])
    assert (session.folder / "pictures" / "5.png").read_text() == "picture 5"
    session.run({"frames": "13"}).assert_failed("RuntimeError: no paint left")
    session.stop().assert_ok()
    assert [one.kind for one in fake.played] == ["command"]


@needs_programs
def test_a_command_of_the_old_surface(
    adaptor_session: Sessions, fake_application: Fakes, mode: str
) -> None:
    """A CommandAdaptor finds the fake on PATH, by its name."""
    script = Script()
    script.command("bad").prints_error("it is broken").exits(5)
    script.command().prints("10 percent", "90 percent")
    fake = fake_application(script, "converter")
    session = adaptor_session(f"{Converter.__module__}:Converter", mode=mode)
    session.run({"arguments": ["a b"]}).assert_ok().assert_progress([10, 90], complete=False)
    session.run({"arguments": ["bad"]}).assert_failed(re.compile(r"exit code:? 5|code 5"))
    assert fake.commands == [["a b"], ["bad"]]


def test_a_client_of_the_old_surface(adaptor_session: Sessions, mode: str) -> None:
    """Its actions are enqueued and not answered; its server stands in a variable of its own."""
    script = Script()
    script.command("-x").prints("up").answers("{$VETERAN_SERVER_PATH}")
    script.action("work").prints("working on {what}", "done", fill=True)
    session = adaptor_session(Veteran, mode=mode, application=script)
    session.run({"what": "wood"}).assert_ok().assert_line("STDOUT: working on wood")
    session.stop().assert_ok()
    assert session.application is not None
    assert session.application.actions == [("work", {"what": "wood"}), ("close", {})]


def test_a_generic_application(adaptor_session: Sessions, mode: str) -> None:
    """It serves an adaptor that nothing is known about, whatever its version is to be."""
    session = adaptor_session(Painter, {"scene": "x"}, mode=mode, application=Script.generic())
    session.start().assert_ok()
    session.run({"what": "anything", "with": {"a": 1}}).assert_ok().assert_line("answer: None")
    session.stop().assert_ok()


def test_a_start_that_fails(adaptor_session: Sessions, mode: str) -> None:
    """Its result says so; a run that needs it fails the test, with the log."""
    session = adaptor_session(Painter, {}, mode=mode, application=painter())
    session.start().assert_failed("KeyError: 'scene'")
    session.close()
    session = adaptor_session(Painter, {}, mode=mode, application=painter())
    with pytest.raises(AssertionError, match="the start was to go well, but failed: KeyError"):
        session.run({"frames": "1"})


@pytest.mark.parametrize(
    ("mode", "code", "words"),
    [
        ("daemon", "leave_a_file()", "left.txt is left in the temporary folder"),
        # That of a daemon is ended by the runtime's guardian.
        ("in-process", "leave_a_process()", "lives on: "),
    ],
)
def test_what_is_left_behind(mode: str, code: str, words: str) -> None:
    """A file or a process that a session leaves fails the test, and is removed."""
    session = AdaptorSession(Doer, mode=mode)
    session.run({"do": code}).assert_ok()
    base = session._place.base
    with pytest.raises(AssertionError) as caught:
        session.close()
    assert words in str(caught.value)
    assert session._place.processes() == []
    assert not base.exists()


def test_what_may_be_left_behind() -> None:
    """The author can say that a file is no business of the test's."""
    with AdaptorSession(Doer, may_leave=["*.txt"]) as session:
        session.run({"do": "leave_a_file()"}).assert_ok()


def test_a_test_that_fails_within_a_session() -> None:
    """Its own exception is what is shown; the session is ended all the same."""
    session = AdaptorSession(Doer)
    with pytest.raises(ZeroDivisionError), session:
        assert session.run({"do": "leave_a_file()"}).ok / 0
    assert not session._place.base.exists()


def test_a_test_that_fails_while_a_task_runs(mode: str) -> None:
    """The task is cancelled, and all is over; this process is its own again."""
    stdout = sys.stdout
    session = AdaptorSession(Painter, {"scene": "x"}, mode=mode, application=painter())
    with pytest.raises(ZeroDivisionError), session:
        assert session.begin_run({"frames": "9"}).until("READY") and 1 / 0
    assert sys.stdout is stdout
    assert not session._place.base.exists()
    assert not session._place.processes()


def test_this_process_is_its_own_again(tmp_path: Path) -> None:
    """Environment, folders, stdout and loggers are the session's within its steps alone."""
    before = dict(os.environ), os.getcwd(), tempfile.gettempdir(), sys.stdout
    loggers = [logging.getLogger("openjd.adaptor_runtime"), logging.getLogger("kit")]
    handlers = [(list(logger.handlers), logger.level) for logger in loggers]
    code = "os.environ['SET'] = '1'; print(os.getcwd(), os.environ['GIVEN'], os.environ['HOME'])"
    with AdaptorSession(Doer, variables={"GIVEN": "x"}, folder=tmp_path) as session:
        done = session.run({"do": code}).assert_ok()
        assert (dict(os.environ), os.getcwd(), tempfile.gettempdir(), sys.stdout) == before
        session.run({"do": "print('still', os.environ['SET'])"}).assert_line("still 1")
    assert [(list(logger.handlers), logger.level) for logger in loggers] == handlers
    folder, given, home = done.lines[-1].split()
    assert (os.path.realpath(folder), given) == (os.path.realpath(tmp_path), "x")
    assert home != before[0].get("HOME")


def test_the_sites_configuration(adaptor_session: Sessions, mode: str) -> None:
    """What a site would set applies: to the adaptor, and to the runtime."""
    session = adaptor_session(
        Painter,
        {"scene": "x"},
        mode=mode,
        application=painter(),
        config={"limits": {"run": 0.3}},
        runtime_config={"log_level": "DEBUG"},
    )
    session.run({"frames": "9"}).assert_failed("limit run: 0.3")


def test_one_session_at_a_time_in_this_process() -> None:
    """The second one says so, and what to do; the first goes on."""
    with AdaptorSession(Doer) as first:
        first.run()
        with pytest.raises(RuntimeError, match="use mode='daemon'"), AdaptorSession(Doer) as other:
            other.run()
        first.run().assert_ok()
    with AdaptorSession(Doer) as third:
        third.run().assert_ok()


class TestMistakes:
    """Each is refused with words that help."""

    def test_of_a_mode(self) -> None:
        """There are two."""
        with pytest.raises(ValueError, match="mode is 'in-process' or 'daemon', not 'demon'"):
            AdaptorSession(Doer, mode="demon")

    @pytest.mark.parametrize("adaptor", ["Doer", "pkg:", ":Doer", "pkg:1x", "x.yaml"])
    def test_of_an_adaptor(self, adaptor: str) -> None:
        """Neither a class's name nor a file."""
        with pytest.raises(ValueError, match="is no adaptor: a class, 'package"):
            AdaptorSession(adaptor)

    def test_of_a_module(self) -> None:
        """One that is not there fails the start."""
        with AdaptorSession("no_such_package.adaptor:Thing") as session:
            session.start().assert_failed("No module named 'no_such_package'")

    def test_of_a_class_within_a_function(self) -> None:
        """A daemon cannot find it; this process can."""

        class Local(Doer):
            pass

        with pytest.raises(ValueError, match="put it at the top of its module"):
            AdaptorSession(Local, mode="daemon")
        with AdaptorSession(Local) as session:
            session.run().assert_ok()

    def test_of_a_command(self) -> None:
        """The adaptor's own command cannot be given a fake application but on PATH."""
        with pytest.raises(ValueError, match="a FakeApplication with a name"):
            AdaptorSession(Doer, mode="daemon", command=["x"], application=Script())
        with pytest.raises(ValueError, match="command= is for mode='daemon'"):
            AdaptorSession(Doer, command=["x"])

    def test_of_a_script(self, tmp_path: Path) -> None:
        """A file with a mistake is named."""
        (tmp_path / "s.json").write_text("{}")
        with pytest.raises(ScriptError, match=r"s\.json: format: the key is missing"):
            AdaptorSession(Doer, application=tmp_path / "s.json")

    def test_of_the_order(self) -> None:
        """A session is started once, and has no tasks after its stop."""
        with AdaptorSession(Doer) as session:
            session.start()
            with pytest.raises(RuntimeError, match="started already"):
                session.start()
            session.stop()
            with pytest.raises(RuntimeError, match="the session is stopped"):
                session.run()


def test_a_task_that_does_not_end() -> None:
    """After the limit the test fails, and shows what there was last."""
    code = "print('so far', flush=True); self.stay = threading.Event(); self.stay.wait()"
    cancel = "type(self).on_cancel = lambda self: self.stay.set()"
    session = AdaptorSession(Doer, {"start": cancel}, limit=1)
    try:
        with pytest.raises(AssertionError, match=r"does not end within 1 seconds\n.*\n  so far"):
            session.run({"do": code})
        running = session.begin_run({"do": "print('x')"})
        with pytest.raises(AssertionError, match=r"the run does not show 'y'\n.*\n  x"):
            running.until("y")
        running.end().assert_ok()
    finally:
        del Doer.on_cancel
        session.close()


def test_the_adaptors_own_command(adaptor_session: Sessions) -> None:
    """The commands of a session can be those of the adaptor's own package."""
    session = adaptor_session(
        "obedient.adaptor:Obedient",
        mode="daemon",
        command=[sys.executable, "-m", "obedient"],
        variables={"PYTHONPATH": os.pathsep.join([str(APPS), os.environ["PYTHONPATH"]])},
    )
    session.run({"do": "print('hello')"}).assert_ok().assert_line("hello")
    session.stop().assert_ok()


def test_a_class_that_only_its_file_knows(adaptor_session: Sessions, tmp_path: Path) -> None:
    """A test's module need not be importable by its name in a daemon: its file will do."""
    from importlib.util import module_from_spec, spec_from_file_location

    path = tmp_path / "test_of_somebody.py"
    path.write_text(
        "from openjd.adaptor_runtime.adaptors import Adaptor, SemanticVersion\n"
        "class Small(Adaptor):\n"
        "    integration_data_interface_version = SemanticVersion(0, 1)\n"
        "    def on_run(self, run_data):\n"
        "        print('small', __name__)\n"
    )
    spec = spec_from_file_location("test_of_somebody", path)
    assert spec is not None and spec.loader is not None
    module = sys.modules["test_of_somebody"] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        session = adaptor_session(module.Small, mode="daemon")
        session.run().assert_ok().assert_line("small test_of_somebody")
    finally:
        del sys.modules["test_of_somebody"]


def test_what_the_real_one_does(adaptor_session: Sessions) -> None:
    """The fixtures drive an adaptor whose application is no fake, too."""
    session = adaptor_session(RealPainter, {"scene": "a.scene"})
    session.run({"frames": "1-2"}).assert_ok().assert_progress([20, 40, 50, 70, 90, 100])
