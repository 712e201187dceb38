"""What probes and Prometheus ask for: `/metrics`, `/healthz` and `/readyz`, read-only and without a secret.

`/healthz` says that the process answers. `/readyz` says whether traffic should come here: not while the sidecar drains
or lacks a worker, and not when none of its routes could be answered in the shape of its default version. One route of
several that is down is named as degraded, and keeps no traffic from the others.
"""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from aiohttp import web

from stepdown import __version__
from stepdown.control.rollouts.gauges import gauges
from stepdown.control.state import ControllerState, HealthView
from stepdown.decide.colours import places
from stepdown.decide.spec import Model, Route, Version
from stepdown.telemetry.render import Sample, content_type, render


def application(state: ControllerState) -> web.Application:
    """The application of the status socket (`serving.serve`)."""
    scraping = asyncio.Lock()

    async def metrics(request: web.Request) -> web.Response:
        accept = request.headers.get("Accept", "")
        async with scraping:  # a slab's reader remembers how far it has read, so one thread at a time
            text = await asyncio.to_thread(render, state.slabs, list(samples(state)), accept)
        response = web.Response(body=text, headers={"Content-Type": content_type(accept)})
        response.enable_compression()
        return response

    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(request: web.Request) -> web.Response:
        down = degraded(state)
        reasons = list(state.not_ready)
        if down and len(down) == len(state.spec.routes):
            reasons += down
        status = 503 if reasons else 200
        if "application/json" in request.headers.get("Accept", ""):
            return web.json_response({"ready": not reasons, "reasons": reasons, "degraded": down}, status=status)
        lines = reasons or ["ready", *(f"degraded: {reason}" for reason in down)]
        return web.Response(text="".join(f"{line}\n" for line in lines), status=status)

    served = web.Application(client_max_size=0)
    served.router.add_get("/metrics", metrics)
    served.router.add_get("/healthz", healthz)
    served.router.add_get("/readyz", readyz)
    return served


def degraded(state: ControllerState) -> list[str]:
    """One sentence for each route that no version could answer in the shape of the model's default version."""
    models = {model.name: model for model in state.spec.models}
    return [
        f"route {route.name}: no version that gives {route.model} its default shape has a ready endpoint"
        for route in state.spec.routes
        if not _answerable(route, models[route.model], state.health)
    ]


def _answerable(route: Route, model: Model, health: Mapping[str, HealthView]) -> bool:
    """Whether one of the versions that the route's rules name is up and reaches the default shape."""
    reaching = {chain.served for chain in model.chains if chain.pinned == model.default_version}
    reaching.add(model.default_version)
    named = {version for rule in route.rules for version, _weight in rule.split}
    return any(ready(model, version, health) for version in model.versions if version.id in reaching & named)


def ready(model: Model, version: Version, health: Mapping[str, HealthView]) -> bool:
    """Whether requests may go to one of the version's endpoints; one that is not probed counts as ready."""
    views = [health.get(f"{model.name}/{version.id}/{endpoint.id}") for endpoint in version.endpoints]
    return any(view is None or view.ready for view in views)


def samples(state: ControllerState) -> Iterator[Sample]:
    """The values of the families that the controller writes."""
    workers = state.workers
    yield Sample("stepdown_build_info", (__version__, platform.python_version()), 1)
    yield Sample("stepdown_workers", (), sum(worker.alive for worker in workers))
    yield Sample("stepdown_worker_restarts_total", (), sum(worker.restarts for worker in workers))
    if state.comparer is not None:
        yield Sample("stepdown_comparer_up", (), state.comparer.alive)
        yield Sample("stepdown_comparer_restarts_total", (), state.comparer.restarts)
    yield Sample("stepdown_config_reload_ok", (), state.last_reload.ok)
    yield Sample("stepdown_config_last_reload_timestamp_seconds", (), state.last_reload.when)
    yield Sample("stepdown_config_digest_info", (state.digest,), 1)
    if state.flags_ok is not None:
        yield Sample("stepdown_flags_ok", (), state.flags_ok)
    if state.provider_ok is not None:
        yield Sample("stepdown_flag_provider_ok", (), state.provider_ok)
        for result, count in state.question_counts.items():
            yield Sample("stepdown_flag_questions_total", (result,), count)
    yield from _switches(state)
    yield from _shadows(state)
    if state.rollouts.settled:  # before that, each would seem pending
        yield from gauges(state.rollouts.standings())
    for labels, count in state.rollouts.transitions.items():
        yield Sample("stepdown_rollout_transitions_total", labels, count)
    for model in state.spec.models:
        for version in model.versions:
            dates = (_date(version.deprecated), _date(version.sunset))
            retired = "true" if version.retired else "false"
            yield Sample("stepdown_version_info", (model.name, version.id, *dates, retired), 1)
            if version.sunset is not None:
                yield Sample("stepdown_version_sunset_timestamp_seconds", (model.name, version.id), version.sunset)


def _switches(state: ControllerState) -> Iterator[Sample]:
    for place in places(state.spec).values():
        colours = place.colours
        yield from (
            Sample("stepdown_colour_active", (place.name, name), name == colours.active) for name in place.sides
        )
        yield Sample("stepdown_switched_by_hand", (place.name,), colours.active != colours.declared)
    for (name, result), count in state.switch_counts.items():
        yield Sample("stepdown_switches_total", (name, result), count)
    if state.overlay_saved is not None:
        yield Sample("stepdown_overlay_saved", (), state.overlay_saved)


def _shadows(state: ControllerState) -> Iterator[Sample]:
    for one in state.reports.headlines(state.spec):
        labels, found = (one.route.name, one.shadow.name), one.finding
        if found.different.total:
            yield Sample("stepdown_shadow_difference_ratio", labels, found.different.share)
        if found.noise is not None:
            yield Sample("stepdown_shadow_noise_ratio", labels, found.noise.share)
            yield Sample("stepdown_shadow_evidence", labels, found.evidence)


def _date(seconds: int | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
