# ruff: noqa: E501 -- a message is a line
"""Every failure that the runtime can tell of is known to ``openjd-adaptor explain``."""

from __future__ import annotations

import re
import signal
from pathlib import Path

from openjd.adaptor_runtime._tools.explaining import cause_of
from openjd.adaptor_runtime._tools.explaining.causes import OTHERS, TABLE
from openjd.adaptor_runtime.application.supervised import describe_end

from .words import Words, collect

_DOCS = Path(__file__).parents[2] / "docs"
_DESCRIPTION = "the adaptor's description tool.toml: {}"
#: Files whose errors come with something before them.
_WRAPPED = {
    "application/toml_adaptor.py": _DESCRIPTION,
    "application/placeholders.py": _DESCRIPTION,
    "adaptors/configuration/configuration.py": "the configuration file x.json: {}",
    "_cli/about.py": "--init-data{}",
    "_data.py": "--{}",
    "_fields.py": "--init-field n: {}",
    "_text.py": "--init-data: the file x.json {}",
}
#: Words that end up in no log, and why.
_NOT_TOLD = {
    "7 is no number of lines": "who watches a session is no part of it",
    "the daemon has ended without a word": "who watches a session is no part of it",
    "the daemon does not show its log (7)": "who watches a session is no part of it",
    "this is no date and time with a zone": "a notice of a cancel that cannot be read is none",
    "there is no process 7": "who looks for a process expects that",
    "there are no guardians here": "a system without them is never asked",
    "inotify": "the name of a function of the system",
    "module 7 has no attribute 7": "Python's own words for a name that an author misspelt",
    "7; the task is given up, but it may go on in there": "put together: see test_put_together",
    "7 (7)": "put together: a rule's words and what came then, see test_put_together",
    "7: 7": "put together: a rule's name and what is wrong with it",
    "7: its 7 7 cannot be compiled: 7": "put together: a rule's name and what is wrong with it",
    "7, 7": "put together: run data or init data, and what is wrong with them",
    "canceled": "a cancel is no failure",
}
_LEFT_OUT = (
    *("_tools", "_log_reading", "_demo", "testing", "examples"),
    *("_cli/completion", "_cli/tool", "_arguments"),
)
_WORDS = list(collect(_LEFT_OUT))
_UNKNOWN = {"adaptor-error", "own-message"}


def _is_known(message: str) -> bool:
    return (
        cause_of(message)[0].id not in _UNKNOWN
        and cause_of(f"Error encountered while running adaptor: {message}")[0].id not in _UNKNOWN
    )


def test_enough_was_collected() -> None:
    """The source has that many failures at least: the collecting works."""
    assert len(_WORDS) > 180
    assert any("Could not find the specified command" in words.text for words in _WORDS)


def test_the_failures_of_the_source_are_known() -> None:
    """Each ``raise`` of the runtime has words for which there is a cause, or never gets told."""
    assert [
        words for words in _WORDS if words.text not in _NOT_TOLD and not _has_cause(words)
    ] == []


def _has_cause(words: Words) -> bool:
    wrapped = _WRAPPED.get(words.place.rpartition(":")[0], "{}").format(words.text)
    return _is_known(words.text) or _is_known(wrapped)


def test_what_is_not_told_is_still_there() -> None:
    """No entry of the list of exceptions has outlived its message."""
    assert _NOT_TOLD.keys() <= {words.text for words in _WORDS}


_PUT_TOGETHER = [
    ("the adaptor's daemon (process 7) did not answer the cancel in time; the task is given up, but it may go on in there", "daemon-killed-by-cancel"),
    ("the adaptor's daemon (process 7) did not answer the cancel in time; it was killed without cleaning up", "daemon-killed-by-cancel"),
    ("the adaptor's daemon (process 7) ended unexpectedly while running a task", "daemon-died"),
    ("the adaptor's daemon (process 7) ended unexpectedly with exit status -9 while starting", "daemon-died"),
    ("the adaptor's daemon (process 7) ended unexpectedly while stopping; what its threads did stands above", "daemon-crashed"),
    ("the connection to the adaptor's daemon (process 7) broke while running a task; the task is cancelled", "daemon-connection"),
    ("the connection to the adaptor's daemon (process 7) broke while starting; it was ended", "daemon-connection"),
    ("the session is over: the connection file /s/c.json is gone", "session-removed"),
    ("the session is over: the daemon's guardian is gone", "guardian-gone"),
    ("the session is over: there was no request for 86400 seconds (lease_seconds)", "session-over"),
    ("Error: no camera (rule error) (Fake ended with exit code 1)", "rule"),
    ("init data, /samples: 0 is less than the minimum of 1", "data-unfit"),
    ("rule fail-1: its pattern '(' cannot be compiled: missing )", "rule-declared-wrong"),
    ("rule progress-1: its pattern has 3 groups; it needs one", "rule-declared-wrong"),
    ("a callback for the application's output failed: ValueError: x", "callback"),
    ("[Errno 13] Permission denied: '/opt/tool'", "may-not-run"),
    ("the range '5-' is not valid at column 3: a number is expected, not the end of the text", "range"),
]  # fmt: skip


def test_put_together() -> None:
    """Words that are put together out of several are known as well."""
    for message, cause in _PUT_TOGETHER:
        assert cause_of(message)[0].id == cause
        assert cause_of(f"Error encountered while running adaptor: {message}")[0].id == cause


def test_ends_of_the_application_are_known() -> None:
    """However the application's process ends, there is a cause, and it names the application."""
    for status in (*(-number for number in signal.Signals), 139, 137, 1, 3, 0xC0000005, None):
        for doing in ("", " while starting", " while performing render(frame=1)"):
            message = f"Fake ended with {describe_end(status)}{doing}"
            cause, values = cause_of(f"Error encountered while running adaptor: {message}")
            assert cause.id not in _UNKNOWN, message
            assert values["app"] == "Fake", message


def test_the_table() -> None:
    """The words of a cause lead to it, not to one before it, and have what its texts refer to."""
    for cause in TABLE:
        wanted = set(re.findall(r"\{(\w+)\}", cause.means + cause.remedy))
        for words in cause.words:
            sample = re.sub(r"…|\{\w+\}", "x7", words)
            found = cause_of(f"Error encountered while running adaptor: {sample}")[0]
            assert found.id == cause.id, words
            assert wanted <= set(re.findall(r"\{(\w+)\}", words)), words


def test_where_to_read_on() -> None:
    """The page, and the place in it, that a cause points to are there."""
    for cause in (*TABLE, *OTHERS):
        page, _, place = cause.see.partition("#")
        heads = re.findall(r"^#+ (.+)$", (_DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)
        slugs = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
        assert place in slugs, cause.see


def test_the_adaptor_and_the_application_speak_for_themselves() -> None:
    """What is none of the runtime's words is said to be the adaptor's, or the application's."""
    assert cause_of("Error encountered while running adaptor: no such preset")[0].id == (
        "adaptor-error"
    )
    assert cause_of("no camera")[0].id == "own-message"


def test_a_long_message_is_no_burden() -> None:
    """Words that could fit in many ways are found out about with bounded work."""
    text = "x took longer than 7 seconds while " * 3000
    assert cause_of(f"Error encountered while running adaptor: {text}")[0].id == "adaptor-error"
