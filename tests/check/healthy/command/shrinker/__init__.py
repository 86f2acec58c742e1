"""An adaptor for a command, described in TOML."""

from pathlib import Path

from openjd.adaptor_runtime import EntryPoint

main = EntryPoint.from_toml(Path(__file__).parent / "adaptor.toml").start
