"""What is in force is the file and the stored states together."""

from __future__ import annotations

from typing import Any

import msgspec

from stepdown.control.rollouts.course import Course
from stepdown.control.rollouts.laying import differences, laid
from stepdown.control.rollouts.places import build, places_of
from stepdown.control.state import HealthView
from stepdown.control.stores import State
from stepdown.decide.rollout_spec import Driven, Rollout
from stepdown.decide.spec import Endpoint, SnapshotSpec, Version
from stepdown.rollout import events, leading
from stepdown.rollout.document import Document, encode
from tests.kit.rollout_loop import NAME, a_spec
from tests.kit.rollouts import rollout

FILE = a_spec()
(DECLARED,) = FILE.rollouts
PLACE = places_of(FILE)[NAME]


def document(*asked: type[events.ByHand], declared: Rollout = DECLARED) -> Document:
    known = leading.first(declared, PLACE.candidate(declared))
    known = leading.simply(known, declared, events.StableReady(now=0.0, ready=1)).document
    for event in asked:
        known = leading.hand(known, declared, event(now=1.0, who="ann"), {}, "salt").document
    return known


def course(known: Document | None = None, *, read: bool = True) -> Course:
    one = Course(NAME)
    if read:
        one.take(State(1, encode(known)) if known is not None else None)
    return one


def in_force(spec: SnapshotSpec, one: Course, before: tuple[Rollout, ...] = ()) -> Rollout:
    (found,) = laid(spec, {NAME: one}, before, 2.0).rollouts
    return found


def driven(**fields: Any) -> Driven:
    return Driven(**{"run": 1, "step": 0, "weight": 5.0, "stable": "1.1.0", "salt": "salt", "evidence": True, **fields})


def test_what_was_not_started_is_what_the_file_says() -> None:
    assert in_force(FILE, course(document())) == DECLARED
    assert in_force(FILE, course()) == DECLARED


def test_what_is_driven_lies_over_the_file_under_the_terms_it_was_started_with() -> None:
    found = in_force(a_spec(rollout(50.0)), course(document(events.Started)))
    assert (found.driven, found.steps) == (driven(), DECLARED.steps)


def test_a_state_that_was_not_read_yet_is_as_the_process_before_left_it() -> None:
    left = msgspec.structs.replace(DECLARED, driven=driven())
    assert in_force(FILE, course(read=False), (left,)) == left
    assert in_force(FILE, course(read=False)) == DECLARED
    assert in_force(FILE, course(), (left,)) == DECLARED, "the store has none"


def test_what_the_process_before_left_of_another_candidate_is_nothing() -> None:
    left = msgspec.structs.replace(DECLARED, candidate="3.0.0", driven=driven())
    assert in_force(FILE, course(read=False), (left,)) == DECLARED


def test_a_state_that_has_vanished_gives_the_candidate_nothing_anywhere() -> None:
    one = course(document(events.Started))
    assert one.take(None)
    assert in_force(FILE, one).driven == Driven(run=0, step=0, weight=0.0, stable="1.1.0", taken_back=True)
    assert not one.take(None)
    assert one.take(State(1, encode(document())))
    assert in_force(FILE, one).driven is None


def test_another_build_gets_nothing_before_anybody_has_decided_about_it() -> None:
    rebuilt = a_spec(candidate="http://another")
    assert in_force(rebuilt, course(document(events.Started))).driven is None


def test_a_rollout_without_a_rule_or_unknown_here_is_as_it_is() -> None:
    unowned = msgspec.structs.replace(FILE, routes=())
    assert in_force(unowned, course(document(events.Started))) == DECLARED
    (found,) = laid(FILE, {}, (), 2.0).rollouts
    assert found == DECLARED


def test_each_difference_is_a_sentence() -> None:
    assert differences(document(), DECLARED, PLACE) == ()
    started = document(events.Started)
    assert differences(started, DECLARED, PLACE) == ("2.0.0 has 5 % of the rule everyone, and 0 % in the file",)
    assert differences(started, rollout(50.0), PLACE)[1:] == (
        "it runs by what it was started with, and the file has other steps, guards or limits",
    )
    aborted = document(events.Started, events.AbortedByHand)
    assert differences(aborted, DECLARED, PLACE) == ("1.1.0 stands in the place of 2.0.0 in every rule of r0",)


def test_an_earlier_stable_version_and_versions_in_quarantine_are_told() -> None:
    known = document(events.Started)
    held = PLACE.candidate(msgspec.structs.replace(DECLARED, candidate="3.0.0"))
    position = msgspec.structs.replace(known.position, stable="1.0.0", quarantined=(held,))
    known = msgspec.structs.replace(known, position=position)
    assert differences(known, DECLARED, PLACE)[1:] == (
        "1.0.0 has the rest, as the last good version, and 1.1.0 in the file",
        "1.0.0 stands in the place of 3.0.0, which is in quarantine",
    )


def test_a_build_is_where_a_version_is_asked_and_no_secret() -> None:
    one = Endpoint(id="a", host="a", port=80)
    two = Endpoint(id="b", host="b", port=80)
    first = build(Version(id="1.0.0", endpoints=(one, two)))
    assert build(Version(id="1.0.0", endpoints=(two, one))) == first
    assert build(Version(id="1.0.0", endpoints=(one,))) != first
    secret = msgspec.structs.replace(one, set_headers=(("authorization", "rotated"),))
    assert build(Version(id="1.0.0", endpoints=(secret, two))) == first
    other = msgspec.structs.replace(one, path="/v2")
    assert build(Version(id="1.0.0", endpoints=(other, two))) != first


def test_who_is_not_known_to_be_up_is_not_ready_unless_nobody_asks() -> None:
    key = "churn/1.1.0/http://one:80"
    assert PLACE.ready("1.1.0", {}) == 1
    assert PLACE.ready("9.9.9", {}) == 0
    assert [PLACE.ready("1.1.0", {key: HealthView(state, 0.0, "")}) for state in ("up", "down", "unknown")] == [1, 0, 0]
