"""Strategies for scripts, as data."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from openjd.adaptor_runtime.testing.script import SIGNALS

#: What UTF-8, and so a file, can hold.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
# Numbers that TOML has, too.
_numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.booleans() | _numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def _step(verb: str, value: st.SearchStrategy[Any], **more: st.SearchStrategy[Any]) -> Any:
    return st.fixed_dictionaries({verb: value}, optional=more)


_lines = texts | st.lists(texts, max_size=3)
_steps = st.one_of(
    _step("print", _lines, fill=st.booleans()),
    _step("print_error", _lines, fill=st.booleans()),
    _step("print_hex", st.binary(min_size=1, max_size=4).map(bytes.hex)),
    _step("wait", st.floats(0, 10)),
    _step("write", texts, text=texts),
    _step("progress", st.floats(0, 100) | st.integers(-5, 200)),
    _step("status", texts),
    _step("deaf", st.just(True)),
    _step("child", st.just(True)),
)
_endings = st.one_of(
    _step("hang", st.just(True)),
    _step("exit", st.integers(0, 255)),
    _step("crash", st.sampled_from(SIGNALS)),
)
_of_commands = st.one_of(_step("python", texts), _step("answer", st.just(True), server=texts))
_of_actions = st.one_of(_step("returns", values), _step("raises", texts, type=texts))


def _part(endings: Any, head: dict[str, Any], optional: dict[str, Any]) -> Any:
    steps = st.builds(
        lambda first, last: [*first, *last],
        st.lists(_steps, max_size=4),
        st.lists(endings, max_size=1),
    )
    more = {"times": st.integers(1, 9), **optional}
    return st.fixed_dictionaries({"steps": steps, **head}, optional=more)


#: Every script that there can be, more or less.
scripts = st.fixed_dictionaries(
    {"format": st.just(1)},
    optional={
        "version": texts,
        "modules": st.lists(texts, min_size=1, max_size=2),
        "commands": st.lists(
            _part(_endings | _of_commands, {}, {"when": st.lists(texts, min_size=1, max_size=3)}),
            min_size=1,
            max_size=3,
        ),
        "actions": st.lists(
            _part(
                _endings | _of_actions,
                {"name": texts.filter(bool)},
                {"when": st.dictionaries(texts, values, min_size=1, max_size=2)},
            ),
            min_size=1,
            max_size=3,
        ),
    },
)
