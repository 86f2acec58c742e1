"""Which cause ``openjd-adaptor explain`` must name for each row of the table that fails."""

from __future__ import annotations

import sys
from pathlib import Path

from openjd.adaptor_runtime._log_reading import read
from openjd.adaptor_runtime._tools.explaining import findings

from .play import Scene
from .table import FAILED, Row

_ROWS = {
    "aborted": """
        call-abort command-abort
    """,
    "adaptor-error": """
        author-key-error author-raises command-raises start-author-raises
        stop-author-raises
    """,
    "adaptor-exit": """
        author-exits
    """,
    "application-exception": """
        call-base-exception call-error-and-raises call-middle-fails call-missing-parameter
        call-mistyped call-progress-nan call-raises call-raises-bytes call-raises-chain
        call-raises-control call-raises-empty call-raises-huge call-raises-lines
        call-raises-message call-raises-unicode call-raises-unprintable call-recursion
        call-result-huge call-result-no-json call-unknown-parameter frames-one-fails
        restart-start-fails start-raises stop-call-fails
    """,
    "application-exit": """
        call-system-exit-0 call-system-exit-3 call-system-exit-text
    """,
    "application-interrupted": """
        call-interrupt
    """,
    "application-memory": """
        call-memory
    """,
    "application-prompt": """
        call-prompt
    """,
    "broken-pipe": """
        command-pipe
    """,
    "call-timeout": """
        call-timeout
    """,
    "client-import": """
        start-import-error
    """,
    "client-script": """
        start-syntax-error
    """,
    "closed-connection": """
        call-closes-connection
    """,
    "configuration": """
        limit-negative limit-unknown start-configuration
    """,
    "configured-rule": """
        rule-site-severity rule-site-unknown
    """,
    "crash": """
        call-dies-after-output call-segv command-exit-139 command-segv start-crashes
    """,
    "data-unfit": """
        run-data-unknown run-data-wrong start-init-data
    """,
    "ended-at-start": """
        start-exits-1 start-script-exits-3
    """,
    "ended-early": """
        start-exits-0 start-script-exits-0
    """,
    "ended-from-outside": """
        command-term
    """,
    "ended-in-call": """
        call-dies-after-words call-ended-calls-after call-exit-0 call-exit-1 call-term
        restart-often
    """,
    "exit-code": """
        command-child-left-exit-1 command-exception command-exit-1 command-exit-255
        command-output-and-exit-1 command-prompt command-second-fails progress-100-exit-1
        rule-continue-on-error-exit-1
    """,
    "exit-code-0": """
        command-exit-0-not-fine
    """,
    "killed": """
        call-dies-with-child call-oom command-exit-137 command-oom
    """,
    "licence": """
        author-raises-after-rule author-swallows-stop call-licence rule-licence
        rule-licence-continue-on-error rule-licence-hangs rule-watermark start-licence
    """,
    "limit-free-disk": """
        limit-free-disk
    """,
    "limit-memory": """
        hang-memory limit-memory limit-memory-child
    """,
    "limit-no-progress": """
        hang-no-progress limit-no-progress
    """,
    "limit-run": """
        author-raises-after-limit author-swallows-limit hang-author hang-c hang-deaf
        hang-family hang-run hang-stopped limit-after-fail limit-run limit-run-busy
        limit-run-child-own-session limit-run-deaf limit-run-deaf-child limit-run-exit-0
        limit-run-message-lines limit-run-site progress-100-no-end
    """,
    "limit-silence": """
        hang-silence limit-silence limit-silence-dots limit-silence-in-c
        start-hangs-in-action
    """,
    "limit-start": """
        limit-start restart-start-hangs start-connects-late start-never-connects
        start-prompt
    """,
    "limit-stop": """
        stop-close-hangs stop-hangs stop-hangs-deaf
    """,
    "may-not-run": """
        command-not-executable start-not-executable
    """,
    "no-action": """
        call-unknown-action
    """,
    "no-client": """
        start-no-client
    """,
    "no-command": """
        start-empty-command
    """,
    "no-folder": """
        command-no-folder start-no-folder
    """,
    "no-json": """
        call-arguments-no-json
    """,
    "no-program": """
        command-not-found start-not-found
    """,
    "no-program-file": """
        command-no-program
    """,
    "no-version": """
        start-no-version
    """,
    "null-character": """
        command-null-argument
    """,
    "old-application": """
        start-version
    """,
    "output-empty": """
        command-emptied-output command-empty-output command-folder-empty
        command-glob-one-empty
    """,
    "output-missing": """
        call-missing-output command-dangling-link command-many-missing
        command-missing-output frames-one-fails-caught progress-100-no-output
    """,
    "output-no-match": """
        command-glob-nothing
    """,
    "output-old": """
        command-folder-without-news command-glob-old command-old-output
    """,
    "output-path": """
        author-outputs-wrong
    """,
    "own-message": """
        author-prints call-says-openjd-fail says-openjd-fail says-openjd-fail-exit-1
        says-openjd-fail-twice start-openjd-fail
    """,
    "range": """
        command-frames-wrong frames-wrong
    """,
    "restart-off": """
        restart-off
    """,
    "rule": """
        author-swallows-rule call-error-before-answer call-error-by-descriptor
        call-error-in-c call-error-in-child call-error-on-stderr call-error-without-end
        call-flood-then-error call-stop-rule-child call-stop-rule-deaf
        command-exception-exit-0 rule-fail rule-fail-carriage-return rule-fail-exit-1
        rule-fail-in-c rule-fail-in-flood rule-fail-last-line rule-fail-long-line
        rule-fail-not-utf-8 rule-fail-often rule-fail-output-there rule-fail-stderr
        rule-fail-text rule-harmless-and-not rule-site-fails rule-site-over-continue
        rule-site-stops rule-stop rule-stop-deaf rule-two-on-a-line start-fail-rule
        stop-fail-rule
    """,
    "rule-declared-wrong": """
        rule-pattern-wrong rule-same-id
    """,
    "runaway-pattern": """
        rule-runaway
    """,
    "second-client": """
        call-second-client
    """,
}
#: Row -> the cause that must be named first.
CAUSES = {row: cause for cause, rows in _ROWS.items() for row in rows.split()}
#: Rows whose end is told in one of several ways, whichever is seen first: the other ones. A client
#: that SIGTERM meets may still answer that it was told to exit.
_OR = {
    "call-base-exception": {"client-script"},
    "call-term": {"ended-from-outside", "application-exit"},
}


def explained(row: Row, scenes: list[Scene], place: Path) -> None:
    """What was shown, kept as a log, is explained as it must be: by its cause, with its line."""
    text = "".join(scene.text for scene in scenes)
    if not text:
        assert row.verdict != FAILED
        return
    log = place / "shown.log"
    log.write_text(text, encoding="utf-8", errors="backslashreplace")
    ((_, found),) = findings(read(str(log)))
    if row.verdict != FAILED:
        assert not found, found
        return
    assert found, text
    first = found[0]
    # How processes end on Windows, and so what is known of it, differs.
    if sys.platform != "win32":
        causes = {CAUSES[row.id], *_OR.get(row.id, ())}
        assert first.cause.id in causes, (first.cause.id, first.message)
    (told,) = [line for line in first.lines if line.text.startswith("openjd_fail: ")][:1]
    assert any(words in told.text for words in row.words) or not row.words
