"""Path mapping that the runtime does by itself: data, environment variables, warnings.

Real sessions of ``apps/tidy``, in the foreground and in a daemon.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from apps.drive import Ended, Host, Session

# A rule for the paths of another system, and a path of another system that it does not match.
if sys.platform == "win32":
    RULE = {
        "source_path_format": "POSIX",
        "source_path": "/studio",
        "destination_path": "D:\\studio",
    }
    LOST, OUTER_SEPARATOR = "/lost/x", ":"
else:
    RULE = {
        "source_path_format": "WINDOWS",
        "source_path": "Z:\\studio",
        "destination_path": "/mnt/studio",
    }
    LOST, OUTER_SEPARATOR = "Y:\\lost\\x", ";"
RULES = json.dumps({"path_mapping_rules": [RULE]})


def there(name: str) -> str:
    """A path as it was submitted."""
    return RULE["source_path"] + ("/" if sys.platform == "win32" else "\\") + name


def here(name: str) -> str:
    """The same, mapped."""
    return RULE["destination_path"] + ("\\" if sys.platform == "win32" else "/") + name


class Sessions:
    """Sessions of the tidy adaptor with one task.

    Args:
        way: "foreground", or "daemon".
    """

    def __init__(self, host: Host, way: str) -> None:
        self.host = host
        self.way = way

    def run(
        self,
        init_data: dict[str, Any],
        run_data: dict[str, Any],
        runtime: dict[str, Any] | None = None,
        adaptor: dict[str, Any] | None = None,
        **variables: str,
    ) -> Ended:
        """All that a session prints; its status is that of the first command that fails."""
        for variable, config in (("RUNTIME_CONFIG_PATH", runtime), ("TIDY_CONFIG_PATH", adaptor)):
            if config is not None:
                path = self.host.folder / f"{variable}.json"
                path.write_text(json.dumps(config), encoding="utf-8")
                variables[variable] = str(path)
        init = ["--init-data", json.dumps(init_data), "--path-mapping-rules", RULES]
        task = ["--run-data", json.dumps(run_data)]
        if self.way == "foreground":
            return self.host.run("-m", "tidy", "run", *init, *task, variables=variables)
        session = Session(self.host, ("-m", "tidy"), **variables)
        ended = [session.begin("start", *init).end()]
        if ended[0].status == 0:
            ended.append(session.begin("run", *task).end())
        ended.append(session.stop())
        status = next((each.status for each in ended if each.status), 0)
        return Ended(status, "".join(e.out for e in ended), "".join(e.err for e in ended))


@pytest.fixture(params=["foreground", "daemon"])
def sessions(request: pytest.FixtureRequest, host: Host) -> Sessions:
    """Each test is done in both ways."""
    return Sessions(host, request.param)


def printed(ended: Ended, what: str) -> Any:
    """The JSON that was printed once behind this word."""
    assert ended.status == 0, ended
    (line,) = (line for line in ended.lines if f"{what} {{" in line)
    return json.loads(line.partition(f"{what} ")[2])


def warnings(ended: Ended) -> list[str]:
    """The warnings, from the adaptor's side first, without the prefixes of where they are from."""
    lines = [line for line in ended.lines if "WARNING: " in line]
    lines.sort(key=lambda line: "STDOUT: " in line)
    return [line.replace("ADAPTOR_OUTPUT: ", "") for line in lines]


class TestData:
    def test_valid_and_mapped(self, sessions: Sessions) -> None:
        """on_start and on_run see data with mapped paths; what is no path stays as it is."""
        ended = sessions.run(
            {"scene": there("s"), "caches": {"sim": there("c")}, "note": there("n")},
            {"frame": 1, "outputs": [there("o"), "relative/o"], "ask": [there("a")]},
        )
        assert printed(ended, "init_data") == {
            "scene": here("s"),
            "caches": {"sim": here("c")},
            "note": there("n"),
        }
        assert printed(ended, "run_data") == {
            "frame": 1,
            "outputs": [here("o"), "relative/o"],
            "ask": [there("a")],
        }
        assert [line for line in ended.lines if "mapped " in line][-1].endswith(here("a"))

    @pytest.mark.parametrize(
        ("init_data", "message"),
        [
            ({}, "init data, /: 'scene' is a required property"),
            ({"scene": ""}, "init data, /scene: "),
            ({"scene": "s", "caches": {"sim": 5}}, "init data, /caches/sim: 5 is not of type"),
        ],
    )
    def test_init_data_that_does_not_fit(
        self, sessions: Sessions, init_data: dict[str, Any], message: str
    ) -> None:
        """The session does not start: one line with the place, and the adaptor cleans up."""
        ended = sessions.run(init_data, {"frame": 1})
        assert ended.fails().startswith(f"Error encountered while starting adaptor: {message}")
        assert "cleaned up" in ended.lines
        assert "init_data" not in ended.out
        assert "ERROR" not in ended.out

    def test_run_data_that_does_not_fit(self, sessions: Sessions) -> None:
        """The task fails before on_run: one line with the place, nothing else."""
        ended = sessions.run({"scene": "s"}, {"frame": 0})
        assert ended.fails() == (
            "Error encountered while running adaptor: run data, /frame: 0 is less than the "
            "minimum of 1"
        )
        assert "run_data" not in ended.out
        assert "ERROR" not in ended.out

    @pytest.mark.parametrize(
        ("init_data", "run_data", "message"),
        [
            (None, "{}", "init_data.schema.json (see data_schemas) cannot be read: "),
            ("{", "{}", "init_data.schema.json is no JSON"),
            ("[]", "{}", "init_data.schema.json must hold a JSON object"),
            ("{}", '{"type": "nonsense"}', "run_data.schema.json is not valid: /type: "),
            ("{}", '{"$ref": "a.json"}', "run_data.schema.json: the $ref 'a.json' points outside"),
        ],
    )
    def test_schema_that_cannot_be_used(
        self, host: Host, init_data: str | None, run_data: str, message: str
    ) -> None:
        """What is wrong with either schema is said at the start, in one line with its file."""
        for name, text in (("init_data", init_data), ("run_data", run_data)):
            if text is not None:
                (host.folder / f"{name}.schema.json").write_text(text)
        ended = Sessions(host, "foreground").run({}, {}, TIDY_SCHEMAS=str(host.folder))
        assert message in ended.fails()
        assert "ERROR" not in ended.out

    def test_data_that_is_nested_too_deeply(self, host: Host) -> None:
        """That is one line, too."""
        schema = {"properties": {"a": {"$ref": "#"}, "f": {"format": "path"}}}
        for name in ("init_data", "run_data"):
            (host.folder / f"{name}.schema.json").write_text(json.dumps(schema))
        data: dict[str, Any] = {}
        for _ in range(400):
            data = {"a": data}
        ended = Sessions(host, "foreground").run(data, {}, TIDY_SCHEMAS=str(host.folder))
        assert ended.fails() == (
            "Error encountered while starting adaptor: init data: nested too deeply, or the "
            "schema refers to itself without end"
        )
        assert "ERROR" not in ended.out


class TestEnvironment:
    def test_a_child_inherits_it(self, sessions: Sessions) -> None:
        """The variables that the package names reach applications mapped; others as they are."""
        path_list = OUTER_SEPARATOR.join([there("a"), "rel", there("b"), ""])
        ended = sessions.run(
            {"scene": "s"},
            {"frame": 1},
            TIDY_ROOT=there("root"),
            TIDY_PATH=path_list,
            TIDY_EMPTY="",
            TIDY_OTHER=there("other"),
        )
        variables = printed(ended, "variables")
        separator = ";" if sys.platform == "win32" else ":"
        assert variables.pop("TIDY_EMPTY", "") == ""
        assert variables == {
            "TIDY_ROOT": here("root"),
            "TIDY_PATH": separator.join([here("a"), "rel", here("b"), ""]),
            "TIDY_OTHER": there("other"),
        }

    def test_the_site_overrides(self, sessions: Sessions) -> None:
        """The list of a later layer replaces the package's, although no schema knows of it."""
        ended = sessions.run(
            {"scene": "s"},
            {"frame": 1},
            adaptor={"map_environment": ["TIDY_OTHER"]},
            TIDY_ROOT=there("root"),
            TIDY_OTHER=there("other"),
        )
        variables = printed(ended, "variables")
        assert variables["TIDY_ROOT"] == there("root")
        assert variables["TIDY_OTHER"] == here("other")

    def test_said_for_debugging(self, sessions: Sessions) -> None:
        """One line for each variable that changes, at DEBUG."""
        ended = sessions.run(
            {"scene": "s"},
            {"frame": 1},
            {"log_level": "DEBUG"},
            TIDY_ROOT=there("root"),
            TIDY_PATH="rel",
        )
        lines = [line for line in ended.lines if "environment variable" in line]
        assert [line.partition("DEBUG: ")[2] for line in lines] == [
            f"environment variable TIDY_ROOT: {there('root')} is mapped to {here('root')}"
        ]

    @pytest.mark.parametrize("value", ["TIDY_ROOT", {"TIDY_ROOT": 1}, ["A", 5], [""], None, 1])
    def test_no_list_of_names(self, host: Host, value: Any) -> None:
        """Anything but a list of names is refused with file, line and key."""
        ended = Sessions(host, "foreground").run(
            {"scene": "s"}, {"frame": 1}, adaptor={"map_environment": value}
        )
        said = ended.fails()
        assert "TIDY_CONFIG_PATH.json, line 1, key /map_environment" in said
        assert "environment variable" in said


class TestWarnings:
    DATA = ({"scene": LOST, "note": LOST}, {"frame": 1, "ask": [LOST, LOST, there("a"), "rel"]})

    def test_off(self, sessions: Sessions) -> None:
        """Nobody is warned who has not asked for it."""
        assert warnings(sessions.run(*self.DATA, TIDY_ROOT=LOST)) == []

    def test_on(self, sessions: Sessions) -> None:
        """Each path that no rule matches is named once in the adaptor, once in the application."""
        ended = sessions.run(*self.DATA, {"warn_unmapped_paths": True})
        text = f"WARNING: no path mapping rule matches {LOST}, a path of another system"
        assert warnings(ended) == [text, f"STDOUT: {text}"]
        assert ended.status == 0

    def test_of_a_list(self, sessions: Sessions) -> None:
        """Of a variable that holds a list, the elements are named and not the list."""
        ended = sessions.run(
            {"scene": "s"},
            {"frame": 1},
            {"warn_unmapped_paths": True},
            TIDY_PATH=OUTER_SEPARATOR.join([LOST + "1", there("a"), LOST + "2"]),
        )
        assert [line.partition("matches ")[2] for line in warnings(ended)] == [
            f"{LOST}{i}, a path of another system" for i in (1, 2)
        ]

    def test_neither_true_nor_false(self, host: Host) -> None:
        """The setting is true or false."""
        ended = Sessions(host, "foreground").run({}, {}, {"warn_unmapped_paths": "yes"})
        assert 'key /warn_unmapped_paths: "yes" is none of false, true' in ended.text
        assert ended.status != 0


def test_an_adaptor_without_schemas(host: Host, tmp_path: Path) -> None:
    """An adaptor that does not set data_schemas gets its data as they were given."""
    code = "print('same', adaptor.init_data, run_data)"
    data = {"start": "", "path": there("x")}
    ended = host.run(
        *("-m", "obedient", "run", "--init-data", json.dumps(data)),
        *("--run-data", json.dumps({"do": code, "path": there("y")})),
        *("--path-mapping-rules", RULES),
    )
    assert ended.lines == [f"same {data} { ({'do': code, 'path': there('y')}) }"]
