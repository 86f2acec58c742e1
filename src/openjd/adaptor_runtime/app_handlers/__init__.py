"""Output rules: what the lines that an application prints mean."""

from __future__ import annotations

from ._guard import RunawayPattern
from .regex_callback import RegexCallback, RegexHandler

__all__ = ["RegexCallback", "RegexHandler", "RunawayPattern"]
