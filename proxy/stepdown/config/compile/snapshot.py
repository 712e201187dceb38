"""The whole file to a snapshot's specification."""

from __future__ import annotations

from collections.abc import Mapping

from stepdown.config.compile.checker import Checker
from stepdown.config.compile.conditions import WhenCompiler
from stepdown.config.compile.endpoints import endpoints_of
from stepdown.config.compile.feedback import feedback_of
from stepdown.config.compile.flags import AskedFlags, FlagCompiler
from stepdown.config.compile.keys import check_cookies
from stepdown.config.compile.models import model_of
from stepdown.config.compile.people import decisions_of, overrides_of
from stepdown.config.compile.provided import ProvidedFlagCompiler
from stepdown.config.compile.resources import Resources
from stepdown.config.compile.rollouts import rollouts_of
from stepdown.config.compile.routes import check_distinct, route_of, timeouts_of
from stepdown.config.compile.rules import DraftRoute, rules_of
from stepdown.config.compile.segments import check_uses, segments_of
from stepdown.config.compile.shadows import check_reported, copying_of
from stepdown.config.compile.versions import DraftModel, draft_model
from stepdown.config.file import RootFile
from stepdown.config.file.match import template_names
from stepdown.config.findings import listed
from stepdown.decide import spec


def compile_snapshot_spec(
    file: RootFile, resources: Resources, previous: Mapping[str, spec.Model], checker: Checker
) -> spec.SnapshotSpec:
    """Compile a file; complete only if the checker has no errors afterwards.

    `previous` are the models of the configuration in force, by name.
    """
    drafts = {name: draft_model(name, section, resources, checker) for name, section in file.models.items()}
    flags: AskedFlags = FlagCompiler(file, resources, checker)
    if file.flags is not None and file.flags.provider is not None:
        flags = ProvidedFlagCompiler(file.flags, checker)
    whens = WhenCompiler(file.segments, resources.lists, flags, checker)
    segments = segments_of(file, whens, checker)
    found = (_draft_route(name, file, drafts, whens, resources, checker) for name in file.routes)
    draft_routes = [draft for draft in found if draft is not None]
    check_uses(segments, draft_routes, file, checker)
    check_reported([shadow for draft in draft_routes for shadow in draft.copying.shadows], checker)
    flags.check_uses(draft_routes, {segment.name: segment.when for segment in segments}, file)
    routes = [route_of(draft, drafts[draft.model], file, resources, checker) for draft in draft_routes]
    check_distinct(routes, checker)
    check_cookies(draft_routes, routes, checker)
    rollouts = rollouts_of(file, drafts, draft_routes, resources, checker)
    models = [
        model_of(draft, [route for route in draft_routes if route.model == name], resources, previous, checker)
        for name, draft in drafts.items()
    ]
    return spec.SnapshotSpec(
        models=tuple(model for model in models if model is not None),
        routes=tuple(routes),
        segments=segments,
        flags=flags.compiled(),
        rollouts=rollouts,
        feedback=feedback_of(file, resources, checker),
        passthrough_to=_passthrough(file, resources, checker),
        trusted_hops=file.trusted_hops or 0,
        max_client_connections=file.max_client_connections,
        client_timeouts=timeouts_of(file.timeouts),
        retry_budget=file.retries.budget,
        retry_minimum=file.retries.minimum,
        explain=spec.Explain(allow=tuple(file.explain.allow)),
        overrides=overrides_of(file.overrides, resources, checker),
        decisions=decisions_of(file.decisions, checker),
        log=spec.Log(format=file.log.format, level=file.log.level, access=file.log.access),
    )


def _draft_route(  # noqa: PLR0917 - one route, and all that it is made from
    name: str,
    file: RootFile,
    models: Mapping[str, DraftModel],
    whens: WhenCompiler,
    resources: Resources,
    checker: Checker,
) -> DraftRoute | None:
    section = file.routes[name]
    if section.model not in models:
        if not checker.is_damaged("models", section.model):
            at, declared = ("routes", name, "model"), tuple(file.models)
            checker.unknown(at, section.model, declared, f"one of models: {listed(declared) or 'there are none'}")
        return None
    versions = models[section.model].versions
    rules = rules_of(name, section, versions, whens, checker, rollouts=file.rollouts)
    copying = copying_of(name, section, versions, whens, resources, checker)
    return DraftRoute(name, section.model, ("routes", name), section, rules, copying) if rules else None


def _passthrough(file: RootFile, resources: Resources, checker: Checker) -> tuple[spec.Endpoint, ...]:
    for index, endpoint in enumerate(file.passthrough_to):
        if template_names(endpoint.path or ""):
            checker.error(("passthrough_to", index, "path"), allowed="a path without {name}: no route fills it in")
    return endpoints_of(file.passthrough_to, ("passthrough_to",), resources, checker)
