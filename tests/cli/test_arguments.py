"""The parser that all commands share: one line, and what was probably meant."""

from __future__ import annotations

import argparse

import pytest

from openjd.adaptor_runtime._arguments import Parser


def parser() -> Parser:
    """A grammar with a little of everything."""
    made = Parser(prog="tool")
    made.add_argument("--colour", choices=["red", "green", "dark-blue"])
    made.add_argument("-n", "--number", type=int, choices=[1, 2, 30])
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    check = commands.add_parser("check")
    check.add_argument("package", metavar="PACKAGE")
    check.add_argument("--connection-file", required=True)
    check.add_argument("--verbose", "-v", action="store_true")
    daemon = commands.add_parser("daemon").add_subparsers(dest="step", required=True)
    for step in ("start", "stop"):
        daemon.add_parser(step).add_argument("--init-data")
    return made


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that refuses those arguments."""
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(arguments)
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("ERROR: tool")
    assert line.endswith("--help)")
    return line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chek"], "ERROR: tool: there is no command 'chek'; did you mean 'check'? (see tool "),
        (["CHECK"], "did you mean 'check'?"),
        (["daemon", "sart"], "ERROR: tool daemon: there is no command 'sart'; did you mean 'start"),
        (["xyzzy"], "there is no command 'xyzzy'; there are check, daemon (see"),
        (["--color", "red", "check"], "there is no option --color; did you mean '--colour'?"),
        (["--kolour", "red", "check"], "there is no option --kolour; did you mean '--colour'?"),
        (["--colour", "gren", "check"], "--colour: 'gren' is not known; did you mean 'green'?"),
        (["--colour", "dark_blue", "check"], "did you mean 'dark-blue'?"),
        (["--colour", "x", "check"], "'x' is not known; there are red, green, dark-blue"),
        (["-n", "31", "check"], "31 is not known; there are 1, 2, 30"),
        (["-n", "9", "check"], "9 is not known; there are 1, 2, 30"),
        (["-n", "x", "check"], "-n/--number"),
        (["--helq"], "did you mean '--help'?"),
        # The right one is required: that it is missing is not the mistake.
        (["check", "p", "--conection-file", "x"], "ERROR: tool check: there is no option --conec"),
        (["check", "p", "--conection-file=x"], "--conection-file; did you mean '--connection-file"),
        (["check", "p"], "required: --connection-file"),
        (["check", "p", "q", "--connection-file", "x"], "unexpected argument 'q'"),
        (["check", "p", "--connection-file", "x", "-x"], "there is no option -x"),
        (
            ["daemon", "start", "--int-data", "{}"],
            "daemon start: there is no option --int-data; did",
        ),
        (["daemon", "start", "--zzz"], "no option --zzz; there are --help, --init-data (see"),
        (["daemon", "start", "a\nb"], r"unexpected argument 'a\nb'"),
        (["daemon", "start", "--a\nb"], r"'--a\nb'"),
        ([], "COMMAND"),
    ],
)
def test_refusals(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    """Commands, options and choices that are nearly right are recognised; all on one line."""
    assert words in refusal(capsys, *arguments)


def test_what_is_right_passes() -> None:
    """Abbreviations, joined values, values that begin with a dash, and what stands behind --."""
    options = parser().parse_args(["check", "p", "--conn=a", "-v"])
    assert (options.package, options.connection_file, options.verbose) == ("p", "a", True)
    options = parser().parse_args(["-n30", "daemon", "start", "--init-data", "- a: 1"])
    assert (options.number, options.init_data) == (30, "- a: 1")
    options = parser().parse_args(["check", "--connection-file", "-1", "--", "--conection-file"])
    assert (options.package, options.connection_file) == ("--conection-file", "-1")


def test_the_messages_are_not_those_of_one_python(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """argparse's own words about unknown things are never asked for."""

    def unasked(*_: object) -> None:
        raise AssertionError("argparse has words of its own")

    monkeypatch.setattr(argparse.ArgumentParser, "_check_value", unasked)
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", unasked)
    refusal(capsys, "chek")
    refusal(capsys, "daemon", "start", "--init", "{}", "--zzz")
