"""Warnings of paths that no rule matched, and the parts of the runtime's own mapping of data."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from openjd.adaptor_runtime.adaptors import Adaptor, AdaptorRunner, SemanticVersion
from openjd.adaptor_runtime.adaptors.configuration import AdaptorConfiguration, RuntimeConfiguration
from openjd.adaptor_runtime_client.path_mapping import PathMappingRule
from openjd.adaptor_runtime_client.unmapped_paths import LIMIT, WarningPathMapper, is_foreign

# Foreign on this system.
LOST = "/lost/" if sys.platform == "win32" else "Y:\\lost\\"
RULE = {"source_path_format": "POSIX", "source_path": "/a", "destination_path": "/a/a"}
SCHEMA = '{"properties": {"p": {"type": "string", "format": "path"}}}'


class TestForeign:
    @pytest.mark.parametrize(
        "path", ["C:\\a", "c:/a", "Z:\\", "\\\\server\\share", "\\\\server\\share\\a"]
    )
    def test_of_windows(self, path: str) -> None:
        """Absolute paths of Windows are foreign on POSIX systems alone."""
        assert is_foreign(path, windows=False)
        assert not is_foreign(path, windows=True)

    @pytest.mark.parametrize("path", ["/", "/a", "/a/b:c", "/c:\\a"])
    def test_of_posix(self, path: str) -> None:
        """Absolute paths of POSIX systems are foreign on Windows alone."""
        assert is_foreign(path, windows=True)
        assert not is_foreign(path, windows=False)

    @pytest.mark.parametrize(
        "path",
        [
            *("", "a", "a/b", "a\\b", "C:", "C:a", "\\a", "\\\\", "\\\\server", "\\\\server\\"),
            *("//s/a", "s3://b/a", "1:/a", "\u00e4:/a", "&", " C:\\a"),
        ],
    )
    def test_of_none(self, path: str) -> None:
        """What is relative, or could be of either, is foreign nowhere."""
        assert not is_foreign(path, windows=False)
        assert not is_foreign(path, windows=True)


class TestWarnings:
    def test_once_for_each_path(self) -> None:
        """The same path is told of once; a path that a rule matches never."""
        told: list[str] = []
        rules = [PathMappingRule("URI", "s3://b", "x"), PathMappingRule("POSIX", "/m", "/m")]
        mapper = WarningPathMapper(rules, told.append)
        for path in (LOST + "1", "s3://b", "/m/x", "rel", "", LOST + "2", LOST + "1"):
            mapper.map(path)
        assert told == [
            f"no path mapping rule matches {LOST}{i}, a path of another system" for i in (1, 2)
        ]

    def test_maps_as_without(self) -> None:
        """What is returned is the same with warnings and without."""
        rules = [PathMappingRule("WINDOWS", "Z:\\", "/z", "Linux")]
        mapper = WarningPathMapper(rules, lambda text: None)
        assert [mapper.map(path) for path in ("z:/a/", LOST, "rel")] == ["/z/a/", LOST, "rel"]

    def test_bounded(self) -> None:
        """After some thousands of paths it is said once that no more will be reported."""
        told: list[str] = []
        mapper = WarningPathMapper([], told.append)
        for i in range(2 * LIMIT):
            mapper.map(f"{LOST}{i}")
        assert len(told) == LIMIT + 1
        assert told[-1] == f"{LIMIT} paths matched no rule; further ones are not reported"

    def test_by_several_threads(self) -> None:
        """Threads that map the same paths at the same time tell of each once."""
        told: list[str] = []
        mapper = WarningPathMapper([], told.append)
        together = threading.Barrier(4)

        def work() -> None:
            together.wait(30)
            for i in range(500):
                mapper.map(f"{LOST}{i}")

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(told) == len(set(told)) == 500

    def test_one_line(self) -> None:
        """A path with a line break in it cannot begin a line of its own."""
        told: list[str] = []
        WarningPathMapper([], told.append).map(f"{LOST}a\nopenjd_fail: b")
        assert told == [
            f"no path mapping rule matches {LOST}a openjd_fail: b, a path of another system"
        ]

    def test_of_an_adaptor(self, caplog: pytest.LogCaptureFixture) -> None:
        """An adaptor's map_path warns from when it is told to, also if it has mapped before."""
        adaptor = Plain({})
        with caplog.at_level(logging.WARNING):
            adaptor.map_path(LOST)
            assert caplog.messages == []
            adaptor._warn_of_unmapped_paths()
            for _ in range(2):
                assert adaptor.map_path(LOST) == LOST
        assert len(caplog.messages) == 1


class TestSettings:
    def test_defaults(self) -> None:
        """Neither is on by itself."""
        assert AdaptorConfiguration({}).map_environment == []
        assert RuntimeConfiguration({}).warn_unmapped_paths is False

    def test_values(self) -> None:
        """They are what the configuration says; the list is a copy."""
        config = AdaptorConfiguration({"map_environment": ["A"]})
        config.map_environment.append("B")
        assert config.map_environment == ["A"]
        assert RuntimeConfiguration({"warn_unmapped_paths": True}).warn_unmapped_paths is True

    def test_a_schema_that_names_it(self, tmp_path: Path) -> None:
        """A schema that does not know the setting takes it; one that does may restrict it."""
        config, schema = tmp_path / "c.json", tmp_path / "s.json"
        config.write_text('{"map_environment": ["A"]}')
        schema.write_text('{"additionalProperties": false}')
        made = AdaptorConfiguration.from_file(str(config), str(schema))
        assert made.map_environment == ["A"]
        schema.write_text('{"properties": {"map_environment": {"maxItems": 0}}}')
        with pytest.raises(ValueError, match="key /map_environment"):
            AdaptorConfiguration.from_file(str(config), str(schema))


class Plain(Adaptor[Any]):
    """As little as an adaptor can be."""

    integration_data_interface_version = SemanticVersion(0, 1)

    def on_run(self, run_data: dict[str, Any]) -> None:
        """Does nothing."""


def module(folder: Path, name: str, base: str = "Adaptor", body: str = "") -> ModuleType:
    """A module in a folder of its own, with an adaptor ``Mine`` that keeps its run data."""
    folder.mkdir()
    path = folder / "adaptor.py"
    path.write_text(
        "from openjd.adaptor_runtime.adaptors import Adaptor, SemanticVersion\n"
        "import sys\n"
        f"class Mine({base}):\n"
        "    integration_data_interface_version = SemanticVersion(0, 1)\n"
        f"    {body or 'pass'}\n"
        "    def on_run(self, run_data):\n"
        "        self.seen = run_data\n"
    )
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    try:
        spec.loader.exec_module(made)
    except BaseException:
        del sys.modules[name]
        raise
    return made


def schemas(folder: Path) -> None:
    """Both schemas, in that folder."""
    folder.mkdir(exist_ok=True)
    for name in ("init_data", "run_data"):
        (folder / f"{name}.schema.json").write_text(SCHEMA)


@pytest.fixture
def rules() -> dict[str, Any]:
    """Rules whose results they would map again."""
    return {"path_mapping_rules": [RULE]}


@pytest.fixture(autouse=True)
def no_modules_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The modules that a test makes are forgotten with it."""
    for name in ("mine_of_a_test", "base_of_a_test"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)


class TestDataSchemas:
    def test_once(self, tmp_path: Path, rules: dict[str, Any]) -> None:
        """Init data is mapped once although the adaptor is started again; run data each time."""
        made = module(tmp_path / "m", "mine_of_a_test", body="data_schemas = 'schemas'")
        schemas(tmp_path / "m" / "schemas")
        given = {"p": "/a/x"}
        adaptor = made.Mine(given, path_mapping_data=rules)
        expected = {"p": os.path.join(os.sep, "a", "a", "x")}
        for _ in range(2):
            AdaptorRunner(adaptor=adaptor)._start()
            assert adaptor.init_data == expected
        assert given == {"p": "/a/x"}
        runner = AdaptorRunner(adaptor=adaptor)
        runner._start()
        for _ in range(2):
            runner._run(given)
            assert adaptor.seen == expected
        assert given == {"p": "/a/x"}

    def test_compiled_once(self, tmp_path: Path) -> None:
        """The schemas are read when the session starts, and not for each task."""
        made = module(tmp_path / "m", "mine_of_a_test", body="data_schemas = '.'")
        schemas(tmp_path / "m")
        adaptor = made.Mine({})
        runner = AdaptorRunner(adaptor=adaptor)
        runner._start()
        for path in (tmp_path / "m").glob("*.json"):
            path.unlink()
        for _ in range(2):
            runner._run({"p": "x"})

    def test_inherited(self, tmp_path: Path, rules: dict[str, Any]) -> None:
        """A path that a class inherits begins at the folder of the class that says it."""
        module(tmp_path / "base", "base_of_a_test", body="data_schemas = 'schemas'")
        schemas(tmp_path / "base" / "schemas")
        made = module(tmp_path / "m", "mine_of_a_test", base="sys.modules['base_of_a_test'].Mine")
        adaptor = made.Mine({"p": "/a"}, path_mapping_data=rules)
        AdaptorRunner(adaptor=adaptor)._start()
        assert adaptor.init_data == {"p": os.path.join(os.sep, "a", "a")}

    def test_absolute(self, tmp_path: Path, rules: dict[str, Any]) -> None:
        """An absolute path may lie anywhere, and may be a Path."""
        made = module(tmp_path / "m", "mine_of_a_test")
        schemas(tmp_path / "elsewhere")
        made.Mine.data_schemas = tmp_path / "elsewhere"
        adaptor = made.Mine({"p": "/a"}, path_mapping_data=rules)
        AdaptorRunner(adaptor=adaptor)._start()
        assert adaptor.init_data == {"p": os.path.join(os.sep, "a", "a")}

    def test_not_set(self) -> None:
        """Where it is not set, the very objects that were given are passed on."""
        given: dict[str, Any] = {"p": "/a"}
        adaptor = Plain(given)
        runner = AdaptorRunner(adaptor=adaptor)
        runner._start()
        assert adaptor.init_data is given
        seen: list[Any] = []
        adaptor.on_run = seen.append  # type: ignore[method-assign]
        runner._run(given)
        assert seen[0] is given

    def test_keys_that_are_no_text(self, tmp_path: Path) -> None:
        """A key that is no text is named with its data."""
        made = module(tmp_path / "m", "mine_of_a_test", body="data_schemas = '.'")
        schemas(tmp_path / "m")
        with pytest.raises(ValueError, match=r"^init data, /: the key 1 is no text"):
            AdaptorRunner(adaptor=made.Mine({1: "x"}))._start()
