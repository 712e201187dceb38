"""The rollouts of a configuration, for `stepdown check`: who for whom, in which steps, watched by what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepdown.decide import spec
from stepdown.decide.rollout_spec import Rollout, Step
from stepdown.rollout.sentences import audience, duration

Row = tuple[str, ...]


def owners_of(snapshot: spec.SnapshotSpec) -> Mapping[str, str]:
    """By rollout, the rule (`route/rule`) whose split it owns."""
    rules = ((route, rule) for route in snapshot.routes for rule in route.rules)
    return {rule.rollout: f"{route.name}/{rule.name}" for route, rule in rules if rule.rollout is not None}


def rows(snapshot: spec.SnapshotSpec) -> tuple[Row, ...]:
    """A head, and one row for each rollout."""
    owners = owners_of(snapshot)
    found = (
        (
            one.name,
            owners.get(one.name, "-"),
            one.stable,
            one.candidate,
            ", ".join(described(step) for step in one.steps),
            ", ".join(guard.name for guard in one.guards) or "-",
        )
        for one in snapshot.rollouts
    )
    return (("rollout", "rule", "stable", "candidate", "steps", "guards"), *found)


def described(step: Step) -> str:
    """`5 % for 10 min`, with what else it waits for."""
    gate = ", by hand" if step.gate else ""
    return f"{audience(step.weight, step.segment)} for {duration(step.least_duration)}{gate}"


def as_json(snapshot: spec.SnapshotSpec) -> Mapping[str, Any]:
    """The same for machines."""
    owners = owners_of(snapshot)
    return {one.name: _as_json(one, owners.get(one.name)) for one in snapshot.rollouts}


def _as_json(one: Rollout, rule: str | None) -> dict[str, Any]:
    return {
        "rule": rule,
        "stable": one.stable,
        "candidate": one.candidate,
        "steps": [
            {
                "weight": step.weight,
                "segment": step.segment,
                "for": step.least_duration,
                "min_requests": step.least_units,
                "deadline": step.deadline,
                "manual": step.gate,
            }
            for step in one.steps
        ],
        "guards": [guard.name for guard in one.guards],
    }
