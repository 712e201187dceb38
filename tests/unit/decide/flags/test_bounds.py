"""No context and no file holds up anybody else: steps, memory and depth are bounded, and nothing raises."""

from __future__ import annotations

from typing import Any

import pytest

from stepdown.decide.flags import Evaluation
from stepdown.decide.flags.cache import LONGEST_FACT, OutcomeCache
from stepdown.decide.flags.nodes import MOST_STEPS
from tests.kit.flags import compiled, evaluated


def test_iterations_are_stopped_before_they_take_too_many_steps() -> None:
    flags = compiled({"if": [{"all": [{"var": "list"}, {"==": [{"var": ""}, 1]}]}, "red"]}, "red")
    assert evaluated(flags, list=[1] * (MOST_STEPS // 4)).variant == "red"
    outcome = evaluated(flags, "mine", list=[1] * MOST_STEPS)
    assert (outcome.value, outcome.error) == ("mine", "GENERAL")
    assert str(MOST_STEPS) in outcome.message
    nested = {"map": [{"var": "list"}, {"map": [{"var": ""}, {"map": [{"var": ""}, {"cat": [{"var": ""}, "x"]}]}]}]}
    deep: Any = [[["x"] * 100] * 100] * 100
    assert evaluated(compiled({"if": [nested, "red"]}, "red"), list=deep).error == "GENERAL"


def nested_list(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value, 1]
    return value


@pytest.mark.parametrize(
    "targeting",
    [
        {"cat": [{"var": "x"}]},
        {"in": [{"var": "x"}, [{"var": "y"}]]},
        {"===": [{"var": "x"}, {"var": "y"}]},
        {"var": "x"},
        {"+": [{"var": "x"}]},
        {"fractional": [{"var": "x"}, ["red", 1]]},
    ],
)
@pytest.mark.parametrize("generation", [1, 2, 3])
def test_a_context_nested_deeply_is_an_error_of_this_evaluation_only(targeting: Any, generation: int) -> None:
    flags = compiled(targeting, "red", "true", "false", generation=generation)
    outcome = evaluated(flags, "mine", x=nested_list(50_000), y=nested_list(50_000))
    assert outcome.reason in {"ERROR", "DEFAULT", "TARGETING_MATCH"}


@pytest.mark.parametrize("generation", [1, 2, 3])
def test_a_key_without_an_utf_8_form_takes_a_default_and_ends_no_process(generation: int) -> None:
    flags = compiled({"fractional": [{"var": "key"}, ["red", 1]]}, "red", generation=generation)
    outcome = flags.evaluate("flag", {"key": "\ud800"}, "mine", now=0)
    assert outcome.variant in {None, "fallback"}


FOREIGN: list[Any] = [object(), {1, 2}, b"x", (1,), 1j, float("inf"), -float("nan"), 10**5000]


@pytest.mark.parametrize("at", range(len(FOREIGN)))
def test_a_context_of_foreign_values_never_raises(at: int) -> None:
    value = FOREIGN[at]
    for targeting in ({"var": "x"}, {"+": [{"var": "x"}, 1]}, {"<": [{"var": "x"}, "1"]}, {"==": [{"var": "x"}, "1"]}):
        assert isinstance(evaluated(compiled(targeting, "red"), x=value), Evaluation)


def test_a_context_that_is_none_never_raises() -> None:
    flags = compiled({"if": [{"==": [{"var": "plan"}, "beta"]}, "red"]}, "red")
    for context in (None, 5, "text", []):
        assert flags.evaluate("flag", context, "mine", now=0).error == "GENERAL"  # type: ignore[arg-type]


def outcome_of(name: str) -> Evaluation:
    return Evaluation(name, name, "TARGETING_MATCH")


def test_a_cache_keeps_what_is_asked_for_and_forgets_the_rest() -> None:
    cache = OutcomeCache(lambda context: None, 4)
    for at in range(1000):
        cache.put(f"u{at}", outcome_of(f"u{at}"))
        if at % 2:
            assert cache.get("u0") is not None, "it is asked for again and again"
        assert len(cache) <= 8
    assert cache.get("u999") == outcome_of("u999")
    assert cache.get("u500") is None


def test_a_cache_takes_no_numbers_no_booleans_and_no_long_texts() -> None:
    cache = OutcomeCache(lambda context: None, 4)
    for facts in (1, True, 1.0, ("a", 1), ("a", True), "x" * (LONGEST_FACT + 1), ("a", "x" * (LONGEST_FACT + 1))):
        cache.put(facts, outcome_of("red"))
    assert len(cache) == 0
    for facts in ("x" * LONGEST_FACT, None, ("a", None), ""):
        cache.put(facts, outcome_of("red"))
    assert len(cache) == 4


def test_a_flood_of_users_is_remembered_in_bounded_memory() -> None:
    flags = compiled({"fractional": [["red", 1], ["blue", 1]]}, "red", "blue")
    for at in range(5000):
        evaluated(flags, targetingKey=f"user-{at}")
    [cache] = [flag._cache for flag in flags._flags.values()]
    assert cache is not None
    assert len(cache) <= 1024
