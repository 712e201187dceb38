"""Bumps: folded over changes, measured between versions, and held against each other."""

from __future__ import annotations

import pytest

from stepdown_adapters.diff import bump_between, enough, next_version
from stepdown_adapters.diff.catalogue import highest
from stepdown_adapters.versions import Version


@pytest.mark.parametrize(
    ("older", "newer", "expected"),
    [
        ("1.2.3", "2.0.0", "major"),
        ("1.2.3", "1.3.0", "minor"),
        ("1.2.3", "1.2.4", "patch"),
        ("1.2.3", "1.2.3", "none"),
        ("1.2.3+a", "1.2.3+b", "none"),
        ("2.0.0", "1.9.9", "none"),
        ("1.9.0", "2.0.0-rc.1", "major"),
        ("2.0.0-rc.1", "2.0.0", "patch"),
        ("0.3.1", "0.4.0", "major"),
        ("0.3.1", "0.3.2", "patch"),
        ("0.9.0", "1.0.0", "major"),
    ],
)
def test_the_bump_between_two_versions_is(older: str, newer: str, expected: str) -> None:
    assert bump_between(Version.parse(older), Version.parse(newer)) == expected


def test_a_declared_bump_is_enough_when_it_is_no_smaller() -> None:
    assert enough("major", "minor")
    assert enough("minor", "minor")
    assert enough("none", "none")
    assert not enough("minor", "major")
    assert not enough("none", "patch")


@pytest.mark.parametrize(
    ("older", "bump", "expected"),
    [
        ("1.2.3", "major", "2.0.0"),
        ("1.2.3", "minor", "1.3.0"),
        ("1.2.3", "patch", "1.2.4"),
        ("1.2.3", "none", "1.2.3"),
        ("0.2.3", "major", "0.3.0"),
    ],
)
def test_the_least_version_that_is_enough_is(older: str, bump: str, expected: str) -> None:
    version = Version.parse(older)
    found = next_version(version, bump)  # type: ignore[arg-type]
    assert found == Version.parse(expected)
    assert enough(bump_between(version, found), bump)  # type: ignore[arg-type]


def test_the_largest_bump_of_all_changes_counts() -> None:
    assert highest(["patch", "major", "minor"]) == "major"
    assert highest([]) == "none"
