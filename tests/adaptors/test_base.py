"""BaseAdaptor, Adaptor and CommandAdaptor."""

from __future__ import annotations

import logging
import sys
from typing import Any

import pytest

from openjd.adaptor_runtime.adaptors import (
    Adaptor,
    BaseAdaptor,
    CommandAdaptor,
    PathMappingRule,
    SemanticVersion,
)
from openjd.adaptor_runtime.adaptors.configuration import AdaptorConfiguration
from openjd.adaptor_runtime.process import ManagedProcess

RULE = {"source_path_format": "POSIX", "source_path": "/a", "destination_path": "/1"}
LONGER = {"source_path_format": "WINDOWS", "source_path": "Z:\\a", "destination_path": "/2"}


class Plain(Adaptor[AdaptorConfiguration]):
    """As little as an adaptor can be."""

    @property
    def integration_data_interface_version(self) -> SemanticVersion:
        return SemanticVersion(1, 2)

    def on_run(self, run_data: dict[str, Any]) -> None:
        """Does nothing."""


class TestAdaptor:
    def test_data(self) -> None:
        """An adaptor has the init data that it was made with."""
        data = {"scene": "s"}
        assert Plain(data).init_data is data
        assert Plain({}).integration_data_interface_version == SemanticVersion(1, 2)

    @pytest.mark.parametrize("missing", ["integration_data_interface_version", "on_run"])
    def test_abstract(self, missing: str) -> None:
        """What an adaptor must define is named where it does not."""
        parts = {
            name: getattr(Plain, name)
            for name in {"integration_data_interface_version", "on_run"} - {missing}
        }
        incomplete = type("Incomplete", (Adaptor,), parts)
        with pytest.raises(TypeError, match=missing):
            incomplete({})

    def test_optional_methods(self) -> None:
        """Everything else may be left out."""
        adaptor = Plain({})
        for call in (adaptor.on_start, adaptor.on_stop, adaptor.on_cleanup, adaptor.on_cancel):
            assert call() is None
        assert adaptor.cancel() is None

    def test_cancel_calls_on_cancel(self) -> None:
        """``cancel`` is what the runtime calls, ``on_cancel`` what authors write."""
        called = []

        class Canceled(Plain):
            def on_cancel(self) -> None:
                called.append(self)

        adaptor = Canceled({})
        adaptor.cancel()
        assert called == [adaptor]

    def test_without_a_configuration_class(self) -> None:
        """The class need not be told its configuration's class."""
        assert issubclass(Adaptor, BaseAdaptor)
        assert issubclass(CommandAdaptor, BaseAdaptor)
        assert Plain({}).config.log_level == "INFO"


class TestPathMapping:
    def test_rules(self) -> None:
        """The rules are those of the session, in a list that is the caller's."""
        adaptor = Plain(
            {}, path_mapping_data={"version": "x", "path_mapping_rules": [RULE, LONGER]}
        )
        rules = adaptor.path_mapping_rules
        assert [rule.source_path for rule in rules] == ["/a", "Z:\\a"]
        assert all(isinstance(rule, PathMappingRule) for rule in rules)
        rules.clear()
        assert len(adaptor.path_mapping_rules) == 2

    def test_private_name_of_0_9(self) -> None:
        """Published adaptors read ``_path_mapping_rules`` and two fields of each rule."""
        adaptor = Plain({}, path_mapping_data={"path_mapping_rules": [RULE]})
        [rule] = adaptor._path_mapping_rules
        assert (rule.source_path, rule.destination_path) == ("/a", "/1")

    def test_map_path(self) -> None:
        """Paths are mapped by the longest rule that matches; others stay."""
        rules = [RULE, {**RULE, "source_path": "/a/b", "destination_path": "/2"}, LONGER]
        for order in (rules, rules[::-1]):
            data = [{**rule, "destination_os": "Linux"} for rule in order]
            adaptor = Plain({}, path_mapping_data={"path_mapping_rules": data})
            assert adaptor.map_path("/a/x") == "/1/x"
            assert adaptor.map_path("/a/b/x") == "/2/x"
            assert adaptor.map_path("z:/A/x/") == "/2/x/"
            assert adaptor.map_path("/b") == "/b"

    @pytest.mark.parametrize(
        "data",
        [
            None,
            {},
            {"version": "pathmapping-1.0"},
            {"path_mapping_rules": []},
            {"path_mapping_rules": None},
        ],
    )
    def test_none(self, data: dict[str, Any] | None) -> None:
        """Without rules, as engines write it, no path is mapped."""
        adaptor = Plain({}, path_mapping_data=data)
        assert adaptor.path_mapping_rules == []
        assert adaptor.map_path("/a/x") == "/a/x"

    @pytest.mark.parametrize(
        ("rules", "said"),
        [
            ({"a": 1}, "must be a list"),
            ("text", "must be a list"),
            ([RULE, {}], "path mapping rule 2: "),
            ([{**RULE, "source_path": ""}], "path mapping rule 1: source_path"),
            ([RULE, RULE, {**RULE, "source_path_format": "VMS"}], "rule 3: .*'VMS'"),
            ([RULE, "text"], "path mapping rule 2: "),
        ],
    )
    def test_rules_that_are_none(self, rules: object, said: str) -> None:
        """A rule that cannot be used is named by its number."""
        with pytest.raises(ValueError, match=said):
            Plain({}, path_mapping_data={"path_mapping_rules": rules})


class TestUpdateStatus:
    @pytest.mark.parametrize(
        ("arguments", "printed"),
        [
            ({"progress": 50}, "openjd_progress: 50\n"),
            ({"progress": 0}, "openjd_progress: 0\n"),
            ({"progress": 33.25}, "openjd_progress: 33.25\n"),
            ({"status_message": "Rendering"}, "openjd_status: Rendering\n"),
            (
                {"progress": 100.0, "status_message": "done"},
                "openjd_progress: 100.0\nopenjd_status: done\n",
            ),
            ({"status_message": "a\nopenjd_fail: b\r\nc"}, "openjd_status: a openjd_fail: b c\n"),
            ({"status_message": ""}, "openjd_status: \n"),
        ],
    )
    def test_messages(
        self, arguments: dict[str, Any], printed: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Progress and status are messages, one line each, at the beginning of a line."""
        Plain.update_status(**arguments)
        Plain({}).update_status(**arguments)
        assert capsys.readouterr().out == printed * 2

    @pytest.mark.parametrize("progress", [float("nan"), float("inf"), float("-inf")])
    def test_not_finite(
        self,
        progress: float,
        capsys: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A progress that is not finite is warned of and not sent; a status beside it is."""
        with caplog.at_level(logging.WARNING, "openjd.adaptor_runtime"):
            Plain.update_status(progress=progress, status_message="x")
        assert capsys.readouterr().out == "openjd_status: x\n"
        assert [record.levelname for record in caplog.records] == ["WARNING"]

    def test_nothing(
        self, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        """An update of nothing is warned of."""
        with caplog.at_level(logging.WARNING, "openjd.adaptor_runtime"):
            Plain.update_status()
        assert capsys.readouterr().out == ""
        assert [record.levelname for record in caplog.records] == ["WARNING"]


class Command(CommandAdaptor[Any]):
    """Runs Python code, and notes when it is called."""

    def __init__(self, process_class: type[ManagedProcess] | None = None) -> None:
        super().__init__({})
        self.calls: list[str] = []
        self.process_class = process_class or Python

    @property
    def integration_data_interface_version(self) -> SemanticVersion:
        return SemanticVersion(0, 1)

    def get_managed_process(self, run_data: dict[str, Any]) -> ManagedProcess:
        self.calls.append("get")
        return self.process_class(run_data)

    def on_prerun(self) -> None:
        self.calls.append("prerun")

    def on_postrun(self) -> None:
        self.calls.append("postrun")


class Python(ManagedProcess):
    """Python code that is in the run data."""

    def get_executable(self) -> str:
        return sys.executable

    def get_arguments(self) -> list[str]:
        return ["-c", self.run_data["code"]]


class TestCommandAdaptor:
    def test_order(self, capfd: pytest.CaptureFixture[str]) -> None:
        """The command runs between ``on_prerun`` and ``on_postrun``."""
        adaptor = Command()
        adaptor._run({"code": "print('x')"})
        assert adaptor.calls == ["get", "prerun", "postrun"]

    @pytest.mark.parametrize("code", [1, 3, 255])
    def test_another_exit_code_fails(self, code: int) -> None:
        """Any exit code but 0 fails the task, says which, and ``on_postrun`` is not called."""
        adaptor = Command()
        with pytest.raises(RuntimeError, match=f"exit code {code}"):
            adaptor._run({"code": f"import sys; sys.exit({code})"})
        assert adaptor.calls == ["get", "prerun"]

    @pytest.mark.skipif(sys.platform == "win32", reason="about POSIX signals")
    def test_killed_command_fails(self) -> None:
        """A command that a signal ended fails the task."""
        with pytest.raises(RuntimeError, match="exit code -9"):
            Command()._run({"code": "import os; os.kill(os.getpid(), 9)"})

    def test_exit_codes_that_are_fine(self) -> None:
        """The adaptor may say which exit codes are fine; then only those are."""

        class Lenient(Command):
            success_exit_codes = (3, 4)

        adaptor = Lenient()
        adaptor._run({"code": "import sys; sys.exit(3)"})
        assert adaptor.calls == ["get", "prerun", "postrun"]
        with pytest.raises(RuntimeError, match="exit code 0"):
            adaptor._run({"code": ""})

    def test_process_of_its_own_kind(self) -> None:
        """A process class that overrides ``run`` and knows no exit code counts as done."""

        class Own(Python):
            def run(self) -> None:
                self.run_data["ran"] = True

        class Older(Python):
            def __init__(self, run_data: dict[str, Any]) -> None:
                self.run_data = run_data

            def run(self) -> None:
                self.run_data["ran"] = True

        for process_class in (Own, Older):
            run_data: dict[str, Any] = {}
            adaptor = Command(process_class)
            adaptor._run(run_data)
            assert run_data == {"ran": True}
            assert adaptor.calls == ["get", "prerun", "postrun"]

    def test_missing_executable(self) -> None:
        """A program that does not exist fails the task, by its name."""

        class Missing(Python):
            def get_executable(self) -> str:
                return "no-such-renderer"

        adaptor = Command(Missing)
        with pytest.raises(FileNotFoundError, match="no-such-renderer"):
            adaptor._run({"code": ""})
        assert "postrun" not in adaptor.calls

    def test_prerun_that_raises(self) -> None:
        """Where ``on_prerun`` raises, the command is not run."""

        class Careful(Command):
            def on_prerun(self) -> None:
                raise RuntimeError("not yet")

        class Never(Python):
            def run(self) -> None:
                pytest.fail("it was run")

        with pytest.raises(RuntimeError, match="not yet"):
            Careful(Never)._run({"code": ""})
