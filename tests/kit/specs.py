"""Small snapshot specifications for tests: one model, one route, versions that are served from loopback ports."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from stepdown.decide import spec

VERSION = "1.0.0"


def endpoint(port: int, **options: Any) -> spec.Endpoint:
    """An endpoint on a loopback port; `options` are the other fields of `spec.Endpoint`."""
    options = {"id": f"http://127.0.0.1:{port}", "host": "127.0.0.1", "port": port, **options}
    return spec.Endpoint(**options)


def version(id: str, *ports: int, health: spec.HealthCheck | None = None, **options: Any) -> spec.Version:
    """A version with one endpoint per port."""
    endpoints = options.pop("endpoints", None) or tuple(endpoint(port) for port in ports)
    return spec.Version(id=id, endpoints=endpoints, health=health or spec.HealthCheck(), **options)


def model(*versions: spec.Version, default: str | None = None, **options: Any) -> spec.Model:
    """A model called `m`; its default is the first version."""
    return spec.Model(
        name="m",
        default_version=default or versions[0].id,
        latest=versions[-1].id,
        versions=versions,
        **options,
    )


def route(split: dict[str, int], *, match: spec.Match | None = None, name: str = "r", **options: Any) -> spec.Route:
    """A route to `m` with one rule; matches everything unless told otherwise."""
    rules = options.pop("rules", None) or (spec.Rule(name="all", split=tuple(split.items()), salt=f"{name}/all"),)
    match = match or spec.Match(path_prefix="/")
    return spec.Route(name=name, match=match, model="m", rules=rules, **options)


def snapshot(*routes: spec.Route, models: Sequence[spec.Model], **options: Any) -> spec.SnapshotSpec:
    """The whole."""
    return spec.SnapshotSpec(models=tuple(models), routes=routes, **options)


def named(encoded: bytes) -> tuple[str, spec.SnapshotSpec]:
    """An encoded specification as it is put in force: its digest, and what it says."""
    return spec.digest(encoded), spec.decode(encoded)


def plain(
    *ports: int,
    repeatable: bool = False,
    health: spec.HealthCheck | None = None,
    endpoints: tuple[spec.Endpoint, ...] = (),
    route_options: dict[str, Any] | None = None,
    **options: Any,
) -> spec.SnapshotSpec:
    """Everything goes to version 1.0.0 on these ports, as it is."""
    only = version(VERSION, *ports, health=health, endpoints=endpoints)
    return snapshot(
        route({VERSION: 100}, **(route_options or {})), models=[model(only, repeatable=repeatable)], **options
    )


def adapted(
    port: int,
    response: Sequence[Any],
    request: Sequence[Any] = (),
    *,
    error_answers: Sequence[Any] = (),
    native_port: int | None = None,
    repeatable: bool = False,
    stream: Any = None,
    **route_options: Any,
) -> spec.SnapshotSpec:
    """2.0.0 answers on `port`, clients get 1.0.0 through an adapter; `native_port` serves 1.0.0, never assigned."""
    old = version("1.0.0", *([native_port] if native_port else []))
    new = version("2.0.0", port)
    step = spec.Step(
        source="2.0.0",
        target="1.0.0",
        response=tuple(response),
        request=tuple(request),
        errors=tuple(error_answers),
        streams="" if stream is None else json.dumps(stream),
    )
    chain = spec.Chain(served="2.0.0", pinned="1.0.0", steps=(step,))
    whole = model(old, new, default="1.0.0", chains=(chain,), repeatable=repeatable)
    return snapshot(route({"2.0.0": 100}, **route_options), models=[whole])
