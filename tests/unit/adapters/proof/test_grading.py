"""The grades: what earns each, and what is said about it."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from stepdown_adapters.proof import examining, static
from stepdown_adapters.proof.grading import Grade, Grading, graded
from stepdown_adapters.proof.inclusion import Included
from stepdown_adapters.proof.questions import Question, Sample
from stepdown_adapters.proof.static import prove
from stepdown_adapters.step import Step

LOGIT = {"type": "object", "properties": {"logit": {"type": "number"}}, "required": ["logit"]}
SCORE = {
    "type": "object",
    "properties": {"score": {"type": "number", "minimum": 0, "maximum": 1}, "note": {"type": "string"}},
    "required": ["score"],
}
DOWN = [{"move": {"from": "/logit", "to": "/score"}}, {"sigmoid": "/score"}]


def question(operations: list[Any], given: Any = LOGIT, made: Any = SCORE, **rest: Any) -> Question:
    step = Step("2.0.0", "1.0.0", operations, hook=rest.pop("hook", None), request=rest.pop("request", ()))
    return Question("m", "2.0.0", "1.0.0", rest.pop("side", "response"), (step,), given, made, **rest)


def grade(*arguments: Any, documents: int = 300, kept: tuple[Sample, ...] = (), **rest: Any) -> Grading:
    return graded(question(*arguments, **rest), documents=documents, kept=kept)


def test_a_stray_member_of_an_open_contract_leaks_and_the_smallest_one_is_shown() -> None:
    found = grade(DOWN)
    assert (found.grade, found.reason) == (Grade.REFUTED, 'at /note: 0 breaks type "string"')
    assert found.counterexample is not None
    assert found.counterexample.sample.document == {"logit": 0, "note": 0}
    assert found.counterexample.adapted == {"score": 0.5, "note": 0}


@pytest.mark.parametrize(
    "repair", [{"project": {"keep": ["score"]}}, {"remove": {"path": "/note", "on_missing": "skip"}}]
)
def test_without_the_leak_it_is_proved(repair: Any) -> None:
    found = grade([*DOWN, repair])
    assert str(found) == "PROVED"
    assert found.reason.startswith("3 operations: all that can come out is included over ")
    assert found.trial is not None
    assert (found.trial.passed, found.trial.refused, found.trial.coverage.share) == (300, 0, 1)


def test_a_chain_is_graded_as_one() -> None:
    steps = (Step("3.0.0", "2.0.0", [{"move": {"from": "/l", "to": "/logit"}}]), Step("2.0.0", "1.0.0", DOWN))
    given = {
        "type": "object",
        "properties": {"l": {"type": "number"}},
        "required": ["l"],
        "additionalProperties": False,
    }
    found = graded(Question("m", "3.0.0", "1.0.0", "response", steps, given, SCORE), documents=200)
    assert (found.grade, found.question.passed) == (Grade.PROVED, ("3.0.0", "2.0.0", "1.0.0"))


def test_what_is_pruned_counts() -> None:
    step = Step("2.0.0", "1.0.0", DOWN, pruning=[{"project": {"keep": ["score"]}}])
    found = graded(Question("m", "2.0.0", "1.0.0", "response", (step,), LOGIT, SCORE), documents=100)
    assert found.grade is Grade.PROVED


def test_what_inclusion_cannot_decide_is_tested() -> None:
    made = {"type": "object", "unevaluatedProperties": {"type": "number"}}
    given = {"type": "object", "additionalProperties": {"type": "number"}}
    found = grade([], given, made)
    assert (str(found), found.proof and found.proof.holds) == ("TESTED 300", False)
    assert found.reason.startswith("not decided: ")


def test_what_cannot_be_excluded_is_shown_and_tried() -> None:
    # The sum of two numbers below one half is below one, which no effect knows.
    half = {"type": "number", "minimum": 0, "maximum": 0.5}
    given = {"type": "object", "properties": {"a": half}, "required": ["a"], "additionalProperties": False}
    made = {"type": "object", "properties": {"a": {"maximum": 0.5}}}
    found = grade([{"normalize": {"path": "/a", "norm": "l1"}}], given, made)
    assert found.grade is Grade.VACUOUS  # a number is no vector: every document is refused
    assert found.reason.startswith("all ")


def test_a_hook_is_tested_at_best(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("hook_for_a_grade")
    module.__dict__["keep_score"] = lambda document, context: {"score": document["score"]}
    module.__dict__["spoil"] = lambda document, context: {"score": 2}
    monkeypatch.setitem(sys.modules, module.__name__, module)
    found = grade(DOWN, hook="hook_for_a_grade:keep_score")
    assert str(found) == "TESTED 300"
    assert found.reason == "nothing is known of what the hook hook_for_a_grade:keep_score returns"
    assert grade(DOWN, hook="hook_for_a_grade:spoil").reason == "at /score: 2 breaks maximum 1"


def test_documents_that_are_refused_are_counted_with_their_reason() -> None:
    given = {"type": "object", "properties": {"logit": {"type": ["number", "null"]}}, "required": ["logit"]}
    found = grade([*DOWN, {"project": {"keep": ["score"]}}], given)
    assert found.trial is not None
    assert found.grade is Grade.PROVED
    assert (found.trial.passed, found.trial.distinct) == (300, 300 + found.trial.refused)
    assert found.trial.refused > 50
    ((reason, count),) = found.trial.reasons
    assert reason == "2.0.0 -> 1.0.0: response[1]/sigmoid at /score: null is not a number"
    assert count == found.trial.refused
    assert found.trial.first_refused == Sample({"logit": None})


def test_a_run_that_shows_nothing_is_no_test() -> None:
    undecided = {"type": "object", "unevaluatedProperties": {"type": "number"}}
    assert grade([], {"enum": [{}, {"a": 1}]}, undecided).reason == (
        "only 2 distinct documents came through, and 30 are the least"
    )
    refused = grade([{"refuse": {"reason": "another space"}}])
    assert (refused.grade, refused.reason) == (Grade.VACUOUS, "all 600 documents were refused")
    empty = grade([], {"type": "object", "required": ["a"], "properties": {"a": False}}, SCORE)
    assert (empty.grade, empty.reason) == (Grade.VACUOUS, "no document is valid under the contract of 2.0.0")


def test_a_small_contract_needs_no_trial_where_it_is_proved() -> None:
    assert grade([], {"const": {"score": 1}}, SCORE).grade is Grade.PROVED


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"given": None}, "2.0.0 declares no 'schema'"),
        ({"made": None}, "1.0.0 declares no 'schema'"),
        ({"made": None, "side": "request"}, "2.0.0 declares no 'input'"),
    ],
)
def test_without_contracts_there_is_no_grade(options: dict[str, Any], reason: str) -> None:
    found = grade([], **options)
    assert (found.grade, found.reason, found.passes) == (Grade.UNGRADED, reason, False)


def test_requests_are_graded_from_the_older_contract_to_the_newer() -> None:
    old = {
        "type": "object",
        "properties": {"id": {"type": "integer"}},
        "required": ["id"],
        "additionalProperties": False,
    }
    new = {"type": "object", "properties": {"key": {"type": "integer"}}, "required": ["key"]}
    moved = [{"move": {"from": "/id", "to": "/key"}}]
    assert grade([], old, new, side="request", request=moved).grade is Grade.PROVED
    wrong = grade([], old, new, side="request", request=[{"cast": {"path": "/id", "to": "string"}}])
    assert (wrong.grade, wrong.reason) == (Grade.REFUTED, 'at the top: {"id": "0"} breaks required ["key"]')


def test_requests_of_a_chain_pass_its_steps_from_the_oldest_up() -> None:
    def one(name: str) -> dict[str, Any]:
        properties = {name: {"type": "integer"}}
        return {"type": "object", "properties": properties, "required": [name], "additionalProperties": False}

    steps = (
        Step("3.0.0", "2.0.0", request=[{"move": {"from": "/b", "to": "/c"}}]),
        Step("2.0.0", "1.0.0", request=[{"move": {"from": "/a", "to": "/b"}}]),
    )
    found = graded(Question("m", "3.0.0", "1.0.0", "request", steps, one("a"), one("c")), documents=50)
    assert (found.grade, found.question.ends) == (Grade.PROVED, ("1.0.0", "3.0.0"))


@pytest.mark.parametrize("verdicts", [{"made": True}, {"given": False}])
def test_where_the_two_validators_disagree_nothing_is_claimed(
    verdicts: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def judged(schema: Any, value: Any, document: Any) -> bool:
        return verdicts.get("made", False) if schema is SCORE else verdicts.get("given", True)

    monkeypatch.setattr(examining, "valid", judged)
    found = grade([{"remove": "/logit"}])
    assert found.counterexample is None
    assert found.trial is not None
    assert found.trial.disputed == found.trial.distinct - found.trial.passed > 500
    assert found.grade is Grade.VACUOUS


def test_an_answer_that_reads_its_request_gets_one() -> None:
    asked = {"type": "object", "properties": {"k": {"type": "integer", "minimum": 1}}, "required": ["k"]}
    made = {"type": "object", "properties": {"k": {"minimum": 1}}, "required": ["k"]}
    given = {"type": "object", "properties": {"a": {}}, "additionalProperties": False}
    add = [{"add": {"path": "/k", "value": {"request": "/k"}}}]
    found = grade(add, given, made, asked=asked)
    assert str(found) == "TESTED 300"  # nothing static is known of what a request holds
    worse = grade(add, given, made, asked={**asked, "properties": {}})
    assert worse.grade is Grade.REFUTED
    assert worse.counterexample is not None
    assert worse.counterexample.sample.request == {"k": 0}


def test_what_a_request_carries_and_its_head_says_is_there_for_the_answer() -> None:
    carry = [{"carry": {"from": "/w", "as": "w"}}]
    asked = {"type": "object", "properties": {"w": {"type": "integer"}}, "required": ["w"]}
    values = [{"carried": "w"}, {"header": "X-Unit"}, {"param": "model"}]
    adds = [{"add": {"path": f"/v{index}", "value": value}} for index, value in enumerate(values)]
    given = {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False}
    found = grade(adds, given, {"type": "object", "required": ["v0", "v1", "v2"]}, request=carry, asked=asked)
    assert (found.grade, found.trial and found.trial.refused) == (Grade.PROVED, 0)


def test_kept_cases_go_first_and_stale_ones_are_told() -> None:
    leak, stale = Sample({"logit": 0.25, "note": 7}), Sample({"nothing": 1})
    found = grade(DOWN, kept=(stale, leak))
    assert found.grade is Grade.REFUTED
    assert found.trial is not None
    assert (found.trial.replayed, found.trial.stale, found.trial.distinct) == (2, 1, 0)
    repaired = grade([*DOWN, {"project": {"keep": ["score"]}}], kept=(stale, leak))
    assert repaired.grade is Grade.PROVED


def test_a_proof_that_a_document_refutes_is_a_contradiction(monkeypatch: pytest.MonkeyPatch) -> None:
    # As if the prover had a mistake.
    monkeypatch.setattr(static, "included", lambda inner, outer, **_: Included())
    found = grade(DOWN)
    assert (found.grade, found.passes) == (Grade.CONTRADICTION, False)


def test_operations_of_which_nothing_is_known_are_named() -> None:
    proof = prove(question([{"replace": {"path": "", "value": {"request": "/k"}}}]))
    assert not proof.holds
    assert proof.details == ("nothing is known of what [0]/replace makes",)


def test_a_seed_says_which_documents_are_drawn() -> None:
    one, other = (graded(question(DOWN), documents=50, seed=seed) for seed in (1, 1))
    assert one == other


def test_what_a_contract_rules_out_by_a_condition_is_not_ruled_out_any_more_once_a_member_changed() -> None:
    contract = {
        "type": "object",
        "properties": {"score": {"type": "number"}},
        "required": ["score"],
        "additionalProperties": False,
        "not": {"properties": {"score": {"const": 1}}},
    }
    doubled = {"in": "/score", "where": {"at_least": 0}, "do": [{"linear": {"path": "", "scale": 2}}]}
    assert not prove(question([doubled], contract, contract)).holds
    assert grade([doubled], contract, contract).grade is not Grade.CONTRADICTION


DAY = {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]}
DATED = {**DAY, "properties": {"day": {"type": "string", "format": "date"}}}


def test_where_formats_are_checked_a_text_without_one_refutes_what_is_proved_elsewhere() -> None:
    assert str(grade([], DAY, DATED)) == "PROVED"
    found = grade([], DAY, DATED, formats=True)
    assert found.grade is Grade.REFUTED
    assert found.reason.startswith("at /day: ")


def test_where_formats_are_checked_a_text_that_keeps_its_own_or_gets_one_is_proved() -> None:
    assert str(grade([], DATED, DATED, formats=True)) == "PROVED"
    seconds = {**DAY, "properties": {"day": {"type": "integer", "minimum": 0, "maximum": 2**31}}}
    cut = {"format_time": {"path": "/day", "from": "s", "to": "date", "on_finer": "cut"}}
    assert str(grade([cut], seconds, DATED, formats=True)) == "PROVED"
