"""Action and ActionsQueue, by themselves."""

from __future__ import annotations

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openjd.adaptor_runtime.application_ipc import ActionsQueue
from openjd.adaptor_runtime_client import Action


class TestAction:
    def test_text_is_json(self) -> None:
        """The text of an action is its JSON, which is what clients print."""
        assert str(Action("render")) == '{"name": "render", "args": null}'
        assert str(Action("set", {"frame": 1})) == '{"name": "set", "args": {"frame": 1}}'

    @given(
        st.text(),
        st.none() | st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.none())),
    )
    def test_round_trip(self, name: str, args: dict | None) -> None:
        """Text and bytes of an action give an equal action back."""
        action = Action(name, args)
        for again in (
            Action.from_json_string(str(action)),
            Action.from_bytes(str(action).encode("utf-8")),
            pickle.loads(pickle.dumps(action)),
        ):
            assert again == action
            assert hash(again) == hash(action)

    def test_frozen(self) -> None:
        """An action cannot be changed."""
        action = Action("render", {"frame": 1})
        with pytest.raises(AttributeError):
            action.name = "other"
        with pytest.raises(AttributeError):
            del action.args
        assert action == Action("render", {"frame": 1})

    def test_differs(self) -> None:
        """Actions are equal where name and args are."""
        assert Action("a") != Action("b")
        assert Action("a") != Action("a", {})
        assert Action("a") != "a"

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "nonsense",
            "[]",
            "null",
            "1",
            '"name"',
            "{}",
            '{"args": {}}',
            '{"name": null}',
            '{"name": 1, "args": {}}',
            '{"name": "a", "args": []}',
            '{"name": "a", "args": "b"}',
            pytest.param("[" * 100_000, id="deep JSON"),
        ],
    )
    def test_text_that_is_no_action(self, text: str, capsys: pytest.CaptureFixture[str]) -> None:
        """What is no action gives None, and one line on stderr that says so."""
        assert Action.from_json_string(text) is None
        assert Action.from_bytes(text.encode()) is None
        captured = capsys.readouterr()
        assert captured.out == ""
        first, second = captured.err.splitlines()
        assert first.startswith("ERROR: ")
        assert second.startswith("ERROR: ")

    def test_bytes_that_are_no_text(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Bytes that are not UTF-8 give None, and one line on stderr."""
        assert Action.from_bytes(b'{"name": "\xff"}') is None
        assert capsys.readouterr().err.count("ERROR: ") == 1

    def test_args_may_be_left_out(self) -> None:
        """JSON without args is an action with None."""
        assert Action.from_json_string('{"name": "a"}') == Action("a", None)


class TestActionsQueue:
    def test_order(self) -> None:
        """Actions come out as they went in; those put in front come first, the last one first."""
        queue = ActionsQueue()
        queue.enqueue_action(Action("a"))
        queue.enqueue_action(Action("b"))
        queue.enqueue_action(Action("c"), front=True)
        queue.enqueue_action(Action("d"), front=True)
        names = []
        while queue:
            action = queue.dequeue_action()
            assert action is not None
            names.append(action.name)
        assert names == ["d", "c", "a", "b"]

    def test_length_and_truth(self) -> None:
        """The length is the number of actions that nobody has taken; none is false."""
        queue = ActionsQueue()
        assert not queue
        assert len(queue) == 0
        queue.enqueue_action(Action("a"))
        queue.enqueue_action(Action("b"))
        assert queue
        assert len(queue) == 2
        queue.dequeue_action()
        assert len(queue) == 1

    def test_nothing_to_take(self) -> None:
        """An empty queue gives None, and does not wait."""
        assert ActionsQueue().dequeue_action() is None

    @pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes"])
    def test_what_cannot_be_sent_is_refused_at_once(self, value: object) -> None:
        """Whoever enqueues what JSON cannot express hears of it there, and nothing is queued."""
        queue = ActionsQueue()
        with pytest.raises(Exception, match="JSON"):
            queue.enqueue_action(Action("set", {"value": value}))
        assert len(queue) == 0

    def test_the_action_itself_comes_out(self) -> None:
        """What is dequeued is the action that was enqueued."""
        queue = ActionsQueue()
        action = Action("a", {"text": "\u00fc\ud800", "number": 1.5, "nothing": None})
        queue.enqueue_action(action)
        assert json.loads(str(queue.dequeue_action())) == json.loads(str(action))
