"""One model: its versions, the chains between them, and proof that the routes keep what they promise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stepdown.config.compile.adapters import Steps, steps_of
from stepdown.config.compile.carried import check_carried
from stepdown.config.compile.checker import Checker
from stepdown.config.compile.colours import endpoints_of_colours
from stepdown.config.compile.coverage import can_reach, prove, served_by
from stepdown.config.compile.endpoints import health_of
from stepdown.config.compile.pins import check_latest, pins_of
from stepdown.config.compile.resources import Resources
from stepdown.config.compile.rules import DraftRoute
from stepdown.config.compile.streams import check_streams
from stepdown.config.compile.versions import Declared, DraftModel, Versions
from stepdown.decide import spec
from stepdown_adapters.plan import Plan, plan_chains


def model_of(
    model: DraftModel,
    routes: Sequence[DraftRoute],
    resources: Resources,
    previous: Mapping[str, spec.Model],
    checker: Checker,
) -> spec.Model | None:
    """Compile a model; `None` after noting what keeps it from being one."""
    name, versions = model.name, model.versions
    steps = steps_of(model, checker)
    candidates = _candidates(routes)
    specs = tuple(_version(one, one.id in candidates, resources, checker) for one in versions)
    whole = checker.is_whole("models", name) and all(_is_whole(route, checker) for route in routes)
    if not whole:
        return None  # what is missing from a damaged model would only be reported as uncovered
    plan = plan_chains(versions.served, versions.ids, steps.edges, steps.reasons, steps.refusals)
    check_carried(plan, steps.carrying, checker)
    check_streams(plan, steps.steps, steps.places, checker)
    pins = pins_of(
        model, served_by(routes, versions, plan), lambda source, target: can_reach(plan, source, target), checker
    )
    if pins is None:
        return None
    for route in routes:
        prove(route, versions, pins, plan, checker)
    before = previous.get(name)
    check_latest(model, pins.latest, before.latest if before else None, checker)
    return spec.Model(
        name=name,
        default_version=pins.default,
        latest=pins.latest,
        repeatable=model.section.repeatable,
        versions=specs,
        chains=_chains(plan, steps, versions),
        refused=_refused(plan, versions),
        clients=pins.clients,
    )


def _is_whole(route: DraftRoute, checker: Checker) -> bool:
    rollouts = [rule.rule.rollout for rule in route.rules if rule.rule.rollout is not None]
    return checker.is_whole("routes", route.name) and all(checker.is_whole("rollouts", name) for name in rollouts)


def _candidates(routes: Sequence[DraftRoute]) -> frozenset[str]:
    """Versions that some split gives a weight, but less than another one: those that somebody tries out."""
    splits = [dict(rule.rule.split) for route in routes for rule in route.rules if rule.rule.split]
    return frozenset(
        version for split in splits for version, weight in split.items() if 0 < weight < max(split.values())
    )


def _version(one: Declared, is_candidate: bool, resources: Resources, checker: Checker) -> spec.Version:
    section = one.section
    share = section.validated_share
    if share and not one.is_served and not checker.is_damaged(*one.path):
        problem = "found a share of the answers of a version that no server computes"
        checker.warn((*one.path, "validate"), problem, "validate at a version with endpoints", of_key=True)
    endpoints, idle, colours = endpoints_of_colours(one, resources, checker)
    return spec.Version(
        id=one.id,
        endpoints=endpoints,
        colours=colours,
        idle=idle,
        health=health_of(section),
        contract=one.contract,
        validate=share if share is not None else float(is_candidate),
        deprecated=section.deprecated,
        sunset=section.sunset,
        link=section.link,
        retired=section.retired,
    )


def _chains(plan: Plan, steps: Steps, versions: Versions) -> tuple[spec.Chain, ...]:
    """The chains that servers can begin."""
    return tuple(
        spec.Chain(
            served=served,
            pinned=pinned,
            steps=tuple(steps.steps[edge.source, edge.target] for edge in plan.chains[served, pinned]),
            why=plan.why(served, pinned),
        )
        for served in versions.served
        for pinned in versions.ids
        if (served, pinned) in plan.chains
    )


def _refused(plan: Plan, versions: Versions) -> tuple[spec.Refused, ...]:
    """What servers cannot give because a step is refused."""
    return tuple(
        spec.Refused(served, pinned, plan.missing(served, pinned))
        for served in versions.served
        for pinned in versions.ids
        if not can_reach(plan, served, pinned) and plan.refused(served, pinned) is not None
    )
