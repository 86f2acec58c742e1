"""``python -m verdicts.by_application``: rows of that kind, by the real commands."""

from verdicts.stage import Fake

__all__ = ["Fake"]
