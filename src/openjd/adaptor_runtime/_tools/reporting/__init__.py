"""Makes the page of a report out of logs."""

from __future__ import annotations

from .page import page

__all__ = ["page"]
