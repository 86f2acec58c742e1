"""SemanticVersion: the version of an interface."""

from __future__ import annotations

from collections import namedtuple


class SemanticVersion(namedtuple("SemanticVersion", ["major", "minor"])):
    """A version ``major.minor``. Ordered; not the version of a package but of an interface.

    Attributes:
        major (int): changes when what was written for an earlier version no longer works.
        minor (int): changes when something is added.
    """

    __slots__ = ()

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    def has_compatibility_with(self, other: SemanticVersion) -> bool:
        """Whether what is installed in this version serves who expects `other`.

        In major version 0 every minor version breaks; after that a minor version adds. So this
        is not commutative: 1.3 serves who expects 1.2, not the other way round.
        """
        if self.major == other.major == 0:
            return bool(self.minor == other.minor)
        return bool(self.major == other.major and self.minor >= other.minor)

    @classmethod
    def parse(cls, version_str: str) -> SemanticVersion:
        """The version that `version_str`, ``"<major>.<minor>"``, says.

        Raises:
            ValueError: it is not of that form.
        """
        import re

        if not re.fullmatch(r"[0-9]+\.[0-9]+", version_str):
            raise ValueError(f"{version_str!r} is no version: expected <major>.<minor>")
        major, minor = version_str.split(".")
        return cls(int(major), int(minor))
