"""Flag files that are refused, each mistake with its place; and what is only warned of."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stepdown.decide.flags import FlagFileError, compile_flags
from stepdown.decide.flags.document import LARGEST_FILE, MOST_FINDINGS, MOST_FLAGS
from tests.kit.flags import one_flag

FLAG = one_flag({}, "red")["flags"]["flag"]


def refusals(document: Any) -> list[str]:
    with pytest.raises(FlagFileError) as refused:
        compile_flags(document)
    assert str(refused.value).splitlines() == [str(finding) for finding in refused.value.findings]
    return [finding.pointer for finding in refused.value.findings]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"state": "on"}, "#/flags/a~1b/state"),
        ({"state": None}, "#/flags/a~1b/state"),
        ({"state": []}, "#/flags/a~1b/state"),
        ({"variants": {}}, "#/flags/a~1b/variants"),
        ({"variants": ["red"]}, "#/flags/a~1b/variants"),
        ({"variants": None}, "#/flags/a~1b/variants"),
        ({"variants": {1: "x"}}, "#/flags/a~1b/variants"),
        ({"defaultVariant": "blue"}, "#/flags/a~1b/defaultVariant"),
        ({"defaultVariant": 1}, "#/flags/a~1b/defaultVariant"),
        ({"defaultVariant": True}, "#/flags/a~1b/defaultVariant"),
        ({"metadata": []}, "#/flags/a~1b/metadata"),
        ({"metadata": {"x": None}}, "#/flags/a~1b/metadata/x"),
        ({"metadata": {"": 1}}, "#/flags/a~1b/metadata/"),
        ({"defaultVarient": "red"}, "#/flags/a~1b/defaultVarient"),
    ],
)
def test_a_flag_that_flagd_refuses_is_refused_at_its_place(change: dict[str, Any], pointer: str) -> None:
    assert refusals({"flags": {"a/b": {**FLAG, **change}, "good": FLAG}}) == [pointer]


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ("", "#"),
        ("{", "#"),
        (b"\xff\xfe\x00", "#"),
        ("[]", "#"),
        ("null", "#"),
        ('{"flags": {"a": NaN}}', "#"),
        pytest.param("[" * 200_000, "#", id="nested too deeply"),
        pytest.param("1" * 5000, "#", id="a number of 5000 digits"),
        pytest.param(" " * (LARGEST_FILE + 1), "#", id="too many bytes"),
        pytest.param({"flags": 10**5000}, "#/flags", id="a number of 5001 digits in a flag's place"),
        ({}, "#/flags"),
        ({"flags": []}, "#/flags"),
        ({"flags": None}, "#/flags"),
        ({"flags": {"x": "ENABLED"}}, "#/flags/x"),
        ({"flags": {1: FLAG}}, "#/flags/1"),
        ({"flags": {str(name): FLAG for name in range(MOST_FLAGS + 1)}}, "#/flags"),
        ({"flags": {}, "$evaluators": []}, "#/$evaluators"),
        ({"flags": {}, "metadata": "x"}, "#/metadata"),
        ({"flags": {}, "metadata": {"owner": {}}}, "#/metadata/owner"),
    ],
)
def test_what_is_no_flag_file_is_refused(document: Any, pointer: str) -> None:
    assert refusals(document) == [pointer]


def test_all_mistakes_are_listed_at_once_up_to_a_bound() -> None:
    bad = {"state": "on", "variants": {}, "extra": 1}
    assert refusals({"flags": {"one": bad, "two": bad}, "metadata": []}) == [
        "#/metadata",
        *("#/flags/one/extra", "#/flags/one/state", "#/flags/one/variants"),
        *("#/flags/two/extra", "#/flags/two/state", "#/flags/two/variants"),
    ]
    assert len(refusals({"flags": {str(name): bad for name in range(500)}})) == MOST_FINDINGS + 1


def test_a_refusal_says_what_would_be_right() -> None:
    with pytest.raises(
        FlagFileError, match=r"#/flags/flag/defaultVariant: there is no variant 'blu'; there are blue, red"
    ):
        compile_flags({"flags": {"flag": {**FLAG, "variants": {"red": 1, "blue": 2}, "defaultVariant": "blu"}}})
    with pytest.raises(FlagFileError, match="no JSON at line 2, column 3"):
        compile_flags("{\n  flags: {}}")


def nested(depth: int) -> Any:
    expression: Any = "red"
    for _ in range(depth):
        expression = {"log": [expression]}
    return expression


def test_targeting_is_bounded_in_depth_and_size_with_shared_evaluators_put_in() -> None:
    compile_flags(one_flag(nested(60), "red"))
    assert refusals(one_flag(nested(70), "red")) == ["#/flags/flag/targeting"]
    assert refusals(one_flag(nested(100_000), "red")) == ["#/flags/flag/targeting"]
    assert refusals(one_flag({"cat": [["x", {}]] * 4000}, "red")) == ["#/flags/flag/targeting"]
    # Each evaluator has the next one twice: 2^40 expressions out of 40.
    laughs: dict[str, Any] = {f"e{at}": {"and": [{"$ref": f"e{at + 1}"}] * 2} for at in range(40)}
    assert refusals(one_flag({"$ref": "e0"}, "red") | {"$evaluators": laughs}) == ["#/flags/flag/targeting"]
    many = {str(name): {**FLAG, "targeting": {"cat": [1] * 9000}} for name in range(25)}
    assert refusals({"flags": many}) == ["#/flags"]


def test_a_long_list_of_plain_values_is_one_expression() -> None:
    flags = compile_flags(one_flag({"in": [{"var": "user"}, [f"user-{at}" for at in range(50_000)]]}, "true", "false"))
    assert flags.evaluate("flag", {"user": "user-49999"}, now=0).variant == "true"
    assert flags.evaluate("flag", {"user": "user-50000"}, now=0).variant == "false"


def test_members_that_are_there_twice_are_warned_of() -> None:
    text = json.dumps({"flags": {"flag": FLAG}}).replace('"state"', '"state": "DISABLED", "state"')
    [warning] = compile_flags(text).warnings
    assert str(warning) == "#: a member 'state' is there twice; the last one counts"


def test_targeting_that_can_only_fail_is_warned_of_at_its_place() -> None:
    file = one_flag({"if": [{"no such": 1}, {"$ref": "nobody"}, {"$ref": "a"}]}, "red")
    file["$evaluators"] = {"a": {"!": [{"$ref": "b"}]}, "b": {"$ref": "a"}}
    assert [str(warning) for warning in compile_flags(file).warnings] == [
        "#/flags/flag/targeting/if/0/no such: there is no operator 'no such'; evaluating this is a PARSE_ERROR",
        "#/flags/flag/targeting/if/1/$ref: the shared evaluator 'nobody' is not under $evaluators; "
        "evaluating this is a PARSE_ERROR",
        "#/$evaluators/b/$ref: the shared evaluator 'a' refers to itself; evaluating this is a PARSE_ERROR",
    ]


def test_a_file_may_come_as_bytes_text_or_content() -> None:
    content = one_flag({}, "red")
    for document in (content, json.dumps(content), json.dumps(content).encode()):
        assert compile_flags(document).names == {"flag"}


def test_members_that_other_tools_add_are_ignored() -> None:
    assert compile_flags({"flags": {"flag": {**FLAG, "source": "x.json", "selector": "a"}}, "$schema": "x"}).names


def test_the_content_is_not_changed_by_compiling_it() -> None:
    content = one_flag({"if": [{"$ref": "x"}, "red"]}, "red") | {"$evaluators": {"x": True}}
    before = json.dumps(content)
    compile_flags(content)
    assert json.dumps(content) == before
