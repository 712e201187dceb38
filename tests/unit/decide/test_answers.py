"""What a provider said: how long it counts, what a failure changes, and that memory is bounded."""

from __future__ import annotations

from stepdown.decide.answers import STALE_TTLS, Answers, Key, Known, Subject
from stepdown.decide.flags import Evaluation
from stepdown.decide.flags.evaluation import failed

TTL = 5.0
RANKER = Subject("ranker", "string", ("targetingKey",))
NEW = Evaluation("new", "new", "TARGETING_MATCH")
DOWN = failed("GENERAL", "it is down")


def key(user: str) -> Key:
    return RANKER, (user,)


def known(answers: Answers, user: str = "u") -> Known:
    found = answers.get(key(user))
    assert found is not None
    return found


def state(answers: Answers, now: float, user: str = "u") -> tuple[bool, bool]:
    """Whether it counts, and whether it has to be asked anew."""
    one = known(answers, user)
    return one.is_usable(now, TTL, answers.epoch), one.is_due(now, TTL, answers.epoch)


def test_an_answer_is_used_for_its_ttl_then_asked_anew_and_at_last_forgotten() -> None:
    answers = Answers()
    answers.said(key("u"), NEW, 100.0, 0)
    assert known(answers).answer is NEW
    assert state(answers, 104.9) == (True, False)
    assert state(answers, 105.0) == (True, True)
    assert state(answers, 100.0 + STALE_TTLS * TTL - 0.1) == (True, True)
    assert state(answers, 100.0 + STALE_TTLS * TTL) == (False, True)
    assert known(answers).stale == Evaluation("new", "new", "STALE")


def test_a_failure_does_not_replace_an_answer_that_may_be_used_and_puts_off_asking() -> None:
    answers = Answers()
    answers.said(key("u"), NEW, 100.0, 0)
    for now in (105.0, 110.0, 158.0):
        answers.failed(key("u"), DOWN, now, ttl=TTL, again=TTL)
        assert known(answers).answer is NEW
        assert state(answers, now + TTL - 0.1)[1] is False
    assert state(answers, 160.0) == (False, False), "an hour of failures is no reason to use it for an hour"
    answers.failed(key("u"), DOWN, 163.0, ttl=TTL, again=TTL)
    assert known(answers).answer is DOWN
    assert state(answers, 163.0) == (True, False)
    answers.said(key("u"), NEW, 168.0, 0)
    assert known(answers).answer is NEW


def test_what_had_no_room_is_asked_again_soon() -> None:
    answers = Answers()
    answers.failed(key("u"), DOWN, 100.0, ttl=TTL, again=1.0)
    assert state(answers, 100.9) == (True, False)
    assert state(answers, 101.0) == (True, True)
    answers.failed(key("u"), DOWN, 101.0, ttl=0.5, again=1.0)
    assert known(answers).checked == 101.0


def test_changed_flags_make_answers_stale_and_failures_forgotten() -> None:
    answers = Answers()
    answers.said(key("u"), NEW, 100.0, 0)
    answers.failed(key("v"), DOWN, 100.0, ttl=TTL, again=TTL)
    answers.changed()
    assert state(answers, 100.0) == (True, True)
    assert state(answers, 100.0, "v") == (False, True)
    answers.said(key("u"), NEW, 101.0, 0)
    assert state(answers, 101.0) == (True, True), "it was asked before the change"
    answers.said(key("u"), NEW, 101.0, 1)
    assert state(answers, 101.0) == (True, False)


def test_after_a_change_a_failure_leaves_the_old_answer_stale() -> None:
    answers = Answers()
    answers.said(key("u"), NEW, 100.0, 0)
    answers.changed()
    answers.failed(key("u"), DOWN, 101.0, ttl=TTL, again=TTL)
    assert state(answers, 101.0) == (True, False)
    assert 101.0 - known(answers).at >= TTL, "so it is said to be stale"


def test_answers_are_bounded_in_number_and_what_is_in_use_stays() -> None:
    answers = Answers(entries=100)
    for number in range(1000):
        answers.said(key(f"u{number}"), NEW, 100.0, 0)
        assert answers.get(key("u0")) is not None
        assert len(answers) <= 100
    assert answers.get(key("u999")) is not None
    assert answers.get(key("u500")) is None


def test_answers_are_bounded_in_bytes() -> None:
    answers = Answers(entries=1000, room=100_000)
    for number in range(100):
        answers.said(key(f"{number}" + "x" * 4000), NEW, 100.0, 0)
    assert len(answers) < 100_000 / 4000
    for _ in range(1000):
        answers.said(key("u"), NEW, 100.0, 0)
    assert answers.get(key(f"{99}" + "x" * 4000)) is not None, "one that is said again takes no more room"
