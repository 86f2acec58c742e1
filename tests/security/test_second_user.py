"""Another real user attacks: nothing comes off; and without its protection each attack does."""

from __future__ import annotations

import os

import pytest

from .attacks import ATTACKS, Attack, patches
from .stage import World
from .unprotected import PATCHES

pytestmark = pytest.mark.timeout(120)

CASES = [
    pytest.param(attack, removed, id=f"{attack.name}: {removed}")
    for attack in ATTACKS
    for removed in attack.removed
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_protected(world: World, attack: Attack) -> None:
    """The other user achieves nothing, and the victim's own commands end everything."""
    with world.stage(patches(*attack.anyway)) as stage:
        assert attack.attempt(stage) is None
        assert stage.left_behind() == []


@pytest.mark.parametrize(("attack", "removed"), CASES)
def test_unprotected(world: World, attack: Attack, removed: str) -> None:
    """Without the protection the same attack comes off: it is the protection that stops it."""
    with world.stage(patches(*attack.anyway, removed)) as stage:
        assert attack.attempt(stage) is not None


def test_every_protection_is_attacked() -> None:
    """No protection is in the list that no attack needs to be taken away."""
    used = {name for attack in ATTACKS for group in attack.removed for name in group.split(" + ")}
    assert used == set(PATCHES)


def test_the_users_are_real(world: World) -> None:
    """Victim and attacker are two users, neither is root, and neither has any privilege."""
    code = "import os; print(os.getresuid(), os.getgroups(), open('/proc/self/status').read())"
    with world.stage() as stage:
        said = stage.run("-c", code).out
        assert f"({world.victim}, {world.victim}, {world.victim})" in said
        assert world.victim != world.attacker and 0 not in (world.victim, world.attacker)
        assert os.geteuid() == 0
        if "CapEff" in said:
            assert "CapEff:\t0000000000000000" in said
