"""What became of copies is counted each time and told now and then."""

from __future__ import annotations

import logging

import pytest

from stepdown.comparer.counting import LOG_SECONDS
from stepdown.comparer.results import Result
from stepdown.comparer.shadow_tally import ShadowTally
from stepdown.telemetry.buckets import REQUEST_SECONDS
from stepdown.telemetry.slab import Slab
from stepdown.wire import parse_response
from tests.kit.counts import counted

HEAD = parse_response(b"HTTP/1.1 500 X\r\n\r\n", b"GET")


def counts(slab: Slab, family: str) -> dict[tuple[str, ...], int]:
    return counted(slab, f"stepdown_shadow_{family}")


def test_each_thing_is_counted_by_route_and_shadow(slab: Slab) -> None:
    tally = ShadowTally(slab, lambda: 0.0)
    for _ in range(2):
        tally.skipped("r", "s", "rate")
        tally.noise("r", "s", "timeout")
        tally.compared("r", "s", "equal")
    tally.ended("r", "s", Result("2.0.0", "timeout", elapsed=10**9))
    assert counts(slab, "skipped_total") == {("r", "s", "rate"): 2}
    assert counts(slab, "noise_total") == {("r", "s", "timeout"): 2}
    assert counts(slab, "compared_total") == {("r", "s", "equal"): 2}
    assert counts(slab, "copies_total") == {("r", "s", "timeout"): 1}
    assert counts(slab, "seconds") == {}


def test_answers_are_counted_by_class_of_status_and_what_is_none_is_not(slab: Slab) -> None:
    tally = ShadowTally(slab, lambda: 0.0)
    for line in (b"200 OK", b"204 No Content", b"401 Unauthorized", b"503 X"):
        head = parse_response(b"HTTP/1.1 " + line + b"\r\n\r\n", b"GET")
        tally.ended("r", "s", Result("2.0.0", "error" if head.status >= 500 else "answered", "", head))
    tally.ended("r", "s", Result("2.0.0", "cut", "", HEAD))
    tally.ended("r", "s", Result("2.0.0", "refused"))
    assert counts(slab, "answers_total") == {("r", "s", "2xx"): 2, ("r", "s", "4xx"): 1, ("r", "s", "5xx"): 1}


def test_only_whole_answers_are_timed(slab: Slab) -> None:
    tally = ShadowTally(slab, lambda: 0.0)
    for outcome in ("answered", "error", "cut"):
        tally.ended("r", "s", Result("2.0.0", outcome, "", HEAD, b"", 30_000_000))
    first = slab.histogram("stepdown_shadow_seconds", ("r", "s"))
    assert sum(slab.cells[first + place] for place in range(len(REQUEST_SECONDS) + 1)) == 2
    assert slab.cells[first + len(REQUEST_SECONDS) + 1] == 60_000


def test_trouble_is_told_when_it_is_seen_first_and_then_now_and_then(
    slab: Slab, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    tally = ShadowTally(slab, lambda: now[0])
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            tally.ended("r", "s", Result("2.0.0", "error", "http://a:1", HEAD))
        tally.skipped("r", "s", "error")
        tally.ended("r", "t", Result("2.0.0", "timeout", detail="too late"))
        now[0] = LOG_SECONDS
        tally.ended("r", "s", Result("2.0.0", "error", "http://a:1", HEAD))
        tally.ended("r", "s", Result("2.0.0", "answered", "http://a:1", HEAD))
    told = [(record.message, record.__dict__["fields"]) for record in caplog.records]
    assert [(fields["shadow"], fields["reason"], fields["times"]) for _, fields in told] == [
        ("s", "error", 1),
        ("s", "error", 1),
        ("t", "timeout", 1),
        ("s", "error", 5),
    ]
    assert [message for message, _ in told][:2] == [
        "copies fail at a shadow",
        "requests are not copied to a shadow",
    ]
    assert told[0][1]["detail"] == "http://a:1 answered 500"


def test_what_is_wrong_with_answers_that_came_is_told_too(slab: Slab, caplog: pytest.LogCaptureFixture) -> None:
    tally = ShadowTally(slab, lambda: 0.0)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            tally.compared("r", "s", "incomparable", "adapter", "2.0.0 -> 1.0.0: no JSON")
            tally.compared("r", "s", "incomparable", "served: adapter")
            tally.compared("r", "s", "different")
    (record,) = caplog.records
    assert record.getMessage() == "answers of a shadow cannot be compared"
    assert vars(record)["fields"]["detail"] == "2.0.0 -> 1.0.0: no JSON"
