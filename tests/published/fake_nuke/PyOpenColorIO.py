"""What the Nuke client names of OpenColorIO; no script of these tests uses colour management."""

from __future__ import annotations


class Config:
    """Only named, in annotations."""
