"""``python -m tests.security``: a table of what another user achieves, with and without.

To be run as root, which becomes two other users for it. Exits with 1 if an attack comes off, or
does not where its protection has been taken out.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from .attacks import ATTACKS, Attack, patches
from .stage import World, why_not

_WIDTHS = (46, 22, 46, 46)


def _row(*cells: str) -> None:
    columns = [textwrap.wrap(cell, width) or [""] for cell, width in zip(cells, _WIDTHS)]
    for number in range(max(map(len, columns))):
        parts = [column[number] if number < len(column) else "" for column in columns]
        print("  ".join(f"{part:{width}}" for part, width in zip(parts, _WIDTHS)).rstrip())
    print(flush=True)


def _try(world: World, attack: Attack, *removed: str) -> tuple[bool, str]:
    """Whether it came off, and what to say of it."""
    try:
        with world.stage(patches(*attack.anyway, *removed)) as stage:
            achieved = attack.attempt(stage)
    except AssertionError as e:
        return not removed, f"could not be tried: {e}"
    return achieved is not None, achieved or "nothing"


def main() -> int:
    """Tries everything; the exit status."""
    reason = why_not()
    if reason:
        print(f"not tried: {reason}", file=sys.stderr)
        return 2
    wrong = 0
    _row("What is tried", "achieved", "protection taken out", "achieved then")
    with World() as world:
        for attack in ATTACKS:
            about = attack.about
            if attack.anyway:
                about += f" (also without: {', '.join(attack.anyway)})"
            came_off, achieved = _try(world, attack)
            wrong += came_off
            for removed in attack.removed:
                came_off, instead = _try(world, attack, removed)
                wrong += not came_off
                _row(about, achieved, removed, instead)
                about = achieved = ""
    print(f"{len(ATTACKS)} attacks; {wrong} not as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
