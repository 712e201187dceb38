"""What a batch asks of any store, put in order: which sightings, each once, and which sums."""

from __future__ import annotations

from typing import NamedTuple, get_args

from stepdown.rollout.batch import Arm, Batch, Cell, Counts, Side

MOST_SIGHTINGS = 10_000
"""Of one batch, so that none holds up the store for long."""
_LAST_UNIT = 2**64 - 1
_LAST_SEQUENCE = 2**53 - 1
"""What Redis' scripts count with is a double."""
_LAST_COUNT = 2**53 - 1
_ARMS, _SIDES = frozenset(get_args(Arm)), frozenset(get_args(Side))


class Scope(NamedTuple):
    """Within which a unit counts once, in a run."""

    stage: int
    kind: str
    side: Side


class Group(NamedTuple):
    """Units that are to be seen in one scope and count for one arm."""

    scope: Scope
    arm: Arm
    units: list[int]


def groups(batch: Batch) -> list[Group]:
    """Its sightings by scope and arm; of those of one unit in a scope, the first. Raises `ValueError`."""
    if len(batch.sightings) > MOST_SIGHTINGS:
        raise ValueError(f"a batch has at most {MOST_SIGHTINGS} sightings, and not {len(batch.sightings)}")
    first: dict[Scope, dict[int, Arm]] = {}
    for stage, arm, kind, unit, side in batch.sightings:
        if not 0 <= unit <= _LAST_UNIT or arm not in _ARMS or side not in _SIDES:
            raise ValueError(f"no sighting: unit {unit}, arm {arm!r}, side {side!r}")
        first.setdefault(Scope(stage, kind, side), {}).setdefault(unit, arm)
    found: dict[tuple[Scope, Arm], list[int]] = {}
    for scope, units in first.items():
        for unit, arm in units.items():
            found.setdefault((scope, arm), []).append(unit)
    return [Group(scope, arm, units) for (scope, arm), units in found.items()]


def sums(batch: Batch) -> list[tuple[Cell, Counts]]:
    """Its deltas but those that add nothing. Raises `ValueError`."""
    if not 1 <= batch.sequence <= _LAST_SEQUENCE:
        raise ValueError(f"batches are numbered from 1, and not {batch.sequence}")
    for cell, counts in batch.deltas.items():
        if not (0 <= counts.trials <= _LAST_COUNT and 0 <= counts.events <= _LAST_COUNT) or cell.arm not in _ARMS:
            raise ValueError(f"no delta: {cell} {counts}")
    return [(cell, counts) for cell, counts in batch.deltas.items() if any(counts)]
