"""ActionsQueue: what the application shall do next."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from openjd.adaptor_runtime_client.action import Action
from openjd.adaptor_runtime_client.wire.framing import encode_message
from openjd.adaptor_runtime_client.wire.messages import ACTION

#: Gives an action, as a frame, to a client that waits for it; False if that client is gone.
Taker = Callable[[bytes], bool]


class ActionsQueue:
    """Actions in the order in which the application will take them.

    An action stays in the queue until a client takes it, one at a time: a queue that has
    become empty says that the application has come as far as its last action.
    """

    def __init__(self) -> None:
        # Each with its frame: what cannot be sent must fail where it is enqueued.
        self._actions: deque[tuple[Action, bytes]] = deque()
        self._takers: deque[Taker] = deque()
        self._lock = threading.Lock()

    def enqueue_action(self, a: Action, front: bool = False) -> None:
        """Adds an action. A client that waits gets it at once.

        Args:
            a: the action.
            front: before all others, instead of behind them.

        Raises:
            LocalProtocolError: its arguments cannot be expressed in JSON, or are too large.
        """
        frame = encode_message({"type": ACTION, "name": a.name, "args": a.args})
        with self._lock:
            if front:
                self._actions.appendleft((a, frame))
            else:
                self._actions.append((a, frame))
        self._match()

    def dequeue_action(self) -> Action | None:
        """Takes the next action; None if there is none."""
        with self._lock:
            return self._actions.popleft()[0] if self._actions else None

    def take(self, taker: Taker) -> None:
        """Calls `taker` with the next action, now or when there is one."""
        with self._lock:
            self._takers.append(taker)
        self._match()

    def offer(self, taker: Taker) -> bool:
        """Calls `taker` with the next action if there is one, and says whether there was."""
        with self._lock:
            if not self._actions:
                return False
            self._takers.appendleft(taker)
        self._match()
        return True

    def forget(self, taker: Taker) -> None:
        """Withdraws a ``take`` of `taker` that was not answered yet."""
        with self._lock:
            if taker in self._takers:
                self._takers.remove(taker)

    def _match(self) -> None:
        # The thread that brings the two together hands the action over itself: no other thread
        # has to wake first. Not under the lock, since it writes to a socket.
        while True:
            with self._lock:
                if not self._actions or not self._takers:
                    return
                action, taker = self._actions.popleft(), self._takers.popleft()
            if not taker(action[1]):
                with self._lock:
                    self._actions.appendleft(action)

    def __len__(self) -> int:
        return len(self._actions)

    def __bool__(self) -> bool:
        return bool(self._actions)
