"""Routes: matches that differ, keys that can be read, templates that fit."""

from __future__ import annotations

import re

from stepdown.config.compile.checker import Checker
from stepdown.config.compile.keys import keys_of
from stepdown.config.compile.matches import match_of
from stepdown.config.compile.resources import Resources
from stepdown.config.compile.rules import DraftRoute
from stepdown.config.compile.shadows import check_repeatable
from stepdown.config.compile.versions import DraftModel, Versions
from stepdown.config.file import RootFile, RouteSection
from stepdown.config.file.match import template_names
from stepdown.config.file.route import LimitsSection, TimeoutsSection
from stepdown.config.findings import listed
from stepdown.config.tree import Path
from stepdown.decide import spec

_PART = re.compile(r"\{[^{}]*\}")


def route_of(
    draft: DraftRoute, model: DraftModel, file: RootFile, resources: Resources, checker: Checker
) -> spec.Route:
    """A route with the file's defaults filled in."""
    section = draft.section
    if section.on_adapter_failure == "ask_native" and not model.section.repeatable:
        at = (*draft.path, "on_adapter_failure")
        checker.error(at, allowed=f"fail, passthrough, or ask_native with models.{draft.model}.repeatable: true")
    _check_endpoint_paths(draft, model.versions, checker)
    check_repeatable(draft.copying, draft.model, repeatable=model.section.repeatable, checker=checker)
    return spec.Route(
        name=draft.name,
        match=match_of(section.match),
        model=draft.model,
        rules=tuple(rule.rule for rule in draft.rules),
        key=keys_of(draft, file, resources, checker),
        pin=section.pin,
        errors=section.errors,
        on_adapter_failure=section.on_adapter_failure,
        version_param=_version_param(section, draft.path, checker),
        timeouts=timeouts_of(file.timeouts, section.timeouts),
        limits=limits_of(file.limits, section.limits),
        shadows=tuple(one.shadow for one in draft.copying.shadows),
        record=draft.copying.record,
    )


def timeouts_of(general: TimeoutsSection, own: TimeoutsSection | None = None) -> spec.Timeouts:
    """The file's timeouts with what a route sets itself."""
    overrides = own.model_dump(exclude_unset=True) if own is not None else {}
    return spec.Timeouts(**{**general.model_dump(), **overrides})


def limits_of(general: LimitsSection, own: LimitsSection) -> spec.Limits:
    """The file's limits with what a route sets itself."""
    return spec.Limits(**{**general.model_dump(), **own.model_dump(exclude_unset=True)})


def _template(section: RouteSection) -> str:
    return section.match.path or section.match.path_prefix or ""


def _version_param(section: RouteSection, path: Path, checker: Checker) -> str | None:
    names = template_names(_template(section))
    if section.version_param is None:
        return "version" if "version" in names else None
    if section.version_param not in names:
        checker.unknown(
            (*path, "version_param"),
            section.version_param,
            names,
            f"a {{name}} of the path: {listed(names) or 'it has none'}",
        )
    return section.version_param


def _check_endpoint_paths(draft: DraftRoute, versions: Versions, checker: Checker) -> None:
    """An endpoint's path can only be filled in with what the route's path has."""
    known = template_names(_template(draft.section))
    for one in versions:
        if one.id not in draft.asked:
            continue
        for below, endpoint in one.section.servers:
            for name in template_names(endpoint.path or ""):
                if name not in known:
                    at = (*one.path, *below, "path")
                    problem = f"found {{{name}}}, which the path of the route {draft.name} does not have"
                    checker.error(at, problem, listed(known) or "a path without {name}")


def check_distinct(routes: list[spec.Route], checker: Checker) -> None:
    """Of two routes with the same match the second would never be used."""
    seen: dict[object, str] = {}
    for route in routes:
        match = route.match
        key = (
            _PART.sub("{}", match.path or ""),
            _PART.sub("{}", (match.path_prefix or "").rstrip("/")) if match.path_prefix else None,
            frozenset(match.hosts),
            frozenset(match.methods),
            frozenset(match.headers),
        )
        first = seen.setdefault(key, route.name)
        if first != route.name:
            place = checker.line(("routes", first))
            checker.error(
                ("routes", route.name, "match"), f"found the same match as the route {first} ({place})", "another"
            )
