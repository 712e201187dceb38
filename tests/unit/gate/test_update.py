from __future__ import annotations

from stepdown.gate.lock import Lock
from stepdown.gate.policy import Policy
from stepdown.gate.steps import edits_of
from stepdown.gate.update import Acceptance, update
from tests.kit.gate import LOGIT, SCORE, TODAY, lock_of, state, version

ONE = state(version("1.0.0"))
KEY = ("m", "1.0.0")
MEANT = {**SCORE, "properties": {"score": {"type": "number", "x-semantic": {"kind": "probability"}}}}


def test_every_release_with_a_contract_gets_a_line_with_the_day() -> None:
    head = state(version("1.0.0"), version("1.1.0", None), version("2.0.0-rc.1"))
    done = update(Lock(), head, TODAY, {}, {})
    assert done.added == (KEY,)
    assert done.lock.entries[KEY].published == TODAY
    assert update(done.lock, head, TODAY, {}, {}).added == ()


def test_a_line_stays_when_its_version_is_gone() -> None:
    assert update(lock_of(ONE), state(version("2.0.0")), TODAY, {}, {}).lock.entries.keys() == {KEY, ("m", "2.0.0")}


def test_an_edit_is_refused_unless_it_is_accepted_and_then_kept_with_its_reason() -> None:
    head, lock = state(version("1.0.0", LOGIT)), lock_of(ONE)
    refused = update(lock, head, TODAY, {}, {})
    assert refused.refused == (KEY,)
    assert refused.lock.entries == lock.entries
    accepted = update(lock, head, TODAY, {KEY: Acceptance("never deployed", "ann")}, {})
    entry = accepted.lock.entries[KEY]
    assert accepted.changed == (KEY,)
    assert entry.prints == head.models["m"].versions["1.0.0"].prints
    assert entry.published == lock.entries[KEY].published
    assert [(edit.was, edit.reason, edit.by) for edit in entry.edits] == [
        (lock.entries[KEY].prints, "never deployed", "ann")
    ]


def test_an_edit_that_the_base_shows_to_be_harmless_needs_nobody() -> None:
    head = state(version("1.0.0", MEANT))
    assert update(lock_of(ONE), head, TODAY, {}, {}).refused == (KEY,)
    done = update(lock_of(ONE), head, TODAY, {}, edits_of(head, ONE, Policy()))
    assert done.changed == (KEY,)
    assert done.lock.entries[KEY].edits == ()


def test_a_contract_of_requests_may_be_added_later() -> None:
    done = update(lock_of(ONE), state(version("1.0.0", request={"type": "object"})), TODAY, {}, {})
    assert done.changed == (KEY,)
    assert set(done.lock.entries[KEY].prints) == {"output", "input"}


def test_what_was_accepted_for_nothing_is_named() -> None:
    assert update(lock_of(ONE), ONE, TODAY, {KEY: Acceptance("x")}, {}).needless == (KEY,)
