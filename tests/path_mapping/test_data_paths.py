"""The paths in data, as a JSON Schema marks them, and in the values of variables."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from typing import Any

import pytest
from bounded import LIMIT
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from openjd.adaptor_runtime.adaptors import AdaptorDataValidator, map_path_list, map_paths
from openjd.adaptor_runtime_client.path_mapping import PathMapper, PathMappingRule

PATH = {"type": "string", "format": "path"}
DRAFT_4 = "http://json-schema.org/draft-04/schema#"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DRAFT_2019 = "https://json-schema.org/draft/2019-09/schema"


def mark(path: str) -> str:
    """A mapping that shows how often it was applied."""
    return path + "!"


def mapped(data: Any, schema: Any) -> Any:
    """What becomes of `data`, which itself must stay as it was."""
    before = copy.deepcopy(data)
    result = map_paths(data, schema, mark)
    assert data == before
    return result


def tree() -> dict[str, Any]:
    """A schema that refers to itself: a node with a file and children."""
    return {
        "$ref": "#/$defs/node",
        "$defs": {
            "node": {
                "properties": {
                    "file": PATH,
                    "children": {"items": {"$ref": "#/$defs/node"}},
                }
            }
        },
    }


class TestKeywords:
    @pytest.mark.parametrize(
        ("schema", "data", "expected"),
        [
            (PATH, "a", "a!"),
            (True, "a", "a"),
            (False, "a", "a"),
            ({}, {"a": ["b"]}, {"a": ["b"]}),
            ({"format": "uri"}, "a", "a"),
            ({"properties": {"a": PATH}}, {"a": "x", "b": "y"}, {"a": "x!", "b": "y"}),
            ({"properties": {"a": PATH}}, ["a"], ["a"]),
            ({"patternProperties": {"^f": PATH}}, {"f1": "x", "gf": "y"}, {"f1": "x!", "gf": "y"}),
            (
                {
                    "properties": {"a": {}},
                    "patternProperties": {"^b": True},
                    "additionalProperties": PATH,
                },
                {"a": "x", "b1": "y", "c": "z"},
                {"a": "x", "b1": "y", "c": "z!"},
            ),
            (
                {"properties": {"fa": PATH}, "patternProperties": {"^f": PATH}},
                {"fa": "x"},
                {"fa": "x!"},
            ),
            ({"items": PATH}, ["x", 5, None, "y"], ["x!", 5, None, "y!"]),
            (
                {"prefixItems": [PATH, True], "items": PATH},
                ["x", "y", "z"],
                ["x!", "y", "z!"],
            ),
            ({"prefixItems": [True, PATH]}, ["x"], ["x"]),
            (
                {"$schema": DRAFT_7, "items": [True, PATH], "additionalItems": PATH},
                ["x", "y", "z"],
                ["x", "y!", "z!"],
            ),
            ({"$schema": DRAFT_7, "items": PATH, "additionalItems": True}, ["x"], ["x!"]),
            ({"$schema": DRAFT_2019, "items": PATH, "prefixItems": [True]}, ["x"], ["x!"]),
            ({"allOf": [PATH, {"format": "path"}], "format": "path"}, "x", "x!"),
            ({"anyOf": [PATH, {"type": "integer"}]}, "x", "x!"),
            ({"oneOf": [{"type": "string"}, {**PATH, "type": "object"}]}, "x", "x"),
            (
                {
                    "anyOf": [
                        {"properties": {"kind": {"const": "file"}, "value": PATH}},
                        {"properties": {"kind": {"const": "text"}}},
                    ]
                },
                {"kind": "file", "value": "x"},
                {"kind": "file", "value": "x!"},
            ),
            (
                {
                    "oneOf": [
                        {"properties": {"kind": {"const": "file"}, "value": PATH}},
                        {"properties": {"kind": {"const": "text"}}},
                    ]
                },
                {"kind": "text", "value": "x"},
                {"kind": "text", "value": "x"},
            ),
            (
                {
                    "if": {"properties": {"kind": {"const": "file"}}},
                    "then": {"properties": {"value": PATH}},
                    "else": {"properties": {"other": PATH}},
                },
                {"kind": "file", "value": "x", "other": "y"},
                {"kind": "file", "value": "x!", "other": "y"},
            ),
            (
                {
                    "if": {"properties": {"kind": {"const": "file"}}},
                    "then": {"properties": {"value": PATH}},
                    "else": {"properties": {"other": PATH}},
                },
                {"kind": "text", "value": "x", "other": "y"},
                {"kind": "text", "value": "x", "other": "y!"},
            ),
            ({"if": PATH}, "x", "x!"),
            ({"$schema": DRAFT_4, "if": True, "then": PATH}, "x", "x"),
            (
                {"dependentSchemas": {"a": {"properties": {"b": PATH}}}},
                {"a": 1, "b": "x"},
                {"a": 1, "b": "x!"},
            ),
            (
                {"dependentSchemas": {"a": {"properties": {"b": PATH}}}},
                {"b": "x"},
                {"b": "x"},
            ),
            (
                {
                    "$schema": DRAFT_7,
                    "dependencies": {"a": {"properties": {"b": PATH}}, "b": ["a"]},
                },
                {"a": 1, "b": "x"},
                {"a": 1, "b": "x!"},
            ),
            ({"contains": {**PATH, "pattern": "/"}}, ["a/b", "c"], ["a/b!", "c"]),
            (
                {
                    "properties": {"a": True},
                    "allOf": [{"properties": {"b": True}}],
                    "unevaluatedProperties": PATH,
                },
                {"a": "x", "b": "y", "c": "z"},
                {"a": "x", "b": "y", "c": "z!"},
            ),
            (
                {"prefixItems": [True], "unevaluatedItems": PATH},
                ["x", "y"],
                ["x", "y!"],
            ),
            ({"not": PATH, "propertyNames": PATH}, {"a": "x"}, {"a": "x"}),
            ({"default": PATH, "examples": [PATH], "$defs": {"a": PATH}}, "x", "x"),
        ],
    )
    def test_marks(self, schema: Any, data: Any, expected: Any) -> None:
        """A keyword marks what validation applies its schemas to, and nothing else."""
        assert mapped(data, schema) == expected

    @pytest.mark.parametrize("value", [5, 1.5, True, None, [], {}, ["x"], {"a": "x"}])
    def test_what_is_no_string(self, value: Any) -> None:
        """At the place of a path, everything but a string stays as it is."""
        assert mapped({"a": value}, {"properties": {"a": {"format": "path"}}}) == {"a": value}

    def test_keys_that_are_no_text(self) -> None:
        """Keys of other kinds, as YAML has them, are no property of any name."""
        schema = {"patternProperties": {"1": PATH}, "additionalProperties": True}
        assert mapped({1: "x", "1": "y"}, schema) == {1: "x", "1": "y!"}

    def test_a_copy(self) -> None:
        """No mapping or list of the result is one of the data."""
        data = {"a": [{"b": ["x"]}]}
        result = mapped(data, {})
        assert result == data
        assert result is not data
        assert result["a"] is not data["a"]
        assert result["a"][0]["b"] is not data["a"][0]["b"]

    def test_the_same_object_at_two_places(self) -> None:
        """What YAML's aliases make one object is mapped where it is a path, and only there."""
        shared = {"f": "x"}
        data = {"a": shared, "b": shared}
        assert mapped(data, {"properties": {"a": {"properties": {"f": PATH}}}}) == {
            "a": {"f": "x!"},
            "b": {"f": "x"},
        }

    def test_in_an_empty_place(self) -> None:
        """A schema that is no valid one marks what it can, and breaks nothing."""
        schema = {"properties": 5, "items": "x", "allOf": {}, "anyOf": None, "if": None}
        assert mapped({"a": ["x"]}, schema) == {"a": ["x"]}

    def test_a_pattern_that_is_none(self) -> None:
        """A pattern that is no regular expression is named."""
        with pytest.raises(ValueError, match=r"pattern '\(' is no regular expression"):
            map_paths({"a": "x"}, {"patternProperties": {"(": PATH}}, mark)

    def test_of_a_validator(self) -> None:
        """A validator maps by its schema, also data that does not fit it."""
        validator = AdaptorDataValidator({"properties": {"a": PATH}, "required": ["b"]})
        for _ in range(2):
            assert validator.map_paths({"a": "x"}, mark) == {"a": "x!"}


class TestReferences:
    @pytest.mark.parametrize(
        ("definitions", "ref"),
        [
            ({"$defs": {"p": PATH}}, "#/$defs/p"),
            ({"definitions": {"p": PATH}}, "#/definitions/p"),
            ({"$defs": {"a/b~c": PATH}}, "#/$defs/a~1b~0c"),
            ({"$defs": {"a b%": PATH}}, "#/$defs/a%20b%25"),
            ({"$defs": {"~1": PATH}}, "#/$defs/~01"),
            ({"$defs": {"": PATH}}, "#/$defs/"),
            ({"$defs": {"p": {**PATH, "$anchor": "here"}}}, "#here"),
            ({"$defs": {"p": {"$id": "here.json", **PATH}}}, "here.json"),
            ({"$id": "https://x.test/s.json", "$defs": {"p": PATH}}, "#/$defs/p"),
            ({"$id": "https://x.test/s.json", "$defs": {"p": PATH}}, "s.json#/$defs/p"),
            ({"$id": "urn:x:y", "$defs": {"p": PATH}}, "#/$defs/p"),
            ({"$id": "urn:x:y", "$defs": {"p": PATH}}, "urn:x:y#/$defs/p"),
            ({"allOf": [True, {"items": PATH}]}, "#/allOf/1/items"),
            ({"mine": {"deep": {"p": PATH}}}, "#/mine/deep/p"),
            ({"mine": {"p": {"$ref": "#/mine/q"}, "q": PATH}}, "#/mine/p"),
        ],
    )
    def test_found(self, definitions: dict[str, Any], ref: str) -> None:
        """References within the schema are followed as validation follows them."""
        schema = {**definitions, "properties": {"a": {"$ref": ref}}}
        assert mapped({"a": "x", "b": "y"}, schema) == {"a": "x!", "b": "y"}
        # Where a branch has to be decided, validation must find the same.
        schema = {**definitions, "properties": {"a": {"anyOf": [{"$ref": ref}]}}}
        assert mapped({"a": "x"}, schema) == {"a": "x!"}
        assert mapped({"a": 5}, schema) == {"a": 5}

    @pytest.mark.parametrize(
        "ref",
        [
            "https://x.test/other.json",
            "other.json#/$defs/p",
            "file:///etc/schema.json",
            DRAFT_7,
            "#/$defs/missing",
            "#/$defs/p/type",
            "#nowhere",
            "#/allOf/7",
            "#/allOf/x",
        ],
    )
    @pytest.mark.parametrize("data", [{"a": "x"}, {}])
    def test_not_found(self, ref: str, data: Any) -> None:
        """A reference to elsewhere or to nothing is one error that names it, for any data."""
        schema = {"properties": {"a": {"$ref": ref}}, "$defs": {"p": PATH}, "allOf": [True]}
        with pytest.raises(ValueError, match=r"points (outside|to no schema)") as caught:
            map_paths(data, schema, mark)
        assert repr(ref) in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_a_property_of_that_name(self) -> None:
        """Properties that are called as keywords are properties."""
        names = {"$ref": PATH, "$id": PATH, "properties": PATH, "format": True}
        data = dict.fromkeys(names, "x")
        assert mapped(data, {"properties": names}) == {**dict.fromkeys(names, "x!"), "format": "x"}

    def test_an_embedded_schema(self) -> None:
        """Within a schema that has an $id, references are relative to it."""
        inner = {
            "$id": "inner.json",
            "properties": {"a": {"anyOf": [{"$ref": "#/$defs/p"}]}},
            "$defs": {"p": PATH},
        }
        schema = {
            "$id": "https://x.test/outer.json",
            "properties": {"in": {"$ref": "inner.json"}},
            "$defs": {"inner": inner, "p": {"type": "integer"}},
        }
        assert mapped({"in": {"a": "x"}}, schema) == {"in": {"a": "x!"}}

    @pytest.mark.parametrize(
        ("draft", "expected"), [(DRAFT_4, "x"), (DRAFT_7, "x"), (DRAFT_2019, "x!")]
    )
    def test_beside_a_reference(self, draft: str, expected: str) -> None:
        """What stands beside a $ref counts from 2019-09 on, as for validation."""
        schema = {
            "$schema": draft,
            "properties": {"a": {"$ref": "#/definitions/s", "format": "path"}},
            "definitions": {"s": {"type": "string"}},
        }
        assert mapped({"a": "x"}, schema) == {"a": expected}

    def test_recursive(self) -> None:
        """A schema that refers to itself follows the data as deep as that goes."""
        data = {"file": "a", "children": [{"file": "b", "children": [{"file": "c"}]}, {}]}
        expected = {"file": "a!", "children": [{"file": "b!", "children": [{"file": "c!"}]}, {}]}
        assert mapped(data, tree()) == expected

    def test_recursive_by_dynamic_reference(self) -> None:
        """A $dynamicRef is followed to the anchor of that name."""
        node = {"properties": {"file": PATH, "children": {"items": {"$dynamicRef": "#node"}}}}
        schema = {"$dynamicAnchor": "node", **node}
        data = {"children": [{"file": "b"}]}
        assert mapped(data, schema) == {"children": [{"file": "b!"}]}

    @pytest.mark.parametrize(
        "schema",
        [
            {"$ref": "#"},
            {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#"}}},
            {"allOf": [{"$ref": "#"}], "properties": {"f": PATH}},
            {"then": {"$ref": "#"}, "if": True, "properties": {"f": PATH}},
        ],
    )
    def test_a_loop(self, schema: dict[str, Any]) -> None:
        """References that come back to the same place in the data end."""
        expected = "x!" if "properties" in schema else "x"
        assert mapped({"f": "x"}, schema) == {"f": expected}

    def test_a_loop_that_validation_cannot_end(self) -> None:
        """A loop in a branch that has to be decided by validity is an error in words."""
        with pytest.raises(ValueError, match="refers to itself without end"):
            map_paths({"f": "x"}, {"anyOf": [{"$ref": "#"}]}, mark)

    def test_many_ways_to_the_same_schema(self) -> None:
        """References that fork at each step cost what the schema costs, not the ways through it."""
        definitions: dict[str, Any] = {"d0": PATH}
        for i in range(1, 100):
            definitions[f"d{i}"] = {"allOf": [{"$ref": f"#/$defs/d{i - 1}"}] * 3}
        assert mapped("x", {"$ref": "#/$defs/d99", "$defs": definitions}) == "x!"

    def test_deep_data(self) -> None:
        """Data that is nested too deeply is an error in words."""
        data: dict[str, Any] = {"file": "x"}
        for _ in range(5000):
            data = {"children": [data]}
        with pytest.raises(ValueError, match="nested too deeply"):
            map_paths(data, tree(), mark)


def test_import_is_light() -> None:
    """Neither the module nor mapping by a schema without branches loads jsonschema."""
    code = (
        "import sys\n"
        "from openjd.adaptor_runtime.adaptors import map_paths\n"
        "schema = {'properties': {'a': {'format': 'path'}}}\n"
        "print(map_paths({'a': 'x'}, schema, str.upper), 'jsonschema' in sys.modules)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=LIMIT
    )
    assert (ended.stdout.strip(), ended.stderr) == ("{'a': 'X'} False", "")


# Data, a schema that it fits, and what must become of it.
Triple = tuple[Any, dict[str, Any], Any]
names = st.text("abcd~/% ", min_size=1, max_size=3)
texts = st.text(max_size=5)
leaves = st.one_of(
    texts.map(lambda x: (x, dict(PATH), x + "!")),
    texts.map(lambda x: (x, {"type": "string"}, x)),
    st.sampled_from([None, True, 3, 1.5]).map(lambda x: (x, {"format": "path"}, x)),
    st.sampled_from(["x", 7]).map(lambda x: (x, {}, x)),
)


def members(parts: dict[str, Triple]) -> Triple:
    """A mapping with these members."""
    return (
        {key: part[0] for key, part in parts.items()},
        {
            "type": "object",
            "properties": {key: part[1] for key, part in parts.items()},
            "additionalProperties": False,
        },
        {key: part[2] for key, part in parts.items()},
    )


def elements(parts: list[Triple]) -> Triple:
    """A list with these elements."""
    data, schemas, expected = ([part[i] for part in parts] for i in range(3))
    # Without elements prefixItems would be empty, which is no valid schema.
    return data, {"type": "array", **({"prefixItems": schemas} if schemas else {})}, expected


def wrapped(pair: tuple[Triple, str]) -> Triple:
    """The same, by a schema that says it in another way."""
    (data, schema, expected), way = pair
    never = {"allOf": [False, PATH]}
    schema = {
        "allOf": {"allOf": [schema, schema]},
        "anyOf": {"anyOf": [never, schema, True]},
        "oneOf": {"oneOf": [never, schema]},
        "then": {"if": True, "then": schema, "else": PATH},
        "else": {"if": False, "then": PATH, "else": schema},
        "$ref": {"hoist": schema},
    }[way]
    return data, schema, expected


triples = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.dictionaries(names, inner, max_size=3).map(members),
        st.lists(inner, max_size=3).map(elements),
        st.tuples(inner, st.sampled_from(["allOf", "anyOf", "oneOf", "then", "else", "$ref"])).map(
            wrapped
        ),
    ),
    max_leaves=8,
)


def hoisted(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema, in which what shall be hoisted is a reference to one of the definitions."""
    if isinstance(schema, list):
        return [hoisted(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "hoist" in schema:
        name = f"d{len(definitions)}"
        definitions[name] = True  # taken; what is within it comes behind
        definitions[name] = hoisted(schema["hoist"], definitions)
        return {"$ref": f"#/$defs/{name}"}
    return {key: hoisted(each, definitions) for key, each in schema.items()}


@given(triples)
def test_any_schema_and_data(triple: Triple) -> None:
    """The structure stays, marked strings are mapped exactly once, and nothing else changes."""
    data, schema, expected = triple
    definitions: dict[str, Any] = {}
    schema = {**hoisted(schema, definitions), "$defs": definitions}
    Draft202012Validator.check_schema(schema)
    result = mapped(data, schema)
    assert result == expected
    assert json.dumps(result) == json.dumps(expected)  # 1 is not True, nor the order another


class TestLists:
    RULES = PathMapper(
        [
            PathMappingRule("POSIX", "/studio", "/mnt", "Linux"),
            PathMappingRule("POSIX", "/same", "/same", "Linux"),
            PathMappingRule("POSIX", "/odd/a:b", "/even/a-b", "Linux"),
            PathMappingRule("POSIX", "/odd/c;d", "/odd/c-d", "Linux"),
            PathMappingRule("WINDOWS", "Z:\\", "/z", "Linux"),
            PathMappingRule("URI", "s3://bucket", "/s3", "Linux"),
        ]
    )

    @pytest.mark.parametrize(
        ("value", "elements"),
        [
            # One path.
            ("/studio/a", ["/mnt/a"]),
            ("z:\\a\\b", ["/z/a/b"]),
            ("Z:/a", ["/z/a"]),
            ("s3://bucket/a", ["/s3/a"]),
            ("/odd/a:b/c", ["/even/a-b/c"]),
            ("/odd/c;d/e", ["/odd/c-d/e"]),
            # Lists.
            ("/studio/a:/studio/b", ["/mnt/a", "/mnt/b"]),
            ("/usr/bin:/studio/b", ["/usr/bin", "/mnt/b"]),
            ("/studio/a/:/b", ["/mnt/a/", "/b"]),
            ("/studio/a/.:/b", ["/mnt/a", "/b"]),
            ("/same/a:/studio//b", ["/same/a", "/mnt/b"]),
            ("Z:\\a;C:\\b;z:/c", ["/z/a", "C:\\b", "/z/c"]),
            ("Z:\\a:C:\\b:z:/c", ["/z/a", "C:\\b", "/z/c"]),
            ("Z:\\;Z:\\a", ["/z/", "/z/a"]),
            ("s3://bucket/a:/studio/b", ["/s3/a", "/mnt/b"]),
            ("http://h:80/a:/studio/b", ["http://h:80/a", "/mnt/b"]),
            ("file:///C:/a:/studio/b", ["file:///C:/a", "/mnt/b"]),
            ("//?/C:/a:/studio/b", ["//?/C:/a", "/mnt/b"]),
            # Empty elements, and Houdini's "the defaults here".
            ("/studio/a:", ["/mnt/a", ""]),
            ("::/studio/a", ["", "", "/mnt/a"]),
            ("/studio/a;&", ["/mnt/a", "&"]),
            ("&:/studio/a", ["&", "/mnt/a"]),
        ],
    )
    def test_mapped(self, value: str, elements: list[str]) -> None:
        """Each element is mapped by itself; they are joined as this system does it."""
        assert map_path_list(value, self.RULES.map) == os.pathsep.join(elements)

    @pytest.mark.parametrize(
        "value",
        [
            "",
            ":",
            ";;",
            "&",
            "/usr/bin:/bin",
            "/usr/bin;/bin;&",
            "C:\\a;D:\\b",
            "C:/a:D:/b",
            "//server/share//x/.",
            "s3://other/a:b",
            "a:b:c",
            "C:",
            "x\n:y",
        ],
    )
    def test_not_mapped(self, value: str) -> None:
        """Where no rule matches, the value stays, byte for byte."""
        assert map_path_list(value, self.RULES.map) == value

    def test_each_element_once(self) -> None:
        """No element goes through the mapping twice, or without need."""
        rules = PathMapper([PathMappingRule("POSIX", "/a", "/a/a", "Linux")])
        assert map_path_list("/a:/a/b", rules.map) == os.pathsep.join(["/a/a", "/a/a/b"])

    @given(st.lists(st.text("ab/.& ", max_size=6), min_size=1, max_size=5))
    def test_any_list(self, elements: list[str]) -> None:
        """A list whose elements hold no separator is mapped element by element."""
        expected = [self.RULES.map(element) if element else "" for element in elements]
        value = ";".join(elements)
        result = map_path_list(value, self.RULES.map)
        assert result == (value if expected == elements else os.pathsep.join(expected))
