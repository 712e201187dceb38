"""What `stepdown rollout plan` says: how long each step takes, and at which weight what is found."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from stepdown.cli.rollout_output import rate, requests
from stepdown.cli.rollout_traffic import Supposed, of_segments, unmeasured
from stepdown.cli.summary import Table
from stepdown.decide.rollout_spec import Ceiling, Rollout, Share
from stepdown.rollout import sentences
from stepdown.rollout.plan import Found, Rates, StepPlan, plan

_HALF_MORE, _QUARTER_LESS = 1.5, 0.75


class Planned(NamedTuple):
    """A ladder at a rate of requests."""

    rollout: Rollout
    per_second: float
    asked: Sequence[Supposed]
    steps: Sequence[StepPlan]


class Place(NamedTuple):
    """What one guard can know at one step."""

    step: str
    """Its weight, and of whom."""
    requests: int | None
    """Of the step; `None` where it never ends."""
    found: Found

    @property
    def in_time(self) -> bool:
        """Whether the effect is found before the step is over."""
        return self.found.worse is not None and (self.requests is None or self.found.worse <= self.requests)


def asked(rollout: Rollout, known: Sequence[Supposed]) -> list[Supposed]:
    """The effects to be found, of guards that compare; the usual ones where nothing else was asked for."""
    comparing = {guard.name: guard for guard in rollout.guards if isinstance(guard, Share)}
    found = []
    for one in known:
        if one.guard not in comparing:
            continue
        usual = _QUARTER_LESS if one.must_not == "fall" else _HALF_MORE
        found.append(one if one.candidate != one.stable else one._replace(candidate=usual * one.stable))
    return found


def planned(rollout: Rollout, per_second: float, effects: Sequence[Supposed]) -> Planned:
    """The plan of a rollout."""
    rates = {one.guard: Rates(one.stable, one.candidate) for one in effects}
    return Planned(rollout, per_second, effects, plan(rollout, per_second, rates))


def places(whole: Planned, guard: str) -> list[Place]:
    """Steps at which a guard compares."""
    return [
        Place(called(step), step.requests, found)
        for step in whole.steps
        for found in step.found
        if found.guard == guard
    ]


def called(step: StepPlan) -> str:
    """A step's weight, and of whom."""
    return sentences.audience(step.weight, step.segment)


def tables(whole: Planned) -> tuple[Table, ...]:
    """The ladder, and what each guard needs at each step."""
    ladder = [
        (called(step), _time(step.seconds), "never ends" if step.requests is None else requests(step.requests))
        for step in whole.steps
    ]
    rows = [("the whole", _time(sum(step.seconds for step in whole.steps)), _all_requests(whole))]
    shown: list[Table] = [Table("steps", (("weight", "takes", "requests"), *ladder, *rows))]
    if whole.asked:
        weights = [step for step in whole.steps if step.found]
        head = ("guard", "stable", "to be found", *(f"at {called(step)}" for step in weights))
        needed = [
            (one.guard, rate(one.stable), rate(one.candidate), *(_needed(whole, at) for at in places(whole, one.guard)))
            for one in whole.asked
        ]
        shown.append(Table("requests until it is found (* while the step lasts)", (head, *needed)))
    proofs = list(_proofs(whole))
    if proofs:
        head = ("guard", "margin", *(f"at {called(step)}" for step in whole.steps if step.found))
        shown.append(Table("requests until an equal candidate is shown not to be worse by the margin", (head, *proofs)))
    return tuple(shown)


def lines(whole: Planned) -> list[str]:
    """From which weight on each effect is found in time."""
    said = [_judged(whole, one) for one in whole.asked]
    others = [guard.name for guard in whole.rollout.guards if isinstance(guard, Ceiling)]
    if others:
        said.append(f"Limits of their own, which need no comparison: {', '.join(others)}.")
    said.extend(filter(None, [unmeasured(whole.rollout), of_segments(whole.rollout)]))
    if any(step.gate for step in whole.rollout.steps) or whole.rollout.promotion == "manual":
        said.append("The time that people take to let a step on is not in it.")
    return said


def as_json(whole: Planned) -> dict[str, Any]:
    """The same for machines; `null` is never."""
    return {
        "rollout": whole.rollout.name,
        "requests_per_second": whole.per_second,
        "effects": [one._asdict() for one in whole.asked],
        "steps": [
            {
                "weight": step.weight,
                "segment": step.segment,
                "seconds": step.seconds if math.isfinite(step.seconds) else None,
                "requests": step.requests,
                "guards": [
                    {"guard": one.guard, "requests_until_found": one.worse, "requests_until_shown_well": one.well}
                    for one in step.found
                ],
            }
            for step in whole.steps
        ],
    }


def _judged(whole: Planned, one: Supposed) -> str:
    effect = f"{one.guard} from {rate(one.stable)} to {rate(one.candidate)}"
    known = places(whole, one.guard)
    if not known:
        return f"{effect} is not looked for: no step has both versions."
    at_once = next((at for at in known if at.in_time), None)
    if at_once is not None:
        return f"{effect} is found in time at {at_once.step}, after {_both(whole, at_once.found.worse)}."
    best = min(known, key=lambda at: at.found.worse or math.inf)
    if best.found.worse is None:
        return f"{effect} is not found at any step: it is too rare, or too small."
    return (
        f"{effect} is not found in time at any step; soonest at {best.step}, where it takes"
        f" {_both(whole, best.found.worse)}: a longer `for` there would find it."
    )


def _proofs(whole: Planned) -> Iterator[tuple[str, ...]]:
    margins = {guard.name: guard.margin for guard in whole.rollout.guards if isinstance(guard, Share)}
    for one in whole.asked:
        margin = margins[one.guard]
        if margin is not None:
            yield (
                one.guard,
                rate(margin),
                *("never" if at.found.well is None else _both(whole, at.found.well) for at in places(whole, one.guard)),
            )


def _needed(whole: Planned, at: Place) -> str:
    if at.found.worse is None:
        return "never"
    return f"{_both(whole, at.found.worse)}{' *' if at.in_time else ''}"


def _both(whole: Planned, count: int | None) -> str:
    return f"{requests(count or 0)} ({sentences.duration((count or 0) / whole.per_second)})"


def _time(seconds: float) -> str:
    return sentences.duration(seconds) if math.isfinite(seconds) else "never ends"


def _all_requests(whole: Planned) -> str:
    counts = [step.requests for step in whole.steps]
    return "-" if None in counts else requests(sum(count or 0 for count in counts))
