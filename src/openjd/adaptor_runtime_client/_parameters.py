"""What an action's method takes, and whether arguments that came suit it.

Read from the function itself: ``inspect`` and ``typing`` are not loaded inside the application.
Annotations may be types, what ``typing`` makes of them, or text (``from __future__ import
annotations``), which is read as syntax: an application's Python may be older than the notation
in it. An annotation that says nothing about JSON is not checked.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself is not loaded inside the application
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Optional, Sequence, Tuple

    #: Where in the value, what belongs there, what is there.
    Misfit = Tuple[str, str, Any]

_ONLY_SYNTAX = 0x400  # ast.PyCF_ONLY_AST, without the module
_TAKES_ANY_KEYWORD = 0x08  # inspect.CO_VARKEYWORDS
_LONGEST_SHOWN = 60

# JSON has no subclasses: what it decodes to is of one of these types.
_PLAIN: Dict[str, Tuple[type, ...]] = {
    "bool": (bool,),
    "int": (int,),
    "float": (float, int),
    "str": (str,),
    "list": (list,),
    "dict": (dict,),
    "None": (type(None),),
}
_ALIASES = {
    "List": "list",
    "Dict": "dict",
    "Mapping": "dict",
    "MutableMapping": "dict",
    "NoneType": "None",
}


class Check:
    """What a value has to be.

    Args:
        text: how to say it.
        find: gives the first place where a value is something else, or None.
    """

    __slots__ = ("text", "find")

    def __init__(self, text: str, find: Callable[[Any], Optional[Misfit]]) -> None:
        self.text = text
        self.find = find


class Parameters:
    """The parameters of an action.

    Args:
        action: its name, for messages.
        method: what is called with keyword arguments.
    """

    __slots__ = ("_action", "_checks", "_names", "_open", "_required")

    def __init__(self, action: str, method: Any) -> None:
        self._action = action
        self._names: Tuple[str, ...] = ()
        self._required: Tuple[str, ...] = ()
        self._checks: Dict[str, Check] = {}
        function = getattr(method, "__func__", method)
        bound = function is not method
        while hasattr(function, "__wrapped__"):  # by functools.wraps
            function = function.__wrapped__
        code = getattr(function, "__code__", None)
        # Of what is no Python function nothing is known beforehand.
        self._open = code is None or bool(code.co_flags & _TAKES_ANY_KEYWORD)
        if code is None:
            return
        count = code.co_argcount
        only = code.co_varnames[count : count + code.co_kwonlyargcount]
        usual = code.co_varnames[:count]
        without_default = count - len(function.__defaults__ or ())
        required = usual[:without_default]
        if bound:
            usual, required = usual[1:], required[1:]
        optional = function.__kwdefaults__ or {}
        self._names = usual + only
        self._required = required + tuple(name for name in only if name not in optional)
        for name, annotation in _annotations(function).items():
            check = _checked(annotation, getattr(function, "__globals__", {}))
            if check is not None and name in self._names:
                self._checks[name] = check

    def require(self, args: Any) -> None:
        """Returns if the method can be called with the keyword arguments `args`.

        Raises:
            TypeError: it cannot. It names action and parameter, what belongs there and what came.
        """
        if type(args) is not dict:
            raise TypeError(
                "{} takes its arguments by name, not as {}".format(self._action, _shown(args))
            )
        for name in args:
            if name not in self._names and not self._open:
                known = ", ".join(self._names) or "none"
                raise TypeError(
                    "{} has no parameter {!r} (it has: {})".format(self._action, name, known)
                )
        for name in self._required:
            if name not in args:
                check = self._checks.get(name)
                kind = " ({})".format(check.text) if check else ""
                raise TypeError(
                    "parameter {!r}{} of {} is missing".format(name, kind, self._action)
                )
        for name, check in self._checks.items():
            if name in args:
                misfit = check.find(args[name])
                if misfit is not None:
                    place, text, value = misfit
                    raise TypeError(
                        "parameter '{}{}' of {} must be {}, not {}".format(
                            name, place, self._action, text, _shown(value)
                        )
                    )


def _shown(value: Any) -> str:
    if value is None:
        return "None"
    text = repr(value)
    if len(text) > _LONGEST_SHOWN:
        text = text[:_LONGEST_SHOWN] + "..."
    return "{} {}".format(type(value).__name__, text)


def _annotations(function: Any) -> Dict[str, Any]:
    try:
        return dict(function.__annotations__)
    except Exception:
        pass  # Since Python 3.14 they are evaluated here, and may name what is not there.
    try:
        from importlib import import_module

        library = import_module("annotationlib")
        found = library.get_annotations(function, format=library.Format.STRING)
        return dict(found)
    except Exception:
        return {}


def _checked(annotation: Any, names: Dict[str, Any]) -> Optional[Check]:
    try:
        return _Reader(names).of_object(annotation)
    except Exception:  # of objects that are none of ours, or an alias of itself
        return None


class _Reader:
    """Turns annotations into checks; None stands for anything at all.

    Args:
        names: the globals of the module that the annotation stands in.
    """

    def __init__(self, names: Dict[str, Any]) -> None:
        self._names = names

    def of_object(self, annotation: Any) -> Optional[Check]:
        if annotation is None:
            return _plain("None")
        if isinstance(annotation, str):
            # The flag makes it a tree of _ast, which is built in.
            tree = compile(annotation.strip(), "<annotation>", "eval", _ONLY_SYNTAX)
            return self._of_syntax(tree.body)
        forward = getattr(annotation, "__forward_arg__", None)  # typing.ForwardRef
        if forward is not None:
            return self.of_object(forward)
        if hasattr(annotation, "__metadata__"):  # typing.Annotated
            return self.of_object(annotation.__origin__)
        args = getattr(annotation, "__args__", None) or ()
        if type(annotation).__name__ in ("UnionType", "Union"):  # X | Y
            return _generic("Union", args, self.of_object, _same)
        origin = getattr(annotation, "__origin__", None)
        if origin is None:
            return _plain(_name(annotation))
        return _generic(_name(origin), args, self.of_object, _same)

    def _of_syntax(self, node: Any) -> Optional[Check]:
        kind = type(node).__name__
        if kind in ("Name", "Attribute"):
            name = node.id if kind == "Name" else node.attr
            if kind == "Name" and name in self._names:
                return self.of_object(self._names[name])
            return _plain(name)
        if kind in ("Constant", "NameConstant", "Str"):
            return self.of_object(_constant(node))
        if kind == "BinOp" and type(node.op).__name__ == "BitOr":
            return _generic("Union", (node.left, node.right), self._of_syntax, _constant)
        if kind == "Subscript":
            inner = node.slice
            if type(inner).__name__ == "Index":  # until Python 3.8
                inner = inner.value
            args = inner.elts if type(inner).__name__ == "Tuple" else (inner,)
            return _generic(self._base(node.value), args, self._of_syntax, _constant)
        return None

    def _base(self, node: Any) -> str:
        """The name of what stands before the bracket."""
        if type(node).__name__ == "Attribute":
            return str(node.attr)
        name = str(node.id)
        return _name(self._names[name]) if name in self._names else name


def _same(value: Any) -> Any:
    return value


def _constant(node: Any) -> Any:
    """The value of a constant in any version's syntax tree."""
    for field in ("value", "s", "n"):
        if hasattr(node, field):
            return getattr(node, field)
    raise ValueError("no constant")


def _name(kind: Any) -> str:
    """The name of a type that may be known here, whatever it is called where it is used."""
    module = getattr(kind, "__module__", "")
    if module not in ("builtins", "typing", "typing_extensions", "collections.abc"):
        return ""
    # typing's own have no __name__ in older versions.
    return str(getattr(kind, "_name", None) or getattr(kind, "__name__", ""))


def _plain(name: str) -> Optional[Check]:
    name = _ALIASES.get(name, name)
    types = _PLAIN.get(name)
    if types is None:
        return None

    def find(value: Any) -> Optional[Misfit]:
        return None if type(value) in types else ("", name, value)

    return Check(name, find)


def _generic(
    name: str,
    args: Sequence[Any],
    read: Callable[[Any], Optional[Check]],
    literal: Callable[[Any], Any],
) -> Optional[Check]:
    name = _ALIASES.get(name, name)
    if name == "Union":
        return _any_of([read(arg) for arg in args])
    if name == "Optional" and len(args) == 1:
        return _any_of([read(args[0]), _plain("None")])
    if name == "Annotated" and args:
        return read(args[0])
    if name == "Literal":
        return _one_of([literal(arg) for arg in args])
    if name == "list" and len(args) == 1:
        return _each("list", read(args[0]), list, enumerate)
    if name == "dict" and len(args) == 2:
        # Every key of a JSON object is text.
        return _each("dict", read(args[1]), dict, dict.items)
    return _plain(name)


def _any_of(checks: Sequence[Optional[Check]]) -> Optional[Check]:
    known = [check for check in checks if check is not None]
    if len(known) < len(checks):
        return None
    text = " or ".join(check.text for check in known)

    def find(value: Any) -> Optional[Misfit]:
        misfit = None
        for check in known:
            found = check.find(value)
            if found is None:
                return None
            # What is wrong within a list says more than that it is no None.
            if found[0]:
                misfit = found
        return misfit or ("", text, value)

    return Check(text, find)


def _one_of(values: Sequence[Any]) -> Check:
    text = " or ".join(map(repr, values))

    def find(value: Any) -> Optional[Misfit]:
        for each in values:
            if type(each) is type(value) and each == value:
                return None
        return "", text, value

    return Check(text, find)


def _each(
    name: str,
    check: Optional[Check],
    kind: type,
    items: Callable[[Any], Any],
) -> Optional[Check]:
    if check is None:
        return _plain(name)
    element = check
    text = "{}[{}]".format(name, ("str, " if kind is dict else "") + element.text)

    def find(value: Any) -> Optional[Misfit]:
        if type(value) is not kind:
            return "", text, value
        for key, item in items(value):
            found = element.find(item)
            if found is not None:
                return "[{!r}]".format(key) + found[0], found[1], found[2]
        return None

    return Check(text, find)
