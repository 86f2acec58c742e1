"""The parser of command lines that all commands share, for argparse.

A command's module that reads arguments has ``parser() -> Parser`` beside ``main``: its whole
grammar, made without doing anything else. ``openjd-adaptor completion`` asks all of them. What an
option or argument takes stands in its metavar (see ``KINDS``).
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from ._text import one_line

#: Metavar -> what can be completed: files, folders, or data (``file://`` and a file).
KINDS = {
    "FILE": "file",
    "LOG": "file",
    "PATH": "file",
    # A folder, or a file.
    "PACKAGE": "file",
    "ADAPTOR": "file",
    "DIR": "folder",
    "FOLDER": "folder",
    "DATA": "data",
}

# What argparse takes for an argument, or the value of an option, though it may begin with a dash.
_NO_OPTION = re.compile(r"(?!-)|-$|-\d|.*\s", re.DOTALL)


class Parser(argparse.ArgumentParser):
    """An ``ArgumentParser`` whose errors are one line, and say what was probably meant.

    A command of a command is one, too.
    """

    # What was given, for `error`.
    _given: Sequence[str] = ()

    def add_subparsers(self, **options: Any) -> Any:
        """As argparse has it."""
        options.setdefault("parser_class", _Command)
        return super().add_subparsers(**options)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """As argparse has it."""
        if args is not None:
            self._given = list(args)
        return super().parse_known_args(args, namespace)

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Any:
        """As argparse has it."""
        options, rest = self.parse_known_args(args, namespace)
        self.refuse(rest)
        return options

    def refuse(self, rest: Sequence[str]) -> None:
        """Ends the command if there is anything that its grammar has no place for.

        Raises:
            SystemExit: there is; the line about it has been printed.
        """
        for given in rest:
            if _NO_OPTION.match(given):
                self.error(f"unexpected argument {given!r}")
            self.error(self._unknown(given))

    def print_help(self, file: Any = None) -> None:
        """As argparse has it, in whatever encoding there is."""
        from ._terminal import forgive

        forgive()
        super().print_help(file)

    def error(self, message: str) -> NoReturn:
        """One line instead of the usage, which ``--help`` shows.

        Raises:
            SystemExit: always, with status 2.
        """
        # Of an option that is misspelt argparse tells last: first it misses the right one.
        for given in self._given:
            if given == "--" or (self._subparsers is not None and given[:1] != "-"):
                break
            if not _NO_OPTION.match(given) and not self._knows(given) and self._meant(given):
                message = self._unknown(given)
                break
        from ._terminal import say_error

        say_error(f"{self.prog}: {one_line(message)} (see {self.prog} --help)")
        self.exit(2)

    def _knows(self, given: str) -> bool:
        name = given.partition("=")[0]
        known = self._option_string_actions
        if name in known or (name[:2] != "--" and name[:2] in known):
            return True
        return self.allow_abbrev and any(option.startswith(name) for option in known)

    def _meant(self, given: str) -> str | None:
        from ._suggestions import closest

        return closest(given.partition("=")[0], self._long_options())

    def _long_options(self) -> list[str]:
        return [option for option in self._option_string_actions if option[:2] == "--"]

    def _unknown(self, given: str) -> str:
        from ._suggestions import suggestion

        name = given.partition("=")[0]
        return f"there is no option {name}{suggestion(name, self._long_options())}"

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        # argparse's own words for it differ from version to version.
        choices = action.choices
        if choices is None or value in (known := list(choices)):
            return
        from ._suggestions import suggestion, there_are

        # Numbers that look alike are not alike.
        is_text = isinstance(value, str)
        what = suggestion(value, map(str, known)) if is_text else there_are(map(str, known))
        if isinstance(action, argparse._SubParsersAction):
            raise argparse.ArgumentError(None, f"there is no command {value!r}{what}")
        raise argparse.ArgumentError(action, f"{value!r} is not known{what}")


class _Command(Parser):
    """The parser of a command of a command: it refuses by itself what it does not know.

    The one above it would do so, with its own name and without knowing what is known here.
    """

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        options, rest = super().parse_known_args(args, namespace)
        self.refuse(rest)
        return options, []


class Version(argparse.Action):
    """``--version``: prints what `text` returns, which is asked for only then, and ends.

    Args:
        text: what to print.
    """

    def __init__(self, *, text: Callable[[], str], **options: Any) -> None:
        options.setdefault("help", "print the version and end")
        super().__init__(**{**options, "dest": argparse.SUPPRESS, "nargs": 0})
        self._text = text

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Prints it.

        Raises:
            SystemExit: always, with status 0.
        """
        from ._terminal import forgive, say

        forgive()
        say(self._text())
        parser.exit(0)
