"""Whatever happens to a rollout, it can be shown; and no verdict says more than is known."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown.control.rollouts.asking import Standing
from stepdown.control.rollouts.gauges import gauges
from stepdown.rollout.judge import decide, panels
from stepdown.rollout.members import RolloutView
from stepdown.rollout.phases import ENDED, JUDGED
from stepdown.rollout.position import Position, begin
from stepdown.rollout.verdicts import WHOLE, verdict
from stepdown.rollout.view import view
from stepdown.rollout.waiting import Look, Store
from stepdown.rollout.walk import Walk
from tests.property.rollout.test_machine import CANDIDATES, EVENTS, RULES

STORES: st.SearchStrategy[Store] = st.sampled_from(["ok", "lost", "missing", "none"])
RATES = st.sampled_from([None, 0.0, 0.5, 1e6])


def held_to(rules: Walk, position: Position, now: float, store: Store, rate: float | None) -> None:
    rollout = rules.rollout
    found = view(
        rollout, position, route="r", rule="e", said="", now=now, rate=rate, leads=True, holder="", store=store
    )
    assert msgspec.json.decode(msgspec.json.encode(found), type=RolloutView) == found
    json.loads(msgspec.json.encode(found), parse_constant=lambda name: 1 / 0)  # no NaN, no infinity
    assert sum(step.state == "now" for step in found.ladder) == (position.phase not in (*ENDED, "pending"))
    assert all(guard.interval is None or guard.interval.low >= 0 for guard in found.guards)
    known = (found.estimate.requests, found.estimate.seconds, found.estimate.ladder_seconds)
    assert all(number is None or number >= 0 for number in known)
    assert bool(found.waits_for) or position.phase in ENDED
    look = Look(rollout, panels(rollout), position, now, store)
    whole = verdict(look, WHOLE)
    steps = [verdict(look, str(number + 1)) for number in range(len(rollout.steps))]
    if whole.outcome == "success":
        assert position.phase == "promoted"
    for said in (whole, *steps, found.verdict):
        assert said.sentence
        if said.outcome == "failure":
            assert position.phase in ("rolled back", "aborted") or (
                position.phase in JUDGED and look.at is not None and decide(*look.at) == "worse"
            )
    for number, said in enumerate(steps):
        if said.outcome == "success" and position.phase != "promoted":
            assert number < position.step or (number == position.step and position.phase in ("stepping", "gated"))
            assert store in ("ok", "none")
    standing = Standing(rollout, "r", "e", position, "", now, rate, leads=True, holder="", store=store)
    assert len({(name, labels) for name, labels, _ in gauges([standing])}) == len(list(gauges([standing])))


@settings(max_examples=150)
@given(st.sampled_from(RULES), st.lists(st.tuples(EVENTS, STORES, RATES), max_size=25))
def test_any_state_can_be_shown_and_no_verdict_says_more_than_is_known(rules: Walk, play: list[Any]) -> None:
    position, now = begin(rules.rollout, CANDIDATES[0]), 0.0
    held_to(rules, position, now, "ok", None)
    for (kind, fields), store, rate in play:
        now += 60.0
        position = rules.after(position, kind(now=now, **fields)).position
        held_to(rules, position, now + 1.0, store, rate)
