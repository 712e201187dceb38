"""Who gets the recorded requests, and by which rules answers are compared.

    VERSION       the endpoints of that version in the configuration
    VERSION=URL   a server of that version which the configuration need not know
    URL           a server of whatever version gave the recorded answer

For each of them a route gets one shadow, so that the comparer's own code does the rest. Without a configuration nothing
can be adapted: then only requests count whose client had asked for the version that answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from stepdown.comparer.configurations import Configuration
from stepdown.decide.shadow_spec import Comparing, Examples, Shadow
from stepdown.decide.spec import Endpoint, HealthCheck, Match, Model, Route, SnapshotSpec, Tls, Version
from stepdown.recordings.entry import LONGEST

NAME = "replay"
"""What `X-Stepdown-Shadow` says."""


class TargetError(ValueError):
    """What is to get the requests cannot be found; the message says what it could be."""


class Target(NamedTuple):
    """What `--against` says."""

    version: str
    """Empty: the one that gave the recorded answer."""
    endpoint: Endpoint | None
    """`None`: those of the version in the configuration."""


class Sending(NamedTuple):
    """How requests are sent, and what is said of the answers."""

    seconds: float = 10.0
    """That an answer may take."""
    concurrent: int = 8
    headers: tuple[tuple[str, str], ...] = ()
    """Added to each request."""
    ignore: tuple[str, ...] = ()
    """Paths that are not looked at, besides those of the rules."""
    noise: float = 0.0
    """Percent of the requests that the version which gave the recorded answer gets once more."""


def parse_target(text: str) -> Target:
    """Read `VERSION`, `VERSION=URL` or `URL`; raises `TargetError`."""
    if "://" not in text:
        return Target(text, None)
    version, equals, url = text.partition("=") if "://" not in text.partition("=")[0] else ("", "", text)
    if equals and not version:
        raise TargetError(f"{text}: found no version before the =")
    return Target(version, _endpoint(url))


def _endpoint(text: str) -> Endpoint:
    allowed = "allowed a URL such as http://127.0.0.1:8080, perhaps with the path that all requests get"
    try:
        url = urlsplit(text)
        port, host = url.port, url.hostname or ""
    except ValueError as error:
        raise TargetError(f"{text}: {error}; {allowed}") from None
    if url.scheme not in {"http", "https"} or not host or port == 0 or url.username or url.query or url.fragment:
        raise TargetError(f"{text}: found no such URL; {allowed}")
    path = url.path if url.path not in {"", "/"} else None
    if path is not None and not (path.isascii() and path.isprintable() and not {*" {}"} & {*path}):
        raise TargetError(f"{text}: found a path that cannot be sent; {allowed}")
    secure = url.scheme == "https"
    bracketed = f"[{host}]" if ":" in host else host
    return Endpoint(
        id=f"{url.scheme}://{bracketed}:{port or (443 if secure else 80)}{path or ''}",
        host=host,
        port=port or (443 if secure else 80),
        tls=Tls() if secure else None,
        path=path,
        host_header="keep",
    )


class Candidates:
    """The configuration of each recorded exchange, with the shadow that it is sent to."""

    def __init__(self, target: Target, sending: Sending, specification: SnapshotSpec | None) -> None:
        """Raises `TargetError` where no route has the version with somebody to send to."""
        self._target = target
        self._sending = sending
        self._known: dict[tuple[str, str, str], Configuration] = {}
        self._configuration: Configuration | None = None
        if specification is not None:
            self._configuration = Configuration(self._configured(specification))
        elif target.endpoint is None:
            raise TargetError(f"{target.version}: whose endpoints these are has to be said with a configuration")

    def find(self, route: str, model: str, served: str, pinned: str) -> tuple[Configuration, Shadow] | str:
        """What an exchange of this route is sent by; or why it cannot be sent."""
        if self._configuration is None:
            if self._target.version not in {"", served} or served != pinned:
                return "to be adapted, which --config FILE says how to do"
            return self._plain(route, model, served)
        found = self._configuration.routes.get(route)
        if found is None:
            return "of a route that the configuration does not have"
        if found.model != model:
            return "of another model than the route has now"
        wanted = self._target.version or served
        for shadow in found.shadows:
            if shadow.version == wanted:
                return self._configuration, shadow
        return f"of a model without a candidate {wanted}"

    def _plain(self, route: str, model: str, served: str) -> tuple[Configuration, Shadow]:
        """Everything in one shape."""
        assert self._target.endpoint is not None
        shadow = self._shadow(served, None)
        key = (route, model, served)
        if key not in self._known:
            version = Version(id=served, endpoints=(self._target.endpoint,), health=HealthCheck())
            models = (Model(name=model, default_version=served, latest=served, versions=(version,)),)
            routes = (Route(name=route, match=Match(path_prefix="/"), model=model, rules=(), shadows=(shadow,)),)
            self._known[key] = Configuration(SnapshotSpec(models=models, routes=routes))
        return self._known[key], shadow

    def _configured(self, specification: SnapshotSpec) -> SnapshotSpec:
        """The configuration, with the candidate's shadows in the place of its own."""
        models = {model.name: self._model(model) for model in specification.models}
        routes = []
        for route in specification.routes:
            versions = [
                one.id for one in models[route.model].versions if one.endpoints and self._target.version in {"", one.id}
            ]
            shadows = tuple(self._shadow(version, route) for version in versions)
            routes.append(msgspec.structs.replace(route, shadows=shadows))
        if not any(route.shadows for route in routes):
            known = sorted({one.id for model in specification.models for one in model.versions if one.endpoints})
            raise TargetError(
                f"{self._target.version}: no model has this version with endpoints; "
                f"allowed {', '.join(known) or 'none'}, or a URL"
            )
        return msgspec.structs.replace(specification, models=tuple(models.values()), routes=tuple(routes))

    def _model(self, model: Model) -> Model:
        """The model, whose versions are had from the target's URL where there is one."""
        if self._target.endpoint is None:
            return model
        endpoints = (self._target.endpoint,)
        versions = tuple(
            msgspec.structs.replace(one, endpoints=endpoints) if self._target.version in {"", one.id} else one
            for one in model.versions
        )
        return msgspec.structs.replace(model, versions=versions)

    def _shadow(self, version: str, route: Route | None) -> Shadow:
        """By the rules of the route's own shadow of this version, or of its only one."""
        shadow = _rules(version, () if route is None else route.shadows)
        headers = {name.lower(): value for name, value in shadow.set_headers}
        headers |= {name.lower(): value for name, value in self._sending.headers}
        comparing = msgspec.structs.replace(
            shadow.compare, ignore=tuple(dict.fromkeys((*shadow.compare.ignore, *self._sending.ignore)))
        )
        return msgspec.structs.replace(
            shadow,
            name=NAME,
            version=version,
            rate=0.0,
            concurrent=self._sending.concurrent,
            max_body=LONGEST,
            deadline=self._sending.seconds,
            set_headers=tuple(headers.items()),
            noise=self._sending.noise,
            idle=False,
            compare=comparing,
        )


def _rules(version: str, shadows: Sequence[Shadow]) -> Shadow:
    for shadow in shadows:
        if shadow.version == version:
            return shadow
    if len(shadows) == 1:
        return shadows[0]
    return Shadow(name=NAME, version=version, compare=Comparing(), examples=Examples())
