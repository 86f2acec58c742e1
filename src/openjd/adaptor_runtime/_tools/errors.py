"""What a tool tells its user when it cannot go on."""

from __future__ import annotations


class ToolError(Exception):
    """The tool cannot do what it was asked; its message is one line: what, where, what to do."""
