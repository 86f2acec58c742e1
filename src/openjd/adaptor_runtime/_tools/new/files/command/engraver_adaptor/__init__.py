"""An Open Job Description adaptor for Engraver; all that it does stands in ``adaptor.toml``."""

from pathlib import Path

from openjd.adaptor_runtime import EntryPoint


def main() -> None:
    """The command ``engraver-adaptor``."""
    EntryPoint.from_toml(str(Path(__file__).with_name("adaptor.toml"))).start()
