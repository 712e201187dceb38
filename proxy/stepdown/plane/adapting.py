"""Fifth phase, for answers in another shape than the pinned one: step down, or do what the route says on failure."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING

from stepdown import tasks
from stepdown.errors import (
    AdapterFailedError,
    AnswerTooLargeError,
    ErrorNotAdaptableError,
    StreamNotAdaptableError,
)
from stepdown.plane import adapt, forward, send, stages
from stepdown.plane.plan import ADAPTED, NATIVE, PASSTHROUGH
from stepdown.plane.tensors import inlined
from stepdown.telemetry.log import fields
from stepdown.wire import ResponseHead
from stepdown_adapters.operations.envelope import HeadEdits

if TYPE_CHECKING:
    from stepdown.plane.exchange import Exchange
    from stepdown.plane.plan import Plan

logger = logging.getLogger(__name__)


def answer(exchange: Exchange, plan: Plan, head: ResponseHead, body: bytes) -> None:
    """Adapt a whole answer and send it."""
    assert plan.adapter is not None
    begun = perf_counter()
    notes = adapt.notes(head)
    try:
        if notes.stream is not None:
            adapt.refuse_stream(head)
        limit = plan.route.limits.adapted_body
        if len(body) > limit:
            raise AnswerTooLargeError(f"The answer is longer than {limit} bytes, the most that is adapted")
        decoded = body if notes.plain else adapt.decoded(head, body, limit)
        stream = plan.streams.unfolds
        if stream is not None and adapt.asks_for_stream(exchange, plan):
            decoded = inlined(decoded, notes.tensors, adapt.INLINE_BYTES)
            adapted = adapt.unfolded(exchange, plan, stream, decoded)
            plan.account_adapter(perf_counter() - begun)
            deliver(exchange, plan, _typed(head, adapt.EVENTS), adapted)
            return
        if len(decoded) > adapt.INLINE_BYTES or notes.tensors is not None:
            exchange.stage = stages.ADAPT_ANSWER
            exchange.client.wait(0)
            tasks.start(_elsewhere(exchange, plan, head, body, decoded), name="adapt a large answer")
            return
        adapted = adapt.answer(plan.adapter, decoded, adapt.context(exchange, plan))
    except AdapterFailedError as error:
        _failed(exchange, plan, head, body, error)
        return
    plan.account_adapter(perf_counter() - begun)
    deliver(exchange, plan, head, adapted)
    if plan.check is not None:
        plan.check.adapted(head, decoded, adapted, exchange.unit)


def error(exchange: Exchange, plan: Plan, head: ResponseHead, body: bytes) -> None:
    """Adapt a server's error answer and send it; one that cannot be adapted becomes an error of ours, status kept."""
    assert plan.adapter is not None
    begun = perf_counter()
    try:
        adapted = adapt.error(plan.adapter, head, body, adapt.context(exchange, plan))
    except AdapterFailedError as reason:
        refuse(exchange, reason)
        return
    plan.account_adapter(perf_counter() - begun)
    deliver(exchange, plan, head, adapted)


async def _elsewhere(exchange: Exchange, plan: Plan, head: ResponseHead, body: bytes, decoded: bytes) -> None:
    assert plan.choice.chain is not None
    begun = perf_counter()
    try:
        adapted = await exchange.client.offload.run(
            plan.choice.chain,
            "response",
            decoded,
            adapt.context(exchange, plan),
            tensors=adapt.notes(head).tensors,
            limit=plan.route.limits.adapted_body,
        )
    except AdapterFailedError as error:
        if not exchange.gone:
            _failed(exchange, plan, head, body, error)
        return
    if not exchange.gone:
        plan.account_adapter(perf_counter() - begun)
        deliver(exchange, plan, head, adapted)
        if plan.check is not None:
            plan.check.adapted(head, decoded, adapted, exchange.unit)


def deliver(exchange: Exchange, plan: Plan, head: ResponseHead, adapted: bytes) -> None:
    """Send an answer in the pinned shape, whole."""
    exchange.outcome = ADAPTED
    send.whole(exchange, head, adapt.notes(head).fields, adapted, plan.lines)


def deliver_collected(exchange: Exchange, plan: Plan, head: ResponseHead, document: bytes) -> None:
    """Send the document that was made of a stream."""
    deliver(exchange, plan, _typed(head, "application/json"), document)


def _typed(head: ResponseHead, content_type: str) -> ResponseHead:
    return adapt.edited(head, HeadEdits(fields={"content-type": content_type}))


def refuse(exchange: Exchange, error: AdapterFailedError) -> None:
    """Not this answer: ask a version that has the shape where the route says so and it can be done, else fail."""
    plan = exchange.plan
    assert plan is not None
    exchange.leave_upstream()
    tell(plan, error)
    final = plan.route.policy != "ask_native" or isinstance(error, ErrorNotAdaptableError)
    if final or not _ask_native(exchange, plan):
        exchange.fail(error)


def _failed(exchange: Exchange, plan: Plan, head: ResponseHead, body: bytes, error: AdapterFailedError) -> None:
    """The route's policy: fail, ask a version that has the shape, or pass the answer on under its true name.

    A stream, and what is too large, is never passed on: it has not been read, so it cannot be vouched for.
    """
    refused = isinstance(error, AnswerTooLargeError | StreamNotAdaptableError)
    if plan.route.policy == "passthrough" and not refused:
        exchange.outcome = PASSTHROUGH
        tell(plan, error)
        plan.route.count_error(error.problem)
        send.whole(exchange, head, head.fields, body, plan.true_lines)
    else:
        refuse(exchange, error)
    if plan.check is not None:
        plan.check.failed(head, body, exchange.unit)


def tell(plan: Plan, error: AdapterFailedError) -> None:
    """Say to the operator what the client alone would read."""
    choice = plan.choice
    about = fields(
        route=choice.route, served=choice.served, pinned=choice.pinned, policy=plan.route.policy, reason=error.detail
    )
    logger.warning("answer cannot be adapted", extra=about)


def _ask_native(exchange: Exchange, plan: Plan) -> bool:
    """Ask a version that has the pinned shape itself; false where that is not possible."""
    if not (plan.route.repeatable and exchange.kept and exchange.complete):
        return False
    native = exchange.runtime.native_plan(plan.choice)
    if native is None or not forward.take_budget(exchange):
        return False
    plan.route.count_error("adapter-failed")
    plan.route.count_retry("adapter-failed")
    exchange.plan = native
    exchange.outcome = NATIVE
    exchange.adapted_request = None
    exchange.relay = None
    if exchange.mirrored is not None:
        exchange.mirrored.again()
    forward.pick_and_send(exchange)
    return True
