"""What is done to hold the answers of one plan against contracts: sample, look whether it can be, hand over.

All of it comes after the answer has been given to the client's connection, and only where the configuration asks for
it: a plan without a `Check` costs nothing. The comparer does the work (`comparer.comparer`). Of answers that are
evidence of a rollout, it is told whose they are: the arm is the plan's, the unit the exchange's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepdown.decide.checks import Subject, Watched, head, label
from stepdown.decide.sampling import Sampler
from stepdown.plane import adapt
from stepdown.plane.handoff import Handoff, Pieces
from stepdown.telemetry.slab import Slab

if TYPE_CHECKING:
    from stepdown.wire import ResponseHead


class Check:
    """Of one plan; the sampler is shared by all plans of the version that computes the answers, or of one arm."""

    __slots__ = ("_cells", "_delivered", "_handoff", "_limit", "_native", "_sampler", "_skipped", "_slab")

    def __init__(
        self,
        *,
        sampler: Sampler,
        handoff: Handoff,
        slab: Slab,
        native: Subject | None,
        delivered: Subject | None,
        limit: int,
        watched: Watched | None = None,
    ) -> None:
        """`native` is the served version's contract; `delivered` that of another shape in which answers are given.

        Where answers are evidence, `watched` says of what; `unit` of each of them is then the hash of its unit.
        """
        self._sampler = sampler
        self._handoff = handoff
        self._native = label(native, watched) if native is not None else b""
        self._delivered = label(delivered, watched) if delivered is not None else b""
        self._limit = limit
        self._slab = slab
        self._cells: dict[str, int] = {}
        subject = native or delivered
        assert subject is not None
        self._skipped = (subject.model, subject.served)

    def passed(self, answer: ResponseHead, body: bytes, unit: int) -> None:
        """A whole answer that was passed on as it is."""
        if body and self._sampler.take() and self._fits(answer, len(body)):
            self._hand_over(answer, body, unit)

    def adapted(self, answer: ResponseHead, body: bytes, delivered: bytes, unit: int) -> None:
        """A whole answer, decoded, and what it was adapted to."""
        if self._sampler.take() and self._fits(answer, max(len(body), len(delivered))):
            if self._native:
                self._put(self._native, body, unit)
            if self._delivered:
                self._put(self._delivered, delivered, unit)

    def failed(self, answer: ResponseHead, body: bytes, unit: int) -> None:
        """A whole answer, not decoded, that could not be adapted: its own contract may say why."""
        if self._native and self._sampler.take() and self._fits(answer, len(body)):
            self._put(self._native, body, unit, adapt.notes(answer).codings or b"")

    def begun(self, answer: ResponseHead, unit: int) -> Gathering | None:
        """An answer that is passed on as it comes: where its pieces are copied to, if they are to be."""
        if self._sampler.take() and self._fits(answer, answer.length):
            return Gathering(self, self._handoff, answer, self._limit, unit)
        return None

    def ended(self, answer: ResponseHead, body: bytearray, unit: int) -> None:
        """What was gathered of a sampled answer is whole."""
        if body:
            self._hand_over(answer, body, unit)

    def skip(self, reason: str) -> None:
        """Count a sampled answer that is not held against anything."""
        cell = self._cells.get(reason)
        if cell is None:
            labels = (*self._skipped, reason)
            cell = self._cells[reason] = self._slab.counter("stepdown_validations_skipped_total", labels)
        self._slab.cells[cell] += 1

    def _hand_over(self, answer: ResponseHead, body: bytes | bytearray, unit: int) -> None:
        """Once for each contract: what needs no adapting is in both shapes."""
        codings = adapt.notes(answer).codings or b""
        for contract in (self._native, self._delivered):
            if contract:
                self._put(contract, body, unit, codings)

    def _put(self, contract: bytes, body: bytes | bytearray, unit: int, codings: bytes = b"") -> None:
        if not self._handoff.put(head(contract, self._limit, codings, unit), body):
            self.skip("full")

    def _fits(self, answer: ResponseHead, size: int) -> bool:
        """Whether it is a document that can be held against a contract; else it is counted as skipped."""
        if adapt.notes(answer).stream is not None:
            self.skip("stream")
        elif not _is_json(answer):
            self.skip("media-type")
        elif answer.status == 206:
            self.skip("partial")
        elif size > self._limit:
            self.skip("too-large")
        else:
            return True
        return False


class Gathering:
    """The copy of one sampled answer that passes through in pieces."""

    __slots__ = ("_answer", "_check", "_pieces", "_unit")

    def __init__(self, check: Check, handoff: Handoff, answer: ResponseHead, limit: int, unit: int) -> None:
        self._check = check
        self._answer = answer
        self._unit = unit
        self._pieces: Pieces | None = Pieces(handoff, limit)
        """`None` once it was given up."""

    def add(self, piece: bytes) -> None:
        """Copy a piece, unless it is too much."""
        pieces = self._pieces
        if pieces is not None:
            pieces.add(piece)
            if pieces.missing:
                self._pieces = None
                self._check.skip(pieces.missing)

    def done(self) -> None:
        """It is whole: hand it over."""
        pieces, self._pieces = self._pieces, None
        if pieces is not None:
            self._check.ended(self._answer, pieces.take(), self._unit)

    def drop(self) -> None:
        """Let go of what was copied, as of an answer that was cut."""
        pieces, self._pieces = self._pieces, None
        if pieces is not None:
            pieces.take()


def _is_json(answer: ResponseHead) -> bool:
    """Whether the body is one JSON document; with Triton's header, binary tensors follow the document."""
    media = (answer.get(b"content-type") or b"").partition(b";")[0].strip().lower()
    named = media in (b"application/json", b"text/json") or media.endswith(b"+json")
    return named and answer.get(b"inference-header-content-length") is None
