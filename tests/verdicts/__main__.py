"""``python -m tests.verdicts`` writes docs/verdicts.md."""

from .page import PAGE, text

PAGE.write_text(text(), encoding="utf-8")
