"""What Prometheus sees of rollouts: where each stands, its evidence and its verdict, when it is scraped.

Every replica shows what it knows of the shared state, so that one that answers is enough; queries take the least or the
greatest over replicas. Nothing is shown of guards whose step is not under way: a series that ends says more than one
that stands still.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import get_args

from stepdown.control.rollouts.asking import Standing
from stepdown.rollout.judge import mean_log_e, panels, readings
from stepdown.rollout.phases import RUNNING, Phase
from stepdown.rollout.verdicts import NOW, WHOLE, verdict
from stepdown.rollout.waiting import Look, Place, Store, step_of
from stepdown.telemetry.render import Sample

PHASES: tuple[Phase, ...] = get_args(Phase)
STATES: tuple[Store, ...] = ("ok", "lost", "missing")


def gauges(standings: Iterable[Standing]) -> Iterator[Sample]:
    """Of all rollouts."""
    for one in standings:
        yield from _gauges(one)


def _gauges(one: Standing) -> Iterator[Sample]:
    name, position, driven = one.rollout.name, one.position, one.rollout.driven
    look = Look(one.rollout, panels(one.rollout), position, one.now, one.store)
    for phase in PHASES:
        yield Sample("stepdown_rollout_phase", (name, phase), phase == position.phase)
    yield Sample("stepdown_rollout_step", (name,), step_of(position))
    yield Sample("stepdown_rollout_weight_ratio", (name, "state"), position.weight / 100)
    applied = driven.weight if driven is not None else 0.0
    yield Sample("stepdown_rollout_weight_ratio", (name, "applied"), applied / 100)
    for of in (NOW, WHOLE):
        yield Sample("stepdown_rollout_verdict", (name, of), verdict(look, of).score)
    yield Sample("stepdown_rollout_quarantined", (name,), len(position.quarantined))
    if one.store != "none":
        for state in STATES:
            yield Sample("stepdown_rollout_state", (name, state), one.store == state)
    yield Sample("stepdown_rollout_leads", (name,), one.leads)
    if position.phase in RUNNING and look.at is not None:
        yield from _evidence(name, look.at)


def _evidence(name: str, at: Place) -> Iterator[Sample]:
    terms, said = at.panel.terms, readings(at.evidence, at.panel)
    if any(reading.log_e is not None for reading in said):
        yield Sample("stepdown_rollout_evidence", (name, ""), mean_log_e(at.evidence, at.panel))
        yield Sample("stepdown_rollout_evidence_level", (name, ""), terms.level)
    for reading in said:
        if at.evidence.windows:
            readable = reading.verdict != "inconclusive"
            yield Sample("stepdown_rollout_guard_readable", (name, reading.guard), readable)
        if reading.log_e is not None:
            yield Sample("stepdown_rollout_evidence", (name, reading.guard), reading.log_e)
            yield Sample("stepdown_rollout_evidence_level", (name, reading.guard), terms.alone)
