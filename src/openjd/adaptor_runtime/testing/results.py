"""Result: what a step of a session has shown, and what a test says about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

#: How many of the last lines a failed assertion shows.
SHOWN_LINES = 40

OK, FAILED, CANCELED = "ok", "failed", "canceled"

_PREFIX = "ADAPTOR_OUTPUT: "
_FAIL = "openjd_fail: "
_DOING = re.compile(r"^Error encountered while [a-z ]+? adaptor: ")


class Result:
    """How a step of a session ended, and all that it showed.

    Every ``assert_…`` method raises an AssertionError that says what was expected and shows the end
    of the log, or returns this result, so that they can be chained.

    Args:
        step: ``"start"``, ``"run"`` or ``"stop"``.
        verdict: ``"ok"``, ``"failed"`` or ``"canceled"``.
        text: the output.
        exit_status: of the command, where it was one.
    """

    def __init__(self, step: str, verdict: str, text: str, exit_status: int | None = None) -> None:
        self.step = step
        self.verdict = verdict
        #: The output as it was shown.
        self.text = text
        #: The exit status of the command ``daemon …``; None where there was no command.
        self.exit_status = exit_status

    @property
    def lines(self) -> list[str]:
        """The lines: ``STDOUT: Fra:1``, ``INFO: …``, ``openjd_progress: 1.0``.

        The same for all modes: what a daemon puts before its lines (``ADAPTOR_OUTPUT: ``) is left
        out.
        """
        found = self.text.split("\n")
        return [one[len(_PREFIX) :] if one.startswith(_PREFIX) else one for one in found if one]

    @property
    def progress(self) -> list[float]:
        """The progress that was told, in percent, in this order."""
        return [float(text) for text in self._messages("openjd_progress: ") if _is_number(text)]

    @property
    def statuses(self) -> list[str]:
        """The status messages that were told."""
        return self._messages("openjd_status: ")

    @property
    def fails(self) -> list[str]:
        """The texts of the ``openjd_fail`` lines; of a step that failed there should be one."""
        return self._messages(_FAIL)

    @property
    def reason(self) -> str | None:
        """Why it failed: the first ``openjd_fail``, without its ``Error encountered while …:``."""
        fails = self.fails
        return _DOING.sub("", fails[0]) if fails else None

    def _messages(self, name: str) -> list[str]:
        return [line[len(name) :] for line in self.lines if line.startswith(name)]

    @property
    def ok(self) -> bool:
        """Whether it went well."""
        return self.verdict == OK

    def __repr__(self) -> str:
        reason = f": {self.reason}" if self.reason else ""
        return f"<Result of {self.step}: {self.verdict}{reason}>"

    # The verdict.

    def assert_ok(self) -> Result:
        """It went well, and told of no failure."""
        __tracebackhide__ = True
        if self.verdict != OK:
            self._wrong(f"the {self.step} was to go well, but {self._how()}")
        if self.fails:
            self._wrong(f"the {self.step} went well, but has told of a failure: {self.fails[0]}")
        return self

    def assert_failed(self, reason: str | re.Pattern[str] | None = None) -> Result:
        """It failed, and said so in one ``openjd_fail`` line.

        Args:
            reason: what that line says: a part of it, or a pattern that is found in it.
        """
        __tracebackhide__ = True
        if self.verdict != FAILED:
            self._wrong(f"the {self.step} was to fail, but {self._how()}")
        if len(self.fails) != 1:
            self._wrong(
                f"the {self.step} failed; one openjd_fail line was to say so, not {self.fails}"
            )
        if reason is not None and not _found(reason, self.fails[0]):
            self._wrong(
                f"the {self.step} was to fail for {_shown(reason)}, but failed for {self.reason!r}"
            )
        return self

    def assert_canceled(self) -> Result:
        """It was cancelled, and told of no failure."""
        __tracebackhide__ = True
        if self.verdict != CANCELED:
            self._wrong(f"the {self.step} was to be cancelled, but {self._how()}")
        if self.fails:
            self._wrong(f"the {self.step} was cancelled, but told of a failure: {self.fails[0]}")
        return self

    def _how(self) -> str:
        if self.verdict == FAILED:
            return f"failed: {self.reason or 'no openjd_fail line says why'}"
        return "went well" if self.verdict == OK else "was canceled"

    # Progress and status.

    def assert_progress(
        self, expected: Sequence[float] | None = None, *, complete: bool = True
    ) -> Result:
        """Progress was told, never went back, and stayed within 0 and 100.

        Args:
            expected: all of it, in this order; None: any.
            complete: whether 100 must be what was told last, and once.
        """
        __tracebackhide__ = True
        told = self.progress
        if expected is not None and told != list(expected):
            self._wrong(f"the progress was to be {list(expected)}, but was {told}")
        if not told:
            self._wrong(f"the {self.step} was to tell of progress, but told of none")
        if min(told) < 0 or max(told) > 100:
            self._wrong(f"progress is 0 to 100, but was {told}")
        for before, after in zip(told, told[1:]):
            if after < before:
                self._wrong(f"progress was not to go back, but went from {before} to {after}")
        if complete and (told[-1] != 100 or told.count(100) != 1):
            self._wrong(f"the progress was to end with 100, told once, but was {told}")
        return self

    def assert_no_progress(self) -> Result:
        """No progress was told."""
        __tracebackhide__ = True
        if self.progress:
            self._wrong(f"no progress was to be told, but it was {self.progress}")
        return self

    def assert_status(self, *texts: str | re.Pattern[str]) -> Result:
        """Status messages that say this were told, in this order; others may stand between.

        Args:
            texts: parts of them, or patterns that are found in them.
        """
        __tracebackhide__ = True
        missing = _first_missing(texts, self.statuses)
        if missing is not None:
            self._wrong(
                f"a status {_shown(texts[missing])}{_after(texts, missing)} was to be told, "
                f"but the statuses were {self.statuses}"
            )
        return self

    # Lines.

    def assert_line(self, text: str | re.Pattern[str], *, count: int | None = None) -> Result:
        """There is a line that says this.

        Args:
            text: a part of a line, or a pattern that is found in it. Lines begin as in ``lines``:
                ``re.compile("^STDERR: ")``.
            count: how many such lines there must be; None: one or more.
        """
        __tracebackhide__ = True
        found = sum(_found(text, line) for line in self.lines)
        if count is None and found == 0:
            self._wrong(f"there was to be a line with {_shown(text)}, but there is none")
        if count is not None and found != count:
            self._wrong(f"there were to be {count} lines with {_shown(text)}, not {found}")
        return self

    def assert_lines(self, *texts: str | re.Pattern[str]) -> Result:
        """There are lines that say the `texts`, in this order; others may stand between."""
        __tracebackhide__ = True
        missing = _first_missing(texts, self.lines)
        if missing is not None:
            self._wrong(
                f"there was to be a line with {_shown(texts[missing])}"
                f"{_after(texts, missing) or ','} but there is none"
            )
        return self

    def assert_no_line(self, text: str | re.Pattern[str]) -> Result:
        """There is no line that says `text`; see ``assert_line``."""
        __tracebackhide__ = True
        for line in self.lines:
            if _found(text, line):
                self._wrong(f"there was to be no line with {_shown(text)}, but there is: {line}")
        return self

    def _wrong(self, problem: str) -> None:
        __tracebackhide__ = True
        lines = self.lines
        left_out = len(lines) - SHOWN_LINES
        head = f"the last {SHOWN_LINES} lines of {len(lines)}" if left_out > 0 else "all that"
        shown = "\n".join(f"  {line}" for line in lines[-SHOWN_LINES:]) or "  (nothing)"
        raise AssertionError(f"{problem}\n--- {head} the {self.step} showed ---\n{shown}")


def _found(wanted: str | re.Pattern[str], line: str) -> bool:
    return wanted in line if isinstance(wanted, str) else wanted.search(line) is not None


def _shown(wanted: str | re.Pattern[str]) -> str:
    return repr(wanted) if isinstance(wanted, str) else f"the pattern {wanted.pattern!r}"


def _after(texts: Sequence[Any], index: int) -> str:
    return f", behind {_shown(texts[index - 1])}," if index else ""


def _first_missing(texts: Sequence[str | re.Pattern[str]], lines: Sequence[str]) -> int | None:
    """The index of the first text that does not come in its turn; None if all do."""
    rest = iter(lines)
    for index, text in enumerate(texts):
        if not any(_found(text, line) for line in rest):
            return index
    return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
