from __future__ import annotations

from dataclasses import replace

import pytest

from stepdown.gate.facts import Facts
from stepdown.gate.lock import Edit, Lock
from stepdown.gate.policy import Policy
from tests.kit.gate import ANNOTATED, LOGIT, NOTED, SCORE, TODAY, day, judged, lock_of, state, told, version

OLD, NEW = version("1.0.0"), version("2.0.0", LOGIT, line=7)
CLOSED = {**SCORE, "additionalProperties": False}
CLOSED_NOTED = {**NOTED, "additionalProperties": False}
DOWN = [("2.0.0", "1.0.0")]


# --- breaking-unadapted -----------------------------------------------------------------------------------------------


def test_a_breaking_version_without_a_way_down_fails_at_its_line_and_says_what_it_breaks() -> None:
    (found,) = [one for one in judged(state(OLD, NEW)) if one.rule == "breaking-unadapted"]
    assert found.fails
    assert (found.place.line, found.version) == (7, "2.0.0")
    assert found.sentence.startswith("2.0.0 breaks clients of 1.0.0 (output: /")
    assert found.sentence.endswith("nothing leads down to 1.0.0: 2.0.0 -> 1.0.0: no adapter is declared")
    assert "from 2.0.0 to 1.0.0 in models.m.adapters" in found.fix


def test_a_breaking_version_with_an_adapter_passes() -> None:
    assert told(judged(state(OLD, NEW, steps=DOWN)), "breaking-unadapted") == []


def test_an_adapter_has_to_lead_to_every_supported_version_and_not_only_to_the_next() -> None:
    head = state(OLD, version("1.1.0", NOTED), NEW, steps=[("2.0.0", "1.1.0")])
    lost = told(judged(head), "breaking-unadapted")
    assert len(lost) == 1
    assert lost[0].startswith("error 1.1.0: 1.1.0 does not break clients of 1.0.0 by its contract, and nothing leads")


@pytest.mark.parametrize("ended", [{"retired": True}, {"sunset": "2026-12-01"}])
def test_nobody_has_to_reach_a_version_that_is_no_longer_supported(ended: dict[str, object]) -> None:
    assert told(judged(state(version("1.0.0", **ended), NEW)), "breaking-unadapted") == []  # type: ignore[arg-type]


def test_a_major_step_needs_an_adapter_though_the_contracts_agree() -> None:
    (found,) = told(judged(state(OLD, version("2.0.0"))), "breaking-unadapted")
    assert found.startswith("error 2.0.0: 2.0.0 is a MAJOR step from 1.0.0, and nothing leads down")


def test_a_way_that_breaks_off_is_told_once_where_it_does() -> None:
    head = state(OLD, NEW, version("3.0.0", LOGIT), steps=[("3.0.0", "2.0.0")])
    assert [line.split(":")[0] for line in told(judged(head), "breaking-unadapted")] == ["error 2.0.0"]


def test_a_refusal_takes_the_place_of_an_adapter() -> None:
    head = state(OLD, NEW, refusals={("2.0.0", "1.0.0"): "the embedding space differs"})
    assert told(judged(head), "breaking-unadapted") == []


def test_a_prerelease_that_nobody_runs_needs_no_way_down_yet() -> None:
    assert told(judged(state(OLD, version("2.0.0-rc.1", LOGIT, has_endpoints=False))), "breaking-unadapted") == []
    assert told(judged(state(OLD, version("2.0.0-rc.1", LOGIT))), "breaking-unadapted")


def test_requests_that_a_new_version_does_not_understand_break_as_well() -> None:
    asks, asks_more = {"type": "object"}, {"type": "object", "required": ["age"]}
    head = state(version("1.0.0", request=asks), version("1.1.0", request=asks_more))
    (found,) = told(judged(head), "breaking-unadapted")
    assert "(input: /age" in found or "(input: " in found


# --- bump-too-small ---------------------------------------------------------------------------------------------------


def test_a_breaking_change_under_a_minor_number_fails_with_the_number_that_would_do() -> None:
    (found,) = [one for one in judged(state(OLD, version("1.1.0", LOGIT))) if one.rule == "bump-too-small"]
    assert found.fails
    assert "1.1.0 is a MINOR step from 1.0.0, and its contract changed by MAJOR" in found.sentence
    assert "publish it as 2.0.0 or later" in found.fix


@pytest.mark.parametrize(
    ("old", "new", "fails"), [("1.0.0", "1.1.0", False), ("1.0.0", "1.0.1", True), ("0.1.0", "0.2.0", False)]
)
def test_a_new_optional_member_of_an_open_contract_needs_a_minor(old: str, new: str, fails: bool) -> None:
    found = told(judged(state(version(old), version(new, NOTED))), "bump-too-small")
    assert bool(found) == fails


def test_in_zero_a_breaking_change_needs_the_next_minor() -> None:
    assert told(judged(state(version("0.3.1"), version("0.4.0", LOGIT))), "bump-too-small") == []
    (found,) = [one for one in judged(state(version("0.3.1"), version("0.3.2", LOGIT))) if one.rule == "bump-too-small"]
    assert "publish it as 0.4.0 or later" in found.fix


def test_a_member_that_a_closed_contract_did_not_allow_is_minor_for_tolerant_clients_only() -> None:
    head = state(version("1.0.0", CLOSED), version("1.1.0", CLOSED_NOTED))
    (found,) = [one for one in judged(head) if one.rule == "bump-too-small"]
    assert "diff: {client: tolerant} in the policy" in found.fix
    assert told(judged(head, policy=Policy(client="tolerant")), "bump-too-small") == []


def test_a_number_that_was_published_is_told_and_does_not_fail() -> None:
    head = state(OLD, version("1.1.0", LOGIT))
    (found,) = told(judged(head, head), "bump-too-small")
    assert found.startswith("warning 1.1.0")
    assert found.endswith("; it was published like that")


def test_a_version_put_between_two_others_is_held_against_both() -> None:
    head = state(OLD, version("1.0.1", LOGIT), version("1.1.0"))
    assert [line.split(":")[0] for line in told(judged(head), "bump-too-small")] == ["error 1.0.1", "error 1.1.0"]


def test_a_version_without_a_contract_after_one_that_has_one_may_be_anything() -> None:
    found = told(judged(state(OLD, version("1.1.0", None), steps=[("1.1.0", "1.0.0")])), "bump-too-small")
    assert found == [
        "error 1.1.0: 1.1.0 is a MINOR step from 1.0.0, and its contract changed by MAJOR (1.1.0 declares no contract)"
    ]


# --- contract-missing -------------------------------------------------------------------------------------------------


def test_a_new_version_without_a_contract_beside_others_that_have_one_fails() -> None:
    assert told(judged(state(OLD, version("1.1.0", None))), "contract-missing") == [
        "error 1.1.0: 1.1.0 declares no schema, so nothing can be compared with it"
    ]
    assert told(judged(state(OLD, version("1.1.0"))), "contract-missing") == []


def test_a_model_without_any_contract_is_only_told() -> None:
    assert [line.split(":")[0] for line in told(judged(state(version("1.0.0", None))), "contract-missing")] == [
        "warning 1.0.0"
    ]


# --- contract-edited, contract-annotated ------------------------------------------------------------------------------

BASE = state(OLD)
EDITED = state(version("1.0.0", LOGIT))


def test_an_edit_in_place_fails_against_the_base_alone() -> None:
    (found,) = told(judged(EDITED, BASE, lock=Lock()), "contract-edited")
    assert found.startswith("error 1.0.0: the output contract of 1.0.0 is published, and was edited by MAJOR (")


def test_an_edit_in_place_fails_against_the_lock_alone() -> None:
    (found,) = told(judged(EDITED, Facts(), lock=lock_of(BASE)), "contract-edited")
    assert found.endswith("its fingerprint is not the one in stepdown.lock")


def test_an_edit_fails_though_the_lock_was_made_to_fit() -> None:
    found = judged(EDITED, BASE, lock=lock_of(EDITED), base_lock=lock_of(BASE))
    assert told(found, "contract-edited")
    assert told(found, "lock-edited") == [
        "error 1.0.0: the fingerprint of the output contract of 1.0.0 was changed by hand"
    ]


def test_an_edit_that_tightens_is_an_edit_too() -> None:
    tight = {**SCORE, "properties": {"score": {"type": "number", "maximum": 1}}}
    (found,) = told(judged(state(version("1.0.0", tight)), BASE), "contract-edited")
    assert "edited by MINOR" in found


def test_an_accepted_edit_is_told_with_its_reason() -> None:
    before, after = lock_of(BASE), lock_of(EDITED)
    entry = after.entries["m", "1.0.0"]
    edit = Edit(TODAY, before.entries["m", "1.0.0"].prints, "never deployed", "ann")
    accepted = Lock({("m", "1.0.0"): replace(entry, edits=(edit,))}, after.lines)
    found = judged(EDITED, BASE, lock=accepted, base_lock=before)
    (line,) = told(found, "contract-edited")
    assert line.startswith("warning 1.0.0: ")
    assert line.endswith("; accepted by ann on 2026-12-01: never deployed")
    assert told(found, "lock-edited") == []


def test_other_words_in_a_contract_are_allowed_and_told() -> None:
    found = judged(state(version("1.0.0", ANNOTATED)), BASE, lock=lock_of(BASE), base_lock=lock_of(BASE))
    assert told(found, "contract-edited") == []
    assert told(found, "lock-behind") == []
    (line,) = told(found, "contract-annotated")
    assert line.startswith("note 1.0.0: the output contract of 1.0.0 was edited by PATCH (")
    assert line.endswith("; no promise changed")


def test_a_contract_that_is_no_longer_declared_was_edited() -> None:
    (found,) = told(judged(state(version("1.0.0", None)), BASE, lock=lock_of(BASE)), "contract-edited")
    assert found.endswith("is no longer declared")


def test_the_contract_of_a_prerelease_may_change() -> None:
    before, after = state(version("2.0.0-rc.1")), state(version("2.0.0-rc.1", LOGIT))
    assert told(judged(after, before), "contract-edited") == []


def test_what_was_removed_cannot_come_back_as_something_else() -> None:
    found = judged(EDITED, Facts(), lock=lock_of(EDITED), base_lock=lock_of(BASE))
    assert told(found, "contract-edited")


def test_nothing_is_said_of_what_did_not_change() -> None:
    later = version("1.0.0", sunset="2030-01-01", deprecated="2029-01-01")
    assert judged(state(later), BASE, base_lock=lock_of(BASE)) == []
    assert day("2030-01-01") == later.sunset
