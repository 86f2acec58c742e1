"""``python -m bootstrapped``: once its daemon listens, it asks it for its status."""

import os
import subprocess
import sys

from openjd.adaptor_runtime import EntryPoint


def show_status() -> None:
    """Prints what a frontend learns at this moment."""
    command = [sys.executable, "-m", "bootstrapped", "daemon", "status"]
    command += ["--connection-file", os.environ["BOOTSTRAPPED_FILE"]]
    answer = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", check=False)
    print(f"{os.getpid()} listens:", answer.stdout.strip())


entry_point = EntryPoint("bootstrapped.adaptor:Bootstrapped")
entry_point.on_bootstrap_complete.add(show_status)
entry_point.start()
