"""Paths in data: the strings that a JSON Schema marks as paths, and lists of paths in one text."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    MapPath = Callable[[str], str]

__all__ = ["SchemaPaths", "map_path_list", "map_paths"]


def map_paths(data: Any, schema: dict[str, Any] | bool, map_path: Callable[[str], str]) -> Any:
    """A copy of `data` in which the strings that are paths went through `map_path`.

    A string is a path where the schema says ``"format": "path"`` of its place; it is mapped once,
    however many parts of the schema say so. Of ``anyOf``, ``oneOf`` and ``if`` those branches
    count that the data fits. Everything else is as it was, `data` itself as well. Whether `data`
    fits the schema is not checked.

    Args:
        data: what JSON or YAML can hold: mappings, lists, strings, other values.
        schema: a JSON Schema, of any draft from 4 on.
        map_path: makes the mapped path of a path, for instance ``adaptor.map_path``.

    Raises:
        ValueError: a ``$ref`` points outside of the schema or to nothing in it, or the data is
            nested too deeply.
    """
    return SchemaPaths(schema).map(data, map_path)


# Where a schema has further schemas: by itself, in a list, in a mapping.
_ONE = {
    *("additionalItems", "additionalProperties", "contains", "else", "if", "items", "not"),
    *("propertyNames", "then", "unevaluatedItems", "unevaluatedProperties"),
}
_LISTS = {"allOf", "anyOf", "items", "oneOf", "prefixItems"}
_MAPS = {
    *("$defs", "definitions", "dependencies", "dependentSchemas"),
    *("patternProperties", "properties"),
}
_REFS = ("$ref", "$dynamicRef", "$recursiveRef")

# What validation ignores is ignored here: the drafts that know a keyword, where not all do.
_DRAFTS = {"draft-03": 3, "draft-04": 4, "draft-06": 6, "draft-07": 7, "2019-09": 2019}
_LATEST = 2020
_KNOWN = {
    "$dynamicRef": (2020, _LATEST),
    "$recursiveRef": (2019, 2019),
    "additionalItems": (3, 2019),
    "contains": (6, _LATEST),
    "dependencies": (3, 7),
    "dependentSchemas": (2019, _LATEST),
    "if": (7, _LATEST),
    "prefixItems": (2020, _LATEST),
    "unevaluatedItems": (2019, _LATEST),
    "unevaluatedProperties": (2019, _LATEST),
}


class _Place:
    """A place in the data, and what is known of the value there."""

    __slots__ = ("below", "is_path", "seen")

    def __init__(self) -> None:
        self.is_path = False
        self.below: dict[Any, _Place] = {}
        # Schema (by identity) -> the keys and indexes of the value that it has looked at. Also
        # ends a loop of references: a schema looks at a place once.
        self.seen: dict[int, set[Any]] = {}

    def at(self, key: Any) -> _Place:
        """The place of a member of the value here."""
        return self.below.setdefault(key, _Place())


class SchemaPaths:
    """A schema, read once, to map the paths in any number of data.

    Args:
        schema: a JSON Schema, of any draft from 4 on. It must not be changed afterwards.

    Raises:
        ValueError: a ``$ref`` points outside of the schema or to nothing in it.
    """

    def __init__(self, schema: dict[str, Any] | bool) -> None:
        self._schema = schema
        uri = schema.get("$schema") if isinstance(schema, dict) else None
        named = [n for name, n in _DRAFTS.items() if isinstance(uri, str) and name in uri]
        self._draft = named[0] if named else _LATEST
        self._id = "id" if self._draft <= 4 else "$id"
        # Base URI, or base URI and anchor -> schema; schema (by identity) -> base URI.
        self._resources: dict[str, Any] = {"": schema}
        self._anchors: dict[tuple[str, str], Any] = {}
        self._bases: dict[int, str] = {}
        self._unresolved: list[tuple[str, str]] = []
        self._targets: dict[tuple[str, str], Any] = {}
        self._validator: Any = None
        try:
            self._index(schema, "")
            # Now, whatever the data will be: a validator would go and fetch what is elsewhere.
            while self._unresolved:
                self._resolve(*self._unresolved.pop())
        except RecursionError:
            raise ValueError("the schema is nested too deeply") from None

    def map(self, data: Any, map_path: Callable[[str], str]) -> Any:
        """See ``map_paths``."""
        root = _Place()
        try:
            self._visit(self._schema, data, root)
            return _rebuilt(data, root, map_path)
        except RecursionError:
            raise ValueError(
                "the data is nested too deeply, or its schema refers to itself without end"
            ) from None

    # References.

    def _index(self, schema: Any, base: str) -> None:
        """Notes the names and base URIs of a schema and all schemas in it."""
        if not isinstance(schema, dict):
            return
        ref = schema.get("$ref")
        # Before 2019-09 a reference is all that counts of its schema.
        alone = isinstance(ref, str) and self._draft < 2019
        name = schema.get(self._id)
        if isinstance(name, str) and not alone:
            if name.startswith("#"):
                self._anchors.setdefault((base, name[1:]), schema)
            else:
                from urllib.parse import urldefrag, urljoin

                base = urldefrag(urljoin(base, name))[0]
                self._resources.setdefault(base, schema)
        self._bases[id(schema)] = base
        for keyword in ("$anchor", "$dynamicAnchor"):
            if isinstance(schema.get(keyword), str):
                self._anchors.setdefault((base, schema[keyword]), schema)
        for keyword in _REFS:
            if isinstance(self._get(schema, keyword), str):
                self._unresolved.append((schema[keyword], base))
        for keyword, value in schema.items():
            if isinstance(value, dict):
                if keyword in _ONE:
                    self._index(value, base)
                elif keyword in _MAPS:
                    for each in value.values():
                        self._index(each, base)
            elif isinstance(value, list) and keyword in _LISTS:
                for each in value:
                    self._index(each, base)

    def _resolve(self, ref: str, base: str) -> Any:
        """The schema that a ``$ref`` in a schema with this base URI points to.

        Raises:
            ValueError: it points outside of the schema, or to nothing.
        """
        if (ref, base) in self._targets:
            return self._targets[ref, base]
        from urllib.parse import unquote, urldefrag, urljoin

        if ref.startswith("#"):
            # By hand, since urljoin() knows nothing of urn: and other schemes.
            uri, fragment = base, ref[1:]
        else:
            uri, fragment = urldefrag(urljoin(base, ref))
        if uri not in self._resources:
            raise ValueError(
                f"the $ref {ref!r} points outside of the schema; put what it needs into the "
                "schema's $defs and write '#/$defs/...'"
            )
        fragment = unquote(fragment)
        found = self._resources[uri]
        if fragment and not fragment.startswith("/"):
            found = self._anchors.get((uri, fragment))
        else:
            for token in fragment.split("/")[1:]:
                token = token.replace("~1", "/").replace("~0", "~")
                if isinstance(found, dict):
                    uri = self._bases.get(id(found), uri)
                    found = found.get(token)
                elif isinstance(found, list) and re.fullmatch("[0-9]+", token):
                    found = dict(enumerate(found)).get(int(token))
                else:
                    found = None
        if not isinstance(found, (dict, bool)):
            raise ValueError(f"the $ref {ref!r} points to no schema in its file")
        if isinstance(found, dict) and id(found) not in self._bases:
            # It stands where no schema is looked for, as under a key of the author's own.
            self._index(found, uri)
        self._targets[ref, base] = found
        return found

    def _fits(self, schema: Any, data: Any) -> bool:
        if isinstance(schema, bool):
            return schema
        if self._validator is None:
            from jsonschema.validators import validator_for

            self._validator = validator_for(self._schema)(self._schema)
        base = self._bases.get(id(schema), "")
        if base != (self._bases[id(self._schema)] if isinstance(self._schema, dict) else ""):
            # References in it are relative to an $id further out, which the validator must meet.
            schema = {"allOf": [{self._id: base, "allOf": [schema]}]}
        fits: bool = self._validator.evolve(schema=schema).is_valid(data)
        return fits

    # The walk: schema and data side by side.

    def _get(self, schema: dict[str, Any], keyword: str) -> Any:
        first, last = _KNOWN.get(keyword, (0, _LATEST))
        return schema.get(keyword) if first <= self._draft <= last else None

    def _visit(self, schema: Any, data: Any, place: _Place) -> set[Any]:
        """Marks the paths in `data`; returns the keys or indexes that the schema looked at."""
        if not isinstance(schema, dict):
            return set()
        if id(schema) in place.seen:
            return place.seen[id(schema)]
        seen = place.seen[id(schema)] = set()
        base = self._bases.get(id(schema), "")
        for keyword in _REFS:
            ref = self._get(schema, keyword)
            if isinstance(ref, str):
                seen |= self._visit(self._resolve(ref, base), data, place)
                if self._draft < 2019:
                    return seen
        if schema.get("format") == "path" and isinstance(data, str):
            place.is_path = True
        for each in self._branches(schema, data):
            seen |= self._visit(each, data, place)
        if isinstance(data, dict):
            keys, keyword = set(data), "unevaluatedProperties"
            members = self._properties(schema, data)
        elif isinstance(data, list):
            keys, keyword = set(range(len(data))), "unevaluatedItems"
            members = self._items(schema, data)
        else:
            return seen
        for key, each in members:
            seen.add(key)
            self._visit(each, data[key], place.at(key))
        each = self._get(schema, keyword)
        if each is not None:
            for key in keys - seen:
                seen.add(key)
                self._visit(each, data[key], place.at(key))
        return seen

    def _branches(self, schema: dict[str, Any], data: Any) -> Iterator[Any]:
        """The schemas in `schema` that speak of the same value and that it fits."""
        yield from _list(schema.get("allOf"))
        for keyword in ("anyOf", "oneOf"):
            for each in _list(schema.get(keyword)):
                if self._fits(each, data):
                    yield each
        condition = self._get(schema, "if")
        if condition is not None:
            fits = self._fits(condition, data)
            if fits:
                yield condition
            yield schema.get("then" if fits else "else")
        if isinstance(data, dict):
            for keyword in ("dependentSchemas", "dependencies"):
                for key, each in _dict(self._get(schema, keyword)).items():
                    if key in data:
                        yield each

    def _properties(
        self, schema: dict[str, Any], data: dict[Any, Any]
    ) -> Iterator[tuple[Any, Any]]:
        """Keys of `data`, and the schemas for what stands there."""
        properties = _dict(schema.get("properties"))
        patterns = _dict(schema.get("patternProperties"))
        additional = schema.get("additionalProperties")
        for key in data:
            matched = key in properties
            if matched:
                yield key, properties[key]
            for pattern, each in patterns.items():
                try:
                    found = isinstance(key, str) and re.search(pattern, key)
                except re.error as e:
                    raise ValueError(
                        f"the schema's pattern {pattern!r} is no regular expression: {e}"
                    ) from None
                if found:
                    matched = True
                    yield key, each
            if not matched and additional is not None:
                yield key, additional

    def _items(self, schema: dict[str, Any], data: list[Any]) -> Iterator[tuple[int, Any]]:
        """Indexes of `data`, and the schemas for what stands there."""
        first, rest = self._get(schema, "prefixItems"), schema.get("items")
        if isinstance(rest, list):
            first, rest = rest, self._get(schema, "additionalItems")
        first = _list(first)
        for index in range(len(data)):
            each = first[index] if index < len(first) else rest
            if each is not None:
                yield index, each
        contained = self._get(schema, "contains")
        if contained is not None:
            for index, value in enumerate(data):
                if self._fits(contained, value):
                    yield index, contained


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _rebuilt(data: Any, place: _Place | None, map_path: MapPath) -> Any:
    below = place.below if place is not None else {}
    if isinstance(data, dict):
        return {key: _rebuilt(value, below.get(key), map_path) for key, value in data.items()}
    if isinstance(data, list):
        return [_rebuilt(value, below.get(i), map_path) for i, value in enumerate(data)]
    if place is not None and place.is_path:
        return map_path(data)
    return data


# An element of a list whose separator is the colon. These colons are part of it: a drive's
# (C:\, //?/C:/), a URI's scheme's and port's, and the drive's in file:///C:/.
_ELEMENT = re.compile(
    r"""(?: (?: [\\/]{2} [?.] [\\/] | file:/// )? [A-Z] : (?= [\\/] )
          | [A-Z] [A-Z0-9+.-]* :// [^:/]* (?: : [0-9]+ (?= [/:] | $ ) )?
        )? [^:]*""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)


def map_path_list(value: str, map_path: Callable[[str], str]) -> str:
    """The text of a variable that holds a path, or a list of paths, with each path mapped.

    The elements of a list stand between semicolons, if there is one; otherwise between colons,
    except those of drives (``C:\\``, ``c:/``) and of URIs (``s3://host:80/``). Where the rules map
    the whole text otherwise than they map its first element, so that a rule's source goes on
    behind a separator, the text is one path. A text in which nothing is mapped comes back as it
    is; otherwise the elements are joined with this system's separator (``os.pathsep``). Empty
    elements stay.

    Args:
        value: the text.
        map_path: makes the mapped path of a path, and returns others as they are.
    """
    return map_list(value, map_path, map_path)


def map_list(value: str, map_path: MapPath, map_whole: MapPath) -> str:
    """``map_path_list``; `map_whole` is asked about the whole text, which may be no path."""
    elements = value.split(";") if ";" in value else _split_at_colons(value)
    mapped = [map_path(element) if element else element for element in elements]
    if len(elements) == 1:
        return mapped[0]
    whole = map_whole(value)
    if whole != value:
        # A rule for the first element matches the whole text as well, as what comes behind it
        # looks like more of its path; then the separator follows where that element ends.
        behind = whole[len(mapped[0]) :].lstrip("/\\.")
        separator = value[len(elements[0])]
        if not (whole.startswith(mapped[0]) and behind.startswith(separator)):
            return whole
    return value if mapped == elements else os.pathsep.join(mapped)


def _split_at_colons(value: str) -> list[str]:
    elements = []
    at = 0
    while True:
        found = _ELEMENT.match(value, at)
        assert found is not None  # it matches the empty text, too
        elements.append(found.group())
        if found.end() == len(value):
            return elements
        at = found.end() + 1
