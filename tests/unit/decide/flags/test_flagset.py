"""Whole flags: variants, defaults, states, errors, types, what they need, what is remembered."""

from __future__ import annotations

from typing import Any

import pytest

from stepdown.decide.flags import Needs, compile_flags
from tests.kit.flags import NOW, compiled, evaluated, one_flag

STARTS_OR_ENDS = {
    "if": [
        {"starts_with": [{"var": "id"}, "abc"]},
        "prefix",
        {"if": [{"ends_with": [{"var": "id"}, "xyz"]}, "postfix", "none"]},
    ]
}


@pytest.mark.parametrize(
    ("text", "variant"), [("abcdef", "prefix"), ("uvwxyz", "postfix"), ("abcxyz", "prefix"), ("lmnopq", "none")]
)
def test_texts_are_matched_at_their_ends(text: str, variant: str) -> None:
    assert evaluated(compiled(STARTS_OR_ENDS, "prefix", "postfix", "none"), id=text).variant == variant


@pytest.mark.parametrize(
    "targeting",
    [
        {"starts_with": [{"var": "number"}, "abc"]},
        {"ends_with": [{"var": "number"}, "abc"]},
        {"starts_with": ["abc", {"var": "number"}]},
        {"ends_with": ["abc", 123]},
        {"starts_with": ["abc"]},
        {"starts_with": "abc"},
        {"ends_with": []},
    ],
)
def test_an_end_of_what_is_no_text_is_null_and_takes_the_default_variant(targeting: Any) -> None:
    outcome = evaluated(compiled(targeting, "true", "false"), number=123)
    assert (outcome.variant, outcome.reason, outcome.error) == ("fallback", "DEFAULT", None)


def test_a_targeting_key_is_matched_or_the_default_variant_taken() -> None:
    wanted = "5c3d8535-f81a-4478-a6d3-afaa4d51199e"
    flags = compiled({"if": [{"==": [{"var": "targetingKey"}, wanted]}, "hit", None]}, "hit", "miss", default="miss")
    hit, miss = (evaluated(flags, targetingKey=key) for key in (wanted, "f20bd32d-703b-48b6-bc8e-79d53c85134a"))
    assert (hit.value, hit.variant, hit.reason) == ("HIT", "hit", "TARGETING_MATCH")
    assert (miss.value, miss.variant, miss.reason) == ("MISS", "miss", "DEFAULT")


def test_a_disabled_flag_gives_the_callers_default_and_no_variant() -> None:
    outcome = evaluated(compiled({"log": "red"}, "red", state="DISABLED"), "mine")
    assert (outcome.value, outcome.variant, outcome.reason, outcome.error) == ("mine", None, "DISABLED", None)


def test_a_flag_that_there_is_not_is_not_found() -> None:
    flags = compiled({}, "red")
    outcome = evaluated(flags, "mine", key="other")
    assert (outcome.value, outcome.reason, outcome.error) == ("mine", "ERROR", "FLAG_NOT_FOUND")
    assert (flags.needs("other"), flags.variants("other"), "other" in flags) == (Needs(frozenset()), {}, False)


def test_a_flag_without_targeting_is_static() -> None:
    for targeting in ({}, None, "", []):
        assert evaluated(compiled(targeting, "red", default="red")).reason == "STATIC"


@pytest.mark.parametrize("default", [None, ""])
@pytest.mark.parametrize("targeting", [None, {"log": None}])
def test_without_a_default_variant_the_callers_default_counts(default: Any, targeting: Any) -> None:
    outcome = evaluated(compiled(targeting, "red", default=default), "mine")
    assert (outcome.value, outcome.variant, outcome.reason, outcome.error) == ("mine", None, "DEFAULT", None)


@pytest.mark.parametrize(
    ("targeting", "error"),
    [
        ({"log": "unknown"}, "GENERAL"),
        ({"log": ""}, "GENERAL"),  # also where there is a variant of no name
        ({"/": [1, 0]}, "GENERAL"),
        ({"var": ["a", "b", "c"]}, "GENERAL"),
        ({"$ref": "nobody"}, "PARSE_ERROR"),
        ({"no_such": []}, "PARSE_ERROR"),
        ({"no_such": [{"/": [1, 0]}]}, "GENERAL"),
        ("red", "PARSE_ERROR"),
        (["red"], "PARSE_ERROR"),
    ],
)
def test_an_error_gives_the_callers_default_and_says_what_it_is(targeting: Any, error: str) -> None:
    outcome = evaluated(compiled(targeting, "red", ""), "mine")
    assert (outcome.value, outcome.variant, outcome.reason, outcome.error) == ("mine", None, "ERROR", error)
    assert outcome.message


def test_a_variant_whose_value_is_null_cannot_be_targeted_but_may_be_the_default() -> None:
    flag = {"state": "ENABLED", "variants": {"nothing": None}, "defaultVariant": "nothing"}
    flags = compile_flags({"flags": {"static": flag, "targeted": {**flag, "targeting": {"log": "nothing"}}}})
    static, targeted = (flags.evaluate(name, {}, "mine", now=NOW) for name in ("static", "targeted"))
    assert (static.value, static.variant, static.reason) == (None, "nothing", "STATIC")
    assert (targeted.value, targeted.error) == ("mine", "GENERAL")


@pytest.mark.parametrize(("kind", "zero"), [("boolean", False), ("integer", 0), ("float", 0.0), ("string", "")])
@pytest.mark.parametrize("targeting", [None, {"log": "zero"}])
def test_a_zero_value_is_a_value(kind: Any, zero: Any, targeting: Any) -> None:
    flag = {"state": "ENABLED", "variants": {"zero": zero}, "defaultVariant": "zero", "targeting": targeting}
    outcome = compile_flags({"flags": {"flag": flag}}).evaluate("flag", {}, "mine", now=NOW, expect=kind)
    assert (outcome.value, outcome.variant, outcome.error) == (zero, "zero", None)
    assert type(outcome.value) is type(zero)


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        (True, {"boolean", "float"}),
        ("x", {"string"}),
        (1, {"integer", "float"}),
        (1.5, {"float"}),
        ({}, {"object"}),
        ([], {"object"}),
    ],
)
def test_a_value_of_another_type_than_expected_is_a_mismatch(value: Any, kinds: set[str]) -> None:
    flag = {"state": "ENABLED", "variants": {"it": value}, "defaultVariant": "it"}
    flags = compile_flags({"flags": {"flag": flag}})
    for kind in ("boolean", "string", "integer", "float", "object"):
        outcome = flags.evaluate("flag", {}, "mine", now=NOW, expect=kind)  # type: ignore[arg-type]
        if kind in kinds:
            assert (outcome.value, outcome.error) == (value, None)
        else:
            assert (outcome.value, outcome.variant, outcome.error) == ("mine", None, "TYPE_MISMATCH")


def test_a_boolean_names_the_variant_of_its_json_text() -> None:
    flags = compiled({"==": [{"var": "beta"}, True]}, "true", "false")
    assert evaluated(flags, beta=True).variant == "true"
    assert evaluated(flags, beta=False).variant == "false"
    assert evaluated(compiled({"log": 1}, "1")).variant == "1"
    assert evaluated(compiled({}, "true", default=True)).variant == "true"


def test_the_time_is_given_and_whole_seconds_are_seen() -> None:
    flags = compiled({"if": [{"===": [{"var": "$flagd.timestamp"}, 1_700_000_000]}, "now", "then"]}, "now", "then")
    assert flags.evaluate("flag", {}, now=1_700_000_000.9).variant == "now"
    assert flags.evaluate("flag", {}, now=1_700_000_001).variant == "then"


def test_shared_evaluators_stand_where_they_are_referred_to() -> None:
    file = one_flag({"if": [{"$ref": "staff"}, "red"]}, "red")
    file["$evaluators"] = {
        "at": {"cat": ["@", "company.com"]},
        "staff": {"ends_with": [{"var": "email"}, {"$ref": "at"}]},
    }
    flags = compile_flags(file)
    assert flags.warnings == ()
    assert evaluated(flags, email="a@company.com").variant == "red"
    assert evaluated(flags, email="a@b.c").reason == "DEFAULT"


def test_metadata_of_a_flag_goes_over_that_of_its_set() -> None:
    file = one_flag({}, "red", metadata={"owner": "them", "stage": 2}) | {"metadata": {"owner": "us", "live": True}}
    flags = compile_flags(file)
    assert flags.metadata == {"owner": "us", "live": True}
    assert flags.metadata_of("flag") == {"owner": "them", "stage": 2, "live": True}
    assert flags.metadata_of("other") == flags.metadata


FRACTIONAL = {"fractional": [["red", 1], ["blue", 1]]}


@pytest.mark.parametrize(
    ("targeting", "needs"),
    [
        ({}, Needs(frozenset())),
        ({"log": "red"}, Needs(frozenset())),
        ({"if": [{"var": "a"}, {"var": ["user.plan", {"var": "c"}]}]}, Needs(frozenset({"a", "user.plan", "c"}))),
        ({"var": "$flagd.flagKey"}, Needs(frozenset())),
        ({"var": "$flagd.timestamp"}, Needs(frozenset(), time=True)),
        ({"var": "$flagd"}, Needs(frozenset(), time=True)),
        ({"var": ""}, Needs(frozenset(), time=True, everything=True)),
        ({"var": {"var": "name"}}, Needs(frozenset({"name"}), time=True, everything=True)),
        ({"missing": ["a", "b.c"]}, Needs(frozenset({"a", "b.c"}))),
        ({"missing_some": [1, ["a", "b.c"]]}, Needs(frozenset({"a", "b.c"}))),
        ({"missing": {"merge": ["a"]}}, Needs(frozenset(), time=True, everything=True)),
        (FRACTIONAL, Needs(frozenset({"targetingKey"}))),
        ({"fractional": [{"var": "email"}, ["red", 1]]}, Needs(frozenset({"email"}))),
        ({"fractional": [{"cat": ["x", {"var": "email"}]}, ["red", 1]]}, Needs(frozenset({"email"}))),
        ({"fractional": [{"merge": [{"var": "a"}]}, ["red", 1]]}, Needs(frozenset({"a", "targetingKey"}))),
        ({"map": [{"var": "list"}, {"var": "name"}]}, Needs(frozenset({"list"}))),
        ({"filter": [{"var": "list"}, FRACTIONAL]}, Needs(frozenset({"list"}))),
        ({"reduce": [{"var": "list"}, {"var": ""}, 0]}, Needs(frozenset({"list"}))),
        ({"no_such": [{"var": "a"}]}, Needs(frozenset({"a"}))),
    ],
)
def test_what_a_flag_needs_is_what_its_targeting_reads(targeting: Any, needs: Needs) -> None:
    assert compiled(targeting, "red").needs("flag") == needs


def test_a_disabled_flag_needs_nothing() -> None:
    assert compiled({"var": "a"}, "red", state="DISABLED").needs("flag") == Needs(frozenset())


def test_outcomes_are_remembered_by_the_facts_that_decide_them() -> None:
    flags = compiled(FRACTIONAL, "red", "blue")
    first = flags.evaluate("flag", {"targetingKey": "jon", "other": 1}, now=1)
    assert flags.evaluate("flag", {"targetingKey": "jon", "other": 2}, now=2) is first
    by_key = {key: flags.evaluate("flag", {"targetingKey": key}, now=1).variant for key in map(str, range(50))}
    assert set(by_key.values()) == {"red", "blue"}
    assert all(flags.evaluate("flag", {"targetingKey": key}, now=1).variant == by_key[key] for key in by_key)


def test_facts_that_are_one_to_a_dictionary_are_not_one_to_the_targeting() -> None:
    flags = compiled({"cat": [{"var": "a"}, ""]}, "1", "True", "")
    assert [evaluated(flags, a=a).variant for a in (1, True, 1.0, "1", True, 1)] == ["1", "True", "1", "1", "True", "1"]
    assert evaluated(flags, a=None).error == "GENERAL"


def test_the_callers_default_is_not_remembered() -> None:
    flags = compiled({"if": [{"var": "a"}, "red", None]}, "red", default=None)
    assert [evaluated(flags, default, a="").value for default in ("mine", "yours", None)] == ["mine", "yours", None]


@pytest.mark.parametrize("generation", [0, 4, "2", None, 2.5])
def test_an_unknown_generation_is_refused_by_name(generation: Any) -> None:
    with pytest.raises(ValueError, match=r"no generation .* of fractional; there are 1, 2, 3"):
        compile_flags({"flags": {}}, fractional=generation)
