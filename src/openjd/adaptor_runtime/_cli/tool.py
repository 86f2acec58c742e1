"""The console command ``openjd-adaptor``."""

from __future__ import annotations

import argparse
import sys

from .._version import version


def main(arguments: list[str] | None = None) -> int:
    """Runs the command that the arguments ask for and returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(
        prog="openjd-adaptor", description="Tools for Open Job Description adaptors."
    )
    parser.add_argument("--version", action="version", version=f"openjd-adaptor-runtime {version}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    # The demo reads its own options: nothing is imported for it before it is asked for.
    commands.add_parser("demo", help="render a turntable through a real session", add_help=False)
    options, rest = parser.parse_known_args(arguments)
    assert options.command == "demo"
    from .._demo import main as demo

    return demo(rest)
