"""Which chains clients may rely on."""

from __future__ import annotations

from stepdown.gate.proving import paths, questions
from stepdown_adapters.step import Step
from tests.kit.gate import LOGIT, NOTED, SCORE, TODAY, state, version

DOWN = [("3.0.0", "2.0.0"), ("2.0.0", "1.0.0")]


def ways(first: dict[str, object], second: dict[str, object]) -> list[tuple[str, str]]:
    versions = (version("1.0.0", **first), version("2.0.0", **second), version("3.0.0"))  # type: ignore[arg-type]
    return [(newer, older) for _, newer, older in paths(state(*versions, steps=DOWN), TODAY)]


def test_they_lead_from_versions_that_answer_or_are_supported_to_supported_ones() -> None:
    assert ways({}, {"has_endpoints": False}) == [("2.0.0", "1.0.0"), ("3.0.0", "1.0.0"), ("3.0.0", "2.0.0")]
    assert ways({}, {"has_endpoints": False, "retired": True}) == [("3.0.0", "1.0.0")]
    assert ways({}, {"retired": True}) == [("2.0.0", "1.0.0"), ("3.0.0", "1.0.0")]
    assert ways({"sunset": "2026-11-30"}, {}) == [("3.0.0", "2.0.0")]


def test_a_chain_has_the_contracts_of_its_ends_in_both_directions() -> None:
    versions = (version("1.0.0", request=SCORE), version("2.0.0", NOTED), version("3.0.0", LOGIT, request=NOTED))
    model = state(*versions, steps=DOWN).models["m"]
    object.__setattr__(model, "steps", {ends: Step(*ends) for ends in DOWN})
    answers, requests = questions(model, "3.0.0", "1.0.0")
    assert (answers.given, answers.made, answers.asked) == (LOGIT, SCORE, SCORE)
    assert (requests.given, requests.made, requests.passed) == (SCORE, NOTED, ("3.0.0", "2.0.0", "1.0.0"))
    assert [one.side for one in questions(model, "3.0.0", "2.0.0")] == ["response"]
