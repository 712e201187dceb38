"""The admin API: everything that shows more than a probe needs, or changes something.

| call | role | answer |
|---|---|---|
| `GET /v1/status` | view | workers, comparer, digest, health of endpoints, the last reload with its findings |
| `GET /v1/config` | view | the specification that is in force, without what is secret |
| `GET /v1/routes` | view | each route with its rules and which versions are ready |
| `POST /v1/reload` | operate | reads the file again: 200 when it is in force, 422 with findings when it is refused |
| `GET /v1/switches` | view | what has colours: which is active, what the file says, who switched, what is ready |
| `POST /v1/routes/NAME/switch` | operate | switches a route's rule to a colour: 200 with what it came to |
| `POST /v1/models/NAME/versions/V/switch` | operate | the same for a version's endpoints |
| `GET /v1/shadows` | view | each shadow whose answers are compared, with what came of it in a few numbers |
| `GET /v1/shadows/ROUTE/SHADOW` | view | its whole report: rates with intervals, noise, drift, labels, examples |
| `POST /v1/shadows/ROUTE/SHADOW/reset` | operate | begins the report anew: 200 when it is, 503 when that is not known |
| `/v1/rollouts...` | view, operate | rollouts: what they are like, and what somebody wants of them (`rollouts.api`) |
| `POST /v1/drain` | operate | takes the sidecar out as SIGTERM does: 202 |

A switch takes `{"colour": NAME}`, where `back` is the colour before the last switch, and may have `force: true` (also
to a colour that is not ready) and `dry_run: true` (only check). `warm_up: true` gives the colour copies of requests
first, as the file or the defaults say, `warm_up: {"duration": 60, "percent": 20, "min_copies": 200, ...}` as it says
itself, and `warm_up: false` gives it none; the call waits for as long as that takes, and ends it when it is ended. How
far it is stands in `under_way` of `GET /v1/switches`. 404: no such place; 400: no such colour; 409: not now,
with the reason in `type` and `detail`.

Who may call is `gate`'s business. Every call that changes something is logged with the name of its token.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from stepdown import __version__
from stepdown.comparison.view import time_view
from stepdown.control.gate import CALLER, gate, problem_response, takes_members
from stepdown.control.redact import redacted, without_query
from stepdown.control.reports import headline_view
from stepdown.control.rollouts.api import add_calls
from stepdown.control.serving import prolong
from stepdown.control.state import ControllerState, HealthView
from stepdown.control.status import degraded, ready
from stepdown.control.switching import Caller, shown
from stepdown.control.wishes import Wish
from stepdown.decide.spec import Model, Route, Rule
from stepdown.decide.warming import WarmUpAsked
from stepdown.telemetry.log import fields

BODY_LIMIT = 64 * 1024

_EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104 - not to listen on: as a Host, browsers take it for this machine

_logger = logging.getLogger(__name__)


def application(state: ControllerState, hosts: Iterable[str] = ()) -> web.Application:
    """The application of the admin socket (`serving.serve`).

    `hosts` are names that requests may carry in `Host`, besides addresses that lead here. Without tokens every call is
    refused, and the log says so.
    """
    calls = _Calls(state)
    names = frozenset(host.lower() for host in hosts) - _EVERYWHERE
    served = web.Application(middlewares=[gate(state, names)], client_max_size=BODY_LIMIT)
    served.router.add_get("/v1/status", calls.status)
    served.router.add_get("/v1/config", calls.config)
    served.router.add_get("/v1/routes", calls.routes)
    served.router.add_get("/v1/switches", calls.switches)
    served.router.add_post("/v1/routes/{route}/switch", calls.switch)
    served.router.add_post("/v1/models/{model}/versions/{version}/switch", calls.switch)
    served.router.add_get("/v1/shadows", calls.shadows)
    served.router.add_get("/v1/shadows/{route}/{shadow}", calls.shadow)
    served.router.add_post("/v1/shadows/{route}/{shadow}/reset", calls.reset)
    add_calls(served.router, state)
    served.router.add_post("/v1/reload", calls.reload)
    served.router.add_post("/v1/drain", calls.drain)
    return served


class _Switch(msgspec.Struct, forbid_unknown_fields=True):
    """Body of a call that switches."""

    colour: str
    force: bool = False
    dry_run: bool = False
    warm_up: WarmUpAsked | bool | None = None


class _Calls:
    def __init__(self, state: ControllerState) -> None:
        self._state = state

    async def status(self, _request: web.Request) -> web.Response:
        state = self._state
        reports = {report["index"]: report for report in await state.worker_status()}
        return web.json_response(
            {
                "version": __version__,
                "digest": state.digest,
                "ready": state.ready,
                "not_ready": list(state.not_ready),
                "degraded": degraded(state),
                "draining": state.draining,
                "workers": [
                    dataclasses.asdict(worker) | {"report": reports.get(worker.index)} for worker in state.workers
                ],
                "comparer": dataclasses.asdict(state.comparer) if state.comparer is not None else None,
                "health": {without_query(key): dataclasses.asdict(view) for key, view in state.health.items()},
                "last_reload": dataclasses.asdict(state.last_reload),
                "switched": {
                    place["place"]: {"declared": place["declared"], "active": place["active"]}
                    for place in self._places()
                    if place["differs"]
                },
                "switches_under_way": {name: way.shown() for name, way in state.under_way.items()},
            }
        )

    def _places(self) -> list[Mapping[str, Any]]:
        state, health = self._state, self._state.health
        return shown(state.spec, state.overlay, lambda key: key not in health or health[key].ready, state.under_way)

    async def switches(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {"digest": self._state.digest, "saved": self._state.overlay_saved, "places": self._places()}
        )

    @takes_members
    async def switch(self, request: web.Request) -> web.Response:
        named = request.match_info
        place = named["route"] if "route" in named else f"{named['model']}/{named['version']}"
        try:
            asked = msgspec.json.decode(await request.read() or b"{}", type=_Switch)
        except msgspec.MsgspecError as error:
            return problem_response(400, "bad-request", f"The body is not what a switch takes: {error}.")
        wish = Wish(
            place,
            asked.colour,
            request[CALLER].name,
            force=asked.force,
            dry_run=asked.dry_run,
            warm_up=asked.warm_up,
        )
        caller = Caller(lambda: request.transport is not None, lambda seconds: prolong(request, seconds))
        _logger.info("admin call: switch", extra=fields(token=wish.by, address=request.remote, place=place))
        report = await self._state.switch(wish, caller)
        return web.json_response(dataclasses.asdict(report) | {"digest": self._state.digest})

    async def config(self, _request: web.Request) -> web.Response:
        return web.json_response({"digest": self._state.digest, "config": redacted(self._state.spec)})

    async def routes(self, _request: web.Request) -> web.Response:
        models = {model.name: model for model in self._state.spec.models}
        health = self._state.health
        return web.json_response(
            {
                "digest": self._state.digest,
                "routes": [_route(route, models[route.model], health) for route in self._state.spec.routes],
            }
        )

    async def shadows(self, _request: web.Request) -> web.Response:
        found = [headline_view(one) for one in self._state.reports.headlines(self._state.spec)]
        return web.json_response({"digest": self._state.digest, "shadows": found})

    async def shadow(self, request: web.Request) -> web.Response:
        named = request.match_info
        return web.json_response(await self._state.reports.whole(self._state.spec, named["route"], named["shadow"]))

    async def reset(self, request: web.Request) -> web.Response:
        named, who = request.match_info, request[CALLER].name
        facts = fields(token=who, address=request.remote, route=named["route"], shadow=named["shadow"])
        _logger.info("admin call: reset", extra=facts)
        begun = await self._state.reports.begin_anew(self._state.spec, named["route"], named["shadow"])
        return web.json_response({"route": named["route"], "shadow": named["shadow"], "begun": time_view(begun)})

    async def reload(self, request: web.Request) -> web.Response:
        _logger.info("admin call: reload", extra=fields(token=request[CALLER].name, address=request.remote))
        done = await self._state.reload()
        if done.ok:
            return web.json_response({"digest": self._state.digest, **dataclasses.asdict(done)})
        detail = "The file was refused, and the configuration before it stays in force."
        return problem_response(422, "configuration", detail, findings=done.findings, digest=self._state.digest)

    async def drain(self, request: web.Request) -> web.Response:
        _logger.info("admin call: drain", extra=fields(token=request[CALLER].name, address=request.remote))
        await self._state.drain()
        return web.json_response({"draining": True}, status=202)


def _route(route: Route, model: Model, health: Mapping[str, HealthView]) -> dict[str, Any]:
    served = {version.id: ready(model, version, health) for version in model.versions if version.endpoints}
    return {
        "name": route.name,
        "match": {key: value for key, value in _shown_match(route).items() if value},
        "model": model.name,
        "default_version": model.default_version,
        "latest": model.latest,
        "rules": [_rule(rule) for rule in route.rules],
        "ready": served,
    }


def _rule(rule: Rule) -> dict[str, Any]:
    colours = {"colours": msgspec.to_builtins(rule.colours)} if rule.colours is not None else {}
    return {"name": rule.name, "split": dict(rule.split), **colours}


def _shown_match(route: Route) -> dict[str, Any]:
    """Where the route is; its header conditions are shown by name only."""
    match = route.match
    return {
        "hosts": match.hosts,
        "path": match.path,
        "path_prefix": match.path_prefix,
        "methods": match.methods,
        "headers": [header.name for header in match.headers],
    }
