"""The pytest plugin ``openjd_adaptor``: fixtures for tests of adaptors.

Loaded by pytest wherever the package is installed, so it imports next to nothing and changes
nothing for tests that do not ask for its fixtures. ``-p no:openjd_adaptor`` leaves it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .application import FakeApplication
    from .sessions import AdaptorSession


@pytest.fixture
def fake_application(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., FakeApplication]]:
    """Makes fake applications: ``fake_application(script, name)``; see ``FakeApplication``.

    One with a name is found by it on PATH until the test ends.
    """
    from contextlib import ExitStack

    from .application import FakeApplication

    # Not in the temporary folder, where whoever is tested may leave nothing.
    folder = tmp_path_factory.getbasetemp()
    with ExitStack() as stack:

        def make(*args: Any, **options: Any) -> FakeApplication:
            return stack.enter_context(FakeApplication(*args, **{"folder": folder, **options}))

        yield make


@pytest.fixture
def adaptor_session(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    fake_application: Callable[..., FakeApplication],
) -> Iterator[Callable[..., AdaptorSession]]:
    """Makes sessions: ``adaptor_session(adaptor, init_data, …)``; see ``AdaptorSession``.

    They end with the test, which fails if they leave something behind. What the test has patched
    with ``monkeypatch`` is undone after that.
    """
    from .sessions import AdaptorSession

    # Decided when first asked for, and not while a session has a temporary folder of its own.
    tmp_path_factory.getbasetemp()
    sessions: list[AdaptorSession] = []

    def make(*args: Any, **options: Any) -> AdaptorSession:
        sessions.append(AdaptorSession(*args, **options))
        return sessions[-1]

    yield make
    problem: BaseException | None = None
    while sessions:
        try:
            sessions.pop().close()
        except BaseException as e:
            problem = problem or e
    if problem is not None:
        raise problem
