"""Overrides for people: `X-Stepdown-Serve: 2.1.0` asks for one exact server, and some callers get it.

A tester, or somebody who looks for a fault, wants *that* server, whether any rule names it or not. Who may ask is
configured (`overrides`): connections from some addresses, holders of some keys, and holders of a signed token. One of
the three is enough. Everybody else is routed as if the header were not there.

An override moves the server and nothing else. The client's pin still says which shape it gets: the one that it would
get without the override if the server reaches that, else another one that its pin allows. Where the server reaches none
of them the request is routed as usual. What cannot be read, or is not up, is told to a caller who may ask, with 400,
406 or 503: a tester who silently gets another server tests the wrong one. An override is never evidence for a rollout.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Literal, NamedTuple

from stepdown.decide import spec
from stepdown.decide.choice import Choice
from stepdown.decide.digests import Digests
from stepdown.decide.facts import Facts
from stepdown.decide.models import Model
from stepdown.decide.override_tokens import TokenError, verify
from stepdown.decide.pins import Pin
from stepdown.errors import (
    BadPinError,
    NoReadyVersionError,
    RetiredVersionError,
    StepdownError,
    TakenBackError,
    UnreachableShapeError,
)
from stepdown_adapters.pinned import wanted
from stepdown_adapters.versions import Version, VersionError

if TYPE_CHECKING:
    from stepdown.decide.route import Route
    from stepdown.decide.rules import Rule

SERVE = b"x-stepdown-serve"
TOKEN = b"x-stepdown-override-token"

Ruling = Literal[
    "honoured", "out-of-reach", "not-allowed", "malformed", "forged", "future", "expired", "foreign", "unanswerable"
]
"""What became of an override; the label `result` in metrics.

`honoured`: the server that was asked for answers. `out-of-reach`: the caller may ask, but that server reaches no shape
that the caller takes, so the request is routed as usual. `unanswerable`: the caller may ask, and was refused because
the server is down or there is no such server. The others are refusals of the caller, whose request is routed as usual.
"""


class Verdict(NamedTuple):
    """What became of an override, and why."""

    ruling: Ruling
    asked: str
    """The version that was asked for; what was written where that is none."""
    detail: str
    holder: str = ""
    """Who asks, where that is known: `address 10.0.0.7`, `key x-api-key`, or the name in a token."""
    choice: Choice | None = None
    """Where it is honoured."""
    error: StepdownError | None = None
    """Where it is unanswerable: what the client is told."""


class Overrides:
    """Who may ask for a server, compiled from the specification."""

    def __init__(self, overrides: spec.Overrides) -> None:
        self._networks = tuple(ip_network(network) for network in overrides.allow)
        self._keys = tuple((key.header.encode(), key.sha256.lower()) for key in overrides.keys)
        self._secrets = overrides.secrets
        self._digests = Digests()
        self.headers = names_of(overrides)
        """Lower-case names of all fields that are looked at."""

    def judge(self, facts: Facts, model: str, version: str, peer: str, now: float) -> Verdict:
        """Whether this caller may ask for the version; `honoured` if so.

        `peer` is the address that the connection comes from, whatever `X-Forwarded-For` says; `now` is in Unix seconds.
        """
        if self._networks and _is_in(peer, self._networks):
            return Verdict("honoured", version, f"connections from {peer} may ask", f"address {peer}")
        for name, digest in self._keys:
            value = facts.get(name)
            if value is not None and hmac.compare_digest(self._digests.hex(value), digest):
                label = name.decode()
                return Verdict("honoured", version, f"the key in {label} may ask", f"key {label}")
        token = facts.get(TOKEN) if self._secrets else None
        if token is None:
            return Verdict("not-allowed", version, self._what_is_missing(peer))
        try:
            claims = verify(token.decode("latin-1"), self._secrets, model, version, now)
        except TokenError as error:
            return Verdict(error.reason, version, str(error))  # type: ignore[arg-type]  # one of the words of `Ruling`
        return Verdict("honoured", version, f"the token was issued for {claims.holder}", claims.holder)

    def decide(  # noqa: PLR0917 - as `Route.choose`
        self,
        route: Route,
        facts: Facts,
        params: tuple[bytes, ...],
        peer: str,
        client: str,
        ready: Sequence[bool],
        now: float,
    ) -> Verdict | None:
        """What becomes of the override of a request; `None` where it asks for no version of the route's model.

        `peer` is what `judge` takes, `client` the address that conditions see. Raises what `Route.choose` raises too:
        for a pin that cannot be read, and where no rule holds.
        """
        model = route.model
        try:
            version = asked_for(facts, model.name)
        except BadPinError as error:
            written = (facts.get(SERVE) or b"").decode("latin-1")
            verdict = self.judge(facts, model.name, written, peer, now)
            return _unanswerable(verdict, error) if verdict.ruling == "honoured" else verdict
        if version is None:
            return None
        verdict = self.judge(facts, model.name, version, peer, now)
        if verdict.ruling != "honoured":
            return verdict
        pin, _ = route.pinned(facts, params)
        rule = route.rule_for(facts, client)
        try:
            check_served(model, version, ready)
        except StepdownError as error:
            return _unanswerable(verdict, error)
        shape = shape_of(model, version, _usual_shape(rule, pin), pin)
        if shape is None:
            shapes = " or ".join(pin.versions or pin.retired)
            why = "".join(f"; {why}" for one in pin.versions if (why := model.why_not(version, one)))
            detail = f"{version} cannot be stepped down to {shapes}{why}: the request is routed as usual"
            return verdict._replace(ruling="out-of-reach", detail=detail)
        return verdict._replace(choice=rule.overridden(version, shape))

    def _what_is_missing(self, peer: str) -> str:
        accepted = [
            *(["the address"] if self._networks else []),
            *(f"the key in {name.decode()}" for name in dict.fromkeys(name for name, _ in self._keys)),
            *([f"a token in {TOKEN.decode()}"] if self._secrets else []),
        ]
        return f"{peer or 'the caller'} may not ask; what counts is {' or '.join(accepted)}"


def names_of(overrides: spec.Overrides) -> tuple[bytes, ...]:
    """Lower-case names of all fields that are looked at for an override."""
    token = (TOKEN,) if overrides.secrets else ()
    return (SERVE, *token, *dict.fromkeys(key.header.encode() for key in overrides.keys))


def _unanswerable(verdict: Verdict, error: StepdownError) -> Verdict:
    return verdict._replace(ruling="unanswerable", detail=error.detail, error=error)


def _usual_shape(rule: Rule, pin: Pin) -> str | None:
    try:
        return rule.shape(pin)
    except (RetiredVersionError, TakenBackError, UnreachableShapeError):
        return None


def asked_for(facts: Facts, model: str) -> str | None:
    """The version of this model that a request asks for; `None` if it asks for none. Raises `BadPinError` (400)."""
    value = facts.get(SERVE)
    if value is None:
        return None
    try:
        text = wanted(value.decode("latin-1"), model)
        return None if text is None else str(Version.parse(text.strip(" ")))
    except VersionError as error:
        raise BadPinError(f"X-Stepdown-Serve: {error}; write an exact version such as 2.1.0") from error


def check_served(model: Model, version: str, ready: Sequence[bool]) -> None:
    """Raise `UnreachableShapeError` (406) where no server runs the version, `NoReadyVersionError` (503) if down."""
    if version not in model.versions or not model.is_served(version):
        served = ", ".join(one for one in model.versions if model.is_served(one))
        raise UnreachableShapeError(
            f"X-Stepdown-Serve asks for {model.name} {version}, which no server runs; there are {served}"
        )
    if not ready[model.index(version)]:
        raise NoReadyVersionError(
            f"X-Stepdown-Serve asks for {model.name} {version}, which is not up; no other version stands in for it",
            retry_after=model.recovery(version),
        )


def shape_of(model: Model, version: str, usual: str | None, pin: Pin) -> str | None:
    """The shape in which a server answers a caller with this pin; `None` if it reaches none that the pin allows.

    `usual` is the shape without an override, if there is one: it comes first, then what the pin allows, newest first.
    """
    shapes = pin.versions if usual is None else (usual, *pin.versions)
    return next((shape for shape in shapes if model.reaches(version, shape)), None)


def _is_in(peer: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:  # a UNIX socket has no address
        return False
    return any(address in network for network in networks)
