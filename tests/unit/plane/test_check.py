"""What a worker does with an answer that may be held against contracts: sample, look, hand over, count."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from stepdown.decide.checks import Sample, Subject, Watched, parse
from stepdown.decide.sampling import Sampler
from stepdown.plane.check import Check
from stepdown.plane.handoff import GATHERED_BYTES, Handoff
from stepdown.telemetry.ring import RingReader, RingWriter
from stepdown.telemetry.slab import Slab
from stepdown.wire import ResponseHead, parse_response

NATIVE = Subject("digest", "churn", "2.0.0", "2.0.0")
DELIVERED = Subject("digest", "churn", "2.0.0", "1.0.0")
LIMIT = 1000
BODY = b'{"score": 0.5}'
UNIT = 2**64 - 1
WATCHED = Watched("churn-2", 4, 1, "candidate")


class Scene:
    """A check, and what came out of it."""

    def __init__(
        self,
        ring: int,
        size: int,
        share: float,
        native: Subject | None,
        delivered: Subject | None,
        watched: Watched | None,
    ) -> None:
        self.bell = os.eventfd(0, os.EFD_NONBLOCK)
        self.writer, self.reader = RingWriter(ring, size), RingReader(ring, size)
        self.handoff = Handoff(self.writer, self.bell)
        self.slab = Slab.create()
        self.check = Check(
            sampler=Sampler(share, 1),
            handoff=self.handoff,
            slab=self.slab,
            native=native,
            delivered=delivered,
            limit=LIMIT,
            watched=watched,
        )

    def samples(self) -> list[Sample]:
        found = []
        while (record := self.reader.take()) is not None:
            found.append(parse(record))
        return found

    def skipped(self) -> dict[str, int]:
        return {
            series.labels[2]: self.slab.cells[series.first]
            for series in self.slab.series()
            if series.family == "stepdown_validations_skipped_total" and self.slab.cells[series.first]
        }

    @property
    def rung(self) -> bool:
        return bool(select.select([self.bell], [], [], 0)[0])


@contextmanager
def scene(
    *,
    share: float = 1.0,
    size: int = 65_536,
    native: Subject | None = NATIVE,
    delivered: Subject | None = None,
    watched: Watched | None = WATCHED,
) -> Iterator[Scene]:
    ring = os.memfd_create("ring")
    os.ftruncate(ring, size)
    made = Scene(ring, size, share, native, delivered, watched)
    try:
        yield made
    finally:
        made.writer.close()
        made.reader.close()
        made.slab.close()
        for fd in (ring, made.bell, made.slab.fd):
            os.close(fd)


def head(status: int = 200, *lines: bytes, media: bytes = b"application/json", length: int = len(BODY)) -> ResponseHead:
    fields = [b"content-type: " + media] if media else []
    fields += lines or (b"content-length: %d" % length,)
    return parse_response(b"HTTP/1.1 %d OK\r\n" % status + b"\r\n".join(fields) + b"\r\n\r\n", b"POST")


# --- what is handed over --------------------------------------------------------------------------------------------


def test_an_answer_that_is_passed_on_goes_with_its_contract() -> None:
    with scene() as made:
        made.check.passed(head(), BODY, UNIT)
        assert made.samples() == [Sample(NATIVE, "", LIMIT, BODY, WATCHED, UNIT)]
        assert made.skipped() == {}


def test_what_needs_no_adapting_is_held_against_both_contracts() -> None:
    with scene(delivered=DELIVERED) as made:
        made.check.passed(head(), BODY, UNIT)
        assert [(sample.subject, sample.body) for sample in made.samples()] == [(NATIVE, BODY), (DELIVERED, BODY)]


def test_an_adapted_answer_is_held_against_its_own_contract_and_its_result_against_the_other() -> None:
    with scene(delivered=DELIVERED) as made:
        made.check.adapted(head(200, b"content-encoding: gzip", b"content-length: 9"), BODY, b"{}", UNIT)
        # Both bodies are decoded, whatever the answer's head says.
        assert made.samples() == [
            Sample(NATIVE, "", LIMIT, BODY, WATCHED, UNIT),
            Sample(DELIVERED, "", LIMIT, b"{}", WATCHED, UNIT),
        ]


@pytest.mark.parametrize(("native", "delivered"), [(NATIVE, None), (None, DELIVERED)])
def test_only_contracts_that_there_are(native: Subject | None, delivered: Subject | None) -> None:
    with scene(native=native, delivered=delivered) as made:
        made.check.adapted(head(), BODY, b"{}", UNIT)
        assert [sample.subject for sample in made.samples()] == [native or delivered]


def test_an_answer_that_could_not_be_adapted_is_held_against_its_own_contract() -> None:
    with scene(delivered=DELIVERED) as made:
        made.check.failed(head(200, b"content-encoding: gzip", b"content-length: 9"), BODY, UNIT)
        assert made.samples() == [Sample(NATIVE, "gzip", LIMIT, BODY, WATCHED, UNIT)]


def test_codings_are_left_to_the_comparer() -> None:
    with scene() as made:
        made.check.passed(head(200, b"content-encoding: gzip, br", b"content-length: 9"), b"123456789", UNIT)
        assert made.samples() == [Sample(NATIVE, "gzip, br", LIMIT, b"123456789", WATCHED, UNIT)]


def test_the_share_is_exact() -> None:
    with scene(share=0.01) as made:
        for _ in range(1000):
            made.check.passed(head(), BODY, UNIT)
        assert len(made.samples()) == 10


@pytest.mark.parametrize(
    "media", [b"application/json", b"Application/JSON; charset=utf-8", b"text/json", b"application/vnd.x+json"]
)
def test_json_has_many_names(media: bytes) -> None:
    with scene() as made:
        made.check.passed(head(media=media), BODY, UNIT)
        assert len(made.samples()) == 1


def test_an_answer_that_is_evidence_of_nothing_says_so() -> None:
    with scene(watched=None) as made:
        made.check.passed(head(), BODY, 0)
        assert made.samples() == [Sample(NATIVE, "", LIMIT, BODY)]


def test_all_that_is_handed_over_of_an_answer_says_whose_evidence_it_is() -> None:
    with scene(delivered=DELIVERED) as made:
        made.check.passed(head(), BODY, 1)
        made.check.adapted(head(), BODY, b"{}", 2)
        made.check.failed(head(), BODY, 3)
        gathering = made.check.begun(head(), 4)
        assert gathering is not None
        gathering.add(BODY)
        gathering.done()
        found = made.samples()
        assert [sample.unit for sample in found] == [1, 1, 2, 2, 3, 4, 4]
        assert {sample.watched for sample in found} == {WATCHED}


# --- what is not ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "body", "reason"),
    [
        (head(media=b"text/plain"), BODY, "media-type"),
        (head(media=b""), BODY, "media-type"),
        (head(200, b"inference-header-content-length: 4", b"content-length: 14"), BODY, "media-type"),
        (head(media=b"text/event-stream"), BODY, "stream"),
        (head(media=b"application/x-ndjson"), BODY, "stream"),
        (head(206), BODY, "partial"),
        (head(), b"1" * (LIMIT + 1), "too-large"),
    ],
    ids=["text", "no media type", "binary tensors", "events", "lines", "partial", "too large"],
)
def test_what_is_no_document_is_counted_as_skipped(answer: ResponseHead, body: bytes, reason: str) -> None:
    with scene(delivered=DELIVERED) as made:
        made.check.passed(answer, body, UNIT)
        made.check.failed(answer, body, UNIT)
        made.check.adapted(answer, body, body, UNIT)
        assert made.skipped() == {reason: 3}
        assert made.samples() == []


def test_an_answer_without_a_body_is_not_even_that() -> None:
    with scene() as made:
        made.check.passed(head(length=0), b"", UNIT)
        assert (made.samples(), made.skipped()) == ([], {})


def test_an_answer_as_long_as_the_limit_is_taken() -> None:
    with scene() as made:
        made.check.passed(head(), b"1" * LIMIT, UNIT)
        assert len(made.samples()) == 1


def test_a_result_that_is_too_large_is_skipped_with_its_answer() -> None:
    with scene(delivered=DELIVERED) as made:
        made.check.adapted(head(), BODY, b"1" * (LIMIT + 1), UNIT)
        assert (made.samples(), made.skipped()) == ([], {"too-large": 1})


# --- bounds of the hand-off -----------------------------------------------------------------------------------------


def test_what_has_no_room_is_dropped_and_counted_and_never_waits() -> None:
    with scene(size=4096) as made:
        for _ in range(1000):
            made.check.passed(head(), BODY, UNIT)
        waiting = made.writer.waiting
        assert waiting <= 4096
        kept = len(made.samples())
        assert 0 < kept < 100
        assert made.skipped() == {"full": 1000 - kept}
        made.check.passed(head(), BODY, UNIT)
        assert len(made.samples()) == 1


def test_a_sleeping_comparer_is_rung_once() -> None:
    with scene() as made:
        made.check.passed(head(), BODY, UNIT)
        assert not made.rung
        made.reader.sleep()
        made.check.passed(head(), BODY, UNIT)
        assert made.rung
        os.eventfd_read(made.bell)
        made.check.passed(head(), BODY, UNIT)
        assert not made.rung


# --- answers in pieces ----------------------------------------------------------------------------------------------


def test_pieces_are_handed_over_when_they_are_whole() -> None:
    with scene(delivered=DELIVERED) as made:
        gathering = made.check.begun(head(), UNIT)
        assert gathering is not None
        gathering.add(BODY[:5])
        gathering.add(BODY[5:])
        assert made.samples() == []
        assert made.handoff.gathered == len(BODY)
        gathering.done()
        assert [(sample.subject, sample.body) for sample in made.samples()] == [(NATIVE, BODY), (DELIVERED, BODY)]
        assert made.handoff.gathered == 0


def test_an_answer_that_was_not_sampled_or_says_that_it_is_too_long_is_not_copied_at_all() -> None:
    with scene(share=0.000001) as made:
        assert made.check.begun(head(), UNIT) is None
        assert made.skipped() == {}
    with scene() as made:
        assert made.check.begun(head(length=LIMIT + 1), UNIT) is None
        assert made.check.begun(head(media=b"text/event-stream"), UNIT) is None
        assert made.skipped() == {"too-large": 1, "stream": 1}


def test_pieces_that_become_too_many_are_let_go() -> None:
    with scene() as made:
        gathering = made.check.begun(head(200, b"transfer-encoding: chunked"), UNIT)
        assert gathering is not None
        for _ in range(3):
            gathering.add(b"1" * 400)
        assert made.handoff.gathered == 0
        gathering.add(b"1")
        gathering.done()
        assert made.samples() == []
        assert made.skipped() == {"too-large": 1}


def test_an_answer_that_is_cut_leaves_nothing_behind() -> None:
    with scene() as made:
        gathering = made.check.begun(head(), UNIT)
        assert gathering is not None
        gathering.add(BODY[:5])
        gathering.drop()
        gathering.drop()
        assert made.handoff.gathered == 0
        assert (made.samples(), made.skipped()) == ([], {})


def test_all_answers_in_pieces_together_have_a_bound() -> None:
    with scene() as made:
        gatherings = []
        for _ in range(2 * GATHERED_BYTES // LIMIT):
            gathering = made.check.begun(head(200, b"transfer-encoding: chunked"), UNIT)
            assert gathering is not None
            gathering.add(b"1" * LIMIT)
            gatherings.append(gathering)
            assert made.handoff.gathered <= GATHERED_BYTES
        assert made.skipped()["full"] == len(gatherings) - GATHERED_BYTES // LIMIT
        for gathering in gatherings:
            gathering.drop()
        assert made.handoff.gathered == 0
