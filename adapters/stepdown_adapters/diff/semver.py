"""Which part of a version has to move, and whether it did."""

from __future__ import annotations

from stepdown_adapters.diff.catalogue import BUMPS, Bump
from stepdown_adapters.versions import Version


def bump_between(older: Version, newer: Version) -> Bump:
    """The bump that was made from one version to another: the leftmost number that rose.

    In `0.y.z` nothing is promised yet (SemVer, section 4): there `y` counts for MAJOR and MINOR alike, so 0.3.1 to
    0.4.0 is `major`. A prerelease counts as its release: 1.9.0 to 2.0.0-rc.1 is `major`. A version that did not rise is
    `none`.
    """
    if newer <= older:
        return "none"
    if newer.major != older.major:
        return "major"
    if newer.minor != older.minor:
        return "major" if older.major == 0 else "minor"
    return "patch"


def enough(declared: Bump, computed: Bump) -> bool:
    """Whether the declared bump is at least the one that the changes need."""
    return BUMPS.index(declared) >= BUMPS.index(computed)


def next_version(older: Version, computed: Bump) -> Version:
    """The least release that is enough for a bump."""
    if computed == "none":
        return older
    if computed == "patch":
        return Version(older.major, older.minor, older.patch + 1)
    if computed == "minor" or older.major == 0:
        return Version(older.major, older.minor + 1, 0)
    return Version(older.major + 1, 0, 0)
