"""``openjd-adaptor template``: writes a job template for an adaptor, from its schemas."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from ..._arguments import Parser
from ..._platform import shell_words
from ..._terminal import say_error
from ..._text import one_line
from ..errors import ToolError

PROGRAM = "openjd-adaptor template"


def main(arguments: list[str]) -> int:
    """Writes the template and returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        return _run(options)
    except ToolError as e:
        say_error(str(e))
        return 1


def _run(options: argparse.Namespace) -> int:
    from ..named_adaptor import find, schemas
    from .document import Template, Wishes

    output = None if options.output in (None, "-") else Path(options.output)
    if output is not None and output.exists() and not options.force:
        raise ToolError(f"{output} is there already; --force overwrites it")
    adaptor = find(options.adaptor)
    wishes = Wishes(
        name=options.name,
        command=_words(options.command),
        file_default=_beside(adaptor.file, output),
        each=options.each,
        range=options.range,
        chunks=options.chunks,
        require=tuple(_required(each) for each in options.require),
    )
    template = Template(adaptor, schemas(adaptor), wishes)
    text = f"{_head(options.adaptor)}{template.text}"
    checked = _check(text, template.data.get("extensions", []))
    _write(text, output, options.force)
    for note in template.notes:
        print(f"NOTE: {note}", file=sys.stderr)
    if not checked:
        print(
            "WARNING: the template was not checked, since openjd-model is not installed; "
            "pip install 'openjd-adaptor-runtime[template]'",
            file=sys.stderr,
        )
    return 0


def _head(adaptor: str) -> str:
    name = one_line(adaptor, 200)
    return (
        f"# Made by: openjd-adaptor template {name}\n"
        "# Values are arguments of their own (NAME=TEXT): no character of them needs quoting.\n"
    )


def _check(text: str, extensions: list[str]) -> bool:
    """Whether it could be checked, by Open Job Description's own validator.

    Raises:
        ToolError: it is not valid.
    """
    try:
        from openjd.model import (
            DecodeValidationError,
            DocumentType,
            decode_job_template,
            document_string_to_object,
        )
    except ImportError:
        return False
    try:
        data: Any = document_string_to_object(document=text, document_type=DocumentType.YAML)
        decode_job_template(template=data, supported_extensions=extensions)
    except DecodeValidationError as e:
        lines = " ".join(str(e).split())
        raise ToolError(f"the template would not be valid: {one_line(lines)}") from None
    return True


def _write(text: str, output: Path | None, force: bool) -> None:
    data = text.encode("utf-8")
    if output is None:
        sys.stdout.flush()
        stream = getattr(sys.stdout, "buffer", None)
        if stream is None:
            sys.stdout.write(text)
        else:
            # As the file would be: in UTF-8, whatever the console's code page is.
            stream.write(data)
            stream.flush()
        return
    try:
        with open(output, "wb" if force else "xb") as file:
            file.write(data)
    except FileExistsError:
        raise ToolError(f"{output} is there already; --force overwrites it") from None
    except OSError as e:
        raise ToolError(f"{output} cannot be written: {e.strerror or e}") from None


def _words(command: str | None) -> list[str] | None:
    if command is None:
        return None
    try:
        words = shell_words(command)
    except ValueError as e:
        raise ToolError(f"--command: {e}") from None
    if not words:
        raise ToolError("--command: it is empty")
    return words


def _beside(file: str | None, output: Path | None) -> str | None:
    """The path of the adaptor's file from the template's folder, if it is in there."""
    if file is None:
        return None
    try:
        path = os.path.relpath(file, output.parent if output is not None else os.curdir)
    except ValueError:  # On another drive.
        return None
    path = path.replace(os.sep, "/")
    return None if path.startswith("../") else path


def _required(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign and value):
        raise ToolError(f"--require {text}: NAME=VALUE is expected, such as amount.worker.vcpu=4")
    return name, value


def parser() -> Parser:
    """The command's grammar."""
    parser = Parser(
        prog=PROGRAM,
        description="Writes a job template (YAML) for an adaptor, from the schemas of its data.",
    )
    add = parser.add_argument
    add("adaptor", metavar="ADAPTOR", help="a package, package.module:Class, or a TOML file")
    add("--output", "-o", metavar="FILE", help="where to write it (default: to stdout)")
    add("--force", action="store_true", help="overwrite FILE if it is there")
    add("--name", metavar="NAME", help="the job's name (default: the adaptor's)")
    add(
        "--command",
        metavar="COMMAND",
        help="how a job runs the adaptor (default: its console command, or python -m PACKAGE)",
    )
    add("--each", metavar="FIELD", help="the field of the run data that differs from task to task")
    add("--range", metavar="RANGE", help="the default of its range, such as 1-100")
    add(
        "--no-chunks",
        dest="chunks",
        action="store_false",
        help="a task for each number, for schedulers that do not know TASK_CHUNKING",
    )
    add(
        "--require",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="what a host must have, such as amount.worker.vcpu=4 or "
        "attr.worker.os.family=linux,windows; may be there again",
    )
    return parser
