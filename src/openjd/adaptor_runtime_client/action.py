"""Action: what the adaptor asks of the application; and ``action``, which marks what answers it."""

from __future__ import annotations

import json
import sys

TYPE_CHECKING = False  # typing itself is not loaded inside the application
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Optional, TypeVar, Union, overload

    Method = TypeVar("Method", bound=Callable[..., Any])
else:

    def overload(function: Any) -> Any:
        """Of use to type checkers alone."""
        return function


#: The attribute of a function that holds the name of its action.
MARK = "__openjd_action__"


class Action:
    """A name and the arguments that go with it. Immutable.

    Args:
        name: the key of ``ClientInterface.actions`` to call.
        args: what it is called with; anything that JSON can express, or None.
    """

    __slots__ = ("name", "args")

    name: str
    args: Optional[Dict[str, Any]]

    def __init__(self, name: str, args: Optional[Dict[str, Any]] = None) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "args", args)

    def __setattr__(self, key: str, value: Any) -> None:
        raise AttributeError("an Action cannot be changed: {!r}".format(key))

    def __delattr__(self, key: str) -> None:
        raise AttributeError("an Action cannot be changed: {!r}".format(key))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Action):
            return NotImplemented
        return (self.name, self.args) == (other.name, other.args)

    def __hash__(self) -> int:
        return hash(str(self))

    def __reduce__(self) -> Any:
        return Action, (self.name, self.args)

    def __repr__(self) -> str:
        return "Action(name={!r}, args={!r})".format(self.name, self.args)

    def __str__(self) -> str:
        """The action as JSON: ``{"name": ..., "args": ...}``."""
        return json.dumps({"name": self.name, "args": self.args})

    @staticmethod
    def from_json_string(json_str: str) -> Optional[Action]:
        """The action that `json_str` describes; None, and a line on stderr, when it is none."""
        try:
            data = json.loads(json_str)
            name = data["name"]
            args = data.get("args")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as e:
            return Action._refused(json_str, "{}: {}".format(type(e).__name__, e))
        if not isinstance(name, str):
            return Action._refused(json_str, "its name is no string")
        if args is not None and not isinstance(args, dict):
            return Action._refused(json_str, "its args are no JSON object")
        return Action(name, args)

    @staticmethod
    def from_bytes(s: bytes) -> Optional[Action]:
        """The action that `s`, JSON in UTF-8, describes; None, and a line on stderr, if none."""
        try:
            text = s.decode("utf-8")
        except UnicodeDecodeError as e:
            return Action._refused(repr(s), str(e))
        return Action.from_json_string(text)

    @staticmethod
    def _refused(what: str, why: str) -> Optional[Action]:
        print("ERROR: this is no action: {} ({})".format(what, why), file=sys.stderr, flush=True)
        return None


@overload
def action(method: Method) -> Method: ...


@overload
def action(*, name: Optional[str] = None) -> Callable[[Method], Method]: ...  # noqa: F811


def action(  # noqa: F811
    method: Optional[Callable[..., Any]] = None, *, name: Optional[str] = None
) -> Union[Callable[..., Any], Callable[[Any], Any]]:
    """Marks a method of an ApplicationClient as an action: ``@action``, ``@action(name="load")``.

    Args:
        method: the method. Its parameters are called by their names, and checked against their
            annotations first; what it returns (anything that JSON can express) is the answer.
        name: what the adaptor calls it; the method's own name if not given.

    Raises:
        TypeError: it is put on something that is no function, or `name` is no text.
    """

    def mark(function: Any) -> Any:
        if not callable(function) or isinstance(function, (classmethod, staticmethod, type)):
            raise TypeError(
                "@action belongs directly on a method, not on {!r}".format(type(function).__name__)
            )
        setattr(function, MARK, name or function.__name__)
        return function

    if name is not None and not (isinstance(name, str) and name):
        raise TypeError("an action's name is a text that is not empty, not {!r}".format(name))
    return mark if method is None else mark(method)


class _Module(type(sys)):  # type: ignore[misc]
    """This module. The package's name ``action`` is the decorator, and it is this module as soon
    as anybody has imported it: so the module is the decorator as well.
    """

    __call__ = staticmethod(action)


sys.modules[__name__].__class__ = _Module
