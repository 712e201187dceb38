"""What differs between two contracts, and what follows from it."""

from stepdown_adapters.diff.catalogue import BUMPS, KINDS, Bump, Kind
from stepdown_adapters.diff.change import Change, Diff
from stepdown_adapters.diff.compare import compare
from stepdown_adapters.diff.lint import Warning, lint
from stepdown_adapters.diff.policy import Client, Direction, Enums, Formats, Policy
from stepdown_adapters.diff.semver import bump_between, enough, next_version

__all__ = [
    "BUMPS",
    "KINDS",
    "Bump",
    "Change",
    "Client",
    "Diff",
    "Direction",
    "Enums",
    "Formats",
    "Kind",
    "Policy",
    "Warning",
    "bump_between",
    "compare",
    "enough",
    "lint",
    "next_version",
]
