"""Script: what a fake application does, as data; built in Python, or read from a file."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .._suggestions import suggestion
from .._text import one_line
from ..application.placeholders import json_type

FORMAT = 1

#: What a step may hold beside its verb: the name, and whether a value is fine.
_Check = Callable[[Any], bool]


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _lines(value: Any) -> bool:
    return _text(value) or (isinstance(value, list) and all(map(_text, value)))


def _true(value: Any) -> bool:
    return value is True


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _seconds(value: Any) -> bool:
    return _number(value) and 0 <= value <= 1e6


def _exit_code(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 32


def _signal(value: Any) -> bool:
    return _text(value) and value in SIGNALS


def _hex(value: Any) -> bool:
    try:
        return bool(bytes.fromhex(value))
    except (TypeError, ValueError):
        return False


def _json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


#: The signals that a fake application can be ended by.
SIGNALS = (
    "SIGABRT", "SIGBUS", "SIGFPE", "SIGHUP", "SIGILL", "SIGINT", "SIGKILL", "SIGPIPE", "SIGSEGV",
    "SIGTERM", "SIGXCPU",
)  # fmt: skip

_TEXT: tuple[_Check, str] = (_text, "a text")
_LINES: tuple[_Check, str] = (_lines, "a text, or a list of texts,")
_FLAG: tuple[_Check, str] = (_flag, "true or false")
_TRUE: tuple[_Check, str] = (_true, "true")
_NUMBER: tuple[_Check, str] = (_number, "a number")

#: Verb -> what its value must be, in words; and the keys that may stand beside it.
STEPS: dict[str, tuple[tuple[_Check, str], dict[str, tuple[_Check, str]]]] = {
    "print": (_LINES, {"fill": _FLAG}),
    "print_error": (_LINES, {"fill": _FLAG}),
    "print_hex": ((_hex, "bytes in hexadecimal digits, such as 'c3 28 0a'"), {}),
    "wait": ((_seconds, "a number of seconds, 0 or more,"), {}),
    "write": (_TEXT, {"text": _TEXT}),
    "progress": (_NUMBER, {}),
    "status": (_TEXT, {}),
    "deaf": (_TRUE, {}),
    "child": (_TRUE, {}),
    "python": (_TEXT, {}),
    "answer": (_TRUE, {"server": _TEXT}),
    "hang": (_TRUE, {}),
    "exit": ((_exit_code, "an exit code, 0 or more,"), {}),
    "crash": ((_signal, f"one of {', '.join(SIGNALS)}"), {}),
    "returns": ((_json, "a value that JSON can express"), {}),
    "raises": (_TEXT, {"type": _TEXT}),
}
#: After these nothing comes any more.
ENDINGS = frozenset({"python", "answer", "hang", "exit", "crash", "returns", "raises"})
_OF_COMMANDS = frozenset({"python", "answer"})
_OF_ACTIONS = frozenset({"returns", "raises"})


class ScriptError(ValueError):
    """A script cannot be used; the message says where, why, and what would do."""


class Part:
    """What is done on one command, or for one action: steps, one after the other.

    Made by ``Script.command`` and ``Script.action``; each method adds a step and returns the part.

    Raises:
        ScriptError: the value does not do, or the part has had its end.
    """

    def __init__(self, kind: str, head: dict[str, Any]) -> None:
        self._kind = kind
        self._head = head
        self._steps: list[dict[str, Any]] = []

    def prints(self, *lines: str, every: float = 0.0, fill: bool = False) -> Part:
        """Prints lines on stdout.

        Args:
            lines: without their ends.
            every: seconds before each of them.
            fill: ``{name}`` in them stands for a field; see ``writes``.
        """
        return self._print("print", lines, every, fill)

    def prints_error(self, *lines: str, every: float = 0.0, fill: bool = False) -> Part:
        """Prints lines on stderr; `every` and `fill` as for ``prints``."""
        return self._print("print_error", lines, every, fill)

    def prints_bytes(self, data: bytes) -> Part:
        """Writes `data` to stdout as it is: no text, half a line, whatever."""
        return self._add(print_hex=data.hex(" "))

    def waits(self, seconds: float) -> Part:
        """Lets time pass (`seconds`)."""
        return self._add(wait=seconds)

    def writes(self, path: str, text: str | None = None) -> Part:
        """Writes a file, and the folders for it.

        Args:
            path: ``{name}`` in it stands for a field. The fields of an action are its parameters.
                Those of a command are ``{1}``, its first argument, ``{-1}``, its last one, and so
                on, and ``{--output}``, what stands behind the option ``--output`` (``-o`` …).
                ``{*.png}`` is the last argument, or parameter, that ends so: a name with ``*``
                is a pattern. ``{$NAME}`` is an environment variable. ``{{`` is a brace. A
                ``file:`` before the path is left out.
            text: what is written; a few words by default.
        """
        return self._add(write=path, **({} if text is None else {"text": text}))

    def progress(self, *percent: float, every: float = 0.0) -> Part:
        """Reports progress: of the action; for a command, by ``openjd_progress`` lines.

        Args:
            percent: in 0..100, one after the other.
            every: seconds before each of them.
        """
        for one in percent:
            if every:
                self.waits(every)
            self._add(progress=one)
        return self

    def status(self, text: str) -> Part:
        """Reports the status `text`: of the action; for a command, by ``openjd_status``."""
        return self._add(status=text)

    def is_deaf(self) -> Part:
        """From here on, does not listen when it is asked to end (SIGTERM; CTRL_BREAK)."""
        return self._add(deaf=True)

    def starts_child(self) -> Part:
        """Starts a process that does not end by itself, and holds this one's output open."""
        return self._add(child=True)

    # Endings.

    def runs_python(self, path: str) -> Part:
        """Runs a file of Python code in this process: what the adaptor hands to the application.

        For example ``{--python}`` for ``blender --python FILE``. The script's ``modules`` can be
        imported there. See ``writes`` for the form of `path`.
        """
        return self._add(python=path)

    def answers(self, server: str | None = None) -> Part:
        """Connects to the adaptor and answers its actions, as the script's actions say.

        A command that has come to the end of its steps does so by itself where it was started by an
        ``ApplicationAdaptor``.

        Args:
            server: where a client of the 0.9 surface finds its adaptor: ``{$MY_SERVER_PATH}``, the
                environment variable by which the adaptor tells. See ``writes``.
        """
        return self._add(answer=True, **({} if server is None else {"server": server}))

    def hangs(self) -> Part:
        """Does nothing, for ever."""
        return self._add(hang=True)

    def exits(self, code: int = 0) -> Part:
        """Ends with an exit code, even in the middle of an action."""
        return self._add(exit=code)

    def crashes(self, signal: str = "SIGSEGV") -> Part:
        """Ends by a signal (POSIX), or with the exit code that stands for it (Windows)."""
        return self._add(crash=signal)

    def returns(self, value: Any = None) -> Part:
        """The action's answer: `value`, anything that JSON can express. Without it, it is None."""
        return self._add(returns=value)

    def raises(self, message: str, type: str = "RuntimeError") -> Part:
        """The action fails with an exception: of the `type` with this name, and this `message`."""
        return self._add(raises=message, type=type)

    def _print(self, verb: str, lines: tuple[str, ...], every: float, fill: bool) -> Part:
        options = {"fill": True} if fill else {}
        if not every:
            # All at once.
            return self._add(**{verb: lines[0] if len(lines) == 1 else list(lines)}, **options)
        for line in lines:
            self.waits(every)._add(**{verb: line}, **options)
        return self

    def _add(self, **step: Any) -> Part:
        _check_step(step, self._kind, self._steps, "the step")
        self._steps.append(step)
        return self

    def to_dict(self) -> dict[str, Any]:
        """The part as it stands in a file."""
        return {**self._head, "steps": [dict(step) for step in self._steps]}


class Script:
    """What a fake application does.

    Its parts say what it does on a command, or for an action; of those that fit, the first one is
    played. Where there is no part for commands, it does nothing for them: it ends with exit code 0,
    or answers actions if an ``ApplicationAdaptor`` has started it.

    Args:
        version: of the application, which the adaptor is told.
        modules: folders with modules that code can import which ``runs_python`` runs: a fake
            ``bpy.py``, for example. A relative one begins at the folder of the script's file.

    Raises:
        ScriptError: a value does not do.
    """

    def __init__(
        self, *, version: str | None = None, modules: Iterable[str | os.PathLike[str]] = ()
    ) -> None:
        self._head: dict[str, Any] = {}
        if version is not None:
            self._head["version"] = version
        folders = [os.fspath(folder) for folder in modules]
        if folders:
            self._head["modules"] = folders
        _check_head(self._head)
        self._commands: list[Part] = []
        self._actions: list[Part] = []

    @classmethod
    def generic(cls) -> Script:
        """One that does whatever it is asked for, and always succeeds; it writes no files."""
        script = cls(version="99999")
        script.action("*")
        return script

    def command(self, *when: str, times: int | None = None) -> Part:
        """Adds a part for commands.

        Args:
            when: what must be among the arguments, in this order; ``*`` and ``?`` in it stand for
                any characters. Nothing: any arguments will do.
            times: how often it is played at most, over all processes.
        """
        head: dict[str, Any] = {}
        if when:
            head["when"] = list(when)
        return self._part(self._commands, "commands", head, times)

    def action(
        self, name: str = "*", when: Mapping[str, Any] | None = None, times: int | None = None
    ) -> Part:
        """Adds a part for actions.

        Args:
            name: of the action; ``*``: any.
            when: parameters that it must have been given, with their values.
            times: how often it is played at most, over all processes.
        """
        head: dict[str, Any] = {"name": name}
        if when:
            head["when"] = dict(when)
        return self._part(self._actions, "actions", head, times)

    def _part(self, parts: list[Part], kind: str, head: dict[str, Any], times: int | None) -> Part:
        if times is not None:
            head["times"] = times
        _check_part({**head, "steps": []}, kind, "the part")
        part = Part(kind, head)
        parts.append(part)
        return part

    def to_dict(self) -> dict[str, Any]:
        """The script as it stands in a file."""
        whole: dict[str, Any] = {"format": FORMAT, **self._head}
        for kind, parts in (("commands", self._commands), ("actions", self._actions)):
            if parts:
                whole[kind] = [part.to_dict() for part in parts]
        return whole

    def dumps(self, form: str = "toml") -> str:
        """The script as a file's text; `form` is ``"toml"`` or ``"json"``.

        Raises:
            ScriptError: TOML cannot express it, which knows no ``null``.
        """
        if form == "json":
            return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"
        from ._toml import dumps

        try:
            return dumps(self.to_dict())
        except ValueError as e:
            raise ScriptError(f"the script cannot be written as TOML: {e}; JSON can") from None

    def dump(self, path: str | os.PathLike[str]) -> None:
        """Writes the script to the file `path`: TOML, or JSON if its name ends in ``.json``.

        Raises:
            ScriptError: see ``dumps``.
            OSError: the file cannot be written.
        """
        text = self.dumps(_form(path))
        with open(path, "w", encoding="utf-8", errors="surrogatepass", newline="\n") as file:
            file.write(text)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Script:
        """The script in the file `path`: TOML, or JSON if its name ends in ``.json``.

        Raises:
            ScriptError: the file cannot be read, or is no script; the message names it.
        """
        path = os.fspath(path)
        try:
            with open(path, "rb") as file:
                text = file.read().decode("utf-8-sig", "surrogatepass")
        except OSError as e:
            raise ScriptError(f"{path} cannot be read: {e.strerror or e}") from None
        except UnicodeDecodeError as e:
            raise ScriptError(f"{path} is no text in UTF-8 (byte {e.start})") from None
        try:
            script = cls.loads(text, _form(path))
        except ScriptError as e:
            raise ScriptError(f"{path}: {e}") from None
        folder = os.path.dirname(os.path.abspath(path))
        modules = script._head.get("modules")
        if modules:
            script._head["modules"] = [os.path.join(folder, one) for one in modules]
        return script

    @classmethod
    def loads(cls, text: str, form: str = "toml") -> Script:
        """The script in a text; `form` is ``"toml"`` or ``"json"``.

        Raises:
            ScriptError: it is no script.
        """
        return cls.from_dict(_parsed(text, form))

    @classmethod
    def from_dict(cls, data: Any) -> Script:
        """The script that this data is.

        Raises:
            ScriptError: it is no script.
        """
        if not isinstance(data, dict):
            raise ScriptError(f"a script is a table, not {json_type(data)}")
        known = ("format", "version", "modules", "commands", "actions")
        _check_known(data, known, "")
        if data.get("format") != FORMAT:
            raise ScriptError(
                "format: "
                + (f"{data['format']!r} is not known" if "format" in data else "the key is missing")
                + f"; this is format {FORMAT}"
            )
        script = cls()
        script._head = {key: data[key] for key in ("version", "modules") if key in data}
        _check_head(script._head)
        for kind, parts in (("commands", script._commands), ("actions", script._actions)):
            tables = data.get(kind, [])
            if not isinstance(tables, list):
                raise ScriptError(f"{kind}: a list is expected, not {json_type(tables)}")
            for number, table in enumerate(tables, start=1):
                place = f"{kind}, entry {number}"
                _check_part(table, kind, place)
                head = {key: value for key, value in table.items() if key != "steps"}
                part = Part(kind, head)
                for at, step in enumerate(table.get("steps", []), start=1):
                    _check_step(step, kind, part._steps, f"{place}, step {at}")
                    part._steps.append(dict(step))
                parts.append(part)
        return script

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Script) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Script: {len(self._commands)} commands, {len(self._actions)} actions>"


def _form(path: str | os.PathLike[str]) -> str:
    return "json" if os.fspath(path).lower().endswith(".json") else "toml"


def _parsed(text: str, form: str) -> Any:
    if form == "json":
        try:
            return json.loads(text)
        except RecursionError:
            raise ScriptError("it is nested too deeply") from None
        except ValueError as e:
            raise ScriptError(f"it is no JSON: {one_line(str(e))}") from None
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        try:
            import tomli as tomllib
        except ImportError:
            raise ScriptError(
                "this Python has no reader for TOML; "
                "pip install 'openjd-adaptor-runtime[toml]', or write it as JSON"
            ) from None
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ScriptError("it is nested too deeply") from None
    except ValueError as e:
        raise ScriptError(f"it is no TOML: {one_line(str(e))}") from None


def _check_known(table: Mapping[str, Any], known: Iterable[str], place: str) -> None:
    for key in table:
        if key not in known:
            at = f"{place}: " if place else ""
            raise ScriptError(f"{at}there is no key {key!r}{suggestion(str(key), known)}")


def _check_head(head: Mapping[str, Any]) -> None:
    if not isinstance(head.get("version", ""), str):
        raise ScriptError(f"version: a text is expected, not {json_type(head['version'])}")
    modules = head.get("modules", [])
    if not isinstance(modules, list) or not all(isinstance(one, str) for one in modules):
        raise ScriptError("modules: a list of folders is expected")


def _check_part(table: Any, kind: str, place: str) -> None:
    if not isinstance(table, dict):
        raise ScriptError(f"{place}: a table is expected, not {json_type(table)}")
    keys = ("when", "times", "steps", *(("name",) if kind == "actions" else ()))
    _check_known(table, keys, place)
    times = table.get("times", 1)
    if type(times) is not int or times < 1:
        raise ScriptError(f"{place}, times: a number, 1 or more, is expected, not {times!r}")
    when = table.get("when", [] if kind == "commands" else {})
    if kind == "commands":
        if not isinstance(when, list) or not all(isinstance(one, str) for one in when):
            raise ScriptError(f"{place}, when: a list of arguments is expected, each a text")
    else:
        name = table.get("name")
        if not isinstance(name, str) or not name:
            raise ScriptError(f"{place}, name: the name of an action is expected, or '*'")
        if not isinstance(when, dict) or not _json(when):
            raise ScriptError(f"{place}, when: a table of parameters and values is expected")
    if not isinstance(table.get("steps", []), list):
        raise ScriptError(f"{place}, steps: a list is expected")


def _check_step(step: Any, kind: str, before: list[dict[str, Any]], place: str) -> None:
    if not isinstance(step, dict):
        raise ScriptError(f"{place}: a table is expected, not {json_type(step)}")
    verbs = [key for key in step if key in STEPS]
    if len(verbs) != 1:
        if verbs:
            raise ScriptError(f"{place}: it does two things, {verbs[0]} and {verbs[1]}; make two")
        unknown = next(iter(step), None)
        if unknown is None:
            raise ScriptError(f"{place}: it is empty")
        raise ScriptError(f"{place}: there is no step {unknown!r}{suggestion(str(unknown), STEPS)}")
    (verb,) = verbs
    _check_known(step, (verb, *STEPS[verb][1]), f"{place}, {verb}")
    for key, (check, words) in {verb: STEPS[verb][0], **STEPS[verb][1]}.items():
        if key in step and not check(step[key]):
            raise ScriptError(
                f"{place}, {key}: {words} is expected, not {one_line(repr(step[key]), 100)}"
            )
    if before and not ENDINGS.isdisjoint(before[-1]):
        (end,) = ENDINGS.intersection(before[-1])
        raise ScriptError(f"{place}: {verb} stands behind {end}, after which nothing comes")
    if verb in (_OF_COMMANDS if kind == "actions" else _OF_ACTIONS):
        whose = "a command" if kind == "actions" else "an action"
        raise ScriptError(f"{place}: {verb} is for {whose}")
