"""``daemon start`` and ``daemon stop``, for real, with a fake application."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .child import Ended, Place
from .client import Client
from .findings import Findings
from .samples import NoSample, Sampler

if TYPE_CHECKING:
    from ...testing import Script

# What the fake application answers, by the action's return annotation.
_ANSWERS: dict[str, Any] = {
    "bool": True,
    "dict": {},
    "float": 1.0,
    "int": 1,
    "list": [],
    "str": "",
}
_MOST_LINES = 6


def init_data_for(
    findings: Findings, schema: dict[str, Any] | None, given: dict[str, Any] | None, folder: Path
) -> dict[str, Any] | None:
    """The init data of the dry run; None where none can be made.

    Args:
        schema: of the init data, if there is one that can be used.
        given: what the user wants.
        folder: for the files that it names.
    """
    if given is not None:
        return given
    folder.mkdir(exist_ok=True)
    try:
        return Sampler(schema or {"type": "object"}, folder).make()
    except NoSample as e:
        findings.note(f"no dry run: of the schema no init data can be made ({e}); use --init-data")
    except (RecursionError, TypeError, ValueError) as e:
        findings.note(f"no dry run: no init data can be made ({e}); use --init-data")
    return None


def fake_script(client: Client | None, server_variable: str) -> Script:
    """What the fake application does: it answers all actions, by what they say they return.

    Args:
        client: the adaptor's client, if it is known.
        server_variable: names the adaptor's server, where OPENJD_ADAPTOR_SERVER does not.
    """
    from ...testing import Script

    script = Script(version="99999")
    for action in client.actions.values() if client is not None else ():
        kind = action.returns.partition("[")[0].rpartition(".")[2].lower()
        script.action(action.name).returns(_ANSWERS.get(kind))
    script.action("*")
    if server_variable:
        script.command().answers(server=f"{{${server_variable}}}")
    return script


def dry_run(
    findings: Findings,
    place: Place,
    target: dict[str, Any],
    script: Script,
    init_data: dict[str, Any],
    file: str | None,
    is_sure: bool,
) -> None:
    """Starts the adaptor's daemon and stops it.

    Args:
        target: names the adaptor: its module, class and file.
        script: of the fake application.
        file: what findings are about.
        is_sure: whether a failure can only be the adaptor's.
    """
    from ...testing import FakeApplication

    with FakeApplication(script) as fake:
        spec = place.folder / "adaptor.json"
        spec.write_text(json.dumps({**target, "application": fake.command}), encoding="utf-8")
        _session(findings, place, spec, init_data, file, is_sure)


def _session(
    findings: Findings,
    place: Place,
    spec: Path,
    init_data: dict[str, Any],
    file: str | None,
    is_sure: bool,
) -> None:
    data, connection = place.folder / "init.json", place.folder / "session.json"
    data.write_text(json.dumps(init_data), encoding="utf-8")
    before = set(os.listdir(place.temporary))

    def step(name: str, *more: str) -> Ended:
        return place.python(
            *("-m", "openjd.adaptor_runtime.testing._entry", str(spec), "daemon", name),
            *("--connection-file", str(connection), *more),
            name=name,
        )

    start = step("start", "--init-data", f"file://{data}")
    shown = f"with the init data {json.dumps(init_data)}"
    if start.status is None:
        code = "E153" if is_sure else "E155"
        findings.add(code, f"daemon start, {shown}, does not end: {_last(start)}", file)
        return
    if start.status != 0:
        code = "E151" if is_sure else "E155"
        findings.add(code, f"daemon start fails, {shown}: {_why(start)}", file)
    stop = step("stop")
    if stop.status is None:
        code = "E153" if is_sure else "E155"
        findings.add(code, f"daemon stop does not end: {_last(stop)}", file)
        return
    if stop.status != 0 and start.status == 0:
        findings.add("E152" if is_sure else "E155", f"daemon stop fails: {_why(stop)}", file)
    left = [f"process {command}" for command in place.leftovers()]
    left += [f"file {name}" for name in sorted(set(os.listdir(place.temporary)) - before)]
    if left:
        findings.add("E154", f"after daemon stop there is still: {'; '.join(left)}", file)


def _why(ended: Ended) -> str:
    """What a command says of its failure."""
    lines = [*ended.out.splitlines(), *ended.err.splitlines()]
    for start in ("openjd_fail: ", "ERROR: "):
        said = [line[len(start) :] for line in lines if line.startswith(start)]
        if said:
            where = [line for line in lines if " at " in line and "ADAPTOR_OUTPUT: ERROR" in line]
            return said[-1] + (f" ({where[-1].rpartition('ERROR: ')[2]})" if where else "")
    return _last(ended)


def _last(ended: Ended) -> str:
    lines = [line for line in (ended.out + ended.err).splitlines() if line.strip()]
    return " | ".join(lines[-_MOST_LINES:]) or "it says nothing"
