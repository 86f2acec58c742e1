"""``openjd-adaptor record``: a fake application's script, out of the log of a real run."""

from __future__ import annotations

from .._arguments import Parser
from .._terminal import say, say_error
from .._text import one_line
from ..testing.recording import RecordError, record
from ..testing.script import ScriptError


def parser() -> Parser:
    """The command's grammar."""
    parser = Parser(
        prog="openjd-adaptor record",
        description="Make the script of a fake application out of the log of a real run.",
        epilog="See docs/testing-an-adaptor.md.",
    )
    parser.add_argument(
        "log",
        metavar="LOG",
        help="a session log (it says most), or the output of an adaptor or of 'openjd run'",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="write it there; .json makes JSON")
    parser.add_argument("--json", action="store_true", help="print JSON instead of TOML")
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        metavar="X",
        help="multiply delays by this; 0 leaves them out",
    )
    parser.add_argument(
        "--writes",
        action="append",
        default=[],
        metavar="PATH",
        help="what each command writes, if the log does not tell: '{-1}', its last argument",
    )
    return parser


def main(arguments: list[str]) -> int:
    """Runs the command and returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        script = record(options.log, scale=options.scale, writes=options.writes)
        if options.output:
            script.dump(options.output)
        else:
            say(script.dumps("json" if options.json else "toml"), end="")
    except (RecordError, ScriptError) as e:
        return _refuse(str(e))
    except OSError as e:
        return _refuse(f"{e.filename or 'the output cannot be written'}: {e.strerror or e}")
    return 0


def _refuse(problem: str) -> int:
    say_error(one_line(problem))
    return 1
