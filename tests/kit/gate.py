"""A state of one model called `m`, for the rules of the gate: versions, ways, a route, and what is promised."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from stepdown.gate.facts import Facts, ModelFacts, Place, RouteFacts, VersionFacts
from stepdown.gate.fingerprint import fingerprint
from stepdown.gate.judging import Finding, case_of, judge
from stepdown.gate.lock import Entry, Lock
from stepdown.gate.policy import Policy
from stepdown_adapters.contract.model import Contract
from stepdown_adapters.plan import Edge, plan_chains
from stepdown_adapters.proof.grading import Grading
from stepdown_adapters.versions import Version

TODAY = datetime.date(2026, 12, 1)
SCORE: dict[str, Any] = {"type": "object", "required": ["score"], "properties": {"score": {"type": "number"}}}
NOTED: dict[str, Any] = {**SCORE, "properties": {**SCORE["properties"], "note": {"type": "string"}}}
LOGIT = {"type": "object", "required": ["logit"], "properties": {"logit": {"type": "number"}}}
ANNOTATED = {**SCORE, "description": "What the model thinks."}


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def version(
    text: str,
    schema: Any = SCORE,
    *,
    line: int = 1,
    request: Any = None,
    deprecated: str | None = None,
    sunset: str | None = None,
    **options: Any,
) -> VersionFacts:
    """A version with endpoints; `schema` of its answers, or `None` for none."""
    found = {"output": schema, "input": request}
    contracts = {side: Contract(one, "json-schema", "x.json") for side, one in found.items() if one is not None}
    return VersionFacts(
        version=Version.parse(text),
        place=Place("stepdown.yaml", line),
        contracts=contracts,  # type: ignore[arg-type]
        declared=frozenset(contracts),  # type: ignore[arg-type]
        prints={side: fingerprint(contract) for side, contract in contracts.items()},  # type: ignore[misc]
        deprecated=day(deprecated) if deprecated else None,
        sunset=day(sunset) if sunset else None,
        **{"has_endpoints": True, **options},
    )


def state(
    *versions: VersionFacts,
    steps: Sequence[tuple[str, str]] = (),
    refusals: Mapping[tuple[str, str], str] | None = None,
    routes: Mapping[str, Sequence[str]] | None = None,
    promised: Sequence[str] = (),
    pins_shapes: bool = True,
) -> Facts:
    """A state; routes name the versions that they serve, and by default one route serves those with endpoints."""
    declared = {one.id: one for one in sorted(versions, key=lambda one: one.version)}
    served = [one.id for one in declared.values() if one.has_endpoints]
    plan = plan_chains(served, tuple(declared), [Edge(*step) for step in steps], {}, refusals)
    named = {"r": served} if routes is None else routes
    model = ModelFacts(
        name="m",
        place=Place("stepdown.yaml", 2),
        versions=declared,
        plan=plan,
        places={pair: Place("stepdown.yaml", 40) for pair in (*steps, *(refusals or {}))},
        promised=dict.fromkeys(promised, "the default version"),
        routes=tuple(
            RouteFacts(
                name, Place("stepdown.yaml", 50), {one: Place("stepdown.yaml", 51) for one in serving}, pins_shapes
            )
            for name, serving in named.items()
        ),
    )
    return Facts({"m": model}, Place("stepdown.yaml"))


def lock_of(facts: Facts, published: str = "2026-01-01") -> Lock:
    """A lock with a line for every release of a state."""
    found = {
        (model.name, one.id): Entry(dict(one.prints), day(published))
        for model in facts.models.values()
        for one in model.versions.values()
        if one.is_release
    }
    return Lock(found, {key: number for number, key in enumerate(found, 4)})


def judged(
    head: Facts,
    base: Facts | None = None,
    policy: Policy | None = None,
    *,
    today: datetime.date = TODAY,
    lock: Lock | None = None,
    base_lock: Lock | None = None,
    grades: Mapping[tuple[str, str, str], tuple[Grading, ...]] | None = None,
) -> list[Finding]:
    """What is found about a change; without a lock, one that fits is taken."""
    base = base if base is not None else Facts()
    lock = lock if lock is not None else lock_of(head)
    return list(judge(case_of(head, base, policy or Policy(), today, lock, base_lock, grades=grades)).findings)


def told(findings: Sequence[Finding], rule: str) -> list[str]:
    """`error 1.0.0: sentence` for each finding of one rule."""
    return [f"{one.severity} {one.version}: {one.sentence}" for one in findings if one.rule == rule]
