"""Judges whether a version's number says as much as its contracts changed.

The contracts are compared with those of the newest release before it, and of the next release after it where an older
line gets one more version. Prereleases promise nothing (SemVer 2.0, section 9), so nothing is compared with one; they
themselves are held to the release before them. What the numbers of a step say, `diff.bump_between` tells.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stepdown.registry.names import SIDES, Side
from stepdown_adapters.contract.model import Contract
from stepdown_adapters.diff import BUMPS, Bump, Client, Direction, bump_between, compare, enough, next_version
from stepdown_adapters.versions import Version

_DIRECTIONS: dict[Side, Direction] = {"output": "response", "input": "request"}

Contracts = dict[Side, Contract]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A step between two releases: what its numbers say, what its contracts need, and why."""

    older: Version
    newer: Version
    made: Bump
    needed: Bump
    changes: tuple[str, ...]
    """One sentence for each change, the gravest first."""
    least: tuple[str, ...]
    """Those of them that need more than was made."""

    @property
    def holds(self) -> bool:
        """Whether the step is large enough."""
        return enough(self.made, self.needed)

    @property
    def advice(self) -> str:
        """The least version that would do."""
        return f"{next_version(self.older, self.needed)} or later would do"

    def __str__(self) -> str:
        return f"{self.older} to {self.newer} is a {self.made.upper()} step; the contracts need {self.needed.upper()}"


def neighbours(version: Version, others: Iterable[Version]) -> tuple[Version | None, Version | None]:
    """The releases next to `version`, below and above; a prerelease has none above."""
    releases = [other for other in others if not other.prerelease and other != version]
    below = max((other for other in releases if other < version), default=None)
    above = min((other for other in releases if other > version and not version.prerelease), default=None)
    return below, above


def judge(older: Version, before: Contracts, newer: Version, after: Contracts, client: Client) -> Judgement:
    """Compares the contracts of two versions, each by its side, with the eyes of `client`."""
    made = bump_between(older, newer)
    said: list[tuple[Bump, str]] = []
    for side in SIDES:
        if side in before and side in after:
            diff = compare(before[side], after[side], direction=_DIRECTIONS[side], client=client)
            said += [(change.bump, f"{side} {change}") for change in diff.changes]
        elif side in before or side in after:
            what = "no longer declared" if side in before else "declared for the first time"
            said.append(("none", f"{side}: its contract is {what}"))
    said.sort(key=lambda one: -BUMPS.index(one[0]))
    return Judgement(
        older,
        newer,
        made,
        said[0][0] if said else "none",
        tuple(text if bump == "none" else f"{bump.upper()} {text}" for bump, text in said),
        tuple(text for bump, text in said if not enough(made, bump)),
    )
