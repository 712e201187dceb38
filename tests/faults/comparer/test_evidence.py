"""Comparer or controller gone in the middle of telling about a rollout: nothing counts twice, little is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stepdown.decide.checks import Watched
from stepdown.plane.evidence_books import FLUSH_SECONDS
from stepdown.process.messages import Evidence
from stepdown.rollout.counts import CONTRACT_VIOLATIONS
from tests.integration.comparer.test_evidence import watching
from tests.kit.comparer_process import ComparerProcess, comparer
from tests.kit.driven import NAME
from tests.kit.looping import eventually

WATCHED = Watched(NAME, 1, 1, "candidate")


@pytest.fixture
def process() -> Iterator[ComparerProcess]:
    with comparer(watching(1, 2)) as made:
        yield made


def units(batch: Evidence) -> list[tuple[int, str]]:
    assert all(one[:3] == (1, "candidate", CONTRACT_VIOLATIONS) for one in batch.sightings)
    return [(one.unit, one.side) for one in batch.sightings]


def test_a_controller_that_dies_with_a_batch_in_its_hands_leaves_it_to_its_successor(process: ComparerProcess) -> None:
    first = process.link()
    process.put(b"[]", 1, WATCHED)
    sent = first.hear()
    assert (sent.rollout, sent.run, sent.sequence, units(sent)) == (NAME, 1, 1, [(1, "trials"), (1, "events")])
    process.put(b'{"score": 1}', 2, WATCHED)
    assert not first.says_something(3 * FLUSH_SECONDS)  # one at a time
    first.close()

    second = process.link()
    assert second.hear() == sent
    second.take(sent)
    later = second.hear()
    assert (later.source, later.sequence, units(later)) == (sent.source, 2, [(2, "trials")])


def test_what_is_found_while_no_controller_is_there_waits_for_one(process: ComparerProcess) -> None:
    for unit in range(50):
        process.put(b"[]", unit, WATCHED)
    assert eventually(lambda: process.metric("stepdown_validations_total") == 50)
    batch = process.link().hear()
    assert sorted(units(batch)) == sorted((unit, side) for unit in range(50) for side in ("trials", "events"))


def test_a_comparer_that_is_killed_loses_what_it_had_not_sent_and_its_successor_is_another_source(
    process: ComparerProcess,
) -> None:
    line = process.link()
    process.put(b"[]", 1, WATCHED)
    sent = line.hear()
    process.put(b"[]", 2, WATCHED)  # waits until the first batch is taken
    assert eventually(lambda: process.metric("stepdown_validations_total") == 2)
    process.kill()
    process.put(b"[]", 3, WATCHED)
    process.start()
    line = process.link()
    found = line.hear()
    assert found.source != sent.source
    assert (found.sequence, units(found)) == (1, [(3, "trials"), (3, "events")])
    line.take(sent)  # comes late, and means nothing to this one
    process.put(b"[]", 4, WATCHED)
    assert not line.says_something(3 * FLUSH_SECONDS)
    line.take(found)
    assert units(line.hear()) == [(4, "trials"), (4, "events")]


def test_a_controller_that_talks_nonsense_costs_its_channel_and_nothing_else(process: ComparerProcess) -> None:
    line = process.link()
    line.send(b"\xff" * 100)
    assert line.ended()
    process.put(b"[]", 1, WATCHED)
    assert units(process.link().hear()) == [(1, "trials"), (1, "events")]


def test_a_comparer_that_is_told_to_leave_sends_what_it_has_first(process: ComparerProcess) -> None:
    line = process.link()
    process.put(b"[]", 1, WATCHED)
    assert eventually(lambda: process.metric("stepdown_validations_total") == 1)
    process.child.tell("leave")
    sent = line.hear()
    assert units(sent) == [(1, "trials"), (1, "events")]
    line.take(sent)
    assert process.wait() == 0


def test_a_comparer_that_is_told_to_leave_does_not_wait_for_a_controller_that_is_stuck(
    process: ComparerProcess,
) -> None:
    process.link()
    process.put(b"[]", 1, WATCHED)
    assert eventually(lambda: process.metric("stepdown_evidence_waiting") == 2)
    process.child.tell("leave")
    assert process.wait() == 0
    assert process.metric("stepdown_evidence_waiting") == 0
