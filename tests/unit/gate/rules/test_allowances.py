from __future__ import annotations

from dataclasses import replace

from stepdown.gate.facts import Facts, Place
from stepdown.gate.lock import Edit, Lock
from stepdown.gate.policy import Approval, Policy, Waiver
from tests.kit.gate import LOGIT, TODAY, day, judged, lock_of, state, told, version

HEAD = state(version("1.0.0"), version("2.0.0", LOGIT))
PLACE = Place("stepdown-policy.yaml", 9)


def waiver(**changes: object) -> Waiver:
    one = Waiver("breaking-unadapted", "m", "2.0.0", "ann", "no clients yet", day("2026-12-01"), PLACE)
    return replace(one, **changes)  # type: ignore[arg-type]


def failing(policy: Policy, head: Facts = HEAD) -> list[str]:
    return [one.rule for one in judged(head, policy=policy) if one.fails]


def test_a_waiver_covers_its_finding_up_to_and_on_its_last_day() -> None:
    assert failing(Policy()) == ["breaking-unadapted"]
    found = judged(HEAD, policy=Policy(waivers=(waiver(),)))
    assert [(one.rule, one.waiver.by if one.waiver else None, one.fails) for one in found] == [
        ("breaking-unadapted", "ann", False)
    ]


def test_an_expired_waiver_fails_and_covers_nothing() -> None:
    policy = Policy(waivers=(waiver(until=day("2026-11-30")),))
    assert sorted(failing(policy)) == ["breaking-unadapted", "waiver-expired"]
    (found,) = [one for one in judged(HEAD, policy=policy) if one.rule == "waiver-expired"]
    assert found.place == PLACE
    assert found.sentence.endswith("ended on 2026-11-30 (ann: no clients yet)")


def test_an_expired_waiver_fails_though_nothing_is_left_to_waive() -> None:
    assert failing(Policy(waivers=(waiver(until=day("2026-11-30")),)), state(version("1.0.0"))) == ["waiver-expired"]


def test_a_waiver_is_for_one_rule_one_model_and_one_version() -> None:
    for changes in ({"rule": "path-lost"}, {"model": "other"}, {"version": "3.0.0"}):
        assert failing(Policy(waivers=(waiver(**changes),))) == ["breaking-unadapted"]


def test_a_waiver_that_nobody_needs_is_told() -> None:
    found = judged(state(version("1.0.0")), policy=Policy(waivers=(waiver(),)))
    assert told(found, "waiver-unused") == [
        "warning 2.0.0: nothing is found that the waiver of breaking-unadapted for m 2.0.0 is about"
    ]


def test_only_who_is_named_can_waive() -> None:
    for rule in ("breaking-unadapted", "*"):
        policy = Policy(approvals=(Approval(rule, ("bob", "eve")),), waivers=(waiver(),))
        assert sorted(failing(policy)) == ["approval-missing", "breaking-unadapted"]
        assert told(judged(HEAD, policy=policy), "approval-missing") == [
            "error 2.0.0: ann cannot waive breaking-unadapted: bob and eve can"
        ]
        assert failing(replace(policy, waivers=(waiver(by="eve"),))) == []


def test_what_is_said_of_a_rule_goes_before_what_is_said_of_all() -> None:
    approvals = (Approval("*", ("bob",)), Approval("breaking-unadapted", ("ann",)))
    assert failing(Policy(approvals=approvals, waivers=(waiver(),))) == []


def test_only_who_is_named_can_accept_an_edit_and_old_edits_stay_accepted() -> None:
    before, after = state(version("1.0.0")), state(version("1.0.0", LOGIT))
    edit = Edit(TODAY, lock_of(before).entries["m", "1.0.0"].prints, "never deployed", "ann")
    lock = Lock({("m", "1.0.0"): replace(lock_of(after).entries["m", "1.0.0"], edits=(edit,))})
    policy = Policy(approvals=(Approval("contract-edited", ("bob",)),))
    found = judged(after, before, policy, lock=lock, base_lock=lock_of(before))
    assert told(found, "approval-missing") == ["error 1.0.0: the edit of 1.0.0 was accepted by ann: bob can"]
    assert told(judged(after, after, policy, lock=lock, base_lock=lock), "approval-missing") == []
