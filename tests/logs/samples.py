"""Logs for tests: a journal record by record, and the log of a real ``openjd run``."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

BEGIN = 1.8e9


class Journal:
    """A journal, as the runtime writes it, by an imagined clock."""

    def __init__(self, adaptor: str = "Fake") -> None:
        self.now = BEGIN
        self.records: list[dict[str, Any]] = []
        self.add("session", format=1, version="0.9.7", adaptor=adaptor, pid=7, mode="daemon")

    def add(self, kind: str, after: float = 0.0, **fields: Any) -> Journal:
        """A record, so many seconds after the one before."""
        self.now += after
        self.records.append({"t": round(self.now, 4), "kind": kind, **fields})
        return self

    def start(self, seconds: float = 10.0) -> Journal:
        """A start, half of which is a load."""
        self.add("step", step="start", event="begin")
        self.add("application", event="start", pid=8, command="fake --background")
        self.add("phase", seconds / 2, phase="load")
        self.add("phase", seconds / 2, phase="")
        return self.add("step", step="start", event="end", verdict="ok", error=None)

    def task(self, number: int, seconds: float = 4.0, outputs: tuple[str, ...] = ()) -> Journal:
        """A task that goes well."""
        self.add("step", step="run", event="begin", task=number)
        for percent in (0, 50, 100):
            self.add("progress", seconds / 3, progress=percent)
            self.add("line", text=f"openjd_progress: {percent}")
            self.add("memory", bytes=(number << 20) + (percent << 20))
        for path in outputs:
            self.add("output", path=path)
        return self.add("step", step="run", event="end", task=number, verdict="ok", error=None)

    def failing(self, number: int, *lines: str, message: str) -> Journal:
        """A task that prints these lines, and fails with that message."""
        self.add("step", step="run", event="begin", task=number)
        for line in lines:
            self.add("line", 0.1, text=line)
        message = f"Error encountered while running adaptor: {message}"
        self.add("line", text=f"openjd_fail: {message}")
        self.add("fail", text=message)
        return self.add(
            "step", 1, step="run", event="end", task=number, verdict="failed", error=message
        )

    def stop(self, seconds: float = 2.0) -> Journal:
        """The stop, and the session's end."""
        self.add("step", step="stop", event="begin")
        self.add("step", seconds, step="stop", event="end", verdict="ok", error=None)
        return self.add("session", event="end")

    def text(self) -> str:
        """It, as it is in a file."""
        return "".join(json.dumps(record) + "\n" for record in self.records)

    def write(self, path: Path) -> str:
        """Writes it; returns the path."""
        path.write_text(self.text(), encoding="utf-8")
        return str(path)


#: What `openjd run` 0.8 printed for a job whose second task failed (times relative to its start).
ENGINE = """\
0:00:00.000063\tOpen Job Description CLI: Session start 2026-11-28T03:00:43.000000+00:00
0:00:00.000116\tOpen Job Description CLI: Running job 'Broken'
0:00:00.000168\tOpen Job Description CLI: Running step 'Work'
0:00:00.000218\t
0:00:00.003293\t==============================================
0:00:00.003352\t--------- Entering Environment: Demo
0:00:00.003378\t==============================================
0:00:00.004950\t----------------------------------------------
0:00:00.005356\tPhase: Setup
0:00:00.005659\t----------------------------------------------
0:00:00.009705\tPhase: Running action
0:00:00.010055\tRunning command /tmp/OpenJD/hfk1zvyk/tmp5gfqahdd.sh
0:00:00.013490\tCommand started as pid: 29551
0:00:00.013679\tOutput:
0:00:00.158954\tINFO: Starting the adaptor's daemon
0:00:00.409511\topenjd_env: OPENJD_ADAPTOR_SOCKET=/tmp/openjd-ccfc7e9289114040/socket
0:00:01.013490\tProcess pid 29551 exited with code: 0 (unsigned) / 0x0 (hex)
0:00:01.013800\t
0:00:01.020000\t==============================================
0:00:01.020100\t--------- Running Task
0:00:01.020200\t==============================================
0:00:01.020300\tParameter values:
0:00:01.020400\tFrame(INT) = 1
0:00:01.020500\tCamera(STRING) = left
0:00:01.030000\t----------------------------------------------
0:00:01.030000\tPhase: Running action
0:00:01.100000\tCommand started as pid: 29600
0:00:01.100100\tOutput:
0:00:01.200000\tADAPTOR_OUTPUT: INFO: Running command: tool 1
0:00:01.300000\tADAPTOR_OUTPUT: STDOUT: --------- Running Task
0:00:01.300000\tADAPTOR_OUTPUT: WARNING: rule textures: wood.png not found
0:00:01.500000\topenjd_progress: 50.0
0:00:02.000000\topenjd_progress: 100.0
0:00:02.100000\tProcess pid 29600 exited with code: 0 (unsigned) / 0x0 (hex)
0:00:02.110000\t==============================================
0:00:02.110000\t--------- Running Task
0:00:02.110000\t==============================================
0:00:02.110000\tParameter values:
0:00:02.110000\tFrame(INT) = 2
0:00:02.110000\tCamera(STRING) = left
0:00:02.200000\tCommand started as pid: 29601
0:00:02.200000\tOutput:
0:00:02.300000\tADAPTOR_OUTPUT: INFO: Running command: tool 2
0:00:02.400000\tADAPTOR_OUTPUT: STDERR: tool: no camera
0:00:02.700000\topenjd_fail: Error encountered while running adaptor: Tool ended with exit code 3
0:00:02.800000\tProcess pid 29601 exited with code: 1 (unsigned) / 0x1 (hex)
0:00:02.810000\t==============================================
0:00:02.810000\t--------- Exiting Environment: Demo
0:00:02.810000\t==============================================
0:00:02.900000\tCommand started as pid: 29602
0:00:03.100000\tProcess pid 29602 exited with code: 0 (unsigned) / 0x0 (hex)
0:00:03.110000\tOpen Job Description CLI: ERROR executing action: 'Run Step 'Work' with Task ...'
0:00:03.120000\tOpen Job Description CLI: Local Session ended! Now cleaning up Session resources.

--- Results of local session ---

Session ended with errors; see Task logs for details
"""


def png(width: int = 4, height: int = 3) -> bytes:
    """A picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = (b"\0" + b"\x30\x60\x90" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        ]
    )
