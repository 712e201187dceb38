"""Rollouts: versions that exist, guards that something can feed, one rule for each.

The rule of each serves its stable version and nothing else until it is started, which is also what holds where a
rollout's state is missing. Coverage is proved for the candidate all the same, as for every step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from stepdown.config.compile.checker import Checker
from stepdown.config.compile.guards import GuardCompiler, breaker_of
from stepdown.config.compile.resources import Resources
from stepdown.config.compile.rules import DraftRoute, DraftRule
from stepdown.config.compile.versions import DraftModel, Versions
from stepdown.config.file import RootFile
from stepdown.config.file.rollout import RolloutSection
from stepdown.config.findings import listed
from stepdown.config.tree import Path
from stepdown.decide import rollout_spec
from stepdown.decide.rollout_spec import HALF


def rollouts_of(
    file: RootFile,
    models: Mapping[str, DraftModel],
    routes: Iterable[DraftRoute],
    resources: Resources,
    checker: Checker,
) -> tuple[rollout_spec.Rollout, ...]:
    """All rollouts in the file's order; notes what keeps one from being driven."""
    owners: dict[str, list[tuple[DraftRoute, DraftRule]]] = {name: [] for name in file.rollouts}
    for route in routes:
        for rule in route.rules:
            if rule.rule.rollout in owners:
                owners[rule.rule.rollout].append((route, rule))
    compiler = GuardCompiler(file.prometheus, resources, checker)
    found = []
    for name, section in file.rollouts.items():
        owned = owners[name]
        _check_owners(name, owned, file, checker)
        if not owned:
            continue
        route, rule = owned[0]
        versions = models[route.model].versions
        _check_guards(name, section, route, versions, checker)
        _check_ready(name, section, versions, checker)
        _check_segments(name, section, file, checker)
        stable, candidate = versions.get(section.stable), versions.get(section.candidate)
        if stable is None or candidate is None:
            continue
        found.append(_compiled(name, section, stable.id, candidate.id, route, versions, compiler))
        if file.rollout_state is None:
            newest = max(map(versions.ids.index, route.served), default=-1)
            missed = versions.ids.index(candidate.id) > newest
            said = f"there is no place for the state of {name}, so it cannot be started: {stable.id} has 100 % of the"
            said += f" rule {rule.rule.name} and {candidate.id} has 0 %"
            said += ", so clients that ask for its shape get 406" if missed else ""
            checker.warn((*rule.path, "rollout"), said, "it with state: {rollouts: FILE}")
        elif file.admin is None:
            said = f"there is no admin API, by which {name} would be started and stopped"
            checker.warn((*rule.path, "rollout"), said, "it with admin: {listen: ADDRESS}")
    return tuple(found)


def _check_owners(name: str, owned: Sequence[tuple[DraftRoute, DraftRule]], file: RootFile, checker: Checker) -> None:
    path: Path = ("rollouts", name)
    for route, rule in owned[1:]:
        problem = f'found "{name}" in a second rule, and a rollout owns the split of one'
        allowed = f"it in one rule (routes.{owned[0][0].name} has it), and a rollout of its own for {route.name}"
        checker.error((*rule.path, "rollout"), problem, allowed)
    named = {rule.rollout for route in file.routes.values() for rule in route.rules or () if rule.rollout}
    if name not in named and not checker.is_damaged("routes"):
        checker.error(path, "no rule names it", f"a rule with rollout: {name} in the place of its split", of_key=True)


def _check_ready(name: str, section: RolloutSection, versions: Versions, checker: Checker) -> None:
    stable = versions.get(section.stable)
    servers = len(stable.section.servers) if stable is not None else 0
    highest = max(step.weight for step in section.steps)
    if stable is None or section.min_ready <= servers or not servers or highest <= HALF:
        return
    problem = f"found {section.min_ready}, and {stable.id} has {servers} endpoint{'s' if servers > 1 else ''}"
    problem += f", so no step above {HALF:g} % would ever be taken"
    checker.error(("rollouts", name, "min_ready"), problem, f"a number up to {servers}")


def _check_segments(name: str, section: RolloutSection, file: RootFile, checker: Checker) -> None:
    for index, step in enumerate(section.steps):
        known = step.segment is None or step.segment in file.segments
        if not known and not checker.has_lost_names("segments", step.segment or ""):
            allowed = f"one of segments: {listed(file.segments) or 'there are none'}"
            checker.unknown(("rollouts", name, "steps", index, "segment"), step.segment or "", file.segments, allowed)


def _check_guards(name: str, section: RolloutSection, route: DraftRoute, versions: Versions, checker: Checker) -> None:
    path: Path = ("rollouts", name, "guards")
    names: set[str] = set()
    for index, guard in enumerate(section.guards or ()):
        at = (*path, index)
        if guard.called in names:
            checker.error(at, f'found a second guard called "{guard.called}"', "a `name` of its own for each")
        names.add(guard.called)
        if guard.kind == "contract_violations" and not has_contracts(section, versions, guard.limit):
            problem = f"found contract_violations, and no answer of {section.stable} can break a contract"
            allowed = f"it with a schema of {section.stable} in models.{route.model}, or with a limit for the candidate"
            if guard.limit is not None:
                problem = f"found contract_violations, and neither version of models.{route.model} has a contract"
                allowed = "it where versions have a schema"
            checker.error(at, problem, allowed)
        if guard.kind == "shadow_different" and not _shadow(section, route, versions):
            problem = f"found shadow_different, and the route {route.name} copies nothing to {section.candidate}"
            checker.error(at, problem, f'it with shadow: {{version: "{section.candidate}", percent: 20}} at the route')
    if section.guards == []:
        what = "no guard and no breaker: nothing" if section.breaker.off else "no guard: nothing but an outage"
        checker.warn(path, f"found {what} would take the candidate back", "at least one")
    for index, step in enumerate(section.steps):
        if not step.weight and not _shadow(section, route, versions):
            problem = f"found a warm-up, and the route {route.name} copies nothing to {section.candidate}"
            allowed = f'it with shadow: {{version: "{section.candidate}", percent: 20}} at the route'
            checker.error(("rollouts", name, "steps", index), problem, allowed)


def has_contracts(section: RolloutSection, versions: Versions, limit: float | None = None) -> bool:
    """Whether answers can break a contract: of stable, so that the candidate's can be compared with them.

    That is its own, or an older one in whose shape it is delivered. With a limit, the candidate's own is enough.
    """
    stable, candidate = versions.get(section.stable), versions.get(section.candidate)
    older = stable is not None and any(one.contract is not None for one in versions if one.version <= stable.version)
    return older or (limit is not None and candidate is not None and candidate.contract is not None)


def _shadow(section: RolloutSection, route: DraftRoute, versions: Versions) -> float:
    """Per cent of the requests of which the candidate gets copies."""
    candidate = versions.get(section.candidate)
    return max(
        (
            one.shadow.percent
            for one in route.copying.shadows
            if candidate is not None and one.shadow.version == candidate.id
        ),
        default=0.0,
    )


def _compiled(  # noqa: PLR0917 - one rollout, and all that it is made from
    name: str,
    section: RolloutSection,
    stable: str,
    candidate: str,
    route: DraftRoute,
    versions: Versions,
    compiler: GuardCompiler,
) -> rollout_spec.Rollout:
    guards = section.watching
    if section.guards is None and not has_contracts(section, versions):
        guards = tuple(guard for guard in guards if guard.kind != "contract_violations")
    shadow = _shadow(section, route, versions)
    return rollout_spec.Rollout(
        name=name,
        stable=stable,
        candidate=candidate,
        steps=tuple(
            rollout_spec.Step(
                weight=step.weight,
                segment=step.segment,
                shadow=0.0 if step.weight else shadow,
                least_duration=section.lasts if step.lasts is None else step.lasts,
                least_units=section.min_requests if step.min_requests is None else step.min_requests,
                deadline=section.deadline if step.deadline is None else step.deadline,
                gate=step.manual,
            )
            for step in section.steps
        ),
        guards=compiler.compiled(guards, ("rollouts", name, "guards")),
        breaker=breaker_of(section.breaker),
        alpha=section.alpha,
        sustained=section.sustained,
        window=section.window,
        promotion=section.promotion,
        on_rollback=section.on_rollback,
        cool_down=section.cool_down,
        min_ready=section.min_ready,
    )
