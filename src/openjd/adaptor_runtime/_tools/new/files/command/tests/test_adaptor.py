"""Engraver's adaptor, with a fake Engraver in its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from openjd.adaptor_runtime.testing import MODES, AdaptorSession, FakeApplication, Script

import engraver_adaptor

Sessions = Callable[..., AdaptorSession]
Fakes = Callable[..., FakeApplication]

ADAPTOR = Path(engraver_adaptor.__file__).with_name("adaptor.toml")
INIT_DATA = {"scene": "scene.txt", "output_dir": "output"}


@pytest.mark.parametrize("mode", MODES)
def test_a_chunk_of_frames(mode: str, adaptor_session: Sessions, fake_application: Fakes) -> None:
    """The command runs once for each frame, whose picture must be there."""
    script = Script()
    script.command().prints("Progress: 50%").writes("{--output}")
    fake = fake_application(script)
    session = adaptor_session(ADAPTOR, INIT_DATA, application=fake, mode=mode)

    session.run({"frames": "1,7"}).assert_ok().assert_progress([25, 50, 75, 100])

    for command, frame in zip(fake.commands, ["1", "7"]):
        assert command[:4] == ["--scene", "scene.txt", "--frame", frame]
    assert (session.folder / "output" / "frame_0007.svg").is_file()


def test_an_error_in_the_output(adaptor_session: Sessions) -> None:
    """It fails the task, whatever the exit code is."""
    script = Script()
    script.command().prints("Error: no camera").writes("{--output}")
    session = adaptor_session(ADAPTOR, INIT_DATA, application=script)

    session.run({"frames": "1"}).assert_failed("no camera")


def test_a_picture_that_is_not_there(adaptor_session: Sessions) -> None:
    """A task that ends without its pictures has failed."""
    session = adaptor_session(ADAPTOR, INIT_DATA, application=Script.generic())

    session.run({"frames": "1"}).assert_failed("frame_0001.svg")


def test_data_that_does_not_fit(adaptor_session: Sessions) -> None:
    """The fields say what init data and run data may be."""
    session = adaptor_session(ADAPTOR, INIT_DATA, application=Script.generic())

    session.run({"frames": 1}).assert_failed("/frames")
