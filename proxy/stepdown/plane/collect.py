"""Second phase, for few: the request's body gathered because a key or an adapter needs it, or passed on as it comes."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from stepdown import tasks
from stepdown.errors import BodyTooLargeError, StepdownError
from stepdown.plane import adapt, forward, stages
from stepdown.plane.adapt import AdaptedRequest

if TYPE_CHECKING:
    from stepdown.plane.exchange import Exchange
    from stepdown.plane.plan import Plan


KEY_BYTES = 64 * 1024
"""How much of a body a sticky key is looked for in; in a longer one it is missing."""


def for_key(exchange: Exchange) -> None:
    """Wait for the body, or its first 64 KiB, before choosing."""
    exchange.stage = stages.COLLECT_KEY
    if exchange.head.expect:
        exchange.client.send_continue()
    _wait(exchange)


def for_adapter(exchange: Exchange) -> None:
    """Wait for the whole body, then step it up to what the served version reads."""
    assert exchange.plan is not None
    adapt.refuse_foreign(exchange.head)
    limit = exchange.plan.route.limits.adapted_body
    if max(exchange.head.length, exchange.received) > limit:
        raise BodyTooLargeError(f"A request that is adapted may have at most {limit} bytes")
    if exchange.complete:
        _adapt(exchange, exchange.plan)
        return
    exchange.stage = stages.COLLECT_BODY
    if exchange.head.expect:
        exchange.client.send_continue()
    _wait(exchange)


def take(exchange: Exchange, payload: bytes) -> bool:
    """Another piece of the body: keep it, or send it on. True when the version can be chosen now."""
    plan = exchange.plan
    if plan is not None:
        limit = plan.route.limits.request_body
        if limit and exchange.received > limit:
            raise BodyTooLargeError(f"This route takes at most {limit} bytes")
    stage = exchange.stage
    if stage == stages.COLLECT_KEY:
        exchange.keep(payload)
        if exchange.complete or exchange.received >= KEY_BYTES:
            return True
        _wait(exchange)
    elif stage == stages.COLLECT_BODY:
        exchange.keep(payload)
        for_adapter(exchange)
    elif stage == stages.AWAIT_FLAGS:
        exchange.keep(payload)
        if len(exchange.body) > KEY_BYTES:
            exchange.client.pause()
    elif stage == stages.CONNECT:
        exchange.keep(payload)
        assert plan is not None
        if len(exchange.body) > plan.route.keep_bytes and not exchange.complete:
            exchange.client.pause()  # `send_request` goes on reading, but only where there is more to come
    elif exchange.upstream is not None and not exchange.request_sent:
        forward.send_more(exchange, exchange.upstream, payload)
    elif stage == stages.COLLECT_FEEDBACK:
        assert exchange.runtime.feedback is not None
        exchange.runtime.feedback.more(exchange, payload)
    return False


def _wait(exchange: Exchange) -> None:
    plan = exchange.plan
    timeouts = exchange.runtime.client_timeouts if plan is None else plan.route.timeouts
    exchange.client.wait(timeouts.request_body_idle)


def _adapt(exchange: Exchange, plan: Plan) -> None:
    body = bytes(exchange.body)
    assert plan.request_adapter is not None
    if len(body) > adapt.INLINE_BYTES:
        exchange.stage = stages.ADAPT_REQUEST
        exchange.client.wait(0)
        tasks.start(_adapt_elsewhere(exchange, plan, body), name="adapt a large request")
        return
    begun = perf_counter()
    context = adapt.context(exchange, plan)
    exchange.adapted_request = AdaptedRequest(adapt.request(plan.request_adapter, body, context), context)
    plan.account_adapter(perf_counter() - begun)
    forward.pick_and_send(exchange)


async def _adapt_elsewhere(exchange: Exchange, plan: Plan, body: bytes) -> None:
    assert plan.choice.chain is not None
    try:
        context = adapt.context(exchange, plan)
        adapted = await exchange.client.offload.run(plan.choice.chain, "request", body, context)
    except StepdownError as error:
        exchange.fail(error)
        return
    if not exchange.gone:
        exchange.adapted_request = AdaptedRequest(adapted, context)
        forward.pick_and_send(exchange)
        if exchange.mirrored is not None:
            exchange.mirrored.forwarded(exchange)
