"""What people have to do with a decision: a server that they ask for, and what they are told or have recorded of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from time import time
from typing import TYPE_CHECKING

import msgspec

from stepdown.decide.copied import with_copies
from stepdown.decide.overrides import SERVE, Verdict
from stepdown.plane import recording
from stepdown.wire import serialise

if TYPE_CHECKING:
    from stepdown.decide.route import Route
    from stepdown.plane.exchange import Exchange


def verdict_of(exchange: Exchange, route: Route, address: str) -> Verdict | None:
    """What becomes of the request's override; `None` where it has none that is about this route's model.

    The first line is all that most requests pay: a head with one of our own fields is never an ordinary one.
    """
    if exchange.head.ordinary or (overrides := exchange.runtime.overrides) is None:
        return None
    if exchange.head.get(SERVE) is None:
        return None
    runtime, peer = exchange.runtime, exchange.client.peer
    verdict = overrides.decide(route, exchange.facts, exchange.params, peer, address, runtime.ready, time())
    if verdict is not None and exchange.attempts == 0:  # an attempt after a failed one is the same request
        runtime.count_override(route.name, verdict.ruling)
    return verdict


def wants_explanation(exchange: Exchange) -> bool:
    """Whether the client asks why, and may."""
    return exchange.client.may_explain and exchange.head.get(b"x-stepdown-explain") is not None


def tell(
    exchange: Exchange, verdict: Verdict | None, body: bytes | None, address: str, ready: Sequence[bool], *, asked: bool
) -> None:
    """Put into the answer, and on record, what was decided with these facts."""
    lines = b""
    if verdict is not None and exchange.client.may_explain:
        told = f"{verdict.ruling}; {verdict.detail}".strip().encode("ascii", "backslashreplace")
        lines = serialise.field("x-stepdown-override", told)
    if asked or exchange.sampled:
        explanation = exchange.runtime.explain(exchange, body, address, ready, verdict)
    if exchange.sampled:
        recording.decision(exchange, explanation, body, address, ready)
    if asked:
        assert exchange.route is not None
        visitor = exchange.visitor
        explanation = with_copies(explanation, exchange.route, exchange.facts, body, address, visitor)
        lines += serialise.field("x-stepdown-explain", json.dumps(msgspec.to_builtins(explanation)))
    exchange.extra = lines
