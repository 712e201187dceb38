"""Judges whether a version's number says as much as its contracts changed.

The contracts are compared with those of the newest release before it, and of the next release after it where an older
line gets one more version. Prereleases promise nothing (SemVer 2.0, section 9), so nothing is compared with one; they
themselves are held to the release before them. In 0.y.z the leftmost part that is not 0 takes the place of MAJOR, as it
does in the range `^0.2`, and everything after it that of MINOR.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from stepdown.registry.names import SIDES, Side
from stepdown_adapters.contract.model import Contract
from stepdown_adapters.diff.project import Unprojectable, project
from stepdown_adapters.versions import Version

Bump = Literal["none", "patch", "minor", "major"]
Client = Literal["strict", "tolerant"]
CLIENTS: tuple[Client, Client] = ("strict", "tolerant")
_RANK: dict[Bump, int] = {"none": 0, "patch": 1, "minor": 2, "major": 3}
_DIRECTIONS: dict[Side, Literal["response", "request"]] = {"output": "response", "input": "request"}

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
        return _RANK[self.made] >= _RANK[self.needed]

    def __str__(self) -> str:
        return f"{self.older} to {self.newer} is a {self.made.upper()} step; the contracts need {self.needed.upper()}"


def neighbours(version: Version, others: Iterable[Version]) -> tuple[Version | None, Version | None]:
    """The releases next to `version`, below and above; a prerelease has none above."""
    releases = [other for other in others if not other.prerelease and other != version]
    below = max((other for other in releases if other < version), default=None)
    above = min((other for other in releases if other > version and not version.prerelease), default=None)
    return below, above


def made(older: Version, newer: Version) -> Bump:
    """What the numbers of a step say."""
    changed = [one != other for one, other in zip(older.triple, newer.triple, strict=True)]
    if changed[0]:
        return "major"
    if newer.major == 0:
        return "major" if changed[1] or newer.minor == 0 else "minor"
    return "minor" if changed[1] else "patch"


def judge(older: Version, before: Contracts, newer: Version, after: Contracts, client: Client) -> Judgement:
    """Compares the contracts of two versions, each by its side, with the eyes of `client`."""
    step = made(older, newer)
    needed: Bump = "none"
    said: list[tuple[Bump, str]] = []
    for side in SIDES:
        if side not in before or side not in after:
            if (side in before) != (side in after):
                what = "no longer declared" if side in before else "declared for the first time"
                said.append(("none", f"{side}: its contract is {what}"))
            continue
        bump, sentence = _compare(before[side], after[side], client)
        needed = max(needed, bump, key=_RANK.__getitem__)
        said += [(bump, f"{side} {sentence}")] if bump != "none" else []
    said.sort(key=lambda one: -_RANK[one[0]])
    return Judgement(
        older,
        newer,
        step,
        needed,
        tuple(f"{bump.upper()} {text}" if bump != "none" else text for bump, text in said),
        tuple(text for bump, text in said if _RANK[bump] > _RANK[step]),
    )


def _compare(older: Contract, newer: Contract, client: Client) -> tuple[Bump, str]:
    if older.schema == newer.schema:
        return "none", ""
    found = project(newer.schema, older.schema)
    if isinstance(found, Unprojectable):
        return "major", f"{found.path or '/'}: {found.reason}"
    grown = bool(found.operations) and client == "strict"
    return "major" if grown else "minor", "/: members were added"
