"""Which cause ``openjd-adaptor explain`` must name for each row of the table that fails."""

from __future__ import annotations

import os
from pathlib import Path

from openjd.adaptor_runtime._tools.explaining import findings
from openjd.adaptor_runtime._tools.session_log import read

from .play import Scene
from .table import FAILED, Row

CAUSES: dict[str, str] = {}


def explained(row: Row, scenes: list[Scene], place: Path) -> None:
    """What was shown, kept as a log, is explained as it must be."""
    log = place / "shown.log"
    log.write_text("".join(scene.text for scene in scenes), encoding="utf-8", errors="replace")
    ((session, found),) = findings(read(str(log)))
    with open("/tmp/rp/explained.txt", "a") as f:
        f.write(repr((row.id, row.verdict, [o.cause.id for o in found], [o.means for o in found][:1], [o.where for o in found][:1],[l.shown()[:160] for l in (found[0].lines if found else [])], scenes[-1].verdict)) + "\n")
