"""One copy on its way to one endpoint: what stands on an upstream connection where an exchange stands for a request.

A leg makes one attempt and ends exactly once, with a `Result`, whatever its endpoint does:

| what happens                              | outcome                                                        |
|-------------------------------------------|----------------------------------------------------------------|
| a whole answer below 500                  | answered                                                       |
| a whole answer from 500 on                | error                                                          |
| no connection                             | refused                                                        |
| the connection ends before an answer      | reset                                                          |
| it ends in the middle of one              | cut, unless that was a stream which had said its own end       |
| bytes that are no answer                  | malformed                                                      |
| the time is over                          | timeout, likewise                                              |
| an answer longer than `most_bytes`        | too-large, as soon as that is known                            |
| no room to keep an answer in              | pending                                                        |

In all but the first two the connection is closed at once, so that nothing more of it is read. Nobody is waited for:
what is written lies in the connection until the endpoint takes it, within the bound on all copies, or the time is over.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter_ns
from typing import NamedTuple

from stepdown.comparer.endings import said_its_end
from stepdown.comparer.limits import Hold
from stepdown.comparer.results import Outcome, Result
from stepdown.errors import BadResponseError, StepdownError, UpstreamError, UpstreamTimeoutError
from stepdown.plane.pool import EndpointPool
from stepdown.plane.upstream import UpstreamConnection
from stepdown.wire import ResponseHead


class Errand(NamedTuple):
    """What a leg carries, and how far."""

    version: str
    method: bytes
    data: bytes
    """The whole request."""
    seconds: float
    most_bytes: int
    """The longest answer that is kept."""
    most_connections: int


class Leg:
    """One copy on its way."""

    __slots__ = (
        "_body",
        "_done",
        "_errand",
        "_head",
        "_hold",
        "_pool",
        "_sent",
        "_size",
        "gone",
        "method",
        "request_sent",
        "until",
        "upstream",
    )

    def __init__(
        self, errand: Errand, pool: EndpointPool, hold: Hold, now: float, done: Callable[[Leg, Result], None]
    ) -> None:
        """`hold` has taken `errand.data` already; `now` is monotonic seconds."""
        self._errand = errand
        self._pool = pool
        self._hold = hold
        self._done = done
        self._size = len(errand.data)
        """Bytes of the hold that are this leg's until it ends."""
        self.until = now + errand.seconds
        self.method = errand.method
        self.request_sent = False
        self.upstream: UpstreamConnection | None = None
        self.gone = False
        self._sent = 0
        self._head: ResponseHead | None = None
        self._body = bytearray()

    def start(self) -> None:
        """Go, on a connection that is free or on the next one that will be. It may end before this returns."""
        self._pool.pending += 1
        connection = self._pool.take_idle()
        if connection is not None:
            self.on_connection(connection)
        else:
            self._pool.wait(self)

    def expire(self) -> None:
        """The time is over."""
        what = "did not answer" if self._sent else "was not connected to"
        self._stop("timeout", f"{self._pool.endpoint.id} {what} within {self._errand.seconds:g} s")

    def drop(self) -> None:
        """Give up, without a word to anybody."""
        self.gone = True
        self._leave()

    # --- for and from the pool --------------------------------------------------------------------------------------

    @property
    def connect_timeout(self) -> float:
        """Seconds for a new connection."""
        return self._errand.seconds

    @property
    def most_connections(self) -> int:
        """Connections that the endpoint may have."""
        return self._errand.most_connections

    @property
    def most_waiting(self) -> int:
        """Legs that may wait for one: no more are on their way."""
        return self._errand.most_connections

    def on_connection(self, connection: UpstreamConnection) -> None:
        """A connection is free."""
        self.upstream = connection
        self.request_sent = True
        self._sent = perf_counter_ns()
        connection.exchange = self
        connection.transport.write(self._errand.data)

    def on_no_connection(self, error: StepdownError) -> None:
        """None could be had."""
        self._end("timeout" if isinstance(error, UpstreamTimeoutError) else "refused", error.detail)

    # --- from the upstream connection -------------------------------------------------------------------------------

    def on_answer(self, head: ResponseHead, body: bytes) -> None:
        """A whole answer, in one piece."""
        self.on_head(head)
        self.on_body(body)
        self.on_end()

    def on_head(self, head: ResponseHead) -> None:
        """The head of an answer."""
        self._head = head
        if head.length > self._errand.most_bytes:
            self._too_large()

    def on_body(self, payload: bytes) -> None:
        """A piece of the answer's body."""
        if self.gone:
            return
        if len(self._body) + len(payload) > self._errand.most_bytes:
            self._too_large()
        elif not self._hold.take(len(payload)):
            self._end("pending", "All copies together hold as much as they may")
        else:
            self._size += len(payload)
            self._body += payload

    def on_end(self) -> None:
        """The answer is complete."""
        if self.gone:
            return
        assert self._head is not None
        body = bytes(self._body)
        self._size -= len(body)  # which is the pair's from now on
        self._end("error" if self._head.status >= 500 else "answered", "", body)

    def on_cut(self, error: UpstreamError) -> None:
        """The answer ended in its middle, or went on in a way that is no answer."""
        self.upstream = None
        self._stop("malformed" if isinstance(error, BadResponseError) else "cut", error.detail)

    def on_lost(self, error: UpstreamError) -> None:
        """The connection ended before an answer began."""
        self.upstream = None
        self._end("reset", error.detail)

    def on_bad_answer(self, error: BadResponseError) -> None:
        """The endpoint's bytes are no answer."""
        self.upstream = None
        self._end("malformed", error.detail)

    def pause_request(self) -> None:
        """The endpoint reads slowly: there is no more to come for it."""

    def resume_request(self) -> None:
        """It has caught up."""

    # --- the end ----------------------------------------------------------------------------------------------------

    def _stop(self, outcome: Outcome, detail: str) -> None:
        """No more of the answer comes, although its framing has no end yet."""
        if self._head is not None and said_its_end(self._head, self._body):
            self.on_end()
        else:
            self._end(outcome, detail)

    def _too_large(self) -> None:
        self._end("too-large", f"The answer is longer than {self._errand.most_bytes} bytes")

    def _end(self, outcome: Outcome, detail: str, body: bytes = b"") -> None:
        if self.gone:
            return
        self.gone = True
        elapsed = perf_counter_ns() - self._sent if self._sent else 0
        endpoint = self._pool.endpoint.id
        self._leave()
        self._done(self, Result(self._errand.version, outcome, endpoint, self._head, body, elapsed, detail))

    def _leave(self) -> None:
        """Give up whatever connection, or place in its queue, this leg has, and what it holds."""
        if self.upstream is not None:
            self.upstream.close()
            self.upstream = None
        self._pool.give_up(self)
        self._pool.pending -= 1
        self._hold.give(self._size)
        self._size = 0
        self._body = bytearray()
