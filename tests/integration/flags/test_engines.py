"""The evaluator gives, word for word, what flagd's own engines give for made-up flags and contexts by the thousand."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from stepdown.decide.flags import FlagSet, compile_flags
from tests.kit.flag_engines import ask
from tests.kit.flag_files import VARIANTS, FlagMaker, context

pytestmark = pytest.mark.real

NOW = 1_700_000_000


def differences(flags: FlagSet, questions: list[Any], answers: list[list[Any]]) -> list[Any]:
    """Every question on which the two disagree in value, variant, reason or error."""
    assert len(answers) == len(questions)
    found = []
    for question, engine in zip(questions, answers, strict=True):
        kind, name, facts, default = question
        outcome = flags.evaluate(name, facts, default, now=NOW, expect=kind)
        ours = [outcome.value, outcome.variant, outcome.reason, outcome.error]
        if ours != engine or [type(each) for each in ours] != [type(each) for each in engine]:
            found.append({"question": question, "engine": engine, "ours": ours, "message": outcome.message})
    return found


def flag_file(*targetings: Any, **more: Any) -> dict[str, Any]:
    flags = {
        f"flag-{at}": {"state": "ENABLED", "variants": VARIANTS, "defaultVariant": "green", "targeting": targeting}
        for at, targeting in enumerate(targetings)
    }
    return {"flags": flags, **more}


@pytest.mark.parametrize("seed", range(3))
def test_any_targeting_on_any_context_is_as_in_the_engine_of_the_second_generation(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    maker = FlagMaker(random)
    file = {"flags": {f"flag-{at}": maker.flag() for at in range(400)}}
    questions = [["string", name, context(random), "fallback"] for name in file["flags"] for _ in range(10)]
    answers = ask(2, file, questions, tmp_path)
    assert len({answer[1] for answer in answers}) > 6, "the made-up flags choose too little to mean anything"
    assert differences(compile_flags(json.dumps(file)), questions, answers) == []


@pytest.mark.parametrize("generation", [1, 2, 3])
def test_each_generation_of_fractional_picks_as_its_engine_does(generation: int, tmp_path: Path) -> None:
    random = Random(generation)
    maker = FlagMaker(random)
    file = {"flags": {f"flag-{at}": maker.fractional_flag() for at in range(100)}}
    questions = [["string", name, context(random), "fallback"] for name in file["flags"] for _ in range(40)]
    answers = ask(generation, file, questions, tmp_path)
    assert differences(compile_flags(json.dumps(file), fractional=generation), questions, answers) == []


@pytest.mark.parametrize("generation", [1, 2, 3])
def test_a_generation_is_not_another_one(generation: int, tmp_path: Path) -> None:
    file = flag_file({"fractional": [["red", 1], ["blue", 1], ["true", 1]]})
    questions = [["string", "flag-0", {"targetingKey": f"user-{at}"}, "fallback"] for at in range(200)]
    answers = ask(generation, file, questions, tmp_path)
    for other in {1, 2, 3} - {generation}:
        assert len(differences(compile_flags(file, fractional=other), questions, answers)) > 50


KEYS: list[Any] = [
    *("", "user", "ünï", "x" * 30, "y" * 300, True, False, 0, 23, 24, 255, 256, 65536, 2**32, 2**63, 2**64, -1, -25),
    *(0.0, 1.0, 1.5, 0.1, -0.0, 1e300, 65504.5, 3.4e38, 2.0**64, 1e-45, 5e-324, -(2.0**63), 5.960464477539063e-8),
    *({}, {"b": 1, "a": [1.0, None]}, {"aa": "x", "b": {"c": 2.5}}, None),
    # Lists are no keys but shares, unless they are inside of something that is a key.
    *([], ["red"], ["red", 5], [["red"], 5], {"list": [1, [2, {"x": True}]]}),
]


def test_the_third_generation_hashes_keys_of_every_type_as_its_engine_does(tmp_path: Path) -> None:
    file = flag_file(
        {"fractional": [{"var": "key"}, *([name, 1] for name in VARIANTS)]},
        {"fractional": [{"var": "key"}, ["red", {"var": "weight"}], ["blue", 50]]},
        {"fractional": [["red", {"var": "weight"}], ["blue", 50]]},
    )
    contexts = [{"key": key, "weight": weight, "targetingKey": "jon"} for key in KEYS for weight in (50, 0, "x")]
    questions = [["string", name, facts, "fallback"] for name in file["flags"] for facts in contexts]
    answers = ask(3, file, questions, tmp_path)
    assert differences(compile_flags(file, fractional=3), questions, answers) == []


def test_values_of_another_type_than_expected_are_the_engines_type_mismatches(tmp_path: Path) -> None:
    values = {"text": "x", "empty": "", "yes": True, "no": False, "one": 1, "zero": 0, "half": 0.5, "none": 0.0}
    variants = {**values, "object": {"a": 1}, "list": [1], "null": None}
    file: dict[str, Any] = {"flags": {}}
    for name in variants:
        flag = {"state": "ENABLED", "variants": variants, "defaultVariant": name}
        file["flags"] |= {f"static-{name}": flag, f"targeted-{name}": {**flag, "targeting": {"log": name}}}
        file["flags"][f"default-{name}"] = {**flag, "targeting": {"log": None}}
    defaults = {"boolean": True, "string": "d", "integer": 7, "float": 7.5, "object": {"d": 1}}
    questions = [[kind, name, {}, default] for name in file["flags"] for kind, default in defaults.items()]
    flags = compile_flags(file)
    found = differences(flags, questions, ask(2, file, questions, tmp_path))
    # One difference: asked for a float, OpenFeature's provider makes one of a whole number or a boolean.
    assert {(case["question"][0], type(case["ours"][0])) for case in found} == {("float", int), ("float", bool)}
    assert all(case["engine"] == [float(case["ours"][0]), *case["ours"][1:]] for case in found)


def test_shared_evaluators_disabled_flags_and_odd_files_are_as_in_the_engine(tmp_path: Path) -> None:
    file = flag_file(
        {"if": [{"$ref": "staff"}, "red", "blue"]},
        {"if": [{"and": [{"$ref": "outer"}, {"var": "beta"}]}, "red", None]},
        {"if": [{"$ref": "nobody"}, "red", "blue"]},
        {"if": [{"var": "beta"}, {"$ref": "nobody"}, "blue"]},
        {"if": [{"$ref": ["staff"]}, "red", "blue"]},
        {"if": [{"$ref": "itself"}, "red", "blue"]},
        {},
        [],
        "red",
        ["red"],
        {"log": "unknown"},
        {"if": [True, ""]},
        {"cat": ["re", "d"]},
        {"a": 1, "b": 2},
        **{
            "$evaluators": {
                "outer": {"!": {"$ref": "staff"}},
                "staff": {"ends_with": [{"var": "email"}, "@company.com"]},
                "itself": {"$ref": "itself"},
            },
            "metadata": {"owner": "us", "version": 1},
        },
    )
    file["flags"]["off"] = {**file["flags"]["flag-0"], "state": "DISABLED"}
    file["flags"]["no-default"] = {"state": "ENABLED", "variants": VARIANTS}
    file["flags"]["null-default"] = {**file["flags"]["no-default"], "defaultVariant": None}
    file["flags"]["true-default"] = {**file["flags"]["no-default"], "defaultVariant": True, "metadata": {"a": True}}
    emails = ["a@company.com", "a@b.c", None, 5]
    contexts = [{"email": email, "beta": beta} for email in emails for beta in (True, False)]
    questions = [["string", name, facts, "fallback"] for name in [*file["flags"], "absent"] for facts in contexts]
    flags = compile_flags(file)
    assert differences(flags, questions, ask(2, file, questions, tmp_path)) == []
    assert [finding.pointer for finding in flags.warnings] == [
        "#/flags/flag-2/targeting/if/0/$ref",
        "#/flags/flag-3/targeting/if/1/$ref",
        "#/flags/flag-4/targeting/if/0/$ref",
        "#/$evaluators/itself/$ref",
        "#/flags/flag-8/targeting",
        "#/flags/flag-9/targeting",
    ]


def test_the_time_is_the_one_that_is_given(tmp_path: Path) -> None:
    later, earlier = {"var": "$flagd.timestamp"}, 1_600_000_000
    file = flag_file({"if": [{">": [later, earlier]}, "red", "blue"]}, {"if": [{">": [later, 2**33]}, "red", "blue"]})
    questions = [["string", name, {}, "fallback"] for name in file["flags"]]
    assert differences(compile_flags(file), questions, ask(2, file, questions, tmp_path)) == []


EXPLAINED: dict[str, tuple[Any, list[Any], list[Any]]] = {
    # The engine looks for an operator within the operator `var` and fails in another way than on unknown operators.
    "a dot in an unknown operator": (
        {"var.x": []},
        ["fallback", None, "ERROR", "GENERAL"],
        ["fallback", None, "ERROR", "PARSE_ERROR"],
    ),
    # The engine writes a shared evaluator into the text of the file once, in the order of the evaluators.
    "an evaluator that refers to an earlier one": (
        {"if": [{"$ref": "second"}, "red", "blue"]},
        ["fallback", None, "ERROR", "PARSE_ERROR"],
        ["#f00", "red", "TARGETING_MATCH", None],
    ),
    # That text is taken for a template, in which a backslash means more than itself.
    "an evaluator with a backslash": (
        {"if": [{"==": [{"$ref": "text"}, "a\\n"]}, "red", "blue"]},
        ["#00f", "blue", "TARGETING_MATCH", None],
        ["#f00", "red", "TARGETING_MATCH", None],
    ),
    # The engine writes what it is given to standard output, which cannot be done with what contains itself.
    "a log of an accumulator that contains itself": (
        {"if": [{"reduce": [[1, 2], {"log": {"var": ""}}, 0]}, "red", "blue"]},
        ["fallback", None, "ERROR", "GENERAL"],
        ["#f00", "red", "TARGETING_MATCH", None],
    ),
    # Ours has bounds, so that no file and no request holds up all others.
    "a text over the bound": (
        {"if": [{"reduce": [[1] * 20, {"cat": [{"var": "accumulator"}, {"var": "accumulator"}]}, "x"]}, "red", "blue"]},
        ["#f00", "red", "TARGETING_MATCH", None],
        ["fallback", None, "ERROR", "GENERAL"],
    ),
}


@pytest.mark.parametrize("name", EXPLAINED)
def test_where_the_two_differ_it_is_on_purpose(name: str, tmp_path: Path) -> None:
    targeting, engine, ours = EXPLAINED[name]
    shared = {"first": {"!": False}, "second": {"!!": {"$ref": "first"}}, "text": {"cat": ["a\\n"]}}
    file = flag_file(targeting, **{"$evaluators": shared})
    questions = [["string", "flag-0", {}, "fallback"]]
    assert ask(2, file, questions, tmp_path) == [engine]
    outcome = compile_flags(file).evaluate("flag-0", {}, "fallback", now=NOW)
    assert [outcome.value, outcome.variant, outcome.reason, outcome.error] == ours
