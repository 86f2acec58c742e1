"""Path mapping rules: what the specification says, and what `pathlib` does."""

from __future__ import annotations

import pickle
import string
import sys
from pathlib import PurePath, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from openjd.adaptor_runtime.adaptors import PathMappingRule as RuntimeRule
from openjd.adaptor_runtime_client.path_mapping import PathMapper, PathMappingRule

GOOD = {"source_path_format": "POSIX", "source_path": "/a", "destination_path": "/b"}
OTHER_SYSTEM = "Linux" if sys.platform == "win32" else "Windows"


def rule(
    source: str,
    destination: str = "/mnt/d",
    source_format: str = "POSIX",
    system: str = "Linux",
) -> PathMappingRule:
    """A rule, by default from POSIX to Linux."""
    return PathMappingRule(source_format, source, destination, system)


def posix(source: str, path: str, destination: str = "/mnt/d") -> tuple[bool, str]:
    """What a POSIX rule makes of a path."""
    return rule(source, destination).apply(path=path)


def windows(source: str, path: str, destination: str = "/mnt/d") -> tuple[bool, str]:
    """What a Windows rule makes of a path."""
    return rule(source, destination, "WINDOWS").apply(path=path)


def uri(source: str, path: str, destination: str = "/mnt/d") -> tuple[bool, str]:
    """What a URI rule makes of a path."""
    return rule(source, destination, "URI").apply(path=path)


class TestPosix:
    @pytest.mark.parametrize(
        ("source", "path", "mapped"),
        [
            ("/a", "/a", "/mnt/d"),
            ("/a", "/a/", "/mnt/d/"),
            ("/a/", "/a", "/mnt/d"),
            ("/a", "/a/b/c.exr", "/mnt/d/b/c.exr"),
            ("/a", "/a/b/", "/mnt/d/b/"),
            ("/a", "/a//b/./c", "/mnt/d/b/c"),
            ("/a", "/a/b//", "/mnt/d/b/"),
            ("/a/./b//", "/a/b/c", "/mnt/d/c"),
            ("/", "/a/b", "/mnt/d/a/b"),
            ("/", "/", "/mnt/d/"),
            ("a/b", "a/b/c", "/mnt/d/c"),
            ("a", "./a/c", "/mnt/d/c"),
            ("/a", "/a/\u00fc ml\u0101ut.####.exr", "/mnt/d/\u00fc ml\u0101ut.####.exr"),
            ("/a", "/a/x\\y", "/mnt/d/x\\y"),
            ("/a", "/a/b\n", "/mnt/d/b\n"),
        ],
    )
    def test_maps(self, source: str, path: str, mapped: str) -> None:
        """What lies at or below the source is mapped, by whole components."""
        assert posix(source, path) == (True, mapped)

    @pytest.mark.parametrize(
        ("source", "path"),
        [
            ("/a", "/ab"),
            ("/a", "/A/b"),
            ("/a", "a/b"),
            ("a", "/a/b"),
            ("/a/b", "/a"),
            ("/a/b", "/a\\b/c"),
            ("/a", "//a/b"),
            ("/a", "/b/a"),
            ("/a", ""),
            ("/a", " /a"),
            (".", "/a"),
        ],
    )
    def test_leaves_alone(self, source: str, path: str) -> None:
        """Everything else stays as it is: other case, half a component, rooted or not."""
        assert posix(source, path) == (False, path)

    def test_parents_are_never_collapsed(self) -> None:
        """``..`` may cross a link: it is an ordinary component, in source and path."""
        assert posix("/a", "/a/b/../c") == (True, "/mnt/d/b/../c")
        assert posix("/a/c", "/a/b/../c") == (False, "/a/b/../c")
        assert posix("/a/../c", "/a/../c/x") == (True, "/mnt/d/x")
        assert posix("/a", "/a/..") == (True, "/mnt/d/..")


class TestWindows:
    @pytest.mark.parametrize(
        ("source", "path", "mapped"),
        [
            ("Z:\\a", "Z:\\a\\b", "/mnt/d/b"),
            ("Z:\\a", "z:/A/b/C.exr", "/mnt/d/b/C.exr"),
            ("z:/a/", "Z:\\A", "/mnt/d"),
            ("Z:\\a", "Z:\\a\\", "/mnt/d/"),
            ("Z:\\a", "Z:\\a/", "/mnt/d/"),
            ("Z:\\a", "Z:\\\\a\\.\\b", "/mnt/d/b"),
            ("Z:\\", "Z:\\b", "/mnt/d/b"),
            ("Z:/", "Z:\\", "/mnt/d/"),
            ("\\\\server\\share", "\\\\SERVER\\Share\\b", "/mnt/d/b"),
            ("//server/share/a", "\\\\server\\share\\a\\b", "/mnt/d/b"),
            ("\\\\server\\share\\", "//server/share", "/mnt/d"),
            ("a\\b", "A/B/c", "/mnt/d/c"),
            ("\\a", "/a/b", "/mnt/d/b"),
            ("Z:a", "z:A\\b", "/mnt/d/b"),
            ("Z:", "z:b", "/mnt/d/b"),
            ("\\\\?\\C:\\a", "\\\\?\\c:\\A\\b", "/mnt/d/b"),
            # What Cinema 4D makes of a Windows path on Linux; its adaptor has rules for it.
            ("./C:/show", "./C:/show/z", "/mnt/d/z"),
        ],
    )
    def test_maps(self, source: str, path: str, mapped: str) -> None:
        """Case does not matter, ``/`` and ``\\`` are equal, shares and drives are roots."""
        assert windows(source, path) == (True, mapped)

    @pytest.mark.parametrize(
        ("source", "path"),
        [
            ("Z:\\a", "Y:\\a\\b"),
            ("Z:\\a", "Z:\\ab"),
            ("Z:\\a", "Z:a\\b"),
            ("Z:a", "Z:\\a\\b"),
            ("Z:", "Z:\\a"),
            ("Z:\\", "Z:a"),
            ("Z:\\a", "\\a\\b"),
            ("\\a", "Z:\\a\\b"),
            ("a", "\\a"),
            (".", "Z:a"),
            (".", "\\\\server\\share\\a"),
            ("\\\\server\\share", "\\\\server\\share2\\a"),
            ("\\\\server\\share", "\\\\server2\\share\\a"),
            ("\\\\server\\share", "\\server\\share\\a"),
            ("\\\\server\\share\\a", "\\\\server\\share"),
        ],
    )
    def test_leaves_alone(self, source: str, path: str) -> None:
        """Rooted matches rooted, on the same drive or share, and nothing else."""
        assert windows(source, path) == (False, path)

    def test_parents_are_never_collapsed(self) -> None:
        """``..`` is an ordinary component."""
        assert windows("Z:\\a", "Z:\\a\\b\\..\\c") == (True, "/mnt/d/b/../c")
        assert windows("Z:\\a\\c", "Z:\\a\\b\\..\\c") == (False, "Z:\\a\\b\\..\\c")

    def test_case_as_pathlib_has_it(self) -> None:
        """Case is folded as `PureWindowsPath` does it, with ``lower()``."""
        assert windows("Z:\\\u00c4\u0416", "z:\\\u00e4\u0436\\x") == (True, "/mnt/d/x")
        assert windows("Z:\\stra\u00dfe", "Z:\\STRASSE") == (False, "Z:\\STRASSE")


class TestUri:
    @pytest.mark.parametrize(
        ("source", "path", "mapped"),
        [
            ("s3://bucket", "s3://bucket", "/mnt/d"),
            ("s3://bucket", "s3://bucket/", "/mnt/d/"),
            ("s3://bucket/", "s3://bucket/a", "/mnt/d/a"),
            ("s3://bucket/a/", "s3://bucket/a/b", "/mnt/d/b"),
            ("s3://bucket/a", "S3://BUCKET/a/B", "/mnt/d/B"),
            ("S3://Bucket/a", "s3://bucket/a/b/", "/mnt/d/b/"),
            ("s3://bucket", "s3://bucket//a", "/mnt/d//a"),
            ("s3://bucket", "s3://bucket/a//b", "/mnt/d/a//b"),
            ("s3://bucket//a", "s3://bucket//a/b", "/mnt/d/b"),
            ("s3://bucket", "s3://bucket/a/../b/./c", "/mnt/d/a/../b/./c"),
            ("file:///mnt", "file:///mnt/a", "/mnt/d/a"),
            ("https://u@host:80/a", "HTTPS://U@HOST:80/a/b?c=d#e", "/mnt/d/b?c=d#e"),
        ],
    )
    def test_maps(self, source: str, path: str, mapped: str) -> None:
        """Scheme and authority in any case, the path exact, its empty components kept."""
        assert uri(source, path) == (True, mapped)

    @pytest.mark.parametrize(
        ("path", "mapped"),
        [
            ("s3://bucket//", "/mnt/d//"),
            ("s3://bucket///", "/mnt/d///"),
            ("s3://bucket/a//", "/mnt/d/a//"),
        ],
    )
    def test_empty_components_at_the_end(self, path: str, mapped: str) -> None:
        """Empty components count at the end of a URI as they do in it."""
        assert uri("s3://bucket", path) == (True, mapped)

    @pytest.mark.parametrize(
        ("source", "path"),
        [
            ("s3://bucket/a", "s3://bucket/A/b"),
            ("s3://bucket/a", "s3://bucket/ab"),
            ("s3://bucket/a", "s3://bucket//a/b"),
            ("s3://bucket", "s3://bucket2/a"),
            ("s3://bucket", "s3:/bucket/a"),
            ("s3://bucket", "/bucket/a"),
            ("s3://bucket", ""),
            ("s3://bucketk", "s3://bucket\u212a/a"),
            ("s3://b\u00e4", "s3://b\u00c4/a"),
            ("s3://bucket/a b", "s3://bucket/a%20b"),
        ],
    )
    def test_leaves_alone(self, source: str, path: str) -> None:
        """Case folds over ASCII only, and a path's components must be equal."""
        assert uri(source, path) == (False, path)

    @pytest.mark.parametrize("source", ["/mnt/x", "bucket", "s3:/bucket", "://bucket", "C:\\x"])
    def test_source_that_is_no_uri(self, source: str) -> None:
        """A URI rule whose source does not begin with a scheme is refused, and shown."""
        with pytest.raises(ValueError, match="<scheme>://") as caught:
            rule(source, source_format="URI")
        assert repr(source) in str(caught.value)


class TestDestination:
    @pytest.mark.parametrize(
        ("destination", "path", "mapped"),
        [
            ("D:\\x", "/a/b/c", "D:\\x\\b\\c"),
            ("D:/x/", "/a/b/", "D:\\x\\b\\"),
            ("D:\\", "/a/b", "D:\\b"),
            ("D:\\", "/a", "D:\\"),
            ("\\\\server\\share", "/a/b", "\\\\server\\share\\b"),
            ("//server/share/x", "/a/b", "\\\\server\\share\\x\\b"),
            ("x\\y", "/a/b", "x\\y\\b"),
            ("Z:x", "/a/b", "Z:x\\b"),
        ],
    )
    def test_windows(self, destination: str, path: str, mapped: str) -> None:
        """A destination on Windows is written with backslashes, whatever this host is."""
        assert rule("/a", destination, system="Windows").apply(path=path) == (True, mapped)

    @pytest.mark.parametrize(
        ("destination", "path", "mapped"),
        [
            ("/", "Z:\\a\\b", "/b"),
            ("/", "Z:\\a", "/"),
            ("/x/", "Z:\\a", "/x"),
            ("/x//y/./z", "Z:\\a\\b", "/x/y/z/b"),
            ("x/y", "Z:\\a\\b\\", "x/y/b/"),
            (".", "Z:\\a\\b", "b"),
            (".", "Z:\\a", "."),
            ("/x\\y", "Z:\\a\\b", "/x\\y/b"),
            ("/x/../y", "Z:\\a\\b", "/x/../y/b"),
        ],
    )
    def test_posix(self, destination: str, path: str, mapped: str) -> None:
        """A destination on POSIX is written with slashes, whatever this host is."""
        made = rule("Z:\\a", destination, "WINDOWS", "Linux")
        assert made.apply(path=path) == (True, mapped)

    def test_this_host_by_default(self) -> None:
        """Without a destination system the mapped path is one of this host's."""
        made = PathMappingRule("POSIX", "/a", "x")
        assert made.apply(path="/a/b") == (True, str(PurePath("x", "b")))
        other = PathMappingRule("POSIX", "/a", "x", OTHER_SYSTEM)
        assert made.destination_os != other.destination_os


class TestManyRules:
    def test_longest_source_first(self) -> None:
        """The rule with the longest source wins, in whatever order the rules are given."""
        short, long = rule("/a", "/short"), rule("/a/b", "/long")
        for rules in ([short, long], [long, short]):
            mapper = PathMapper(rules)
            assert mapper.map("/a/b/c") == "/long/c"
            assert mapper.map("/a/c") == "/short/c"
            assert mapper.map("/c") == "/c"

    def test_length_is_counted_in_components(self) -> None:
        """Long is what has many components, not many letters."""
        mapper = PathMapper(
            [rule("/a-very-long-name", "/one"), rule("/a-very-long-name/b", "/two")]
        )
        assert mapper.map("/a-very-long-name/b/c") == "/two/c"
        mapper = PathMapper(
            [
                rule("//server/share", "/slashes", "WINDOWS"),
                rule("//server/share/a", "/deeper", "WINDOWS"),
            ]
        )
        assert mapper.map("\\\\server\\share\\A\\b") == "/deeper/b"

    def test_the_first_of_equals(self) -> None:
        """Among rules with equally long sources the first that matches wins."""
        assert PathMapper([rule("/a", "/1"), rule("/a", "/2")]).map("/a/b") == "/1/b"
        mapper = PathMapper(
            [rule("a", "/1", "WINDOWS"), rule("a", "/2"), rule("A", "/3", "WINDOWS")]
        )
        assert mapper.map("a/b") == "/1/b"
        mapper = PathMapper([rule("a", "/2"), rule("a", "/1", "WINDOWS")])
        assert mapper.map("a/b") == "/2/b"
        assert mapper.map("A/b") == "/1/b"

    def test_match_names_the_rule(self) -> None:
        """A match says which rule it was; no match is None."""
        rules = [rule("/a", "/1"), rule("/b", "/2")]
        mapper = PathMapper(rules)
        assert mapper.match("/b/c") == (rules[1], "/2/c")
        assert mapper.match("/c") is None

    def test_no_rules(self) -> None:
        """Without rules every path stays as it is."""
        assert PathMapper([]).map("Z:\\a//b/") == "Z:\\a//b/"

    def test_mapped_paths_are_not_mapped_again(self) -> None:
        """One rule is applied, once: what it makes is not looked at again."""
        mapper = PathMapper([rule("/a", "/b"), rule("/b", "/c")])
        assert mapper.map("/a/x") == "/b/x"


class TestFields:
    def test_one_class_for_both_sides(self) -> None:
        """The adaptor and the client inside the application have the same rule."""
        assert RuntimeRule is PathMappingRule

    @pytest.mark.parametrize("field", GOOD)
    @pytest.mark.parametrize("value", ["", None, 5])
    def test_empty(self, field: str, value: object) -> None:
        """A field that is empty, or no text, is refused by its name."""
        with pytest.raises(ValueError, match=field):
            PathMappingRule(**{**GOOD, field: value})

    @pytest.mark.parametrize("field", GOOD)
    def test_missing(self, field: str) -> None:
        """A rule without one of its fields is refused, and the field named."""
        with pytest.raises(ValueError, match=field):
            PathMappingRule.from_dict(rule={k: v for k, v in GOOD.items() if k != field})

    @pytest.mark.parametrize("data", [{}, [], None, "text", [["source_path", "/a"]]])
    def test_no_mapping(self, data: object) -> None:
        """What is no mapping is no rule."""
        with pytest.raises(ValueError, match="must be a mapping"):
            PathMappingRule.from_dict(rule=data)

    def test_unknown_field(self) -> None:
        """A field that no rule has is named."""
        with pytest.raises(ValueError, match="'source_os'"):
            PathMappingRule.from_dict(rule={**GOOD, "source_os": "Linux"})

    @pytest.mark.parametrize("name", ["UNIX", "OS/2", "POSIX ", "Windows 11"])
    def test_unknown_names(self, name: str) -> None:
        """A format or system that does not exist is shown, with those that do."""
        with pytest.raises(ValueError, match="POSIX, WINDOWS or URI") as caught:
            PathMappingRule(**{**GOOD, "source_path_format": name})
        assert repr(name) in str(caught.value)
        with pytest.raises(ValueError, match="Linux, macOS, Windows or POSIX") as caught:
            PathMappingRule(**GOOD, destination_os=name)
        assert repr(name) in str(caught.value)

    def test_uri_is_no_system(self) -> None:
        """A destination lies on a system, never behind a URI."""
        with pytest.raises(ValueError, match="unknown"):
            PathMappingRule(**GOOD, destination_os="URI")

    @pytest.mark.parametrize(
        ("name", "source_format"),
        [
            ("posix", "POSIX"),
            ("Linux", "POSIX"),
            ("darwin", "POSIX"),
            ("macOS", "POSIX"),
            ("Windows", "WINDOWS"),
            ("windows_nt", "WINDOWS"),
            ("NT", "WINDOWS"),
            ("win32", "WINDOWS"),
        ],
    )
    def test_usual_names_of_systems(self, name: str, source_format: str) -> None:
        """Formats and systems are known by their usual names, in any case."""
        made = PathMappingRule(name, "/a", "x", name)
        assert made.source_path_format == source_format
        separator = "\\" if source_format == "WINDOWS" else "/"
        assert made.apply(path="/a/b") == (True, f"x{separator}b")

    def test_round_trip(self) -> None:
        """``to_dict`` gives what ``from_dict`` takes, and the texts as they were written."""
        made = PathMappingRule("WINDOWS", "Z:/A/", "/mnt//x/", "Linux")
        data = made.to_dict()
        assert data == {
            "source_path_format": "WINDOWS",
            "source_path": "Z:/A/",
            "destination_path": "/mnt//x/",
            "destination_os": "Linux",
        }
        again = PathMappingRule.from_dict(rule=data)
        assert again == made
        assert hash(again) == hash(made)
        assert eval(repr(made)) == made

    def test_differs(self) -> None:
        """Rules are equal where all their fields are."""
        made = PathMappingRule(**GOOD)
        for field, value in (
            ("source_path_format", "WINDOWS"),
            ("source_path", "/c"),
            ("destination_path", "/c"),
        ):
            assert PathMappingRule(**{**GOOD, field: value}) != made
        assert made != GOOD

    def test_pickle(self) -> None:
        """A rule can be sent to another process."""
        made = rule("/a", "/b")
        made.apply(path="/a/x")
        again = pickle.loads(pickle.dumps(made))
        assert again == made
        assert again.apply(path="/a/x") == (True, "/b/x")


# Against pathlib

name = st.text(
    st.sampled_from(string.ascii_letters[:6] + "ABab._ -\u00e4\u00c4")
    | st.characters(blacklist_categories=["Cs"], blacklist_characters='/\\:\0?*<>|"'),
    min_size=1,
    max_size=3,
) | st.sampled_from(["..", ".", "a", "A", "b", "..."])
names = st.lists(name, max_size=4)
slash = st.sampled_from(["/", "/", "/", "//", "/./"])
either = st.sampled_from(["\\", "/", "\\", "\\\\", "/.\\"])


@st.composite
def posix_paths(draw: st.DrawFn) -> str:
    """Paths as people and programs write them on POSIX."""
    root = draw(st.sampled_from(["", "/", "/", "//", "///"]))
    parts = draw(names)
    text = root + "".join(part + draw(slash) for part in parts[:-1]) + "".join(parts[-1:])
    return text + draw(st.sampled_from(["", "/"])) if parts else text


@st.composite
def windows_paths(draw: st.DrawFn) -> str:
    """The same on Windows: drives, shares, neither."""
    root = draw(
        st.sampled_from(["", "\\", "/", "C:", "c:\\", "C:/", "D:\\", "\\\\s\\h\\", "//S/h/"])
    )
    parts = draw(names)
    text = root + "".join(part + draw(either) for part in parts[:-1]) + "".join(parts[-1:])
    return text + draw(st.sampled_from(["", "/", "\\"])) if parts else text


def windows_parts(path: PureWindowsPath) -> list[str]:
    """The components as Windows compares them."""
    return [part.lower() for part in path.parts]


def expected(flavour: str, source: str, path: str, destination: str) -> tuple[bool, str]:
    """What pathlib makes of a rule: parts of the path behind those of the source."""
    if flavour == "WINDOWS":
        pure: PurePath = PureWindowsPath(path)
        parts, begin = windows_parts(PureWindowsPath(path)), windows_parts(PureWindowsPath(source))
        # Without a source there is no drive to be on.
        rooted = bool(pure.anchor)
    else:
        pure = PurePosixPath(path)
        parts, begin = list(pure.parts), list(PurePosixPath(source).parts)
        rooted = bool(pure.root)
    if parts[: len(begin)] != begin or (not begin and rooted):
        return False, path
    rest = pure.parts[len(begin) :]
    mapped = "/".join([str(PurePosixPath(destination)), *rest])
    trailing = path[-1:] == "/" or (flavour == "WINDOWS" and path[-1:] == "\\")
    return True, mapped + "/" if trailing and not mapped.endswith("/") else mapped


@given(posix_paths().filter(bool), st.lists(name, max_size=3), posix_paths())
@example("/a", ["b"], "/a/b/")
@example(".", [], "a/b")
@example("//a", [], "//a/b")
def test_posix_like_pathlib(source: str, below: list[str], other: str) -> None:
    """Whatever the paths, a POSIX rule matches and maps as `PurePosixPath` would."""
    for path in (other, source, source.rstrip("/") + "/" + "/".join(below)):
        assert posix(source, path) == expected("POSIX", source, path, "/mnt/d")


@given(windows_paths().filter(bool), st.lists(name, max_size=3), windows_paths())
@example("C:", [], "C:\\a")
@example("\\\\s\\h", ["A"], "//S/H")
def test_windows_like_pathlib(source: str, below: list[str], other: str) -> None:
    """Whatever the paths, a Windows rule matches and maps as `PureWindowsPath` would."""
    beside = source.rstrip("/\\") + "\\" + "/".join(below)
    for path in (other, source, source.swapcase(), source.lower(), beside):
        # Not every pair of swapped letters is equal by lower(): pathlib is asked, not assumed.
        assert windows(source, path) == expected("WINDOWS", source, path, "/mnt/d")


@given(windows_paths().filter(bool), names)
def test_windows_destination_like_pathlib(destination: str, rest: list[str]) -> None:
    """A path below the source is mapped to the destination as `PureWindowsPath` joins it."""
    below = [part for part in rest if part != "."]
    made = rule("/a", destination, system="Windows")
    joined = str(PureWindowsPath(destination).joinpath(*below))
    assert made.apply(path="/".join(["/a", *below])) == (True, joined)


@given(posix_paths().filter(bool), names)
def test_posix_destination_like_pathlib(destination: str, rest: list[str]) -> None:
    """The same with `PurePosixPath`."""
    below = [part for part in rest if part != "."]
    made = rule("/a", destination)
    joined = str(PurePosixPath(destination).joinpath(*below))
    assert made.apply(path="/".join(["/a", *below])) == (True, joined)


uris = st.builds(
    lambda head, tail: head + "".join("/" + part for part in tail),
    st.sampled_from(["s3://b", "S3://B", "s3://c", "file://"]),
    st.lists(st.sampled_from(["a", "A", "", "b", "..", "."]), max_size=4),
)
# A source with a slash at its end has the same components as without it.
bare_uris = uris.filter(lambda source: source[-1] != "/")
ends = st.text(st.sampled_from("/aA."), max_size=5)


@given(bare_uris, ends, st.sampled_from(["", "/"]))
@example("s3://b", "//", "")
@example("s3://b/a", "/b//", "/")
def test_uri_by_its_text(source: str, end: str, slash: str) -> None:
    """A URI rule takes what begins with its source and goes on with a slash, and keeps that."""
    scheme, rest = source.split("://")
    path = f"{scheme.swapcase()}://{rest}{end}"
    wanted = (True, "/mnt/d" + end) if end[:1] in ("", "/") else (False, path)
    assert uri(source + slash, path) == wanted


rules = st.lists(
    st.one_of(
        st.builds(lambda s, d: ("POSIX", s, d), posix_paths().filter(bool), st.just("/p")),
        st.builds(lambda s, d: ("WINDOWS", s, d), windows_paths().filter(bool), st.just("/w")),
        st.builds(lambda s, d: ("URI", s, d), uris, st.just("/u")),
    ),
    max_size=8,
)


def components(made: PathMappingRule) -> int:
    """How long a rule's source is."""
    if made.source_path_format == "POSIX":
        return len(PurePosixPath(made.source_path).parts)
    if made.source_path_format == "WINDOWS":
        return len(PureWindowsPath(made.source_path).parts)
    # scheme://authority is one, and each slash behind it begins another, but for the last.
    text = made.source_path.split("://")[1]
    return 1 + text.count("/") - text.endswith("/")


@settings(max_examples=50)
@given(rules, st.lists(posix_paths() | windows_paths() | uris, max_size=4), st.data())
def test_many_rules_like_one_after_the_other(
    written: list[tuple[str, str, str]], paths: list[str], data: st.DataObject
) -> None:
    """Many rules give what trying each by itself gives, longest source first, then in order."""
    made = [rule(s, f"{d}{i}", f) for i, (f, s, d) in enumerate(written)]
    mapper = PathMapper(made)
    for written_rule in written:
        paths.append(written_rule[1] + data.draw(st.sampled_from(["", "/a", "/", "\\b"])))
    for path in paths:
        wanted = path
        for one in sorted(made, key=components, reverse=True):
            matched, mapped = one.apply(path=path)
            if matched:
                wanted = mapped
                break
        assert mapper.map(path) == wanted


@pytest.mark.skipif(sys.platform == "win32", reason="the engine maps to this host's paths only")
class TestLikeTheEngine:
    @settings(max_examples=40)
    @given(
        st.sampled_from(["POSIX", "WINDOWS"]),
        st.lists(st.sampled_from(["a", "B", "..", "c d", "e.f"]), min_size=1, max_size=3),
        st.lists(st.sampled_from(["a", "A", "x", "..", "y.z"]), max_size=3),
        st.sampled_from(["", "/"]),
    )
    def test_paths(self, source_format: str, source: list, below: list, end: str) -> None:
        """A path is mapped as openjd-sessions maps it, in each of the two formats."""
        sessions = pytest.importorskip("openjd.sessions", exc_type=ImportError)
        root = "/" if source_format == "POSIX" else "Z:/"
        fields = {
            "source_path_format": source_format,
            "source_path": root + "/".join(source),
            "destination_path": "/mnt/d",
        }
        for path in (root + "/".join(source + below) + end, root + "/".join(below) + end):
            theirs = sessions.PathMappingRule.from_dict(fields).apply(path=path)
            ours = PathMappingRule.from_dict(rule=fields).apply(path=path)
            assert ours == theirs

    @settings(max_examples=40)
    @given(
        bare_uris,
        st.sampled_from(["", "/", "//", "/a", "/a/", "//a", "/a//b/", "x", "/../a"]),
    )
    def test_uris(self, source: str, end: str) -> None:
        """The same for URIs."""
        sessions = pytest.importorskip("openjd.sessions", exc_type=ImportError)
        fields = {
            "source_path_format": "URI",
            "source_path": source,
            "destination_path": "/mnt/d",
        }
        theirs = sessions.PathMappingRule.from_dict(fields).apply(path=source + end)
        ours = PathMappingRule.from_dict(rule=fields).apply(path=source + end)
        assert ours == theirs
