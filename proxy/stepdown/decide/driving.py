"""Rollouts in force: what a route's rules become where its rollouts stand now.

A specification says what the file says, and in `Rollout.driven` how far each rollout is. `with_driven` puts the latter
in. `effective` works out the rules that follow; it is applied where a snapshot is compiled, so the specification can be
driven further at any time.

- **Who has what.** Each audience, a segment or everybody, has the largest weight that a step gave it so far; whoever is
  in several has the largest of theirs. So nobody loses the candidate while weights rise. The step's own audience is the
  rule of which the rollout learns. Segments that came before keep what they had in rules of their own,
  `everyone/beta`, which teach it nothing; once everybody has as much, they are part of everybody again.
- **Slots** are those of a split of (stable, candidate) with the salt of the file's rule, whatever the step: the
  candidate has the first ones, as many as its weight says to a hundredth of a per cent.
- **Taken back.** Stable stands in the candidate's place in every rule of the route, its split, fallbacks and flag, and
  whoever had another version before keeps it. Pins that no other version can serve are the only way that is left to
  the candidate (`Walked.taken_back`). The same goes for versions that earlier runs took back.

A rollout that was not started leaves its rule as the file has it: stable has everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from stepdown.decide.rollout_spec import Driven, Rollout
from stepdown.decide.slots import SLOTS
from stepdown.decide.spec import Model, Route, Rule, SnapshotSpec, versions_of
from stepdown.decide.walked import Slots, TakenBack, Walked
from stepdown.decide.when import EVERYONE, All, InSegment, When

Split = tuple[tuple[str, int], ...]
_WHOLE = 100.0


def with_driven(spec: SnapshotSpec, driven: Mapping[str, Driven]) -> SnapshotSpec:
    """The specification with rollouts driven so far, by name, and all others not started.

    The same object where nothing changes. A stable version that can serve the rule no more gives way to the file's
    (`unfit`).
    """
    rollouts = tuple(_driven(spec, rollout, driven.get(rollout.name)) for rollout in spec.rollouts)
    return spec if rollouts == spec.rollouts else msgspec.structs.replace(spec, rollouts=rollouts)


def _driven(spec: SnapshotSpec, rollout: Rollout, driven: Driven | None) -> Rollout:
    if driven is not None and driven.stable != rollout.stable and unfit(spec, rollout, driven.stable):
        driven = msgspec.structs.replace(driven, stable=rollout.stable)
    return msgspec.structs.replace(rollout, driven=driven)


def unfit(spec: SnapshotSpec, rollout: Rollout, version: str) -> str:
    """Why a version cannot be the stable one of a rollout, though no file says that it is; empty where it can.

    It may have been promoted under an earlier file. What the file promises is proved for its own stable only.
    """
    owner = next((one for one in spec.routes if any(rule.rollout == rollout.name for rule in one.rules)), None)
    if owner is None:
        return f"no rule belongs to {rollout.name}"
    model = next(one for one in spec.models if one.name == owner.model)
    declared = {one.id: one for one in model.versions}
    if version not in declared:
        return f"{model.name} has no version {version} any more"
    if not declared[version].endpoints:
        return f"no server runs {version} any more"
    promised = [model.default_version, *(entry.version for entry in model.clients if owner.pin == "shape")]
    missed = next((pinned for pinned in promised if not _answers(owner, model, version, pinned)), None)
    return f"{version} cannot answer in the shape of {missed}, which is promised" if missed is not None else ""


def _answers(route: Route, model: Model, served: str, pinned: str) -> bool:
    """Whether a server gives a shape, or need not, as a declared refusal keeps them apart and another one gives it."""
    chains = {(chain.served, chain.pinned) for chain in model.chains}
    if served == pinned or (served, pinned) in chains:
        return True
    refused = {(one.served, one.pinned) for one in model.refused}
    others = {other for rule in route.rules for other in versions_of(rule)}
    apart = not refused.isdisjoint({(served, pinned), (pinned, served)})
    return apart and any(other == pinned or (other, pinned) in chains for other in others)


def by_name(spec: SnapshotSpec) -> dict[str, Rollout]:
    """The rollouts of a specification."""
    return {rollout.name: rollout for rollout in spec.rollouts}


def in_effect(spec: SnapshotSpec) -> Iterator[Route]:
    """All routes as they are compiled."""
    rollouts = by_name(spec)
    return (effective(route, rollouts) for route in spec.routes)


def effective(route: Route, rollouts: Mapping[str, Rollout]) -> Route:
    """A route with the rules that its rollouts have made of the file's; the same object where it has none.

    What it gives is left as it is.
    """
    if not rollouts or not any(rule.rollout in rollouts for rule in route.rules):
        return route
    if any(rule.walked is not None for rule in route.rules):
        return route
    rules: list[Rule] = []
    owners: list[Rollout] = []
    for rule in route.rules:
        rollout = rollouts.get(rule.rollout or "")
        if rollout is None:
            rules.append(rule)
        else:
            owners.append(rollout)
            rules += _walked(rule, rule.salt or f"{route.name}/{rule.name}", rollout)
    taken_back = _taken_back(owners)
    return msgspec.structs.replace(route, rules=tuple(_without(rule, taken_back) for rule in rules))


# --- the rule of a rollout --------------------------------------------------------------------------------------------


class _Audience(NamedTuple):
    """Who has which weight."""

    segment: str | None
    """`None` is everybody."""
    weight: float
    now: bool
    """It is the step's own."""


def _walked(rule: Rule, salt: str, rollout: Rollout) -> Iterator[Rule]:
    """The rules in the place of the one that a rollout owns."""
    driven = rollout.driven
    stable = rollout.stable if driven is None else driven.stable
    alike = (tuple(dict.fromkeys((rollout.stable, stable, rollout.candidate))), (stable,))
    if driven is None:
        told = f"and until it is started, stable {stable} has everything"
        walked = Walked(rollout=rollout.name, told=told, evidence=True, alike=alike)
        yield msgspec.structs.replace(rule, walked=walked)
        return
    if driven.taken_back:
        why = f"which took {rollout.candidate} back at {_place(rollout)}" if driven.run else "whose state is missing"
        told = f"{why}: stable {stable} has everything"
        walked = Walked(rollout=rollout.name, told=told, alike=alike)
        yield msgspec.structs.replace(rule, split=((stable, 1),), walked=walked)
        return
    for audience in _audiences(rollout, driven):
        evidence = audience.now and driven.evidence
        told = _told(audience, rollout, stable)
        yield msgspec.structs.replace(
            rule,
            name=rule.name if audience.segment is None else f"{rule.name}/{audience.segment}",
            when=rule.when if audience.segment is None else _and_in(rule.when, audience.segment),
            split=_split(stable, rollout.candidate, audience.weight),
            salt=salt,
            rollout=rollout.name if audience.now else None,
            walked=Walked(rollout=rollout.name, told=told, evidence=evidence, alike=alike),
        )


def _audiences(rollout: Rollout, driven: Driven) -> list[_Audience]:
    """Largest weight first, so that whoever is in several has the largest; behind everybody there is nobody."""
    if _is_promoted(driven):
        return [_Audience(None, driven.weight, now=True)]
    place = place_of(rollout)
    here = rollout.steps[place].segment
    reached: dict[str | None, float] = {None: 0.0}
    for step in rollout.steps[:place]:
        reached[step.segment] = max(step.weight, reached.get(step.segment, 0.0))
    reached[here] = driven.weight
    audiences = [_Audience(segment, weight, segment == here) for segment, weight in reached.items()]
    audiences.sort(key=lambda one: (-one.weight, not one.now, one.segment is None))
    everybody = next(index for index, one in enumerate(audiences) if one.segment is None)
    return audiences[: everybody + 1]


def _is_promoted(driven: Driven) -> bool:
    """Whether everybody has the candidate and nothing is learned any more, also where a segment's step was the last."""
    return driven.weight >= _WHOLE and not driven.evidence


def place_of(rollout: Rollout) -> int:
    """Place of the step where a rollout that is driven stands; a file may have got fewer since."""
    assert rollout.driven is not None
    return min(rollout.driven.step, len(rollout.steps) - 1)


def _split(stable: str, candidate: str, weight: float) -> Split:
    """In slots; a candidate without any is not there, so that nothing falls back on it."""
    slots = round(weight * SLOTS / _WHOLE)
    return ((stable, SLOTS - slots), (candidate, slots)) if slots and candidate != stable else ((stable, 1),)


def _and_in(when: When, segment: str) -> When:
    if when == EVERYONE:
        return InSegment(segment)
    return All((*when.tests, InSegment(segment)) if isinstance(when, All) else (when, InSegment(segment)))


# --- what was taken back ----------------------------------------------------------------------------------------------


def _taken_back(rollouts: Iterable[Rollout]) -> tuple[TakenBack, ...]:
    """Every version of a route that has no place any more, and who has it."""
    found: dict[str, TakenBack] = {}
    for rollout in rollouts:
        if rollout.driven is not None:
            for version in _gone(rollout, rollout.driven):
                one = TakenBack(version, rollout.driven.stable, rollout.name, rollout.on_rollback == "keep")
                found.setdefault(version, one)
    ends = (one._replace(stable=_last(one, found)) for one in found.values())
    return tuple(one for one in ends if one.stable != one.version)  # two that took each other back


def _gone(rollout: Rollout, driven: Driven) -> Iterator[str]:
    """The versions that one rollout took back, and the file's stable where that is one of them."""
    gone = {*driven.quarantined, rollout.stable}
    gone = gone | {rollout.candidate} if driven.taken_back else gone - {rollout.candidate}
    yield from sorted(gone - {driven.stable})


def _last(one: TakenBack, found: Mapping[str, TakenBack]) -> str:
    """Who has a version's place in the end, as its stable may have been taken back by another rollout."""
    way = [one.version]
    while one.stable in found and one.stable not in way:
        one = found[one.stable]
        way.append(one.version)
    return one.stable


def _without(rule: Rule, taken_back: Sequence[TakenBack]) -> Rule:
    """A rule in which no version has a place that was taken back."""
    if not taken_back:
        return rule
    places = {one.version: one for one in taken_back}
    gone = [places[version] for version in dict.fromkeys(versions_of(rule)) if version in places]
    walked = rule.walked
    if walked is None:
        of_all = rule.flag is not None or rule.colours is not None
        walked = Walked(alike=(tuple(version for version, _ in rule.split),) if of_all else ())
    if not gone:
        return msgspec.structs.replace(rule, walked=msgspec.structs.replace(walked, taken_back=tuple(taken_back)))
    moved = {version: one.stable for version, one in places.items()}
    split = _merged(rule.split, moved)
    stays = [version for version, _ in split] == [version for version, _ in rule.split]
    named = [version for version, _ in split]
    dealt = (Slots(version, weight, named.index(moved.get(version, version))) for version, weight in rule.split)
    flag = rule.flag
    if flag is not None:
        versions = tuple((variant, moved.get(version, version)) for variant, version in flag.versions)
        flag = msgspec.structs.replace(flag, versions=versions, default=moved.get(flag.default, flag.default))
    return msgspec.structs.replace(
        rule,
        split=split,
        instead=tuple(dict.fromkeys(moved.get(version, version) for version in rule.instead)),
        flag=flag,
        colours=rule.colours if stays else None,
        rollout=rule.rollout if stays else None,
        walked=msgspec.structs.replace(
            walked,
            told="; ".join(filter(None, (walked.told, *(_stands_in(one) for one in gone)))),
            evidence=walked.evidence and stays,
            dealt=() if stays or len(split) == 1 else tuple(dealt),
            taken_back=tuple(taken_back),
        ),
    )


def _merged(split: Split, moved: Mapping[str, str]) -> Split:
    """A split in which versions have the weights of those whose place they took, too."""
    weights: dict[str, int] = {}
    for version, weight in split:
        now = moved.get(version, version)
        weights[now] = weights.get(now, 0) + weight
    return tuple(weights.items())


# --- in words ---------------------------------------------------------------------------------------------------------


def _told(audience: _Audience, rollout: Rollout, stable: str) -> str:
    whom = "everybody" if audience.segment is None else f"the segment {audience.segment}"
    if rollout.driven is not None and _is_promoted(rollout.driven):
        return f"which promoted {rollout.candidate}: it has everything, and {stable} takes over where it is down"
    if not audience.now and audience.segment is None and not audience.weight:
        here = rollout.steps[place_of(rollout)].segment
        return f"which is at {_place(rollout)}, for the segment {here} only: stable {stable} has everything here"
    if not audience.now:
        kept = f"leaves {rollout.candidate} to those {audience.weight:g} % of {whom} that had it, as no evidence"
        return f"which is at {_place(rollout)} and {kept}: stable {stable} has the rest"
    if not audience.weight:
        copies = f"gives {rollout.candidate} nothing but copies"
        return f"which is at {_place(rollout)} and {copies}: stable {stable} has everything"
    gives = f"gives {rollout.candidate} to {audience.weight:g} % of {whom}"
    return f"which is at {_place(rollout)} and {gives}: stable {stable} has the rest"


def _place(rollout: Rollout) -> str:
    return f"step {place_of(rollout) + 1} of {len(rollout.steps)}"


def _stands_in(one: TakenBack) -> str:
    return f"{one.stable} stands in the place of {one.version}, which the rollout {one.rollout} took back"
