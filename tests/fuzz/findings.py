"""Inputs that once broke something, and what. Fuzzing begins with them; the suite tries each."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """An input for a target."""

    target: str
    #: Names it.
    what: str
    data: bytes
    broke: str


_LAUGHS = b"a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 10)
)
_MERGES = b"a0: &a0 {x: 1}\n" + b"".join(
    b"a%d: &a%d {<<: [*a%d, *a%d], y%d: 1}\n" % (n, n, n - 1, n - 1, n) for n in range(1, 40)
)
_HEAD = b'\0name = "Tool"\nversion = "1.0"\ncommand = ["x"]\n'
_CHUNK = (
    b'\6name = "Tool"\nversion = "1.0"\ncommand = ["x"]\noutputs = ["{%s}.png"]\n'
    b'[run_data]\nf = { type = "string" }\n[chunk]\nfield = "f"\nby = "%s"\n'
)

FINDINGS = [
    Finding("data", "aliases", _LAUGHS, "looked at 10 billion values"),
    Finding("data", "merges", _MERGES, "made 2 ** 40 pairs out of a thousand bytes"),
    Finding("data", "part of itself", b"a: &a [*a]", "nested without end"),
    Finding("data", "tag at its word", b"a: !!timestamp x", "raised AttributeError"),
    Finding("data", "no truth", b"a: !!bool x", "raised KeyError"),
    Finding("data", "no digits", b"a: !!int ''", "raised IndexError"),
    Finding("data", "hex", b"path: 0x" + b"f" * 5000, "raised ValueError where it was to be shown"),
    Finding("data", "sixties", b"n: 1" + b":1" * 200_000, "took a minute: quadratic time"),
    Finding("data", "long tag", b"a: !" + b"x" * 5000 + b" c", "its message had no bound"),
    Finding("data", "long value", b'{"n": "' + b"x" * 5000 + b'"}', "its message had no bound"),
    Finding("data", "key of two lines", b'{"a\\nb": []}', "its message had two lines"),
    Finding("data", "long key", b"? " + b"1" * 2900 + b"\n: 1", "its message had no bound"),
    Finding(
        "data",
        "fields of a rule",
        b"path_mapping_rules:\n- {1: x, y: z, source_path: a}",
        "raised TypeError: 1 and y are not sorted",
    ),
    Finding(
        "data",
        "long rule",
        b"path_mapping_rules:\n- " + b"x" * 5000,
        "its message had no bound",
    ),
    Finding(
        "path_mapping",
        "long fields",
        b"\n".join(
            b"\t".join(b"y" * 3000 if n == at else field for n, field in enumerate(fields))
            for fields in ([b"URI", b"/a", b"/b", b"Linux"],)
            for at in (0, 1, 3)
        ),
        "its message had no bound",
    ),
    Finding(
        "configuration",
        "control character",
        b'\2{"log_level": 1, "\x7f": 1}',
        "raised yaml's ReaderError: JSON that is no YAML",
    ),
    Finding(
        "configuration", "half a pair", b'\2{"log_level": 1, "a": "\\ud800"}', "raised ScannerError"
    ),
    Finding("configuration", "many digits", b'\2{"a": ' + b"1" * 5000 + b"}", "raised ValueError"),
    Finding("configuration", "long value", b'\2{"log_level": "' + b"x" * 5000 + b'"}', "no bound"),
    Finding(
        "configuration",
        "key of two lines",
        b'\0{"limits": {"a\\nb": 1}}',
        "its message had two lines",
    ),
    Finding(
        "configuration",
        "limit",
        b'\0{"limits": {"run": 1' + b"0" * 400 + b"}}",
        "was taken, and raised OverflowError when it was waited for",
    ),
    Finding("configuration", "schema", b"\3{}\n---\n5", "raised TypeError"),
    Finding("toml", "date", _HEAD + b"[limits]\nrun = 2020-01-01\n", "raised TypeError"),
    Finding(
        "toml",
        "nested",
        _HEAD + b"[run_data.a]\n" + b".".join([b"a"] * 1500) + b" = 1\n",
        "raised RecursionError: the reader of TOML has none for a.a.a",
    ),
    Finding(
        "toml",
        "variable of two lines",
        _HEAD + b'[environment]\n"a\\nb" = 1\n',
        "its message had two lines",
    ),
    Finding(
        "toml",
        "long name",
        _HEAD.replace(b"Tool", b"-" * 5000),
        "its message had no bound",
    ),
    Finding(
        "toml",
        "id of two lines",
        _HEAD + b'[[rules]]\nkind = "fail"\nid = "a\\nopenjd_env: A=1"\npattern = "x"\n',
        "was taken: its failures had two lines",
    ),
    Finding(
        "toml",
        "width",
        _HEAD.replace(b'"x"', b'"{a:2147483646d}"') + b"[run_data]\na = { type = 'integer' }\n",
        "took two gigabytes of memory, when it was read",
    ),
    Finding(
        "toml", "numbers", _CHUNK % (b"number", b"number"), "1-999999999999 was written out in full"
    ),
    Finding(
        "placeholders", "width", b"\0{i:999999999}", "took a gigabyte of memory, when it was read"
    ),
    Finding("placeholders", "precision", b"\0{n:.2147483647f}", "took ten seconds"),
    Finding(
        "toml",
        "batch file of two lines",
        b'\2name = "Tool"\nversion = "1.0"\ncommand = ["{a}\\n.bat"]\n[run_data]\na = {}\n',
        "its message had two lines",
    ),
    Finding("placeholders", "sign", b"\0{\x1a!r}", "its message had two lines"),
    Finding(
        "rules",
        "repeats of nothing",
        b"p(.*){65,}/(.*)\n\n7/7(rash",
        "was searched here, for hours: 7 characters can be in 65 places",
    ),
    Finding(
        "patterns",
        "nothing",
        b"0(?:a?|b?){64,}[cd]\n\n",
        "was searched here, for ever: the empty line has 2 ** 64 ways",
    ),
    Finding(
        "patterns",
        "repeats in a row",
        b"0" + b"(?:a*)*" * 8 + b"[cd]\n\naaaaaaaaaaa",
        "was searched here, for minutes",
    ),
    Finding("rules", "remedy", b"lx\tbuy\0one\x85now\n\nx", "was said with its control characters"),
    Finding(
        "rules", "control character", b"s(?P\x7fn)\n\nx", "its message had a control character"
    ),
    Finding("rules", "long pattern", b"s(" + b"x" * 5000 + b"\n\nx", "its message had no bound"),
    Finding(
        "line_buffer",
        "no utf-16",
        b"\2\0\1\2\xff\ro\0n\0e\0",
        "lost the first byte where it had come alone",
    ),
]
