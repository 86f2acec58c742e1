"""An Open Job Description adaptor for Engraver."""

from openjd.adaptor_runtime import EntryPoint


def main() -> None:
    """The command ``engraver-adaptor``."""
    # By name: a task's short commands talk to the daemon, and need not import the adaptor.
    EntryPoint(f"{__name__}.adaptor:EngraverAdaptor").start()
