from __future__ import annotations

from dataclasses import replace

from stepdown.gate.facts import Facts
from stepdown.gate.lock import Lock
from stepdown.gate.policy import Policy
from stepdown.gate.rules.case import Case
from stepdown.gate.rules.locking import lock_behind, lock_edited
from tests.kit.gate import LOGIT, SCORE, TODAY, day, judged, lock_of, state, told, version

ONE = state(version("1.0.0"))
TWO = state(version("1.0.0"), version("1.1.0"), steps=[("1.1.0", "1.0.0")])
MEANT = {**SCORE, "properties": {"score": {"type": "number", "x-semantic": {"kind": "probability"}}}}


def test_a_release_without_a_line_fails() -> None:
    assert told(judged(TWO, ONE, lock=lock_of(ONE), base_lock=lock_of(ONE)), "lock-behind") == [
        "error 1.1.0: stepdown.lock has no line for m 1.1.0"
    ]
    assert told(judged(TWO, ONE, lock=lock_of(TWO), base_lock=lock_of(ONE)), "lock-behind") == []


def test_a_prerelease_needs_no_line() -> None:
    head = state(version("1.0.0"), version("2.0.0-rc.1"), steps=[("2.0.0-rc.1", "1.0.0")])
    assert told(judged(head, ONE, lock=lock_of(ONE)), "lock-behind") == []


def test_without_any_lock_there_is_a_warning() -> None:
    (found,) = lock_behind(Case(ONE, ONE, Policy(), TODAY))
    assert found.severity == "warning"
    assert list(lock_behind(Case(Facts(), Facts(), Policy(), TODAY))) == []


def test_a_meaning_that_is_told_for_the_first_time_wants_the_line_renewed() -> None:
    head = state(version("1.0.0", MEANT))
    found = judged(head, ONE, lock=lock_of(ONE), base_lock=lock_of(ONE))
    assert told(found, "contract-edited") == []
    assert told(found, "lock-behind") == [
        "error 1.0.0: stepdown.lock has the output contract of 1.0.0 as it was before a harmless edit"
    ]
    assert not any(one.fails for one in judged(head, ONE, lock=lock_of(head), base_lock=lock_of(ONE)))


def test_a_lock_that_was_removed_fails() -> None:
    (found,) = lock_edited(Case(ONE, ONE, Policy(), TODAY, None, lock_of(ONE)))
    assert found.sentence == "stepdown.lock was removed"


def test_a_line_that_was_removed_fails_also_for_a_version_that_is_gone() -> None:
    found = judged(ONE, TWO, lock=lock_of(ONE), base_lock=lock_of(TWO))
    assert told(found, "lock-edited") == ["error 1.1.0: the line of m 1.1.0 was removed"]
    assert told(judged(ONE, TWO, lock=lock_of(TWO), base_lock=lock_of(TWO)), "lock-edited") == []


def test_the_day_of_publication_stays() -> None:
    found = judged(ONE, ONE, lock=lock_of(ONE, "2025-01-01"), base_lock=lock_of(ONE, "2026-01-01"))
    assert told(found, "lock-edited") == [
        "error 1.0.0: 1.0.0 was published on 2026-01-01, and the line says 2025-01-01"
    ]


def test_a_fingerprint_that_was_changed_by_hand_fails_at_its_line() -> None:
    before = lock_of(ONE)
    entry = replace(
        before.entries["m", "1.0.0"], prints=lock_of(state(version("1.0.0", LOGIT))).entries["m", "1.0.0"].prints
    )
    changed = Lock({("m", "1.0.0"): entry}, before.lines)
    (found,) = [one for one in judged(ONE, ONE, lock=changed, base_lock=before) if one.rule == "lock-edited"]
    assert (found.place.file, found.place.line) == ("stepdown.lock", 4)
    assert entry.published == day("2026-01-01")


def test_a_contract_of_requests_that_the_line_does_not_have_fails_whatever_the_base_is() -> None:
    head = state(version("1.0.0", request={"type": "object"}))
    assert told(judged(head, Facts(), lock=lock_of(ONE)), "lock-behind") == [
        "error 1.0.0: stepdown.lock has the input contract of 1.0.0 as it was before a harmless edit"
    ]
