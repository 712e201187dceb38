"""What a rule carries that rollouts had a part in, besides its split: worked out where a snapshot is compiled."""

from __future__ import annotations

from typing import NamedTuple

from stepdown.decide.spec_base import Spec


class TakenBack(NamedTuple):
    """A version that a rollout took back, and whose place in every rule of the route another one has."""

    version: str
    stable: str
    """Has its place."""
    rollout: str
    keep: bool
    """Whether pins that nothing else can serve still get its servers; else they are refused."""


class Slots(NamedTuple):
    """A version of a split as it was before others took over, so that slots are dealt as they were."""

    version: str
    weight: int
    place: int
    """Position in the split of the version that has its slots now."""


class Walked(Spec, frozen=True):
    """It lies in no file and does not travel (`driving.effective`)."""

    rollout: str | None = None
    """The rollout that made the rule; `None` where the rule is the file's, and only versions in it were taken back."""
    told: str = ""
    """What the rollout says about it, in words."""
    evidence: bool = False
    """Whether its requests are evidence of the rollout."""
    alike: tuple[tuple[str, ...], ...] = ()
    """Groups of versions: where a pin allows several shapes, the newest that all of a group reach, the first group that
    has one, so that a rollout moves servers and never shapes."""
    dealt: tuple[Slots, ...] = ()
    """The split as it was, where versions in it were taken back: nobody else moves."""
    taken_back: tuple[TakenBack, ...] = ()
    """Of the whole route."""
