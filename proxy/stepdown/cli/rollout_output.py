"""What `stepdown rollout simulate` prints: what came in, who rolled back and when, and for machines the same."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any, NamedTuple

from stepdown.cli.rollout_traffic import Supposed, of_segments, unmeasured
from stepdown.cli.summary import Table
from stepdown.decide.rollout_spec import Rollout
from stepdown.rollout import sentences
from stepdown.rollout.peers import FAILED_CHECKS, IN_A_ROW, Check
from stepdown.rollout.rehearsal import Outcome, Rehearsed

WAYS = ("these guards", f"{FAILED_CHECKS} failed checks", f"{IN_A_ROW} failed checks in a row")


class Simulated(NamedTuple):
    """All that there is to tell."""

    rollout: Rollout
    per_window: int
    runs: int
    seed: int
    supposed: Sequence[Supposed]
    checks: Sequence[Check]
    found: Rehearsed

    @property
    def alike(self) -> bool:
        """Whether both versions are the same, so that every rollback is one for nothing."""
        return all(one.stable == one.candidate for one in self.supposed)

    @property
    def outcomes(self) -> tuple[Outcome, Outcome, Outcome]:
        """Of `WAYS`."""
        return self.found.ours, self.found.threshold, self.found.consecutive

    def requests(self, windows: float) -> float:
        """That came in such a time."""
        return windows * self.per_window

    def seconds(self, windows: float) -> float:
        """That it takes."""
        return windows * self.rollout.window


def tables(simulated: Simulated) -> tuple[Table, ...]:
    """What is supposed, and what came of it."""
    limits = {check.kind: check.limit for check in simulated.checks}
    rows = [
        (one.guard, rate(one.stable), rate(one.candidate), rate(limits[one.kind]) if one.kind in limits else "-")
        for one in simulated.supposed
    ]
    supposed_ = Table("events a request", (("guard", "stable", "candidate", "a check fails beyond"), *rows))
    delays = () if simulated.alike else (0.5, 0.9)
    head = ("decided by", "rolled back", "95 % interval", "promoted", "held")
    found = [
        (
            way,
            rate(one.rolled_back / one.runs),
            _interval(one),
            rate(one.promoted / one.runs),
            rate(one.held / one.runs),
            *(_delay(simulated, one, share) for share in delays),
        )
        for way, one in zip(WAYS, simulated.outcomes, strict=True)
    ]
    names = ("found in half of them after", "in 90 %")[: len(delays)]
    return supposed_, Table("what became of it", ((*head, *names), *found))


def lines(simulated: Simulated) -> list[str]:
    """What the tables come down to."""
    found, rollout = simulated.found, simulated.rollout
    said = []
    if simulated.alike:
        said.append(
            "Both versions are the same, so every rollback is one for nothing:"
            f" {rate(found.ours.rolled_back / found.ours.runs)} here, and alpha allows {rate(rollout.alpha)}."
        )
    if any(found.steps):
        by_step = (
            f"{count:,} at {sentences.audience(step.weight, step.segment)}"
            for step, count in zip(rollout.steps, found.steps, strict=True)
            if count
        )
        said.append(f"These guards rolled back {', '.join(by_step)}. The first: {found.example}.")
    if found.durations:
        median = simulated.seconds(found.durations[len(found.durations) // 2])
        longest = simulated.seconds(found.durations[-1])
        said.append(f"A promotion took {sentences.duration(median)} (median; {sentences.duration(longest)} at most).")
    said.extend(filter(None, [unmeasured(rollout), of_segments(rollout)]))
    if any(step.gate for step in rollout.steps) or rollout.promotion == "manual":
        said.append("Steps that a person lets on were let on at once.")
    return said


def as_json(simulated: Simulated) -> dict[str, Any]:
    """The same for machines."""
    found = simulated.found
    names = ("stepdown", "failed_checks", "failed_checks_in_a_row")
    ways = zip(names, simulated.outcomes, strict=True)
    return {
        "rollout": simulated.rollout.name,
        "runs": simulated.runs,
        "seed": simulated.seed,
        "requests_per_window": simulated.per_window,
        "window": simulated.rollout.window,
        "alike": simulated.alike,
        "supposed": [one._asdict() for one in simulated.supposed],
        "checks": [{"kind": one.kind, "must_not": one.must_not, "limit": one.limit} for one in simulated.checks],
        "decided_by": {name: _outcome(simulated, outcome) for name, outcome in ways},
        "rolled_back_by_step": list(found.steps),
        "promotion_seconds_median": (
            simulated.seconds(found.durations[len(found.durations) // 2]) if found.durations else None
        ),
    }


def rate(share: float) -> str:
    """`0.1 %` of 0.001."""
    return f"{100 * share:.3g} %"


def requests(count: float) -> str:
    """`12,000`, `1.2 million`."""
    return sentences.number(count) if count < 1e6 else f"{count / 1e6:,.3g} million"


def interval(hits: int, total: int) -> tuple[float, float]:
    """Wilson's interval for a proportion, of a number of trials that was fixed beforehand (95 %)."""
    z = NormalDist().inv_cdf(0.975)
    middle = (hits + z * z / 2) / (total + z * z)
    half = z * math.sqrt(hits * (total - hits) / total + z * z / 4) / (total + z * z)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def _interval(one: Outcome) -> str:
    low, high = interval(one.rolled_back, one.runs)
    return f"{100 * low:.3g} to {100 * high:.3g} %"


def _delay(simulated: Simulated, one: Outcome, share: float) -> str:
    windows = one.within(share)
    if math.isinf(windows):
        return "never"
    return f"{requests(simulated.requests(windows))} ({sentences.duration(simulated.seconds(windows))})"


def _outcome(simulated: Simulated, one: Outcome) -> Mapping[str, Any]:
    low, high = interval(one.rolled_back, one.runs)
    found: dict[str, Any] = {
        "rolled_back": one.rolled_back,
        "promoted": one.promoted,
        "held": one.held,
        "rolled_back_interval": [low, high],
    }
    if not simulated.alike:
        for name, share in (("median", 0.5), ("90", 0.9)):
            windows = one.within(share)
            never = math.isinf(windows)
            found[f"requests_until_found_{name}"] = None if never else simulated.requests(windows)
            found[f"seconds_until_found_{name}"] = None if never else simulated.seconds(windows)
    return found
