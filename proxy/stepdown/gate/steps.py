"""Each version held against the release before it, and each published contract against what it was in the base."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from stepdown.gate.facts import SIDES, Facts, VersionFacts
from stepdown.gate.policy import Policy
from stepdown_adapters.contract.model import Contract
from stepdown_adapters.contract.sides import Side
from stepdown_adapters.diff import BUMPS, Bump, Change, Diff, Direction, bump_between, compare, enough

_DIRECTIONS: Mapping[Side, Direction] = {"output": "response", "input": "request"}


@dataclass(frozen=True, slots=True)
class Step:
    """From a release to the version after it."""

    model: str
    older: VersionFacts
    newer: VersionFacts
    declared: Bump
    needed: Bump
    changes: tuple[tuple[Side, Change], ...]
    """The gravest first."""
    unknown: tuple[Side, ...]
    """Sides of which one version has a contract and the other has none, so that nothing can be said: MAJOR."""
    breaking: bool

    @property
    def is_enough(self) -> bool:
        """Whether the version rose as much as the changes need."""
        return enough(self.declared, self.needed)


@dataclass(frozen=True, slots=True)
class Edited:
    """One side of a published contract whose text says something else than in the base."""

    side: Side
    bump: Bump
    changes: tuple[Change, ...]
    note: str = ""
    """What happened where it is no difference of two contracts."""

    @property
    def is_harmless(self) -> bool:
        """Whether no promise changed."""
        return self.bump in ("none", "patch")


def steps_of(facts: Facts, policy: Policy) -> dict[tuple[str, str], Step]:
    """Every version that has a release before it, by model and version."""
    found: dict[tuple[str, str], Step] = {}
    for name, model in facts.models.items():
        for one in model.versions.values():
            older = model.predecessor(one.version)
            if older is not None:
                found[name, one.id] = _step(name, older, one, policy)
    return found


def _step(model: str, older: VersionFacts, newer: VersionFacts, policy: Policy) -> Step:
    changes: list[tuple[Side, Change]] = []
    unknown: list[Side] = []
    compatible = True
    for side in SIDES:
        if side in older.contracts and side in newer.contracts:
            diff = _diff(older.contracts[side], newer.contracts[side], side, policy)
            changes += [(side, change) for change in diff.changes]
            compatible = compatible and diff.compatible
        elif side == "output" and (side in older.declared) != (side in newer.declared):
            unknown.append(side)
    changes.sort(key=lambda one: -BUMPS.index(one[1].bump))
    needed: Bump = "major" if unknown else (changes[0][1].bump if changes else "none")
    declared = bump_between(older.version, newer.version)
    return Step(model, older, newer, declared, needed, tuple(changes), tuple(unknown), bool(unknown) or not compatible)


def is_enough_if_tolerated(step: Step, policy: Policy) -> bool:
    """Whether the version rose enough for clients that ignore what they do not know."""
    return _step(step.model, step.older, step.newer, replace(policy, client="tolerant")).is_enough


def edits_of(head: Facts, base: Facts, policy: Policy) -> dict[tuple[str, str], tuple[Edited, ...]]:
    """Every release of the base whose contracts say something else now, by model and version."""
    found = {}
    for name, model in base.models.items():
        for before in model.versions.values():
            after = head.find(name, before.id)
            if after is not None and before.is_release:
                edits = tuple(_edits(before, after, policy))
                if edits:
                    found[name, before.id] = edits
    return found


def _edits(before: VersionFacts, after: VersionFacts, policy: Policy) -> Iterator[Edited]:
    for side in SIDES:
        if side in before.contracts and side in after.contracts:
            old, new = before.contracts[side], after.contracts[side]
            if old.schema == new.schema and old.envelope == new.envelope:
                continue
            diff = _diff(old, new, side, policy)
            # Under the criterion of one direction a change may be MINOR; an edit in place is one all the same.
            if diff.changes or before.prints.get(side) != after.prints.get(side):
                bump: Bump = diff.bump if diff.changes else "patch"
                yield Edited(side, bump, diff.changes)
        elif side in before.declared and side not in after.declared:
            yield Edited(side, "major", (), "is no longer declared")
        elif side in after.declared and side not in before.declared:
            yield Edited(side, "patch", (), "is declared for the first time")


def _diff(older: Contract, newer: Contract, side: Side, policy: Policy) -> Diff:
    return compare(
        older,
        newer,
        direction=_DIRECTIONS[side],
        client=policy.client,
        enums=policy.enums,
        formats=policy.formats,
    )
