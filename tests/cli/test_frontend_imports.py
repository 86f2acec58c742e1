"""What a frontend loads: it is started for every task, so every module is paid for each time."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from apps.drive import APPS, Host, Session

import openjd.adaptor_runtime_client

#: How many more it is on Windows: _winapi, msvcrt, winreg, a code page, and ctypes with what it
#: loads, without which nobody learns who is at the other end of a pipe.
MORE_ON_WINDOWS = 8 if sys.platform == "win32" else 0

#: Runs PACKAGE as a console script does, in an interpreter that sees nothing but what it is given,
#: and writes down what is loaded when the process ends, in whatever way it does.
RUNNER = """
import sys
path, report, package = sys.argv[1:4]
sys.path[:0] = path.split({separator!r})
del sys.argv[1:4]
import atexit, os, re, site  # the last two as in every console script
del sys.modules["atexit"]
leave = os._exit
def write():
    with open(report, "w") as file:
        file.write(" ".join(sorted(sys.modules)))
def write_and_leave(status):
    write()
    leave(status)
os._exit = write_and_leave
atexit.register(write)
__import__(package + ".__main__")
"""


def frontend_modules(host: Host, package: str, *arguments: str) -> set[str]:
    """The modules that are loaded at the end of a frontend, which must go well."""
    report = host.folder / "modules.txt"
    source = Path(openjd.adaptor_runtime_client.__file__).parents[2]
    search = os.pathsep.join([str(APPS), str(source)])
    ended = host.run(
        *("-I", "-S", "-c", RUNNER.format(separator=os.pathsep), search, str(report), package),
        *arguments,
    )
    assert (ended.status, ended.err) == (0, ""), ended
    return set(report.read_text().split())


@pytest.mark.parametrize(("package", "limit"), [("obedient", 80), ("by_class", 115)])
def test_modules_of_a_frontend(host: Host, package: str, limit: int) -> None:
    """run and stop stay within the limit, and load none of what only the daemon needs."""
    # The limit was set with Python 3.11; json, re and collections load a few more in others.
    limit += 0 if sys.version_info[:2] == (3, 11) else 5
    limit += MORE_ON_WINDOWS
    session = Session(host, ("-m", package))
    assert session.begin("start").end().status == 0
    where = ("--connection-file", str(session.file))
    run = frontend_modules(host, package, "daemon", "run", *where, "--run-data", "{}")
    stop = frontend_modules(host, package, "daemon", "stop", *where)
    heavy = {"yaml", "jsonschema", "asyncio", "psutil", "logging", "socket", "typing", "argparse"}
    assert len(run) <= limit, sorted(run)
    # Once in a session: it looks at processes, and waits for their ends.
    assert len(stop) <= limit + 3, sorted(stop)
    for modules in (run, stop):
        assert not modules & (heavy if package == "obedient" else {"yaml", "jsonschema", "asyncio"})


def test_a_frontend_by_name_loads_nothing_of_the_adaptor(host: Host) -> None:
    """Neither for a task nor for the stop is the adaptor's module imported."""
    session = Session(host)
    session.start()
    where = ("--connection-file", str(session.file))
    data = ("--run-data", json.dumps({"do": "print('in the daemon')"}))
    for arguments in (("run", *where, *data), ("stop", *where)):
        modules = frontend_modules(host, "obedient", "daemon", *arguments)
        assert "obedient.__main__" in modules
        assert not modules & {"obedient.adaptor", "gates"}
