"""What is fuzzed: a function of bytes for each input that others write, with what must hold of it.

A target returns for every input, within seconds; where the code under test does what it must
not, it raises AssertionError, or lets through what the code raised. Nothing else is a finding.
The bytes are read as texts wherever that is possible, so that people can write and read them.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import json
import logging
import math
import ntpath
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from jsonschema import ValidationError
from jsonschema.exceptions import SchemaError

from openjd.adaptor_runtime import _cancel_info as cancel_infos
from openjd.adaptor_runtime import _output, _session_folder
from openjd.adaptor_runtime._daemon import connection_file as connection_files
from openjd.adaptor_runtime._data import DataError, parse
from openjd.adaptor_runtime.adaptors import AdaptorDataValidator, IntRange
from openjd.adaptor_runtime.adaptors.base import _read_rules
from openjd.adaptor_runtime.adaptors.configuration.configuration import (
    AdaptorConfiguration,
    Configuration,
    ConfigurationError,
    RuntimeConfiguration,
)
from openjd.adaptor_runtime.adaptors.data_paths import SchemaPaths, map_path_list
from openjd.adaptor_runtime.app_handlers import RegexCallback, RegexHandler, RunawayPattern
from openjd.adaptor_runtime.app_handlers._effort import longest_line
from openjd.adaptor_runtime.app_handlers._guard import Guard
from openjd.adaptor_runtime.application import toml_adaptor
from openjd.adaptor_runtime.application.placeholders import Arguments, Field, Text
from openjd.adaptor_runtime.application.rules import (
    SHOWN,
    TOLD,
    Fail,
    License,
    Progress,
    Rule,
    RuleBook,
    Status,
    Warn,
)
from openjd.adaptor_runtime.application.settings import ApplicationConfiguration, Limits
from openjd.adaptor_runtime.process import _pump
from openjd.adaptor_runtime_client.path_mapping import PathMapper, PathMappingRule
from openjd.adaptor_runtime_client.wire import framing, messages
from openjd.adaptor_runtime_client.wire.errors import LocalProtocolError, RemoteProtocolError

#: What a message about a wrong input may have, beside the name of its file (characters).
LONGEST_MESSAGE = 1200


class Target(NamedTuple):
    """Something to fuzz."""

    run: Callable[[bytes], None]
    #: The longest input that is made (bytes).
    longest: int
    #: What the fuzzer puts together, beside bytes.
    words: tuple[str, ...]
    #: What one input may take (seconds).
    seconds: int


TARGETS: dict[str, Target] = {}
_Run = Callable[[bytes], None]


def target(longest: int, *words: str, seconds: int = 10) -> Callable[[_Run], _Run]:
    """Makes a target of a function, with its name."""

    def add(run: _Run) -> _Run:
        TARGETS[run.__name__.rstrip("_")] = Target(run, longest, words, seconds)
        return run

    return add


def check_message(error: BaseException, *names: str) -> None:
    """That an error's message is one line, bounded, and has `names` in it."""
    text = str(error)
    assert text.isprintable(), f"not one line of text: {text!r}"
    assert len(text) <= LONGEST_MESSAGE + sum(map(len, names)), f"{len(text)} characters: {text}"
    for name in names:
        assert name in text, f"{name!r} is not named: {text}"


@contextlib.contextmanager
def file_with(data: bytes, name: str) -> Iterator[str]:
    """The path of a private file that holds `data`."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        path = os.path.join(folder, name)
        Path(path).write_bytes(data)
        Path(path).chmod(0o600)
        yield path


@contextlib.contextmanager
def line_limit(limit: int) -> Iterator[None]:
    """A smaller limit for lines, so that short inputs reach it."""
    usual = _output.LINE_LIMIT
    try:
        _output.LINE_LIMIT = _pump.LINE_LIMIT = limit
        yield
    finally:
        _output.LINE_LIMIT = _pump.LINE_LIMIT = usual


def pieces(data: bytes, sizes: bytes) -> Iterator[bytes]:
    """`data`, cut after so many bytes each time; the sizes come round again."""
    at = turn = 0
    while at < len(data):
        size = 1 + (sizes[turn % len(sizes)] if sizes else len(data))
        yield data[at : at + size]
        at += size
        turn += 1


def lines_of(data: bytes) -> list[str]:
    """Its lines of text."""
    return data.decode("utf-8", "replace").split("\n")


# The wire.

_WIRE_WORDS = (
    *("OJDA", "\x00\x01\x00\x00", "M\x00\x00\x00\x0f", "O\x00\x00\x00\x01", "O\x00\x00\x00\x00"),
    *('{"type":"next"}', '{"type":', '"', "\\ud800", "\\u0000", "1e999", "NaN", "[[[[", "{}"),
)


@target(128, *_WIRE_WORDS)
def framing_(data: bytes) -> None:
    """Three bytes say how the rest is cut into reads; the rest is what the other side sent."""
    sizes, stream = data[:3], data[3:]
    wanted = _events_of(stream)
    for greeting in (False, True):
        # With a good greeting before it, most inputs get further.
        whole = framing.PREAMBLE + stream if greeting else stream
        wanted = _events_of(whole)
        assert _framed([whole]) == wanted
        assert _framed(list(pieces(whole, sizes))) == wanted
        assert _framed([whole[:8], *pieces(whole[8:], sizes)]) == wanted
        assert _framed([whole[i : i + 1] for i in range(len(whole))]) == wanted
        # A read for each frame, which has a way of its own.
        assert _framed(_frames_of(whole)) == wanted
        for event in wanted[:-1]:
            _check_round_trip(event)


def _frames_of(stream: bytes) -> list[bytes]:
    reads, at = [stream[:8]], 8
    while at < len(stream):
        end = at + 5 + int.from_bytes(stream[at + 1 : at + 5], "big")
        reads.append(stream[at:end])
        at = end
    return reads


def _events_of(stream: bytes) -> list[Any]:
    """The events of a whole stream and how it ends, as docs/protocol.md says it."""
    if stream[:4] != b"OJDA"[: len(stream[:4])]:
        return ["error"]
    if len(stream) < 8:
        return ["error" if stream else "end"]
    if stream[4:6] != b"\0\1":
        return ["error"]
    events: list[Any] = []
    at = 8
    while True:
        header = stream[at : at + 5]
        if not header:
            return [*events, "end"]
        size = int.from_bytes(header[1:], "big")
        if len(header) < 5 or header[:1] not in (b"M", b"O") or size > 16 * 1024 * 1024:
            return [*events, "error"]
        body = stream[at + 5 : at + 5 + size]
        if len(body) < size:
            return [*events, "error"]
        at += 5 + size
        event: Any = body
        if header[:1] == b"M":
            try:
                event = repr(json.loads(body.decode("utf-8")))
                assert isinstance(json.loads(body.decode("utf-8"))["type"], str)
            except (ValueError, TypeError, KeyError, AssertionError, RecursionError):
                return [*events, "error"]
        events.append(event)


def _framed(reads: list[bytes]) -> list[Any]:
    """What a Framer makes of these reads, in the form of ``_events_of``."""
    framer = framing.Framer()
    events: list[Any] = []
    try:
        for read in [*filter(None, reads), b""]:
            framer.receive_data(read)
            while True:
                event = framer.next_event()
                if event is framing.END:
                    return [*events, "end"]
                if event is framing.NEED_DATA:
                    break
                events.append(repr(event) if isinstance(event, dict) else event)
            assert len(framer._buffer) <= sum(map(len, reads))
    except RemoteProtocolError as e:
        check_message(e)
        for again in (b"", b"x"):
            framer.receive_data(again)
            with contextlib.suppress(RemoteProtocolError):
                assert not framer.next_event(), "there are events after an error"
            assert not framer._buffer
        return [*events, "error"]
    raise AssertionError("a stream that has ended needs more data")


def _check_round_trip(event: Any) -> None:
    if isinstance(event, bytes):
        assert _framed([framing.PREAMBLE, framing.encode_output(event)]) == [event, "end"]


@target(512, *_WIRE_WORDS, "\ud83d", "\\u00e4", "-0.0", "123456789012345678901234567890", "true")
def messages_(data: bytes) -> None:
    """The body of a message; and the same as a text that is sent."""
    try:
        message = messages.decode(data)
    except RemoteProtocolError as e:
        check_message(e)
    else:
        assert isinstance(message["type"], str)
        try:
            again = messages.encode(message)
        except LocalProtocolError as e:
            check_message(e)
        else:
            assert again.isascii()
            assert b"\n" not in again
            assert repr(messages.decode(again)) == repr(message)
    text = data.decode("utf-8", "surrogateescape")
    if "\\" not in text:
        # What was bytes of a name comes out as these, or as text that says which they were.
        sent = messages.encode_text(text)
        assert sent == data or sent.decode("utf-8") == text.encode(
            "utf-8", "backslashreplace"
        ).decode("utf-8")
    text = data.decode("utf-16-le", "surrogatepass") if len(data) % 2 == 0 else ""
    assert messages.encode_text(text).decode("utf-8", "strict") is not None
    decoded = messages.decode(messages.encode({"type": "x", "text": text}))["text"]
    # Two halves of a pair are one character to JSON.
    assert decoded.encode("utf-16-le", "surrogatepass") == text.encode("utf-16-le", "surrogatepass")


# Paths.

_PATH_WORDS = (
    *("POSIX\t", "WINDOWS\t", "URI\t", "\tLinux", "\tWindows", "\t", "\n", "/", "\\", "//", "\\\\"),
    *("C:", "c:/", "Z:\\", "s3://b", "S3://B/", "..", ".", "./", "\\\\server\\share", "\\\\?\\"),
    *("file:///", "://", "\u0130", "\u212a", "\u00df", "\\\\?\\UNC\\", "\\\\.\\", "?", "#", "%20"),
)


@target(256, *_PATH_WORDS)
def path_mapping(data: bytes) -> None:
    """Lines: with tabs in it a line is a rule (format, source, destination, system), else a path.

    Rules map as trying each of them would, by components, the longest source first.
    """
    rules: list[PathMappingRule] = []
    paths: list[str] = []
    for line in lines_of(data):
        fields = line.split("\t")
        if len(fields) < 3:
            paths.append(line)
            continue
        names = ("source_path_format", "source_path", "destination_path", "destination_os")
        try:
            rule = PathMappingRule.from_dict(rule=dict(zip(names, fields[:4])))
        except ValueError as e:
            check_message(e)
            continue
        assert PathMappingRule.from_dict(rule=rule.to_dict()) == rule
        rules.append(rule)
        paths += [rule.source_path, rule.source_path + "/a", rule.source_path.swapcase()]
    mapper = PathMapper(rules)
    ordered = sorted(rules, key=lambda rule: -len(_source_of(rule)))
    for path in paths:
        wanted = next(filter(None, (_mapped(rule, path) for rule in ordered)), None)
        assert mapper.map(path) == (path if wanted is None else wanted), (path, rules)
        found = mapper.match(path)
        assert (found and found[1]) == wanted
        for rule in rules:
            mapped = _mapped(rule, path)
            assert rule.apply(path=path) == (mapped is not None, path if mapped is None else mapped)
        # Lists of paths, in variables: what nothing maps stays as it is.
        assert map_path_list(path, lambda text: text) == path
        if not any(sign in path for sign in ":;"):
            assert map_path_list(path, mapper.map) == (mapper.map(path) if path else path)
        assert isinstance(map_path_list(path, mapper.map), str)


def _components(path_format: str, path: str) -> list[str]:
    """The components of a path: character by character, but for what a drive is."""
    if path_format == "URI":
        scheme, colon, rest = path.partition("://")
        if not colon:
            return []
        first, *others = rest.split("/")
        return [_ascii_lower(scheme) + "://" + _ascii_lower(first), *others]
    root = ""
    if path_format == "WINDOWS":
        drive, path = ntpath.splitdrive(path.replace("/", "\\"))
        path = path.replace("\\", "/")
        root = drive + ("/" if path[:1] == "/" or drive[:2] == "\\\\" else "")
    elif path[:1] == "/":
        root = "//" if re.match("//(?!/)", path) else "/"
    parts, part = [], ""
    for character in path + "/":
        if character != "/":
            part += character
            continue
        if part not in ("", "."):
            parts.append(part)
        part = ""
    return [root, *parts] if root else parts


def _ascii_lower(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)


def _source_of(rule: PathMappingRule) -> list[str]:
    parts = _components(rule.source_path_format, rule.source_path)
    if rule.source_path_format == "URI" and len(parts) > 1 and parts[-1] == "":
        return parts[:-1]
    return parts


def _mapped(rule: PathMappingRule, path: str) -> str | None:
    """What one rule makes of a path, or None."""
    parts = _components(rule.source_path_format, path)
    source = _source_of(rule)
    windows = rule.source_path_format == "WINDOWS"

    def compared(part: str) -> str:
        return part.lower() if windows else part

    if list(map(compared, parts[: len(source)])) != list(map(compared, source)):
        return None
    if not source and parts and (rule.source_path_format == "URI" or _is_rooted(parts[0], windows)):
        return None
    separator = "\\" if rule.destination_os == "Windows" else "/"
    to_windows = separator == "\\"
    base = _components("WINDOWS" if to_windows else "POSIX", rule.destination_path)
    text = ""
    for number, part in enumerate([*base, *parts[len(source) :]]):
        root = number == 0 and bool(base) and _is_rooted(part, to_windows)
        if root and to_windows:
            part = part.replace("/", "\\")
        bare = root or not text or (number == 1 and bool(base) and _is_rooted(base[0], to_windows))
        text += part if bare else separator + part
    text = text or "."
    ends = ("/", "\\") if windows else ("/",)
    return text + separator if path.endswith(ends) and not text.endswith(separator) else text


def _is_rooted(part: str, windows: bool) -> bool:
    """Whether nothing separates this first component from the next one."""
    return part[-1:] == "/" or (windows and (part[1:] == ":" or part[:2] == "\\\\"))


# Ranges.


@target(64, "0", "9", "-", ",", ":", " ", "1-10:2", "999999999999999999", "1-999999999999", ":-1")
def ranges(data: bytes) -> None:
    """A range expression: taken where the slow reading takes it, and the same values."""
    text = data.decode("utf-8", "replace")
    wanted = _pieces_of(text)
    try:
        made = IntRange.parse(text)
    except ValueError as e:
        assert wanted is None, text
        check_message(e)
        return
    assert wanted is not None
    assert len(made._pieces) <= 3 * len(wanted) + 1
    count = sum((last - first) // step + 1 for first, last, step in wanted)
    assert made._length == count
    assert (made.first, made.last) == (wanted[0][0], wanted[-1][1])
    again = IntRange.parse(str(made))
    assert again == made
    assert hash(again) == hash(made)
    assert str(again) == str(made)
    assert eval(repr(made), {"IntRange": IntRange}) == made
    for first, last, step in wanted:
        assert first in made
        assert last in made
        assert (first + 1 in made) == any(
            a <= first + 1 <= b and (first + 1 - a) % c == 0 for a, b, c in wanted
        )
        assert step > 0
    assert made[made.index(wanted[-1][0])] == wanted[-1][0]
    if count > 1000:
        # As lazy as it says.
        assert next(iter(made)) == made.first
        assert next(reversed(made)) == made.last
        assert len(list(islice(made.contiguous_blocks(), 3))) >= 1
        middle = made[count // 3 : count // 2 : 7]
        assert middle.first == made[count // 3]
        return
    values = [value for first, last, step in wanted for value in range(first, last + 1, step)]
    assert list(made) == values
    assert list(reversed(made)) == values[::-1]
    assert IntRange.of(values) == made
    assert [n for a, b in made.contiguous_blocks() for n in range(a, b + 1)] == values
    blocks = list(made.contiguous_blocks())
    assert all(a[1] + 1 < b[0] for a, b in zip(blocks, blocks[1:]))
    low, high, step = (sum(data) % (count + 3), len(data) % (count + 2), 1 + data[0] % 5)
    assert list(made[low:high:step]) == values[low:high:step]
    assert list(made[-high::step]) == values[-high::step]


def _pieces_of(text: str) -> list[tuple[int, int, int]] | None:
    """First, last and step of each part of the text; None if it is no range."""
    found: list[tuple[int, int, int]] = []
    for part in text.split(","):
        number = r"\s*(-?)\s*0*([0-9]{0,18})\s*"
        match = re.fullmatch(f"{number}(?:(-){number}(?:(:){number})?)?", part)
        # A number of zeros alone has no digits behind them.
        if not match or len(re.findall(r"[0-9]+", part)) != 1 + part_count(match):
            return None
        sign = {"-": -1, "": 1, None: 1}
        first = sign[match[1]] * int(match[2] or 0)
        last = sign[match[4]] * int(match[5] or 0) if match[3] else first
        step = sign[match[7]] * int(match[8] or 0) if match[6] else 1
        if step == 0 or (last - first) // step < 0:
            return None
        last = first + (last - first) // step * step
        if last < first or (found and first <= found[-1][1]):
            return None
        found.append((first, last, abs(step)))
    return found


def part_count(match: re.Match[str]) -> int:
    """How many numbers stand behind the first."""
    return (match[3] is not None) + (match[6] is not None)


# Output.

_REGEX_WORDS = (
    *("(a+)+$", "(?:", "(?i:", "(?=", "(?!", "(?<=", "(?P<n>", "(?P=n)", "\\1", "(?(1)a|b)", "|"),
    *("{2,}", "{0,3}", "{65,}", ".*", ".+?", "\\d+", "\\w", "\\s*", "[^a]", "[a-z]", "^", "$"),
    *("\\b", "\\Z", "(?x)", "(?s)", "\u212a", "\u0130", "\u017f", "\n\n", "a*+", "(?>", "aaaaaaaa"),
)


@contextlib.contextmanager
def without_searchers() -> Iterator[None]:
    """What another process would search is given up at once: it has a second for each line."""
    verdicts = Guard._verdicts
    try:
        Guard._verdicts = lambda self, lines: [None] * len(lines)  # type: ignore[method-assign]
        yield
    finally:
        Guard._verdicts = verdicts  # type: ignore[method-assign]


@target(128, *_REGEX_WORDS)
@without_searchers()
def patterns(data: bytes) -> None:
    """Lines with a pattern each (its first character says how), an empty line, lines of output.

    A block of lines does what each of its lines would; no pattern stops the process.
    """
    head, _, tail = data.decode("utf-8", "replace").partition("\n\n")
    written = []
    for line in head.split("\n")[:4]:
        options = ord(line[0]) if line else 0
        flags = (re.IGNORECASE if options & 1 else 0) | (re.MULTILINE if options & 2 else 0)
        try:
            regex = re.compile(line[1:], flags | (re.ASCII if options & 4 else 0))
        except (re.error, ValueError, RecursionError, OverflowError):
            continue
        written.append((regex, bool(options & 8), bool(options & 16)))
    text = tail.split("\n")
    seen: list[list[Any]] = []
    for as_block in (False, True):
        events: list[Any] = []
        handler = RegexHandler(
            [
                RegexCallback([regex], _noting(events, number), leaves, only_first)
                for number, (regex, leaves, only_first) in enumerate(written)
            ]
        )
        try:
            if as_block:
                _feed_block(handler, text, events)
            else:
                for line in text:
                    events.append(("log", line))
                    handler.handle(logging.LogRecord("x", 41, "", 0, "%s", (line,), None))
        except RunawayPattern as e:
            check_message(e)
            return
        seen.append(events)
    assert seen[0] == seen[1], (written, text)


def _noting(events: list[Any], number: int) -> Callable[[re.Match[str]], None]:
    return lambda match: events.append((number, match.string, match.span(), match.groups()))


def _feed_block(handler: RegexHandler, text: list[str], events: list[Any]) -> None:
    def log(block: str) -> None:
        assert block.endswith("\n")
        events.extend(("log", line) for line in block[:-1].split("\n"))

    handler.feed_block("".join(line + "\n" for line in text), log)


class _Listener:
    """Checks what rules say."""

    def __init__(self) -> None:
        self.warnings: dict[str, int] = {}
        self.failures: list[bool] = []

    def on_progress(self, percent: float) -> None:
        assert isinstance(percent, float)
        assert 0 <= percent <= 100

    def on_status(self, text: str) -> None:
        _check_shown(text, 0)

    def on_warning(self, rule_id: str, line: str) -> None:
        _check_shown(line, 0)
        self.warnings[rule_id] = self.warnings.get(rule_id, 0) + 1
        assert self.warnings[rule_id] <= TOLD + 1

    def on_failure(self, message: str, stop: bool) -> None:
        _check_shown(message, SHOWN + 300)
        self.failures.append(stop)
        assert self.failures in ([False], [True], [False, True])


def _check_shown(text: str, more: int) -> None:
    assert text.isprintable(), repr(text)
    assert len(text) <= SHOWN + more, len(text)


_KINDS: dict[str, Callable[..., Rule]] = {
    "p": Progress,
    "P": lambda pattern, text, **more: Progress(pattern, 2 if text else None, **more),
    "s": Status,
    "w": Warn,
    "f": Fail,
    "F": lambda pattern, text, **more: Fail(pattern, text, True, **more),
    "l": License,
}


@target(
    192, *_REGEX_WORDS, "(\\d+)%", "{0}", "{1}", "{n}", "{{", "}}", "\t", "1e308", "(.*)/(.*)",
    "\np", "\ns", "\nf", "\nF", "\nl", "\nw", "50%", "nan",
)  # fmt: skip
@without_searchers()
def rules(data: bytes) -> None:
    """Lines with a rule each (kind, pattern, tab, text, tab, unless), an empty line, output.

    What the rules say is one line and bounded, and they count what ``search`` finds.
    """
    head, _, tail = data.decode("utf-8", "replace").partition("\n\n")
    made: list[Rule] = []
    for line in head.split("\n")[:5]:
        pattern, *rest = line[1:].split("\t")
        options: dict[str, Any] = {"unless": rest[1]} if len(rest) > 1 else {}
        text = rest[0] if rest and rest[0] else None
        kind = _KINDS.get(line[:1])
        if kind is None:
            continue
        try:
            rule = kind(pattern, **options) if kind is Progress else kind(pattern, text, **options)
            RuleBook([rule], _Listener())
        except (TypeError, ValueError) as e:
            check_message(e)
            continue
        made.append(rule)
    listener = _Listener()
    book = RuleBook(made, listener)
    text = tail.split("\n")
    try:
        book.handler.feed_block("".join(line + "\n" for line in text), lambda block: None)
    except RunawayPattern as e:
        check_message(e)
        return
    assert (book.failure is None) == (not listener.failures)
    if book.failure is not None:
        _check_shown(book.failure, SHOWN + 300)
    assert book.summary().isprintable()
    patterns = [one for rule in made for one in (rule.pattern, rule.unless) if one is not None]
    if any(longest_line(re.compile(one)) < max(map(len, text)) for one in patterns):
        return
    counts = {}
    for active, rule in zip(book._active, made):
        unless = (lambda line: None) if rule.unless is None else re.compile(rule.unless).search
        search = re.compile(rule.pattern).search
        count = sum(bool(search(line)) and not unless(line) for line in text)
        if count:
            counts[active.id] = count
    assert book.counts == counts, (made, text)


_ENCODINGS = [
    *("utf-8", "latin-1", "utf-16", "utf-16-le", "cp932", "utf-8-sig", "utf-32", "utf-7"),
    *("shift_jis", "gb18030", "iso2022_jp", "ascii", "euc_kr", "big5"),
]
_LIMIT = 40


@target(160, "\r", "\n", "\r\n", "\u20ac", "\ufeff", "\xff\xfe", "\x1b$B", "+AGE-", "x" * 41)
def line_buffer(data: bytes) -> None:
    """A byte for the encoding, three for the sizes of the reads, and what the application wrote.

    However it is cut, the lines are those of the decoded text, and no more than one is kept.
    """
    encoding = _ENCODINGS[(data[:1] or b"\0")[0] % len(_ENCODINGS)]
    sizes, output = data[1:4], data[4:]
    whole = _buffered([output], encoding)
    with line_limit(_LIMIT):
        short = _buffered([output], encoding)
        assert short == _broken(whole)
        for cut in (pieces(output, sizes), pieces(output, b"\0")):
            reads = list(cut)
            if _is_the_same(reads, encoding):
                assert _buffered(reads, encoding) == short, encoding
    if encoding in ("utf-8", "latin-1", "ascii"):
        text = re.sub("\r\n|\r", "\n", output.decode(encoding, "backslashreplace"))
        assert whole == (text if not text or text[-1] == "\n" else text + "\n")


def _is_the_same(reads: list[bytes], encoding: str) -> bool:
    """Whether Python itself decodes pieces as it does the whole: of errors, not all of it does."""
    decoders = [codecs.getincrementaldecoder(encoding)("backslashreplace") for _ in range(2)]
    texts = []
    for decoder, cut in zip(decoders, (reads, [b"".join(reads)])):
        try:
            texts.append("".join(map(decoder.decode, cut)) + decoder.decode(b"", final=True))
        except UnicodeError:
            # Where others give up is a matter of the pieces.
            texts.append("" if encoding in ("utf-16", "utf-32") else str(len(texts)))
    return texts[0] == texts[1]


def _buffered(reads: list[bytes], encoding: str) -> str:
    buffer = _pump.LineBuffer(encoding)
    blocks = []
    for read in reads:
        blocks.append(buffer.feed(read))
        assert len(buffer._rest) <= _pump.LINE_LIMIT
    blocks.append(buffer.finish())
    assert all(block == "" or block[-1] == "\n" for block in blocks)
    return "".join(blocks)


def _broken(text: str) -> str:
    """The lines of `text`, those over the limit in pieces."""
    shown = ""
    for line in re.findall("[^\n]*\n", text):
        line = line[:-1]
        while len(line) > _LIMIT:
            cut = _LIMIT - len(_output.LINE_MARK)
            # What goes on with a message is not begun with one.
            cut -= line[cut : cut + 2] == "op"
            shown += line[:cut] + _output.LINE_MARK + "\n"
            line = line[cut:]
        shown += line + "\n"
    return shown


_SPOKEN = ("openjd_progress: ", "openjd_status: ", "openjd_fail: ")


@target(
    200, *_SPOKEN, "openjd_env: A=1", "openjd_unset_env: A", "\nopenjd_env: A=1", "\r", "\n",
    "\u2028openjd_env: ", "\x0b", "\x85", " openjd_", "OPENJD_", "\x00", "o", "op", "openjd_",
)  # fmt: skip
def output(data: bytes) -> None:
    """A byte for the way, three for the sizes of the reads, and what the application wrote.

    Each line of a session's output has its prefix, or is progress, status or failure.
    """
    options, sizes, printed = (data[:1] or b"\0")[0], data[1:4], data[4:]
    prefix = "ADAPTOR_OUTPUT: " if options & 1 else ""
    begin = prefix + "STDOUT: "
    with line_limit(_LIMIT if options & 2 else _output.LINE_LIMIT):
        shown: list[str] = []
        made = _output.Output(shown.append, prefix)
        buffer = _pump.LineBuffer("utf-8")
        handler = _output.LogHandler(made)
        for read in [*pieces(printed, sizes), b""]:
            block = buffer.feed(read) if read else buffer.finish()
            if not block:
                continue
            if options & 4:
                for line in block[:-1].split("\n"):
                    record = logging.LogRecord("a", 41, "", 0, "%s", (line,), None)
                    record.levelname = "STDOUT"
                    handler.handle(record)
            else:
                made.log("STDOUT", block)
        text = "".join(shown)
        assert "\r" not in text
        assert not text or text[-1] == "\n"
        failed = None
        for line in text.split("\n")[:-1]:
            assert line.startswith((begin, *_SPOKEN)), line
            assert len(line) <= _output.LINE_LIMIT + len(begin)
            if failed is None and line.startswith("openjd_fail: "):
                failed = line[len("openjd_fail: ") :]
        failure = made.take_failure()
        assert (failure and failure.message) == failed
        _check_printing(printed.decode("utf-8", "backslashreplace"), sizes)


def _check_printing(text: str, sizes: bytes) -> None:
    """What the adaptor prints itself comes out as it is, whole lines at a time."""
    shown: list[str] = []
    stream = _output.PrintStream(_output.Output(shown.append), 1)
    at = 0
    for size in [*sizes, len(text)]:
        stream.write(text[at : at + size])
        at += size
        assert sum(map(len, stream._held.values())) <= _output.LINE_LIMIT
    stream.finish()
    assert all(block[-1] == "\n" for block in shown)
    joined = re.sub(re.escape(_output.LINE_MARK) + "\n(\\[continued\\] )?", "", "".join(shown))
    if not any(len(line) > _output.LINE_LIMIT for line in text.split("\n")):
        assert joined == (text if not text or text[-1] == "\n" else text + "\n")


# Files and data.

_JSON_WORDS = (
    *('{"', '":', '"}', "true", "null", "1e999", "NaN", "[[[[[[[[", "\\ud800", "\\u0000", "\x7f"),
    *("\t", "\ufeff", "\u2028", "\\n", "/*", "\\/", "9" * 20, "-", "\x85", "\U0001f600"),
)
_SCHEMAS: list[Any] = [
    None,
    {"type": "object", "properties": {"log_level": {"type": "string"}}},
    {
        "additionalProperties": {"type": ["string", "array", "object", "boolean"]},
        "maxProperties": 3,
    },
    {"properties": {"a": {"items": {"enum": [1, "x"]}}}, "required": ["a"]},
]
_CLASSES: list[type[Configuration]] = [
    ApplicationConfiguration,
    AdaptorConfiguration,
    RuntimeConfiguration,
    Configuration,
]


@target(
    512, *_JSON_WORDS, '"log_level"', '"DEBUG"', '"limits"', '"rules"', '"restart"', '"run"',
    '"map_environment"', '"continue_on_error"', '"deactivate_telemetry"', '"a"', "\n---\n",
    '"lease_seconds"', '"warn_unmapped_paths"',
)  # fmt: skip
def configuration(data: bytes) -> None:
    """A byte for class and schema, then a configuration file, and after ``---`` its schema.

    It is taken, with values of the types they must have, or refused in one line with its name.
    """
    options, (text, _, written) = (data[:1] or b"\0")[0], data[1:].partition(b"\n---\n")
    schema = _SCHEMAS[options // 4 % 4]
    cls = _CLASSES[options % 4]
    if written:
        schema = _usable(written)
    with file_with(text, "config.json") as path:
        paths = None
        if schema is not None:
            paths = f"{path}.schema"
            Path(paths).write_bytes(
                schema if isinstance(schema, bytes) else json.dumps(schema).encode()
            )
        try:
            config = cls.from_file(path, paths)
        except ConfigurationError as e:
            check_message(e, path + ".schema" if "schema" in str(e).split(path)[0] else path)
            return
    plain = json.loads(text.decode("utf-8-sig"))
    assert repr(config.config) == repr(plain)
    both = config.override(cls({"log_level": "ERROR"}))
    assert both.config["log_level"] == "ERROR"
    assert isinstance(both, cls)
    if isinstance(config, (AdaptorConfiguration, RuntimeConfiguration)):
        assert config.log_level in ("INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL")
    if isinstance(config, AdaptorConfiguration):
        assert all(isinstance(name, str) and name for name in config.map_environment)
    if isinstance(config, ApplicationConfiguration):
        limits = Limits()._replace(**config.limits)
        assert all(0 <= float(value) < math.inf for value in limits)
        assert all(isinstance(one, str) for one in config.rules.values())
        assert config.override(config).config == config.config or "nan" in repr(config.config)


def _usable(written: bytes) -> bytes | None:
    """A schema as it was written, unless to look at it would be to reach for other machines."""
    return None if b"$" in written or b"\\" in written or b"pattern" in written else written


_TOML_WORDS = (
    *("name = ", "version = ", "command = [", "outputs = [", "exit_codes = [", "[init_data]\n"),
    *("[run_data]\n", "[[rules]]\n", "[limits]\n", "[chunk]\n", "[environment]\n", "kind = "),
    *("working_directory = ", "continue_on_error = true\n", "pattern = ", "unless = ", "total = "),
    *('"progress"', '"status"', '"warn"', '"fail"', '"license"', "remedy = ", "stop = true", "'''"),
    *("{ type = 'string' }", "{ type = 'integer' }", "required = false", "default = ", "{ if = "),
    *("args = [", "'{a}'", "{a:03d}", "{{", "}}", "by = 'number'", "by = 'block'", "field = "),
    *("2020-01-01", "07:32:00", "inf", "nan", "0x_1", "1e400", "[[", "]]", "a.b.c = 1\n", '"""'),
    *("'format' = 'path'", "items = ", "properties = ", "enum = ", "minimum = ", "'$ref' = '#'"),
    *("\\u0000", "\\n", "\\U0001F600", "'$id' = ", "'$schema' = ", "array", "object", "boolean"),
)
#: What the data of a task may be; what does not fit is refused.
_VALUES: list[Any] = [
    *("1-5", "", "a", "-x", "\0", "\ud800", "1-999999999999", 0, 7, -1, 2.5, 3.0, True, False),
    *(None, [], ["a", 1], {"a": 1}, 10**400, math.nan, math.inf),
]


@target(1024, *_TOML_WORDS)
def toml(data: bytes) -> None:
    """A byte for the data, and an adaptor's description.

    It is taken, and makes commands of any data; or refused in one line with its name.
    """
    options, text = (data[:1] or b"\0")[0], data[1:]
    if b"pattern" in text and b"data" in text.split(b"[[rules]]")[0] and b"+" in text:
        # A pattern in a schema is jsonschema's to search, which does not look how long it takes.
        text = text.replace(b"patternProperties", b"x").replace(b"+", b"")
    with file_with(text, "adaptor.toml") as path:
        try:
            cls = toml_adaptor.adaptor_class(path)
        except toml_adaptor.DescriptionError as e:
            check_message(e, path)
            return
        described = cls.description
        assert all(rule.id and rule.id.isprintable() for rule in described.rules(None))
        limits = Limits()._replace(**described.settings.get("limits", {}))
        assert all(0 <= float(value) < math.inf for value in limits)
        names = [*described.init_data.fields, *described.run_data.fields]
        values = {name: _VALUES[(options + 5 * at) % len(_VALUES)] for at, name in enumerate(names)}
        init, run = (
            {name: values[name] for name in data.fields}
            for data in (described.init_data, described.run_data)
        )
        adaptor = cls(init)
        try:
            adaptor._session_data.prepare_init_data()
            run = adaptor._session_data.prepared_run_data(run)
        except (ValidationError, ValueError) as e:
            check_message(_OfMessage(e))
        for call in (
            lambda: list(islice(adaptor.commands(run), 3)),
            lambda: [adaptor.outputs(run)],
            lambda: [list(adaptor.environment())],
            lambda: [[adaptor.working_directory() or ""]],
            lambda: [[repr(described.rules({**init, **run}))]],
        ):
            try:
                # It says how far it is.
                with contextlib.redirect_stdout(io.StringIO()):
                    made = call()
            except ValueError as e:
                check_message(e)
            else:
                assert all(type(word) is str for words in made for word in words)


class _OfMessage(Exception):
    """What is shown of an error that has more to say than its message."""

    def __init__(self, error: Exception) -> None:
        super().__init__(getattr(error, "message", None) or str(error))


@target(192, *_JSON_WORDS, '"socket"', '"pid"', '"folder"', '"started"', "/tmp/x", "1", "[1]")
def connection_file(data: bytes) -> None:
    """A connection file: of the form it must have, or refused in one line with its name."""
    with file_with(data, "connection.json") as path:
        try:
            info = connection_files.read(path)
        except connection_files.ConnectionFileError as e:
            check_message(e, path)
            return
        assert type(info.pid) is int
        assert info.pid > 0
        assert isinstance(info.socket, str)
        assert isinstance(info.folder, str)
        # It names nothing that is ours: nothing happens to it.
        connection_files.remove(path, info._replace(pid=info.pid + 1))
        assert os.path.exists(path)


@target(
    96, *_JSON_WORDS, '{"NotifyEnd": "', "2026-01-31T10:20:30Z", "0001-01-01T00:00:00+23:59",
    "-0000", "9999-12-31T23:59:60Z", ".5", "T", "+14:00", "\u0661",
)  # fmt: skip
def cancel_info(data: bytes) -> None:
    """What an engine says of a cancel: a time, or nothing that can be used; never an error."""
    before = os.environ.get(cancel_infos.VARIABLE)
    with file_with(data, cancel_infos.FILE) as path:
        os.environ[cancel_infos.VARIABLE] = os.path.dirname(path)
        try:
            stamp = cancel_infos.read_stamp(0.0)
        finally:
            del os.environ[cancel_infos.VARIABLE]
            if before is not None:
                os.environ[cancel_infos.VARIABLE] = before
    assert stamp is None or math.isfinite(stamp)
    if stamp is not None:
        assert isinstance(json.loads(data)["NotifyEnd"], str)


@target(256, "daemon ", "guardian ", "application ", " 4711 ", " 1", "\n", "\t", "\u0661", "\x00")
def record(data: bytes) -> None:
    """The record of a session's processes: what is no line of it names no process."""
    with file_with(data, "openjd-x") as path:
        os.rename(path, f"{path}.record")
        os.mkdir(path, 0o700)
        os.rename(f"{path}.record", os.path.join(path, _session_folder.RECORD_FILE))
        found = _session_folder.read(path)
    lines = [line.decode("utf-8", "replace").split() for line in data.split(b"\n")]
    assert all([kind, str(pid), started] in _plain(lines) for kind, pid, started in found)
    assert all(0 <= pid < 2**31 for _, pid, _ in found)


def _plain(lines: list[list[str]]) -> list[list[str]]:
    """The lines, with no zeros before a number."""
    return [
        [kind, number.lstrip("0") or "0", *more]
        for kind, number, *more in (line for line in lines if len(line) == 3)
    ]


_DATA_SCHEMA = {
    "type": "object",
    "properties": {
        "path": {"type": "string", "format": "path"},
        "many": {"type": "array", "items": {"type": ["string", "integer"], "format": "path"}},
        "n": {"type": "number", "minimum": 3},
    },
    "additionalProperties": {"anyOf": [{"type": "object"}, {"enum": ["a", 1]}]},
}
_validator = AdaptorDataValidator(_DATA_SCHEMA)


@target(
    512, *_JSON_WORDS, "&a ", "*a", "<<: *a", "!!", "!!int ", "!!float ", "!!timestamp ",
    "!!binary ", "!!set", "!!omap", "!!pairs", "? ", "- ", ": ", "\n", "---\n", "...",
    "|\n", ">-", "~", "0x1", "0b1", "1:1:1", "2001-12-14t21:59:43.10-05:00", "path: ", "many: ",
    ".inf", ".nan", "!<tag:yaml.org,2002:str>", "{a: [", "!!python/object:os.system ", "!!null x",
    "path_mapping_rules: ", "source_path_format: POSIX", "source_path: ", "destination_path: ",
    "!!bool x", "!!str ", "!!map ", "!!seq ", "%TAG ! tag:a,2000:", "%YAML 1.1\n",
)  # fmt: skip
def data(data: bytes) -> None:
    """Init data or run data, in JSON or YAML: a mapping, or refused in one line with its name.

    What is taken is checked against a schema, and has its paths mapped.
    """
    text = data.decode("utf-8", "replace")
    try:
        found = parse(text, "--init-data")
    except DataError as e:
        check_message(e, "--init-data")
        with contextlib.suppress(ValueError, RecursionError):
            assert not isinstance(json.loads(text), dict), text
        return
    assert isinstance(found, dict)
    with contextlib.suppress(ValueError, RecursionError):
        assert repr(json.loads(text)) == repr(found)
    try:
        _validator.validate(found)
        mapped = _validator.map_paths(found, str.upper)
        assert _validator.map_paths(found, lambda path: path) == found or "nan" in repr(found)
        if isinstance(found.get("path"), str):
            assert mapped["path"] == found["path"].upper()
    except ValidationError as e:
        check_message(_OfMessage(e))
    except DataError as e:
        check_message(e)
    try:
        _read_rules(found)
    except ValueError as e:
        check_message(e)


@target(
    512, *_JSON_WORDS, '"$ref"', '"#"', '"#/$defs/a"', '"$defs"', '"$id"', '"properties"', '"a"',
    '"items"', '"format"', '"path"', '"anyOf"', '"allOf"', '"if"', '"then"', '"else"', '"$anchor"',
    '"additionalProperties"', '"prefixItems"', '"contains"', '"unevaluatedItems"', "\n---\n",
    '"$schema"', '"http://json-schema.org/draft-07/schema#"', '"dependentSchemas"', '"$dynamicRef"',
    '"oneOf"', '"$dynamicAnchor"', '"unevaluatedProperties"', '"http://x/y"', '"definitions"',
)  # fmt: skip
def schema_paths(data: bytes) -> None:
    """A JSON Schema, ``---``, and data: the paths in these are mapped, and nothing else changed."""
    first, _, second = data.partition(b"\n---\n")
    try:
        schema, value = json.loads(first), json.loads(second)
        if not isinstance(schema, dict) or re.search(rb"attern|http|ftp|file", first):
            return
        validator = AdaptorDataValidator(schema)
        validator._compiled()
    except (ValueError, RecursionError, SchemaError):
        return
    before = repr(value)
    try:
        paths = SchemaPaths(schema)
        assert paths.map(value, lambda path: path) == value or "nan" in before
        seen: list[str] = []
        mapped = paths.map(value, lambda path: (seen.append(path), "<" + path)[1])
    except ValueError as e:
        check_message(e)
        return
    assert repr(value) == before
    assert all(isinstance(path, str) for path in seen)
    assert _unmapped(mapped, value) == len(seen)


def _unmapped(mapped: Any, value: Any) -> int:
    """In how many places `mapped` has a mapped path of `value`; all else must be equal."""
    if isinstance(value, dict):
        assert list(mapped) == list(value)
        return sum(_unmapped(mapped[key], value[key]) for key in value)
    if isinstance(value, list):
        assert len(mapped) == len(value)
        return sum(map(_unmapped, mapped, value))
    if isinstance(value, str) and mapped == "<" + value:
        return 1
    assert repr(mapped) == repr(value)
    return 0


# Placeholders.

_FIELDS = {
    "s": Field(frozenset({"string"})),
    "i": Field(frozenset({"integer"})),
    "n": Field(frozenset({"number", "integer"})),
    "b": Field(frozenset({"boolean"})),
    "l": Field(frozenset({"array"})),
    "o": Field(frozenset({"string"}), optional=True),
    "d": Field(frozenset({"object"})),
    "x": Field(),
}


@target(
    160, "{s}", "{i:04d}", "{n:.3f}", "{l}", "{o}", "{x}", "{{", "}}", "{", "}", ":", "!r", "[0]",
    '["', '"]', '{"if": "b", "args": [', "{i:>99}", "{i:999999999}", "{n:_.9e}", "{s:^9s}", "{d}",
)  # fmt: skip
def placeholders(data: bytes) -> None:
    """A byte for the data, and a template: a text, and where it is JSON, a list of arguments.

    It is filled as ``str.format`` would, or refused in one line that names the place.
    """
    options, text = (data[:1] or b"\0")[0], data[1:].decode("utf-8", "replace")
    values = {
        name: _VALUES[(options * 7 + 3 * at) % len(_VALUES)] for at, name in enumerate(_FIELDS)
    }
    usual = {"s": "a{i}b", "i": 7, "n": 2.5, "b": True, "l": ["x", 1], "o": None, "x": "y"}
    try:
        template = Text(text, _FIELDS, "here")
    except ValueError as e:
        check_message(e, "here: ")
    else:
        for filling in (values, usual):
            try:
                filled = template.fill(filling)
                words = template.words(filling)
            except ValueError as e:
                check_message(e, "here: ")
            else:
                assert words is None or all(type(word) is str for word in words)
                assert (filled is None) == any(filling.get(name) is None for name in template.names)
                assert len(filled or "") < 20_000
        if not set(template.names) - {"s", "i"} and "\0" not in text:
            assert template.fill(usual) == text.format(**usual)
    try:
        elements = json.loads(text)
    except (ValueError, RecursionError):
        return
    try:
        arguments = Arguments(elements, _FIELDS, "here")
    except ValueError as e:
        check_message(e, "here")
        return
    for filling in (values, usual):
        try:
            expanded = arguments.expand(filling)
        except ValueError as e:
            check_message(e, "here")
        else:
            assert all(type(word) is str for word in expanded)
            assert not any("\0" in word for word in expanded)


from . import tool_targets as tool_targets  # noqa: E402  It adds its own to TARGETS.
