"""Validators for the init data and run data of an adaptor."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from .._data import DataError, load_data
from .._text import decode, one_line
from .base import path_beside

if TYPE_CHECKING:
    from collections.abc import Callable

    from .base import BaseAdaptor
    from .data_paths import SchemaPaths

__all__ = ["AdaptorDataValidator", "AdaptorDataValidators"]


class AdaptorDataValidator:
    """Checks data against a JSON Schema.

    Args:
        schema: the schema, as a mapping.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self._validator: Any = None
        self._paths: SchemaPaths | None = None

    @staticmethod
    def from_schema_file(schema_path: str) -> AdaptorDataValidator:
        """The validator for the schema in the file `schema_path`.

        Raises:
            OSError: the file cannot be read.
            ValueError: it holds no JSON object.
        """
        try:
            with open(schema_path, "rb") as file:
                data = file.read()
            schema = json.loads(decode(data))
        except json.JSONDecodeError as e:
            raise ValueError(f"the schema {schema_path} is no JSON: {e}") from e
        except ValueError as e:
            raise ValueError(f"the schema {schema_path} {e}") from e
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

        if isinstance(data, str):
            data = load_data(data, "the data")
        validator = self._compiled()
        _check_keys(data, "")
        error = best_match(validator.iter_errors(data))
        if error is not None:
            from .schema_errors import in_words

            place = "/" + "/".join(str(step) for step in error.absolute_path)
            error.message = one_line(f"{place}: {in_words(error)}")
            raise error

    def map_paths(self, data: Any, map_path: Callable[[str], str]) -> Any:
        """A copy of `data` in which the strings that the schema marks as paths are mapped.

        Validates nothing. See ``openjd.adaptor_runtime.adaptors.map_paths``.

        Args:
            data: anything that JSON can express.
            map_path: makes the mapped path of a path; an adaptor's or client's ``map_path``.

        Raises:
            ValueError: a ``$ref`` of the schema cannot be followed.
        """
        return self._schema_paths().map(data, map_path)

    def _compiled(self) -> Any:
        if self._validator is None:
            from jsonschema.validators import validator_for

            validator_class = validator_for(self._schema)
            validator_class.check_schema(self._schema)
            self._validator = validator_class(self._schema)
        return self._validator

    def _schema_paths(self) -> SchemaPaths:
        if self._paths is None:
            from .data_paths import SchemaPaths

            self._paths = SchemaPaths(self._schema)
        return self._paths


def _check_keys(data: Any, place: str) -> None:
    """YAML has keys of all kinds; JSON Schema knows text alone, and fails on others.

    Raises:
        DataError: a key is no text.
    """
    if isinstance(data, dict):
        for key, value in data.items():
            if not isinstance(key, str):
                raise DataError(
                    one_line(f"{place or '/'}: the key {key!r} is no text; put it in quotes")
                )
            _check_keys(value, f"{place}/{key}")
    elif isinstance(data, list):
        for index, value in enumerate(data):
            _check_keys(value, f"{place}/{index}")


class AdaptorDataValidators:
    """The validators of one adaptor: ``init_data`` and ``run_data``.

    Args:
        init_data_validator: the one for init data.
        run_data_validator: the one for run data.
    """

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


class SessionData:
    """The data of an adaptor that has ``data_schemas``: checked, then its paths mapped.

    Args:
        adaptor: the adaptor.

    Raises:
        ValueError: a schema cannot be used; the message names its file.
    """

    def __init__(self, adaptor: BaseAdaptor[Any]) -> None:
        self._adaptor = adaptor
        self._init_data_done = False
        folder = path_beside(adaptor, "data_schemas")
        # Both now: what is wrong with a schema shall be known before the first task.
        self._init_data, self._run_data = (
            _usable_validator(os.path.join(folder, f"{name}.schema.json"))
            for name in ("init_data", "run_data")
        )

    def prepare_init_data(self) -> None:
        """Checks and maps the adaptor's ``init_data``, once: a mapped path is not mapped again.

        Raises:
            jsonschema.ValidationError: it does not fit the schema.
            ValueError: it is nested too deeply, or a key is no text.
        """
        if not self._init_data_done:
            adaptor = self._adaptor
            adaptor.init_data = self._prepared(self._init_data, adaptor.init_data, "init data")
            self._init_data_done = True

    def prepared_run_data(self, run_data: dict[str, Any]) -> dict[str, Any]:
        """The run data to give to the adaptor.

        Raises:
            jsonschema.ValidationError: it does not fit the schema.
            ValueError: it is nested too deeply, or a key is no text.
        """
        return self._prepared(self._run_data, run_data, "run data")

    def _prepared(
        self, validator: AdaptorDataValidator, data: dict[str, Any], what: str
    ) -> dict[str, Any]:
        from jsonschema import ValidationError

        try:
            validator.validate(data)
            mapped: dict[str, Any] = validator.map_paths(data, self._adaptor.map_path)
        except ValidationError as e:
            e.message = f"{what}, {e.message}"
            raise
        except DataError as e:
            raise DataError(f"{what}, {e}") from None
        except RecursionError:
            raise DataError(
                f"{what}: nested too deeply, or the schema refers to itself without end"
            ) from None
        return mapped


def _usable_validator(path: str) -> AdaptorDataValidator:
    """The validator for a schema's file, compiled.

    Raises:
        ValueError: it cannot be used; the message names the file.
    """
    from jsonschema import SchemaError

    # None of these is raised "from" its cause: the lines of a JSON reader help nobody here.
    try:
        validator = AdaptorDataValidator.from_schema_file(path)
        validator._compiled()
    except OSError as e:
        raise ValueError(
            f"the schema {path} (see data_schemas) cannot be read: {e.strerror or e}"
        ) from None
    except SchemaError as e:
        place = "/" + "/".join(str(step) for step in e.absolute_path)
        raise ValueError(f"the schema {path} is not valid: {place}: {e.message}") from None
    except ValueError as e:
        raise ValueError(str(e)) from None
    try:
        validator._schema_paths()
    except ValueError as e:
        raise ValueError(f"the schema {path}: {e}") from None
    return validator
