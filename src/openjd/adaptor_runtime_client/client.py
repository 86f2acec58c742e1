"""ClientInterface: what an application runs to take actions from its adaptor."""

from __future__ import annotations

import signal
import sys
import threading

from .action import Action
from .path_mapping import PathMapper, PathMappingRule
from .wire import framing, messages
from .wire.errors import ConnectionLost, WireError
from .wire.transport import connect, wake_on_signals

TYPE_CHECKING = False  # typing itself is not loaded inside the application
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any, Callable, Dict, List, Optional, Tuple

    from .wire.transport import Connection


_NEXT = framing.encode_message({"type": messages.NEXT})


class ClientInterface:
    """Connects the application to its adaptor and performs the actions that it sends.

    Subclasses add to ``actions``, and define ``close`` and ``graceful_shutdown``.

    Args:
        server_path: where the adaptor's server listens (``AdaptorServer.server_path``).
        **kwargs: ``socket_path`` is a deprecated spelling of the same; there are no others.

    Raises:
        TypeError: there is no path, an argument that is not known, or one of the two methods is
            not defined.
    """

    #: Action name -> what to call with the action's args (a dict, or None).
    actions: Dict[str, Callable[[Optional[Dict[str, Any]]], Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> ClientInterface:
        for method in ("close", "graceful_shutdown"):
            if getattr(cls, method) is getattr(ClientInterface, method):
                raise TypeError("{} must define the method {}".format(cls.__name__, method))
        return super().__new__(cls)

    def __init__(self, server_path: Optional[str] = None, **kwargs: Any) -> None:
        if "socket_path" in kwargs:
            _deprecated()
            server_path = server_path or kwargs["socket_path"]
        unknown = sorted(set(kwargs) - {"socket_path"})
        if unknown:
            raise TypeError("ClientInterface knows no argument {!r}".format(unknown[0]))
        if not server_path:
            raise TypeError("ClientInterface needs server_path, where its adaptor listens")
        self.server_path = server_path
        self._polling: Optional[Connection] = None
        self.actions = {"close": self.close}
        # Serialises exchanges: map_path may be called from any thread of the application.
        self._lock = threading.Lock()
        self._mapper: Optional[PathMapper] = None
        self._rules: List[PathMappingRule] = []
        if threading.current_thread() is threading.main_thread():
            if sys.platform == "win32":
                signal.signal(signal.SIGBREAK, self.graceful_shutdown)
            else:
                signal.signal(signal.SIGTERM, self.graceful_shutdown)
            wake_on_signals()

    @property
    def socket_path(self) -> str:
        """A deprecated name of ``server_path``."""
        _deprecated()
        return self.server_path

    def close(self, args: Optional[Dict[str, Any]]) -> None:
        """The action ``close``: end the application; `args` are None. Subclasses define it."""
        raise NotImplementedError

    def graceful_shutdown(self, signum: int, frame: Optional[FrameType]) -> None:
        """The handler of SIGTERM (SIGBREAK on Windows). Subclasses define it.

        `signum` and `frame` are what Python gives to every handler of a signal.
        """
        raise NotImplementedError

    def poll(self) -> None:
        """Performs actions, one after the other, until the one named ``close`` has run.

        Waits for the next action on an open connection. When the adaptor's server is gone it
        says so on stderr and returns: there is nobody left to work for.
        """
        # The actions come on a connection of their own: a map_path from within an action, or
        # from another thread, must not wait for the next action to arrive.
        try:
            connection = connect(self.server_path)
        except (WireError, OSError) as e:
            _complain("cannot reach the adaptor: {}".format(e))
            return
        try:
            while True:
                try:
                    answer = connection.exchange(_NEXT)
                except ConnectionLost:
                    _complain("the adaptor is gone, no more actions will come")
                    return
                except WireError as e:
                    _complain("the connection to the adaptor failed: {}".format(e))
                    return
                action = Action(answer["name"], answer.get("args"))
                self._perform_action(action)
                if action.name == "close":
                    return
        finally:
            connection.close()

    # A published client that is called by its application at every tick, and so cannot block in
    # poll(), calls these two by their names of 0.9.

    def _request_next_action(self) -> Tuple[int, str, Optional[Action]]:
        """(200, reason, the next action or None), at once; (503, reason, None) without adaptor."""
        try:
            if self._polling is None:
                self._polling = connect(self.server_path)
            answer = self._polling.request({"type": messages.POLL})
        except WireError as e:
            self._polling = None
            return 503, str(e), None
        if answer["type"] == messages.NOTHING:
            return 200, "OK", None
        return 200, "OK", Action(answer["name"], answer.get("args"))

    def _perform_action(self, action: Action) -> None:
        print("Performing action: {}".format(action), flush=True)
        function = self.actions.get(action.name)
        if function is None:
            _complain("there is no action {!r}; it was skipped".format(action.name))
            return
        function(action.args)

    def path_mapping_rules(self) -> List[PathMappingRule]:
        """The session's path mapping rules, asked for once.

        Raises:
            ConnectionError: the adaptor cannot be reached.
        """
        self._fetch_rules()
        return list(self._rules)

    def map_path(self, path: str) -> str:
        """`path` as the session's path mapping rules map it (specification, "Path Mapping").

        The rules are applied here, in the application, after one request for them.

        Raises:
            ConnectionError: the adaptor cannot be reached.
        """
        mapper = self._mapper or self._fetch_rules()
        return mapper.map(path)

    def _fetch_rules(self) -> PathMapper:
        with self._lock:
            if self._mapper is None:
                answer = self._request({"type": messages.RULES})
                self._rules = [PathMappingRule.from_dict(rule=rule) for rule in answer["rules"]]
                if answer.get("warn_unmapped_paths"):
                    from .unmapped_paths import WarningPathMapper

                    self._mapper = WarningPathMapper(self._rules, _warn)
                else:
                    self._mapper = PathMapper(self._rules)
            return self._mapper

    def _request(self, message: messages.Message) -> messages.Message:
        try:
            connection = connect(self.server_path)
            try:
                return connection.request(message)
            finally:
                connection.close()
        except WireError as e:
            raise ConnectionError("cannot reach the adaptor: {}".format(e)) from e


def _deprecated() -> None:
    import warnings

    warnings.warn("socket_path is deprecated, use server_path", DeprecationWarning, stacklevel=3)


def _warn(text: str) -> None:
    print("WARNING: {}".format(text), flush=True)


def _complain(text: str) -> None:
    print("ERROR: {}".format(text), file=sys.stderr, flush=True)
