"""Versions and ranges: a total order as the rules of SemVer state it, and notations that mean the same."""

from __future__ import annotations

from itertools import zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepdown_adapters.versions import Range, Version

numbers = st.integers(0, 3)
names = st.one_of(numbers.map(str), st.sampled_from(["a", "alpha", "rc", "1a", "-", "A"]))
prereleases = st.lists(names, max_size=3).map(".".join)
versions = st.builds(Version, numbers, numbers, numbers, prereleases, st.sampled_from(["", "b.1", "007"]))


def precedence(one: Version, other: Version) -> int:
    """Section 11 of semver.org, word by word."""
    if one.triple != other.triple:
        return -1 if one.triple < other.triple else 1
    if not one.prerelease or not other.prerelease:
        return bool(other.prerelease) - bool(one.prerelease)
    for left, right in zip_longest(one.prerelease.split("."), other.prerelease.split(".")):
        if left == right:
            continue
        if left is None or right is None:
            return -1 if left is None else 1
        if left.isdigit() and right.isdigit():
            return -1 if int(left) < int(right) else 1
        if left.isdigit() or right.isdigit():
            return -1 if left.isdigit() else 1
        return -1 if left < right else 1
    return 0


@given(versions, versions)
def test_the_order_is_that_of_the_rules(one: Version, other: Version) -> None:
    expected = precedence(one, other)
    assert (one > other) - (one < other) == expected
    assert (one == other) == (expected == 0)
    assert one != other or hash(one) == hash(other)


@given(versions)
def test_a_version_is_read_back_from_its_text(version: Version) -> None:
    read = Version.parse(str(version))
    assert (read, str(read)) == (version, str(version))
    assert Range.parse(str(version)).allows(version)


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("{0}", ">={0}.0.0 <{0}.{9}.0"),
        ("{0}.x", "~{0}"),
        ("{0}.{1}", ">={0}.{1}.0 <{0}.{1}.{9}"),
        ("~{0}.{1}.{2}", ">={0}.{1}.{2} <{0}.{1}.{9}"),
        (">{0}.{1}", ">{0}.{1}.{9}"),
        ("<={0}.{1}", "<={0}.{1}.{9}"),
        ("={0}.{1}.{2}", ">={0}.{1}.{2} <={0}.{1}.{2}"),
    ],
)
@given(numbers, numbers, numbers, versions)
def test_two_notations_of_one_range_allow_the_same(
    short: str, long: str, major: int, minor: int, patch: int, version: Version
) -> None:
    parts = (major, minor, patch, *[None] * 6, 4)  # {9}: a part greater than any that is drawn
    assert Range.parse(short.format(*parts)).allows(version) == Range.parse(long.format(*parts)).allows(version)


@given(numbers, numbers, numbers, versions)
def test_a_caret_keeps_the_leftmost_part_that_is_not_0(major: int, minor: int, patch: int, version: Version) -> None:
    lowest = Version(major, minor, patch)
    fixed = 1 if major else 2 if minor else 3
    expected = not version.prerelease and version >= lowest and version.triple[:fixed] == lowest.triple[:fixed]
    assert Range.parse(f"^{lowest}").allows(version) == expected
