"""The command line, from the parsers that read it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from importlib import import_module
from typing import NamedTuple

from openjd.adaptor_runtime._cli import tool
from openjd.adaptor_runtime._cli.parser import parser as adaptor_parser


class Tool(NamedTuple):
    """A tool of ``openjd-adaptor``."""

    #: What it does, in a line.
    text: str
    parser: argparse.ArgumentParser


def tools() -> dict[str, Tool]:
    """The tools of ``openjd-adaptor`` by their names; the command itself as ``""``."""
    found = {"": Tool("tools for Open Job Description adaptors", tool.parser())}
    for name, (text, _) in tool._TOOLS.items():
        found[name] = Tool(text, import_module(tool.tools()[name]).parser())
    return found


def page() -> str:
    """The page, in Markdown."""
    lines = [
        "# Commands and options",
        "",
        "All commands with all their options, as the programs themselves know them: this page is",
        "made from their parsers. What the commands do, print and return is told in",
        "[The command line](../command-line.md).",
        "",
        "## An adaptor's commands",
        "",
        "`my-adaptor` stands for the adaptor's command.",
        "",
    ]
    adaptor = adaptor_parser("my-adaptor", version=str)
    for parser, text in _leaves(adaptor, ""):
        lines += _section(parser, text)
    lines += [
        "## openjd-adaptor",
        "",
        "The library's own command. Its commands `run`, `daemon`, `show-config`, `version-info`",
        "and `is-compatible` are those above, for an adaptor that is",
        "[described in TOML](../commands-in-toml.md): the file's path, FILE, stands behind them.",
        "",
    ]
    found = tools()
    lines += _options(found.pop("").parser)
    for name, (text, parser) in found.items():
        parser.prog = f"openjd-adaptor {name}"
        for each, said in _leaves(parser, text):
            lines += _section(each, said)
    return "\n".join(lines) + "\n"


def _leaves(
    parser: argparse.ArgumentParser, text: str
) -> Iterator[tuple[argparse.ArgumentParser, str]]:
    """A parser, or those of its commands."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            told = {each.dest: each.help or "" for each in action._choices_actions}
            for name, each in action.choices.items():
                yield from _leaves(each, told.get(name, ""))
            return
    yield parser, text


def _section(parser: argparse.ArgumentParser, text: str) -> list[str]:
    usage = " ".join(parser.format_usage().split())[len("usage: ") :].replace(" [-h]", "")
    said = text or parser.description or ""
    lines = [f"### {parser.prog}", "", _cell(said[:1].upper() + said[1:]).rstrip(".") + ".", ""]
    if parser.description and text and parser.description.rstrip(".") != text.rstrip("."):
        lines += [_cell(parser.description), ""]
    return [*lines, "```text", *_wrapped(usage), "```", "", *_options(parser)]


def _wrapped(usage: str) -> Iterator[str]:
    """A usage in lines that fit, broken between its options."""
    line, depth, word = "", 0, ""
    for character in usage + " ":
        if character == " " and depth == 0:
            if line and len(line) + len(word) > 88:
                yield line
                line = "    " + word
            else:
                line = f"{line} {word}" if line else word
            word = ""
            continue
        depth += (character in "[(") - (character in "])")
        word += character
    yield line


def _options(parser: argparse.ArgumentParser) -> list[str]:
    rows = []
    for action in parser._actions:
        if action.help == argparse.SUPPRESS or isinstance(
            action, (argparse._HelpAction, argparse._SubParsersAction)
        ):
            continue
        rows.append(f"| {_name(parser, action)} | {_meaning(action)} | {_default(action)} |")
    if not rows:
        return []
    table = ["| option | meaning | default |", "|---|---|---|", *rows]
    return ['<div class="options" markdown>', "", *table, "", "</div>", ""]


def _name(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    value = parser._get_formatter()._format_args(
        action, action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    )
    if not action.option_strings:
        return f"`{_cell(value)}`"
    names = [f"{name} {value}".strip() for name in action.option_strings]
    return ", ".join(f"`{_cell(name)}`" for name in names)


def _meaning(action: argparse.Action) -> str:
    text = (action.help or "").replace("%%", "%")
    if "%(" in text:
        text %= {**vars(action), "prog": ""}
    if action.choices and not any(str(choice) in text for choice in action.choices):
        text += f" ({', '.join(map(str, action.choices))})"
    return _cell(text)


def _default(action: argparse.Action) -> str:
    if action.required:
        return "needed"
    if action.default in (None, False, argparse.SUPPRESS, []):
        return ""
    return f"`{_cell(str(action.default))}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
