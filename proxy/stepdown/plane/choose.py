"""First phase: which route, which shape, which version; what follows from it is looked up, not worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stepdown.errors import BodyTooLargeError, NoReadyVersionError, NoRouteError
from stepdown.plane import collect, forward, reasons, visiting
from stepdown.plane.collect import KEY_BYTES
from stepdown.plane.outgoing import client_address

if TYPE_CHECKING:
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
    runtime = exchange.runtime
    settled = exchange.head.settled
    if settled is not None and settled.runtime is runtime:
        _again(exchange, runtime, settled)
        return
    found = runtime.snapshot.match(exchange.head)
    if found is None:
        plan = runtime.passthrough
        if plan is None:
            head = exchange.head
            raise NoRouteError(f"Nothing matches {head.method.decode()} {head.path.decode('latin-1')}")
        proceed(exchange, plan)
        return
    exchange.route, exchange.params = found
    if exchange.complete or not exchange.route.needs_body or exchange.received >= KEY_BYTES:
        version(exchange)
    else:
        collect.for_key(exchange)


def version(exchange: Exchange) -> None:
    """Choose shape and version, and go on with what follows from them."""
    matched, runtime, client = exchange.route, exchange.runtime, exchange.client
    assert matched is not None
    head, params = exchange.head, exchange.params
    address = client.peer
    if runtime.trusted_hops:
        address = client_address(head, address, runtime.trusted_hops)
    body = None
    if matched.needs_body:
        if exchange.complete and exchange.received <= KEY_BYTES:
            body = bytes(exchange.body)
    elif client.memory.holds(head) and not matched.deciding & client.memory.names:
        split = matched.settle(head, params)
        head.settled = Settled(runtime, matched, params, *split) if split is not None else None
    if matched.cookie is not None:
        visiting.find(exchange, matched, body, address)
    ready = runtime.ready
    asked = reasons.wants_explanation(exchange)
    verdict = reasons.verdict_of(exchange, matched)
    try:
        if verdict is not None and verdict.error is not None:
            raise verdict.error
        choice = verdict.choice if verdict is not None else None
        if choice is None:
            try:
                choice = matched.choose(head, params, body, address, ready, exchange.draw, exchange.visitor)
            except NoReadyVersionError:
                # Nothing answered lately. Where probes do not object, trying is better than refusing: it may be back.
                ready = runtime.not_down
                choice = matched.choose(head, params, body, address, ready, exchange.draw, exchange.visitor)
    finally:
        if asked or verdict is not None:
            reasons.tell(exchange, verdict, body, address, ready, asked=asked)
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
    timeouts, limits = plan.route.timeouts, plan.route.limits
    if timeouts.whole and exchange.attempts == 0:
        exchange.whole_deadline = exchange.client.clock.now + timeouts.whole
    if limits.request_body and max(exchange.head.length, exchange.received) > limits.request_body:
        raise BodyTooLargeError(f"This route takes at most {limits.request_body} bytes")
    if plan.request_adapter is not None and exchange.head.framed:
        collect.for_adapter(exchange)
        return
    if exchange.head.expect and not exchange.complete:
        exchange.client.send_continue()
    forward.pick_and_send(exchange)
