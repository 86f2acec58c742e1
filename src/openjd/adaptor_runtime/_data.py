"""Init data, run data and path mapping rules, as a job gives them: JSON or YAML."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SCHEME = "file://"
# Levels of nesting in YAML. Real data has less than twenty.
DEPTH_LIMIT = 500


class DataError(ValueError):
    """Data that cannot be used; its message is one line that says what, where, and what to do."""


def read_text(argument: str, what: str) -> tuple[str, str]:
    """The text of an argument, and what to call it in messages.

    Args:
        argument: the text itself, or ``file://`` and the path of a file that holds it.
        what: what it is, for instance ``--init-data``.

    Raises:
        DataError: the file cannot be read.
    """
    if not argument.startswith(_SCHEME):
        return argument, what
    path = argument[len(_SCHEME) :]
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read(), f"{what} {argument}"
    except OSError as e:
        raise DataError(f"{what}: the file {path} cannot be read: {e.strerror or e}") from e
    except UnicodeDecodeError as e:
        raise DataError(f"{what}: the file {path} is no text in UTF-8 (byte {e.start})") from e


def parse(text: str, name: str) -> dict[str, Any]:
    """The mapping that JSON or YAML text holds.

    Raises:
        DataError: it is neither, or holds something else than a mapping.
    """
    try:
        data = json.loads(text)
    except ValueError:
        # Every JSON text is YAML too, but the reader for JSON is a hundred times faster.
        data = _parse_yaml(text, name)
    except RecursionError:
        raise DataError(f"{name} is nested too deeply") from None
    if not isinstance(data, dict):
        kind = {list: "a list", str: "a string", type(None): "nothing"}.get(
            type(data), f"a {type(data).__name__}"
        )
        raise DataError(f"{name} must be a mapping (key: value), but it holds {kind}")
    return data


def _parse_yaml(text: str, name: str) -> Any:
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        # The reader written in C follows the nesting on the machine's stack, and crashes where
        # that ends. Its events come without recursion.
        depth = 0
        for event in yaml.parse(text, loader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEPTH_LIMIT:
                raise DataError(f"{name} is nested too deeply")
        return yaml.load(text, loader)
    except DataError:
        raise
    except yaml.MarkedYAMLError as e:
        mark = e.problem_mark or e.context_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise DataError(f"{name} is neither JSON nor YAML{place}: {e.problem or e.context}") from e
    except (yaml.YAMLError, ValueError, RecursionError) as e:
        reason = " ".join(str(e).split())
        raise DataError(f"{name} is neither JSON nor YAML: {reason}") from e


def load_data(argument: str, what: str) -> dict[str, Any]:
    """The mapping that an argument gives, inline or in a file.

    Raises:
        DataError: see ``read_text`` and ``parse``.
    """
    return parse(*read_text(argument, what))
