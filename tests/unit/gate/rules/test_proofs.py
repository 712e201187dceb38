from __future__ import annotations

from typing import Any

import pytest

from stepdown.gate.facts import Place
from stepdown.gate.policy import UNSAID, Policy, ProofDemand, Waiver
from stepdown_adapters.proof.grading import Grading, graded
from stepdown_adapters.proof.questions import Question
from stepdown_adapters.step import Step
from tests.kit.gate import LOGIT, SCORE, day, judged, state, told, version

HEAD = state(version("1.0.0"), version("2.0.0", LOGIT), steps=[("2.0.0", "1.0.0")])
MOVE = [{"move": {"from": "/logit", "to": "/score"}}]
UNDECIDED = {**SCORE, "unevaluatedProperties": True}
PROVED, TESTED = ProofDemand(None, 50), ProofDemand(50, 50)


def grading(operations: list[Any] = MOVE, made: Any = SCORE, side: Any = "response", documents: int = 50) -> Grading:
    step = Step("2.0.0", "1.0.0", operations, operations)
    return graded(Question("m", "2.0.0", "1.0.0", side, (step,), LOGIT, made), documents=documents)


def found(demand: ProofDemand, *gradings: Grading, **policy: Any) -> list[str]:
    agreed = Policy(proof=demand, **policy)
    return told(judged(HEAD, policy=agreed, grades={("m", "2.0.0", "1.0.0"): gradings}), "proof-too-weak")


@pytest.mark.parametrize("demand", [UNSAID, PROVED, TESTED])
def test_what_is_proved_is_enough(demand: ProofDemand) -> None:
    assert str(grading()) == "PROVED"
    assert found(demand, grading()) == []


def test_what_is_tested_is_enough_where_so_many_documents_are_agreed() -> None:
    tested = grading(made=UNDECIDED)
    assert str(tested) == "TESTED 50"
    assert found(TESTED, tested) == []
    assert found(ProofDemand(51, 51), tested)[0].startswith(
        "error 2.0.0: answers of 2.0.0 as 1.0.0 are TESTED 50, and TESTED 51 is agreed: not decided: "
    )
    assert "are TESTED 50, and PROVED is agreed: " in found(PROVED, tested)[0]


def test_what_is_refuted_is_never_enough_and_the_counterexample_is_told() -> None:
    assert found(TESTED, grading([])) == [
        'error 2.0.0: answers of 2.0.0 as 1.0.0 are REFUTED, and TESTED 50 is agreed: at the top: {"logit": 0} breaks '
        'required ["score"], as with {"logit": 0}'
    ]


def test_where_nothing_is_said_what_is_refuted_fails_and_a_hundred_documents_are_enough() -> None:
    (sentence,) = found(UNSAID, grading([]))
    assert sentence.startswith("error 2.0.0: answers of 2.0.0 as 1.0.0 are REFUTED, and TESTED 100 is agreed: ")
    assert found(UNSAID, grading(made=UNDECIDED, documents=100)) == []
    assert len(found(UNSAID, grading(made=UNDECIDED, documents=99))) == 1


def test_what_has_no_contract_is_only_enough_where_nothing_is_said() -> None:
    ungraded = grading(made=None)
    assert str(ungraded) == "UNGRADED"
    assert found(UNSAID, ungraded) == []
    assert "are UNGRADED, and TESTED 50 is agreed: " in found(TESTED, ungraded)[0]


def test_requests_count_as_well() -> None:
    (sentence,) = found(PROVED, grading(), grading([], side="request"))
    assert sentence.startswith("error 2.0.0: requests for 1.0.0 to 2.0.0 are REFUTED, and PROVED is agreed: ")


def test_it_can_be_waived() -> None:
    waiver = Waiver("proof-too-weak", "m", "2.0.0", "ann", "a hook", day("2027-01-01"), Place("policy.yaml"))
    policy = Policy(proof=PROVED, waivers=(waiver,))
    grades = {("m", "2.0.0", "1.0.0"): (grading([]),)}
    (one,) = [one for one in judged(HEAD, policy=policy, grades=grades) if one.rule == "proof-too-weak"]
    assert (one.fails, one.place.line, one.fix) == (
        False, 40, "stepdown prove --model m --from 2.0.0 --to 1.0.0 shows it all"
    )  # fmt: skip
