"""Validators for init data and run data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from openjd.adaptor_runtime.adaptors import AdaptorDataValidator, AdaptorDataValidators

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "scene": {"type": "string"},
        "camera": {"$ref": "#/definitions/camera"},
        "layers": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["scene"],
    "additionalProperties": False,
    "definitions": {
        "camera": {"type": "object", "properties": {"fov": {"type": "number", "minimum": 1}}}
    },
}
GOOD: dict[str, Any] = {"scene": "s", "camera": {"fov": 45.5}, "layers": ["a", "b"]}
YAML = "scene: s\ncamera:\n  fov: 45.5\nlayers: [a, b]\n"


@pytest.fixture
def validator() -> AdaptorDataValidator:
    """A validator for SCHEMA."""
    return AdaptorDataValidator(SCHEMA)


class TestForms:
    @pytest.mark.parametrize("data", [GOOD, json.dumps(GOOD), YAML, json.dumps(GOOD, indent=4)])
    def test_mapping_and_text(self, validator: AdaptorDataValidator, data: Any) -> None:
        """Data is a mapping, or JSON, or YAML."""
        validator.validate(data)

    @pytest.mark.parametrize("text", [json.dumps(GOOD), YAML, "\ufeff" + json.dumps(GOOD)])
    def test_file(self, validator: AdaptorDataValidator, tmp_path: Path, text: str) -> None:
        """Or a file with either, also with spaces and letters in its name."""
        file = tmp_path / "d\u00e4ta of mine.txt"
        file.write_text(text, encoding="utf-8")
        validator.validate(f"file://{file}")

    def test_data_is_not_changed(self, validator: AdaptorDataValidator) -> None:
        """What is checked stays as it is."""
        data = json.loads(json.dumps(GOOD))
        validator.validate(data)
        assert data == GOOD

    @pytest.mark.parametrize("text", ["[1, 2]", "text", "", "null", "5", "- a\n- b"])
    def test_no_mapping(self, validator: AdaptorDataValidator, text: str) -> None:
        """Text that holds something else than a mapping says what it holds."""
        with pytest.raises(ValueError, match="must be a mapping"):
            validator.validate(text)

    @pytest.mark.parametrize(
        "text",
        ["{", "{'a': ", "a: b: c", "a: [1,", "\ta: 1", "a: !!python/object:os.system x", "a: \0"],
    )
    def test_neither_json_nor_yaml(self, validator: AdaptorDataValidator, text: str) -> None:
        """Text that cannot be read is one line that says so."""
        with pytest.raises(ValueError, match="neither JSON nor YAML") as caught:
            validator.validate(text)
        assert "\n" not in str(caught.value)

    def test_missing_file(self, validator: AdaptorDataValidator, tmp_path: Path) -> None:
        """A file that is missing is named."""
        with pytest.raises(ValueError, match=r"missing\.json cannot be read"):
            validator.validate(f"file://{tmp_path / 'missing.json'}")

    def test_file_that_is_no_text(self, validator: AdaptorDataValidator, tmp_path: Path) -> None:
        """A file that is not UTF-8 is named, with the place."""
        (tmp_path / "x.json").write_bytes(b'{"scene": "\xff"}')
        with pytest.raises(ValueError, match=r"x\.json is no text in UTF-8 \(byte 11\)"):
            validator.validate(f"file://{tmp_path / 'x.json'}")


class TestErrors:
    @pytest.mark.parametrize(
        ("change", "place"),
        [
            ({"camera": {"fov": "wide"}}, "/camera/fov: 'wide'"),
            ({"camera": {"fov": 0}}, "/camera/fov: 0"),
            ({"layers": ["a", 5]}, "/layers/1: 5"),
            ({"scene": None}, "/scene: None"),
            ({"shutter": 1}, "/: "),
        ],
    )
    def test_says_where(
        self, validator: AdaptorDataValidator, change: dict[str, Any], place: str
    ) -> None:
        """The message begins with the place of what does not fit."""
        for data in ({**GOOD, **change}, json.dumps({**GOOD, **change})):
            with pytest.raises(jsonschema.ValidationError) as caught:
                validator.validate(data)
            assert caught.value.message.startswith(place)
            assert str(caught.value).startswith(place)

    def test_missing_key(self, validator: AdaptorDataValidator) -> None:
        """A key that is missing is named."""
        with pytest.raises(jsonschema.ValidationError, match="/: 'scene' is a required property"):
            validator.validate({})

    def test_keys_that_are_no_text(self) -> None:
        """YAML may have numbers as keys, JSON Schema knows none: that is an error with words."""
        schema = {"patternProperties": {"^f": {"type": "integer"}}, "additionalProperties": False}
        with pytest.raises((jsonschema.ValidationError, ValueError), match="1"):
            AdaptorDataValidator(schema).validate("1: 2")

    def test_schema_that_is_none(self) -> None:
        """A schema that is not valid is the adaptor's mistake, and another error."""
        with pytest.raises(jsonschema.SchemaError):
            AdaptorDataValidator({"type": "nonsense"}).validate({})

    def test_again_after_an_error(self, validator: AdaptorDataValidator) -> None:
        """A validator can be used again."""
        for _ in range(2):
            with pytest.raises(jsonschema.ValidationError):
                validator.validate({})
            validator.validate(GOOD)

    def test_draft_of_the_schema(self) -> None:
        """The draft that the schema names is the one that counts."""
        validator = AdaptorDataValidator(
            {
                "$schema": "http://json-schema.org/draft-04/schema#",
                "properties": {"a": {"minimum": 1, "exclusiveMinimum": True}},
            }
        )
        validator.validate({"a": 2})
        with pytest.raises(jsonschema.ValidationError, match="/a: 1 "):
            validator.validate({"a": 1})


class TestFiles:
    def test_for_adaptor(self, tmp_path: Path) -> None:
        """The two schemas of an adaptor are read from its folder, by their names."""
        (tmp_path / "init_data.schema.json").write_text('{"required": ["scene"]}')
        (tmp_path / "run_data.schema.json").write_text('{"required": ["frame"]}')
        validators = AdaptorDataValidators.for_adaptor(str(tmp_path))
        assert isinstance(validators.init_data, AdaptorDataValidator)
        validators.init_data.validate({"scene": 1})
        validators.run_data.validate({"frame": 1})
        with pytest.raises(jsonschema.ValidationError, match="'scene'"):
            validators.init_data.validate({"frame": 1})
        with pytest.raises(jsonschema.ValidationError, match="'frame'"):
            validators.run_data.validate({"scene": 1})

    @pytest.mark.parametrize("name", ["init_data", "run_data"])
    def test_missing_schema(self, tmp_path: Path, name: str) -> None:
        """A schema that is missing is named."""
        for each in {"init_data", "run_data"} - {name}:
            (tmp_path / f"{each}.schema.json").write_text("{}")
        with pytest.raises(OSError, match=f"{name}.schema.json"):
            AdaptorDataValidators.for_adaptor(str(tmp_path))

    @pytest.mark.parametrize("text", ["", "nonsense", "[]", "5"])
    def test_schema_that_is_no_object(self, tmp_path: Path, text: str) -> None:
        """A file that holds no JSON object is named."""
        file = tmp_path / "s.json"
        file.write_text(text)
        with pytest.raises(ValueError, match=r"s\.json"):
            AdaptorDataValidator.from_schema_file(str(file))
