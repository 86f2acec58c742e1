"""Init data, run data and path mapping rules, as a job gives them: JSON or YAML."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SCHEME = "file://"
# Levels of nesting in YAML. Real data has less than twenty.
DEPTH_LIMIT = 500
# What aliases (*name) may stand for altogether. Nine of them of nine others each, nine deep, are
# a billion values for whoever looks at them all.
_ALIASED_LIMIT = 100_000
# Characters of a number in YAML. Python shows no more than 4,300 digits, and 1:1:1:... takes
# quadratic time.
_NUMBER_LIMIT = 3000
_NUMBER = r"[-+]?0x[0-9a-fA-F_]+|[-+0-9_:.]+"


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
        return as_written(argument, what), what
    from ._text import decode

    path = argument[len(_SCHEME) :]
    try:
        with open(path, "rb") as file:
            return decode(file.read()), f"{what} {argument}"
    except OSError as e:
        raise DataError(f"{what}: the file {path} cannot be read: {e.strerror or e}") from e
    except ValueError as e:
        raise DataError(f"{what}: the file {path} {e}") from e


def as_written(argument: str, what: str) -> str:
    """The text of an argument in UTF-8, also where the locale (``LC_ALL=C``) could not decode it.

    Raises:
        DataError: it is no UTF-8.
    """
    try:
        argument.encode("utf-8")
        return argument
    except UnicodeEncodeError:
        pass
    import os

    try:
        return os.fsencode(argument).decode("utf-8")
    except UnicodeError as e:
        raise DataError(f"{what} is no text in UTF-8") from e


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

    from ._text import one_line

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        check_yaml(text, loader, name)
        return yaml.load(text, loader)
    except DataError:
        raise
    except yaml.MarkedYAMLError as e:
        mark = e.problem_mark or e.context_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        reason = one_line(str(e.problem or e.context))
        raise DataError(f"{name} is neither JSON nor YAML{place}: {reason}") from e
    except (yaml.YAMLError, ValueError, RecursionError) as e:
        reason = one_line(" ".join(str(e).split()))
        raise DataError(f"{name} is neither JSON nor YAML: {reason}") from e
    except (ArithmeticError, AttributeError, LookupError, TypeError) as e:
        # A tag was taken at its word: !!timestamp x
        raise DataError(
            f"{name} holds a value that is not what its tag (!!int, !!timestamp, ...) says"
        ) from e


def check_yaml(text: str, loader: Any, name: str) -> None:
    """Looks at YAML before it is read: what would take the reader, or its caller, too long.

    The reader written in C follows the nesting on the machine's stack, and crashes where that
    ends; an alias costs it nothing, but whoever looks at all values looks at what it names.

    Raises:
        DataError: it is nested too deeply, its aliases multiply, or a number is too long.
        yaml.YAMLError: it is no YAML.
    """
    import re

    import yaml

    # Anchor -> how many values it stands for; None while it is being read.
    sizes: dict[str, int | None] = {}
    # Of the collections that are open: the anchor, and how many values were there before it.
    opened: list[tuple[str | None, int]] = []
    count = aliased = 0
    event: yaml.Event
    for event in yaml.parse(text, loader):
        place = f", line {event.start_mark.line + 1}" if event.start_mark else ""
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = opened.pop()
            if anchor:
                sizes[anchor] = count - before
        elif isinstance(event, yaml.AliasEvent):
            size = sizes.get(event.anchor or "", 0)
            if size is None:
                raise DataError(f"{name}{place}: an alias stands for what it is a part of")
            count += size
            aliased += size
            if aliased > _ALIASED_LIMIT:
                raise DataError(
                    f"{name}{place}: its aliases stand for more than {_ALIASED_LIMIT:,} values"
                )
        elif isinstance(event, yaml.CollectionStartEvent):
            opened.append((event.anchor, count))
            if len(opened) > DEPTH_LIMIT:
                raise DataError(f"{name} is nested too deeply")
            count += 1
            if event.anchor:
                sizes[event.anchor] = None
        elif isinstance(event, yaml.ScalarEvent):
            if len(event.value) > _NUMBER_LIMIT and (
                (event.tag or "").endswith((":int", ":float"))
                # In quotes it is a text.
                or (event.implicit[0] and re.fullmatch(_NUMBER, event.value))
            ):
                raise DataError(f"{name}{place}: a number of {len(event.value):,} characters")
            count += 1
            if event.anchor:
                sizes[event.anchor] = 1


def load_data(argument: str, what: str) -> dict[str, Any]:
    """The mapping that an argument gives, inline or in a file.

    Raises:
        DataError: see ``read_text`` and ``parse``.
    """
    return parse(*read_text(argument, what))
