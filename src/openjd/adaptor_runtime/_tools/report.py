"""``openjd-adaptor report LOG…``: one HTML page about what a session did, and how long."""

from __future__ import annotations

import os
import sys

from .._arguments import Parser
from .._log_reading import LogError, read
from .._terminal import say, say_error


def main(arguments: list[str]) -> int:
    """Makes the page that the arguments ask for; returns the exit status."""
    options = parser().parse_args(arguments)
    from .reporting import page
    from .reporting.pictures import in_folder

    try:
        logs = [read(path) for path in _files(options.logs)]
        more = list(in_folder(options.outputs)) if options.outputs else []
    except LogError as e:
        return _error(str(e))
    except OSError as e:
        return _error(f"the folder {e.filename} cannot be read: {e.strerror or e}")
    target = options.output or _beside(options.logs[0])
    if any(path != "-" and _is_same(path, target) for path in options.logs):
        return _error(f"{target} is one of the logs; name another file with -o")
    text = page(logs, not options.no_pictures, more)
    try:
        if target == "-":
            sys.stdout.buffer.write(text.encode("utf-8", "replace"))
            sys.stdout.buffer.flush()
            return 0
        with open(target, "w", encoding="utf-8", errors="replace", newline="\n") as file:
            file.write(text)
    except BrokenPipeError:
        sys.stdout = None
        return 0
    except (OSError, ValueError) as e:
        return _error(f"{target} cannot be written: {getattr(e, 'strerror', None) or e}")
    say(target)
    return 0


def _files(paths: list[str]) -> list[str]:
    """The logs; a folder stands for the journals in it.

    Raises:
        LogError: there are none in it.
    """
    found: list[str] = []
    for path in paths:
        if path == "-" or not os.path.isdir(path):
            found.append(path)
            continue
        names = sorted(name for name in os.listdir(path) if name.endswith(".jsonl"))
        if not names:
            raise LogError(f"no journal (*.jsonl) is in the folder {path}")
        found += [os.path.join(path, name) for name in names]
    return found


def _beside(log: str) -> str:
    """The page's file, unless one is named: in the working folder, called like the log."""
    name = "session" if log == "-" else os.path.basename(os.path.abspath(log))
    return f"{os.path.splitext(name)[0] or name}.html"


def _is_same(path: str, target: str) -> bool:
    try:
        return os.path.samefile(path, target)
    except OSError:
        return False


def _error(message: str) -> int:
    say_error(message)
    return 1


def parser() -> Parser:
    """The grammar of this command."""
    parser = Parser(
        prog="openjd-adaptor report",
        description="Make one HTML page about sessions out of their logs: a timeline, progress, "
        "memory, what starting once has saved, failures and their likely causes. The page is "
        "complete in itself and loads nothing.",
    )
    parser.add_argument(
        "logs",
        metavar="LOG",
        nargs="+",
        help="a session's log: its journal (setting session_log), what `openjd run` or an "
        "adaptor's commands printed; - for stdin; a folder stands for the journals in it",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="the page; - for stdout (default: called like the first log, in this folder)",
    )
    parser.add_argument(
        "--outputs",
        metavar="FOLDER",
        help="show the pictures in this folder, too; for logs that do not name their outputs",
    )
    parser.add_argument(
        "--no-pictures", action="store_true", help="look at no file but the logs themselves"
    )
    return parser
