"""Validators for the init data and run data of an adaptor."""

from __future__ import annotations

import json
import os
from typing import Any

from .._data import DataError, load_data

__all__ = ["AdaptorDataValidator", "AdaptorDataValidators"]


class AdaptorDataValidator:
    """Checks data against a JSON Schema.

    Args:
        schema: the schema, as a mapping.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self._validator: Any = None

    @staticmethod
    def from_schema_file(schema_path: str) -> AdaptorDataValidator:
        """The validator for the schema in a file.

        Raises:
            OSError: the file cannot be read.
            ValueError: it holds no JSON object.
        """
        try:
            with open(schema_path, encoding="utf-8") as file:
                schema = json.load(file)
        except json.JSONDecodeError as e:
            raise ValueError(f"the schema {schema_path} is no JSON: {e}") from e
        if not isinstance(schema, dict):
            raise ValueError(f"the schema {schema_path} must hold a JSON object")
        return AdaptorDataValidator(schema)

    def validate(self, data: str | dict[str, Any]) -> None:
        """Returns if the data is valid.

        Args:
            data: a mapping; or JSON or YAML as text; or ``file://`` and the path of a file.

        Raises:
            jsonschema.ValidationError: it does not fit the schema; its message begins with the
                place, for instance ``/camera/fov: ``.
            jsonschema.SchemaError: the schema itself is not valid.
            DataError (a ValueError): the text or file is no JSON or YAML mapping.
        """
        from jsonschema.exceptions import best_match
        from jsonschema.validators import validator_for

        if isinstance(data, str):
            data = load_data(data, "the data")
        if self._validator is None:
            validator_class = validator_for(self._schema)
            validator_class.check_schema(self._schema)
            self._validator = validator_class(self._schema)
        _check_keys(data, "")
        error = best_match(self._validator.iter_errors(data))
        if error is not None:
            place = "/" + "/".join(str(step) for step in error.absolute_path)
            error.message = f"{place}: {error.message}"
            raise error


def _check_keys(data: Any, place: str) -> None:
    """YAML has keys of all kinds; JSON Schema knows text alone, and fails on others.

    Raises:
        DataError: a key is no text.
    """
    if isinstance(data, dict):
        for key, value in data.items():
            if not isinstance(key, str):
                raise DataError(f"{place or '/'}: the key {key!r} is no text; put it in quotes")
            _check_keys(value, f"{place}/{key}")
    elif isinstance(data, list):
        for index, value in enumerate(data):
            _check_keys(value, f"{place}/{index}")


class AdaptorDataValidators:
    """The validators of one adaptor: ``init_data`` and ``run_data``."""

    def __init__(
        self, init_data_validator: AdaptorDataValidator, run_data_validator: AdaptorDataValidator
    ) -> None:
        self._init_data = init_data_validator
        self._run_data = run_data_validator

    @classmethod
    def for_adaptor(cls, schema_dir: str) -> AdaptorDataValidators:
        """Reads ``init_data.schema.json`` and ``run_data.schema.json`` in `schema_dir`.

        Raises:
            OSError: a file cannot be read.
            ValueError: a file holds no JSON object.
        """
        init_data, run_data = (
            AdaptorDataValidator.from_schema_file(os.path.join(schema_dir, f"{name}.schema.json"))
            for name in ("init_data", "run_data")
        )
        return cls(init_data, run_data)

    @property
    def init_data(self) -> AdaptorDataValidator:
        """The validator for init data."""
        return self._init_data

    @property
    def run_data(self) -> AdaptorDataValidator:
        """The validator for run data."""
        return self._run_data
