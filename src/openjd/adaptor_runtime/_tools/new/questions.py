"""Questions to whoever sits at the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from ..._terminal import say_error


class Canceled(Exception):
    """Who was asked does not want to answer: Ctrl-C, or the end of the input."""


def can_ask() -> bool:
    """Whether there is a terminal to ask on."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def ask(question: str, read: Callable[[str], str], likely: str | None = None) -> str:
    """The answer to a question, which is asked until there is one that will do.

    Args:
        question: without a colon.
        read: makes of what was typed what is returned, or raises a ValueError that says why not.
        likely: what an empty answer stands for.

    Raises:
        Canceled: there will be no answer.
    """
    suggestion = f" [{likely}]" if likely else ""
    while True:
        try:
            typed = input(f"{question}{suggestion}: ").strip()
        except (EOFError, KeyboardInterrupt):
            raise Canceled from None
        try:
            return read(typed or likely or "")
        except ValueError as e:
            say_error(str(e))


def choose(question: str, choices: Mapping[str, str]) -> str:
    """One of the choices, which are shown with what they are; the first, for an empty answer.

    Raises:
        Canceled: there will be no answer.
    """
    for number, (choice, text) in enumerate(choices.items(), start=1):
        print(f"  {number}  {choice:<12} {text}")
    by_answer = {str(number): choice for number, choice in enumerate(choices, start=1)}
    by_answer.update((choice, choice) for choice in choices)

    def read(text: str) -> str:
        if text.lower() not in by_answer:
            raise ValueError(f"{text!r} is none of {', '.join(choices)}")
        return by_answer[text.lower()]

    return ask(question, read, next(iter(choices)))
