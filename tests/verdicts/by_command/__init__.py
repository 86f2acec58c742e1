"""``python -m verdicts.by_command``: rows of that kind, by the real commands."""

from verdicts.stage import FakeCommand

__all__ = ["FakeCommand"]
