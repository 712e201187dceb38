"""A batch as the arguments of the script that adds it."""

from __future__ import annotations

import struct

from stepdown.control.stores.redis_keys import Keys, field
from stepdown.control.stores.tallies import groups, sums
from stepdown.rollout.batch import Batch


def arguments(batch: Batch, keys: Keys, retention: int) -> tuple[list[str], list[str | bytes | int]]:
    """Keys and values of `redis_scripts.ADD`; `retention` in milliseconds. Raises `ValueError`."""
    deltas = [
        part
        for (stage, arm, kind), counts in sums(batch)
        for side, number in (("trials", counts.trials), ("events", counts.events))
        if number
        for part in (field(stage, arm, kind, "trials" if side == "trials" else "events"), number)
    ]
    names = keys.of_run(batch.rollout, batch.run)
    values: list[str | bytes | int] = [batch.run, batch.source, batch.sequence, retention, len(deltas) // 2, *deltas]
    for scope, arm, units in groups(batch):
        names.append(keys.seen(batch.rollout, batch.run, scope))
        values += [field(scope.stage, arm, scope.kind, scope.side), struct.pack(f">{len(units)}Q", *units)]
    return names, values
