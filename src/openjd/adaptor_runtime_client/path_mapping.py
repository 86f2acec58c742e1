"""Path mapping rules, ``pathmapping-1.0`` of the specification ("Path Mapping").

Pure: strings in, strings out. The rules are compiled once into lookups by path components,
so that mapping a path costs what the path's depth costs, whatever the number of rules.
"""

from __future__ import annotations

import ntpath
import sys

TYPE_CHECKING = False  # typing itself is not loaded inside the application
if TYPE_CHECKING:
    from typing import Dict, Iterable, List, Optional, Tuple

    Parts = List[str]
    Table = Dict[Tuple[str, ...], Tuple[int, "PathMappingRule"]]

POSIX = "POSIX"
WINDOWS = "WINDOWS"
URI = "URI"

_FORMATS = {
    "posix": POSIX,
    "linux": POSIX,
    "darwin": POSIX,
    "mac": POSIX,
    "macos": POSIX,
    "windows": WINDOWS,
    "windows_nt": WINDOWS,
    "win": WINDOWS,
    "win32": WINDOWS,
    "nt": WINDOWS,
    "uri": URI,
}
_SYSTEMS = {
    "posix": "Posix",
    "linux": "Linux",
    "darwin": "macOS",
    "mac": "macOS",
    "macos": "macOS",
    "windows": "Windows",
    "windows_nt": "Windows",
    "win": "Windows",
    "win32": "Windows",
    "nt": "Windows",
}
_LONGEST_SHOWN = 200
_HOST = {"win32": "Windows", "darwin": "macOS"}.get(sys.platform, "Linux")
# RFC 3986: scheme and authority fold over ASCII only.
_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def _posix_parts(path: str) -> Parts:
    parts = [part for part in path.split("/") if part and part != "."]
    if path[:1] == "/":
        # Exactly two slashes are a root of their own (POSIX 4.13), as pathlib has it.
        parts.insert(0, "//" if path[:2] == "//" and path[2:3] != "/" else "/")
    return parts


def _windows_parts(path: str) -> Parts:
    drive, rest = ntpath.splitdrive(path.replace("/", "\\"))
    parts = [part for part in rest.split("\\") if part and part != "."]
    # A share (\\server\share) is rooted with and without a separator behind it.
    root = "\\" if rest[:1] == "\\" or drive[:2] == "\\\\" else ""
    if drive or root:
        parts.insert(0, drive + root)
    return parts


def _uri_parts(path: str) -> Parts:
    scheme, separator, rest = path.partition("://")
    if not separator:
        return []
    authority, slash, tail = rest.partition("/")
    parts = [(scheme + "://" + authority).translate(_ASCII_LOWER)]
    # Empty components count in a URI, the one behind a trailing slash as well.
    return parts + tail.split("/") if slash else parts


def _is_uri(path: str) -> bool:
    """Whether `path` begins with a scheme (RFC 3986, 3.1) and ://."""
    scheme, separator, _ = path.partition("://")
    known = scheme.replace("+", "").replace("-", "").replace(".", "")
    return bool(separator) and scheme[:1].isalpha() and known.isalnum() and scheme.isascii()


def _split(path_format: str, path: str) -> Tuple[Parts, Parts]:
    """The components to compare, and the components as they were written."""
    if path_format == WINDOWS:
        parts = _windows_parts(path)
        return [part.lower() for part in parts], parts
    parts = _posix_parts(path) if path_format == POSIX else _uri_parts(path)
    return parts, parts


def _shown(value: object) -> str:
    """A value as it may stand in a message."""
    try:
        text = repr(value)
    except RecursionError:
        return "a value that is nested too deeply"
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "..."


class PathMappingRule:
    """Maps what lies below `source_path` to `destination_path`.

    Args:
        source_path_format: "POSIX", "WINDOWS" or "URI"; the usual names of operating systems
            are taken for the first two.
        source_path: the folder (or file) to map, in that format.
        destination_path: what takes its place, in the format of `destination_os`.
        destination_os: the system that the mapped path is for; this one if not given.

    Raises:
        ValueError: a field is empty, or a format or system is unknown.
    """

    __slots__ = ("source_path_format", "source_path", "destination_path", "destination_os",
                 "_base", "_glue", "_separator", "_compiled")  # fmt: skip

    def __init__(
        self,
        source_path_format: str,
        source_path: str,
        destination_path: str,
        destination_os: str = _HOST,
    ) -> None:
        for field, value in (
            ("source_path_format", source_path_format),
            ("source_path", source_path),
            ("destination_path", destination_path),
            ("destination_os", destination_os),
        ):
            if not value or not isinstance(value, str):
                raise ValueError("{} cannot be None or empty".format(field))
        try:
            self.source_path_format = _FORMATS[source_path_format.lower()]
        except KeyError:
            raise ValueError(
                "source_path_format {} is unknown; it is POSIX, WINDOWS or URI".format(
                    _shown(source_path_format)
                )
            ) from None
        try:
            self.destination_os = _SYSTEMS[destination_os.lower()]
        except KeyError:
            raise ValueError(
                "the operating system {} is unknown; it is Linux, macOS, Windows or POSIX".format(
                    _shown(destination_os)
                )
            ) from None
        if self.source_path_format == URI and not _is_uri(source_path):
            raise ValueError(
                "source_path {} of a URI rule does not begin with <scheme>://".format(
                    _shown(source_path)
                )
            )
        self.source_path = source_path
        self.destination_path = destination_path
        windows = self.destination_os == "Windows"
        self._separator = "\\" if windows else "/"
        parts = _windows_parts(destination_path) if windows else _posix_parts(destination_path)
        first = parts[0] if parts else ""
        # A root, and a drive without one ("C:x"), have no separator behind them.
        bare = first[-1:] == self._separator or (windows and first[1:] == ":")
        if bare:
            self._base = first + self._separator.join(parts[1:])
        else:
            self._base = self._separator.join(parts)
        self._glue = "" if not parts or (bare and len(parts) == 1) else self._separator
        self._compiled: Optional[PathMapper] = None

    @staticmethod
    def from_dict(*, rule: Dict[str, str]) -> PathMappingRule:
        """The rule that a mapping with these fields describes.

        Raises:
            ValueError: it is no mapping, or its fields are missing, unknown or not valid.
        """
        if not isinstance(rule, dict) or not rule:
            raise ValueError("a path mapping rule must be a mapping, not {}".format(_shown(rule)))
        fields = ("source_path_format", "source_path", "destination_path", "destination_os")
        unknown = sorted(set(rule) - set(fields), key=str)
        if unknown:
            raise ValueError("a path mapping rule has no field {}".format(_shown(unknown[0])))
        for field in fields[:3]:
            if field not in rule:
                raise ValueError("a path mapping rule lacks its {}".format(field))
        return PathMappingRule(**rule)

    def to_dict(self) -> Dict[str, str]:
        """The four fields; ``from_dict`` takes them back."""
        return {
            "source_path_format": self.source_path_format,
            "source_path": self.source_path,
            "destination_path": self.destination_path,
            "destination_os": self.destination_os,
        }

    def apply(self, *, path: str) -> Tuple[bool, str]:
        """(True, the mapped path) where the rule matches, else (False, `path`)."""
        if self._compiled is None:
            self._compiled = PathMapper([self])
        mapped = self._compiled.match(path)
        return (False, path) if mapped is None else (True, mapped[1])

    def _source_parts(self) -> Parts:
        parts = _split(self.source_path_format, self.source_path)[0]
        if self.source_path_format == URI and len(parts) > 1 and not parts[-1]:
            # A folder's trailing slash, not a component that a path would have to repeat.
            parts.pop()
        return parts

    def _mapped(self, rest: Parts, trailing: bool) -> str:
        text = self._base
        if rest:
            text += self._glue + self._separator.join(rest)
        text = text or "."
        return text + self._separator if trailing and text[-1] != self._separator else text

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PathMappingRule):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(tuple(self.to_dict().values()))

    def __repr__(self) -> str:
        fields = ", ".join("{}={!r}".format(*item) for item in self.to_dict().items())
        return "PathMappingRule({})".format(fields)


class PathMapper:
    """Many rules, compiled. The longest source (in components) wins; among equals the first."""

    def __init__(self, rules: Iterable[PathMappingRule]) -> None:
        # For each format: the rule by its source's components, the lengths (in components)
        # that occur, and a character that every path has at that place which a rule can match.
        self._tables: List[Tuple[str, Table, List[int], Tuple[int, str]]] = []
        tables: Dict[str, Table] = {}
        for order, rule in enumerate(rules):
            table = tables.setdefault(rule.source_path_format, {})
            table.setdefault(tuple(rule._source_parts()), (order, rule))
        for path_format, table in tables.items():
            lengths = sorted({len(parts) for parts in table}, reverse=True)
            # Where every source is rooted in the usual way, a path that is not needs no look.
            at, sign, root = (1, ":", ":\\") if path_format == WINDOWS else (0, "/", "/")
            usual = path_format != URI and all(p and p[0][at:] == root for p in table)
            self._tables.append((path_format, table, lengths, (at, sign) if usual else (0, "")))

    def match(self, path: str) -> Optional[Tuple[PathMappingRule, str]]:
        """The rule that applies to `path` and the path that it makes of it, or None."""
        best: Optional[Tuple[int, int, PathMappingRule, Parts]] = None
        for path_format, table, lengths, (at, sign) in self._tables:
            if sign and path[at : at + 1] != sign:
                continue
            keys, parts = _split(path_format, path)
            count = len(keys)
            for length in lengths:
                if length > count:
                    continue
                found = table.get(tuple(keys[:length]))
                if found is None:
                    continue
                # A relative source of no components (".") must not match a rooted path.
                if not length and count and _rooted(path_format, parts[0]):
                    continue
                order, rule = found
                if best is None or (-length, order) < best[:2]:
                    best = (-length, order, rule, parts[length:])
                break
        if best is None:
            return None
        rule = best[2]
        separators = "/\\" if rule.source_path_format == WINDOWS else "/"
        return rule, rule._mapped(best[3], path[-1:] in separators and bool(path))

    def map(self, path: str) -> str:
        """`path` as the rules map it; `path` itself when none applies."""
        found = self.match(path)
        return path if found is None else found[1]


def _rooted(path_format: str, first: str) -> bool:
    return (
        path_format == URI
        or first[-1] in ("\\" if path_format == WINDOWS else "/")
        or (path_format == WINDOWS and first[1:2] == ":")
    )
