"""An application with six regex callbacks, as the published adaptors have them."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from typing import Any

from openjd.adaptor_runtime.adaptors import Adaptor
from openjd.adaptor_runtime.app_handlers import RegexCallback, RegexHandler
from openjd.adaptor_runtime.process import LoggingSubprocess


def run_counted(command: list[str]) -> None:
    """Run `command`; what was counted, and the seconds it took, are its status at the end."""
    calls: Counter[str] = Counter()

    def counting(name: str) -> Any:
        def called(match: re.Match[str]) -> None:
            calls[name] += 1

        return called

    def progress(match: re.Match[str]) -> None:
        calls["progress"] += 1
        Adaptor.update_status(progress=float(match.group(1)))

    handler = RegexHandler(
        [
            RegexCallback([re.compile(r"Rendered ([0-9]+(?:\.[0-9]+)?) ?%")], progress),
            RegexCallback([re.compile("Saved: '(.+)'")], counting("saved")),
            RegexCallback([re.compile("^Renderer ([0-9.]+)")], counting("version")),
            RegexCallback([re.compile("(?i)warning: (.*)")], counting("warning")),
            RegexCallback(
                [re.compile("^Exception:(.*)|^Error: (.*)"), re.compile("^Traceback")],
                counting("error"),
            ),
            RegexCallback([re.compile("^Finished frame ([0-9]+)$")], counting("finished")),
        ]
    )
    started = time.perf_counter()
    process = LoggingSubprocess(args=command, stdout_handler=handler, stderr_handler=handler)
    process.wait()
    seconds = time.perf_counter() - started
    if process.returncode != 0:
        raise RuntimeError(f"the command ended with status {process.returncode}")
    told = json.dumps({"seconds": seconds, "calls": calls})
    Adaptor.update_status(status_message=f"counted {told}")
