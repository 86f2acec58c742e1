"""The Nuke adaptor from PyPI renders through the job template that its submitter ships."""

from __future__ import annotations

import sys
from importlib.metadata import version

import pytest

from .conftest import Ended, Farm

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a POSIX executable"),
]

SCRIPT = """\
Root {{
 name comp
}}
Constant {{
 name Constant1
}}
Write {{
 file "/studio/show/renders/beauty.%04d.ppm"
 name Write1
 {knobs}
}}
"""


def render(
    farm: Farm, knobs: str = "render_order 1", interrupt_at: str = "", **parameters: str
) -> Ended:
    """Frames 1 to 3 of a script whose Write node has these knobs, one frame a task.

    The template is the submitter's own, untouched.
    """
    farm.application("nuke", "fake_nuke", "NUKE_EXECUTABLE")
    script = farm.folder / "comp.nk"
    script.write_text(SCRIPT.format(knobs=knobs), encoding="utf-8")
    values = {
        "NukeScriptFile": str(script),
        "GizmoDir": str(farm.folder),
        "OCIOConfigPath": str(farm.folder / "config.ocio"),
        "Frames": "1-3",
        **parameters,
    }
    return farm.session(
        farm.adaptors / "deadline" / "nuke_submitter" / "default_nuke_job_template.yaml",
        {"/studio": str(farm.folder), "/studio/show": str(farm.folder / "project")},
        interrupt_at,
        **values,
    )


def pictures(farm: Farm) -> list[str]:
    """The names of what was rendered to where the rules map the Write node's path."""
    return sorted(path.name for path in (farm.folder / "project" / "renders").glob("*"))


def assert_stopped(ended: Ended, farm: Farm) -> None:
    """The session ran onExit after a failure, it succeeded, and nothing is left."""
    _, _, exiting = ended.output.partition("Exiting Environment: Nuke")
    assert "exited with code: 0 " in exiting, ended.output
    assert farm.leftovers() == []


@pytest.fixture(scope="module")
def rendered(shared_farm: Farm) -> Ended:
    """A session that meets no trouble."""
    return render(shared_farm)


def test_frames_are_rendered_in_one_nuke(shared_farm: Farm, rendered: Ended) -> None:
    """Three tasks render three pictures where the rules say, in one Nuke with one script open."""
    assert rendered.status == 0, rendered.output
    names = [f"beauty.{frame:04d}.ppm" for frame in (1, 2, 3)]
    assert pictures(shared_farm) == names
    folder = shared_farm.folder / "project" / "renders"
    assert len({(folder / name).read_bytes() for name in names}) == 3
    (arguments,) = shared_farm.starts()
    assert arguments.startswith("-V 2 -t ")
    assert arguments.endswith("nuke_client.py")
    assert len(rendered.lines("Nuke opened")) == 1


def test_nothing_is_left_of_a_session(shared_farm: Farm, rendered: Ended) -> None:
    """When the session has ended there is no process of it, no socket and no file."""
    assert_stopped(rendered, shared_farm)


def test_the_session_sees_progress_and_status(rendered: Ended) -> None:
    """Messages reach the session unprefixed; other output tells where it comes from."""
    statuses = ["Initializing Nuke", *["RENDER COMPLETE"] * 3]
    assert rendered.messages("status") == statuses, rendered.output
    # 0 when a task begins, 100 when its output is written and when Nuke says that it is done.
    progress = [float(value) for value in rendered.messages("progress")]
    assert progress == [0, *[0, 100, 100] * 3], rendered.output
    assert rendered.messages("fail") == []
    assert len(rendered.lines("ADAPTOR_OUTPUT: STDOUT: Writing ")) == 3, rendered.output
    assert len(rendered.lines("ADAPTOR_OUTPUT: STDOUT: Performing action: ")) == 9


def test_telemetry_hears_the_versions(shared_farm: Farm, rendered: Ended) -> None:
    """The adaptor reads this runtime's version, and the application's from its output."""
    (details,) = [told for told in shared_farm.telemetry() if told["event"] == "details"]
    assert details["open-jd-adaptor-runtime-version"] == version("openjd-adaptor-runtime")
    assert details["nuke-version"] == "15.1v3"


def test_an_error_of_nuke_fails_the_session(farm: Farm) -> None:
    """Without continue_on_error the first error fails its task, in the adaptor's words."""
    ended = render(farm, "error_at 2", ContinueOnError="false")
    assert ended.status != 0
    assert pictures(farm) == ["beauty.0001.ppm"]
    (failure,) = ended.messages("fail")
    assert failure.startswith("Error encountered while running adaptor: Nuke Encountered an Error")
    assert "could not write frame 2" in failure
    assert len(farm.starts()) == 1
    assert_stopped(ended, farm)


def test_an_error_does_not_drown_in_what_follows(farm: Farm) -> None:
    """An adaptor's callbacks raise its error again at every later line; it is told once.

    The lines themselves are all shown.
    """
    ended = render(farm, "complain_at 2")
    assert ended.status != 0
    assert ended.messages("fail") == [
        "Error encountered while running adaptor: "
        "Nuke Encountered an Error: ERROR: cannot open texture"
    ]
    assert len(ended.lines("STDOUT: Writing tile ")) == 50
    assert not ended.lines("Traceback")
    assert_stopped(ended, farm)


def test_an_error_may_be_survived(farm: Farm) -> None:
    """With continue_on_error the other frames are rendered and the session succeeds."""
    ended = render(farm, "error_at 2", ContinueOnError="true")
    assert ended.status == 0, ended.output
    assert pictures(farm) == ["beauty.0001.ppm", "beauty.0003.ppm"]
    assert len(farm.starts()) == 1
    assert_stopped(ended, farm)


def test_a_crash_of_nuke_fails_the_session(farm: Farm) -> None:
    """Nuke that dies in mid-frame fails its task with the adaptor's words and the exit code."""
    ended = render(farm, "crash_at 2")
    assert ended.status != 0
    (failure,) = ended.messages("fail")
    assert "Nuke exited early and did not render successfully" in failure
    assert failure.endswith("Exit code 139")
    assert {"event": "error", "exit_code": 139}.items() <= farm.telemetry()[-1].items()
    assert_stopped(ended, farm)


def test_a_script_that_is_missing_fails_the_start(farm: Farm) -> None:
    """Nuke that cannot open its script fails the environment; onExit still cleans up."""
    ended = render(farm, NukeScriptFile=str(farm.folder / "missing.nk"))
    assert ended.status != 0
    (failure,) = ended.messages("fail")
    assert failure.startswith("Error encountered while starting adaptor: ")
    assert len(farm.starts()) == 1
    assert_stopped(ended, farm)


def test_a_cancel_ends_nuke_in_mid_frame(farm: Farm) -> None:
    """Ctrl-C on the session reaches the adaptor's on_cancel, which kills Nuke; nothing is left."""
    ended = render(farm, "hang_at 2", interrupt_at="hanging at frame 2")
    assert ended.status != 0
    assert ended.lines("ADAPTOR_OUTPUT: INFO: CANCEL REQUESTED"), ended.output
    assert pictures(farm) == ["beauty.0001.ppm"]
    assert_stopped(ended, farm)
