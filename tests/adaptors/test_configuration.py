"""Configuration: layers, overrides, and what is said of files that cannot be used."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openjd.adaptor_runtime.adaptors import AdaptorConfigurationOptions, BaseAdaptor
from openjd.adaptor_runtime.adaptors.configuration import (
    AdaptorConfiguration,
    Configuration,
    ConfigurationManager,
    RuntimeConfiguration,
    adaptor_configuration_manager,
    runtime_configuration_manager,
)
from openjd.adaptor_runtime.adaptors.configuration.configuration import ConfigurationError

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="about POSIX paths")

ADAPTOR = """
from openjd.adaptor_runtime.adaptors import Adaptor, SemanticVersion

class PaintAdaptor(Adaptor):
    integration_data_interface_version = SemanticVersion(0, 1)

    def on_run(self, run_data):
        pass
"""


def write(path: Path, content: object) -> str:
    """Writes a file, JSON if `content` is no text; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(path)


def manager(folder: Path, **options: Any) -> ConfigurationManager[Configuration]:
    """A manager all of whose layers lie in `folder` and the home folder."""
    return ConfigurationManager(
        config_cls=Configuration,
        default_config_path=str(folder / "default.json"),
        system_config_path=str(folder / "system.json"),
        user_config_rel_path=os.path.join(".openjd", "user.json"),
        **options,
    )


def user_file() -> Path:
    """The user's layer of that manager."""
    return Path.home() / ".openjd" / "user.json"


def everything_below(*folders: Path) -> set[str]:
    """All files and folders."""
    return {str(path) for folder in folders for path in folder.rglob("*")}


@pytest.fixture
def paint(tmp_path: Path) -> type[BaseAdaptor[Any]]:
    """An adaptor's class, in a module of its own in ``tmp_path``."""
    path = write(tmp_path / "package" / "adaptor.py", ADAPTOR)
    spec = importlib.util.spec_from_file_location("paint_for_tests", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    dont_write, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = dont_write
    return module.PaintAdaptor


class TestLayers:
    def test_later_overrides_earlier(self, tmp_path: Path) -> None:
        """Defaults, the site's, the user's, additional ones: the last that says it counts."""
        names = ["default", "system", "user", "first", "second"]
        paths = [
            tmp_path / "default.json",
            tmp_path / "system.json",
            user_file(),
            tmp_path / "first.json",
            tmp_path / "second.json",
        ]
        for depth, (name, path) in enumerate(zip(names, paths)):
            write(path, {f"only_{name}": name, **dict.fromkeys(names[depth:], name)})
        config = manager(tmp_path, additional_config_paths=list(map(str, paths[3:])))
        assert config.build_config().config == {
            **{f"only_{name}": name for name in names},
            **{name: name for name in names},
        }

    def test_key_by_key(self, tmp_path: Path) -> None:
        """A top-level key is replaced as a whole, others stay; the layers are not changed."""
        write(tmp_path / "default.json", {"a": {"x": 1, "y": 2}, "b": 1})
        write(tmp_path / "system.json", {"a": {"z": 3}})
        made = manager(tmp_path)
        assert made.build_config().config == {"a": {"z": 3}, "b": 1}
        assert made.get_default_config().config == {"a": {"x": 1, "y": 2}, "b": 1}

    def test_override(self) -> None:
        """Overriding gives a new configuration of the same class."""
        one, other = AdaptorConfiguration({"a": 1, "b": 1}), AdaptorConfiguration({"b": 2})
        both = one.override(other)
        assert type(both) is AdaptorConfiguration
        assert both.config == {"a": 1, "b": 2}
        assert one.config == {"a": 1, "b": 1}

    def test_no_layers(self, tmp_path: Path) -> None:
        """Where no file exists the configuration is empty, and optional layers are None."""
        made = manager(tmp_path)
        assert made.build_config().config == {}
        assert made.get_default_config().config == {}
        assert made.get_system_config() is None
        assert made.get_user_config() is None

    def test_each_layer_by_itself(self, tmp_path: Path) -> None:
        """Each layer can be asked for."""
        write(tmp_path / "system.json", {"a": 1})
        write(user_file(), {"a": 2})
        made = manager(tmp_path)
        system, user = made.get_system_config(), made.get_user_config()
        assert system is not None
        assert user is not None
        assert (system.config, user.config) == ({"a": 1}, {"a": 2})
        assert made.get_system_config_path() == str(tmp_path / "system.json")
        assert made.get_user_config_path() == str(user_file())

    @posix_only
    def test_another_user(self, tmp_path: Path) -> None:
        """A user's name gives that user's home folder."""
        import pwd

        entry = pwd.getpwuid(os.getuid())
        path = manager(tmp_path).get_user_config_path(entry.pw_name)
        assert path == os.path.join(entry.pw_dir, ".openjd", "user.json")

    def test_nothing_is_written(
        self, tmp_path: Path, paint: type[BaseAdaptor[Any]], private_place: Path
    ) -> None:
        """Reading configuration makes no file and no folder, in home or package."""
        before = everything_below(tmp_path, private_place)
        assert paint({}).config.config == {}
        runtime_configuration_manager().build_config()
        manager(tmp_path).build_config()
        assert everything_below(tmp_path, private_place) == before

    def test_home_that_does_not_exist(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A home folder that is missing, or no folder, has no configuration."""
        file = write(tmp_path / "file", "")
        for home in (str(tmp_path / "missing"), file):
            monkeypatch.setenv("HOME", home)
            monkeypatch.setenv("USERPROFILE", home)
            assert manager(tmp_path).build_config().config == {}


Broken = Callable[[Path], str]


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "line 1, column 1"),
            ("{", "line 1, column 2"),
            ('{\n  "a": 1,\n  b: 2\n}', "line 3, column 3"),
            ('{"a": 1} more', "line 1, column 10"),
            ("log_level: INFO", "line 1, column 1"),
            ("[1, 2]", "must hold a JSON object"),
            ("null", "must hold a JSON object"),
            ('"text"', "must hold a JSON object"),
            pytest.param("[" * 200_000, "nested too deeply", id="deep JSON"),
        ],
    )
    def test_no_json_object(self, tmp_path: Path, text: str, said: str) -> None:
        """A file that holds no JSON object is named, with the place."""
        path = write(tmp_path / "system.json", text)
        with pytest.raises(ConfigurationError) as caught:
            manager(tmp_path).build_config()
        assert path in str(caught.value)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_bytes_that_are_no_text(self, tmp_path: Path) -> None:
        """A file that is not UTF-8 is named."""
        (tmp_path / "system.json").write_bytes(b'{"a": "\xff"}')
        with pytest.raises(ConfigurationError, match="is no text in UTF-8"):
            manager(tmp_path).build_config()

    def test_byte_order_mark(self, tmp_path: Path) -> None:
        """A file as Windows editors write it, with a mark at its beginning, is read."""
        (tmp_path / "system.json").write_bytes(b'\xef\xbb\xbf{"a": 1}')
        assert manager(tmp_path).build_config().config == {"a": 1}

    def test_a_folder(self, tmp_path: Path) -> None:
        """A folder where a file belongs is named."""
        (tmp_path / "system.json").mkdir()
        with pytest.raises(ConfigurationError, match=r"system\.json cannot be read"):
            manager(tmp_path).build_config()

    @posix_only
    def test_a_link_to_nothing(self, tmp_path: Path) -> None:
        """A link whose file is gone is a mistake, not a layer that is not there."""
        (tmp_path / "system.json").symlink_to(tmp_path / "gone.json")
        with pytest.raises(ConfigurationError, match=r"system\.json cannot be read"):
            manager(tmp_path).build_config()

    def test_an_additional_file_must_exist(self, tmp_path: Path) -> None:
        """A file that was asked for by its name must be there."""
        with pytest.raises(ConfigurationError, match=r"asked\.json cannot be read"):
            manager(tmp_path, additional_config_paths=[str(tmp_path / "asked.json")]).build_config()

    SCHEMA: dict[str, Any] = {  # noqa: RUF012
        "type": "object",
        "properties": {
            "camera": {"type": "object", "properties": {"fov": {"type": "number"}}},
            "fov": {"type": "string"},
            "layers": {"type": "array", "items": {"type": "string"}},
            "gr\u00f6\u00dfe": {"type": "number"},
            'a"b': {"type": "number"},
        },
        "required": [],
    }

    @pytest.mark.parametrize(
        ("text", "key", "line"),
        [
            ('{\n"camera": {\n"fov": "wide"}\n}', "/camera/fov", 3),
            ('{\n"camera":\n 5}', "/camera", 2),
            ('{"camera": {\n"fov": 1},\n"fov": 5}', "/fov", 3),
            ('{\n"note": "fov",\n"fov": 5}', "/fov", 3),
            ('{\n"note": {"camera": {"fov": "x"}},\n"camera": {"fov": "y"}}', "/camera/fov", 3),
            ('{\n"layers": ["a",\n 5]}', "/layers/1", 2),
            ('{\n"gr\u00f6\u00dfe": "x"}', "/gr\u00f6\u00dfe", 2),
            ('{\n"a\\"b": "x"}', '/a"b', 2),
        ],
    )
    def test_does_not_fit_its_schema(self, tmp_path: Path, text: str, key: str, line: int) -> None:
        """A value that does not fit is named by file, line and key."""
        schema = write(tmp_path / "schema.json", self.SCHEMA)
        path = write(user_file(), text)
        with pytest.raises(ConfigurationError) as caught:
            manager(tmp_path, schema_path=schema).build_config()
        assert str(caught.value).startswith(
            f"the configuration file {path}, line {line}, key {key}: "
        )

    def test_missing_key(self, tmp_path: Path) -> None:
        """A key that the schema requires is named with the file."""
        schema = write(tmp_path / "schema.json", {"required": ["licence"]})
        write(tmp_path / "system.json", {})
        with pytest.raises(ConfigurationError, match=r"system\.json, key /: 'licence'"):
            manager(tmp_path, schema_path=schema).build_config()

    def test_several_schemas(self, tmp_path: Path) -> None:
        """Where there are several schemas every layer must fit all of them."""
        one = write(tmp_path / "one.json", {"properties": {"a": {"type": "string"}}})
        two = write(tmp_path / "two.json", {"properties": {"b": {"type": "string"}}})
        made = manager(tmp_path, schema_path=[one, two])
        write(tmp_path / "default.json", {"a": "x", "b": "x"})
        assert made.build_config().config == {"a": "x", "b": "x"}
        for wrong in ("a", "b"):
            write(tmp_path / "system.json", {wrong: 5})
            with pytest.raises(ConfigurationError, match=f"key /{wrong}: 5"):
                made.build_config()

    @pytest.mark.parametrize("text", [None, "nonsense", '{"type": "nonsense"}', "[]"])
    def test_schema_that_cannot_be_used(self, tmp_path: Path, text: str | None) -> None:
        """A schema that is missing or no schema is blamed itself."""
        schema = tmp_path / "schema.json"
        if text is not None:
            write(schema, text)
        write(tmp_path / "system.json", {"a": 1})
        with pytest.raises(ConfigurationError, match=r"schema .*schema\.json"):
            manager(tmp_path, schema_path=str(schema)).build_config()

    def test_names_of_levels(self, tmp_path: Path) -> None:
        """The settings that every adaptor has are checked without any schema."""
        path = write(tmp_path / "x.json", '{\n\n"log_level": "LOUD"}')
        for config_class in (AdaptorConfiguration, RuntimeConfiguration):
            with pytest.raises(ConfigurationError, match=r"line 3, key /log_level: .LOUD"):
                config_class.from_file(path)
        path = write(tmp_path / "x.json", {"deactivate_telemetry": "yes"})
        with pytest.raises(ConfigurationError, match=r"key /deactivate_telemetry: .yes"):
            RuntimeConfiguration.from_file(path)
        assert AdaptorConfiguration.from_file(path).config == {"deactivate_telemetry": "yes"}

    def test_is_a_value_error(self) -> None:
        """Callers that know nothing of this class can catch it."""
        assert issubclass(ConfigurationError, ValueError)


class TestSettings:
    @pytest.mark.parametrize("config_class", [AdaptorConfiguration, RuntimeConfiguration])
    def test_log_level(self, config_class: type[Any]) -> None:
        """The log level is INFO unless a file says otherwise."""
        assert config_class({}).log_level == "INFO"
        assert config_class({"log_level": "DEBUG"}).log_level == "DEBUG"

    def test_telemetry(self) -> None:
        """Telemetry is not deactivated unless a file says so."""
        assert RuntimeConfiguration({}).deactivate_telemetry is False
        assert RuntimeConfiguration({"deactivate_telemetry": True}).deactivate_telemetry is True

    def test_unknown_settings_stay(self, tmp_path: Path) -> None:
        """Settings that the runtime does not know are the adaptor's."""
        path = write(tmp_path / "x.json", {"executable": "/opt/paint", "log_level": "ERROR"})
        assert AdaptorConfiguration.from_file(path).config["executable"] == "/opt/paint"


class TestRuntime:
    def test_defaults(self) -> None:
        """What is packaged says everything that there is to say."""
        config = runtime_configuration_manager().get_default_config()
        assert config.config == {"log_level": "INFO", "deactivate_telemetry": False}

    def test_user_and_variable(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The user's file overrides, and RUNTIME_CONFIG_PATH overrides that."""
        write(
            Path.home() / ".openjd" / "adaptors" / "runtime" / "configuration.json",
            {"log_level": "DEBUG", "deactivate_telemetry": True},
        )
        config = runtime_configuration_manager().build_config()
        assert (config.log_level, config.deactivate_telemetry) == ("DEBUG", True)
        monkeypatch.setenv(
            "RUNTIME_CONFIG_PATH", write(tmp_path / "x.json", {"log_level": "ERROR"})
        )
        config = runtime_configuration_manager().build_config()
        assert (config.log_level, config.deactivate_telemetry) == ("ERROR", True)

    @posix_only
    def test_places(self) -> None:
        """Site and user configure the runtime where 0.9 had it."""
        made = runtime_configuration_manager()
        relative = "adaptors/runtime/configuration.json"
        assert made.get_system_config_path() == f"/etc/openjd/{relative}"
        assert made.get_user_config_path() == f"{Path.home()}/.openjd/{relative}"

    @pytest.mark.skipif(sys.platform != "win32", reason="about Windows paths")
    def test_places_on_windows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """On Windows the site's configuration lies below PROGRAMDATA."""
        monkeypatch.setenv("PROGRAMDATA", "X:\\data")
        made = runtime_configuration_manager()
        assert made.get_system_config_path().lower() == (
            "x:\\data\\openjd\\adaptors\\runtime\\configuration.json"
        )


class TestAdaptor:
    def test_all_layers(
        self, tmp_path: Path, paint: type[BaseAdaptor[Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The package's file, the user's, and the one that the variable names."""
        write(tmp_path / "package" / "PaintAdaptor.json", {"a": 1, "b": 1, "c": 1})
        relative = Path(".openjd", "adaptors", "PaintAdaptor", "PaintAdaptor.json")
        write(Path.home() / relative, {"b": 2, "c": 2})
        monkeypatch.setenv("PAINTADAPTOR_CONFIG_PATH", write(tmp_path / "x.json", {"c": 3}))
        assert paint({}).config.config == {"a": 1, "b": 2, "c": 3}

    @posix_only
    def test_places(self, paint: type[BaseAdaptor[Any]]) -> None:
        """Site and user configure an adaptor below its name."""
        made = paint({}).config_manager
        relative = "adaptors/PaintAdaptor/PaintAdaptor.json"
        assert made.get_system_config_path() == f"/etc/openjd/{relative}"
        assert made.get_user_config_path() == f"{Path.home()}/.openjd/{relative}"

    def test_schema_beside_the_package(self, tmp_path: Path, paint: type[BaseAdaptor[Any]]) -> None:
        """The schema beside the adaptor's module is for every layer."""
        write(
            tmp_path / "package" / "PaintAdaptor.schema.json",
            {"properties": {"a": {"type": "integer"}}},
        )
        write(tmp_path / "package" / "PaintAdaptor.json", {"a": 1})
        assert paint({}).config.config == {"a": 1}
        write(tmp_path / "package" / "PaintAdaptor.json", {"a": "x"})
        with pytest.raises(ConfigurationError, match=r"PaintAdaptor\.json, line 1, key /a"):
            paint({}).config  # noqa: B018

    def test_schema_by_variable(
        self, tmp_path: Path, paint: type[BaseAdaptor[Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """ADAPTOR_CONFIG_SCHEMA_PATH names the schema that counts instead."""
        write(tmp_path / "package" / "PaintAdaptor.schema.json", {"required": ["never"]})
        write(tmp_path / "package" / "PaintAdaptor.json", {"a": "x"})
        monkeypatch.setenv(
            "ADAPTOR_CONFIG_SCHEMA_PATH",
            write(tmp_path / "s.json", {"properties": {"a": {"type": "string"}}}),
        )
        assert paint({}).config.config == {"a": "x"}
        write(tmp_path / "package" / "PaintAdaptor.json", {"a": 1})
        with pytest.raises(ConfigurationError, match="key /a: 1"):
            paint({}).config  # noqa: B018

    def test_variable_that_names_nothing(
        self, tmp_path: Path, paint: type[BaseAdaptor[Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A variable that names a missing file is an error; an empty one is none."""
        monkeypatch.setenv("PAINTADAPTOR_CONFIG_PATH", "")
        assert paint({}).config.config == {}
        monkeypatch.setenv("PAINTADAPTOR_CONFIG_PATH", str(tmp_path / "missing.json"))
        with pytest.raises(ConfigurationError, match=r"missing\.json"):
            paint({}).config  # noqa: B018

    def test_options(self, tmp_path: Path, paint: type[BaseAdaptor[Any]]) -> None:
        """Class, defaults and schema may lie where the adaptor says."""

        class PaintConfiguration(AdaptorConfiguration):
            @property
            def brush(self) -> str:
                return str(self.config["brush"])

        options = AdaptorConfigurationOptions(
            config_cls=PaintConfiguration,
            config_path=write(tmp_path / "c.json", {"brush": "wide"}),
            schema_path=write(tmp_path / "s.json", {"required": ["brush"]}),
        )
        config = paint({}, config_opts=options).config
        assert isinstance(config, PaintConfiguration)
        assert config.brush == "wide"
        assert config.log_level == "INFO"

    def test_read_once(self, tmp_path: Path, paint: type[BaseAdaptor[Any]]) -> None:
        """An adaptor has one configuration: files that change meanwhile change nothing."""
        write(tmp_path / "package" / "PaintAdaptor.json", {"a": 1})
        adaptor = paint({})
        config = adaptor.config
        write(tmp_path / "package" / "PaintAdaptor.json", {"a": 2})
        assert adaptor.config is config
        assert adaptor.config_manager is adaptor.config_manager
        assert paint({}).config.config == {"a": 2}

    def test_by_its_name(self, tmp_path: Path) -> None:
        """The layers of an adaptor can be found without making one."""
        write(tmp_path / "PaintAdaptor.json", {"log_level": "WARNING"})
        made = adaptor_configuration_manager("PaintAdaptor", str(tmp_path))
        assert made.build_config().log_level == "WARNING"
