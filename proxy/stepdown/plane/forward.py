"""Third phase: the request to an endpoint, its body with it or after it, and again where the rule allows that."""

from __future__ import annotations

from time import perf_counter_ns
from typing import TYPE_CHECKING

from stepdown.errors import OverloadedError, StepdownError
from stepdown.plane import stages
from stepdown.plane.retry import may_retry
from stepdown.wire import CHUNKED, serialise

if TYPE_CHECKING:
    from stepdown.plane.exchange import Exchange
    from stepdown.plane.pool import EndpointPool
    from stepdown.plane.upstream import UpstreamConnection

_NO_PARAMS: dict[str, bytes] = {}


def pick_and_send(exchange: Exchange, exclude: EndpointPool | None = None) -> None:
    """Give the request to the least pending endpoint, on a connection that is free or the next one that will be."""
    plan = exchange.plan
    assert plan is not None
    exchange.attempts += 1
    pool = exchange.pool = exchange.last_pool = plan.pool.single or plan.pool.pick(exchange.client.clock.now, exclude)
    pool.pending += 1
    connection = pool.take_idle()
    if connection is not None:
        send_request(exchange, connection)
    else:
        exchange.stage = stages.CONNECT
        exchange.client.wait(plan.route.timeouts.response_head)
        pool.wait(exchange)


def send_request(exchange: Exchange, connection: UpstreamConnection) -> None:
    """Write the head and all that has arrived of the body."""
    plan, pool, head = exchange.plan, exchange.pool, exchange.head
    assert plan is not None
    assert pool is not None
    body: bytes | bytearray = exchange.body if exchange.adapted_request is None else exchange.adapted_request.body
    complete = exchange.complete
    if complete:
        framing = b"content-length: %d\r\n" % len(body) if head.framed else b""
    elif head.length == CHUNKED:
        framing = serialise.CHUNKED_LINE
        body = serialise.chunk(bytes(body))
    else:
        framing = b"content-length: %d\r\n" % head.length
    client = exchange.client
    params = dict(zip(plan.route.names, exchange.params, strict=True)) if exchange.params else _NO_PARAMS
    data = pool.template.head(head, params, client.origin(head), framing, plan.adapted)
    exchange.upstream = connection
    exchange.stage = stages.AWAIT_ANSWER
    exchange.request_sent = complete
    exchange.sent_at = perf_counter_ns()
    connection.exchange = exchange
    client.outbox.write(connection.transport, data + body if body else data)
    if complete:
        client.deadline = client.clock.now + plan.answer_seconds
    else:
        client.wait(plan.route.timeouts.request_body_idle)
        _forget(exchange)
        client.resume()


def send_more(exchange: Exchange, connection: UpstreamConnection, payload: bytes) -> None:
    """Go on with the body as it arrives."""
    assert exchange.plan is not None
    if exchange.kept:
        exchange.keep(payload)
        _forget(exchange)
    elif exchange.mirrored is not None:
        exchange.mirrored.more(payload)
    complete = exchange.complete
    if exchange.head.length == CHUNKED:
        payload = serialise.chunk(payload)
        if complete:
            payload += serialise.LAST_CHUNK
    if payload:
        exchange.client.outbox.write(connection.transport, payload)
    timeouts = exchange.plan.route.timeouts
    exchange.request_sent = complete
    exchange.client.wait(timeouts.response_head if complete else timeouts.request_body_idle)


def _forget(exchange: Exchange) -> None:
    """Keep a body that is short enough to be sent again; let go of a longer one that is on its way."""
    assert exchange.plan is not None
    if len(exchange.body) > exchange.plan.route.keep_bytes:
        if exchange.mirrored is not None:
            exchange.mirrored.keep(exchange.body)
        exchange.kept = False
        exchange.body = b""


def retry_or_fail(exchange: Exchange, error: StepdownError, *, connected: bool, fully_sent: bool) -> None:
    """Another attempt if the rule and the budget allow it, else the error."""
    plan, pool = exchange.plan, exchange.pool
    assert plan is not None
    allowed = not isinstance(error, OverloadedError) and may_retry(
        attempts=exchange.attempts,
        connected=connected,
        fully_sent=fully_sent,
        repeatable=plan.route.repeatable,
        answer_begun=exchange.answer_begun,
        kept=exchange.kept,
    )
    if exchange.gone or not allowed or not take_budget(exchange):
        exchange.fail(error)
        return
    exchange.leave_upstream()
    exchange.relay = None
    if exchange.mirrored is not None:
        exchange.mirrored.again()
    plan.route.count_retry(error.problem)
    if connected or exchange.route is None:
        pick_and_send(exchange, exclude=pool)
    else:
        # An endpoint that cannot be reached counts as down now, so choosing again finds another one: of this version
        # or, where it was the last, of one that is eligible too.
        exchange.choose_again()


def take_budget(exchange: Exchange) -> bool:
    """Reserve a retry for this exchange; one is enough for all its attempts."""
    if not exchange.retrying:
        client = exchange.client
        exchange.retrying = client.budget.take(client.plane.active)
    return exchange.retrying
