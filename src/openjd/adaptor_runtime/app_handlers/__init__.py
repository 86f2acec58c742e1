"""Output rules: what the lines that an application prints mean."""

from __future__ import annotations

from .regex_callback import RegexCallback, RegexHandler

__all__ = ["RegexCallback", "RegexHandler"]
