# ruff: noqa: E501 -- a row is a line
"""The table: ways in which a task can end, and what must be said of each.

`app` is what the fake application does (``fake.py`` has the names), `tasks` is the adaptor's
``on_run``, one for each task; see ``stage.py``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from openjd.adaptor_runtime.application import Fail, License, Progress, Status, Warn
from openjd.adaptor_runtime.application.rules import Rule

from .on_windows import variant

OK, FAILED, CANCELED = "ok", "failed", "canceled"
#: In the run data of a task in which all goes well.
GOOD = None


class Row(NamedTuple):
    """A way in which a task can end."""

    id: str
    what: str
    verdict: str
    #: What the openjd_fail line says.
    words: tuple[str, ...] = ()
    #: What else the log says, and what it must not say.
    shows: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    #: How many openjd_fail lines the application prints itself.
    own_fails: int = 0
    #: The step that the verdict is about; those before it go well, and those after it.
    at: str = "run"
    adaptor: str = "Fake"
    # The application: in its actions, its script, its command.
    app: str | Sequence[str] = ""
    before: str = ""
    load: str = ""
    close: str = ""
    after: str = ""
    command: Sequence[str] = ()
    folder: str = ""
    version: str | None = "3.4.1 LTS"
    # The adaptor.
    start: str = ""
    tasks: Sequence[str] = ("do()",)
    stop: str = ""
    rules: Sequence[Rule] = ()
    limits: Mapping[str, float] = {}
    task_limits: Mapping[str, float] = {}
    outputs: Sequence[str] = ()
    minimum_version: str = ""
    client: str | None = None
    success_exit_codes: Collection[int] = (0,)
    # The site, the job, the host.
    site: Mapping[str, Any] = {}
    init_data: Mapping[str, Any] = {}
    run_data: Mapping[str, Any] = {}
    there: Mapping[str, str] = {}
    #: Executed between two tasks, with the `adaptor`.
    between: str = ""
    #: "ask" and "hurry" when the application says READY (a second time to hurry); "before".
    cancel: str = ""
    #: Whether the session's next task goes well.
    then: bool = True
    #: Played by the real commands as well.
    daemon: bool = False


def app(id: str, what: str, verdict: str, *words: str, **fields: Any) -> Row:
    """A row about an application with Python inside."""
    fields.setdefault("command", ("{python}", "{script}"))
    return Row(id, what, verdict, words, **fields)


def cmd(id: str, what: str, verdict: str, *words: str, **fields: Any) -> Row:
    """A row about an application that is run anew for each task."""
    return Row(id, what, verdict, words, adaptor="FakeCommand", tasks=fields.pop("tasks", ()),
               **fields)  # fmt: skip


ERROR = Fail(r"^Error: (.*)", id="error")
LICENSE = License(r"[Nn]o valid licen[cs]e", "start the licence server", id="licence")
PERCENT = Progress(r"Progress: (\S+)%", id="percent")
TAKES = {"run": 0.25}
SILENT = {"silence": 0.25}

SECTIONS: dict[str, list[Row]] = {}

SECTIONS["A command's exit, and what it leaves"] = [
    cmd("command-exit-0", "It ends with 0.", OK, app="pass"),
    cmd("command-exit-1", "It ends with 1.", FAILED, "Fake ended with exit code 1", app="sys.exit(1)"),
    cmd("command-exit-255", "It ends with -1, which is 255.", FAILED, "exit code 255", app="os._exit(-1)"),
    cmd("command-exit-139", "A shell around it says 139: a child of its crashed.", FAILED, "exit code 139", "SIGSEGV", "it crashed", command=("sh", "-c", "exit 139")),
    cmd("command-exit-137", "A shell around it says 137: somebody killed a child of its.", FAILED, "exit code 137", "SIGKILL", "out of memory", command=("sh", "-c", "exit 137")),
    cmd("command-segv", "It crashes (SIGSEGV).", FAILED, "signal 11", "SIGSEGV", "it crashed", app="die('SIGSEGV')"),
    cmd("command-abort", "It aborts (SIGABRT), as a failed assertion of C++ does.", FAILED, "SIGABRT", app="say('terminate called'); die('SIGABRT')"),
    cmd("command-oom", "The OOM killer takes it (SIGKILL).", FAILED, "signal 9", "SIGKILL", "out of memory", app="die('SIGKILL')"),
    cmd("command-term", "Somebody ends it from outside (SIGTERM); nobody cancelled.", FAILED, "SIGTERM", app="die('SIGTERM')"),
    cmd("command-pipe", "It dies of a broken pipe to a child of its (SIGPIPE).", FAILED, "SIGPIPE", app="die('SIGPIPE')"),
    cmd("command-exit-fine", "It ends with 2, which is fine for it.", OK, app="sys.exit(2)", success_exit_codes=(0, 2)),
    cmd("command-exit-0-not-fine", "It ends with 0, where only 2 is fine.", FAILED, "exit code 0", app="sys.exit(0 if out else 2)", success_exit_codes=(2,), then=False),
    cmd("command-exception", "An exception ends it with 1; its traceback is in the log.", FAILED, "exit code 1", app="raise ValueError('no camera')", shows=("ValueError: no camera",)),
    cmd("command-exception-exit-0", "It prints a traceback, and ends with 0: a rule knows it.", FAILED, "ValueError: no camera", "rule traceback", app="import traceback\ntry: raise ValueError('no camera')\nexcept ValueError: traceback.print_exc()", rules=[Fail(r"^\w+Error: .*", id="traceback")]),
    cmd("command-missing-output", "It ends with 0 and has not written its output.", FAILED, "said that all went well", "missing: ", "frame.png", app="say('Saved frame.png')", outputs=["frame.png"], daemon=True),
    cmd("command-old-output", "It ends with 0; the output is that of an earlier task.", FAILED, "not written by this task", "frame.png", there={"frame.png": "old"}, outputs=["frame.png"], app="pass"),
    cmd("command-empty-output", "It ends with 0; the output has no bytes.", FAILED, "empty: ", app="write('frame.png', '')", outputs=["frame.png"]),
    cmd("command-emptied-output", "It empties what was there, and ends with 0: the disk was full.", FAILED, "empty: ", there={"frame.png": "old"}, app="write('frame.png', '')", outputs=["frame.png"]),
    cmd("command-output", "It ends with 0, and the output is there.", OK, app="write('frame.png')", outputs=["frame.png"]),
    cmd("command-same-output", "It writes the same bytes over the output of an earlier task.", OK, there={"frame.png": "x"}, app="write('frame.png')", outputs=["frame.png"]),
    cmd("command-output-and-exit-1", "The output is there, and it ends with 1.", FAILED, "exit code 1", app="write('frame.png'); sys.exit(1)", outputs=["frame.png"]),
    cmd("command-folder", "The output is a folder, with a new file in it.", OK, there={"frames/1.png": "old"}, app="write('frames/2.png')", outputs=["frames"]),
    cmd("command-folder-without-news", "The output is a folder, and nothing in it is new.", FAILED, "not written by this task", "no file in the folder is new", there={"frames/1.png": "old"}, outputs=["frames"], app="pass"),
    cmd("command-folder-empty", "The output is a folder that it made, and left empty.", FAILED, "empty: ", "no file is in the folder", app="os.mkdir(os.path.join(out, 'frames'))", outputs=["frames"]),
    cmd("command-glob", "The outputs are a glob, and new files match it.", OK, there={"f.0001.exr": "old"}, app="write('f.0002.exr'); write('f.0003.exr')", outputs=["f.*.exr"]),
    cmd("command-glob-nothing", "The outputs are a glob that no file matches.", FAILED, "no file matches", "f.*.exr", app="write('f.0001.png')", outputs=["f.*.exr"]),
    cmd("command-glob-old", "The outputs are a glob, and all that matches is older.", FAILED, "not written by this task", there={"f.0001.exr": "old"}, outputs=["f.*.exr"], app="pass"),
    cmd("command-glob-one-empty", "One of the new files that match has no bytes.", FAILED, "empty: ", "f.0002.exr", app="write('f.0001.exr'); write('f.0002.exr', '')", outputs=["f.*.exr"]),
    cmd("command-dangling-link", "The output is a link to what is not there.", FAILED, "missing: ", "which is not there", app="os.symlink('nowhere', os.path.join(out, 'frame.png'))", outputs=["frame.png"]),
    cmd("command-many-missing", "A hundred outputs are missing: the line names a few.", FAILED, "missing: ", "and 95 more", outputs=[f"{n}.png" for n in range(100)], app="pass"),
    cmd("command-not-found", "There is no such program.", FAILED, "Could not find the specified command: no-such-program", command=("no-such-program",)),
    cmd("command-not-executable", "The program may not be executed.", FAILED, "Permission denied", there={"program": "x"}, command=("{out}/program",)),
    cmd("command-no-program", "The program is no program.", FAILED, "Exec format error", there={"program": "x"}, start="os.chmod(os.path.join(out, 'program'), 0o755)", command=("{out}/program",)),
    cmd("command-no-folder", "Its working folder does not exist.", FAILED, "the startup directory does not exist", folder="nowhere", app="pass", then=False),
    cmd("command-null-argument", "An argument has a null character.", FAILED, "embedded null byte", command=("echo", "a\0b")),
    cmd("command-prompt", "It asks on stdin: there is nobody, and it fails.", FAILED, "exit code 1", app="input('Overwrite? ')", shows=("EOFError",)),
    cmd("command-prompt-default", "It asks on stdin, and takes the end of it for a yes.", OK, app="say('Overwrite? '); write('frame.png', sys.stdin.read() or 'yes')", outputs=["frame.png"]),
    cmd("command-second-fails", "The second of three commands fails: the third is not run.", FAILED, "exit code 3", app=["say('first')", "sys.exit(3)", "say('third')"], shows=("STDOUT: first",), never=("STDOUT: third",)),
    cmd("command-chunk", "A chunk runs a command for each frame.", OK, app="say('rendered')", run_data={"frames": "1-3"}, shows=("openjd_progress: 33.3", "openjd_progress: 66.6", "openjd_progress: 100.0")),
    cmd("command-frames-wrong", "The frames are no range expression.", FAILED, "1-", app="pass", run_data={"frames": "1-"}),
    cmd("command-raises", "The adaptor's own code raises before a command is there.", FAILED, "no such preset", tasks=("raise ValueError('no such preset')",), app="pass"),
    cmd("command-child-left", "It leaves a child that holds its output open.", OK, app="child('say(\"child\"); hang()').stdout\nsay('done')", shows=("STDOUT: done",)),
    cmd("command-child-left-exit-1", "It fails, and leaves a child that holds its output open.", FAILED, "exit code 1", app="child('hang()'); sys.exit(1)"),
    cmd("command-no-streams", "It closes its stdout and stderr, goes on, and ends with 0.", OK, app="os.close(1); os.close(2); write('frame.png'); os._exit(0)", outputs=["frame.png"]),
]  # fmt: skip

SECTIONS["What it prints, and output rules"] = [
    cmd("rule-fail", "It prints an error, and ends with 0.", FAILED, "Error: no camera", "rule error", app="say('Error: no camera')", rules=[ERROR]),
    cmd("rule-fail-stderr", "It prints the error on stderr.", FAILED, "Error: no camera", app="complain('Error: no camera')", rules=[ERROR]),
    cmd("rule-fail-exit-1", "It prints an error, and ends with 1: both are in the line.", FAILED, "Error: no camera", "exit code 1", app="say('Error: no camera'); sys.exit(1)", rules=[ERROR]),
    cmd("rule-fail-output-there", "It prints an error; the output is there all the same.", FAILED, "Error: no camera", app="write('frame.png'); say('Error: no camera')", rules=[ERROR], outputs=["frame.png"]),
    cmd("rule-fail-last-line", "The error is its last line, which it does not end.", FAILED, "Error: no camera", app="sys.stdout.write('Error: no camera')", rules=[ERROR]),
    cmd("rule-fail-in-c", "The C library held the error back until the exit.", FAILED, "Error: no camera", app="print_in_c('Error: no camera\\n')", rules=[ERROR]),
    cmd("rule-fail-carriage-return", "The error stands behind a progress bar.", FAILED, "Error: no camera", app="say('Progress: 10%\\rProgress: 20%\\rError: no camera')", rules=[ERROR, PERCENT]),
    cmd("rule-fail-not-utf-8", "The error has bytes that are no UTF-8.", FAILED, r"Error: caf\xe9", app=r"os.write(1, b'Error: caf\xe9\n')", rules=[ERROR]),
    cmd("rule-fail-in-flood", "One error among a hundred thousand lines.", FAILED, "Error: no camera", app="sys.stdout.write('Sample 1\\n' * 50000 + 'Error: no camera\\n' + 'Sample 2\\n' * 50000)", rules=[ERROR]),
    cmd("rule-fail-often", "The same error fifty thousand times.", FAILED, "Error: no camera", app="sys.stdout.write('Error: no camera\\n' * 50000)", rules=[ERROR], shows=("rules: error 50,000 times",)),
    cmd("rule-fail-long-line", "The error stands in a line of a million characters.", FAILED, "Error: aaa", app="say('Error: ' + 'a' * 1000000)", rules=[ERROR]),
    cmd("rule-fail-text", "The rule has words of its own.", FAILED, "the camera camera1 is missing", app="say('E1042 camera1')", rules=[Fail(r"^E1042 (?P<name>\S+)", "the camera {name} is missing")]),
    cmd("rule-harmless", "“Error” in a harmless line: unless= exempts it.", OK, app="say('Error: 0 pixels off')", rules=[Fail("Error", unless="Error: 0 ")]),
    cmd("rule-harmless-and-not", "A harmless line and one that is not.", FAILED, "Error: 7 pixels off", app="say('Error: 0 pixels off'); say('Error: 7 pixels off')", rules=[Fail("Error", unless="Error: 0 ")]),
    cmd("rule-file-name", "Error text in a file name: the rule looks at the line's beginning.", OK, app="write('Error: 1.png'); say('Saved: Error: 1.png')", rules=[ERROR], outputs=["Error: 1.png"]),
    cmd("rule-path-as-status", "Error text in a path, which is shown as status.", OK, app="say('Writing /shots/Fatal Error: 3/frame.png')", rules=[ERROR, Status(r"^Writing (.*)", "writing {1}")], shows=("openjd_status: writing /shots/Fatal Error: 3/frame.png",)),
    cmd("rule-two-on-a-line", "A line says progress and an error.", FAILED, "Error: tile 7 failed", app="say('Error: tile 7 failed (Progress: 70%)')", rules=[PERCENT, ERROR], shows=("openjd_progress: 70.0",)),
    cmd("rule-licence", "There is no licence; it ends with 0.", FAILED, "licence: No valid license found", "start the licence server", app="say('No valid license found')", rules=[LICENSE], daemon=True),
    cmd("rule-licence-hangs", "There is no licence, and it waits for one: it is ended at once.", FAILED, "licence: ", app="say('No valid license found'); hang()", rules=[LICENSE]),
    cmd("rule-watermark", "It renders with a watermark; the output is there.", FAILED, "licence: ", "watermark", "buy it", app="write('frame.png'); say('Rendering with watermark')", outputs=["frame.png"], rules=[License("with watermark", "buy it")]),
    cmd("rule-licence-continue-on-error", "There is no licence, and the site has continue_on_error.", FAILED, "licence: ", app="say('No valid license')", rules=[LICENSE], site={"continue_on_error": True}),
    cmd("rule-continue-on-error", "An error, and the site has continue_on_error: a warning.", OK, app="say('Error: no camera')", rules=[ERROR], site={"continue_on_error": True}, shows=("WARNING: rule error: Error: no camera",)),
    cmd("rule-continue-on-error-exit-1", "continue_on_error forgives lines, not exit codes.", FAILED, "exit code 1", app="say('Error: no camera'); sys.exit(1)", rules=[ERROR], site={"continue_on_error": True}),
    cmd("rule-site-ignores", "The site ignores the rule.", OK, app="say('Error: no camera')", rules=[ERROR], site={"rules": {"error": "ignore"}}, never=("WARNING: rule",)),
    cmd("rule-site-warns", "The site makes a warning of the rule.", OK, app="say('Error: no camera')", rules=[ERROR], site={"rules": {"error": "warn"}}, shows=("WARNING: rule error: Error: no camera",)),
    cmd("rule-site-forgives-licence", "The site makes a warning of the licence rule.", OK, app="say('No valid license')", rules=[LICENSE], site={"rules": {"licence": "warn"}}),
    cmd("rule-site-fails", "The site makes a failure of a warning.", FAILED, "texture missing", "rule textures", app="say('texture missing')", rules=[Warn("texture missing", id="textures")], site={"rules": {"textures": "fail"}}),
    cmd("rule-site-stops", "The site lets a warning end what is under way.", FAILED, "texture missing", app="say('texture missing'); hang()", rules=[Warn("texture missing", id="textures")], site={"rules": {"textures": "stop"}}),
    cmd("rule-site-over-continue", "The site has continue_on_error, and fail for one rule.", FAILED, "Error: no camera", app="say('Error: no camera')", rules=[ERROR], site={"continue_on_error": True, "rules": {"error": "fail"}}),
    cmd("rule-site-unknown", "The site's configuration names a rule that is not there.", FAILED, "no such rule", "eror", at="start", rules=[ERROR], site={"rules": {"eror": "warn"}}),
    cmd("rule-site-severity", "The site's configuration gives a severity that is not there.", FAILED, "'error'", "fatal", at="start", rules=[ERROR], site={"rules": {"error": "fatal"}}),
    cmd("rule-pattern-wrong", "The pattern of a rule is no regular expression.", FAILED, "cannot be compiled", "rule fail-1", at="start", rules=[Fail("(")]),
    cmd("rule-same-id", "Two rules have one id.", FAILED, "two rules have the id", at="start", rules=[Fail("a", id="x"), Warn("b", id="x")]),
    cmd("rule-warn", "It warns a hundred times.", OK, app="say('texture missing\\n' * 100)", rules=[Warn("texture missing", id="textures")], shows=("rules: textures 100 times", "further ones are only counted")),
    cmd("rule-other-phase", "An error that is one during the start alone.", OK, app="say('Error: no camera')", rules=[Fail("^Error: ", during="start")]),
    cmd("rule-stop", "The worst has been said: what is under way ends at once.", FAILED, "out of device memory", app="say('CUDA: out of device memory'); ready()", rules=[Fail("out of device memory", stop=True)]),
    cmd("rule-stop-deaf", "The same, and it does not listen to SIGTERM.", FAILED, "out of device memory", app="deaf(); say('CUDA: out of device memory'); hang()", rules=[Fail("out of device memory", stop=True)]),
    cmd("rule-runaway", "A pattern that would take for ever on a line.", FAILED, "(a+)+$", app="say('a' * 40 + '!')", rules=[Fail(r"^(a+)+$", id="runaway")]),
    cmd("no-rule-error", "It prints “ERROR”, no rule knows it, it ends with 0: fine.", OK, app="say('ERROR: 12 (harmless)')", shows=("STDOUT: ERROR: 12",)),
    cmd("flood", "Three hundred thousand lines without any that matters.", OK, app="sys.stdout.write('Sample 1 of 2\\n' * 300000)", rules=[ERROR]),
    cmd("no-line-ends", "Two megabytes in a line that does not end.", OK, app="sys.stdout.write('a' * 2000000)", rules=[ERROR]),
    cmd("not-utf-8", "Bytes that are no UTF-8.", OK, app=r"os.write(1, bytes(range(256)) * 100)", rules=[ERROR]),
    cmd("says-openjd-fail", "It prints openjd_fail itself, and ends with 0.", FAILED, "no camera", app="say('openjd_fail: no camera')", own_fails=1),
    cmd("says-openjd-fail-exit-1", "It prints openjd_fail itself, and ends with 1.", FAILED, "no camera", app="say('openjd_fail: no camera'); sys.exit(1)", own_fails=1),
    cmd("says-openjd-fail-twice", "It prints openjd_fail twice: the words of the first count.", FAILED, "no camera", app="say('openjd_fail: no camera\\nopenjd_fail: no light')", own_fails=2),
    cmd("says-openjd-env", "It prints openjd_env: no variable is set by that.", OK, app="say('openjd_env: LD_PRELOAD=/tmp/x.so\\n  openjd_env: A=1\\nopenjd_unset_env: PATH')", shows=("STDOUT: openjd_env: LD_PRELOAD",)),
    cmd("says-openjd-fail-in-text", "“openjd_fail” in the middle of a line is no message.", OK, app="say('see openjd_fail: nothing')"),
    cmd("says-openjd-progress", "It prints openjd_progress itself.", OK, app="say('openjd_progress: 42')", shows=("openjd_progress: 42",)),
    cmd("progress", "It says how far it is.", OK, app="say('Progress: 10%'); say('Progress: 60%')", rules=[PERCENT], shows=("openjd_progress: 10.0", "openjd_progress: 60.0", "openjd_progress: 100.0")),
    cmd("progress-100-no-end", "It says 100 % and does not end: the limit for a task ends it.", FAILED, "took longer than 0.25 seconds", "limit run", app="say('Progress: 100%'); hang()", rules=[PERCENT], task_limits=TAKES),
    cmd("progress-100-exit-1", "It says 100 %, and ends with 1.", FAILED, "exit code 1", app="say('Progress: 100%'); sys.exit(1)", rules=[PERCENT]),
    cmd("progress-100-no-output", "It says 100 %, and there is no output.", FAILED, "missing: ", app="say('Progress: 100%')", rules=[PERCENT], outputs=["frame.png"]),
    cmd("progress-beyond", "It says 250 %.", OK, app="say('Progress: 250%')", rules=[PERCENT], never=("openjd_progress: 250",), shows=("openjd_progress: 100.0",)),
    cmd("progress-negative", "It says -5 %.", OK, app="say('Progress: -5%')", rules=[PERCENT], never=("openjd_progress: -",)),
    cmd("progress-nan", "It says nan %, inf % and ?? %.", OK, app="say('Progress: nan%\\nProgress: inf%\\nProgress: ??%')", rules=[PERCENT], never=("openjd_progress: nan", "openjd_progress: inf")),
    cmd("progress-back", "It says 80 %, then 20 %.", OK, app="say('Progress: 80%\\nProgress: 20%')", rules=[PERCENT], never=("openjd_progress: 20",)),
    cmd("progress-total-0", "It says 0/0.", OK, app="say('Frame 0/0')", rules=[Progress(r"Frame (\d+)/(\d+)")]),
]  # fmt: skip

SECTIONS["Limits"] = [
    cmd("limit-run", "It takes longer than a task may.", FAILED, "Fake took longer than 0.25 seconds", "while running", "limit run: 0.25", app="hang()", limits=TAKES, shows=("The last lines of Fake:", "Thread adaptor:"), daemon=True),
    cmd("limit-run-message-lines", "It hangs; among its last lines is a message to the scheduler.", FAILED, "limit run", app="say('openjd_status: nearly done'); hang()", limits={"run": 1}, shows=("ERROR:   openjd_status: nearly done",)),
    cmd("limit-run-busy", "It is busy for ever, and prints all the time.", FAILED, "limit run", app="\nwhile True: say('busy'); breathe(0.02)", limits=TAKES),
    cmd("limit-run-deaf", "It hangs and does not listen to SIGTERM.", FAILED, "limit run", app="deaf(); hang()", limits=TAKES),
    cmd("limit-run-deaf-child", "It hangs, with a child that does not listen to SIGTERM.", FAILED, "limit run", app="child('deaf(); hang()'); hang()", limits=TAKES),
    cmd("limit-run-child-own-session", "It hangs, with a child in a session of its own.", FAILED, "limit run", app="child('deaf(); hang()', start_new_session=True); hang()", limits=TAKES),
    cmd("limit-run-exit-0", "It ends with 0 when it is told to end.", FAILED, "limit run", app="signal.signal(signal.SIGTERM, lambda *_: os._exit(0)); hang()", limits=TAKES),
    cmd("limit-run-site", "The site sets the limit.", FAILED, "limit run: 0.25", app="hang()", site={"limits": TAKES}),
    cmd("limit-run-site-off", "The site switches the limit off.", OK, app="breathe(0.6)", limits={"run": 0.2}, site={"limits": {"run": 0}}),
    cmd("limit-unknown", "The site's configuration names a limit that is not there.", FAILED, "there is no such limit", "runs", at="start", site={"limits": {"runs": 1}}),
    cmd("limit-negative", "The site's configuration has a limit below 0.", FAILED, "-1 is no number of 0 or more", at="start", site={"limits": {"run": -1}}),
    cmd("limit-silence", "It is silent for too long.", FAILED, "was silent for 0.25 seconds", "limit silence", app="say('loading'); hang()", task_limits=SILENT),
    cmd("limit-silence-in-c", "It prints, but the C library holds all of it back.", FAILED, "limit silence", app="\nwhile True: print_in_c('.'); breathe(0.1)", task_limits=SILENT),
    cmd("limit-silence-dots", "It prints dots, and never a line: that is silence, too.", FAILED, "limit silence", app="\nwhile True: os.write(1, b'.'); breathe(0.05)", task_limits=SILENT),
    cmd("limit-silence-lines", "It prints a line now and then: it is not silent.", OK, app="\nfor _ in range(6): say('.'); breathe(0.2)", task_limits={"silence": 1}),
    cmd("limit-no-progress", "It prints, and comes no further.", FAILED, "made no progress for 0.25 seconds", "limit no_progress", app="\nwhile True: say('Progress: 10%'); breathe(0.05)", rules=[PERCENT], limits={"no_progress": 0.25}),
    cmd("limit-no-progress-grows", "It comes further now and then.", OK, app="\nfor n in range(6): say(f'Progress: {n + 1}%'); breathe(0.2)", rules=[PERCENT], limits={"no_progress": 1}),
    cmd("limit-memory", "It takes more memory than it may.", FAILED, "MiB of memory, more than 100", "limit memory_mib", app="held = b'x' * (200 << 20); hang()", limits={"memory_mib": 100}),
    cmd("limit-memory-child", "A child of its takes more memory than both may.", FAILED, "limit memory_mib", app="child('held = b\"x\" * (200 << 20); hang()'); hang()", limits={"memory_mib": 100}),
    cmd("limit-free-disk", "The disk that it writes to is nearly full.", FAILED, "MiB left on the disk of", "limit free_disk_mib", app="hang()", limits={"free_disk_mib": 1e12}),
    cmd("limit-free-disk-start", "The disk is nearly full when the session starts: nothing is written yet.", OK, at="start", limits={"free_disk_mib": 1e12}, start="threading.Event().wait(0.2)"),
    cmd("limit-start", "The adaptor's own start hangs.", FAILED, "Fake took longer than 0.25 seconds while starting", "limit start", at="start", start="threading.Event().wait(0.6)", limits={"start": 0.25}),
    cmd("limit-after-fail", "It prints an error and hangs: the limit is what ends it.", FAILED, "limit run", app="say('Error: no camera'); hang()", rules=[ERROR], limits=TAKES),
]  # fmt: skip

SECTIONS["Calls into an application"] = [
    app("call-ok", "The action returns.", OK, app="result = {'pixels': 4}", tasks=["assert do() == {'pixels': 4}"]),
    app("call-output", "The action returns, and the output is there.", OK, app="write('frame.png')", outputs=["frame.png"]),
    app("call-missing-output", "The action returns, and the output is missing.", FAILED, "missing: ", "frame.png", app="say('Saved frame.png')", outputs=["frame.png"]),
    app("call-raises", "The action raises.", FAILED, "do failed in the application: ValueError: no camera", app="raise ValueError('no camera')", shows=("in do", 'File "<application>", line 1'), daemon=True),
    app("call-raises-empty", "The exception has no text.", FAILED, "do failed in the application: RuntimeError", app="raise RuntimeError()"),
    app("call-raises-lines", "Its text has several lines.", FAILED, "ValueError: no camera in the scene", app="raise ValueError('no camera\\nin the\\r\\nscene')"),
    app("call-raises-message", "A line of its text looks like a message to the scheduler.", FAILED, "ValueError: x openjd_fail: not this", app="raise ValueError('x\\nopenjd_fail: not this\\nopenjd_env: A=1')"),
    app("call-raises-unicode", "Its text is in no alphabet of ours, with halves of characters.", FAILED, "ValueError: кадр 😀", app="raise ValueError('кадр 😀 \\ud800')"),
    app("call-raises-bytes", "Its text is bytes.", FAILED, r"ValueError: b'\xff\x00'", app=r"raise ValueError(b'\xff\x00')"),
    app("call-raises-control", "Its text has control characters.", FAILED, "ValueError: ", app=r"raise ValueError('\x1b[31mred\x00\x1e\x07')"),
    app("call-raises-huge", "Its text has twenty million characters.", FAILED, "ValueError: aaaa", app="raise ValueError('a' * 20_000_000)"),
    app("call-raises-unprintable", "Its text cannot be had.", FAILED, "do failed in the application: Odd", app="class Odd(Exception):\n    def __str__(self): raise OSError('no text')\nraise Odd()"),
    app("call-raises-chain", "It was raised while another was handled.", FAILED, "RuntimeError: cannot load", app="try: open('/no/such/scene')\nexcept OSError as e: raise RuntimeError('cannot load') from e", shows=("FileNotFoundError", "direct cause")),
    app("call-recursion", "The action calls itself for ever.", FAILED, "RecursionError", app="def f(): f()\nf()"),
    app("call-memory", "The action has no memory left.", FAILED, "MemoryError", app="raise MemoryError"),
    app("call-prompt", "The action asks on stdin: there is nobody.", FAILED, "EOFError", app="input('Overwrite? ')"),
    app("call-system-exit-0", "The action calls sys.exit(0).", FAILED, "SystemExit: 0", app="sys.exit(0)"),
    app("call-system-exit-3", "The action calls sys.exit(3).", FAILED, "SystemExit: 3", app="sys.exit(3)"),
    app("call-system-exit-text", "The action calls sys.exit with words.", FAILED, "SystemExit: no camera", app="sys.exit('no camera')"),
    app("call-interrupt", "The action is interrupted (KeyboardInterrupt).", FAILED, "KeyboardInterrupt", app="raise KeyboardInterrupt"),
    app("call-base-exception", "The action raises what is no Exception.", FAILED, "Abort: not today", app="class Abort(BaseException): pass\nraise Abort('not today')", then=False),
    app("call-exit-0", "The process ends with 0 in the action.", FAILED, "Fake ended with exit code 0", "while performing do()", app="os._exit(0)"),
    app("call-exit-1", "The process ends with 1 in the action.", FAILED, "exit code 1", "do()", app="os._exit(1)"),
    app("call-segv", "The application crashes in the action.", FAILED, "SIGSEGV", "it crashed", "do()", app="say('last words'); die('SIGSEGV')"),
    app("call-abort", "The application aborts in the action.", FAILED, "SIGABRT", app="die('SIGABRT')"),
    app("call-oom", "The OOM killer takes the application in the action.", FAILED, "SIGKILL", "out of memory", app="hang()", tasks=["call = self.app.submit('do'); os.kill(self.app.pid, signal.SIGKILL); self.app.result(call)"]),
    app("call-term", "Somebody ends the application from outside; nobody cancelled.", FAILED, "do", app="hang()", tasks=["call = self.app.submit('do'); os.kill(self.app.pid, signal.SIGTERM); self.app.result(call)"]),
    app("call-dies-after-words", "It says “done” and dies before it answers.", FAILED, "exit code 0", app="say('done'); os._exit(0)"),
    app("call-dies-after-output", "It writes its output and dies before it answers.", FAILED, "SIGSEGV", app="write('frame.png'); die('SIGSEGV')", outputs=["frame.png"]),
    app("call-dies-after-answer", "It answers, then dies: the task is done.", OK, app="write('frame.png')", outputs=["frame.png"], tasks=["do(); os.kill(self.app.pid, signal.SIGKILL); self._process.wait()"]),
    app("call-dies-with-answer", "It dies in the moment after its answer.", OK, app="write('frame.png')\nsend = client._connection.send_frame\ndef last(frame): send(frame); os._exit(1)\nclient._connection.send_frame = last", outputs=["frame.png"], then=False),
    app("call-dies-with-child", "It dies in the action, and leaves a child that holds its output.", FAILED, "SIGKILL", app="child('hang()'); die('SIGKILL')"),
    app("call-closes-connection", "It closes its connection and lives on.", FAILED, "closed its connection while do was running", app="client._connection.close(); hang()"),
    app("call-second-client", "A second client of the application is refused: the action fails.", FAILED, "ConnectionError", "another client", app="Client.run()"),
    app("call-error-before-answer", "It prints an error, then answers that all is well.", FAILED, "Error: no camera", app="print('Error: no camera')", rules=[ERROR]),
    app("call-error-on-stderr", "It prints the error on stderr, then answers.", FAILED, "Error: no camera", app="complain('Error: no camera')", rules=[ERROR]),
    app("call-error-by-descriptor", "It writes the error to descriptor 1, then answers.", FAILED, "Error: no camera", app="os.write(1, b'Error: no camera\\n')", rules=[ERROR]),
    app("call-error-in-c", "The C library holds the error back when it answers.", FAILED, "Error: no camera", app="print_in_c('Error: no camera\\n')", rules=[ERROR]),
    app("call-c-reader", "A thread of the application's waits in the C library for a child's output.", OK, app="import threading\nlibc = ctypes.CDLL(None)\nlibc.popen.restype = ctypes.c_void_p\nlibc.fgets.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p]\npipe = libc.popen(b'exec sleep 1000', b'r')\nthreading.Thread(target=libc.fgets, args=(ctypes.create_string_buffer(10), 10, pipe), daemon=True).start()\nbreathe(0.2)", limits={"run": 2}),
    app("call-error-in-child", "A child prints the error, then it answers.", FAILED, "Error: no camera", app="child('say(\"Error: no camera\")').wait()", rules=[ERROR]),
    app("call-error-without-end", "It prints the error without a line's end, then answers.", FAILED, "Error: no camera", app="sys.stdout.write('Error: no camera')", rules=[ERROR]),
    app("call-flood-then-error", "It prints four megabytes and an error, then answers.", FAILED, "Error: no camera", app="sys.stdout.write('Sample 1\\n' * 400000 + 'Error: no camera\\n')", rules=[ERROR]),
    app("call-error-and-raises", "It prints an error and raises: the exception says it better.", FAILED, "ValueError: cannot render", app="say('Error: no camera'); raise ValueError('cannot render')", rules=[ERROR]),
    app("call-error-next-task", "An error that was printed between two tasks is none of the next.", OK, before="signal.signal(signal.SIGUSR1, lambda *_: os.write(1, b'Error: no camera\\n'))", rules=[Fail("^Error: ", during="run")], tasks=["do()", "render(1)"], between="os.kill(adaptor.app.pid, signal.SIGUSR1); text.wait('Error: no camera')"),
    app("call-no-streams", "The application has no stdout: answers come all the same.", OK, app="os.close(1); sys.stdout = sys.__stdout__ = None; write('frame.png')", outputs=["frame.png"]),
    app("call-mistyped", "A parameter has the wrong type.", FAILED, "render", "frame", "int", tasks=["self.app.call('render', frame='1', path='x')"]),
    app("call-missing-parameter", "A parameter is missing.", FAILED, "render", "path", tasks=["self.app.call('render', frame=1)"]),
    app("call-unknown-parameter", "There is no such parameter.", FAILED, "render", "camera", tasks=["self.app.call('render', frame=1, path='x', camera='a')"]),
    app("call-unknown-action", "There is no such action.", FAILED, "rendr cannot be called", "do, load, render", tasks=["self.app.call('rendr')"]),
    app("call-arguments-no-json", "An argument that JSON cannot express.", FAILED, "render cannot be called", "JSON", tasks=["self.app.call('render', frame={1}, path='x')"]),
    app("call-result-no-json", "A result that JSON cannot express.", FAILED, "what do returns cannot be sent", app="result = {1, 2}"),
    app("call-result-huge", "A result of twenty megabytes.", FAILED, "what do returns cannot be sent", app="result = 'a' * 20_000_000"),
    app("call-result-large", "A result of ten megabytes.", OK, app="result = 'a' * 10_000_000", tasks=["assert len(do()) == 10_000_000"]),
    app("call-timeout", "The call takes longer than the adaptor gave it.", FAILED, "do took longer than 0.2 seconds", app="hang()", tasks=["do(timeout=0.2)"]),
    app("call-timeout-caught", "The adaptor catches the timeout: the action was a nicety.", OK, app="breathe(0.25)", tasks=["try: do(timeout=0.1)\nexcept ApplicationError: pass\nrender(1)"]),
    app("call-middle-fails", "The middle one of three pipelined calls fails.", FAILED, "render failed in the application: ValueError: frame 13 has no camera", tasks=["calls = [self.app.submit('render', frame=f, path=f'{f}.png') for f in (12, 13, 14)]\nfor call in calls: self.app.result(call)"]),
    app("call-pipelined", "A hundred pipelined calls.", OK, tasks=["calls = [self.app.submit('render', frame=f, path='x.png') for f in range(100, 200)]\nassert [self.app.result(c)['frame'] for c in calls] == list(range(100, 200))"]),
    app("call-ended-calls-after", "The application died in one call; the adaptor's next call says so, too.", FAILED, "exit code 5", app="os._exit(5)", tasks=["try: do()\nexcept ApplicationError: pass\nrender(1)"]),
    app("call-progress-nan", "The action reports nan as its progress.", FAILED, "ValueError", "nan", app="client.progress(float('nan'))"),
    app("call-progress-beyond", "The action reports 250 % and -3 %.", OK, app="client.progress(250); client.progress(-3)", never=("openjd_progress: 250", "openjd_progress: -")),
    app("call-progress-back", "The action reports 80 %, then 20 %.", OK, app="client.progress(80); client.progress(20)", never=("openjd_progress: 20",), shows=("openjd_progress: 80.0",)),
    app("call-status-lines", "The action's status has several lines, one like a message.", OK, app="client.status('a\\nopenjd_fail: b')", shows=("openjd_status: a openjd_fail: b",)),
    app("call-says-openjd-fail", "The application prints openjd_fail and answers that all is well.", FAILED, "no camera", app="say('openjd_fail: no camera')", own_fails=1),
    app("call-licence", "There is no licence: the action under way ends at once.", FAILED, "licence: No valid license", "start the licence server", app="say('No valid license'); hang()", rules=[LICENSE]),
    app("call-stop-rule-deaf", "A stop rule, and the application is deaf to SIGTERM.", FAILED, "out of device memory", app="deaf(); say('out of device memory'); hang()", rules=[Fail("out of device memory", stop=True)]),
    app("call-stop-rule-child", "A stop rule, and the application has a child that is deaf.", FAILED, "out of device memory", app="child('deaf(); hang()'); say('out of device memory'); hang()", rules=[Fail("out of device memory", stop=True)]),
    app("frames", "A chunk of frames.", OK, tasks=["for f in self.frames(data['frames']): render(f)"], run_data={"frames": "1-9:2"}, shows=("openjd_progress: 10.0", "openjd_progress: 100.0")),
    app("frames-one-fails", "One frame of a chunk fails; those before it are done.", FAILED, "frame 13 has no camera", tasks=["for f in self.frames(data['frames']): render(f, f'{f}.png')"], run_data={"frames": "12-14"}, shows=("openjd_progress: 33.3",)),
    app("frames-one-fails-caught", "One frame fails, the adaptor goes on, an output is missing.", FAILED, "missing: ", "13.png", tasks=["for f in self.frames(data['frames']):\n    try: render(f, f'{f}.png')\n    except ApplicationError: pass"], run_data={"frames": "12-14"}, outputs=["12.png", "13.png", "14.png"]),
    app("frames-wrong", "The frames are no range expression.", FAILED, "10-", tasks=["for f in self.frames(data['frames']): render(f)"], run_data={"frames": "10-"}),
    app("run-data-wrong", "The run data do not fit the schema.", FAILED, "frames", run_data={"frames": 7}),
    app("run-data-unknown", "The run data have a field that nobody knows.", FAILED, "framez", run_data={"framez": "7"}),
    app("author-raises", "The adaptor's own code raises after the application's success.", FAILED, "no such folder", tasks=["render(1); raise OSError('no such folder')"]),
    app("author-exits", "The adaptor's own code calls sys.exit(0).", FAILED, "SystemExit", tasks=["render(1); sys.exit(0)"]),
    app("author-key-error", "The adaptor's own code misses a key.", FAILED, "KeyError: 'camera'", tasks=["data['camera']"]),
    app("author-prints", "The adaptor's own code prints openjd_fail.", FAILED, "by hand", tasks=["print('openjd_fail: by hand')"], own_fails=1),
    app("author-swallows-exception", "The adaptor swallows the action's exception: its business.", OK, app="raise ValueError('a nicety')", tasks=["try: do()\nexcept ApplicationError: pass"]),
    app("author-swallows-rule", "The adaptor swallows the exception, but a rule has failed the task.", FAILED, "Error: no camera", app="say('Error: no camera'); raise ValueError('x')", rules=[ERROR], tasks=["try: do()\nexcept ApplicationError: pass"]),
    app("author-swallows-stop", "The adaptor swallows the end that a stop rule made.", FAILED, "licence: ", app="say('No valid license'); hang()", rules=[LICENSE], tasks=["try: do()\nexcept Exception: pass"]),
    app("author-swallows-limit", "The adaptor swallows the end that a limit made.", FAILED, "limit run", app="hang()", limits=TAKES, tasks=["try: do()\nexcept Exception: pass"]),
    app("author-raises-after-limit", "The adaptor makes another error of the end that a limit made.", FAILED, "limit run", app="hang()", limits=TAKES, tasks=["try: do()\nexcept Exception: raise KeyError('x')"]),
    app("author-raises-after-rule", "The adaptor makes another error of what a stop rule ended.", FAILED, "licence: ", app="say('No valid license'); hang()", rules=[LICENSE], tasks=["try: do()\nexcept Exception: raise KeyError('x')"]),
    app("author-outputs-wrong", "What outputs() returns is no path.", FAILED, "the path of an output", outputs=["a\0b"], tasks=["render(1)"]),
    app("hang-run", "The action hangs: the limit, the last lines, the stacks of both sides.", FAILED, "while performing do()", "limit run: 0.6", app="say('opening the dialog'); hang()", limits={"run": 0.6}, shows=("The last lines of Fake:", "opening the dialog", "Thread adaptor:", "in call", 'File "<application>"', "in hang"), daemon=True),
    app("hang-c", "The action hangs in the application's own C code.", FAILED, "limit run", app="ctypes.PyDLL(None).pause()", limits={"run": 0.6}, shows=('File "<application>"',)),
    app("hang-silence", "The action is silent for too long.", FAILED, "was silent for 0.25 seconds", "performing do()", app="hang()", task_limits=SILENT),
    app("hang-not-silent", "Calls without a line of output, each short: not silent.", OK, app="breathe(0.2)", tasks=["for _ in range(6): do()"], task_limits={"silence": 1}),
    app("hang-reports", "One long action that reports its status: not silent.", OK, app="\nfor n in range(6): client.status(str(n)); breathe(0.2)", task_limits={"silence": 1}),
    app("hang-no-progress", "The action prints, and comes no further.", FAILED, "made no progress for 0.25 seconds", app="\nwhile True: say('tick'); breathe(0.05)", limits={"no_progress": 0.25}),
    app("hang-memory", "The application takes more memory than it may.", FAILED, "MiB of memory", "limit memory_mib", app="held = b'x' * (300 << 20); hang()", limits={"memory_mib": 150}),
    app("hang-deaf", "The action hangs, and the application is deaf to SIGTERM.", FAILED, "limit run", app="deaf(); hang()", limits=TAKES),
    app("hang-family", "It hangs with a child and a grandchild, each in a session of its own, all deaf.", FAILED, "limit run", app="child('deaf(); child(\"deaf(); hang()\", start_new_session=True); hang()', start_new_session=True)\ndeaf(); hang()", limits={"run": 0.6}),
    app("hang-stopped", "The application is stopped (SIGSTOP).", FAILED, "limit run", app="os.kill(os.getpid(), signal.SIGSTOP)", limits=TAKES),
    app("hang-author", "The adaptor's own code hangs, and nothing can end it: it comes back late.", FAILED, "Fake took longer than 0.25 seconds while running", limits=TAKES, tasks=["threading.Event().wait(0.6)"], shows=("Thread adaptor:",)),
]  # fmt: skip

SECTIONS["Starting an application"] = [
    app("start-ok", "It starts, and on_start calls it.", OK, at="start", load="say('loaded')", start="self.app.call('load')", shows=("STDOUT: loaded",)),
    app("start-raises", "An action of on_start raises.", FAILED, "load failed in the application: OSError: no such scene", at="start", start="self.app.call('load')", load="raise OSError('no such scene')", shows=('File "<application>", line 1',)),
    app("start-author-raises", "The adaptor's own on_start raises.", FAILED, "KeyError: 'scene'", at="start", start="self.init_data['scene']"),
    app("start-not-found", "There is no such application.", FAILED, "Could not find the specified command: no-such-application", at="start", command=("no-such-application",)),
    app("start-not-executable", "The application may not be executed.", FAILED, "Permission denied", at="start", there={"application": "x"}, command=("{out}/application",)),
    app("start-no-folder", "The application's working folder does not exist.", FAILED, "the startup directory does not exist", at="start", folder="nowhere"),
    app("start-empty-command", "command() returns nothing.", FAILED, "args is empty", at="start", command=()),
    app("start-no-client", "The client's script does not exist.", FAILED, "nowhere.py", "does not exist", at="start", client="nowhere.py"),
    app("start-exits-0", "It ends with 0 before its client connects.", FAILED, "Fake ended with exit code 0 while starting", at="start", command=("sh", "-c", "echo bye"), shows=("STDOUT: bye",)),
    app("start-exits-1", "It ends with 1 before its client connects.", FAILED, "exit code 1 while starting", at="start", command=("sh", "-c", "exit 1")),
    app("start-crashes", "It crashes before its client connects.", FAILED, "SIGSEGV", "while starting", at="start", before="die('SIGSEGV')"),
    app("start-licence", "There is no licence: it waits for one.", FAILED, "licence: No valid license", at="start", command=("sh", "-c", "echo No valid license; exec sleep 1000"), rules=[LICENSE]),
    app("start-fail-rule", "It prints an error while it starts, and starts.", FAILED, "Error: preferences", at="start", before="say('Error: preferences')", rules=[ERROR]),
    app("start-fail-rule-run-only", "It prints an error while it starts, of a kind that matters in a task alone.", OK, at="start", before="say('Error: preferences')", rules=[Fail("^Error: ", during="run")]),
    app("start-openjd-fail", "It prints openjd_fail while it starts.", FAILED, "no GPU", at="start", before="say('openjd_fail: no GPU')", own_fails=1),
    app("start-never-connects", "Its client never connects.", FAILED, "took longer than 0.25 seconds while starting", "limit start: 0.25", at="start", command=("sleep", "1000"), limits={"start": 0.25}),
    app("start-prompt", "It asks on stdin, gets none, and asks again and again.", FAILED, "limit start", at="start", command=("sh", "-c", "while ! read answer; do sleep 0.05; done"), limits={"start": 0.25}),
    app("start-connects-late", "Its client connects when it has been given up.", FAILED, "limit start", at="start", before="signal.signal(signal.SIGTERM, lambda *_: None)\nclass Late(Exception): pass\nsay('READY'); breathe(0.8)", limits={"start": 0.5}),
    app("start-hangs-in-action", "An action of on_start hangs.", FAILED, "performing load()", "limit silence", at="start", start="self.task_limits(); self.app.call('load')", load="hang()", task_limits={"silence": 0.6}, shows=("in hang",)),
    app("start-import-error", "The client's script imports what is not there.", FAILED, "the client's script failed in the application: ModuleNotFoundError", "no_such_module", at="start", before="import no_such_module", shows=("Traceback",), daemon=True),
    app("start-syntax-error", "The client's script is no Python.", FAILED, "the client's script failed in the application: SyntaxError", at="start", before="def"),
    app("start-script-exits-0", "The client's script calls sys.exit(0).", FAILED, "exit code 0 while starting", at="start", before="sys.exit(0)"),
    app("start-script-exits-3", "The client's script calls sys.exit(3).", FAILED, "exit code 3 while starting", at="start", before="sys.exit(3)"),
    app("start-version", "The application is too old.", FAILED, "this is Fake 3.4.1 LTS, but the adaptor needs 3.10 or later", at="start", minimum_version="3.10"),
    app("start-version-fine", "The application is as new as it must be.", OK, at="start", minimum_version="3.4"),
    app("start-version-same", "The least version has a number more than the application's.", OK, at="start", version="3.4", minimum_version="3.4.0"),
    app("start-no-version", "The client does not say the application's version.", FAILED, "does not say its application's version", at="start", version=None, minimum_version="3.4"),
    app("start-init-data", "The init data do not fit the schema.", FAILED, "samples", at="start", init_data={"samples": 0}),
    app("start-configuration", "The site's configuration has a limit that is not there.", FAILED, "there is no such limit", at="start", site={"limits": {"forever": 1}}),
]  # fmt: skip

KILL = "os.kill(adaptor.app.pid, signal.SIGKILL); gone(adaptor.app.pid)"

SECTIONS["Between tasks, and at the end"] = [
    app("restart", "It dies between two tasks: it is started anew.", OK, tasks=["render(1)", "render(2)"], between=KILL, shows=("Fake has ended (signal 9", "it is started anew")),
    app("restart-exit-0", "It ends with 0 between two tasks: it is started anew.", OK, tasks=["do()", "render(2)"], before="signal.signal(signal.SIGUSR1, lambda *_: os._exit(0))", between="os.kill(adaptor.app.pid, signal.SIGUSR1); gone(adaptor.app.pid)", shows=("exit code 0", "it is started anew")),
    app("restart-off", "It dies between two tasks, and must not be started anew.", FAILED, "Fake has ended (signal 9", "setting restart", tasks=["render(1)", "render(2)"], between=KILL, site={"restart": False}, then=False),
    app("restart-start-fails", "It dies between two tasks, and its start fails.", FAILED, "load failed in the application: ValueError: second time", tasks=["render(1)", "render(2)"], between=KILL, start="self.app.call('load')", load="if os.path.exists(os.path.join(out, 'loaded')): raise ValueError('second time')\nwrite('loaded')", then=False),
    app("restart-start-hangs", "It dies between two tasks, and its start hangs: the start's limit.", FAILED, "limit start", tasks=["render(1)", "render(2)"], between=KILL, start="self.app.call('load'); self.names['self'].task_limits()", load="if os.path.exists(os.path.join(out, 'loaded')): hang()\nwrite('loaded')", task_limits={"start": 1}, then=False),
    app("restart-other-client", "It closes its connection between two tasks: it is ended and started anew.", OK, tasks=["do()", "render(2)"], before="signal.signal(signal.SIGUSR1, lambda *_: client._connection.close())", close="os._exit(0)", after="hang()", between="os.kill(adaptor.app.pid, signal.SIGUSR1); lost(adaptor)", shows=("started anew",)),
    app("restart-often", "It dies in every task.", FAILED, "exit code 9", app="os._exit(9)", tasks=["render(1)", "do()"], between=KILL),
    app("cancel-run", "A cancel while an action is under way.", CANCELED, app="ready()", cancel="ask", daemon=True),
    app("cancel-run-deaf", "A cancel, the application is deaf to SIGTERM, a second cancel.", CANCELED, app="deaf(); ready()", cancel="hurry"),
    app("cancel-run-child", "A cancel; the application has a child that is deaf to SIGTERM.", CANCELED, app="child('deaf(); hang()'); ready()", cancel="hurry"),
    app("cancel-run-swallowed", "A cancel, and the adaptor swallows the error.", CANCELED, app="ready()", cancel="ask", tasks=["try: do()\nexcept ApplicationError: pass"]),
    app("cancel-run-rule", "A cancel; the application prints an error on its way out.", CANCELED, app="signal.signal(signal.SIGTERM, lambda *_: (os.write(1, b'Error: interrupted\\n'), os._exit(1))); ready()", rules=[ERROR], cancel="ask"),
    app("cancel-run-survives", "A cancel that on_cancel handles: the application lives on.", CANCELED, adaptor="FakeThatHandlesCancel", app="say('READY')", tasks=["do(); canceled.wait()"], cancel="ask", never=("started anew",)),
    app("cancel-before", "A cancel before the task has begun.", CANCELED, cancel="before", never=("started anew",)),
    app("cancel-start", "A cancel while an action of on_start is under way.", CANCELED, at="start", start="self.app.call('load')", load="ready()", cancel="ask", daemon=True),
    app("cancel-start-launch", "A cancel while the application starts.", CANCELED, at="start", before="ready()", cancel="ask"),
    app("cancel-restart", "A cancel while the application is started anew.", CANCELED, tasks=["render(1)", "render(2)"], between=KILL, start="self.app.call('load')", load="if os.path.exists(os.path.join(out, 'loaded')): ready()\nwrite('loaded')", cancel="ask", then=False),
    cmd("cancel-command", "A cancel while a command runs.", CANCELED, app="ready()", cancel="ask", daemon=True),
    cmd("cancel-command-exit-0", "A cancel, and the command ends with 0.", CANCELED, app="signal.signal(signal.SIGTERM, lambda *_: os._exit(0)); ready()", cancel="ask"),
    cmd("cancel-command-chunk", "A cancel in a chunk: no command is run after it.", CANCELED, app=["signal.signal(signal.SIGTERM, lambda *_: os._exit(0)); ready()", "say('second')"], cancel="ask", never=("STDOUT: second",)),
    cmd("cancel-command-deaf", "A cancel, a command that is deaf to SIGTERM, a second cancel.", CANCELED, app="deaf(); ready()", cancel="hurry"),
    cmd("cancel-command-before", "A cancel before the command was started.", CANCELED, app="pass", cancel="before"),
    app("stop-ok", "It closes, and ends with 0.", OK, at="stop", close="say('bye')", shows=("STDOUT: bye",)),
    app("stop-exit-1", "It ends with 1 at the end: a warning, the work is done.", OK, at="stop", after="sys.exit(1)", shows=("WARNING: Fake ended with exit code 1",)),
    app("stop-crashes", "It crashes on its way out: a warning.", OK, at="stop", after="die('SIGSEGV')", shows=("WARNING: Fake ended with signal 11",)),
    app("stop-close-raises", "The client's on_close raises: shown, the work is done.", OK, at="stop", close="raise ValueError('no way out')", shows=("no way out",)),
    app("stop-close-exits", "The client's on_close calls sys.exit(0).", OK, at="stop", close="sys.exit(0)"),
    app("stop-close-exits-3", "The client's on_close calls sys.exit(3): a warning.", OK, at="stop", close="sys.exit(3)", shows=("WARNING: Fake ended with exit code 3",)),
    app("stop-hangs", "It hangs on its way out.", FAILED, "took longer than 0.25 seconds", "limit stop", at="stop", after="hang()", limits={"stop": 0.25}, shows=("The last lines of Fake:",)),
    app("stop-close-hangs", "The client's on_close hangs.", FAILED, "limit stop", "performing close()", at="stop", close="hang()", limits={"stop": 0.6}, shows=("in hang",)),
    app("stop-hangs-deaf", "It hangs on its way out, deaf to SIGTERM.", FAILED, "limit stop", at="stop", after="deaf(); hang()", limits={"stop": 0.25}),
    app("stop-call-fails", "An action of on_stop raises.", FAILED, "load failed in the application: ValueError: not saved", at="stop", stop="self.app.call('load')", load="raise ValueError('not saved')"),
    app("stop-author-raises", "The adaptor's own on_stop raises.", FAILED, "not saved", at="stop", stop="raise ValueError('not saved')"),
    app("stop-dead-before", "It has died before the end.", OK, at="stop", tasks=["render(1)"], stop="os.kill(self.app.pid, signal.SIGKILL); self._process.wait()", shows=("WARNING: Fake ended with signal 9",)),
    app("stop-child-left", "It leaves a child behind that holds its output open.", OK, at="stop", close="child('deaf(); hang()')"),
    app("stop-fail-rule", "It prints an error while it ends.", FAILED, "Error: cannot save preferences", at="stop", close="say('Error: cannot save preferences')", rules=[ERROR]),
    app("stop-not-started", "The session ends without a task.", OK, at="stop", tasks=()),
]  # fmt: skip

ROWS: list[Row] = [variant(row) for rows in SECTIONS.values() for row in rows]
BY_ID: dict[str, Row] = {row.id: row for row in ROWS}
assert len(BY_ID) == len(ROWS), "an id stands for two rows"
