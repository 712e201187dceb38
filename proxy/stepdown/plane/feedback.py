"""What applications post about answers of rollouts: checked, noted, and acknowledged once the store has it.

`POST /-/stepdown/feedback` is looked for only where `feedback` is configured, and only in heads that no decision is
settled for. Then, in this order:

1. The method, the key, the coding and the length are checked before any of the body is read.
2. The body is gathered, within a bound for each and one for how many at a time, and read at once
   (`decide.feedback_body`): a thousand items take some milliseconds.
3. Each genuine token becomes a sighting in the book of its run, for the stage and the version that the token names.
4. The answer says what became of each item, when the store has all that counts. If it takes too long, the answer is
   503: whoever posted does so again, and what was noted meanwhile counts once.

A key is a long random text that nobody can guess, so guessing is not slowed down.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections import Counter
from email.utils import formatdate
from time import time
from typing import TYPE_CHECKING

import msgspec

from stepdown.decide import feedback_body
from stepdown.decide.feedback import Verifier
from stepdown.decide.feedback_body import MOST_BYTES, Evidence, Outcome, Refused, Unreadable
from stepdown.decide.rollout_spec import Feedback, Threshold
from stepdown.decide.spec import SnapshotSpec
from stepdown.errors import (
    BodyTooLargeError,
    FeedbackRefusedError,
    FeedbackUnavailableError,
    StepdownError,
)
from stepdown.plane import stages
from stepdown.plane.evidence import runs_of
from stepdown.plane.evidence_books import Book, Books
from stepdown.rollout.counts import OWN_KINDS
from stepdown.telemetry.slab import Slab
from stepdown.wire import serialise

if TYPE_CHECKING:
    from stepdown.plane.exchange import Exchange

PATH = b"/-/stepdown/feedback"
KEY_FIELD = b"x-stepdown-feedback-key"
STORE_SECONDS = 2.0
"""How long the store may take."""
RETRY_SECONDS = 2
MOST_OPEN = 64
"""Posts at a time, in one worker: so many bodies are the memory that may be used for them."""


def events_of(spec: SnapshotSpec) -> dict[str, frozenset[str]]:
    """The events that may be posted, by rollout: those that guards count and that nobody else does."""
    return {
        rollout.name: frozenset(
            guard.kind
            for guard in rollout.guards
            if not isinstance(guard, Threshold) and guard.source is None and guard.kind not in OWN_KINDS
        )
        for rollout in spec.rollouts
    }


def desk_of(spec: SnapshotSpec, books: Books | None, slab: Slab) -> FeedbackDesk | None:
    """Who takes what is posted under a configuration; `None` where nobody may post."""
    return FeedbackDesk(spec.feedback, spec, books, slab) if spec.feedback is not None and books is not None else None


class FeedbackDesk:
    """Takes what is posted, under one configuration."""

    def __init__(self, settings: Feedback, spec: SnapshotSpec, books: Books, slab: Slab) -> None:
        self.books = books
        self.open = 0
        """Posts that have no answer yet."""
        self._keys = tuple(bytes.fromhex(key.sha256) for key in settings.keys)
        self._verifier = Verifier(settings.secrets, runs_of(spec))
        self._events = events_of(spec)
        self._max_age = settings.max_age
        self._slab = slab

    def begin(self, exchange: Exchange) -> None:
        """Take a post, or raise what its sender is told."""
        self._check(exchange)
        if self.open >= MOST_OPEN:
            raise FeedbackUnavailableError(
                f"This worker has {MOST_OPEN} posts to answer already", retry_after=RETRY_SECONDS
            )
        post = exchange.relay = Post(self, exchange)
        if exchange.complete:
            post.read()
            return
        exchange.stage = stages.COLLECT_FEEDBACK
        if exchange.head.expect:
            exchange.client.send_continue()
        exchange.client.wait(exchange.runtime.client_timeouts.request_body_idle)

    def more(self, exchange: Exchange, payload: bytes) -> None:
        """Another piece of a body."""
        if exchange.received > MOST_BYTES:
            raise _too_large()
        exchange.keep(payload)
        if not exchange.complete:
            exchange.client.wait(exchange.runtime.client_timeouts.request_body_idle)
        elif isinstance(exchange.relay, Post):
            exchange.relay.read()

    def _check(self, exchange: Exchange) -> None:
        head = exchange.head
        if head.method != b"POST":
            exchange.extra = b"allow: POST\r\n"
            raise FeedbackRefusedError(f"Feedback is posted, and this is {head.method.decode()}", status=405)
        key = _key(exchange)
        if key is None:
            exchange.extra = b'www-authenticate: Bearer realm="stepdown feedback"\r\n'
            raise FeedbackRefusedError(
                "Feedback needs a key, as Authorization: Bearer KEY or X-Stepdown-Feedback-Key: KEY", status=401
            )
        digest = hashlib.sha256(key).digest()
        if not any(hmac.compare_digest(digest, known) for known in self._keys):
            raise FeedbackRefusedError("This key may not post feedback", status=403)
        coding = head.get(b"content-encoding")
        if coding is not None and coding.lower() != b"identity":
            raise FeedbackRefusedError("Feedback has to come without content coding", status=415)
        if max(head.length, exchange.received) > MOST_BYTES:
            raise _too_large()

    # --- for posts ----------------------------------------------------------------------------------------------------

    def outcomes(self, body: bytes) -> list[Evidence | Refused]:
        """What the items of a body are; raises what its sender is told of one that is refused as a whole."""
        items = feedback_body.decode(body)
        if isinstance(items, Unreadable):
            if items.status == BodyTooLargeError.status:
                raise BodyTooLargeError(items.detail)
            raise FeedbackRefusedError(items.detail, status=items.status)
        now = time()
        return [
            item
            if isinstance(item, Refused)
            else feedback_body.checked(item, self._verifier, self._events, now, self._max_age)
            for item in items
        ]

    def note(self, found: list[Evidence | Refused]) -> tuple[list[Outcome], list[Book]]:
        """Note what counts; what became of each item, and in whose books it stands."""
        books: dict[tuple[str, int], Book] = {}
        for item in found:
            if isinstance(item, Evidence):
                run = item.claim.run
                books[run.rollout, run.number] = self.books.book(run.rollout, run.number)
        if not all(book.has_room(len(found)) for book in books.values()):
            raise FeedbackUnavailableError(
                "The store does not keep up, and there is no room for more", retry_after=RETRY_SECONDS
            )
        outcomes: list[Outcome] = []
        for item in found:
            if isinstance(item, Refused):
                outcomes.append(item)
            else:
                claim = item.claim
                book = books[claim.run.rollout, claim.run.number]
                new = book.saw(claim.stage, claim.arm, item.event, claim.unit)
                outcomes.append("accepted" if new else "duplicate")
        return outcomes, list(books.values())

    def count(self, found: list[Evidence | Refused], outcomes: list[Outcome], *, stored: bool) -> None:
        """Count what became of the items of a body: most became the same, whose series is looked up once."""
        series = Counter(
            ("none", "none", item.reason)
            if isinstance(item, Refused)
            else (item.claim.run.rollout, item.event, str(outcome) if stored else "unstored")
            for item, outcome in zip(found, outcomes, strict=True)
        )
        for labels, times in series.items():
            self._slab.cells[self._slab.counter("stepdown_feedback_total", labels)] += times


class Post:
    """One post, from the first byte of its body to its answer."""

    __slots__ = ("_books", "_desk", "_exchange", "_found", "_missing", "_outcomes", "_timer")

    until_close = False

    def __init__(self, desk: FeedbackDesk, exchange: Exchange) -> None:
        desk.open += 1
        self._desk = desk
        self._exchange: Exchange | None = exchange
        self._timer: asyncio.TimerHandle | None = None
        self._books: list[Book] = []
        self._missing = 0
        """Books of which the store does not have everything yet."""
        self._found: list[Evidence | Refused] = []
        self._outcomes: list[Outcome] = []

    def read(self) -> None:
        """The body is whole; raises what its sender is told."""
        exchange, desk = self._exchange, self._desk
        assert exchange is not None
        body, exchange.body = bytes(exchange.body), b""
        self._found = desk.outcomes(body)
        self._outcomes, self._books = desk.note(self._found)
        if not self._books:
            self._answer()
            return
        exchange.stage = stages.AWAIT_STORE
        exchange.client.wait(0)
        self._timer = exchange.client.plane.loop.call_later(STORE_SECONDS, self._late)
        self._missing = len(self._books)
        for book in self._books:
            book.when_stored(self._stored)
        for book in self._books:
            desk.books.push(book)

    def on_body(self, payload: bytes) -> None:
        """There is no server whose answer this could be."""

    def on_end(self) -> None:
        """Nor any end of it."""

    def drop(self) -> None:
        """Whoever posted has left, or is told that it failed; what was noted is sent all the same."""
        if self._exchange is not None:
            self._exchange = None
            self._desk.open -= 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for book in self._books:
            book.forget(self._stored)
        self._books = []

    def _stored(self) -> None:
        self._missing -= 1
        if not self._missing:
            self._answer()

    def _late(self) -> None:
        exchange = self._exchange
        assert exchange is not None
        self._desk.count(self._found, self._outcomes, stored=False)
        exchange.fail(
            FeedbackUnavailableError(
                f"The store has not taken it in {STORE_SECONDS:g} s; post it again, it counts once",
                retry_after=RETRY_SECONDS,
            )
        )

    def _answer(self) -> None:
        exchange = self._exchange
        assert exchange is not None
        self._desk.count(self._found, self._outcomes, stored=True)
        self.drop()
        exchange.relay = None
        said = feedback_body.answer(self._outcomes)
        body = msgspec.json.encode(said)
        client = exchange.client
        close = exchange.head.close or client.closing
        lines = [
            serialise.STATUS_LINES[said.status],
            serialise.field("date", formatdate(usegmt=True)),
            b"content-type: application/json\r\ncache-control: no-store\r\n",
            b"content-length: %d\r\n" % len(body),
        ]
        if close:
            lines.append(serialise.CLOSE_LINE)
        elif exchange.head.minor == 0:
            lines.append(serialise.KEEP_ALIVE_LINE)
        exchange.status = said.status
        exchange.answer_begun = True
        exchange.response_bytes = len(body)
        client.write(b"".join((*lines, b"\r\n", body)))
        exchange.finish(close)


def _key(exchange: Exchange) -> bytes | None:
    """What the sender shows as its key."""
    scheme, _, key = (exchange.head.get(b"authorization") or b"").partition(b" ")
    if scheme.lower() == b"bearer" and key.strip(b" "):
        return key.strip(b" ")
    return exchange.head.get(KEY_FIELD) or None


def _too_large() -> StepdownError:
    return BodyTooLargeError(f"Feedback has at most {MOST_BYTES} bytes at a time")
