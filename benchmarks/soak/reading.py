"""What a process holds and has done, as ``/proc`` tells it. Reading wakes nobody up."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import psutil

_PROC = Path("/proc")


@dataclass(frozen=True)
class Reading:
    """What a process holds. Memory in bytes; ``processes`` are those below it."""

    rss: int
    uss: int
    descriptors: int
    threads: int
    processes: int

    @property
    def counts(self) -> tuple[int, int, int]:
        """What must not differ between two moments at which nothing is under way."""
        return self.descriptors, self.threads, self.processes


def read(pid: int) -> Reading:
    """The reading of a process.

    Raises:
        OSError, psutil.Error: it is gone.
    """
    place = _PROC / str(pid)
    sizes = {
        name: int(kib) * 1024
        for name, kib in re.findall(
            r"^(\w+):\s+(\d+) kB$", (place / "smaps_rollup").read_text(), re.MULTILINE
        )
    }
    return Reading(
        sizes["Rss"],
        sizes["Private_Clean"] + sizes["Private_Dirty"],
        len(os.listdir(place / "fd")),
        len(os.listdir(place / "task")),
        len(psutil.Process(pid).children(recursive=True)),
    )


@dataclass(frozen=True)
class Activity:
    """What the threads of a process have done so far."""

    switches: int
    cpu_ns: int
    threads: frozenset[int]


def activity(pid: int) -> Activity:
    """Context switches of all threads, and the time that they had a CPU.

    Raises:
        OSError: it is gone.
    """
    switches = cpu = 0
    threads = set()
    for task in (_PROC / str(pid) / "task").iterdir():
        status = (task / "status").read_text()
        found = re.findall(r"^(?:non)?voluntary_ctxt_switches:\s+(\d+)$", status, re.MULTILINE)
        switches += sum(map(int, found))
        cpu += int((task / "schedstat").read_text().split()[0])
        threads.add(int(task.name))
    return Activity(switches, cpu, frozenset(threads))


def folder_size(folder: str) -> tuple[int, int]:
    """How many files are in a folder, and their bytes."""
    count = size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            count += 1
            size += os.lstat(os.path.join(place, name)).st_size
    return count, size
