"""`--rollout NAME=STEP`: a file's rollouts as if they stood somewhere, for commands that decide and send nothing."""

from __future__ import annotations

from collections.abc import Iterable

from stepdown.config.findings import listed, nearest_name
from stepdown.decide.driving import by_name, with_driven
from stepdown.decide.rollout_spec import Driven, Rollout
from stepdown.decide.spec import SnapshotSpec

PROMOTED, TAKEN_BACK = "promoted", "taken-back"


def standing(spec: SnapshotSpec, given: Iterable[str]) -> SnapshotSpec:
    """A specification whose rollouts stand where texts such as `churn-2=1` say; all others were not started.

    Raises `ValueError` for a text that says nothing of the kind.
    """
    rollouts = by_name(spec)
    driven: dict[str, Driven] = {}
    for text in given:
        name, equals, where = text.partition("=")
        if not equals:
            raise ValueError(f"--rollout {text}: found no NAME=STEP")
        if name not in rollouts:
            nearest = nearest_name(name, rollouts)
            meant = f'; did you mean "{nearest}"?' if nearest else ""
            raise ValueError(f"--rollout {text}: there are the rollouts {listed(rollouts) or 'none'}{meant}")
        driven[name] = _driven(rollouts[name], where, text)
    return with_driven(spec, driven)


def _driven(rollout: Rollout, where: str, text: str) -> Driven:
    last = len(rollout.steps)
    if where == PROMOTED:
        return Driven(run=1, step=last - 1, weight=100.0, stable=rollout.stable)
    if where == TAKEN_BACK:
        return Driven(run=1, step=last - 1, weight=0.0, stable=rollout.stable, taken_back=True)
    if not where.isascii() or not where.isdigit() or not 1 <= int(where) <= last:
        raise ValueError(f"--rollout {text}: found no step from 1 to {last}, nor {PROMOTED} or {TAKEN_BACK}")
    step = int(where) - 1
    return Driven(run=1, step=step, weight=rollout.steps[step].weight, stable=rollout.stable, evidence=True)
