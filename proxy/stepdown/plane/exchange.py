"""One request and its answer: what is known of it, and who calls which phase when.

The phases are modules, in the order of a request's way: `choose` (route, pin, version), `collect` (the request's
body, where it has to be whole), `forward`, `receive`, `adapting`, `send`, `account`. They take the exchange as their
argument.

An exchange reads its runtime (the compiled snapshot) once, so a reload never splits a request. It owns at most one
upstream connection at a time. Until the first byte of an answer has gone to the client, a failure may become another
attempt or an error answer; after that it can only end the client's connection, so that nothing cut looks whole.
"""

from __future__ import annotations

from time import perf_counter_ns
from typing import TYPE_CHECKING

from stepdown.errors import (
    AdapterFailedError,
    BadResponseError,
    ClientGoneError,
    RequestTimeoutError,
    StepdownError,
    UpstreamError,
    UpstreamTimeoutError,
)
from stepdown.plane import account, adapt, adapting, choose, collect, forward, receive, send
from stepdown.plane.clock import NEVER
from stepdown.plane.plan import FAILED, NONE
from stepdown.plane.stages import ANSWER, AWAIT_ANSWER, COLLECT_BODY, COLLECT_FEEDBACK, COLLECT_KEY, CONNECT
from stepdown.wire import RequestHead, ResponseHead

if TYPE_CHECKING:
    from stepdown.decide.cookies import Visitor
    from stepdown.decide.facts import Facts
    from stepdown.decide.snapshot import Route
    from stepdown.decide.turns import Rotation
    from stepdown.plane.adapt import AdaptedRequest
    from stepdown.plane.client import ClientConnection
    from stepdown.plane.evidence import Counted
    from stepdown.plane.feedback import Post
    from stepdown.plane.mirror import Mirrored
    from stepdown.plane.plan import Plan
    from stepdown.plane.pool import EndpointPool
    from stepdown.plane.receive import Collector, Overheard
    from stepdown.plane.relay import Relay
    from stepdown.plane.runtime import Runtime
    from stepdown.plane.streaming import DocumentRelay
    from stepdown.plane.upstream import UpstreamConnection


class Exchange:
    """One request and its answer."""

    __slots__ = (
        "adapted_request",
        "answer_begun",
        "attempts",
        "body",
        "client",
        "complete",
        "cookie",
        "counted",
        "drawn",
        "error",
        "extra",
        "facts",
        "gone",
        "head",
        "kept",
        "last_pool",
        "method",
        "mirrored",
        "outcome",
        "params",
        "plan",
        "pool",
        "received",
        "relay",
        "request_sent",
        "response_bytes",
        "retrying",
        "route",
        "runtime",
        "sampled",
        "sent_at",
        "stage",
        "started",
        "status",
        "upstream",
        "upstream_time",
        "visitor",
        "whole_deadline",
    )

    def __init__(
        self, client: ClientConnection, runtime: Runtime, head: RequestHead, payload: bytes, complete: bool
    ) -> None:
        # what it is
        self.client = client
        self.runtime = runtime
        self.head = head
        self.facts: Facts = head
        """What decisions read: the head, or all of the request where its route's rules ask for more."""
        self.method = head.method
        self.started = perf_counter_ns()
        self.whole_deadline = NEVER
        # what was decided
        self.route: Route | None = None
        self.params: tuple[bytes, ...] = ()
        self.plan: Plan | None = None
        self.drawn = -1
        self.visitor: Visitor | None = None
        """On a route that sets a cookie: whose request it is."""
        self.extra = b""
        """Field lines to add to any answer: the explanation that was asked for."""
        self.cookie = b""
        """The line that sets a cookie, where the client needs it."""
        self.sampled = False
        """What is decided is to be recorded."""
        self.mirrored: Mirrored | None = None
        """What is copied of it for shadows and a recording."""
        self.counted: Counted | None = None
        """What it is evidence of, on a rule that a rollout has split."""
        # the request's body
        self.body: bytes | bytearray = payload
        self.kept = True
        """`body` is all that has arrived, so the request can be sent (again) from it."""
        self.complete = complete
        self.received = len(payload)
        self.adapted_request: AdaptedRequest | None = None
        # where it went
        self.pool: EndpointPool | None = None
        self.last_pool: EndpointPool | None = None
        """The pool that it was given to last, also after it has left it."""
        self.upstream: UpstreamConnection | None = None
        self.request_sent = False
        self.attempts = 0
        self.retrying = False
        self.sent_at = 0
        self.upstream_time = 0
        """Nanoseconds."""
        # the answer
        self.stage = COLLECT_KEY
        self.relay: Relay | Collector | DocumentRelay | Overheard | Post | None = None
        self.answer_begun = False
        self.status = 0
        self.response_bytes = 0
        self.outcome = NONE
        self.error = ""
        self.gone = False
        """The client has left, or the exchange has ended: nothing may be done for it any more."""

    # --- from the client --------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start with the head and whatever of the body came with it."""
        try:
            choose.route(self)
        except StepdownError as error:
            self.fail(error)

    def on_request_body(self, payload: bytes, complete: bool) -> None:
        """More of the request's body has arrived."""
        self.complete = complete
        self.received += len(payload)
        try:
            if collect.take(self, payload):
                choose.version(self)
            elif complete and self.mirrored is not None:
                self.mirrored.forwarded(self)
        except StepdownError as error:
            self.fail(error)

    def on_client_gone(self) -> None:
        """The client has closed: what works for it stops at once."""
        if not self.gone:
            self.error = ClientGoneError.problem
            self.leave_upstream()
            if self.error:
                account.aborted(self)
            else:  # it had all of its stream, and did not wait for the end of the framing
                self.upstream_time = perf_counter_ns() - self.sent_at
                account.finished(self)
            self.gone = True

    def on_client_full(self) -> None:
        """The client reads slowly."""
        if self.upstream is not None:
            self.upstream.pause()

    def on_client_drained(self) -> None:
        """The client has caught up."""
        if self.upstream is not None and self.upstream.paused:
            self.upstream.resume()
            self.client.wait(self._timeouts_idle())

    def on_deadline(self) -> None:
        """What was waited for has not come in time."""
        upstream_full = self.upstream is not None and self.upstream.full
        sending = self.stage == AWAIT_ANSWER and not self.request_sent
        if self.stage in (COLLECT_KEY, COLLECT_BODY, COLLECT_FEEDBACK) or (sending and not upstream_full):
            self.fail(RequestTimeoutError("The request's body did not arrive in time"))
        elif self.answer_begun:
            if self.pool is not None and not self.client.full:
                self.pool.failed()
            self.error = UpstreamTimeoutError.problem
            self.cut()
        elif self.stage == CONNECT:
            self.fail(UpstreamTimeoutError(f"No connection to {self._endpoint()} became free in time"))
        else:
            if self.pool is not None:
                self.pool.failed()
            what = "take the request" if sending else "answer"
            self.fail(UpstreamTimeoutError(f"{self._endpoint()} did not {what} in time"))

    def draw(self, rotation: Rotation | None = None) -> int:
        """The slot, or turn, of a request without a key: one, also for an explanation and for another attempt."""
        if self.drawn < 0:
            self.drawn = self.runtime.draw() if rotation is None else self.runtime.turn(rotation)
        return self.drawn

    def choose_again(self) -> None:
        """Choose among what is up now, and go on from there."""
        self.adapted_request = None
        try:
            choose.version(self)
        except StepdownError as error:
            self.fail(error)

    @property
    def unit(self) -> int:
        """Hash of the unit whose evidence it is (64 bits); 0 where it is none."""
        return self.counted.unit if self.counted is not None else 0

    # --- for and from the pool --------------------------------------------------------------------------------------

    @property
    def connect_timeout(self) -> float:
        """Seconds for a new connection."""
        assert self.plan is not None
        return self.plan.route.timeouts.connect

    @property
    def most_connections(self) -> int:
        """Connections that the endpoint may have as far as this route is concerned."""
        assert self.plan is not None
        return self.plan.route.limits.connections

    @property
    def most_waiting(self) -> int:
        """Requests that may wait for one of them."""
        assert self.plan is not None
        return self.plan.route.limits.pending

    def on_connection(self, connection: UpstreamConnection) -> None:
        """A connection to the endpoint is free."""
        forward.send_request(self, connection)

    def on_no_connection(self, error: StepdownError) -> None:
        """None could be had."""
        forward.retry_or_fail(self, error, connected=False, fully_sent=False)

    # --- from the upstream connection -------------------------------------------------------------------------------

    def on_answer(self, head: ResponseHead, body: bytes) -> None:
        """A whole answer, in one piece."""
        self.status = head.status
        receive.answered(self)
        plan = self.plan
        assert plan is not None
        if plan.plain and self.mirrored is None:
            send.whole(self, head, head.fields, body, plan.lines)
        else:
            receive.whole(self, plan, head, body)

    def on_head(self, head: ResponseHead) -> None:
        """The head of an answer whose body follows."""
        self.status = head.status
        self.stage = ANSWER
        self.client.wait(self._timeouts_idle())
        if adapt.notes(head).stream is not None:
            self.whole_deadline = NEVER  # a stream goes on for as long as something comes
        try:
            receive.begin(self, head)
        except AdapterFailedError as error:
            adapting.refuse(self, error)

    def on_body(self, payload: bytes) -> None:
        """A piece of the answer's body."""
        relay = self.relay
        if relay is not None and not self.gone:
            self.client.deadline = self.client.clock.now + self._timeouts_idle()
            try:
                relay.on_body(payload)
            except AdapterFailedError as error:
                adapting.refuse(self, error)

    def on_end(self) -> None:
        """The answer is complete."""
        relay = self.relay
        if relay is not None and not self.gone:
            receive.answered(self)
            self.relay = None  # they hold each other, and what was gathered would wait for the garbage collector
            relay.on_end()

    def on_cut(self, error: UpstreamError) -> None:
        """The answer ended in its middle, or went on in a way that is no answer."""
        self.upstream_failed()
        if self.answer_begun:
            self.error = error.problem
            self.cut()
        else:
            forward.retry_or_fail(self, error, connected=True, fully_sent=True)

    def on_lost(self, error: UpstreamError) -> None:
        """The connection ended before an answer began."""
        fully_sent = self.request_sent and not (self.upstream is not None and self.upstream.full)
        self.upstream_failed()
        forward.retry_or_fail(self, error, connected=True, fully_sent=fully_sent)

    def on_bad_answer(self, error: BadResponseError) -> None:
        """The endpoint's bytes are no answer."""
        self.upstream_failed()
        self.fail(error)

    def keep(self, payload: bytes) -> None:
        """Append to what is kept of the request's body."""
        if not isinstance(self.body, bytearray):
            self.body = bytearray(self.body)
        self.body += payload

    def pause_request(self) -> None:
        """The endpoint reads the request slowly."""
        if not self.complete:
            self.client.pause()

    def resume_request(self) -> None:
        """It has caught up."""
        self.client.resume()

    # --- ends -------------------------------------------------------------------------------------------------------

    def fail(self, error: StepdownError) -> None:
        """End with an error: an answer of our own while there is none yet, a cut connection afterwards."""
        if self.gone:
            return
        self.error = error.problem
        if isinstance(error, AdapterFailedError):
            self.outcome = FAILED
        self.leave_upstream()
        if self.answer_begun:
            self.cut()
        else:
            send.problem(self, error)

    def cut(self) -> None:
        """End the client's connection in the middle of an answer, so that it cannot be taken for a whole one."""
        self.leave_upstream()
        account.finished(self)
        self.gone = True
        self.client.cut(reset=self.relay is not None and self.relay.until_close)

    def finish(self, close: bool) -> None:
        """The answer has been handed to the client's connection."""
        account.finished(self)
        self.gone = True
        self.client.done(close)

    def upstream_failed(self) -> None:
        """Count a failure of the endpoint; its connection is no more."""
        if self.pool is not None:
            self.pool.failed()
        self.upstream = None

    def leave_upstream(self) -> None:
        """Give up whatever connection, or place in its queue, this exchange has."""
        if self.upstream is not None:
            self.upstream.close()
            self.upstream = None
        if self.pool is not None:
            if self.stage == CONNECT:
                self.pool.give_up(self)
            self.pool.pending -= 1
            self.pool = None
        if self.relay is not None:
            self.relay.drop()

    def _endpoint(self) -> str:
        return self.last_pool.endpoint.id if self.last_pool is not None else "the upstream"

    def _timeouts_idle(self) -> float:
        assert self.plan is not None
        return self.plan.route.timeouts.response_body_idle or NEVER
