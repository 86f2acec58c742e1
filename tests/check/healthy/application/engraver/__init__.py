"""An adaptor for an application that has Python inside."""

from openjd.adaptor_runtime import EntryPoint


def main() -> None:
    """The console command ``engraver-openjd``."""
    EntryPoint("engraver.adaptor:EngraverAdaptor").start()
