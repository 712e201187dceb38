"""What one replica knows of one rollout, as the store and its own looks tell it."""

from __future__ import annotations

import msgspec

from stepdown.control.rollouts.course import Course
from stepdown.control.stores import State
from stepdown.rollout import events, leading
from stepdown.rollout.batch import Cell, Counts
from stepdown.rollout.document import Document, encode
from stepdown.rollout.leading import Happened
from stepdown.rollout.looking import Totals
from stepdown.rollout.position import Candidate
from tests.kit.rollouts import rollout

FILE = rollout()
PENDING = leading.first(FILE, Candidate(version="2.0.0", endpoints="aa"))
HAPPENED = Happened(1.0, 1, "rolled back", "stepping", "rolled back", 0, 0.0, alert=True)


def started() -> Document:
    return leading.hand(PENDING, FILE, events.Started(now=1.0, who="ann"), {}, "salt").document


def known(document: Document, version: int = 1) -> Course:
    one = Course("m")
    assert one.take(State(version, encode(document)))
    return one


def test_before_the_store_was_asked_nothing_is_missing() -> None:
    one = Course("m")
    assert (one.read, one.missing, one.runs) == (False, False, False)
    assert one.take(None)
    assert one.missing
    assert not one.vanished
    assert not one.take(None)


def test_what_was_seen_since_is_kept_over_a_look_at_the_same_state() -> None:
    one = known(started())
    ahead = msgspec.structs.replace(started(), since=99.0)
    one.document = ahead
    assert not one.take(State(1, encode(started())))
    assert one.document == ahead
    assert one.take(State(2, encode(PENDING)))
    assert one.document == PENDING


def test_after_a_write_in_doubt_the_store_is_believed() -> None:
    one = known(started())
    one.document, one.doubted = PENDING, True
    assert one.take(State(1, encode(started())))
    assert (one.document, one.doubted) == (started(), False)


def test_what_happened_here_alone_is_shown_and_goes_with_another_state() -> None:
    one = known(started())
    one.alone, one.owed = PENDING, (HAPPENED,)
    assert (one.shown, one.runs) == (PENDING, False)
    assert not one.take(State(1, encode(started())))
    assert one.owed
    assert one.take(State(2, encode(started())))
    assert (one.shown, one.runs, one.owed) == (started(), True, ())


def test_a_state_of_no_use_is_missing_and_says_why() -> None:
    one = known(started())
    assert one.take(State(2, b"{}"))
    assert (one.document, one.missing) == (None, True)
    assert one.refused == "the state of m cannot be read: it is no state of a rollout"
    one.wrote(3, started())
    assert (one.refused, one.version, one.missing) == ("", 3, False)


def totals(units: int) -> Totals:
    return {Cell(0, "stable", "units"): Counts(units, 0)}


def test_the_rate_is_that_of_the_last_minute() -> None:
    one = known(started())
    assert one.rate is None
    for second in range(200):
        one.noted(totals(10 * second if second < 100 else 1000 + 5 * (second - 100)), float(second))
    assert one.rate == 5.0
    one.noted(totals(0), 201.0)
    assert one.rate is None, "another run"


def test_what_does_not_run_has_no_rate() -> None:
    one = known(PENDING)
    one.noted(totals(0), 0.0)
    one.noted(totals(10), 1.0)
    assert one.rate is None
