"""What can stand where on a command line, read out of the parsers."""

from __future__ import annotations

import argparse
import re
from importlib import import_module
from typing import NamedTuple

from ..._arguments import KINDS
from .. import parser as adaptor
from .. import tool

#: The places that a grammar begins with: that of openjd-adaptor, and that of every adaptor.
TOOL, ADAPTOR = tool.NAME, "adaptor"

_HELP = 70
# What is a word in every shell.
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")
_PIECE = re.compile("@([A-Z_]+)@")


class Place(NamedTuple):
    """A command, with what can stand behind it."""

    #: TOOL or ADAPTOR, and the commands that lead there: "adaptor daemon start".
    name: str
    #: Command or option -> one line about it.
    commands: dict[str, str]
    options: dict[str, str]
    #: Option -> what its value is; those without one are not in it. A kind of
    #: ``_arguments.KINDS``, or "any", or "=" and the values with | between them.
    takes: dict[str, str]
    #: What each argument is, the same way; the last one stands for all further ones.
    arguments: list[str]


def filled(template: str, **pieces: str) -> str:
    """The template, with each piece where its name stands: ``@NAME@``."""
    return _PIECE.sub(lambda name: pieces[name[1].lower()], template)


def places(root: str) -> list[Place]:
    """All places of the grammar of openjd-adaptor, or of adaptors."""
    if root == ADAPTOR:
        return _below(ADAPTOR, adaptor.parser(ADAPTOR, version=str))
    found = {place.name: place for place in _below(TOOL, tool.parser())}
    # What an adaptor's command has, but not --version, with the adaptor's file behind it.
    of_file = _below(TOOL, adaptor.parser(TOOL, of_file=True))
    found.update({place.name: place for place in of_file if place.name != TOOL})
    for name, module in tool.tools().items():
        made = import_module(module).parser()
        found.update({place.name: place for place in _below(f"{TOOL} {name}", made)})
    return list(found.values())


def _below(name: str, parser: argparse.ArgumentParser) -> list[Place]:
    place = Place(name, {}, {}, {}, [])
    found = [place]
    # Behind the last argument stands nothing, unless it may be repeated.
    last = ["none"]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            about = {choice.dest: choice.help for choice in action._choices_actions}
            for command, child in action.choices.items():
                place.commands[command] = _line(about.get(command))
                found += _below(f"{name} {command}", child)
        elif action.option_strings:
            if action.help == argparse.SUPPRESS:
                continue
            for option in action.option_strings:
                place.options[option] = _line(action.help, action)
                if action.nargs != 0:
                    place.takes[option] = _kind(action)
        else:
            count = action.nargs if isinstance(action.nargs, int) else 1
            place.arguments.extend([_kind(action)] * count)
            if action.nargs in ("*", "+", argparse.REMAINDER):
                last = []
    place.arguments.extend(last)
    return found


def _kind(action: argparse.Action) -> str:
    if action.choices is not None:
        words = [str(choice) for choice in action.choices]
        if all(map(_WORD.fullmatch, words)):
            return "=" + "|".join(words)
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    return KINDS.get(metavar.rstrip("."), "any")


def _line(text: str | None, action: argparse.Action | None = None) -> str:
    text = text or ""
    if action is not None:
        try:
            text %= {**vars(action), "prog": ""}
        except (ValueError, TypeError, KeyError):
            text = text.replace("%%", "%")
    text = " ".join(text.split())
    return text if len(text) <= _HELP else text[: _HELP - 3].rstrip() + "..."
