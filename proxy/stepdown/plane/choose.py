"""First phase: which route, which shape, which version; what follows from it is looked up, not worked out."""

from __future__ import annotations

from functools import partial
from time import time
from typing import TYPE_CHECKING, NamedTuple

from stepdown.errors import BodyTooLargeError, NoReadyVersionError, NoRouteError, StepdownError
from stepdown.plane import awaiting, collect, forward, reasons, recording, visiting
from stepdown.plane.collect import KEY_BYTES
from stepdown.plane.feedback import PATH
from stepdown.plane.outgoing import client_address

if TYPE_CHECKING:
    from stepdown.decide.facts import Facts
    from stepdown.decide.plans import Plan as SplitPlan
    from stepdown.decide.route import Route
    from stepdown.decide.rules import Rule
    from stepdown.plane.exchange import Exchange
    from stepdown.plane.plan import Plan
    from stepdown.plane.runtime import Runtime


class Settled(NamedTuple):
    """What was decided about a head, and holds for the next ones of its connection that differ in no deciding field."""

    runtime: Runtime
    route: Route
    params: tuple[bytes, ...]
    rule: Rule
    plan: SplitPlan


def route(exchange: Exchange) -> None:
    """Find the route, and decide at once unless the body has to be read first. Raises what the client is told."""
    runtime, sampler = exchange.runtime, exchange.runtime.sampler
    if sampler is not None and sampler.take():
        exchange.sampled = True  # and decided the long way, which knows what to record
    elif (settled := exchange.head.settled) is not None and settled.runtime is runtime:
        _again(exchange, runtime, settled)
        return
    if runtime.feedback is not None and exchange.head.path == PATH:
        runtime.feedback.begin(exchange)
        return
    found = _matched(exchange, runtime)
    if found is None:
        assert runtime.passthrough is not None
        proceed(exchange, runtime.passthrough)
        return
    exchange.route, exchange.params = found
    if exchange.complete or not exchange.route.needs_body or exchange.received >= KEY_BYTES:
        version(exchange)
    else:
        collect.for_key(exchange)


def _matched(exchange: Exchange, runtime: Runtime) -> tuple[Route, tuple[bytes, ...]] | None:
    """The route; `None` where the request goes through. Raises what the client is told where neither is so."""
    error: StepdownError | None = None
    try:
        found = runtime.snapshot.match(exchange.head)
        if found is None and runtime.passthrough is None:
            head = exchange.head
            raise NoRouteError(f"Nothing matches {head.method.decode()} {head.path.decode('latin-1')}")
    except StepdownError as refused:
        error = refused
        raise
    finally:
        if exchange.sampled and (error is not None or found is None):
            recording.unmatched(exchange, error)
    return found


def version(exchange: Exchange) -> None:
    """Choose shape and version, and go on with what follows from them."""
    matched, runtime, client = exchange.route, exchange.runtime, exchange.client
    assert matched is not None
    head, params = exchange.head, exchange.params
    address = client.peer
    if runtime.trusted_hops:
        address = client_address(head, address, runtime.trusted_hops)
    body = None
    if matched.needs_body and exchange.complete and exchange.received <= KEY_BYTES:
        body = bytes(exchange.body)
    if matched.cookie is not None:
        visiting.find(exchange, matched, body, address)
    facts: Facts = head
    if matched.needs_view:
        now = time() if matched.reads_clock else 0.0
        facts = view = exchange.facts = matched.view(head, params, body, address, now, exchange.visitor, runtime.flags)
        if matched.asks_flags and runtime.flags.first_wait:
            go_on = partial(_decide, exchange, matched, view, body, address)
            if awaiting.hold(exchange, matched, view, go_on):
                return
    _decide(exchange, matched, facts, body, address)


def _decide(exchange: Exchange, matched: Route, facts: Facts, body: bytes | None, address: str) -> None:
    """Choose by facts that are all there."""
    runtime, client = exchange.runtime, exchange.client
    head, params = exchange.head, exchange.params
    ready, verdict, asked = runtime.ready, None, reasons.wants_explanation(exchange)
    try:
        verdict = reasons.verdict_of(exchange, matched, address)
        if verdict is not None and verdict.error is not None:
            raise verdict.error
        choice = verdict.choice if verdict is not None else None
        if choice is None:
            try:
                choice = matched.choose(facts, params, body, address, ready, exchange.draw, exchange.visitor)
            except NoReadyVersionError:
                # Nothing answered lately. Where probes do not object, trying is better than refusing: it may be back.
                ready = runtime.not_down
                choice = matched.choose(facts, params, body, address, ready, exchange.draw, exchange.visitor)
    finally:
        if asked or verdict is not None or exchange.sampled:
            reasons.tell(exchange, verdict, body, address, ready, asked=asked)
    if not matched.needs_body and client.memory.holds(head) and not matched.deciding & client.memory.names:
        split = matched.settle(facts, params, address)
        head.settled = Settled(runtime, matched, params, *split) if split is not None else None
    if exchange.visitor is not None:
        visiting.chosen(exchange, matched, choice)
    proceed(exchange, runtime.plans.get(choice) or runtime.plan_for(choice))


def _again(exchange: Exchange, runtime: Runtime, settled: Settled) -> None:
    """Choose for a head that differs from the last one of its connection in nothing that decides, but maybe its key."""
    _, matched, exchange.params, rule, split = settled
    exchange.route = matched
    try:
        choice = matched.assign(rule, split, exchange.head, None, exchange.client.peer, runtime.ready, exchange.draw)
    except NoReadyVersionError:
        version(exchange)
        return
    plan = runtime.plans.get(choice) or runtime.plan_for(choice)
    if plan.direct:
        exchange.plan = plan
        forward.pick_and_send(exchange)
    else:
        proceed(exchange, plan)


def proceed(exchange: Exchange, plan: Plan) -> None:
    """Hold the request to its route's limits, bring its body into shape where that is needed, and forward it."""
    exchange.plan = plan
    if plan.direct and not exchange.head.expect:
        forward.pick_and_send(exchange)
        return
    if plan.evidence is not None and exchange.counted is None:
        plan.evidence.begin(exchange)
    timeouts, limits = plan.route.timeouts, plan.route.limits
    if timeouts.whole and exchange.attempts == 0:
        exchange.whole_deadline = exchange.client.clock.now + timeouts.whole
    if limits.request_body and max(exchange.head.length, exchange.received) > limits.request_body:
        raise BodyTooLargeError(f"This route takes at most {limits.request_body} bytes")
    if plan.mirror is not None and exchange.attempts == 0:
        if plan.turnstile is not None and plan.turnstile.shut:
            plan.turnstile.turned += 1
        else:
            plan.mirror.begin(exchange, plan.choice.served)
    if plan.request_adapter is not None and exchange.head.framed:
        collect.for_adapter(exchange)
    else:
        if exchange.head.expect and not exchange.complete:
            exchange.client.send_continue()
        forward.pick_and_send(exchange)
    if exchange.mirrored is not None:
        exchange.mirrored.forwarded(exchange)
