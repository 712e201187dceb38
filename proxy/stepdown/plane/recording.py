"""A sampled decision put on record: what a decision read of the request, and what it came to.

Only what is recorded costs anything; all other requests pay one look at whether there is a sampler, and its countdown.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from time import time
from typing import TYPE_CHECKING

import msgspec

from stepdown.decide import spec as specification
from stepdown.decide.cookies import pattern_of
from stepdown.decide.explanation import Explanation
from stepdown.decide.facts import Facts
from stepdown.decide.keys import json_raw, tokens_of
from stepdown.decide.needs import needs_of_all
from stepdown.decide.records import Decided, FlagSaid, Hidden, Record, Value, Visitor, is_secret, shown_query
from stepdown.decide.view import View
from stepdown.errors import StepdownError
from stepdown.plane.collect import KEY_BYTES
from stepdown.plane.outgoing import client_address
from stepdown.telemetry.text import timestamp
from stepdown.wire import RequestHead

if TYPE_CHECKING:
    from stepdown.decide.mirror import Key
    from stepdown.decide.route import Route
    from stepdown.plane.exchange import Exchange


class Recorder:
    """What records of one configuration have in common."""

    __slots__ = ("_client", "_config", "_cookies", "_headers", "_pointers", "_redact", "_sample")

    def __init__(self, spec: specification.SnapshotSpec, digest: str, settings: specification.Decisions) -> None:
        self._config = digest
        self._sample = settings.sample
        self._redact = frozenset(settings.redact)
        needs = needs_of_all(spec)
        self._client = needs.client
        self._headers = tuple(dict.fromkeys((*needs.of("header"), *settings.headers)))
        self._cookies = tuple((name, pattern_of(name)) for name in needs.of("cookie"))
        self._pointers = tuple((pointer, tokens_of(pointer)) for pointer in needs.of("json"))

    def record(
        self, exchange: Exchange, body: bytes | None, address: str, down: tuple[str, ...], decided: Decided
    ) -> Record:
        """The record of an exchange about which this was decided."""
        head, visitor = exchange.head, exchange.visitor
        return Record(
            event="decision",
            time=timestamp((exchange.facts.now if isinstance(exchange.facts, View) else 0.0) or time()),
            config=self._config,
            sample=self._sample,
            method=head.method.decode(),
            host=head.host.decode("latin-1"),
            path=head.path.decode("latin-1"),
            query=shown_query(head.query.decode("latin-1"), self._redact),
            headers={name: self._value(name, head.get(name.encode())) for name in self._headers},
            cookies={name: self._value(name, _cookie(head, pattern)) for name, pattern in self._cookies},
            body={pointer: self._member(tokens, json_raw(body, tokens)) for pointer, tokens in self._pointers},
            client=address if self._client else "",
            visitor=Visitor(visitor.id.decode(), visitor.record.decode(), visitor.is_new) if visitor else None,
            flags=_flags(exchange.facts),
            down=down,
            decided=decided,
        )

    def _value(self, name: str, value: bytes | None) -> Value:
        if value is None:
            return None
        return _hidden(value) if value and is_secret(name, self._redact) else value.decode("latin-1")

    def _member(self, tokens: tuple[str, ...], value: bytes | None) -> msgspec.Raw:
        if value is None:
            return msgspec.Raw(b"null")
        if value[:1] in (b"{", b"["):
            return msgspec.Raw(b"[]")
        secret = value != b'""' and is_secret(tokens[-1], self._redact)
        return msgspec.Raw(msgspec.json.encode(_hidden(value)) if secret else value)


def _flags(facts: Facts) -> dict[str, FlagSaid]:
    """What flags have said; a value that is no scalar is told by its variant only."""
    if not isinstance(facts, View):
        return {}
    said = {}
    for name, answer in facts.answered.items():
        value = answer.value if isinstance(answer.value, bool | str | int) else None
        said[name] = FlagSaid(value, answer.variant, answer.reason, answer.error)
    return said


def _hidden(value: bytes) -> Hidden:
    return Hidden(hashlib.sha256(value).hexdigest())


def _cookie(head: RequestHead, pattern: re.Pattern[bytes]) -> bytes | None:
    found = pattern.search(head.get(b"cookie") or b"")
    return found[1].strip(b" \t") if found is not None else None


def decision(
    exchange: Exchange, explanation: Explanation, body: bytes | None, address: str, ready: Sequence[bool]
) -> None:
    """Record what was decided about an exchange that a route matched."""
    route = exchange.route
    assert route is not None
    model = route.model
    down = tuple(one for one in model.versions if model.is_served(one) and not ready[model.index(one)])
    _record(exchange, body, address, down, decided_of(explanation, None))


def unmatched(exchange: Exchange, error: StepdownError | None) -> None:
    """Record a request that no route matched: it went through, or was refused with an error."""
    _record(exchange, None, address_of(exchange), (), decided_of(None, error))


def decided_of(one: Explanation | None, error: StepdownError | None) -> Decided:
    """What a record says of a decision; of a request that no route matched there is no explanation."""
    if one is None:
        return Decided() if error is None else Decided(error=error.problem, status=error.code)
    return Decided(
        route=one.route,
        model=one.model,
        rule=one.rule or "",
        salt=one.salt or "",
        pinned=one.pinned or "",
        assigned=one.assigned or "",
        served=one.served or "",
        reason=one.reason or "",
        key_source=one.key_source or "",
        slot=one.slot,
        turn=one.turn,
        error=one.refusal.problem if one.refusal is not None else "",
        status=one.refusal.status if one.refusal is not None else 0,
        override=one.override.ruling if one.override is not None else "",
        holder=(one.override.holder or "") if one.override is not None else "",
    )


def address_of(exchange: Exchange) -> str:
    """The client's address as decisions see it."""
    hops = exchange.runtime.trusted_hops
    return client_address(exchange.head, exchange.client.peer, hops) if hops else exchange.client.peer


def key_of(exchange: Exchange, route: Route) -> Key | None:
    """The sticky key, from what the decision has read too."""
    body = None
    if route.needs_body and exchange.complete and exchange.received <= KEY_BYTES:
        body = bytes(exchange.body)
    return route.key(exchange.head, body, address_of(exchange), exchange.visitor)


def _record(exchange: Exchange, body: bytes | None, address: str, down: tuple[str, ...], decided: Decided) -> None:
    """Once for each exchange: another attempt after a failed one is the same decision to those who count requests."""
    exchange.sampled = False
    log, recorder = exchange.client.plane.decisions, exchange.runtime.recorder
    if log is not None and recorder is not None:
        log.add(recorder.record(exchange, body, address, down, decided))
