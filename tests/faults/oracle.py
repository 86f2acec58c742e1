"""What must hold after a session, whatever was done to it."""

from __future__ import annotations

import re
import sys
from typing import NamedTuple

from .faults import ANY, BY_NAME, CANCELED, ENDS, FAILED, KILLED, LIVES, OK, UNHEARD, Expected
from .plan import CANCELING, GATE, RUN, START, Plan, Step
from .stage import Record, Said

# Kinds of findings, which are the columns of the table.
VERDICT = "wrong verdicts"
LINES = "lines lost"
LEFT = "things left"
NEXT = "next session failed"
COLUMNS = (VERDICT, LINES, LEFT, NEXT)

HUNG, DIED = "hung", "died"

_LINE = re.compile(r"(?:ADAPTOR_OUTPUT: STD(?:OUT|ERR): )?L (\S+) (\d+) (x*)")
_LIKE_A_LINE = re.compile(r"L (?:start|run|stop|next)\S* \d")
_DROPPED = re.compile(r"^ADAPTOR_OUTPUT: WARNING: ([\d,]+) bytes of output were dropped$")
_OURS = ("ADAPTOR_OUTPUT: INFO: ", "ADAPTOR_OUTPUT: WARNING: ", "ADAPTOR_OUTPUT: ERROR: ")
_NOTHING = "Nothing to stop"


class Finding(NamedTuple):
    """Something that does not hold."""

    kind: str
    text: str


def label(said: Said) -> str:
    """How a command ended."""
    if said.status is None:
        return HUNG
    if said.status == 0:
        return OK
    if said.killed and (said.status < 0 or not said.out):
        return KILLED
    if said.killed and sys.platform == "win32" and not _fails(said):
        return KILLED  # there are no signals in the exit codes there
    if said.unheard:
        return UNHEARD
    if said.status < 0:
        return DIED
    return CANCELED if "\nINFO: Canceled\n" in f"\n{said.out}" else FAILED


def _fails(said: Said) -> list[str]:
    return [line for line in said.out.split("\n") if line.startswith("openjd_fail: ")]


def judge(record: Record) -> list[Finding]:
    """All that does not hold."""
    findings: list[Finding] = []
    if record.hung:
        findings.append(Finding(VERDICT, f"hangs: {record.hung}"))
    findings += _verdicts(record)
    for said in record.commands:
        findings += [
            Finding(VERDICT, f"{said.name}: {text}") for text in _wording(said, record.plan)
        ]
    findings += _lines(record)
    for what, things in (
        ("does not end by itself" if not record.ended else "outlives its daemon", record.outlived),
        ("is a process that is left", record.left_processes),
        ("is a socket that is left", record.left_sockets),
        ("is a file that is left", record.left_files),
    ):
        findings += [Finding(LEFT, f"{thing} {what}") for thing in things]
    findings += _next(record)
    return findings


def _verdicts(record: Record) -> list[Finding]:
    plan = record.plan
    if record.injected:
        expected = BY_NAME[plan.fault].expect(plan)
    elif plan.moment.kind == CANCELING:
        # It was cancelled all the same.
        at = frozenset({OK, CANCELED, KILLED})
        expected = Expected(at, ENDS if plan.where == START else LIVES)
    else:
        expected = Expected(frozenset({OK}))
    findings = []
    daemon = LIVES
    struck_seen = False
    struck = plan.name(plan.moment.command)
    struck_name = f"{struck} {plan.moment.command}" if struck == RUN else struck
    for said in record.commands:
        found = label(said)
        allowed = {LIVES: {OK}, ENDS: {FAILED}, ANY: {OK, FAILED}}[daemon]
        if said.tag == "stop":
            # Also one that comes after another.
            allowed = {OK}
        if said.name == struck_name and not struck_seen:
            struck_seen = True
            allowed = set(expected.at)
            daemon = expected.daemon
            if struck == START and found in (FAILED, CANCELED):
                daemon = ENDS
        elif daemon == ANY and said.tag.startswith("run"):
            daemon = LIVES if found == OK else ENDS
        if found not in allowed:
            words = " or ".join(sorted(allowed))
            findings.append(
                Finding(VERDICT, f"{said.name} is {found} (status {said.status}), not {words}")
            )
    return findings


def _reasons(plan: Plan) -> int:
    """How many openjd_fail lines a cancelled command may have: one that says why."""
    return 0 if plan.fault.startswith(("term-frontend", "pause-", "broken-peer")) else 1


def _wording(said: Said, plan: Plan) -> list[str]:
    """What a command may not say."""
    found = label(said)
    if found in (KILLED, UNHEARD, HUNG):
        return []
    problems = []
    fails = _fails(said)
    if found == OK and fails:
        problems.append(f"it exits with 0 and says {fails[0]!r}")
    if found == FAILED and len(fails) != 1:
        problems.append(f"it fails with {len(fails)} openjd_fail lines: {fails}")
    if found == CANCELED and len(fails) > _reasons(plan):
        problems.append(f"it is cancelled with {len(fails)} openjd_fail lines: {fails}")
    if said.err:
        problems.append(f"it writes to stderr: {said.err[:300]!r}")
    for line in said.out.split("\n"):
        # An application's own traceback is its own affair.
        foreign = line.startswith(("ADAPTOR_OUTPUT: STDERR: ", "ADAPTOR_OUTPUT: ERROR:   "))
        if plan.fault.startswith("exhaust-") and said.name == START:
            # The last words of an interpreter that could not come to its daemon's code.
            foreign = foreign or line.startswith("ADAPTOR_OUTPUT: ")
        if not foreign and ("Traceback (" in line or "Exception in thread" in line):
            problems.append(f"it shows {line!r}")
    return problems


class _Shown(NamedTuple):
    numbers: list[int]
    said: Said


def _shown(said: Said, steps: dict[str, Step], findings: list[Finding]) -> dict[str, list[int]]:
    """Tag -> the numbers of the lines that a command has shown."""
    shown: dict[str, list[int]] = {}
    lines = said.out.split("\n")
    last = lines.pop()
    if last and not said.killed and not said.unheard:
        findings.append(Finding(LINES, f"{said.name}: its last line has no end: {last[:100]!r}"))
    for line in lines:
        found = _LINE.fullmatch(line)
        if found:
            tag = found[1]
            step = steps.get(re.sub(r"^start-\d+$", "start", tag))
            if step is None or len(found[3]) != step.size:
                findings.append(Finding(LINES, f"{said.name}: a line is broken: {line[:100]!r}"))
            shown.setdefault(tag, []).append(int(found[2]))
        elif _LIKE_A_LINE.search(line) and not line.startswith(_OURS):
            findings.append(Finding(LINES, f"{said.name}: a line is torn: {line[:100]!r}"))
    return shown


def _lines(record: Record) -> list[Finding]:
    plan = record.plan
    findings: list[Finding] = []
    steps = {step.tag: step for step in plan.steps}
    per_command = [(said, _shown(said, steps, findings)) for said in record.commands]
    text = "\n".join(said.out for said in record.commands)
    dropped = sum(
        int(found[1].replace(",", ""))
        for found in map(_DROPPED.match, text.split("\n"))
        if found is not None
    )
    died = "ended unexpectedly" in text or plan.fault == "kill-daemon"
    missing_bytes = 0
    for tag in {*record.journals, *(tag for _, shown in per_command for tag in shown)}:
        if tag.startswith("next-"):
            continue
        step = steps[re.sub(r"^start-\d+$", "start", tag)]
        printed, reached = record.journals.get(tag, ((), False))
        sequence = [number for _, shown in per_command for number in shown.get(tag, ())]
        if any(b <= a for a, b in zip(sequence, sequence[1:])):
            findings.append(Finding(LINES, f"{tag}: lines are shown twice or out of order"))
        unknown = sorted(set(sequence) - set(printed))
        if unknown and (len(unknown) > step.burst or unknown[0] <= max(printed, default=0)):
            findings.append(Finding(LINES, f"{tag}: lines {_ranges(unknown)} were never printed"))
        owner = next((said for said, _ in per_command if said.tag == tag), None)
        own = next((shown.get(tag, []) for said, shown in per_command if said.tag == tag), [])
        missing = sorted(set(printed) - set(sequence))
        if owner is not None and label(owner) == OK and _NOTHING not in owner.out:
            if tag != "stop" and not (reached and printed == tuple(range(1, step.lines + 1))):
                findings.append(
                    Finding(VERDICT, f"{owner.name} exits with 0, but its work is not done")
                )
            missing = sorted(set(printed) - set(own))
        if not missing:
            continue
        if dropped:
            missing_bytes += sum(
                len(f"ADAPTOR_OUTPUT: STDOUT: L {tag} {n} {'x' * step.size}\n") for n in missing
            )
            continue
        if _accounted(record, owner, died, sequence, own, missing):
            continue
        findings.append(Finding(LINES, f"{tag}: lines {_ranges(missing)} of {max(printed)}"))
    if missing_bytes > dropped:
        findings.append(
            Finding(LINES, f"{missing_bytes} bytes are missing, {dropped} are said to be dropped")
        )
    return findings


def _accounted(
    record: Record,
    owner: Said | None,
    died: bool,
    sequence: list[int],
    own: list[int],
    missing: list[int],
) -> bool:
    """Whether something says that these lines do not come, or nobody could have shown them."""
    plan = record.plan
    if died and missing[0] > max(sequence, default=0):
        return True
    if owner is None or (owner.tag == "stop" and _NOTHING in owner.out):
        # The daemon stops by itself, and nobody asks it to: nobody sees what it says.
        return BY_NAME[plan.fault].expect(plan).daemon != LIVES and not sequence
    if label(owner) not in (KILLED, UNHEARD) and not _cut_off(record, owner):
        return False
    # What was on its way to whoever is dead, in one piece.
    if missing[-1] - missing[0] + 1 != len(missing) or missing[0] <= max(own, default=0):
        return False
    if owner.tag in ("start", "stop"):
        # There is no later command that could show the rest.
        return True
    if plan.moment.kind == GATE and label(owner) == KILLED:
        # The gate was opened when it was dead.
        return missing[-1] < plan.moment.line
    return True


def _cut_off(record: Record, owner: Said) -> bool:
    struck = record.plan.steps[record.plan.moment.command].tag == owner.tag
    return struck and record.plan.fault.endswith("frontend-connection")


def _ranges(numbers: list[int]) -> str:
    if len(numbers) == numbers[-1] - numbers[0] + 1:
        return f"{numbers[0]} to {numbers[-1]}"
    return f"{numbers[:20]}"


def _next(record: Record) -> list[Finding]:
    findings = []
    if record.next == () and not record.hung:
        findings.append(Finding(NEXT, "it was not run"))
    for said in record.next or ():
        shown = [line for line in said.out.split("\n") if _LINE.fullmatch(line)]
        numbers = [int(found[2]) for found in map(_LINE.fullmatch, shown) if found]
        if label(said) != OK or said.err or numbers != [1, 2, 3]:
            findings.append(
                Finding(
                    NEXT, f"{said.name}: status {said.status}, {(said.out + said.err)[-600:]!r}"
                )
            )
    return findings
