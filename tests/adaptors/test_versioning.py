"""SemanticVersion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openjd.adaptor_runtime.adaptors import SemanticVersion

versions = st.builds(SemanticVersion, st.integers(0, 3), st.integers(0, 3))


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_parse_and_text(major: int, minor: int) -> None:
    """Text and version are the same thing."""
    version = SemanticVersion(major, minor)
    assert str(version) == f"{major}.{minor}"
    assert SemanticVersion.parse(str(version)) == version


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.",
        ".1",
        "1.2.3",
        "a.b",
        "1.x",
        "-1.0",
        "+1.0",
        " 1.0",
        "1.0\n",
        "1,0",
        "\u0661.2",
    ],
)
def test_no_version(text: str) -> None:
    """What is no version is shown, with what was expected."""
    with pytest.raises(ValueError, match=r"<major>\.<minor>") as caught:
        SemanticVersion.parse(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("installed", "expected", "compatible"),
    [
        ("0.1", "0.1", True),
        ("0.2", "0.1", False),
        ("0.1", "0.2", False),
        ("1.0", "1.0", True),
        ("1.3", "1.2", True),
        ("1.2", "1.3", False),
        ("2.0", "1.0", False),
        ("1.9", "2.0", False),
        ("1.0", "0.1", False),
        ("0.1", "1.1", False),
    ],
)
def test_compatibility(installed: str, expected: str, compatible: bool) -> None:
    """In major 0 minors are equal; else the major is, and the minor is not less."""
    version = SemanticVersion.parse(installed)
    assert version.has_compatibility_with(SemanticVersion.parse(expected)) is compatible


@given(versions, versions)
def test_order(one: SemanticVersion, other: SemanticVersion) -> None:
    """Versions are ordered by major, then minor, and equal ones hash equally."""
    assert (one < other) == ((one.major, one.minor) < (other.major, other.minor))
    assert (one == other) == (str(one) == str(other))
    assert (one >= other) == (not one < other)
    if one == other:
        assert hash(one) == hash(other)


@given(versions)
def test_compatible_with_itself(version: SemanticVersion) -> None:
    """Every version serves who expects that very version."""
    assert version.has_compatibility_with(version)


def test_fields_and_keywords() -> None:
    """Made by position or by name."""
    version = SemanticVersion(major=1, minor=2)
    assert (version.major, version.minor) == (1, 2)
    assert version == SemanticVersion(1, 2)
