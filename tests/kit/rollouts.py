"""A rollout as teams have it, windows of counts, and how they are judged one after another."""

from __future__ import annotations

from typing import Any

from stepdown.decide.rollout_spec import Guard, Rollout, Share, Step
from stepdown.rollout.counts import Arms, Counted, Window
from stepdown.rollout.judge import Evidence, Panel, gathered

ERRORS = Share(name="errors", kind="errors")
SLOW = Share(name="slow", kind="slow")
CONTRACT = Share(name="contract", kind="contract_violations")
CLICKS = Share(name="clicks", kind="clicks", must_not="fall")
FOUR = (ERRORS, SLOW, CONTRACT, CLICKS)


def rollout(*weights: float, guards: tuple[Guard, ...] = (ERRORS,), **changes: Any) -> Rollout:
    """Steps of these weights (5, 25, 50, 100 without), of ten windows each; names of steps' fields go to all steps."""
    fields = {name: changes.pop(name) for name in list(changes) if name in Step.__struct_fields__}
    step = {"least_duration": 600.0, "least_units": 100, **fields}
    return Rollout(
        **{
            "name": "churn-2",
            "stable": "1.1.0",
            "candidate": "2.0.0",
            "steps": tuple(Step(weight=weight, **step) for weight in weights or (5, 25, 50, 100)),
            "guards": guards,
            **changes,
        }
    )


def window(stage: int = 0, share: float = 0.05, number: int = 0, units: int = 1000, **events: Any) -> Window:
    """The `number`-th minute: `units` in their shares, and (candidate's, stable's) events by kind."""
    of_candidate = round(units * share)
    return Window(
        stage=stage,
        share=share,
        begin=60.0 * number,
        end=60.0 * (number + 1),
        units=Arms(candidate=of_candidate, stable=units - of_candidate),
        kinds={kind: Counted(events=Arms(candidate=pair[0], stable=pair[1])) for kind, pair in events.items()},
    )


def after(panel: Panel, windows: list[Window]) -> Evidence:
    """What is known after these windows."""
    evidence = Evidence()
    for one in windows:
        evidence = gathered(evidence, panel, one)
    return evidence
