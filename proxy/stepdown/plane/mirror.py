"""What shadows and recordings cost a worker: one copy of a request, and later one of its answer, and never a wait.

1. Which shadows get a copy is decided once for each exchange (`decide.mirror`), right before it is forwarded: what is
   refused before that has no copy. Another attempt after a failed one is the same request.
2. The copy is handed over (`plane.handoff`) when the body is whole and the request is on its way, whatever has become
   of the answer by then. Most bodies are whole by themselves; of one that passes through, and is too long to be kept in
   case it has to be sent again, the rest is copied here, within a bound for the whole worker.
3. A body is copied whole or not at all: who takes none of its length is left out and counted.
4. Nothing is begun for a shadow that takes no more copies at the moment, as the comparer has told (`telemetry.grants`):
   that is counted with the comparer's reason, as it would have done. A recording takes all the same. Where the same
   shadows are due every request, that is asked before all else (`Turnstile`), and only once in each tick where it will
   not change sooner: most requests beside a busy worker end there.
5. Where the ring is nearly full, nothing is begun: who is behind anyway makes the next request no dearer, and what has
   been handed over keeps room for its answer.
6. Once the exchange has ended, however it has, the answer follows under the same number: as the last server that was
   asked sent it, before anything was adapted, with what the client got to see. It follows only where the copy has gone
   before, and without its body where that is too long, was cut, or has no room, or where nobody compares or records it.
   Of what was cut a stream keeps its body where it seems to have said its own end before; the comparer decides that.

From then on nothing of it is this worker's: a client that leaves takes back neither. A mistake of ours in deciding who
gets a copy costs that copy, and a line in the log; it is none of the client's business.
"""

from __future__ import annotations

import logging
from hashlib import blake2b
from time import perf_counter_ns, time
from typing import TYPE_CHECKING

import msgspec

from stepdown.decide import copies
from stepdown.decide.copies import Answer, Copy
from stepdown.plane import adapt
from stepdown.plane.handoff import Handoff, Pieces
from stepdown.plane.plan import OUTCOMES
from stepdown.plane.recording import address_of, key_of
from stepdown.plane.watching import says_that_it_ends
from stepdown.telemetry.grants import SHADOWS, Turnstile, generation

if TYPE_CHECKING:
    from stepdown.decide.mirror import Chosen, Key
    from stepdown.decide.route import Route
    from stepdown.plane.exchange import Exchange
    from stepdown.plane.plan import Plan
    from stepdown.telemetry.slab import Slab
    from stepdown.wire import ResponseHead


logger = logging.getLogger(__name__)


class Mirror:
    """The shadows and the recording of one route, in one worker and under one configuration."""

    __slots__ = (
        "_cells",
        "_choose",
        "_first",
        "_generation",
        "_idle",
        "_keys",
        "_reads_key",
        "_refused",
        "_route",
        "_samplers",
        "_slab",
        "_told",
        "_turnstile",
        "_turnstiles",
        "digest",
        "handoff",
        "least",
        "limits",
        "most",
        "record_limit",
    )

    def __init__(self, route: Route, digest: str, handoff: Handoff, slab: Slab, first: int = 0) -> None:
        """`route` is one that has a mirror; `digest` is of the specification that it is in.

        `first` is its first shadow's number there (`decide.shadow_spec.numbered`).
        """
        assert route.mirror is not None
        self.digest = digest
        self.handoff = handoff
        self.limits = tuple(shadow.max_body for shadow in route.spec.shadows)
        """The longest body that each shadow takes, by its place."""
        self.record_limit = route.spec.record.max_body if route.spec.record is not None else 0
        self.least = min((*self.limits, self.record_limit) if route.spec.record is not None else self.limits)
        """The longest body that all of them take."""
        self.most = max((*self.limits, self.record_limit))
        """The longest one that any of them takes."""
        self._idle = frozenset(place for place, shadow in enumerate(route.spec.shadows) if shadow.idle)
        self._refused = handoff.grants.refused
        self._generation = generation(digest)
        self._first = first
        self._route = route
        self._choose = route.mirror.choose
        self._reads_key = route.mirror.reads_key
        self._keys = tuple(f"{label}:".encode() for label in route.labels)
        self._samplers = route.mirror.samplers(handoff.number())
        self._slab = slab
        self._cells: dict[tuple[int, str], int] = {}
        self._told = False
        self._turnstile = self._turnstile_for(route.mirror.usual)
        self._turnstiles = {served: self._turnstile_for(one) for served, one in route.mirror.usual_of.items()}

    def turnstile(self, served: str) -> Turnstile | None:
        """What requests that are forwarded to `served` come to; `None` where not all are due to the same shadows."""
        return self._turnstiles.get(served, self._turnstile)

    def begin(self, exchange: Exchange, served: str) -> None:
        """Decide what is made of a request that is about to be forwarded to `served`; never raises."""
        try:
            turnstile = self.turnstile(served)
            if turnstile is not None and not self.handoff.silent and turnstile.turns_away():
                return
            key = key_of(exchange, self._route) if self._reads_key else None
            shadows, recorded, own, marked = self._choose(exchange.facts, served, key, self._samplers)
            if own or marked:
                self._not_due(own, marked)
            for place in shadows:
                reason = self._refused(self._generation, self._first + place)
                if reason:
                    shadows = self._without(shadows, place, reason)
            if shadows or recorded:
                self._begin(exchange, shadows, recorded, key)
        except Exception:
            for place in range(len(self.limits)):
                self.skip(place, "failed")
            if not self._told:  # once, or each request would be a page in the log
                self._told = True
                logger.exception("it cannot be decided which shadows get a copy")

    def _turnstile_for(self, usual: Chosen | None) -> Turnstile | None:
        """For what is chosen for every request, unless some of it is nothing that a shadow could refuse."""
        if usual is None or not usual.shadows or usual.recorded or usual.served:
            return None
        if self._first + max(usual.shadows) >= SHADOWS:
            return None
        grants, counts = self.handoff.grants, self._slab.cells
        return Turnstile(grants, self._generation, self._first, usual.shadows, counts=counts, index=self._index)

    def _begin(self, exchange: Exchange, shadows: tuple[int, ...], recorded: bool, key: Key | None) -> None:
        size = max(exchange.head.length, exchange.received)
        if not self.handoff.has_room(len(exchange.head.raw) + min(size, self.most)):
            self._full(shadows, recorded)
            return
        if self._keys and not self._reads_key:
            key = key_of(exchange, self._route)
        mirrored = Mirrored(self, shadows, recorded, key)
        if size <= self.least or mirrored.fit(size):
            exchange.mirrored = mirrored

    def _not_due(self, own: tuple[int, ...], marked: tuple[int, ...]) -> None:
        """Count what no shadow gets because of what the request is."""
        for place in own:
            self.skip(place, "served")
        for place in marked:
            self.skip(place, "marked")

    def _without(self, shadows: tuple[int, ...], place: int, reason: str) -> tuple[int, ...]:
        """The other shadows; this one takes no more copies, which is counted."""
        self.skip(place, "full" if self.handoff.silent else reason)
        return () if len(shadows) == 1 else tuple(other for other in shadows if other != place)

    def gave(self, shadows: tuple[int, ...]) -> None:
        """Count copies that were handed over."""
        for place in shadows:
            self.handoff.grants.gave(self._generation, self._first + place)

    def _full(self, shadows: tuple[int, ...], recorded: bool) -> None:
        """Count who gets no copy because the comparer is behind."""
        for place in shadows:
            self.skip(place, "full")
        if recorded:
            self.skip(-1, "full")

    def compares(self, shadows: tuple[int, ...]) -> bool:
        """Whether anything is made of the answer; a colour that is warmed up is only asked."""
        return not self._idle or not self._idle.issuperset(shadows)

    def digest_of(self, key: Key) -> str:
        """What tells whose request it is, and not who that is."""
        return blake2b(self._keys[key[0]] + key[1], digest_size=8).hexdigest()

    def skip(self, place: int, reason: str) -> None:
        """Count a copy that a shadow was due and does not get; the recording's place is -1."""
        self._slab.cells[self._index(place, reason)] += 1

    def _index(self, place: int, reason: str) -> int:
        """Which cell counts that; looking for its labels costs more than all else, so it is done once."""
        cell = self._cells.get((place, reason))
        if cell is None:
            cell = self._cells[place, reason] = self._slab.counter(*self._series(place, reason))
        return cell

    def _series(self, place: int, reason: str) -> tuple[str, tuple[str, ...]]:
        route = self._route
        if place < 0:
            return "stepdown_recorded_total", (route.name, reason)
        return "stepdown_shadow_skipped_total", (route.name, route.spec.shadows[place].name, reason)


class Mirrored:
    """An exchange of which copies are handed over."""

    __slots__ = (
        "_answer",
        "_body",
        "_head",
        "_keeps",
        "_key",
        "_mirror",
        "_missing",
        "_number",
        "_recorded",
        "_request",
        "_served",
        "_shadows",
    )

    def __init__(self, mirror: Mirror, shadows: tuple[int, ...], recorded: bool, key: Key | None) -> None:
        self._mirror = mirror
        self._shadows = shadows
        self._recorded = recorded
        self._keeps = recorded or mirror.compares(shadows)
        """The answer's body is wanted."""
        self._key = key
        self._number = 0
        """Not 0 once the request's copy was handed over."""
        self._request: Pieces | None = None
        """The request's body, where the exchange does not keep it."""
        # the answer of the server that was asked last
        self._head: ResponseHead | None = None
        self._served = ""
        self._body: bytes | bytearray = b""
        self._answer: Pieces | None = None
        self._missing = ""

    # --- the request ------------------------------------------------------------------------------------------------

    def fit(self, size: int) -> bool:
        """Leave out who takes no body of this length; whether anybody is left."""
        mirror = self._mirror
        for place in self._shadows:
            if size > mirror.limits[place]:
                mirror.skip(place, "too-large")
        self._shadows = tuple(place for place in self._shadows if size <= mirror.limits[place])
        if self._recorded and size > mirror.record_limit:
            mirror.skip(-1, "too-large")
            self._recorded = False
        return bool(self._shadows) or self._recorded

    def keep(self, body: bytes | bytearray) -> None:
        """The exchange keeps the body no longer: from now on it is copied here."""
        self._request = Pieces(self._mirror.handoff, self._most())
        self._request.add(body)

    def more(self, payload: bytes) -> None:
        """A piece of a body that the exchange does not keep."""
        if self._request is not None:
            self._request.add(payload)

    def forwarded(self, exchange: Exchange) -> None:
        """Hand the copy over, once, as soon as the request is whole and on its way."""
        if exchange.complete and exchange.attempts and not self._number:
            self._hand_over(exchange)

    def _hand_over(self, exchange: Exchange) -> None:
        plan, mirror, request = exchange.plan, self._mirror, self._request
        assert plan is not None
        body: bytes | bytearray = exchange.body
        if request is not None:
            body = request.take()
            if request.missing == "full":
                self._give_up(exchange, "full")
                return
        if exchange.received > mirror.least and not self.fit(exchange.received):
            self._give_up(exchange, "")
            return
        number, choice = mirror.handoff.number(), plan.choice
        about = Copy(
            id=number,
            digest=mirror.digest,
            route=choice.route,
            rule=choice.rule,
            pinned=choice.pinned,
            assigned=choice.assigned,
            served=choice.served,
            reason=choice.reason,
            shadows=self._shadows,
            recorded=self._recorded,
            at=time(),
            client=address_of(exchange),
            key=mirror.digest_of(self._key) if self._key is not None else "",
            params=exchange.params,
            head=exchange.head.raw,
        )
        if mirror.handoff.put(copies.copy(about), body):
            self._number = number
            mirror.gave(self._shadows)
        else:
            self._give_up(exchange, "full")

    # --- the answer -------------------------------------------------------------------------------------------------

    def again(self) -> None:
        """Another server is asked, or the same one once more: what was answered so far is no answer."""
        self._forget()

    def whole(self, plan: Plan, head: ResponseHead, body: bytes) -> None:
        """An answer in one piece."""
        self._head, self._served = head, plan.choice.served
        if not self._keeps:
            return
        if len(body) > self._mirror.least and len(body) > self._most():
            self._missing = "too-large"
        else:
            self._body = body

    def begun(self, plan: Plan, head: ResponseHead) -> None:
        """An answer whose body is still on its way."""
        self._head, self._served, self._missing = head, plan.choice.served, "cut"
        if self._keeps:
            self._answer = Pieces(self._mirror.handoff, self._most())

    def piece(self, payload: bytes) -> None:
        """A piece of the answer's body, its framing taken off."""
        if self._answer is not None:
            self._answer.add(payload)

    def end(self) -> None:
        """All of the answer has come."""
        self._missing = ""

    def drop(self) -> None:
        """Its framing will not come to an end, as when a client leaves that has read `[DONE]`."""
        if self._answer is not None:
            assert self._head is not None
            body, self._answer = self._answer.take(), None
            if adapt.notes(self._head).stream is not None and says_that_it_ends(body):
                self._body = body

    def ended(self, exchange: Exchange, elapsed: int) -> None:
        """The exchange has ended: hand over what became of it, if its copy was."""
        exchange.mirrored = None
        if not self._number:
            self._give_up(exchange, "aborted")
            return
        head, answer = self._head, self._answer
        if answer is not None:
            body = answer.take()
            if not self._missing:
                self._body, self._missing = body, answer.missing
        about = Answer(
            id=self._number,
            served=self._served,
            outcome=OUTCOMES[exchange.outcome],
            status=exchange.status if exchange.answer_begun else 0,
            error=exchange.error,
            elapsed=elapsed,
            upstream=self._server_took(exchange),
            missing=self._missing,
            head=head.raw if head is not None else b"",
        )
        put = self._mirror.handoff.put
        if not put(copies.answer(about), self._body) and self._body:
            put(copies.answer(msgspec.structs.replace(about, missing="full")), b"")

    def _server_took(self, exchange: Exchange) -> int:
        """Nanoseconds; of an answer that was cut after its own end, those until it was."""
        if self._missing == "cut" and self._body:
            return perf_counter_ns() - exchange.sent_at
        return exchange.upstream_time if self._head is not None else 0

    # --- for both ---------------------------------------------------------------------------------------------------

    def _most(self) -> int:
        """The longest body that anybody takes."""
        mirror = self._mirror
        limits = [mirror.limits[place] for place in self._shadows]
        return max([*limits, mirror.record_limit] if self._recorded else limits)

    def _forget(self) -> None:
        """Let go of the answer."""
        self.drop()
        self._head, self._served, self._body, self._missing = None, "", b"", ""

    def _give_up(self, exchange: Exchange, reason: str) -> None:
        """There will be no copy for anybody who is left."""
        exchange.mirrored = None
        for place in (*self._shadows, -1) if self._recorded else self._shadows:
            self._mirror.skip(place, reason)
        if self._request is not None:
            self._request.take()
        self._forget()
