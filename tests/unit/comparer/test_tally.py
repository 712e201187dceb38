"""What was found is counted and told within bounds."""

from __future__ import annotations

import logging

import pytest

from stepdown.comparer.counting import LOG_SECONDS
from stepdown.comparer.tally import PLACES, Tally
from stepdown.decide.checks import Subject
from stepdown.telemetry.slab import DEFAULT_SIZE, Slab
from stepdown_adapters.contract.validator import Violation
from tests.kit.counts import counted

SUBJECT = Subject("digest", "churn", "2.0.0", "1.0.0")
VIOLATION = Violation("/score", "type", "is a string, not a number")


def test_an_answer_counts_once_and_each_place_in_it_once(slab: Slab) -> None:
    tally = Tally(slab, lambda: 0.0)
    tally.validated(SUBJECT, [VIOLATION, VIOLATION, Violation("", "required", "lacks `a`")])
    tally.validated(SUBJECT, [VIOLATION])
    tally.validated(SUBJECT, [])
    named = ("churn", "2.0.0", "1.0.0")
    assert counted(slab, "stepdown_validations_total") == {(*named, "violated"): 2, (*named, "valid"): 1}
    assert counted(slab, "stepdown_violations_total") == {(*named, "/score", "type"): 2, (*named, "", "required"): 1}


def test_what_could_not_be_done_is_counted_by_reason(slab: Slab) -> None:
    Tally(slab, lambda: 0.0).skipped(SUBJECT, "stale")
    assert counted(slab, "stepdown_validations_skipped_total") == {("churn", "2.0.0", "stale"): 1}


def test_places_of_a_contract_are_bounded_also_over_several_comparers_and_served_versions(slab: Slab) -> None:
    first = Tally(slab, lambda: 0.0)
    for number in range(PLACES - 10):
        first.validated(SUBJECT, [Violation(f"/first/{number}", "type", "")])
    again = Slab.attach(slab.fd, DEFAULT_SIZE)
    second = Tally(again, lambda: 0.0)
    for number in range(60):
        second.validated(SUBJECT._replace(served="3.0.0"), [Violation(f"/second/{number}", "type", "")])
    found = counted(slab, "stepdown_violations_total")
    assert len({labels[3:] for labels in found}) == PLACES + 1
    assert found["churn", "3.0.0", "1.0.0", "other", "other"] == 50
    # Another contract has places of its own.
    second.validated(SUBJECT._replace(contract="2.0.0"), [Violation("/new", "type", "")])
    assert counted(slab, "stepdown_violations_total")["churn", "2.0.0", "2.0.0", "/new", "type"] == 1
    again.close()


def test_a_place_is_told_when_it_is_seen_first_and_then_now_and_then(
    slab: Slab, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    tally = Tally(slab, lambda: now[0])
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            tally.validated(SUBJECT, [VIOLATION])
        tally.validated(SUBJECT, [Violation("/other", "type", "is null")])
        now[0] = LOG_SECONDS
        tally.validated(SUBJECT, [VIOLATION])
    told = [record.__dict__["fields"] for record in caplog.records]
    assert [(fields["path"], fields["answers"]) for fields in told] == [("/score", 1), ("/other", 1), ("/score", 5)]
    assert told[0]["example"] == "is a string, not a number"
