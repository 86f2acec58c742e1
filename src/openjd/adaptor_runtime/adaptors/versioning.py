"""SemanticVersion: the version of an interface."""

from __future__ import annotations

import re
from typing import NamedTuple


class SemanticVersion(NamedTuple):
    """A version ``major.minor``. Ordered; not the version of a package but of an interface."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    def has_compatibility_with(self, other: SemanticVersion) -> bool:
        """Whether what is installed in this version serves who expects `other`.

        In major version 0 every minor version breaks; after that a minor version adds. So this
        is not commutative: 1.3 serves who expects 1.2, not the other way round.
        """
        if self.major == other.major == 0:
            return self.minor == other.minor
        return self.major == other.major and self.minor >= other.minor

    @classmethod
    def parse(cls, version_str: str) -> SemanticVersion:
        """The version that ``"<major>.<minor>"`` says.

        Raises:
            ValueError: it is not of that form.
        """
        if not re.fullmatch(r"[0-9]+\.[0-9]+", version_str):
            raise ValueError(f"{version_str!r} is no version: expected <major>.<minor>")
        major, minor = version_str.split(".")
        return cls(int(major), int(minor))
