"""The settings, from the classes that read them."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openjd.adaptor_runtime.adaptors.configuration import (
    AdaptorConfiguration,
    RuntimeConfiguration,
)
from openjd.adaptor_runtime.adaptors.configuration.configuration import Configuration
from openjd.adaptor_runtime.application import ApplicationConfiguration, Limits

_EXAMPLES = {
    "limits": {"silence": 600},
    "rules": {"licence": "warn"},
    "map_environment": ["PROJECT_ROOT"],
}


def _settings(of: type[Configuration]) -> dict[str, Any]:
    """The settings that a class knows, with their defaults."""
    names = [
        name
        for name, member in inspect.getmembers(of, lambda member: isinstance(member, property))
        if name != "config"
    ]
    defaults = of({})
    return {name: getattr(defaults, name) for name in names}


def _type(name: str, value: Any, of: type[Configuration]) -> str:
    if name in of.known:
        return ", ".join(f"`{json.dumps(one)}`" for one in of.known[name])
    kinds = {bool: "true or false", float: "a number", int: "a number", str: "a text"}
    if isinstance(value, list):
        return "a list of texts"
    if isinstance(value, dict):
        return "an object"
    return kinds.get(type(value), "a text")


def _table(of: type[Configuration], without: type[Configuration] | None = None) -> Iterator[str]:
    yield "| setting | value | unless set | meaning |"
    yield "|---|---|---|---|"
    for name, default in _settings(of).items():
        if without is not None and name in _settings(without):
            continue
        told = (inspect.getdoc(getattr(of, name)) or "").replace("\n", " ").replace("  ", " ")
        shown = json.dumps(int(default) if default == 86400 else default)
        yield f"| `{name}` | {_type(name, default, of)} | `{shown}` | {_plain(told)} |"
    yield ""


def _plain(text: str) -> str:
    return text.replace("``", "`").replace("|", "\\|")


def _limits() -> Iterator[str]:
    """The fields of ``Limits``, with the comments that stand above them."""
    yield "| limit | unless set | meaning |"
    yield "|---|---|---|"
    comment: list[str] = []
    for line in inspect.getsource(Limits).splitlines():
        line = line.strip()
        if line.startswith("#:"):
            comment.append(line[2:].strip())
            continue
        name = line.partition(":")[0]
        if name in Limits._fields:
            default = Limits._field_defaults[name]
            yield f"| `{name}` | {default:g} | {_plain(' '.join(comment))} |"
        comment = []
    yield ""


def page() -> str:
    """The page, in Markdown."""
    packaged = Path(inspect.getfile(RuntimeConfiguration)).with_name("runtime.json")
    lines = [
        "# Settings",
        "",
        "All that configuration files can say, as the library itself knows it: this page is made",
        "from the classes that read them. Where the files are, and which goes before which:",
        "[Configuration files](../command-line.md#configuration-files); how a site uses them:",
        "[For operators](../operators.md).",
        "",
        "## The runtime's",
        "",
        *_table(RuntimeConfiguration),
        f"The library's own file says `{json.dumps(json.loads(packaged.read_text()))}`.",
        "",
        "## Every adaptor's",
        "",
        *_table(AdaptorConfiguration),
        "## Those of an adaptor for an application",
        "",
        "These hold for an `ApplicationAdaptor`, a `CommandLineAdaptor`, and adaptors that are",
        "described in TOML. Any other setting is the adaptor's own.",
        "",
        *_table(ApplicationConfiguration, AdaptorConfiguration),
        "## Limits",
        "",
        "The names in `limits`. Times are in seconds, sizes in MiB; 0 switches a limit off. What",
        "is here are the library's defaults; an adaptor's class may have others.",
        "",
        *_limits(),
    ]
    return "\n".join(lines)
