"""All benchmarks, in the order of the table.

To add one: a subclass of `model.Benchmark` in a module here, with its figures and a `sampler`
that sets up and yields a function taking one round of samples; then name it in `ALL`. What must
run inside the measured environments is a script in ``probes/`` or a package ``adaptor_*``.
"""

from __future__ import annotations

from ..model import Benchmark
from .actions import ActionLatency, ActionRate
from .daemon import DaemonStart, EmptyTask, ShortTask
from .lines import LineLatency, LoadedLineLatency
from .modules import LoadedModules
from .output import LongLine, OutputDaemon, OutputForeground, UnreadOutput
from .paths import MapPathAdaptor, MapPathApplication

ALL: tuple[Benchmark, ...] = (
    DaemonStart(),
    EmptyTask(),
    ShortTask(),
    LineLatency(),
    LoadedLineLatency(),
    OutputDaemon(),
    OutputForeground(),
    LongLine(),
    UnreadOutput(),
    ActionLatency(),
    ActionRate(),
    MapPathAdaptor(),
    MapPathApplication(),
    LoadedModules(),
)
