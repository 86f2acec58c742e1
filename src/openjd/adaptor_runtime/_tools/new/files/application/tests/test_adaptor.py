"""Engraver's adaptor, with a fake Engraver where nothing else is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from openjd.adaptor_runtime.testing import MODES, AdaptorSession, FakeApplication, Script

from engraver_adaptor.adaptor import EngraverAdaptor

Sessions = Callable[..., AdaptorSession]
Fakes = Callable[..., FakeApplication]

ADAPTOR = EngraverAdaptor
INIT_DATA = {"scene": "scene.txt", "output_dir": "output"}


@pytest.mark.parametrize("mode", MODES)
def test_a_chunk_of_frames(mode: str, adaptor_session: Sessions, fake_application: Fakes) -> None:
    """The scene is opened once; each frame is a call, and its picture must be there."""
    script = Script()
    script.action("load")
    script.action("render").progress(50).writes("{output}")
    fake = fake_application(script)
    session = adaptor_session(ADAPTOR, INIT_DATA, application=fake, mode=mode)

    session.run({"frames": "1-2"}).assert_ok().assert_progress([25, 50, 75, 100])
    session.run({"frames": "7"}).assert_ok().assert_status("Rendering frame 7")

    assert [name for name, _ in fake.actions] == ["load", "render", "render", "render"]
    assert fake.actions[-1][1]["frame"] == 7
    assert (session.folder / "output" / "frame_0007.svg").is_file()


def test_an_error_in_the_output(adaptor_session: Sessions) -> None:
    """It fails the task, whatever Engraver answers."""
    script = Script()
    script.action("load")
    script.action("render").prints("Error: no camera").writes("{output}")
    session = adaptor_session(ADAPTOR, INIT_DATA, application=script)

    session.run({"frames": "1"}).assert_failed("no camera")


def test_a_picture_that_is_not_there(adaptor_session: Sessions) -> None:
    """A task that ends without its pictures has failed."""
    session = adaptor_session(ADAPTOR, INIT_DATA, application=Script.generic())

    session.run({"frames": "1"}).assert_failed("frame_0001.svg")


def test_data_that_does_not_fit(adaptor_session: Sessions) -> None:
    """The schemas say what init data and run data may be."""
    session = adaptor_session(ADAPTOR, INIT_DATA, application=Script.generic())

    session.run({"frames": 1}).assert_failed("/frames")


def test_the_client(adaptor_session: Sessions, tmp_path: Path) -> None:
    """The client itself, in what `command` starts."""
    # EDIT: once that is Engraver, this test needs it: give it a scene of Engraver's then.
    scene = tmp_path / "scene.txt"
    scene.write_text("gold\n", encoding="utf-8")
    session = adaptor_session(ADAPTOR, {**INIT_DATA, "scene": str(scene)})

    session.run({"frames": "1-2"}).assert_ok().assert_progress()

    picture = session.folder / "output" / "frame_0002.svg"
    assert 'fill="gold"' in picture.read_text(encoding="utf-8")
