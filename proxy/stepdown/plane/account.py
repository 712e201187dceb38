"""Last phase: the exchange is counted and, where the access log is on, recorded. Nothing is formatted here."""

from __future__ import annotations

from time import perf_counter_ns, time
from typing import TYPE_CHECKING

from stepdown.errors import StepdownError
from stepdown.plane.plan import OUTCOMES

if TYPE_CHECKING:
    from stepdown.plane.client import ClientConnection
    from stepdown.plane.exchange import Exchange
    from stepdown.telemetry.access import AccessLog


def finished(exchange: Exchange) -> None:
    """Count an exchange whose answer was given, or cut."""
    elapsed = perf_counter_ns() - exchange.started
    plan = exchange.plan
    if plan is not None and exchange.status:
        plan.account(exchange.status, exchange.outcome, elapsed, exchange.upstream_time)
        if exchange.counted is not None:
            exchange.counted.ended(exchange, elapsed)
    if exchange.mirrored is not None:
        exchange.mirrored.ended(exchange, elapsed)
    if exchange.retrying:
        exchange.client.budget.give()
    access = exchange.client.plane.access
    if access is not None:
        _record(exchange, access, elapsed)


def aborted(exchange: Exchange) -> None:
    """Count an exchange whose client left."""
    if exchange.plan is not None:
        exchange.plan.route.count_abort()
    exchange.status = exchange.status if exchange.answer_begun else 499
    elapsed = perf_counter_ns() - exchange.started
    if exchange.counted is not None:
        exchange.counted.left(exchange, elapsed)
    if exchange.mirrored is not None:
        exchange.mirrored.ended(exchange, elapsed)
    if exchange.retrying:
        exchange.client.budget.give()
    access = exchange.client.plane.access
    if access is not None:
        _record(exchange, access, elapsed)


def refused(exchange: Exchange, error: StepdownError) -> None:
    """Count an error answer of our own by its problem."""
    if exchange.plan is not None:
        exchange.plan.route.count_error(error.problem)
    else:
        exchange.runtime.count_refused(exchange.route.name if exchange.route is not None else "", error)


def malformed(client: ClientConnection, error: StepdownError, raw: bytes, sent: int) -> None:
    """Record bytes that were no request: what there is of the first line stands for the target."""
    access = client.plane.access
    if access is not None:
        line = raw.partition(b"\n")[0].rstrip(b"\r")
        names = ("",) * 8
        access.add((time(), client.peer, b"", line, "", error.code, 0, sent, 0.0, 0.0, *names, error.problem))


def _record(exchange: Exchange, access: AccessLog, elapsed: int) -> None:
    head, plan = exchange.head, exchange.plan
    choice = plan.choice if plan is not None else None
    route = plan.route.name if plan is not None else exchange.route.name if exchange.route is not None else ""
    names = (
        (choice.rule, choice.assigned, choice.served, choice.pinned, choice.reason)
        if choice is not None
        else ("", "", "", "", "")
    )
    access.add(
        (
            time(),
            exchange.client.peer,
            head.method,
            head.target,
            "HTTP/1.1" if head.minor else "HTTP/1.0",
            exchange.status,
            exchange.received,
            exchange.response_bytes,
            elapsed / 1e9,
            exchange.upstream_time / 1e9,
            route,
            *names,
            OUTCOMES[exchange.outcome],
            exchange.last_pool.key if exchange.last_pool is not None else "",
            exchange.error,
        )
    )
