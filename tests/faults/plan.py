"""What happens in a session of a seed: everything is drawn here, before anything is started."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

# When a fault is injected.
BEFORE = "before"  # before the command is started
LAUNCHED = "launched"  # some time after the command was started
LINE = "line"  # some time after the command has shown a line
GATE = "gate"  # while the application (or the adaptor) waits at the gate
CANCELING = "canceling"  # some time after the command has begun to cancel

START, RUN, STOP = "start", "run", "stop"
CLIENT, COMMAND, HAND = "client", "command", "hand"
KINDS = (CLIENT, COMMAND, HAND)

# How long a start takes, about, and any other command (seconds).
_START_TAKES = 0.4
_COMMAND_TAKES = 0.12


class Moment(NamedTuple):
    """When it happens."""

    kind: str
    #: The index of the command: 0 the start, the last one the stop.
    command: int
    #: The number of a line; 0 where it does not matter.
    line: int
    #: Seconds after the event.
    delay: float


class Step(NamedTuple):
    """What the application does in a command."""

    tag: str
    lines: int
    #: Characters of filler in a line.
    size: int
    #: Lines printed at once.
    burst: int
    #: Numbers of the lines before which it waits at the gate.
    stops: tuple[int, ...] = ()

    def spec(self, gate: int) -> dict[str, Any]:
        """As ``actor.perform`` wants it."""
        return {**self._asdict(), "gate": gate}


class Plan(NamedTuple):
    """A session, and the fault in it."""

    seed: int
    fault: str
    kind: str
    by_variable: bool
    steps: tuple[Step, ...]
    moment: Moment
    #: Whether the application starts a family, and what of it is deaf to SIGTERM ("" for none).
    family: bool
    holds: bool
    deaf: str
    #: Whether what waits at the gate is let go after the fault; else the runtime has to end it.
    release: bool
    #: How long a fault lasts that can be undone (seconds).
    hold: float
    #: For the fault's own choices, between 0 and 1.
    dice: tuple[float, ...]
    #: Whether the frontend's output is not read until the application is done.
    held_back: bool = False
    #: Whether the seed was drawn for a fault that was asked for.
    asked: bool = False

    @property
    def where(self) -> str:
        """The name of the command that is struck."""
        return self.name(self.moment.command)

    def name(self, index: int) -> str:
        """The name of a command."""
        return START if index == 0 else STOP if index == len(self.steps) - 1 else RUN

    @property
    def sure(self) -> bool:
        """Whether the fault certainly meets a command that is not done."""
        return self.moment.kind == BEFORE or (self.moment.kind == GATE and not self.release)

    def __str__(self) -> str:
        moment = self.moment
        of = f"{self.where} {moment.command}" if self.where == RUN else self.where
        at = {
            BEFORE: f"before {of}",
            LAUNCHED: f"{moment.delay * 1000:.0f} ms after the launch of {of}",
            LINE: f"{moment.delay * 1000:.0f} ms after line {moment.line} of {of}",
            GATE: f"at a gate in {of}{'' if self.release else ', which stays closed'}",
            CANCELING: f"{moment.delay * 1000:.0f} ms after a cancel of {of}",
        }[moment.kind]
        deaf = f", deaf {self.deaf}" if self.deaf else ""
        return f"{self.fault}, {at}, by {self.kind}{deaf}"


class Shape(NamedTuple):
    """What a fault allows."""

    moments: Sequence[str]
    commands: Sequence[str] = (START, RUN, STOP)
    kinds: Sequence[str] = KINDS
    #: Whether the fault ends the step under way, so that the gate may stay closed.
    ends: bool = False
    #: Whether the connection file is needed.
    by_file: bool = False
    #: Whether it can happen when there is no daemon yet.
    before_start: bool = False
    #: Whether the struck command floods, and with how many bytes at most.
    floods: int = 0
    #: Whether nobody reads the flood until it is over.
    held_back: bool = False


def draw(seed: int, shapes: dict[str, Shape], fault: str | None = None) -> Plan:
    """The plan of a seed.

    Args:
        seed: any number.
        shapes: of the faults to choose from, by their names.
        fault: one that is asked for.
    """
    rng = random.Random(seed)
    name = rng.choice(sorted(shapes))
    if fault is not None:
        name = fault
    shape = shapes[name]
    kind = rng.choice(list(shape.kinds))
    tasks = rng.choice([1, 1, 2, 3])
    steps = [Step("start", rng.randint(2, 4), rng.randint(0, 40), 1)]
    for number in range(1, tasks + 1):
        lines = rng.randint(4, 40)
        steps.append(Step(f"run-{number}", lines, rng.randint(0, 100), rng.randint(1, 5)))
    steps.append(Step("stop", rng.randint(2, 4), rng.randint(0, 40), 1))
    at = rng.choice(list(shape.moments))
    indices = [
        index
        for index in range(len(steps))
        if (START if index == 0 else STOP if index == tasks + 1 else RUN) in shape.commands
        and not (at == BEFORE and index == 0 and not shape.before_start)
        # What waits in the adaptor's own code is deaf to a cancel, and a stop is not called off.
        and not (at == CANCELING and (index == tasks + 1 or (index == 0 and kind != CLIENT)))
    ]
    index = rng.choice(indices)
    step = steps[index]
    if shape.floods:
        size = rng.randint(100, 300)
        count = rng.randint(shape.floods // 4, shape.floods) // size
        if shape.held_back:
            count = shape.floods // size
        step = step._replace(lines=count, size=size, burst=500)
    line = rng.randint(1, step.lines)
    delay = rng.choice([0.0, rng.uniform(0, 0.02), rng.uniform(0, 0.1)])
    if at == LAUNCHED:
        delay = rng.uniform(0, _START_TAKES if index == 0 else _COMMAND_TAKES)
    if at in (GATE, CANCELING):
        step = step._replace(stops=(line,))
    if shape.held_back or shape.floods:
        step = step._replace(stops=(1, step.lines + 1))
    steps[index] = step
    ours = index in (0, tasks + 1) and kind != CLIENT
    # What waits in the adaptor's own code, or in a stop, nobody can end but by letting it go.
    release = rng.random() < 0.5 or not shape.ends or ours or index == tasks + 1
    deaf = rng.choice(["", "", "family"])
    if at == CANCELING and kind != HAND and "frontend" not in name and rng.random() < 0.3:
        deaf = "application"
    return Plan(
        seed=seed,
        fault=name,
        kind=kind,
        by_variable=rng.random() < 0.25 and not shape.by_file,
        steps=tuple(steps),
        moment=Moment(at, index, line, delay),
        family=rng.random() < 0.7 or "grandchild" in name,
        holds=rng.random() < 0.15,
        deaf=deaf,
        release=release,
        hold=rng.uniform(0, 0.15),
        dice=tuple(rng.random() for _ in range(8)),
        held_back=shape.held_back,
        asked=fault is not None,
    )


def shortened(plan: Plan) -> Plan:
    """The same with one task: the one that is struck, if it is one."""
    at = plan.moment.command
    last = len(plan.steps) - 1
    task = at if 0 < at < last else 1
    steps = (plan.steps[0], plan.steps[task], plan.steps[-1])
    command = 0 if at == 0 else 2 if at == last else 1
    return plan._replace(steps=steps, moment=plan.moment._replace(command=command))
